"""INSERT, UPDATE and DELETE: each row that is written comes back as JSON text, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Integer,
    String,
    Update,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from ..backends.base import Arguments, Statement, Write
from ..errors import database_error
from ..query import Query, SelectItem
from .conditions import Conditions, Reader
from .defaults import Default, default_of
from .entity import Entity, EntityColumn
from .output import row_object
from .read import positional, selected


@dataclass(frozen=True, slots=True)
class Parameter:
    """A column that a statement writes from a bind parameter: from the row that was sent, or from a default."""

    name: str
    bind: Callable[[Any], Any] | None
    default: Default | None = None

    def argument(self, row: Mapping[str, Any]) -> Any:
        value = row[self.name] if self.default is None else self.default.value(row)
        return value if self.bind is None else self.bind(value)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A statement that writes, and how its arguments come from the rows and the values of a request.

    Args:
        statement: what to run; returns a row of JSON text for each row written, where that was asked for.
        entity: what is written to.
        parameters: the columns that are written, in the order of the first placeholders.
        arguments: for the placeholders after those, which of the request's values each takes, and how to read it.
    """

    statement: Statement
    entity: Entity
    parameters: tuple[Parameter, ...] = ()
    arguments: tuple[tuple[int, Reader], ...] = ()

    def write(self, rows: Sequence[Mapping[str, Any]] = ({},), values: Sequence[Any] = ()) -> Write:
        """The write for these rows and values; raises ApiError for a value of the wrong type."""
        filters = tuple([read(values[index]) for index, read in self.arguments])
        sets: list[Arguments] = [
            (*[parameter.argument(row) for parameter in self.parameters], *filters) for row in rows
        ]
        columns = tuple([parameter.name for parameter in self.parameters])
        return Write(self.statement, sets, self.entity.table, columns)


def compile_insert(entity: Entity, names: Sequence[str], returned: tuple[SelectItem, ...] | None) -> Change:
    """The statement that inserts rows with values for ``names``; other columns get their defaults.

    Args:
        entity: what is inserted into.
        names: the columns of each row.
        returned: what to return of each row as JSON; None for nothing.
    """
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    made, expressions = defaults(entity, names)
    postgres = entity.dialect.name == "postgresql"
    written = (*given, *made)
    values = {item.name: set_parameter(entity, index) for index, item in enumerate(written)}
    text, parameters = returning(entity, insert(entity.table).values({**values, **expressions}), returned, written)
    if (
        not parameters
        or not postgres
        or any(isinstance(entity.column(item.name).column.type, postgresql.ARRAY) for item in parameters)
    ):
        return Change(Statement(text), entity, parameters)
    joined = joined_insert(entity, parameters, expressions, returned)
    return Change(Statement(text, joined), entity, parameters)


def joined_insert(
    entity: Entity,
    parameters: Sequence[Parameter],
    expressions: Mapping[str, ColumnElement[Any]],
    returned: tuple[SelectItem, ...] | None,
) -> str:
    """The same insert for many rows at once, each parameter an array, the rows returned in the order given."""
    names = [f"s{index}" for index in range(len(parameters))]
    arrays = [
        bindparam(f"s{index}", type_=postgresql.ARRAY(entity.column(item.name).column.type))
        for index, item in enumerate(parameters)
    ]
    sets = func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="sets")
    source = select(*(sets.c[name] for name in names), *expressions.values()).order_by(sets.c.n)
    columns = [*(item.name for item in parameters), *expressions]
    statement = insert(entity.table).from_select(columns, source, include_defaults=False)
    # Should a trigger swallow a row, what is left could not be told apart: the statement then fails as a whole
    # (division by zero), and its rows are inserted one by one.
    complete = cast(func.count().over() == func.cardinality(arrays[0]), Integer)
    guard = literal_column("1", Integer()).op("/")(complete)
    text, in_order = returning(entity, statement, returned, parameters, guard)
    assert in_order == tuple(parameters)
    return text


