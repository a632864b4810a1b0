"""PostgreSQL's operators on SQLite, by what SQLite has and by functions of `rowserve.backends.sqlite_functions`."""

from __future__ import annotations

from collections.abc import Callable
from json import dumps
from typing import Any, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Table,
    Text,
    and_,
    case,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    type_coerce,
    types,
)

from ..errors import ApiError
from . import regular_expressions, sqlite_json
from .database_types import compared as compared_type
from .fields import comparable, sortable
from .fts5 import match_reader
from .operators import (
    CONTAINMENT,
    ORDERING,
    SYMBOLS,
    Compared,
    Operators,
    like_pattern,
    no_operator,
    plain_text,
    refused,
)
from .scope import Reader

Comparing: TypeAlias = Callable[[ColumnElement[Any]], ColumnElement[Any]]
"""Makes the comparison with one value."""

_CONTAINING = {"cs": "json_contains", "cd": "json_contained", "ov": "json_overlaps"}


class SQLiteOperators(Operators):
    """Several values come as one parameter, a JSON array, so that their number is no part of the statement."""

    def ordering(self, compared: Compared) -> ColumnElement[bool]:
        operator = compared.operator
        by_order = operator in ("gt", "gte", "lt", "lte")
        left = (sortable if by_order else comparable)(compared.target, self.dialect)
        type_, read = self.type_of(compared), self.reader(compared)
        make = self._key if self.family_of(compared) == "json" else _same
        if left is not compared.target.expression and isinstance(type_, types.Enum):
            read, type_ = _rank_reader(read, type_), Integer()

        def compare(value: ColumnElement[Any]) -> ColumnElement[Any]:
            expression: ColumnElement[Any] = getattr(left, ORDERING[operator])(make(value))
            return expression

        if compared.condition.quantifier is None:
            right = Text() if make is self._key else compared_type(type_)
            return compare(self.value(compared, right, read))
        left, read = self._listed(compared, left, read)
        return self._quantified(compared, compare, read)

    def pattern(self, compared: Compared) -> ColumnElement[bool]:
        self.require_text(compared)
        left, operator = compared.target.expression, compared.operator
        if self.family_of(compared) == "other":
            left = type_coerce(left, Text())

        def compare(value: ColumnElement[Any]) -> ColumnElement[Any]:
            # SQLite has no default escape character, and its LIKE is told to mind case when a connection is opened.
            if operator == "like":
                return left.like(value, escape="\\")
            if operator == "ilike":
                return func.unicode_lower(left).like(func.unicode_lower(value), escape="\\")
            function = func.match_case if operator == "match" else func.match_any_case
            return function(value, left, type_=Boolean())

        read = like_pattern if operator in ("like", "ilike") else _pattern_reader(ignore_case=operator == "imatch")
        if compared.condition.quantifier is None:
            return compare(self.value(compared, Text(), read))
        return self._quantified(compared, compare, read)

    def contained(self, compared: Compared) -> ColumnElement[bool]:
        left, read = self._listed(compared, comparable(compared.target, self.dialect), self.reader(compared))
        value: ColumnElement[Any] = column("value")
        if self.family_of(compared) == "json":
            value = self._key(value)
        items = func.json_each(self._array(compared, read)).table_valued("value")
        return left.in_(select(value).select_from(items))

    def overlap(self, compared: Compared) -> ColumnElement[bool]:
        operator = compared.operator
        if self.family_of(compared) not in ("json", "other"):
            raise no_operator(compared)
        if operator not in CONTAINMENT:
            raise ApiError(
                400,
                "PGRST127",
                "Feature not implemented",
                details=f"{operator} ({SYMBOLS[operator]}) compares ranges, and SQLite has no range type",
                hint="Keep the two ends in columns of their own, and compare those with gte and lt.",
            )
        function = getattr(func, _CONTAINING[operator])
        expression: ColumnElement[bool] = function(
            compared.target.expression, self.value(compared, Text(), _containment_value), type_=Boolean()
        )
        return expression

    def search(self, compared: Compared) -> ColumnElement[bool]:
        self.require_searchable(compared)
        table_ = self.scope.entity.table
        name = compared.condition.field.name
        index: str | None = None
        if not compared.condition.field.path:
            if table_.info.get("fts5"):
                index = table_.name
            elif name in table_.info.get("fts", ("", ()))[1]:
                index = table_.info["fts"][0]
        if index is None:
            raise _no_index(table_, compared)
        quote = self.dialect.identifier_preparer.quote
        # The column that a full-text table has besides those that were declared bears its own name.
        whole = literal_column(quote(index), Text())
        column_ = None if table_.info.get("fts5") and name == index else name
        query = self.value(compared, Text(), match_reader(compared.operator, column_))
        found = select(literal_column("rowid", Integer())).select_from(table(index))
        found = found.where(whole.op("MATCH", is_comparison=True)(query))
        return self._row_in(table_, found)

    def _row_in(self, table_: Table, found: Any) -> ColumnElement[bool]:
        """Whether the scope's row is one of those whose rowids were found."""
        key = self.scope.entity.primary_key
        rows = self.scope.rows
        if len(key) == 1 and isinstance(key[0].column.type, types.Integer):
            rowid: ColumnElement[Any] = rows.c[key[0].column.key]  # SQLite's, under another name
            return rowid.in_(found)
        if not key:
            name = self.dialect.identifier_preparer.quote(str(getattr(rows, "name", table_.name)))
            return literal_column(f"{name}.rowid", Integer()).in_(found)
        searched = table_.alias("searched")
        same = [searched.c[each.column.key] == rows.c[each.column.key] for each in key]
        rowid = literal_column("searched.rowid", Integer())
        return exists(select(searched).where(and_(rowid.in_(found), *same)).correlate_except(searched))

    @staticmethod
    def _key(value: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.json_order(value, type_=types.LargeBinary())

    def _listed(self, compared: Compared, left: ColumnElement[Any], read: Reader) -> tuple[ColumnElement[Any], Reader]:
        """The left side and the reader where the values come in a JSON array, which holds no bytes."""
        if isinstance(self.type_of(compared), types.LargeBinary | types.BINARY | types.VARBINARY):
            return func.hex(left), lambda text: read(text).hex().upper()
        return left, read

    def _array(self, compared: Compared, read: Reader) -> ColumnElement[Any]:
        def read_json(items: tuple[str, ...]) -> str:
            return dumps([read(item) for item in items])

        return self.value(compared, Text(), read_json)

    def _quantified(self, compared: Compared, compare: Comparing, read: Reader) -> ColumnElement[bool]:
        """``any``: the largest of all comparisons, ``all``: the smallest; both are NULL where the left side is."""
        is_any = compared.condition.quantifier == "any"
        items = func.json_each(self._array(compared, read)).table_valued("value")
        outcome = (func.max if is_any else func.min)(compare(column("value")))
        empty = literal_column("0" if is_any else "1", Integer())
        every = case((func.count() == literal_column("0", Integer()), empty), else_=outcome)
        rows = select(every).select_from(items).correlate_except(items)
        return _truth(rows.scalar_subquery())


def _same(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value


def _truth(expression: ColumnElement[Any]) -> ColumnElement[bool]:
    return expression != literal_column("0", Integer())


def _rank_reader(read: Reader, type_: types.Enum) -> Reader:
    ranks = {str(label): rank for rank, label in enumerate(type_.enums)}
    return lambda text: ranks.get(read(text))


def _pattern_reader(*, ignore_case: bool) -> Reader:
    def read(text: str) -> str:
        regular_expressions.compiled(text, ignore_case)
        return text

    return refused(read)


def _read_operand(text: str) -> str:
    sqlite_json.operand(plain_text(text))
    return text


_containment_value = refused(_read_operand)


def _no_index(table_: Table, compared: Compared) -> ApiError:
    name = compared.condition.field.name
    return ApiError(
        400,
        "PGRST127",
        "full-text search needs an FTS5 table",
        details=f"{table_.name}.{compared.name} is not in one",
        hint=f"Make one: CREATE VIRTUAL TABLE {table_.name}_fts USING fts5({name}, content='{table_.name}'), and "
        "triggers that keep it up to date, as in https://sqlite.org/fts5.html#external_content_tables",
    )
