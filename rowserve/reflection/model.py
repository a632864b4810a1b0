"""What is known of a database that was read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import MetaData

from ..sql.catalog import ForeignKey, Function

KIND = "kind"
"""``Table.info``: what it is: ``table``, ``partitioned table``, ``foreign table``, ``view``, ``materialized view`` or
``virtual table``."""
VIEW = "view"
"""``Table.info``: True for a view, materialized or not."""
INSERTABLE = "insertable"
"""``Table.info``: whether rows can be inserted, as far as the kind of table or view goes."""
UPDATABLE = "updatable"
"""``Table.info``: whether rows can be updated."""
DELETABLE = "deletable"
"""``Table.info``: whether rows can be deleted."""
FTS5 = "fts5"
"""``Table.info``: True for a full-text search table of SQLite."""
FTS = "fts"
"""``Table.info`` of a table that such a table indexes: the name of that one, and a tuple of its columns."""
DOMAIN = "domain"
"""``Column.info``: the domain of a column, as SQL spells it; ``Column.type`` is the type behind it."""


@dataclass(frozen=True, slots=True)
class Reflected:
    """An existing database.

    Args:
        schemas: those that are served, the default one first. ``("public",)`` on SQLite, where ``Table.schema`` is
            None.
        metadata: a Table for each table and view of those schemas, and for the tables elsewhere that they refer to.
            A view has the primary key of the tables behind it, where it shows all of its columns.
        foreign_keys: of the tables and views of those schemas, between tables of ``metadata``. A view refers, and is
            referred to, as the tables behind it. There is a UniqueConstraint on each that is one to one.
        functions: of those schemas.
    """

    schemas: tuple[str, ...]
    metadata: MetaData
    foreign_keys: tuple[ForeignKey, ...]
    functions: tuple[Function, ...] = ()
