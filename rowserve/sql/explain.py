"""EXPLAIN: how the database would run a statement.

https://docs.postgrest.org/en/v14/references/observability.html#execution-plan
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Dialect

from ..backends.base import Arguments, Statement, Write
from ..query import MediaType


def explaining(dialect: Dialect, statement: Statement, media: MediaType) -> Statement:
    """The statement that explains another, and takes the same arguments.

    Args:
        dialect: the database's.
        statement: what is explained.
        media: the plan's media type, with its options; SQLite has none of them.
    """
    if dialect.name == "sqlite":
        return replace(statement, text=f"EXPLAIN QUERY PLAN {statement.text}", joined=None, many=True)
    options = [f"FORMAT {'JSON' if is_json(media) else 'TEXT'}", *(option.upper() for option in media.plan_options)]
    return replace(statement, text=f"EXPLAIN ({', '.join(options)}) {statement.text}", joined=None, many=True)


def as_run(dialect: Dialect, write: Write) -> tuple[Statement, Arguments]:
    """The statement of a write as it is run, and its arguments. Where it is run more than once, for the rows or for
    parts of them, that is the first time."""
    statement, sets = write.statement, write.sets
    if dialect.name == "postgresql" and statement.joined is not None and len(sets) > 1:
        return Statement(statement.joined), tuple(zip(*sets, strict=True))
    return Statement(statement.text, search_path=statement.search_path), sets[0]


def is_run(dialect: Dialect, media: MediaType) -> bool:
    """Whether a statement is run to explain it."""
    return dialect.name == "postgresql" and "analyze" in media.plan_options


def explanation(dialect: Dialect, rows: Sequence[Sequence[Any]], media: MediaType) -> bytes:
    """The body, of the rows that such a statement yields."""
    if dialect.name == "postgresql":
        return "\n".join(row[0] for row in rows).encode()
    if is_json(media):
        return to_json([{"id": number, "parent": parent, "detail": detail} for number, parent, _, detail in rows])
    depths = {0: 0}
    lines = ["QUERY PLAN"]
    for number, parent, _, detail in rows:
        depths[number] = depths.get(parent, 0) + 1
        lines.append(f"{'  ' * depths[number]}{detail}")
    return "\n".join(lines).encode()


def is_json(media: MediaType) -> bool:
    return media.name.startswith("application/vnd.pgrst.plan+json")
