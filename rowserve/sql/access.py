"""What a caller may do with which rows, as conditions of SQL over each table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from json import dumps
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ARRAY,
    BinaryExpression,
    BindParameter,
    Column,
    ColumnElement,
    Dialect,
    Table,
    Text,
    column,
    false,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.operators import in_op

from ..errors import ApiError, refused
from .claims import ClaimParameter, claimed
from .entity import Entity
from .literals import RefusedError
from .reflected_types import array_of
from .scope import Parameters, Reader
from .types import wire_type
from .wire import json_text

JSON_SCALARS = (str, int, float, bool)
Action: TypeAlias = Literal["select", "insert", "update", "delete"]
Granted: TypeAlias = "ColumnElement[bool] | bool | None"
"""Rows that something may be done with: all, none, those that a condition is true of; None where that is not known, and
neither is its opposite."""


class Access:
    """What callers may do of whom the same is known before the database is asked.

    Args:
        conditions: for each table that has a rule, and for each action, the rows it may be done with.
        is_anonymous: whether it is not known who they are.
    """

    def __init__(self, conditions: Mapping[tuple[Table, Action], Granted], *, is_anonymous: bool) -> None:
        self._conditions = conditions
        self.is_anonymous = is_anonymous

    def granted(self, table: Table, action: Action) -> Granted:
        """The rows of a table that an action may be done with."""
        return self._conditions.get((table, action), True)

    def condition(self, table: Table, *actions: Action) -> list[ColumnElement[bool]]:
        """What is true of the rows of a table that all of some actions may be done with."""
        found = [self._conditions.get((table, action), True) for action in actions]
        return [
            part if isinstance(part, ColumnElement) else false()
            for part in found
            if isinstance(part, ColumnElement) or not part
        ]

    def check(self, entity: Entity, action: Action) -> None:
        """Finds out whether there are any such rows, before anything is asked of the database.

        Raises:
            ApiError: 42501, with 401 for those who may be somebody else, 403 for others.
        """
        granted = self._conditions.get((entity.table, action), True)
        if not (isinstance(granted, ColumnElement) or granted):
            raise self.refusal(entity)

    def refusal(self, entity: Entity) -> ApiError:
        """The answer to who may not do something."""
        return refused(entity.name, is_anonymous=self.is_anonymous)


ANYTHING = Access({}, is_anonymous=True)
"""Where there are no rules."""


Stand: TypeAlias = Callable[[Column[Any]], ColumnElement[Any] | None]
"""What stands for a column of a model among the rows of a statement; None where it is not of those rows."""


def over(condition: ColumnElement[bool], stand: Stand, parameters: Parameters, dialect: Dialect) -> ColumnElement[bool]:
    """A condition over the rows of a statement.

    Args:
        condition: over a model's columns, with claims.
        stand: what stands for them.
        parameters: those of the statement, which claims join.
        dialect: the database's.
    """

    def replacement(part: Any, **_: Any) -> Any:
        right = part.right if isinstance(part, BinaryExpression) else None
        if isinstance(right, ClaimParameter) and right.expanding:
            contained = in_list(replaced(part.left), right, parameters, dialect)
            return contained if part.operator is in_op else not_(contained)
        if isinstance(part, ClaimParameter):
            return parameters.claim(part.type, reader(part, dialect))
        if isinstance(part, BindParameter):
            compiled = part.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            return literal_column(str(compiled), part.type)
        return stand(part) if isinstance(part, Column) else None

    def replaced(part: ColumnElement[Any]) -> ColumnElement[Any]:
        replace: Any = replacement
        over_rows: ColumnElement[Any] = visitors.replacement_traverse(part, {}, replace)
        return over_rows

    return replaced(condition)


def in_list(
    left: ColumnElement[Any], claim: ClaimParameter, parameters: Parameters, dialect: Dialect
) -> ColumnElement[bool]:
    """Whether a value is one of those that a claim holds: one parameter, however many there are."""
    read = reader(claim, dialect)
    if dialect.name == "postgresql":
        return left == func.any(parameters.claim(array_of(claim.type), read))
    items = func.json_each(parameters.claim(Text(), lambda context: dumps(read(context)))).table_valued("value")
    return left.in_(select(column("value")).select_from(items))


def reader(claim: ClaimParameter, dialect: Dialect) -> Reader:
    """What makes the driver's argument of a context: None of what is no value of the column's type."""
    wire = wire_type(claim.type, dialect)

    def read(value: Any) -> Any:
        if isinstance(value, JSON_SCALARS):
            # Tokens have numbers as texts, and texts as numbers.
            try:
                value = wire.literal(json_text(value))
            except RefusedError:
                return None
        elif isinstance(value, Mapping) or (isinstance(value, list | tuple) and not isinstance(claim.type, ARRAY)):
            return None
        return value if value is None or wire.bind is None else wire.bind(value)

    def read_one(context: Any) -> Any:
        return read(claimed(context, claim.steps))

    def read_all(context: Any) -> tuple[Any, ...]:
        values = claimed(context, claim.steps)
        if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
            values = [values]  # a single one: of a text, each letter would be one
        return tuple([found for found in map(read, values) if found is not None])

    return read_all if claim.expanding else read_one
