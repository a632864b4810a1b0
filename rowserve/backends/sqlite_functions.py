"""Functions that SQLite is given, for what the dialect has and SQLite has not.

SQLite tells of an error in a function no more than that there was one. So the error itself is kept for the thread that
runs the statement, where `raised` finds it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from ..errors import ApiError, database_error, internal_error, refused_by
from ..sql import regular_expressions, sqlite_casts, sqlite_json
from ..sql.literals import RefusedError

log = logging.getLogger("rowserve.sql")

RAISED = "user-defined function raised exception"
"""What SQLite says."""


class _Raised(threading.local):
    error: ApiError | None = None


_raised = _Raised()


def raised() -> ApiError | None:
    """What the last function that failed in this thread failed with, once."""
    error, _raised.error = _raised.error, None
    return error


def register(connection: sqlite3.Connection) -> None:
    """Gives a connection the functions that the compiler's statements call."""
    for name, count, function in _FUNCTIONS:
        connection.create_function(name, count, _keeping(function), deterministic=True)


def unicode_lower(text: Any) -> Any:
    """The text in small letters, whatever the alphabet."""
    return text.lower() if isinstance(text, str) else text


def match_case(pattern: str, text: Any) -> bool | None:
    """Whether a regular expression is found in a text."""
    return None if text is None else regular_expressions.matches(pattern, False, str(text))


def match_any_case(pattern: str, text: Any) -> bool | None:
    """The same, in small letters and capitals."""
    return None if text is None else regular_expressions.matches(pattern, True, str(text))


def from_hexadecimal(text: str | None) -> bytes | None:
    """The bytes that a text spells, which JSON has no other form for."""
    return None if text is None else bytes.fromhex(text)


def read_truth(text: str) -> bool:
    """True; a statement that refuses itself has a text that says so instead."""
    if text != "true":
        raise refused_by(text) or internal_error()
    return True


_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("unicode_lower", 1, unicode_lower),
    ("match_case", 2, match_case),
    ("match_any_case", 2, match_any_case),
    ("json_contains", 2, sqlite_json.json_contains),
    ("json_contained", 2, sqlite_json.json_contained),
    ("json_overlaps", 2, sqlite_json.json_overlaps),
    ("json_order", 1, sqlite_json.json_order),
    ("json_place", 2, sqlite_json.json_place),
    ("json_text", 1, sqlite_json.json_text),
    ("cast_value", 4, sqlite_casts.cast_value),
    ("from_hexadecimal", 1, from_hexadecimal),
    ("read_truth", 1, read_truth),
)


def _keeping(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            _raised.error = _told(error)
            raise RuntimeError from error  # an OverflowError or a MemoryError would have SQLite say something else

    return called


def _told(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RefusedError):
        return error.error()
    if isinstance(error, RecursionError):
        return database_error("54001", "stack depth limit exceeded")
    log.error("A function of a statement failed", exc_info=error)
    return internal_error()
