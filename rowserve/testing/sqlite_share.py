"""The one SQLite connection of a test, and the shares of it that stand in for connections."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .faults import Faults
from .queries import Queries, first_word

SETTING_UP = frozenset({"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"})
"""What sets up a connection, and cannot be done in a transaction: the one connection is set up already."""
HAS_DEFERRED_KEYS = "SELECT 1 FROM sqlite_schema WHERE sql LIKE '%INITIALLY DEFERRED%' LIMIT 1"
PAUSE = """
WITH RECURSIVE pause(is_over) AS (VALUES (0) UNION ALL SELECT rowserve_pause(?) FROM pause WHERE NOT is_over)
SELECT max(is_over) FROM pause
"""
"""Takes its time as a slow statement does: it can be interrupted."""


class Connection:
    """A connection in a transaction that is never committed.

    Args:
        connection: SQLite's own.
        patience: seconds that one who wants to write waits for another.
        queries: where statements are noted.
        faults: what is to go wrong.

    Attributes:
        turn: held while a statement runs: one at a time.
        writer: the share whose transaction is open and has written, unless that is the test's own.
        running: the share whose statement runs.
    """

    def __init__(self, connection: sqlite3.Connection, patience: float, queries: Queries, faults: Faults) -> None:
        self.connection = connection
        self.patience = patience
        self.queries = queries
        self.faults = faults
        self.turn = threading.Condition()
        self.writer: Share | None = None
        self.running: Share | None = None
        connection.create_function("rowserve_pause", 1, pause)
        connection.execute("BEGIN IMMEDIATE")
        self.broken_keys = set(self._broken_keys())

    def wait_for_writer(self) -> None:
        """Returns when no other transaction has written. Raises ``sqlite3.OperationalError`` if that takes too long."""
        if not self.turn.wait_for(lambda: self.writer is None, self.patience):
            raise sqlite3.OperationalError("database is locked")

    def check_keys(self) -> None:
        """Looks at the foreign keys that only a COMMIT looks at, in place of it.

        Raises:
            sqlite3.IntegrityError: there are some without their parents.
        """
        (deferred,) = self.connection.execute("PRAGMA defer_foreign_keys").fetchone()
        if deferred or self.connection.execute(HAS_DEFERRED_KEYS).fetchone() is not None:
            if not self.broken_keys.issuperset(self._broken_keys()):
                raise sqlite3.IntegrityError("FOREIGN KEY constraint failed")
            self.connection.execute("PRAGMA defer_foreign_keys=OFF")

    def _broken_keys(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.connection.execute("PRAGMA foreign_key_check").fetchall())

    def close(self) -> None:
        """Undoes all that was done."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self.connection.close()


