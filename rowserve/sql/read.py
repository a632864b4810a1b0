"""SELECT: a plan becomes one statement that yields one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    select,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler

from ..backends.base import Arguments, Statement
from ..query import Comparison, Condition, Field
from .compiler import Arrangement, Compiler, Listed, number
from .conditions import not_supported
from .entity import Entity
from .ordering import backwards
from .output import Form, Pair, literal_text
from .plan import ColumnValue, Item, Node
from .postgresql_compiler import PostgreSQLCompiler
from .reflected_types import array_of
from .scope import CONSTANT, Parameters, Scope
from .sqlite_compiler import SQLiteCompiler
from .versions import is_versioned

Count: TypeAlias = Literal["exact", "bounded"]
Boundary: TypeAlias = Literal["far", "both"]

COMPILERS: dict[str, type[Compiler]] = {"postgresql": PostgreSQLCompiler, "sqlite": SQLiteCompiler}


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A statement for a read, and how its arguments come from the values of a request.

    Args:
        statement: what to run.
        arguments: in the order of the placeholders, which of the request's values each takes, and how to read it; or
            ``CONSTANT`` and the argument itself; or ``CLAIM`` and how to read it of who asks.
    """

    statement: Statement
    arguments: tuple[tuple[int, Any], ...]

    def bind(self, values: Sequence[Any], caller: Any = None) -> Arguments:
        """The driver's arguments for these values of a request and for who asks; raises ApiError for a value of the
        wrong type."""
        return bound(self.arguments, values, caller)


def bound(arguments: tuple[tuple[int, Any], ...], values: Sequence[Any], caller: Any) -> Arguments:
    """The arguments that a statement takes of a request's values and of who asks."""
    return tuple(
        [
            read(values[index]) if index >= 0 else read if index == CONSTANT else read(caller)
            for index, read in arguments
        ]
    )


def compiler_for(node: Node, *, max_rows: int | None, ordered: bool, zone: int | None = None) -> Compiler:
    """The compiler of the statement that a plan becomes."""
    dialect = node.entity.dialect
    make = COMPILERS[dialect.name]
    return make(dialect, node.entity, max_rows=max_rows, ordered=ordered, zone=zone, access=node.access)


def compile_read(
    node: Node,
    *,
    max_rows: int | None,
    count: Count | None = None,
    boundary: Boundary | None = None,
    ordered: bool = True,
    form: Form = "json",
    zone: int | None = None,
    tagged: bool = False,
) -> Read:
    """The statement for a list.

    It yields one row: how many rows the page holds, the total without limit and offset (NULL unless ``count``), the
    boundary (NULL unless ``boundary``), which is what its neighbours are linked by, and the JSON array or the lines of
    CSV as text.

    Args:
        node: what is read.
        max_rows: the most rows a page may hold, and each list in it; None for no limit.
        count: whether the total is asked for; ``bounded`` counts no further than one more than ``max_rows``.
        boundary: ``far`` for a JSON array, if the page is full, of the order's values of its last row and, if there is
            one, of the row behind it; ``both`` for an array of two: the values of its first row, and that. Where the
            limit counts from the end of the order, the last row is its first and the row behind is the one before it.
        ordered: whether lists that are given no order are in that of the primary key.
        form: what is made of each row.
        zone: which of the request's values is the time zone that moments are shown in, if any.
        tagged: whether the version of the row, which has to be but one, comes in the place of the boundary, if it says
            all about what is shown.

    Raises:
        ApiError: 42703 for an unknown column, and whatever else a filter, a cast or an order may be wrong in.
    """
    compiler = compiler_for(node, max_rows=max_rows, ordered=ordered, zone=zone)
    scope = compiler.scope(node)
    where = compiler.where(scope, node)
    arrangement = arranged(compiler, scope, node, where)
    page = listed(compiler, scope, node, arrangement, form)
    row = row_of(compiler, node, page, form)
    # Not cast to text: drivers take JSON for one as it is, and PostgreSQL would copy all of it twice.
    body = compiler.lines_of(row) if form == "csv" else shown_as(compiler.array_of(row), form)

    total: ColumnElement[Any] = null()
    if count is not None:
        total = counted(compiler, scope, node, where, max_rows if count == "bounded" else None)
    edge: ColumnElement[Any] = null()
    is_paged = node.source is None and not node.is_aggregated
    if boundary is not None and arrangement.limit is not None and is_paged:
        edge = page_boundary(compiler, scope, node, arrangement, both=boundary == "both")
    version = node.entity.version
    if tagged and version is not None and is_versioned(node):
        of_row = version.text(node.entity, scope.rows)
        edge = select(of_row).select_from(scope.rows).where(*where).scalar_subquery()
    # In the order of a packed row: placeholders are numbered by where they stand, and both take the same arguments.
    columns: list[Any] = [func.count().label("rows"), total.label("total"), edge.label("boundary"), body.label("body")]
    statement = select(*columns).select_from(page.rows)
    read = compiled_read(compiler.dialect, statement, compiler.parameters)
    if compiler.dialect.name == "sqlite":
        packed = select(packed_row(func.count(), total, edge, body)).select_from(page.rows)
        return replace(read, statement=Statement(read.statement.text, compiled_text(compiler.dialect, packed)))
    joinable = node.source is None and all(is_joinable(node, condition) for condition in node.modifiers.where)
    is_light = not node.access.condition(node.entity.table, "select") and lists_in_lists(node) < 2
    joinable = joinable and (is_light or is_of_one_row(node))
    if read.arguments and joinable and not compiler.parameters.has_constants and not has_arrays(statement):
        joined = joined_text(compiler.dialect, statement)
        return replace(read, statement=Statement(read.statement.text, joined))
    return read


