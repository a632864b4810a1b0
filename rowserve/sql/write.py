"""INSERT, UPDATE and DELETE: each row that is written comes back as a text, where it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Integer,
    Update,
    and_,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql

from ..backends.base import Arguments, Statement, Write
from ..errors import database_error
from .access import Action
from .column_values import (
    Parameter,
    defaults,
    resets,
    set_parameter,
    sparse_parameters,
    typed_parameters,
    values_of,
    without_version,
)
from .compiler import Compiler
from .entity import Entity
from .output import Form
from .plan import Node
from .read import bound, compiler_for, positional
from .reflected_types import array_of
from .returning import nothing, returned, returned_upserts, written_check
from .scope import Scope
from .sqlite_returning import Gathered, gathered
from .upsert import AnyInsert, Conflict, conflict_values, insert_into, key_of, on_conflict, probed
from .versions import is_versioned, matching

VERBS = {"insert": "insert into", "update": "update", "delete": "delete from"}
WRITABLE = {"insert": "insertable", "update": "updatable", "delete": "deletable"}


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A statement that writes, and how its arguments come from the rows and the values of a request.

    Args:
        statement: what to run; returns a row of one text for each row written, where that was asked for.
        entity: what is written to.
        parameters: the columns that are written, in the order of the first placeholders.
        arguments: for the placeholders after those, which of the request's values each takes, and how to read it.
        order: where the placeholders are not in this order, which of all that each takes: PostgreSQL's are numbered as
            SQLAlchemy came upon them.
        gathered: the same as ``arguments``, for what is made of all the rows that were returned.
        is_whole: whether the whole row comes last of what is given back.
        columns: the names of what is written, for an error to say which; made of the parameters.
    """

    statement: Statement
    entity: Entity
    parameters: tuple[Parameter, ...] = ()
    arguments: tuple[tuple[int, Any], ...] = ()
    order: tuple[int, ...] = ()
    gathered: tuple[tuple[int, Any], ...] = ()
    is_whole: bool = False
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(["" if parameter.is_presence else parameter.name for parameter in self.parameters])
        object.__setattr__(self, "columns", names)

    def write(
        self,
        rows: Sequence[Mapping[str, Any]] = ({},),
        values: Sequence[Any] = (),
        *,
        caller: Any = None,
        later: Iterable[Sequence[Mapping[str, Any]]] = (),
    ) -> Write:
        """The write for these rows and values; raises ApiError for a value of the wrong type.

        Args:
            caller: who asks.
            later: more rows, a part at a time, that are to be made arguments of when their turn comes.
        """
        filters = bound(self.arguments, values, caller)
        more = LaterSets(self, filters, later, copy_context()) if later else ()
        return Write(
            self.statement,
            self.sets(rows, filters),
            self.entity.table,
            self.columns,
            later=more,
            gathered=bound(self.gathered, values, caller),
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
    returning: Form | None,
    conflict: Conflict | None = None,
    sparse: bool = False,
    zone: int | None = None,
) -> Change:
    """The statement that inserts rows with values for ``names``; other columns get their defaults.

    Args:
        node: what is inserted into, and what is shown of it.
        names: the columns of each row.
        returning: what is made of each row that is given back; None where none are.
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
    check_allowed(node, "insert")
    if conflict is not None and conflict.changes:
        check_allowed(node, "update")
    names = without_version(entity, names)
    given = [Parameter(name, entity.stored[name].wire.bind) for name in names]
    otherwise: dict[str, ColumnElement[Any]] = {}
    if sparse:
        given, otherwise = sparse_parameters(entity, names)
    made, expressions = defaults(entity, names)
    written = (*given, *made)
    values = values_of(written, typed_parameters(entity, written), otherwise)
    compiler = compiler_for(node, max_rows=None, ordered=True, zone=zone)
    statement = insert_into(entity).values({**values, **expressions})
    changed: list[Parameter] = []
    updated: dict[str, ColumnElement[Any]] = {}
    if conflict is not None:
        changed, updated = conflict_values(entity, names, conflict)
        statement = on_conflict(statement, entity, names, conflict, len(written), changed, updated, compiler)
    change = compiled_change(
        compiler, node, statement, (*written, *changed), "insert", returning=returning, conflict=conflict
    )
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
    if parameters and not change.arguments and not changed and are_joinable(node, parameters):
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
    returning: Form | None,
    conflict: Conflict | None,
) -> str:
    """The same insert for many rows at once, each parameter an array, the rows returned in the order given."""
    entity = node.entity
    compiler = compiler_for(node, max_rows=None, ordered=True)
    guard: ColumnElement[Any] | None = None
    if conflict is not None:
        statement = on_conflict(statement, entity, given, conflict, 0, (), updated, compiler)
    elif not node.is_rearranged:
        # Should a trigger swallow a row, what is left could not be told apart: the statement then fails as a whole
        # (division by zero), and its rows are inserted one by one.
        first = bindparam("s0", type_=array_of(parameters[0].type_in(entity)))
        complete = cast(func.count().over() == func.cardinality(first), Integer)
        guard = literal_column("1", Integer()).op("/")(complete)
    change = compiled_change(
        compiler, node, statement, tuple(parameters), "insert", returning=returning, guard=guard, conflict=conflict
    )
    assert change.parameters == tuple(parameters)
    return change.statement.text


def parameter_sets(entity: Entity, parameters: Sequence[Parameter]) -> Any:
    """Sets of arguments as rows: columns ``s0``, ``s1``, …, and ``n``, their number."""
    arrays = [bindparam(f"s{index}", type_=array_of(item.type_in(entity))) for index, item in enumerate(parameters)]
    names = [f"s{index}" for index in range(len(parameters))]
    return func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="sets")


def are_joinable(node: Node, parameters: Sequence[Parameter]) -> bool:
    """Whether rows can be written together and told apart again: PostgreSQL flattens arrays of arrays."""
    columns = [node.entity.stored[item.name].column for item in parameters]
    return not (node.whole or any(isinstance(column.type, postgresql.ARRAY) for column in columns))


def compile_update(
    node: Node,
    names: Sequence[str],
    *,
    returning: Form | None,
    resetting: Collection[str] = (),
    zone: int | None = None,
    matched: int | None = None,
    tagged: bool = False,
) -> Change:
    """The statement that sets ``names`` on the rows that the node's filters select.

    Args:
        node: what is updated, and what is shown of it.
        names: the columns that values come for.
        returning: what is made of each row that is given back; None where none are.
        resetting: columns that are set to their defaults, or to NULL.
        zone: which of the request's values is the time zone that moments are shown in, if any.
        matched: which of the request's values are the versions that a row has to have one of, if that is asked.
        tagged: whether the version of the row, which has to be but one, comes back in the last column, if it says all
            about what is shown.

    Raises:
        ApiError: 23502 where a column that is reset has no default and may not be NULL.
    """
    entity = node.entity
    check_allowed(node, "update")
    names, resetting = without_version(entity, names), without_version(entity, resetting)
    version = entity.version
    if version is not None and version.made == "generated":
        names.append(version.name)  # made by who asks, of that which is matched
    given = [Parameter(name, entity.stored[name].wire.bind) for name in names]
    made, expressions = defaults(entity, {*names, *resetting}, update=True)
    more, others = resets(entity, resetting)
    parameters = (*given, *made, *more)
    values = {item.name: set_parameter(index) for index, item in enumerate(parameters)}
    statement = update(entity.table).values({**values, **expressions, **others})
    compiler = compiler_for(node, max_rows=None, ordered=True, zone=zone)
    where = [] if matched is None else [matching(entity, matched, compiler.parameters)]
    tag: ColumnElement[str] | None = None
    if version is not None and tagged and is_versioned(node) and not node.is_rearranged:
        tag = version.text(entity, entity.table)
    return compiled_change(compiler, node, statement, parameters, "update", returning=returning, where=where, tag=tag)


def compile_delete(
    node: Node, *, returning: Form | None, zone: int | None = None, matched: int | None = None
) -> Change:
    """The statement that deletes the rows that the node's filters select; see ``compile_update``."""
    check_allowed(node, "delete")
    entity = node.entity
    compiler = compiler_for(node, max_rows=None, ordered=True, zone=zone)
    where = [] if matched is None else [matching(entity, matched, compiler.parameters)]
    return compiled_change(compiler, node, delete(entity.table), (), "delete", returning=returning, where=where)


