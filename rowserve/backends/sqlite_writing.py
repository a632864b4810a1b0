"""Writes on a connection of SQLite, one after another."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Table

from ..errors import ApiError, database_error, internal_error
from .base import Arguments, Gathering, Returned, Write
from .sqlite_errors import translated
from .upserts import Keys

log = logging.getLogger("rowserve.sql")


class Writing:
    """Runs writes, in a transaction that is there.

    Args:
        connection: SQLite's own.

    Attributes:
        stopped: whether nothing more is to be run.
        arguments: what is being written, for an error to say which of many it was.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.stopped = False
        self.arguments: Arguments = ()

    def run(self, write: Write) -> Returned:
        """Runs a write. What it has done by then is undone by the caller, if it fails."""
        if write.is_single and write.statement.probe is None:
            return self._once(write.statement.text, write.sets[0])
        rows: list[Any] = []
        count = 0
        statement, keys = write.statement, Keys(write.statement)
        for sets in chain((write.sets,), write.later):
            if self.stopped:  # while the sets were made, when there was no statement to interrupt
                raise sqlite3.OperationalError("interrupted")
            if statement.probe is None:
                part = self._part(statement.text, sets)
            else:
                part = self._probed(statement.text, statement.probe, sets, keys)
            rows += part.rows
            count += part.touched
        result = Returned(rows, count)
        if statement.gathering is not None:
            rows = self._gathered(statement.gathering, rows, write.gathered)
            result = Returned(rows, len(rows))
        if write.check is not None:
            write.check(result)
        if write.rollback and has_deferred_keys(write.table) and self._breaks_keys():
            raise sqlite3.IntegrityError("FOREIGN KEY constraint failed")
        return result

    def _gathered(self, gathering: Gathering, rows: Sequence[Any], arguments: Arguments) -> list[Any]:
        """What is made of all the rows that a write has returned."""
        execute = self.connection.execute
        execute(gathering.create)
        self.connection.executemany(gathering.insert, rows)
        found = execute(gathering.text, arguments).fetchall()
        execute(gathering.clear)
        return found

    def _once(self, text: str, arguments: Arguments) -> Returned:
        """Runs a statement that is all there is to do: most writes."""
        if self.stopped:
            raise sqlite3.OperationalError("interrupted")
        self.arguments = arguments
        cursor = self.connection.execute(text, arguments)
        rows = cursor.fetchall()
        return Returned(rows, len(rows) or max(cursor.rowcount, 0))

    def _breaks_keys(self) -> bool:
        """Whether there are foreign keys without their parents: only a COMMIT looks at those that are deferred."""
        return self.connection.execute("PRAGMA foreign_key_check").fetchone() is not None

    def _probed(self, text: str, probe: str, sets: Sequence[Arguments], keys: Keys) -> Returned:
        """Runs an upsert for each of the sets; each row returned says whether it is new."""
        rows: list[Any] = []
        for arguments in self._noted(sets):
            is_new = self.connection.execute(probe, keys.add(arguments)).fetchone() is None
            rows += [(*row, is_new) for row in self.connection.execute(text, arguments)]
        return Returned(rows, len(rows))

    def _part(self, text: str, sets: Sequence[Arguments]) -> Returned:
        """Runs the statement for each of the sets; where it returns no rows, for all but the first in one call."""
        rows: list[Any] = []
        count = 0
        noted = self._noted(sets)
        for arguments in noted:
            cursor = self.connection.execute(text, arguments)
            returned = cursor.fetchall()
            rows += returned
            count += len(returned) or max(cursor.rowcount, 0)
            if cursor.description is None and len(sets) > 1:
                count += max(self.connection.executemany(text, noted).rowcount, 0)
        return Returned(rows, count)

    def _noted(self, sets: Sequence[Arguments]) -> Iterator[Arguments]:
        """The sets, one by one, each noted as the one that is being written."""
        for arguments in sets:
            self.arguments = arguments
            yield arguments


def has_deferred_keys(table: Table) -> bool:
    """Whether there are foreign keys from or to a table that are not looked at before the end of the transaction."""
    return any(
        constraint.initially is not None and constraint.initially.upper() == "DEFERRED"
        for other in table.metadata.tables.values()
        for constraint in other.foreign_key_constraints
        if other is table or constraint.referred_table is table
    )


def told(error: Exception, write: Write | None = None, connection: sqlite3.Connection | None = None) -> ApiError:
    """What a client is told of whatever went wrong with its statement."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, sqlite3.Error):
        return translated(error, write, connection)
    if isinstance(error, OverflowError):
        return database_error("22003", "value is out of range for type bigint")
    if isinstance(error, UnicodeError):
        return database_error("22021", 'invalid byte sequence for encoding "UTF8"')
    log.error("A statement failed", exc_info=error)
    return internal_error()