def arranged(compiler: Compiler, scope: Scope, node: Node, where: Sequence[ColumnElement[bool]]) -> Arrangement:
    """The rows of the resource itself."""
    modifiers = node.modifiers
    limit, offset = compiler.limit(modifiers.limit), compiler.offset(modifiers.offset)
    if node.is_aggregated:
        if modifiers.backward:
            raise not_supported("The last of some groups (limit=….last)")
        return Arrangement(where, (), limit, offset)
    terms = compiler.full_order(node, modifiers.order)
    if modifiers.backward:
        return Arrangement(where, (), limit, None, backward=compiler.terms(scope, node, terms))
    return Arrangement(where, compiler.order_by(scope, node, terms), limit, offset)


def listed(compiler: Compiler, scope: Scope, node: Node, arrangement: Arrangement, form: Form) -> Listed:
    """The rows of the resource itself, and what is shown of them."""
    if node.is_aggregated:
        return compiler.grouped(scope, node, arrangement, as_text=form == "csv")
    return compiler.plain(scope, node.items, arrangement, as_text=form == "csv")


def row_of(compiler: Compiler, node: Node, page: Listed, form: Form) -> ColumnElement[Any]:
    """What is made of a row: an object, a line, or the value that it is."""
    if node.source is not None and node.source.is_scalar and len(page.pairs) == 1 and form != "csv":
        return page.pairs[0][1]
    made = compiler.line_of if form == "csv" else compiler.object_of
    return made(page.pairs, page.rows)


def shown_as(json: ColumnElement[Any], form: Form) -> ColumnElement[Any]:
    """A JSON object or array, as the form has it."""
    # PostgreSQL's own function; SQLite is given one of that name.
    return func.json_strip_nulls(json) if form == "stripped" else json


def text_of(compiler: Compiler, pairs: Sequence[Pair], rows: FromClause, form: Form) -> ColumnElement[Any]:
    """What the form makes of a row."""
    if form == "csv":
        return compiler.line_of(pairs, rows)
    return cast(shown_as(compiler.object_of(pairs, rows), form), Text)


def counted(
    compiler: Compiler, scope: Scope, node: Node, where: Sequence[ColumnElement[bool]], bound: int | None = None
) -> ColumnElement[Any]:
    """How many rows there are without limit and offset; counted no further than one past the bound."""
    if node.is_aggregated or bound is not None:
        rows = countable(compiler, scope, node, where)
        if bound is not None:
            rows = rows.limit(number(bound + 1)).offset(number(0))
        return select(func.count()).select_from(rows.subquery(compiler.name("counted"))).scalar_subquery()
    return select(func.count()).select_from(scope.rows).where(*where).scalar_subquery()