class Share:
    """A share of a test's connection, used as a ``sqlite3.Connection`` of its own in autocommit mode would be.

    Its transactions are savepoints. One that was begun without IMMEDIATE becomes one when it first writes.

    Args:
        one: the connection.
        readonly: whether it refuses to write.
        case_sensitive: whether LIKE distinguishes small letters and capitals.

    Attributes:
        outer: whether it is the test's own: others' transactions may begin and end within its own.
    """

    def __init__(self, one: Connection, *, readonly: bool = False, case_sensitive: bool = False) -> None:
        self.one = one
        self.readonly = readonly
        self.case_sensitive = case_sensitive
        self.outer = False
        self.isolation_level = None
        self.row_factory = None
        self._begun = False
        self._written = False
        self._depth = 0

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; not any more where SQLite has rolled back all there was."""
        return (self._begun or self._depth > 0) and self.one.connection.in_transaction

    @property
    def name(self) -> str:
        """The name of its savepoint."""
        return f"share_{id(self)}"

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute(self, text: str, arguments: Sequence[Any] = ()) -> Cursor:
        return Cursor(self).execute(text, arguments)

    def executemany(self, text: str, sets: Iterable[Sequence[Any]]) -> Cursor:
        return Cursor(self).executemany(text, sets)

    def create_function(self, *arguments: Any, **options: Any) -> None:
        with self.one.turn:
            self.one.connection.create_function(*arguments, **options)

    def interrupt(self) -> None:
        if self.one.running is self:
            self.one.connection.interrupt()

    def close(self) -> None:
        self.rollback()

    def run(self, text: str, execute: Callable[[sqlite3.Cursor], object]) -> sqlite3.Cursor | None:
        """Runs a statement, or what stands for it; the cursor that has its rows, if there may be some.

        Args:
            text: the statement.
            execute: executes it on a cursor.
        """
        match text.strip().rstrip(";").upper():
            case "BEGIN":
                self._begun = True
            case "BEGIN IMMEDIATE":
                with self.one.turn:
                    self._write()
                    self._begun = True
            case "COMMIT":
                self.commit()
            case "ROLLBACK":
                self.rollback()
            case _ if text not in SETTING_UP:
                return self._run(text, execute)
        return None

    def _run(self, text: str, execute: Callable[[sqlite3.Cursor], object]) -> sqlite3.Cursor:
        one = self.one
        word = first_word(text)
        with one.turn:
            self._check(word)
            if word == "SAVEPOINT" and self._begun:
                self._write()
            one.running = self
            try:
                self._pause()
                one.queries.note(text)
                try:
                    cursor = self._execute(execute, readonly=self.readonly or (self._begun and not self._written))
                except sqlite3.OperationalError as error:
                    if self.readonly or self._written or error.sqlite_errorcode != sqlite3.SQLITE_READONLY:
                        raise
                    self._write()
                    one.running = self
                    cursor = self._execute(execute, readonly=False)
            finally:
                one.running = None
            self._depth += (word == "SAVEPOINT") - (word == "RELEASE")
            return cursor

    def _check(self, word: str) -> None:
        if word in ("BEGIN", "COMMIT", "END"):
            raise sqlite3.OperationalError(f"{word} in this form cannot be tested: use BEGIN, BEGIN IMMEDIATE, COMMIT")
        if not self.one.connection.in_transaction:
            raise sqlite3.OperationalError("SQLite has rolled back the transaction of the test: begin another test")
        if not self.outer and self.one.faults.connection_is_lost():
            raise told("disk I/O error", sqlite3.SQLITE_IOERR)

    def _pause(self) -> None:
        if self.one.faults.delay and not self.outer:
            until = time.monotonic() + self.one.faults.delay
            self.one.connection.execute(PAUSE, (until,)).fetchall()

    def _execute(self, execute: Callable[[sqlite3.Cursor], object], *, readonly: bool) -> sqlite3.Cursor:
        for pragma, on in (("query_only", readonly), ("case_sensitive_like", self.case_sensitive)):
            self.one.connection.execute(f"PRAGMA {pragma}={'ON' if on else 'OFF'}")
        cursor = self.one.connection.cursor()
        execute(cursor)
        return cursor

    def _write(self) -> None:
        """Makes a savepoint of the transaction, once no other has written. The test's own lets others in."""
        if self._written:
            return
        self.one.wait_for_writer()
        self.one.connection.execute("PRAGMA query_only=OFF")
        self.one.connection.execute(f"SAVEPOINT {self.name}")
        self._written = True
        if not self.outer:
            self.one.writer = self

    def commit(self) -> None:
        with self.one.turn:
            if self._written:
                if self.outer:
                    self.one.wait_for_writer()
                elif self.one.faults.commit_fails():
                    raise told("database or disk is full", sqlite3.SQLITE_FULL)
                self.one.check_keys()
                self.one.connection.execute(f"RELEASE {self.name}")
            self._end()

    def rollback(self) -> None:
        with self.one.turn:
            if self._written and self.one.connection.in_transaction:
                if self.outer:
                    self.one.wait_for_writer()
                self.one.connection.execute(f"ROLLBACK TO {self.name}")
                self.one.connection.execute(f"RELEASE {self.name}")
                self.one.connection.execute("PRAGMA defer_foreign_keys=OFF")
            self._end()

    def _end(self) -> None:
        self._begun = self._written = self.outer = False
        self._depth = 0
        if self.one.writer is self:
            self.one.writer = None
            self.one.turn.notify_all()


class Cursor:
    """The rows of a statement, all of them fetched: no statement is ever half run."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._rows: Iterator[Any] = iter(())
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    def execute(self, text: str, arguments: Sequence[Any] = ()) -> Cursor:
        return self._run(text, lambda cursor: cursor.execute(text, arguments))

    def executemany(self, text: str, sets: Iterable[Sequence[Any]]) -> Cursor:
        return self._run(text, lambda cursor: cursor.executemany(text, sets))

    def _run(self, text: str, execute: Callable[[sqlite3.Cursor], object]) -> Cursor:
        rows: list[Any] = []

        def run(cursor: sqlite3.Cursor) -> None:
            execute(cursor)
            rows.extend(cursor.fetchall())

        cursor = self._share.run(text, run)
        self._rows = iter(rows)
        if cursor is not None:
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid
            cursor.close()
        return self

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [row for _, row in zip(range(size or self.arraysize), self._rows, strict=False)]

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        self._rows = iter(())


def pause(until: float) -> bool:
    """Whether a moment has come; if not, after a while."""
    time.sleep(0.005)
    return time.monotonic() >= until


def told(message: str, code: int) -> sqlite3.OperationalError:
    """An error as SQLite would have it."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error
