"""How names are quoted in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import IdentifierPreparer

WORDS = {
    "postgresql": {"collation", "concurrently", "lateral", "system_user", "tablesample"},
    "sqlite": {"nothing", "returning"},
}
"""Words that the databases take for no name unless they are quoted, and that SQLAlchemy does not know of."""


def quoting(dialect: Dialect) -> IdentifierPreparer:
    """What quotes names for a dialect, and from now on in all of its statements: every word that has to be."""
    preparer: Any = dialect.identifier_preparer
    preparer.reserved_words = preparer.reserved_words | WORDS[dialect.name]
    assert isinstance(preparer, IdentifierPreparer)
    return preparer


POSTGRESQL = quoting(PGDialect_asyncpg())  # type: ignore[no-untyped-call]
SQLITE = quoting(sqlite.dialect())
