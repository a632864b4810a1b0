"""SQLite's errors as PostgreSQL would have told them: SQLSTATE, constraint and key."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Table, UniqueConstraint

from .. import identifiers
from ..errors import ApiError, database_error, timed_out
from .base import Write
from .conflicts import LOCKED
from .sqlite_functions import RAISED, raised

UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
NOT_NULL = re.compile(r"NOT NULL constraint failed: (.+)\.(.+)")
CHECK = re.compile(r"CHECK constraint failed: (.+)")


def translated(
    error: sqlite3.Error, write: Write | None = None, connection: sqlite3.Connection | None = None
) -> ApiError:
    """What a client is told of an error of SQLite.

    Args:
        error: what was raised.
        write: the write that failed, for the table and the values it was about.
        connection: to look up what SQLite does not say: which foreign key was broken.
    """
    message = str(error)
    table = write.table if write is not None else None
    if message == RAISED and (own := raised()) is not None:
        return own
    if message.startswith("fts5:"):
        return database_error("42601", f"the full-text query cannot be run: {message}")
    if found := UNIQUE.match(message):
        return unique_violation(found[1], write)
    if found := NOT_NULL.match(message):
        return database_error(
            "23502",
            f'null value in column "{found[2]}" of relation "{found[1]}" violates not-null constraint',
        )
    if found := CHECK.match(message):
        relation = table.name if table is not None else "?"
        return database_error("23514", f'new row for relation "{relation}" violates check constraint "{found[1]}"')
    if "FOREIGN KEY constraint failed" in message:
        return foreign_key_violation(write, connection)
    if "ON CONFLICT clause does not match" in message:
        return database_error(
            "42P10",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        )
    if "cannot UPSERT a view" in message:
        return database_error("0A000", "an upsert into a view is not supported over SQLite")
    if "interrupted" in message:
        return timed_out()
    if "locked" in message or "busy" in message:
        return database_error("53300", LOCKED, hint="Try again after the seconds in Retry-After.")
    if "disk is full" in message or "disk I/O error" in message:
        return database_error("53100", message, hint="The server's disk has to be looked after.")
    if "readonly" in message:
        return database_error("25006", "cannot write: the database is read-only")
    if "no such table" in message:
        name = message.rpartition(": ")[2]
        return database_error("42P01", f'relation "{name}" does not exist')
    if "no such column" in message:
        name = message.rpartition(": ")[2]
        return database_error("42703", f"column {name} does not exist")
    if isinstance(error, sqlite3.DataError | sqlite3.IntegrityError):
        return database_error("22000", message)
    return database_error("XX000", message)


def unique_violation(columns: str, write: Write | None) -> ApiError:
    """23505, from what SQLite says of it: ``users.id``, or ``users.a, users.b``."""
    relation = columns.partition(".")[0]
    names = [name.rpartition(".")[2] for name in columns.split(", ")]
    name = f"{relation}_{'_'.join(names)}_key"
    if write is not None:
        name = unique_name(write.table, names) or name
    return database_error(
        "23505",
        f'duplicate key value violates unique constraint "{name}"',
        details=key_details(write, names, "already exists."),
    )


def unique_name(table: Table, names: list[str]) -> str | None:
    """The name of the constraint or index that makes these columns unique."""
    if [column.name for column in table.primary_key.columns] == names:
        return str(table.primary_key.name or f"{table.name}_pkey")
    unique: list[UniqueConstraint | Index] = [index for index in table.indexes if index.unique]
    unique += [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    for candidate in unique:
        if candidate.name and [column.name for column in candidate.columns] == names:
            return str(candidate.name)
    return None


def key_details(write: Write | None, names: list[str], what: str) -> str | None:
    """``Key (a, b)=(1, 2) already exists.``, where the write says what the values were and there is but one set."""
    if write is None or len(write.sets) != 1 or not set(names) <= set(write.columns):
        return None
    given = dict(zip(write.columns, write.sets[0], strict=False))
    return f"Key ({', '.join(names)})=({', '.join(str(given[name]) for name in names)}) {what}"


def foreign_key_violation(write: Write | None, connection: sqlite3.Connection | None) -> ApiError:
    """23503. SQLite names nothing, so the key is looked for: a parent that is missing, or else a child that is left."""
    if write is None or connection is None:
        return database_error("23503", "a foreign key constraint is violated")
    table = write.table
    for constraint in table.foreign_key_constraints:
        names = list(constraint.column_keys)
        if set(names) <= set(write.columns) and (key := missing_parent(constraint, names, write, connection)):
            name = constraint.name or f"{table.name}_{'_'.join(names)}_fkey"
            return database_error(
                "23503",
                f'insert or update on table "{table.name}" violates foreign key constraint "{name}"',
                details=f"Key ({', '.join(names)})=({', '.join(map(str, key))}) is not present in table "
                f'"{constraint.referred_table.name}".',
            )
    if (left := left_child(write, connection)) is not None:
        constraint, key = left
        child = constraint.table
        name = constraint.name or f"{child.name}_{'_'.join(constraint.column_keys)}_fkey"
        referred = ", ".join(element.column.name for element in constraint.elements)
        return database_error(
            "23503",
            f'update or delete on table "{table.name}" violates foreign key constraint "{name}" '
            f'on table "{child.name}"',
            details=f'Key ({referred})=({", ".join(map(str, key))}) is still referenced from table "{child.name}".',
        )
    return database_error("23503", f'update or delete on table "{table.name}" violates a foreign key constraint')


def left_child(write: Write, connection: sqlite3.Connection) -> tuple[ForeignKeyConstraint, tuple[Any, ...]] | None:
    """The foreign key, and the first value of it, that would be left without its parent. SQLite checks at the end
    of each statement and does not tell, so the write is done again without the check, looked at, and undone."""
    quote = identifiers.SQLITE.quote
    connection.execute("SAVEPOINT look")
    try:
        connection.execute("PRAGMA defer_foreign_keys=ON")
        connection.execute(write.statement.text, write.sets[0]).fetchall()
        for child in write.table.metadata.tables.values():
            for constraint in child.foreign_key_constraints:
                if constraint.referred_table is not write.table:
                    continue
                pairs = [(quote(item.parent.name), quote(item.column.name)) for item in constraint.elements]
                given = " AND ".join(f"child.{column} IS NOT NULL" for column, _ in pairs)
                joined = " AND ".join(f"parent.{referred} = child.{column}" for column, referred in pairs)
                query = (
                    f"SELECT {', '.join(f'child.{column}' for column, _ in pairs)} FROM {quote(child.name)} AS child "  # noqa: S608
                    f"WHERE {given} AND NOT EXISTS (SELECT 1 FROM {quote(write.table.name)} AS parent WHERE {joined})"
                )
                if (key := connection.execute(query).fetchone()) is not None:
                    return constraint, key
    except sqlite3.Error:
        return None  # then the client is told less
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO look")
            connection.execute("RELEASE look")
            connection.execute("PRAGMA defer_foreign_keys=OFF")
    return None


def missing_parent(
    constraint: ForeignKeyConstraint, names: list[str], write: Write, connection: sqlite3.Connection
) -> tuple[Any, ...] | None:
    """The first key of a write that its parent table does not have."""
    quote = identifiers.SQLITE.quote
    parents = " AND ".join(f"{quote(element.column.name)} = ?" for element in constraint.elements)
    query = f"SELECT 1 FROM {quote(constraint.referred_table.name)} WHERE {parents}"  # noqa: S608 - the model's names
    for arguments in write.sets:
        given = dict(zip(write.columns, arguments, strict=False))
        key = tuple(given[name] for name in names)
        if None not in key and connection.execute(query, key).fetchone() is None:
            return key
    return None
