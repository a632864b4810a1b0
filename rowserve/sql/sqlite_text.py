"""SQL expressions that make SQLite write a column as PostgreSQL's text, for CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, case, func, literal_column, type_coerce
from sqlalchemy.types import NullType

from . import sqlite_types
from .wire import WireType

Shown: TypeAlias = Callable[[WireType, ColumnElement[Any]], ColumnElement[Any]]


def _sql(text: str) -> ColumnElement[Any]:
    return literal_column(text, NullType())


def plain_text(wire: WireType, column: ColumnElement[Any], shown: Shown) -> ColumnElement[Any]:
    """A stored value as ``csv_line`` is to get it: a text, or a number that it writes as PostgreSQL does.

    Args:
        wire: the column's type.
        column: the column.
        shown: what makes of it what JSON gets.
    """
    x: ColumnElement[Any] = type_coerce(column, NullType())
    if wire.name == "boolean":
        return case((x == _sql("1"), _sql("'t'")), (x == _sql("0"), _sql("'f'")), else_=x)
    if wire.render is sqlite_types.number or wire.name in ("json", "jsonb"):
        return x  # JSON is stored with the blanks that jsonb's text has
    if wire.name.startswith("timestamp"):
        return _moment(shown(wire, column))
    return shown(wire, column)


def _moment(x: ColumnElement[Any]) -> ColumnElement[Any]:
    """``2026-01-02 03:04:05+00`` for ``2026-01-02T03:04:05+00:00``."""
    moment = func.replace(x, _sql("'T'"), _sql("' '"))
    whole_hours = and_(func.substr(x, _sql("-6"), _sql("1")).in_([_sql("'+'"), _sql("'-'")]), _ends(x, ":00"))
    return case((whole_hours, func.substr(moment, _sql("1"), func.length(x) - _sql("3"))), else_=moment)


def _ends(x: ColumnElement[Any], end: str) -> ColumnElement[bool]:
    return func.substr(x, _sql(f"-{len(end)}")) == _sql(f"'{end}'")
