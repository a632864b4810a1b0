"""Rules: which rows who may read and write, said once for every way to reach them.

``permissions = ReadOnly() | IsAuthenticated() & Where(lambda ctx: Post.author_id == ctx.user.id)``

A rule is a part of each statement, so that the database itself leaves out what is not to be seen, wherever it is
listed, counted, summed or embedded, and refuses what is not to be written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Null, and_, not_, null, or_
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList, Grouping
from sqlalchemy.sql.util import _deep_deannotate

from .context import Context
from .sources import told
from .sql.access import Action, Granted
from .sql.claims import Claim, ClaimParameter, claimed

Decided: TypeAlias = "Mapping[Rule, bool | None]"


class Rule(ABC):
    """What may be done, by whom, with which rows. Rules are composed with ``&``, ``|`` and ``~``.

    What cannot be told, as whose a row is for somebody who has not said who he is, is neither true nor false, as in
    SQL: neither a rule nor its opposite grants it.
    """

    def __and__(self, other: Rule) -> Rule:
        return All(self, other)

    def __or__(self, other: Rule) -> Rule:
        return Some(self, other)

    def __invert__(self) -> Rule:
        return Not(self)

    def parts(self) -> Iterator[Rule]:
        """The rules that it is composed of, and that are decided for each request; by default itself."""
        yield self

    def decide(self, context: Context) -> bool | None:
        """What is known of it before the database is asked; None where it cannot be told."""
        return True

    @abstractmethod
    def condition(self, action: Action, decided: Decided) -> Granted:
        """The rows that it grants an action on."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Composed(Rule):
    """What some rules grant together.

    Args:
        *rules: the rules.

    Attributes:
        join: makes one condition of several.
        sign: what is written between them.
        absorbing: what any of the rules decides for all of them.
    """

    join: Callable[..., ColumnElement[bool]]
    sign: str
    absorbing: bool

    def __init__(self, *rules: Rule) -> None:
        for rule in rules:
            if not isinstance(rule, Rule):
                raise TypeError(f"{rule!r} is no rule: rules are composed of rules, such as IsAuthenticated()")
        self.rules = rules

    def __repr__(self) -> str:
        shown = [f"({rule!r})" if isinstance(rule, Some) and self.sign == "&" else repr(rule) for rule in self.rules]
        return f" {self.sign} ".join(shown)

    def parts(self) -> Iterator[Rule]:
        for rule in self.rules:
            yield from rule.parts()

    def condition(self, action: Action, decided: Decided) -> Granted:
        parts = [rule.condition(action, decided) for rule in self.rules]
        if any(part is self.absorbing for part in parts):
            return self.absorbing
        open_ = [part for part in parts if not isinstance(part, bool)]
        if not open_:
            return not self.absorbing
        if all(part is None for part in open_):
            return None
        return self.join(*(null() if part is None else part for part in open_))


class All(Composed):
    """What both of two rules grant: ``a & b``."""

    join = staticmethod(and_)
    sign = "&"
    absorbing = False


class Some(Composed):
    """What one of two rules grants: ``a | b``."""

    join = staticmethod(or_)
    sign = "|"
    absorbing = True


class Not(Rule):
    """What a rule denies: ``~a``."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __repr__(self) -> str:
        return f"~({self.rule!r})" if isinstance(self.rule, Composed) else f"~{self.rule!r}"

    def parts(self) -> Iterator[Rule]:
        yield from self.rule.parts()

    def condition(self, action: Action, decided: Decided) -> Granted:
        condition = self.rule.condition(action, decided)
        if isinstance(condition, ColumnElement):
            return not_(condition)
        return None if condition is None else not condition


class AllowAny(Rule):
    """Grants everything to everybody."""

    def parts(self) -> Iterator[Rule]:
        return iter(())

    def condition(self, action: Action, decided: Decided) -> Granted:
        return True


class ReadOnly(Rule):
    """Grants reading."""

    def parts(self) -> Iterator[Rule]:
        return iter(())

    def condition(self, action: Action, decided: Decided) -> Granted:
        return action == "select"


class When(Rule):
    """Grants what a function of the request says: ``When(lambda ctx: ctx.user.role == "admin")``.

    Args:
        function: given the :class:`rowserve.Context`. It is called once a request. That somebody unknown has no role,
            or that a token says nothing of it, is no error: it cannot be told then.
    """

    def __init__(self, function: Callable[[Context], object]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return f"When({told(self.function)})"

    def decide(self, context: Context) -> bool | None:
        try:
            return bool(self.function(context))
        except (AttributeError, TypeError, KeyError):
            if context.user is None or isinstance(context.user, Mapping):
                return None
            raise

    def condition(self, action: Action, decided: Decided) -> Granted:
        return decided[self]


class IsAuthenticated(When):
    """Grants everything to whoever is known."""

    def __init__(self) -> None:
        super().__init__(lambda context: context.user is not None)

    def __repr__(self) -> str:
        return "IsAuthenticated()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IsAuthenticated)

    def __hash__(self) -> int:
        return hash(IsAuthenticated)


class Where(Rule):
    """Grants what is true of a row: ``Where(lambda ctx: Post.author_id == ctx.user.id)``.

    Args:
        function: given a stand-in for the :class:`rowserve.Context`, once; what it takes of it is a bind parameter of
            the statement. Where the user has no such attribute or item, or nobody is known, it cannot be told.
    """

    def __init__(self, function: Callable[[Any], ColumnExpressionArgument[bool]]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return f"Where({told(self.function)})"

    @cached_property
    def expression(self) -> ColumnElement[bool]:
        """The condition in SQL.

        Raises:
            TypeError: the function makes no such thing, or would have to know who asks.
        """
        expression: Any = self.function(Claim())
        expression = getattr(expression, "__clause_element__", lambda: expression)()
        if not isinstance(expression, ColumnElement):
            raise TypeError(
                f"Where takes a function that makes a condition of SQL; this one makes {expression!r}: decide by it in "
                "When(lambda ctx: …)"
            )
        # What is in relationship.has() and any() is marked as nothing to be replaced, but claims and columns are.
        within: ColumnElement[bool] = _deep_deannotate(expression, values=["no_replacement_traverse"])
        return within

    @cached_property
    def claims(self) -> list[ClaimParameter]:
        """What it takes of the context."""
        return [part for part in visitors.iterate(self.expression) if isinstance(part, ClaimParameter)]

    def decide(self, context: Context) -> bool | None:
        return None if any(claimed(context, claim.steps) is None for claim in self.claims) else True

    def condition(self, action: Action, decided: Decided) -> Granted:
        return None if decided[self] is None else self.expression


def granted(condition: Granted) -> Granted:
    """The same, None where it is true of no row: what cannot be told and something else besides is no better known.

    So whoever may not write is refused before hooks are asked, which may take it that somebody is known.
    """
    return None if is_never(condition) else condition


def is_never(condition: object) -> bool:
    """Whether a condition is true of no row, as far as can be told from how it is composed."""
    if isinstance(condition, Grouping):
        return is_never(condition.element)
    if isinstance(condition, BooleanClauseList):
        of = any if condition.operator is operators.and_ else all
        return of(is_never(part) for part in condition.clauses)
    return condition is None or isinstance(condition, Null)
