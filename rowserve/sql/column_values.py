"""What columns are written with: parameters, and what the model or the table fills in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, String, bindparam, case, func, literal, literal_column, null
from sqlalchemy.types import TypeEngine

from ..errors import ApiError, database_error
from .defaults import Default, DefaultContext, default_of
from .entity import Entity, EntityColumn
from .output import literal_text


@dataclass(frozen=True, slots=True)
class Parameter:
    """A column that a statement writes from a bind parameter: from the row that was sent, or from a default.

    Args:
        name: the column's.
        bind: Python value -> the driver's; None where they are the same.
        default: what makes the value for a row that has none.
        is_presence: whether it is not the value that is meant but whether the row has one.
    """

    name: str
    bind: Callable[[Any], Any] | None = None
    default: Default | None = None
    is_presence: bool = False

    def arguments(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The driver's values, one for each row."""
        name, default = self.name, self.default
        if self.is_presence:
            return [name in row for row in rows]
        if default is None:
            values = [row.get(name) for row in rows]
        else:
            values = [row[name] if name in row else default.value(row) for row in rows]
        return values if self.bind is None else list(map(self.bind, values))

    def type_in(self, entity: Entity) -> TypeEngine[Any]:
        """The type that the database is to take it for."""
        return Boolean() if self.is_presence else entity.stored[self.name].column.type


def defaults(
    entity: Entity, names: Collection[str], *, update: bool = False
) -> tuple[list[Parameter], dict[str, ColumnElement[Any]]]:
    """What is filled in for the columns that are not named: by the model, from Python and from SQL, and the version."""
    made: list[Parameter] = []
    expressions: dict[str, ColumnElement[Any]] = {}
    version = entity.version
    if version is not None:
        names = {*names, version.name}
        if version.made == "counted":
            expressions[version.name] = version.following() if update else literal_column("1", Integer())
        elif version.generator is not None and version.item is not None and not update:
            first = Default(argument=partial(first_version, version.generator), is_callable=True)
            made.append(Parameter(version.name, version.item.wire.bind, first))
    for item in entity.stored.values():
        default = None if item.name in names else default_of(item, update=update)
        if default is None:
            continue
        if default.expression is None:
            made.append(Parameter(item.name, item.wire.bind, default))
        else:
            expressions[item.name] = constant(entity, default.expression)
    return made, expressions


def first_version(generator: Callable[[Any], Any], _: DefaultContext) -> Any:
    return generator(None)


def without_version(entity: Entity, names: Iterable[str]) -> list[str]:
    """The columns that are written as they were sent: a version never is."""
    version = entity.version
    return [name for name in names if version is None or name != version.name]


def sparse_parameters(entity: Entity, names: Iterable[str]) -> tuple[list[Parameter], dict[str, ColumnElement[Any]]]:
    """Parameters for columns that each row may have or lack, and what the database makes of those that it lacks.

    Only a whole statement can say DEFAULT, so one for many rows has to say what that is.

    Raises:
        ApiError: 0A000 for a column that has a default in the database of which no more is known.
    """
    parameters: list[Parameter] = []
    otherwise: dict[str, ColumnElement[Any]] = {}
    for name in names:
        item = entity.stored[name]
        default = default_of(item)
        if default is None:
            expression = database_default(entity, item)
        else:
            expression = None if default.expression is None else constant(entity, default.expression)
        parameters.append(Parameter(name, item.wire.bind, default if expression is None else None))
        if expression is not None:
            otherwise[name] = expression
            parameters.append(Parameter(name, is_presence=True))
    return parameters, otherwise


def values_of(
    parameters: Sequence[Parameter], given: Sequence[ColumnElement[Any]], otherwise: Mapping[str, ColumnElement[Any]]
) -> dict[str, ColumnElement[Any]]:
    """What each column is set to: a parameter, or, where the row may lack it, that or something else.

    Args:
        parameters: what is written.
        given: for each parameter the expression that stands for it.
        otherwise: as `sparse_parameters` has it.
    """
    values = {item.name: value for item, value in zip(parameters, given, strict=True) if not item.is_presence}
    for item, value in zip(parameters, given, strict=True):
        if item.is_presence:
            values[item.name] = case((value, values[item.name]), else_=otherwise[item.name])
    return values


def database_default(entity: Entity, item: EntityColumn) -> ColumnElement[Any] | None:
    """The default of a column in the database; None where that is NULL, or a number that SQLite makes up.

    Raises:
        ApiError: 0A000 where there is one of which no more is known.
    """
    column = item.column
    is_numbered = column.table.autoincrement_column is column and column.server_default is None
    if column.identity is not None or is_numbered:
        if entity.dialect.name == "sqlite":
            return None
        table = entity.dialect.identifier_preparer.format_table(entity.table)
        sequence = func.pg_get_serial_sequence(literal_text(table), literal_text(column.name))
        return constant(entity, func.nextval(sequence))
    if column.server_default is None:
        return None
    stated = stated_default(entity, item)
    if stated is None:
        raise ApiError(
            400,
            "0A000",
            f'the default of column "{column.name}" of "{entity.name}" is not known',
            hint=f"Give a {column.name} in every row, or leave it out of columns=.",
        )
    return stated


def stated_default(entity: Entity, item: EntityColumn) -> ColumnElement[Any] | None:
    """The default that a column has in the database, as far as the table says what it is."""
    argument = getattr(item.column.server_default, "arg", None)
    if isinstance(argument, str):
        # As SQLAlchemy has it in the table: whatever the type, a string.
        return constant(entity, literal(argument, String()))
    return None if argument is None else constant(entity, argument)


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
        item = entity.stored[name]
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
        stated = stated_default(entity, item)
        if stated is not None:
            return stated
    if not item.column.nullable:
        raise not_null(entity, item.name)
    return null()


def set_parameter(index: int) -> ColumnElement[Any]:
    """The bind parameter of a column that is written."""
    return bindparam(f"s{index}")


def typed_parameter(entity: Entity, index: int, name: str) -> ColumnElement[Any]:
    """The same where SQLAlchemy cannot see which column it is for."""
    return bindparam(f"s{index}", type_=entity.stored[name].column.type)


def typed_parameters(entity: Entity, parameters: Sequence[Parameter]) -> list[ColumnElement[Any]]:
    """The bind parameters of all that is written."""
    return [bindparam(f"s{index}", type_=item.type_in(entity)) for index, item in enumerate(parameters)]


def not_null(entity: Entity, name: str) -> Exception:
    return database_error(
        "23502", f'null value in column "{name}" of relation "{entity.name}" violates not-null constraint'
    )
