"""Filters as SQL: one boolean expression for each condition of a query, values left as bind parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, false, not_, or_, true, types

from ..errors import ApiError
from ..query import Comparison, Condition, Is, Logic
from . import postgresql_operators, sqlite_operators
from .database_types import database_type
from .fields import field_name, field_target
from .operators import ORDERING, SYMBOLS, Compared, Operators
from .scope import Parameters, Scope, Target
from .scope import Reader as Reader

NullEmbed: TypeAlias = Callable[[str], ColumnElement[bool] | None]
"""Whether there is a related row, by the name of what is embedded; None where nothing is embedded by that name."""

_OPERATORS: dict[str, type[Operators]] = {
    "postgresql": postgresql_operators.PostgreSQLOperators,
    "sqlite": sqlite_operators.SQLiteOperators,
}


class Conditions:
    """Compiles conditions over the rows of a scope.

    Args:
        scope: the rows.
        parameters: those of the whole statement, which the values join.
        null_embed: what ``films=is.null`` tests where ``films`` is embedded.
    """

    def __init__(self, scope: Scope, parameters: Parameters, null_embed: NullEmbed) -> None:
        self.scope = scope
        self.parameters = parameters
        self.null_embed = null_embed
        self.operators = _OPERATORS[scope.entity.dialect.name](scope, parameters)

    def all_of(self, conditions: tuple[Condition, ...]) -> list[ColumnElement[bool]]:
        """One expression for each condition."""
        return [self.compile(condition) for condition in conditions]

    def compile(self, condition: Condition) -> ColumnElement[bool]:
        """The expression that is true of the rows that meet the condition.

        Raises:
            ApiError: 42703 for an unknown column, 42883 for an operator that its type does not have, 42804 for what
                is no truth, 400 PGRST127 for what the database cannot do.
        """
        if isinstance(condition, Comparison):
            expression = self._comparison(condition)
        elif isinstance(condition, Is):
            expression = self._truth(condition)
        else:
            expression = self._logic(condition)
        return not_(expression) if condition.negated else expression

    def _logic(self, condition: Logic) -> ColumnElement[bool]:
        join = and_ if condition.operator == "and" else or_
        return join(*self.all_of(condition.conditions))

    def _truth(self, condition: Is) -> ColumnElement[bool]:
        if condition.value in ("null", "not_null") and not condition.field.path:
            related = self.null_embed(condition.field.name)
            if related is not None:
                return related if condition.value == "not_null" else not_(related)
        target = self._target(condition)
        if condition.value in ("null", "unknown"):
            return target.expression.is_(None)
        if condition.value == "not_null":
            return target.expression.is_not(None)
        if not isinstance(database_type(target.expression.type, self.scope.entity.dialect), types.Boolean):
            raise ApiError(
                400,
                "42804",
                f"argument of IS {condition.value.upper()} must be type boolean, not type {target.wire.name}",
            )
        # IS, not =: a row whose value is NULL is not true and not false, negated or not.
        return target.expression.is_(true() if condition.value == "true" else false())

    def _comparison(self, condition: Comparison) -> ColumnElement[bool]:
        target = self._target(condition)
        compared = Compared(target, field_name(condition.field), condition)
        operator = condition.operator
        if operator in ORDERING:
            return self.operators.ordering(compared)
        if operator in ("like", "ilike", "match", "imatch"):
            return self.operators.pattern(compared)
        if operator == "in":
            return self.operators.contained(compared)
        if operator in SYMBOLS:
            return self.operators.overlap(compared)
        return self.operators.search(compared)

    def _target(self, condition: Comparison | Is) -> Target:
        return field_target(self.scope, condition.field, self.parameters)


def not_supported(what: str) -> ApiError:
    """The answer to a part of the dialect that this version reads but does not run."""
    return ApiError(400, "PGRST127", "Feature not implemented", details=f"{what} is not supported by this version")
