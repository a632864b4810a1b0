"""INSERT, UPDATE and DELETE: each row that is written comes back as JSON text, where it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from ..backends.base import Arguments, Statement, Write
from ..errors import database_error
from .column_values import Parameter, defaults, resets, set_parameter, sparse_parameters, typed_parameters, values_of
from .compiler import Arrangement, Compiler
from .entity import Entity
from .output import literal_text
from .plan import ColumnValue, Node
from .read import bound, compiler_for, positional
from .reflected_types import array_of
from .scope import Scope
from .sqlite_returning import gathered, returned_row
from .upsert import AnyInsert, Conflict, conflict_values, insert_into, is_any_new, key_of, on_conflict, probed

VERBS = {"insert": "insert into", "update": "update", "delete": "delete from"}
WRITABLE = {"insert": "insertable", "update": "updatable", "delete": "deletable"}


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A statement that writes, and how its arguments come from the rows and the values of a request.

    Args:
        statement: what to run; returns a row of JSON text for each row written, where that was asked for.
        entity: what is written to.
        parameters: the columns that are written, in the order of the first placeholders.
        arguments: for the placeholders after those, which of the request's values each takes, and how to read it.
        order: where the placeholders are not in this order, which of all that each takes: PostgreSQL's are numbered as
            SQLAlchemy came upon them.
        gathered: the same as ``arguments``, for what is made of all the rows that were returned.
        columns: the names of what is written, for an error to say which; made of the parameters.
    """

    statement: Statement
    entity: Entity
    parameters: tuple[Parameter, ...] = ()
    arguments: tuple[tuple[int, Any], ...] = ()
    order: tuple[int, ...] = ()
    gathered: tuple[tuple[int, Any], ...] = ()
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(["" if parameter.is_presence else parameter.name for parameter in self.parameters])
        object.__setattr__(self, "columns", names)

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
        more = LaterSets(self, filters, later, copy_context()) if later else ()
        return Write(
            self.statement,
            self.sets(rows, filters),
            self.entity.table,
            self.columns,
            later=more,
            gathered=bound(self.gathered, values),
        )

    def positions(self) -> dict[str, int]:
        """At which place among a set of arguments each column's is."""
        return {
            item.name: self.order.index(number) if self.order else number for number, item in enumerate(self.parameters)
        }

    def sets(self, rows: Sequence[Mapping[str, Any]], filters: Arguments) -> list[Arguments]:
        """The arguments for each of some rows: made column by column, which for many rows is far faster."""
        if not self.parameters:
            return [filters] * len(rows)
        columns: list[Iterable[Any]] = [parameter.arguments(rows) for parameter in self.parameters]
        columns += [repeat(value) for value in filters]
        if self.order:
            columns = [columns[index] for index in self.order]
        return list(zip(*columns, strict=False))


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


def compile_insert(
    node: Node,
    names: Sequence[str],
    *,
    returning: bool,
    conflict: Conflict | None = None,
    sparse: bool = False,
    zone: int | None = None,
) -> Change:
    """The statement that inserts rows with values for ``names``; other columns get their defaults.

    Args:
        node: what is inserted into, and what is shown of it.
        names: the columns of each row.
        returning: whether rows are given back as JSON.
        conflict: what becomes of rows that are there. Where it changes them, a row comes back for each row in any case,
            and its second column says, on SQLite whether it is new, on PostgreSQL whether any of them is.
        sparse: whether rows may lack some of the columns, which then get their defaults.
        zone: which of the request's values is the time zone that moments are shown in, if any.

    Raises:
        ApiError: 42703 for a column of the key that there is not; 0A000 for one that may be missing and whose default
            is not known; 23502 where a row is replaced and a column has neither a value nor a default and may not be
            NULL.
    """
    entity = node.entity
    check_writable(entity, "insert")
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    otherwise: dict[str, ColumnElement[Any]] = {}
    if sparse:
        given, otherwise = sparse_parameters(entity, names)
    made, expressions = defaults(entity, names)
    written = (*given, *made)
    values = values_of(written, typed_parameters(entity, written), otherwise)
    statement = insert_into(entity).values({**values, **expressions})
    changed: list[Parameter] = []
    updated: dict[str, ColumnElement[Any]] = {}
    if conflict is not None:
        changed, updated = conflict_values(entity, names, conflict)
        statement = on_conflict(statement, entity, names, conflict, len(written), changed, updated)
    change = compiled_change(node, statement, (*written, *changed), returning=returning, conflict=conflict, zone=zone)
    parameters = change.parameters
    text = change.statement
    if entity.dialect.name == "sqlite":
        if conflict is not None and conflict.changes:
            ordered = parameters[: len(written)]
            values = values_of(ordered, typed_parameters(entity, ordered), otherwise)
            text = probed(text, entity, {**values, **expressions}, conflict)
        return replace(change, statement=text)
    if conflict is not None:
        text = replace(text, is_shared=False, key=key_of(change.positions(), conflict))
    if parameters and not change.arguments and not changed and are_joinable(entity, parameters):
        sets = parameter_sets(entity, parameters)
        values = values_of(parameters, [sets.c[f"s{index}"] for index in range(len(parameters))], otherwise)
        source = select(*values.values(), *expressions.values()).order_by(sets.c.n)
        statement = insert_into(entity).from_select([*values, *expressions], source, include_defaults=False)
        joined = joined_insert(node, names, parameters, statement, updated, returning=returning, conflict=conflict)
        # Rows that come back in another order, or as groups, could not be told apart by caller.
        text = replace(text, joined=joined, is_shared=text.is_shared and not (returning and node.is_rearranged))
    return replace(change, statement=text)


