"""Names in a statement: what the columns of an entity are there, and the parameters of the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Dialect, FromClause, Table, bindparam, literal_column
from sqlalchemy.types import TypeEngine

from .entity import Entity, unknown_column
from .wire import WireType

Reader: TypeAlias = Callable[[Any], Any]
"""Makes the driver's argument of a request's value; raises ApiError for one of the wrong type."""

CONSTANT = -1
"""Stands for the index of an argument that is no value of the request, but part of its shape."""
CLAIM = -2
"""Stands for the index of an argument that is read from who asks."""


class _Argument:
    """What a statement takes that no query string has: the arguments of a function, or what it has returned."""


ARGUMENT: Final = _Argument()
"""Stands for it among the arguments of a statement."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a name stands for: an expression, how its values cross the wire, and whether they may be NULL."""

    expression: ColumnElement[Any]
    wire: WireType
    nullable: bool = True


class Parameters:
    """The bind parameters of one statement, and how each gets its argument.

    A value of the request is named ``v`` and its index, however often it stands in the statement; a constant, which
    comes from a client but belongs to the shape (the key of a JSON path), ``c`` and a number.
    """

    def __init__(self) -> None:
        self._readers: dict[str, tuple[int, Any]] = {}

    def value(self, index: int, type_: TypeEngine[Any], read: Reader) -> ColumnElement[Any]:
        """The parameter for a value of the request, which ``read`` makes an argument of."""
        name = f"v{index}"
        self._readers[name] = (index, read)
        return bindparam(name, type_=type_)

    def constant(self, value: object, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A parameter that has the same argument in every request of this shape."""
        name = f"c{len(self._readers)}"
        self._readers[name] = (CONSTANT, value)
        return bindparam(name, type_=type_)

    def claim(self, type_: TypeEngine[Any], read: Reader) -> ColumnElement[Any]:
        """The parameter for what ``read`` makes of who asks."""
        name = f"vc{len(self._readers)}"
        self._readers[name] = (CLAIM, read)
        return bindparam(name, type_=type_)

    @property
    def has_constants(self) -> bool:
        return any(index == CONSTANT for index, _ in self._readers.values())

    def arguments(self, names: Sequence[str]) -> tuple[tuple[int, Any], ...]:
        """For the parameters' names in the order of their placeholders: index of the value and reader, or constant."""
        return tuple([self._readers[name] for name in names])


class Returned:
    """The rows behind RETURNING, where SQLAlchemy does not know of a statement around an expression."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        quoted = dialect.identifier_preparer.format_table(table)
        quote = dialect.identifier_preparer.quote
        self.c = {column.key: literal_column(f"{quoted}.{quote(column.name)}", column.type) for column in table.columns}


class Scope:
    """An entity's rows under a name in a statement.

    Args:
        entity: whose rows they are.
        rows: where they come from: the table, an alias, or a subquery that has (some of) its columns.
        name: what errors call it: ``users``, or ``messages_1`` for what is embedded.
        outer: the rows of the statements around, which one over this scope may refer to.
    """

    __slots__ = ("entity", "name", "outer", "rows")

    def __init__(self, entity: Entity, rows: Any, name: str, outer: tuple[FromClause, ...] = ()) -> None:
        self.entity = entity
        self.rows = rows
        self.name = name
        self.outer = outer

    @property
    def inside(self) -> tuple[FromClause, ...]:
        """What an expression over this scope may refer to from inside a statement of its own."""
        return self.outer if isinstance(self.rows, Returned) else (*self.outer, self.rows)

    def over(self, rows: FromClause) -> Scope:
        """The same entity, its rows taken from a subquery that has the columns needed."""
        return Scope(self.entity, rows, self.name, self.outer)

    def stored(self, name: str) -> ColumnElement[Any]:
        """The stored column of that name, whether clients know of it or not."""
        column: ColumnElement[Any] = self.rows.c[self.entity.stored[name].column.key]
        return column

    def own(self, name: str) -> Target:
        """The same, and how its values cross the wire."""
        item = self.entity.stored[name]
        return Target(self.stored(name), item.wire, bool(item.column.nullable))

    def column(self, name: str) -> Target:
        """The column that a client calls so, computed ones included.

        Raises:
            ApiError: 42703, with the columns there are.
        """
        item = self.entity.columns.get(name)
        if item is not None:
            return Target(self.rows.c[item.column.key], item.wire, bool(item.column.nullable))
        computed = self.entity.computed.get(name)
        if computed is None:
            raise unknown_column(self.entity, name, self.name)
        carried = self.rows.c.get(name)
        return Target(computed.expression(self.rows) if carried is None else carried, computed.wire)
