"""SELECT: a plan becomes one statement that yields one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
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
from ..query import Comparison, Condition
from .compiler import Arrangement, Compiler, Listed, number
from .output import literal_text
from .plan import ColumnValue, Item, Node
from .postgresql_compiler import PostgreSQLCompiler
from .reflected_types import array_of
from .scope import CONSTANT, Parameters, Scope
from .sqlite_compiler import SQLiteCompiler

COMPILERS: dict[str, type[Compiler]] = {"postgresql": PostgreSQLCompiler, "sqlite": SQLiteCompiler}


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A statement for a read, and how its arguments come from the values of a request.

    Args:
        statement: what to run.
        arguments: in the order of the placeholders, which of the request's values each takes, and how to read it; or
            ``CONSTANT`` and the argument itself.
    """

    statement: Statement
    arguments: tuple[tuple[int, Any], ...]

    def bind(self, values: Sequence[Any]) -> Arguments:
        """The driver's arguments for these values of a request; raises ApiError for one of the wrong type."""
        return bound(self.arguments, values)


def bound(arguments: tuple[tuple[int, Any], ...], values: Sequence[Any]) -> Arguments:
    """The arguments that a statement takes of a request's values."""
    return tuple([read if index == CONSTANT else read(values[index]) for index, read in arguments])


def compiler_for(node: Node, *, max_rows: int | None, ordered: bool) -> Compiler:
    """The compiler of the statement that a plan becomes."""
    dialect = node.entity.dialect
    return COMPILERS[dialect.name](dialect, node.entity, max_rows=max_rows, ordered=ordered)


def compile_read(node: Node, *, max_rows: int | None, count: bool, boundary: bool, ordered: bool = True) -> Read:
    """The statement for a list.

    It yields one row: the JSON array as text, how many rows that holds, the total without limit and offset (NULL
    unless ``count``), and the boundary (NULL unless ``boundary``): where the page is full, a JSON array with the
    order's values of the page's last row and, if there is one, of the row after it.

    Args:
        node: what is read.
        max_rows: the most rows a page may hold, and each list in it; None for no limit.
        count: whether the total is asked for.
        boundary: whether the next page is going to be linked to.
        ordered: whether lists that are given no order are in that of the primary key.

    Raises:
        ApiError: 42703 for an unknown column, and whatever else a filter, a cast or an order may be wrong in.
    """
    compiler = compiler_for(node, max_rows=max_rows, ordered=ordered)
    scope = compiler.scope(node)
    where = compiler.where(scope, node)
    arrangement = arranged(compiler, scope, node, where)
    if node.is_aggregated:
        page = compiler.grouped(scope, node, arrangement)
    else:
        page = compiler.plain(scope, node.items, arrangement)
    body = cast(compiler.array_of(row_of(compiler, node, page)), Text)

    total: ColumnElement[Any] = null()
    if count:
        total = counted(compiler, scope, node, where)
    edge: ColumnElement[Any] = null()
    is_ordered = node.source is None and node.entity.primary_key and not node.is_aggregated
    if boundary and arrangement.limit is not None and is_ordered:
        edge = page_boundary(compiler, scope, node, arrangement)
    columns: list[Any] = [body.label("body"), func.count().label("rows"), total.label("total"), edge.label("boundary")]
    statement = select(*columns).select_from(page.rows)
    read = compiled_read(compiler.dialect, statement, compiler.parameters)
    if compiler.dialect.name == "sqlite":
        packed = select(packed_row(func.count(), total, edge, body)).select_from(page.rows)
        return replace(read, statement=Statement(read.statement.text, compiled_text(compiler.dialect, packed)))
    joinable = node.source is None and all(is_joinable(node, condition) for condition in node.modifiers.where)
    if read.arguments and joinable and not compiler.parameters.has_constants:
        joined = joined_text(compiler.dialect, statement)
        return replace(read, statement=Statement(read.statement.text, joined))
    return read


def row_of(compiler: Compiler, node: Node, page: Listed) -> ColumnElement[Any]:
    """What is shown of a row: an object, or the value that it is."""
    if node.source is not None and node.source.is_scalar and len(page.pairs) == 1:
        return page.pairs[0][1]
    return compiler.object_of(page.pairs, page.rows)


def arranged(compiler: Compiler, scope: Scope, node: Node, where: Sequence[ColumnElement[bool]]) -> Arrangement:
    """The rows of the resource itself."""
    modifiers = node.modifiers
    order: Sequence[ColumnElement[Any]] = ()
    if not node.is_aggregated:
        order = compiler.order_by(scope, node, compiler.full_order(node, modifiers.order))
    return Arrangement(where, order, compiler.limit(modifiers.limit), compiler.offset(modifiers.offset))


def counted(compiler: Compiler, scope: Scope, node: Node, where: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
    """How many rows there are without limit and offset."""
    if node.is_aggregated:
        groups = compiler.grouped(scope, node, Arrangement(where))
        return select(func.count()).select_from(groups.rows).scalar_subquery()
    return select(func.count()).select_from(scope.rows).where(*where).scalar_subquery()


def page_boundary(compiler: Compiler, scope: Scope, node: Node, page: Arrangement) -> ColumnElement[Any]:
    """The order's values of the last row of a full page and of the row after it, evaluated only if it is full."""
    assert page.limit is not None
    offset = number(0) if page.offset is None else page.offset
    last = offset + page.limit - number(1)
    terms = compiler.full_order(node, node.modifiers.order)
    keys = [Item(f"k{index}", ColumnValue(term.field)) for index, term in enumerate(terms) if term.embed is None]
    two = compiler.plain(scope, keys, replace(page, limit=number(2), offset=last))
    edge = cast(compiler.array_of(compiler.object_of(two.pairs, two.rows)), Text)
    # A page of none is never full: its last row would be the one before the first.
    full = and_(func.count() == page.limit, page.limit > number(0))
    return case((full, select(edge).select_from(two.rows).scalar_subquery()))


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
    """The same statement for many sets of arguments: each parameter an array, one row of results for each set."""
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
    many = select(*one.c).select_from(sets.join(one, literal_column("true"))).order_by(column("n"))
    return compiled_text(dialect, many)


def compile_rows(node: Node, *, max_rows: int | None = None, ordered: bool = True) -> Read:
    """The statement for a stream: it yields a row for each row, as the text of a JSON object."""
    compiler = compiler_for(node, max_rows=max_rows, ordered=ordered)
    compiler.max_rows = None if node.modifiers.limit is None else max_rows
    scope = compiler.scope(node)
    arrangement = arranged(compiler, scope, node, compiler.where(scope, node))
    listed = (
        compiler.grouped(scope, node, arrangement)
        if node.is_aggregated
        else compiler.plain(scope, node.items, arrangement)
    )
    row = cast(compiler.object_of(listed.pairs, listed.rows), Text)
    return compiled_read(compiler.dialect, compiler.selected(listed, row), compiler.parameters)