def countable(compiler: Compiler, scope: Scope, node: Node, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """A row for each row there is, or each group."""
    if node.is_aggregated:
        groups = compiler.grouped(scope, node, Arrangement(where))
        return select(number(1).label("one")).select_from(groups.rows)
    return select(number(1).label("one")).select_from(scope.rows).where(*where)


def page_boundary(compiler: Compiler, scope: Scope, node: Node, page: Arrangement, *, both: bool) -> ColumnElement[Any]:
    """The order's values at the ends of a page; at the far one of its last row and of the row behind it, evaluated only
    if the page is full."""
    assert page.limit is not None
    terms = compiler.full_order(node, node.modifiers.order)
    keys = [Item(f"k{index}", ColumnValue(term.field)) for index, term in enumerate(terms) if term.embed is None]
    keys = keys if len(keys) == len(terms) else []
    way = replace(page, order=backwards(page.backward), backward=()) if page.backward else page

    def rows(start: ColumnElement[Any], limit: int) -> ColumnElement[Any]:
        some = compiler.plain(scope, keys, replace(way, limit=number(limit), offset=start))
        values = compiler.array_of(compiler.object_of(some.pairs, some.rows))
        return select(cast(values, Text)).select_from(some.rows).scalar_subquery()

    offset = number(0) if page.offset is None else page.offset
    # A page of none is never full: its last row would be the one before the first.
    full = and_(func.count() == page.limit, page.limit > number(0))
    far = case((full, rows(offset + page.limit - number(1), 2)))
    if not both:
        return far
    pieces = (
        literal_text("["),
        rows(offset, 1),
        literal_text(","),
        func.coalesce(far, literal_text("[]")),
        literal_text("]"),
    )
    return reduce(lambda text, piece: text.concat(piece), pieces)


def is_joinable(node: Node, condition: Condition) -> bool:
    """Whether one plan serves any value of it equally well, so that callers may share one execution.

    True for a range of the primary key and for equality with a unique column. Any other comparison is left to run
    alone, where PostgreSQL may plan for the very value it is asked for.
    """
    if not isinstance(condition, Comparison) or condition.negated:
        return False
    item = None if condition.field.path else node.entity.columns.get(condition.field.name)
    if item is None or condition.quantifier is not None:
        return False
    column = item.column
    if column.primary_key:
        return condition.operator in ("eq", "gt", "gte", "lt", "lte")
    return condition.operator == "eq" and bool(column.unique)


def lists_in_lists(node: Node) -> int:
    """How deep lists are embedded in lists: with two, rows are so many that who shares an execution waits for others'
    work, and saves nothing that would be felt."""
    return max(
        (lists_in_lists(each.node) + (not each.relationship.is_to_one) for each in node.embedded.values()), default=0
    )


def is_of_one_row(node: Node) -> bool:
    """Whether the filters name one row, by what is unique: whatever else is asked of it, it is found by that."""
    return any(
        isinstance(condition, Comparison)
        and condition.operator == "eq"
        and frozenset([condition.field.name]) in node.entity.unique
        and is_joinable(node, condition)
        for condition in node.modifiers.where
    )


def has_arrays(statement: Select[Any]) -> bool:
    """Whether a parameter is an array itself, of which there can be no array."""
    elements = visitors.iterate(statement)
    return any(isinstance(element, BindParameter) and isinstance(element.type, ARRAY) for element in elements)


def packed_row(
    rows: ColumnElement[Any], total: ColumnElement[Any], boundary: ColumnElement[Any], body: ColumnElement[Any]
) -> ColumnElement[Any]:
    """A row as one text, a line for each value: JSON has no line breaks of its own.

    On SQLite several statements are set side by side as scalar subqueries, and a scalar is but one value. Measured:
    joining them as tables, a row each, makes SQLite keep and copy them, for three times the price.
    """
    line = literal_text("\n")
    head = cast(rows, Text).concat(line).concat(func.coalesce(total, literal_text(""))).concat(line)
    return head.concat(func.coalesce(boundary, literal_text(""))).concat(line).concat(body)


def compiled_read(dialect: Dialect, statement: Select[Any], parameters: Parameters) -> Read:
    text, names = positional(statement.compile(dialect=dialect))
    return Read(Statement(text), parameters.arguments(names))


def compiled_text(dialect: Dialect, statement: Select[Any]) -> str:
    return positional(statement.compile(dialect=dialect))[0]


def positional(compiled: Any) -> tuple[str, list[str]]:
    """The text of a compiled statement, and the name of the parameter at each of its placeholders."""
    assert isinstance(compiled, SQLCompiler)
    return compiled.string, list(compiled.positiontup or [])


def joined_text(dialect: Dialect, statement: Select[Any]) -> str:
    """The same statement for many sets of arguments: each parameter an array, one row of results for each set, in any
    order, with the number of the set at its end. PostgreSQL would sort whole results, and send none before the last."""
    _, names = positional(statement.compile(dialect=dialect))
    parameters: dict[str, BindParameter[Any]] = {}

    def to_column(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key.startswith("v"):
            parameters[element.key] = element
            return literal_column(f"sets.{element.key}", element.type)
        return None

    correlated: Any = visitors.replacement_traverse(statement, {}, to_column)
    one = correlated.subquery("one").lateral("one")
    arrays = [BindParameter(name, type_=array_of(parameters[name].type)) for name in names]
    sets = func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="sets")
    many = select(*one.c, column("n")).select_from(sets.join(one, literal_column("true")))
    return compiled_text(dialect, many)


def compile_rows(
    node: Node,
    *,
    max_rows: int | None = None,
    ordered: bool = True,
    form: Form = "json",
    zone: int | None = None,
) -> Read:
    """The statement for a stream: it yields a row for each row, as the text of what the form makes of it.

    However many rows there are: ``max_rows`` bounds no more than the lists that are embedded in each.
    """
    compiler = compiler_for(node, max_rows=None, ordered=ordered, zone=zone)
    scope = compiler.scope(node)
    arrangement = arranged(compiler, scope, node, compiler.where(scope, node))
    compiler.max_rows = max_rows
    page = listed(compiler, scope, node, arrangement, form)
    row = row_of(compiler, node, page, form)
    row = row if form == "csv" else cast(shown_as(row, form), Text)
    return compiled_read(compiler.dialect, compiler.selected(page, row), compiler.parameters)


def all_columns(entity: Entity) -> tuple[Item, ...]:
    """What is shown of a row that is shown whole, to the program."""
    return tuple([Item(name, ColumnValue(Field(name), is_own=True)) for name in entity.stored])


def compile_matched(node: Node) -> Read:
    """The statement that yields the rows that a write with the same filters is going to change, each as the text of a
    JSON object of all its columns. PostgreSQL locks them; SQLite lets but one write at a time."""
    embedded = {name: replace(each, is_inner=False) for name, each in node.embedded.items()}
    filters = replace(node.modifiers, order=(), limit=None, offset=None)
    node = replace(node, items=all_columns(node.entity), embedded=embedded, modifiers=filters)
    read = compile_rows(node, ordered=False)
    if node.entity.dialect.name == "sqlite":
        return read
    return replace(read, statement=Statement(f"{read.statement.text} FOR UPDATE"))


def compile_total(node: Node, *, planned: bool) -> Read:
    """The statement that yields nothing but how many rows there are without limit and offset.

    Args:
        node: what is counted.
        planned: whether PostgreSQL's planner is asked for its guess, which comes as ``EXPLAIN`` gives it: in JSON.
    """
    compiler = compiler_for(node, max_rows=None, ordered=False)
    scope = compiler.scope(node)
    where = compiler.where(scope, node)
    if not planned:
        return compiled_read(compiler.dialect, select(counted(compiler, scope, node, where)), compiler.parameters)
    read = compiled_read(compiler.dialect, countable(compiler, scope, node, where), compiler.parameters)
    return replace(read, statement=Statement(f"EXPLAIN (FORMAT JSON) {read.statement.text}"))
