"""Rows that come with a request, as one JSON text: what a function of the program has returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import CTE, ColumnElement, LargeBinary, Text, cast, func, select, type_coerce, types
from sqlalchemy import column as lexical_column

from .compiler import Compiler
from .entity import Entity, EntityColumn
from .output import literal_text
from .plan import Source
from .scope import ARGUMENT


class JsonRows(Source):
    """The rows of an entity, out of the text that `json_of_rows` makes of them.

    Args:
        entity: what the rows are.
        is_scalar: whether each is but a value.
    """

    def __init__(self, entity: Entity, *, is_scalar: bool = False) -> None:
        self.entity = entity
        self.is_scalar = is_scalar

    def rows(self, compiler: Compiler) -> CTE:
        text = compiler.parameters.constant(ARGUMENT, Text())
        columns = [item.column for item in self.entity.stored.values()]
        if compiler.dialect.name == "postgresql":
            named = [lexical_column(column.name, column.type) for column in columns]
            given = func.json_to_recordset(cast(text, types.JSON)).table_valued(*named)
            rows = given.render_derived(name="given", with_types=True)
            values: list[ColumnElement[Any]] = [rows.c[column.name] for column in columns]
        else:
            each = func.json_each(text).table_valued("value")
            values = [stored(each.c.value, index, column.type) for index, column in enumerate(columns)]
        found = select(*(value.label(column.key) for value, column in zip(values, columns, strict=True)))
        return found.cte(compiler.name(self.entity.name))


def stored(row: ColumnElement[Any], index: int, type_: types.TypeEngine[Any]) -> ColumnElement[Any]:
    """A value of a row, as SQLite has it in a table."""
    value: ColumnElement[Any] = func.json_extract(row, literal_text(f"$[{index}]"))
    if isinstance(type_, LargeBinary):
        value = func.from_hexadecimal(value)
    return type_coerce(value, type_)


def json_of_rows(entity: Entity, rows: Iterable[Mapping[str, Any]]) -> str:
    """The JSON text of rows: for PostgreSQL of objects, which it reads by the types of their members; for SQLite of
    arrays of values as it stores them.

    Args:
        entity: what the rows are.
        rows: by column, Python values as a session has them.
    """
    items = list(entity.stored.values())
    if entity.dialect.name == "postgresql":
        writers = [(item.name, postgresql_writer(item)) for item in items]
        return to_json([{name: write(row[name]) for name, write in writers} for row in rows]).decode()
    plain = [(item.name, sqlite_writer(item)) for item in items]
    return to_json([[write(row[name]) for name, write in plain] for row in rows]).decode()


def postgresql_writer(item: EntityColumn) -> Callable[[Any], Any]:
    bind = item.wire.bind
    is_document = item.wire.name in ("json", "jsonb")

    def write(value: Any) -> Any:
        if value is None:
            return None
        driven = value if bind is None else bind(value)
        return from_json(driven) if is_document and isinstance(driven, str) else json_value(driven)

    return write


def sqlite_writer(item: EntityColumn) -> Callable[[Any], Any]:
    bind = item.wire.bind

    def write(value: Any) -> Any:
        driven = value if bind is None or value is None else bind(value)
        return bytes(driven).hex() if isinstance(driven, bytes | memoryview) else driven

    return write


def json_value(value: Any) -> Any:
    """A driver's value as JSON that PostgreSQL reads it from."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.days} days {value.seconds * 1_000_000 + value.microseconds} microseconds"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, Sequence):
        return [json_value(element) for element in value]
    if hasattr(value, "lower_inc"):
        return range_text(value)
    return str(value) if isinstance(value, Decimal) or not isinstance(value, Mapping) else value


def range_text(value: Any) -> str:
    """A range as PostgreSQL writes it."""
    if value.isempty:
        return "empty"
    edges = ["" if edge is None else f'"{json_value(edge)}"' for edge in (value.lower, value.upper)]
    opening, closing = "[" if value.lower_inc else "(", "]" if value.upper_inc else ")"
    return f"{opening}{edges[0]},{edges[1]}{closing}"