def compile_update(
    entity: Entity,
    names: Sequence[str],
    query: Query,
    returned: tuple[SelectItem, ...] | None,
    *,
    replace: bool = False,
) -> Change:
    """The statement that sets ``names`` on the rows the query's filters select.

    With ``replace`` every other column is set too, to its default or to NULL, but for the primary key.

    Raises:
        ApiError: 23502 where a column that is replaced has neither a value nor a default and may not be NULL.
    """
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    made, expressions = defaults(entity, names, update=True)
    if replace:
        known = {*names, *(item.name for item in made), *expressions}
        for item in entity.columns.values():
            if item.name in known or item.column.primary_key or item.column.computed is not None:
                continue
            default = default_of(item)
            if default is not None and default.expression is None:
                made.append(Parameter(item.name, item.wire.bind, default))
            else:
                expressions[item.name] = reset(entity, item, default)
    parameters = (*given, *made)
    values = {item.name: set_parameter(entity, index) for index, item in enumerate(parameters)}
    conditions = Conditions(entity)
    where = conditions.all_of(query.modifiers.where)
    statement = update(entity.table).where(*where).values({**values, **expressions})
    return compiled_change(entity, statement, parameters, conditions, returned)


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


def compile_delete(entity: Entity, query: Query, returned: tuple[SelectItem, ...] | None) -> Change:
    """The statement that deletes the rows the query's filters select."""
    conditions = Conditions(entity)
    where = conditions.all_of(query.modifiers.where)
    return compiled_change(entity, delete(entity.table).where(*where), (), conditions, returned)


def compiled_change(
    entity: Entity,
    statement: Update | Delete,
    parameters: tuple[Parameter, ...],
    conditions: Conditions,
    returned: tuple[SelectItem, ...] | None,
) -> Change:
    text, positions = positional(returning_statement(entity, statement, returned).compile(dialect=entity.dialect))
    arguments = tuple((int(name[1:]), conditions.readers[int(name[1:])]) for name in positions if name.startswith("v"))
    return Change(Statement(text), entity, in_order(parameters, positions), arguments)


def defaults(
    entity: Entity, names: Sequence[str], *, update: bool = False
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


def in_order(parameters: Sequence[Parameter], positions: Sequence[str]) -> tuple[Parameter, ...]:
    """The parameters in the order of their placeholders: SQLAlchemy writes columns in the order of the table."""
    return tuple(parameters[int(name[1:])] for name in positions if name.startswith("s"))


def set_parameter(entity: Entity, index: int) -> ColumnElement[Any]:
    return bindparam(f"s{index}")


def returning(
    entity: Entity,
    statement: Insert,
    returned: tuple[SelectItem, ...] | None,
    parameters: Sequence[Parameter],
    guard: ColumnElement[Any] | None = None,
) -> tuple[str, tuple[Parameter, ...]]:
    """The text of the statement, and its parameters in the order of their placeholders."""
    compiled = returning_statement(entity, statement, returned, guard).compile(dialect=entity.dialect)
    text, positions = positional(compiled)
    return text, in_order(parameters, positions)


def returning_statement(
    entity: Entity,
    statement: Insert | Update | Delete,
    returned: tuple[SelectItem, ...] | None,
    guard: ColumnElement[Any] | None = None,
) -> Any:
    """The statement, giving a row of JSON text for each row it wrote."""
    if returned is None:
        return statement
    chosen = selected(entity, returned)
    if entity.dialect.name == "postgresql":
        columns = (item.wire.output(item.column).label(key) for key, item in chosen.items())
        written = statement.returning(*columns).cte("written")
        result = [row_object(written, [], entity.dialect)]
        return select(*result, *([] if guard is None else [guard])).select_from(written)
    pairs = [(key, item.wire.output(item.column)) for key, item in chosen.items()]
    return statement.returning(row_object(entity.table, pairs, entity.dialect))


def not_null(entity: Entity, name: str) -> Exception:
    return database_error(
        "23502", f'null value in column "{name}" of relation "{entity.name}" violates not-null constraint'
    )
