"""Rows as JSON, built by the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Text, func, literal_column

Pair = tuple[str, ColumnElement[Any]]
"""The key of a JSON object and the expression of its value."""

Form: TypeAlias = Literal["json", "stripped", "csv"]
"""What the database makes of a row: a JSON object, one without the members that are null, or a line of CSV."""

SQLITE_ARGUMENTS = 120
SQLITE_PAIRS = 60
"""A function of SQLite takes 127 arguments: two for each key, and some to spare."""


def literal_text(text: str) -> ColumnElement[str]:
    """A string constant of the statement: a key is part of its shape, never a parameter."""
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text())


def sqlite_object(pairs: Sequence[Pair]) -> ColumnElement[Any]:
    """A JSON object of any number of keys."""
    first, *rest = batched_pairs(pairs) or [()]
    expression: ColumnElement[Any] = func.json_object(*flattened((literal_text(key), value) for key, value in first))
    for more in rest:
        paths = ((literal_text('$."' + key.replace('"', '\\"') + '"'), value) for key, value in more)
        expression = func.json_set(expression, *flattened(paths))
    return expression


def batched_pairs(pairs: Sequence[Pair], size: int = SQLITE_PAIRS) -> list[Sequence[Pair]]:
    return [pairs[start : start + size] for start in range(0, len(pairs), size)]


def flattened(pairs: Iterable[tuple[ColumnElement[Any], ColumnElement[Any]]]) -> list[ColumnElement[Any]]:
    return [element for pair in pairs for element in pair]
