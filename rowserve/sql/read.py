"""SELECT: a query over an entity becomes one statement that yields one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler

from ..backends.base import Arguments, Statement
from ..query import Column, Comparison, Condition, Field, Order, Query, SelectItem, Star
from .conditions import Conditions, Reader, not_supported
from .entity import Entity, EntityColumn
from .output import Pair, literal_text, row_object, rows_array


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A statement for a read, and how its arguments come from the values of a request.

    Args:
        statement: what to run.
        arguments: in the order of the placeholders, which of the request's values each takes, and how to read it.
    """

    statement: Statement
    arguments: tuple[tuple[int, Reader], ...]

    def bind(self, values: Sequence[Any]) -> Arguments:
        """The driver's arguments for these values of a request; raises ApiError for one of the wrong type."""
        return tuple([read(values[index]) for index, read in self.arguments])


def selected(entity: Entity, items: tuple[SelectItem, ...]) -> dict[str, EntityColumn]:
    """The columns a select names, by the keys they have in the answer."""
    chosen: dict[str, EntityColumn] = {}
    for item in items:
        if isinstance(item, Star):
            chosen.update(entity.columns)
        elif isinstance(item, Column):
            if item.field is None or item.aggregate or item.aggregate_cast:
                raise not_supported("an aggregate")
            if item.cast:
                raise not_supported(f"a cast (::{item.cast})")
            if item.field.path:
                raise not_supported("a JSON path in select")
            chosen[item.alias or item.field.name] = entity.column(item.field.name)
        else:
            raise not_supported(f"embedding ({item.target})")
    return chosen


def full_order(entity: Entity, order: tuple[Order, ...]) -> tuple[Order, ...]:
    """The order asked for, ended by the primary key so that no two rows tie."""
    for term in order:
        if term.embed:
            raise not_supported("ordering by an embedded resource")
        if term.field.path:
            raise not_supported("a JSON path in order")
        entity.column(term.field.name)
    named = {term.field.name for term in order}
    return order + tuple(Order(Field(key.name)) for key in entity.primary_key if key.name not in named)


def compile_read(entity: Entity, query: Query, *, max_rows: int | None, count: bool, boundary: bool) -> Read:
    """The statement for a list.

    It yields one row: the JSON array as text, how many rows that holds, the total without limit and offset (NULL
    unless ``count``), and the boundary (NULL unless ``boundary``): where the page is full, a JSON array with the
    order's values of the page's last row and, if there is one, of the row after it.

    Args:
        entity: what is read.
        query: the shape of the request.
        max_rows: the most rows a page may hold; None for no limit.
        count: whether the total is asked for.
        boundary: whether the next page is going to be linked to.

    Raises:
        ApiError: 42703 for an unknown column, PGRST127 for what this version cannot do.
    """
    conditions = Conditions(entity)
    modifiers = query.modifiers
    where = conditions.all_of(modifiers.where)
    order = full_order(entity, modifiers.order)
    limit = row_limit(conditions, modifiers.limit, max_rows)
    offset = row_offset(conditions, modifiers.offset)

    chosen = selected(entity, query.select)
    rows = base_rows(entity, chosen).where(*where).order_by(*order_by(entity, order))
    page = ranged(entity, rows, limit, offset).subquery("page")
    pairs = output_pairs(entity, chosen, page.c)

    total: ColumnElement[Any] = null()
    if count:
        total = select(func.count()).select_from(entity.table).where(*where).scalar_subquery()
    edge: ColumnElement[Any] = null()
    if boundary and limit is not None:
        edge = page_boundary(entity, where, order, limit, offset)
    body = rows_array(page, pairs, entity.dialect)
    columns = [body.label("body"), func.count().label("rows"), total.label("total"), edge.label("boundary")]
    statement = select(*columns).select_from(page)
    read = compiled_read(entity.dialect, statement, conditions)
    if entity.dialect.name == "sqlite":
        packed = select(packed_row(func.count(), total, edge, body)).select_from(page)
        return replace(read, statement=Statement(read.statement.text, compiled_text(entity.dialect, packed)))
    if read.arguments and all(is_joinable(entity, condition) for condition in modifiers.where):
        return replace(read, statement=Statement(read.statement.text, joined_text(entity.dialect, statement)))
    return read


def base_rows(entity: Entity, chosen: dict[str, EntityColumn]) -> Select[Any]:
    """SELECT of the chosen columns: in wire form on PostgreSQL, where the row becomes the object; raw on SQLite,
    where a value's being JSON does not outlive a subquery."""
    if entity.dialect.name == "postgresql":
        return select(*(item.wire.output(item.column).label(key) for key, item in chosen.items()))
    return select(*(item.column.label(f"c{index}") for index, item in enumerate(chosen.values())))