def joined_insert(
    node: Node,
    given: Sequence[str],
    parameters: Sequence[Parameter],
    statement: AnyInsert,
    updated: Mapping[str, ColumnElement[Any]],
    *,
    returning: bool,
    conflict: Conflict | None,
) -> str:
    """The same insert for many rows at once, each parameter an array, the rows returned in the order given."""
    entity = node.entity
    guard: ColumnElement[Any] | None = None
    if conflict is not None:
        statement = on_conflict(statement, entity, given, conflict, 0, (), updated)
    elif not node.is_rearranged:
        # Should a trigger swallow a row, what is left could not be told apart: the statement then fails as a whole
        # (division by zero), and its rows are inserted one by one.
        first = bindparam("s0", type_=array_of(parameters[0].type_in(entity)))
        complete = cast(func.count().over() == func.cardinality(first), Integer)
        guard = literal_column("1", Integer()).op("/")(complete)
    change = compiled_change(node, statement, tuple(parameters), returning=returning, guard=guard, conflict=conflict)
    assert change.parameters == tuple(parameters)
    return change.statement.text


def parameter_sets(entity: Entity, parameters: Sequence[Parameter]) -> Any:
    """Sets of arguments as rows: columns ``s0``, ``s1``, …, and ``n``, their number."""
    arrays = [bindparam(f"s{index}", type_=array_of(item.type_in(entity))) for index, item in enumerate(parameters)]
    names = [f"s{index}" for index in range(len(parameters))]
    return func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="sets")


def are_joinable(entity: Entity, parameters: Sequence[Parameter]) -> bool:
    """Whether arrays of the parameters' values can be taken apart again: PostgreSQL flattens arrays of arrays."""
    return not any(isinstance(entity.column(item.name).column.type, postgresql.ARRAY) for item in parameters)


def compile_update(
    node: Node,
    names: Sequence[str],
    *,
    returning: bool,
    resetting: Collection[str] = (),
    zone: int | None = None,
) -> Change:
    """The statement that sets ``names`` on the rows that the node's filters select.

    Args:
        node: what is updated, and what is shown of it.
        names: the columns that values come for.
        returning: whether rows are given back as JSON.
        resetting: columns that are set to their defaults, or to NULL.
        zone: which of the request's values is the time zone that moments are shown in, if any.

    Raises:
        ApiError: 23502 where a column that is reset has no default and may not be NULL.
    """
    entity = node.entity
    check_writable(entity, "update")
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    made, expressions = defaults(entity, {*names, *resetting}, update=True)
    more, others = resets(entity, resetting)
    parameters = (*given, *made, *more)
    values = {item.name: set_parameter(index) for index, item in enumerate(parameters)}
    statement = update(entity.table).values({**values, **expressions, **others})
    return compiled_change(node, statement, parameters, returning=returning, zone=zone)


def compile_delete(node: Node, *, returning: bool, zone: int | None = None) -> Change:
    """The statement that deletes the rows that the node's filters select."""
    check_writable(node.entity, "delete")
    return compiled_change(node, delete(node.entity.table), (), returning=returning, zone=zone)


def check_writable(entity: Entity, verb: Literal["insert", "update", "delete"]) -> None:
    """Refuses to write to a view that cannot be written to. PostgreSQL does so itself; SQLite does not, where rows are
    to be returned, but returns rows that it has not written.

    Raises:
        ApiError: 55000, in PostgreSQL's words.
    """
    if entity.dialect.name == "sqlite" and entity.is_view and not entity.table.info.get(WRITABLE[verb]):
        raise database_error(
            "55000",
            f'cannot {VERBS[verb]} view "{entity.name}"',
            details="SQLite writes to a view by its triggers alone.",
            hint=f"Provide an INSTEAD OF {verb.upper()} trigger.",
        )


