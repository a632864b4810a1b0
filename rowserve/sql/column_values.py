"""What columns are written with: parameters, and what the model or the table fills in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, literal, literal_column, null

from ..errors import database_error
from .defaults import Default, default_of
from .entity import Entity, EntityColumn


@dataclass(frozen=True, slots=True)
class Parameter:
    """A column that a statement writes from a bind parameter: from the row that was sent, or from a default."""

    name: str
    bind: Callable[[Any], Any] | None
    default: Default | None = None

    def arguments(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The driver's values, one for each row."""
        default = self.default
        values = [row[self.name] for row in rows] if default is None else [default.value(row) for row in rows]
        return values if self.bind is None else list(map(self.bind, values))


def defaults(
    entity: Entity, names: Collection[str], *, update: bool = False
) -> tuple[list[Parameter], dict[str, ColumnElement[Any]]]:
    """What the model fills in for the columns that are not named: from Python, and from SQL."""
    made: list[Parameter] = []
    expressions: dict[str, ColumnElement[Any]] = {}
    for item in entity.columns.values():
        default = None if item.name in names else default_of(item, update=update)
        if default is None:
            continue
        if default.expression is None:
            made.append(Parameter(item.name, item.wire.bind, default))
        else:
            expressions[item.name] = constant(entity, default.expression)
    return made, expressions


def constant(entity: Entity, expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """An expression of the model's, its values part of the statement: bind parameters are a request's alone."""
    compiled = expression.compile(dialect=entity.dialect, compile_kwargs={"literal_binds": True})
    return literal_column(f"({compiled})", expression.type)


def resets(entity: Entity, names: Collection[str]) -> tuple[list[Parameter], dict[str, ColumnElement[Any]]]:
    """What columns that were not sent are replaced with: their defaults, or NULL.

    Raises:
        ApiError: 23502 for a column that has no default and may not be NULL.
    """
    made: list[Parameter] = []
    expressions: dict[str, ColumnElement[Any]] = {}
    for name in names:
        item = entity.column(name)
        default = default_of(item)
        if default is not None and default.expression is None:
            made.append(Parameter(name, item.wire.bind, default))
        else:
            expressions[name] = reset(entity, item, default)
    return made, expressions


def reset(entity: Entity, item: EntityColumn, default: Default | None) -> ColumnElement[Any]:
    """What a column that was not sent is replaced with."""
    if default is not None and default.expression is not None:
        return constant(entity, default.expression)
    server: Any = item.column.server_default
    if server is not None:
        if entity.dialect.name == "postgresql":
            return literal_column("DEFAULT")
        argument = getattr(server, "arg", None)
        if isinstance(argument, str):
            # As SQLAlchemy has it in the table: whatever the type, a string.
            return constant(entity, literal(argument, String()))
        if argument is not None:
            return constant(entity, argument)
    if not item.column.nullable:
        raise not_null(entity, item.name)
    return null()


def set_parameter(index: int) -> ColumnElement[Any]:
    """The bind parameter of a column that is written."""
    return bindparam(f"s{index}")


def typed_parameter(entity: Entity, index: int, name: str) -> ColumnElement[Any]:
    """The same where SQLAlchemy cannot see which column it is for."""
    return bindparam(f"s{index}", type_=entity.column(name).column.type)


def not_null(entity: Entity, name: str) -> Exception:
    return database_error(
        "23502", f'null value in column "{name}" of relation "{entity.name}" violates not-null constraint'
    )
