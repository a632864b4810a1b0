"""INSERT, UPDATE and DELETE: each row that is written comes back as JSON text, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Integer,
    String,
    Text,
    Update,
    and_,
    bindparam,
    case,
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
from .compiler import Arrangement, Compiler
from .conditions import Conditions, not_supported
from .defaults import Default, default_of
from .entity import Entity, EntityColumn
from .plan import ColumnValue, Node
from .read import bound, compiler_for, positional
from .scope import Returned, Scope


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
    arguments: tuple[tuple[int, Any], ...] = ()

    def write(
        self,
        rows: Sequence[Mapping[str, Any]] = ({},),
        values: Sequence[Any] = (),
        *,
        later: Iterable[Sequence[Mapping[str, Any]]] = (),
    ) -> Write:
        """The write for these rows and values; raises ApiError for a value of the wrong type.

        Args:
            later: more rows, a part at a time, that are to be made arguments of when their turn comes.
        """
        filters = bound(self.arguments, values)
        columns = tuple([parameter.name for parameter in self.parameters])
        more = LaterSets(self, filters, later, copy_context()) if later else ()
        return Write(self.statement, self.sets(rows, filters), self.entity.table, columns, later=more)

    def sets(self, rows: Sequence[Mapping[str, Any]], filters: Arguments) -> list[Arguments]:
        """The arguments for each of some rows: made column by column, which for many rows is far faster."""
        if not self.parameters:
            return [filters] * len(rows)
        columns = [parameter.arguments(rows) for parameter in self.parameters]
        return list(zip(*columns, *[repeat(value) for value in filters], strict=False))


@dataclass(frozen=True, slots=True, eq=False)
class LaterSets:
    """The arguments for rows that come a part at a time.

    Args:
        change: what they are arguments of.
        filters: those that are the same for each row.
        rows: the parts.
        context: the request's, for the model's defaults are made of whatever they find there.
    """

    change: Change
    filters: Arguments
    rows: Iterable[Sequence[Mapping[str, Any]]]
    context: Context

    def __iter__(self) -> Iterator[list[Arguments]]:
        for rows in self.rows:
            yield self.context.run(self.change.sets, rows, self.filters)


def compile_insert(node: Node, names: Sequence[str], *, returning: bool) -> Change:
    """The statement that inserts rows with values for ``names``; other columns get their defaults.

    Args:
        node: what is inserted into, and what is shown of it.
        names: the columns of each row.
        returning: whether rows are given back as JSON.
    """
    entity = node.entity
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    made, expressions = defaults(entity, names)
    postgres = entity.dialect.name == "postgresql"
    written = (*given, *made)
    values = {item.name: set_parameter(entity, index) for index, item in enumerate(written)}
    statement = insert(entity.table).values({**values, **expressions})
    change = compiled_change(node, statement, written, returning=returning)
    parameters = change.parameters
    if (
        not parameters
        or not postgres
        or change.arguments
        or any(isinstance(entity.column(item.name).column.type, postgresql.ARRAY) for item in parameters)
    ):
        return change
    joined = joined_insert(node, parameters, expressions, returning=returning)
    return replace(change, statement=Statement(change.statement.text, joined))


def joined_insert(
    node: Node, parameters: Sequence[Parameter], expressions: Mapping[str, ColumnElement[Any]], *, returning: bool
) -> str:
    """The same insert for many rows at once, each parameter an array, the rows returned in the order given."""
    entity = node.entity
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
    change = compiled_change(node, statement, tuple(parameters), returning=returning, guard=guard)
    assert change.parameters == tuple(parameters)
    return change.statement.text


def compile_update(node: Node, names: Sequence[str], *, returning: bool, replacing: bool = False) -> Change:
    """The statement that sets ``names`` on the rows that the node's filters select.

    With ``replacing`` every other column is set too, to its default or to NULL, but for the primary key.

    Raises:
        ApiError: 23502 where a column that is replaced has neither a value nor a default and may not be NULL.
    """
    entity = node.entity
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    made, expressions = defaults(entity, names, update=True)
    if replacing:
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
    statement = update(entity.table).values({**values, **expressions})
    return compiled_change(node, statement, parameters, returning=returning)


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


def compile_delete(node: Node, *, returning: bool) -> Change:
    """The statement that deletes the rows that the node's filters select."""
    return compiled_change(node, delete(node.entity.table), (), returning=returning)


def compiled_change(
    node: Node,
    statement: Insert | Update | Delete,
    parameters: tuple[Parameter, ...],
    *,
    returning: bool,
    guard: ColumnElement[Any] | None = None,
) -> Change:
    entity = node.entity
    compiler = compiler_for(node, max_rows=None, ordered=True)
    if not isinstance(statement, Insert):
        statement = statement.where(*filters(compiler, Scope(entity, entity.table, node.name), node))
    whole = returned(compiler, node, statement, guard) if returning else statement
    text, names = positional(whole.compile(dialect=entity.dialect))
    own = [name for name in names if not name.startswith("s")]
    return Change(Statement(text), entity, in_order(parameters, names), compiler.parameters.arguments(own))


def filters(compiler: Compiler, scope: Scope, node: Node) -> list[ColumnElement[bool]]:
    """Which rows are changed. What is embedded says which of them are shown, and no more than that."""

    def related(name: str) -> ColumnElement[bool] | None:
        embedded = node.embedded.get(name)
        return None if embedded is None else compiler.exists(scope, embedded)

    return Conditions(scope, compiler.parameters, related).all_of(node.modifiers.where)


def returned(
    compiler: Compiler, node: Node, statement: Insert | Update | Delete, guard: ColumnElement[Any] | None
) -> Any:
    """The statement, giving a row of JSON text for each row it wrote; NULL for one that is not to be shown."""
    entity = node.entity
    if entity.dialect.name == "sqlite":
        if node.is_aggregated:
            raise not_supported("an aggregate of rows that are written, over SQLite,")
        scope = Scope(entity, Returned(entity.table, entity.dialect), node.name)
        pairs = [(item.key, compiler.output(scope, item.value)) for item in node.items]
        row = compiler.object_of(pairs, entity.table)
        there = [compiler.exists(scope, embedded) for embedded in node.inner()]
        return statement.returning(case((and_(*there), row)) if there else row)
    if all(isinstance(item.value, ColumnValue) and is_stored(node, item.value) for item in node.items):
        scope = Scope(entity, entity.table, node.name)
        columns: list[Any] = [compiler.output(scope, item.value).label(item.key) for item in node.items]
        written = statement.returning(*columns or [literal_column("1")]).cte("written")
        row = compiler.object_of([(item.key, written.c[item.key]) for item in node.items], written)
        return select(cast(row, Text), *([] if guard is None else [guard])).select_from(written)
    written = statement.returning(*entity.table.columns).cte("written")
    scope = Scope(entity, written, node.name)
    arrangement = Arrangement([compiler.exists(scope, embedded) for embedded in node.inner()])
    if node.is_aggregated:
        listed = compiler.grouped(scope, node, arrangement)
    else:
        listed = compiler.plain(scope, node.items, arrangement)
    row = compiler.object_of(listed.pairs, listed.rows)
    return select(cast(row, Text), *([] if guard is None else [guard])).select_from(listed.rows)


def is_stored(node: Node, value: ColumnValue) -> bool:
    return value.field.name in node.entity.columns


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


def not_null(entity: Entity, name: str) -> Exception:
    return database_error(
        "23502", f'null value in column "{name}" of relation "{entity.name}" violates not-null constraint'
    )