def compiled_change(
    node: Node,
    statement: Insert | Update | Delete,
    parameters: tuple[Parameter, ...],
    *,
    returning: bool,
    guard: ColumnElement[Any] | None = None,
    conflict: Conflict | None = None,
    zone: int | None = None,
) -> Change:
    """A statement that writes, with the node's filters and with what comes back.

    Args:
        parameters: what its parameters ``s0``, ``s1``, … are.
        guard: what is computed beside each row that comes back.
        conflict: where that may change rows, a second column says whether any is new.
        zone: which of the request's values is the time zone that moments are shown in, if any.
    """
    entity = node.entity
    compiler = compiler_for(node, max_rows=None, ordered=True, zone=zone)
    if not isinstance(statement, Insert):
        statement = statement.where(*compiler.filters(Scope(entity, entity.table, node.name), node))
    whole: Any = statement
    probed = conflict is not None and conflict.changes
    gathering = gathered(compiler, node, probed=probed) if returning and entity.dialect.name == "sqlite" else None
    if gathering is not None:
        whole = statement.returning(*gathering.returned)
    elif conflict is not None and conflict.changes and isinstance(statement, Insert):
        whole = returned_upserts(compiler, node, statement, conflict, returning=returning)
    elif returning:
        whole = returned(compiler, node, statement, guard)
    text, names = positional(whole.compile(dialect=entity.dialect))
    sets = [name for name in names if name.startswith("s")]
    own = [name for name in names if not name.startswith("s")]
    known = [*sets, *own]
    order = () if names == known else tuple([known.index(name) for name in names])
    arguments = compiler.parameters.arguments(own)
    change = Change(Statement(text), entity, in_order(parameters, names), arguments, order)
    if gathering is None:
        return change
    what, names = gathering.compiled(compiler)
    return replace(change, statement=Statement(text, gathering=what), gathered=compiler.parameters.arguments(names))


def returned(
    compiler: Compiler, node: Node, statement: Insert | Update | Delete, guard: ColumnElement[Any] | None
) -> Any:
    """The statement, giving a row of JSON text for each row it wrote; NULL for one that is not to be shown."""
    entity = node.entity
    if entity.dialect.name == "sqlite":
        return statement.returning(returned_row(compiler, node))
    more = [] if guard is None else [guard]
    stored = all(isinstance(item.value, ColumnValue) and is_stored(node, item.value) for item in node.items)
    if stored and not node.is_rearranged:
        scope = Scope(entity, entity.table, node.name)
        columns: list[Any] = [compiler.output(scope, item.value).label(item.key) for item in node.items]
        written = statement.returning(*columns or [literal_column("1")]).cte("written")
        row = compiler.object_of([(item.key, written.c[item.key]) for item in node.items], written)
        return select(cast(row, Text), *more).select_from(written)
    written = statement.returning(*entity.table.columns).cte("written")
    row, rows = shown(compiler, node, written, written_order(compiler, node, written))
    return select(row, *more).select_from(rows)


def returned_upserts(compiler: Compiler, node: Node, statement: Insert, conflict: Conflict, *, returning: bool) -> Any:
    """The same for rows that may have been there, with a second column; an empty text where no rows are asked for."""
    entity = node.entity
    if entity.dialect.name == "sqlite":
        return statement.returning(returned_row(compiler, node) if returning else literal_text(""))
    written = statement.returning(*entity.table.columns).cte("written")
    is_new = is_any_new(entity, written, conflict)
    if not returning:
        return select(literal_text(""), is_new).select_from(written)
    row, rows = shown(compiler, node, written, written_order(compiler, node, written))
    upserts = select(row, is_new).select_from(rows)
    if not list(node.inner()) or node.is_aggregated:
        return upserts
    scope = Scope(entity, written, node.name)
    there = and_(*(compiler.exists(scope, embedded) for embedded in node.inner()))
    return upserts.union_all(select(null(), is_new).select_from(written).where(~there))


def shown(
    compiler: Compiler, node: Node, written: FromClause, order: Sequence[ColumnElement[Any]] = ()
) -> tuple[ColumnElement[Any], FromClause]:
    """Rows that were written, as the node shows them: the JSON text of each, and where it comes from."""
    scope = Scope(node.entity, written, node.name)
    where = [compiler.exists(scope, embedded) for embedded in node.inner()]
    if node.is_aggregated:
        listed = compiler.grouped(scope, node, Arrangement(where))
    else:
        listed = compiler.plain(scope, node.items, Arrangement(where, order))
    return cast(compiler.object_of(listed.pairs, listed.rows), Text), listed.rows


def written_order(compiler: Compiler, node: Node, written: FromClause) -> list[ColumnElement[Any]]:
    """The order that is asked for of rows that were written; that of groups is a matter of their own."""
    if node.is_aggregated:
        return []
    return compiler.order_by(Scope(node.entity, written, node.name), node, node.modifiers.order)


def is_stored(node: Node, value: ColumnValue) -> bool:
    return value.field.name in node.entity.columns


def in_order(parameters: Sequence[Parameter], positions: Sequence[str]) -> tuple[Parameter, ...]:
    """The parameters in the order of their placeholders: SQLAlchemy writes columns in the order of the table."""
    return tuple(parameters[int(name[1:])] for name in positions if name.startswith("s"))
