"""Functions that SQLite is given for what it answers: what PostgreSQL does by itself."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import from_json, to_json

QUOTED = re.compile(r'[\s",()\\]')
"""What PostgreSQL quotes a value of a row for."""
FLOAT_DIGITS = 1e15
"""From here on PostgreSQL writes a float with an exponent."""

zone_of = lru_cache(ZoneInfo)


def register_output(connection: sqlite3.Connection) -> None:
    """Gives a connection the functions."""
    connection.create_function("json_strip_nulls", 1, json_strip_nulls, deterministic=True)
    connection.create_function("csv_line", -1, csv_line, deterministic=True)
    connection.create_function("in_time_zone", 2, in_time_zone, deterministic=True)


def json_strip_nulls(text: str | None) -> str | None:
    """JSON without the members of objects that are null, however deep."""
    return None if text is None else to_json(stripped(from_json(text))).decode()


def stripped(value: Any) -> Any:
    """A decoded JSON value without the members of objects that are null."""
    if isinstance(value, dict):
        return {key: stripped(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [stripped(element) for element in value]
    return value


def csv_line(*values: Any) -> str:
    """A line of CSV: nothing for NULL, and in quotes what PostgreSQL's text of a row has in quotes."""
    return ",".join(["" if value is None else csv_field(value) for value in values])


def csv_field(value: Any) -> str:
    """A value that is not NULL as a field of CSV."""
    if isinstance(value, float):
        return float_text(value)
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    if text and QUOTED.search(text) is None:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def float_text(value: float) -> str:
    """A float as PostgreSQL writes it."""
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value.is_integer() and abs(value) < FLOAT_DIGITS else repr(value)


def in_time_zone(text: Any, zone: str) -> Any:
    """``2026-01-01T19:04:05-08:00`` for ``2026-01-02T03:04:05+00:00``; what is no such moment as it is."""
    try:
        moment = datetime.fromisoformat(text).astimezone(zone_of(zone))
    except (ValueError, TypeError, OverflowError):
        return text
    clock = moment.replace(tzinfo=None).isoformat()
    offset = moment.isoformat()[len(clock) :]
    return (clock.rstrip("0") if "." in clock else clock) + offset