def check_allowed(node: Node, action: Literal["insert", "update", "delete"]) -> None:
    """Refuses what nobody, or not who asks, may write, as far as that is known without the rows.

    Raises:
        ApiError: 42501 for what a rule denies, 55000 for a view that cannot be written to.
    """
    node.access.check(node.entity, action)
    check_writable(node.entity, action)


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
    compiler: Compiler,
    node: Node,
    statement: Insert | Update | Delete,
    parameters: tuple[Parameter, ...],
    action: Action,
    *,
    returning: Form | None,
    where: Sequence[ColumnElement[bool]] = (),
    guard: ColumnElement[Any] | None = None,
    conflict: Conflict | None = None,
    tag: ColumnElement[str] | None = None,
) -> Change:
    """A statement that writes, with the node's filters and with what comes back.

    Args:
        compiler: whose parameters the statement has.
        parameters: what its parameters ``s0``, ``s1``, … are.
        action: what it does.
        where: which rows it changes, besides the node's filters.
        guard: what is computed beside each row that comes back.
        conflict: where that may change rows, a second column says whether any is new.
        tag: what the last column says of the one row that is written.
    """
    entity = node.entity
    if not isinstance(statement, Insert):
        filters = compiler.filters(Scope(entity, entity.table, node.name), node)
        statement = statement.where(*changeable(compiler, entity, [*where, *filters], action))
    checked = None if isinstance(statement, Delete) else written_check(compiler, entity, action, returning=returning)
    whole: Any = statement
    probed = conflict is not None and conflict.changes
    gathering: Gathered | None = None
    if returning and entity.dialect.name == "sqlite":
        gathering = gathered(compiler, node, checked, returning, probed=probed)
    if gathering is not None:
        whole = statement.returning(*gathering.returned)
    elif conflict is not None and conflict.changes and isinstance(statement, Insert):
        whole = returned_upserts(compiler, node, statement, conflict, checked, returning)
    elif returning or node.whole:
        whole = returned(compiler, node, statement, guard, checked, returning, tag)
    elif checked is not None or tag is not None:
        whole = statement.returning(nothing(checked), *([] if tag is None else [tag]))
    text, names = positional(whole.compile(dialect=entity.dialect))
    sets = [name for name in names if name.startswith("s")]
    own = [name for name in names if not name.startswith("s")]
    known = [*sets, *own]
    order = () if names == known else tuple([known.index(name) for name in names])
    arguments = compiler.parameters.arguments(own)
    change = Change(Statement(text), entity, in_order(parameters, names), arguments, order, is_whole=node.whole)
    if gathering is None:
        return change
    what, names = gathering.compiled(compiler)
    return replace(change, statement=Statement(text, gathering=what), gathered=compiler.parameters.arguments(names))


def changeable(
    compiler: Compiler, entity: Entity, where: Sequence[ColumnElement[bool]], action: Action
) -> list[ColumnElement[bool]]:
    """Which rows are changed: those that are meant and may be seen. If one of them may not be changed, nothing is."""
    table = entity.table
    where = [*where, *compiler.permitted(table, table.c, "select")]
    allowed = compiler.permitted(table, table.c, action)
    if not allowed:
        return list(where)
    # Of other rows nothing is asked, whatever the database looks at first.
    others = [case((and_(*where), false()), else_=true())] if where else []
    return [*where, compiler.refusing([or_(*others, and_(*allowed))], entity)]


def in_order(parameters: Sequence[Parameter], positions: Sequence[str]) -> tuple[Parameter, ...]:
    """The parameters in the order of their placeholders: SQLAlchemy writes columns in the order of the table."""
    return tuple(parameters[int(name[1:])] for name in positions if name.startswith("s"))