def output_pairs(entity: Entity, chosen: dict[str, EntityColumn], columns: Any) -> list[Pair]:
    if entity.dialect.name == "postgresql":
        return []
    return [(key, item.wire.output(columns[f"c{index}"])) for index, (key, item) in enumerate(chosen.items())]


def row_limit(conditions: Conditions, index: int | None, max_rows: int | None) -> ColumnElement[Any] | None:
    if index is None:
        return None if max_rows is None else number(max_rows)
    if max_rows is None:
        return conditions.parameter(index, BigInteger(), int)
    most = max_rows
    return conditions.parameter(index, BigInteger(), lambda asked: min(int(asked), most))


def row_offset(conditions: Conditions, index: int | None) -> ColumnElement[Any]:
    return number(0) if index is None else conditions.parameter(index, BigInteger(), int)


def ranged(
    entity: Entity, rows: Select[Any], limit: ColumnElement[Any] | None, offset: ColumnElement[Any]
) -> Select[Any]:
    """The rows of a range. Both ends are always written: what is left out, SQLAlchemy has SQLite bind itself."""
    if limit is None and entity.dialect.name == "sqlite":
        limit = number(-1)
    return rows.limit(limit).offset(offset)


def number(constant: int) -> ColumnElement[int]:
    """A number that is part of the statement, not a parameter of it."""
    return literal_column(str(constant), BigInteger())


def order_by(entity: Entity, order: tuple[Order, ...]) -> list[ColumnElement[Any]]:
    """ORDER BY with NULLs where PostgreSQL puts them: as if they were the largest values."""
    terms: list[ColumnElement[Any]] = []
    for term in order:
        column = entity.column(term.field.name).column
        expression = column.desc() if term.descending else column.asc()
        if column.nullable:
            nulls = term.nulls or ("first" if term.descending else "last")
            expression = expression.nulls_first() if nulls == "first" else expression.nulls_last()
        terms.append(expression)
    return terms


def page_boundary(
    entity: Entity,
    where: list[ColumnElement[bool]],
    order: tuple[Order, ...],
    limit: ColumnElement[Any],
    offset: ColumnElement[Any],
) -> ColumnElement[Any]:
    """The order's values of the last row of a full page and of the row after it, evaluated only if it is full."""
    last = offset + limit - number(1)
    keys = {f"k{index}": entity.column(term.field.name) for index, term in enumerate(order)}
    rows = base_rows(entity, keys).where(*where).order_by(*order_by(entity, order))
    two = rows.limit(number(2)).offset(last).subquery("edge")
    edge = rows_array(two, output_pairs(entity, keys, two.c), entity.dialect)
    # A page of none is never full: its last row would be the one before the first.
    return case((and_(func.count() == limit, limit > number(0)), select(edge).scalar_subquery()))


def is_joinable(entity: Entity, condition: Condition) -> bool:
    """Whether one plan serves any value of it equally well, so that callers may share one execution.

    True for a range of the primary key and for equality with a unique column. Any other comparison is left to run
    alone, where PostgreSQL may plan for the very value it is asked for.
    """
    if not isinstance(condition, Comparison) or condition.negated:
        return False
    column = entity.column(condition.field.name).column
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


def compiled_read(dialect: Dialect, statement: Select[Any], conditions: Conditions) -> Read:
    text, names = positional(statement.compile(dialect=dialect))
    indices = [int(name[1:]) for name in names]
    return Read(Statement(text), tuple((index, conditions.readers[index]) for index in indices))


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
    arrays = [BindParameter(name, type_=postgresql.ARRAY(parameters[name].type)) for name in names]
    sets = func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="sets")
    many = select(*one.c).select_from(sets.join(one, literal_column("true"))).order_by(column("n"))
    return compiled_text(dialect, many)


def compile_rows(entity: Entity, query: Query) -> Read:
    """The statement for a stream: it yields a row for each row, as the text of a JSON object."""
    conditions = Conditions(entity)
    modifiers = query.modifiers
    chosen = selected(entity, query.select)
    limit = row_limit(conditions, modifiers.limit, None)
    offset = row_offset(conditions, modifiers.offset)
    rows = (
        base_rows(entity, chosen)
        .where(*conditions.all_of(modifiers.where))
        .order_by(*order_by(entity, full_order(entity, modifiers.order)))
    )
    page = ranged(entity, rows, limit, offset).subquery("page")
    pairs = output_pairs(entity, chosen, page.c)
    statement = select(row_object(page, pairs, entity.dialect)).select_from(page)
    return compiled_read(entity.dialect, statement, conditions)
