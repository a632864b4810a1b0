"""SQLite's lanes: threads, each with a connection and a batch at a time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from queue import SimpleQueue
from typing import Any, TypeAlias

from sqlalchemy import Table

from ..errors import ApiError, database_error, internal_error
from .admission import Door, Job, overloaded
from .base import Arguments, Gathering, Returned, Statement, Write
from .sqlite_errors import translated
from .upserts import Keys

ReadWork: TypeAlias = tuple[Statement, Arguments]
Outcome: TypeAlias = "tuple[Job[Any], Any]"

log = logging.getLogger("rowserve.sql")


class Thread(ABC):
    """A thread with a connection, as a lane: runs a batch, then hands the outcomes to the event loop at once."""

    def __init__(self, connection: sqlite3.Connection, door: Door[Any], loop: AbstractEventLoop) -> None:
        self.door = door
        self.loop = loop
        self.connection = connection
        self._stopped = False
        # An executor would make a future for each batch, and take four locks where one will do.
        self.batches: SimpleQueue[list[Job[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=type(self).__name__, daemon=True)
        self._thread.start()

    def run(self, batch: list[Job[Any]]) -> None:
        self._stopped = False
        self.batches.put(batch)

    def _work(self) -> None:
        while (batch := self.batches.get()) is not None:
            self.loop.call_soon_threadsafe(self._done, self._outcomes(batch))

    def _outcomes(self, batch: list[Job[Any]]) -> list[Outcome]:
        try:
            return self.outcomes(batch)
        except Exception as error:  # whatever it is, nobody may be left waiting
            return [(job, told(error)) for job in batch]

    @abstractmethod
    def outcomes(self, batch: list[Job[Any]]) -> list[Outcome]:
        """Runs a batch; for each job what came out: a result, or the error its client is told."""

    def _done(self, outcomes: list[Outcome]) -> None:
        for job, outcome in outcomes:
            if isinstance(outcome, Exception):
                job.fail(outcome)
            else:
                job.resolve(outcome)
        self.door.open(self)

    def cancel(self) -> None:
        self._stopped = True
        self.connection.interrupt()

    def waiting(self) -> bool:
        return False

    def close(self) -> None:
        self.batches.put(None)
        self._thread.join()
        self.connection.close()


class ReadThread(Thread):
    """Runs reads. Several of one statement are set side by side in one SELECT: Python's lock is then given up and
    taken back once for all of them, not for each."""

    def outcomes(self, batch: list[Job[ReadWork]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        start = 0
        while start < len(batch):
            size = 1 << ((len(batch) - start).bit_length() - 1)
            outcomes += self._together(batch[start : start + size])
            start += size
        return outcomes

    def _together(self, batch: list[Job[ReadWork]]) -> list[Outcome]:
        if len(batch) == 1:
            return [self._alone(batch[0])]
        joined = batch[0].work[0].joined
        assert joined is not None
        text = side_by_side(joined, len(batch))
        arguments = [argument for job in batch for argument in job.work[1]]
        try:
            packed = self.connection.execute(text, arguments).fetchone()
        except Exception:  # one of them may be at fault
            return [self._alone(job) for job in batch]
        return [(job, unpacked(row)) for job, row in zip(batch, packed, strict=True)]

    def _alone(self, job: Job[ReadWork]) -> Outcome:
        statement, arguments = job.work
        try:
            if self._stopped:
                raise sqlite3.OperationalError("interrupted")
            cursor = self.connection.execute(statement.text, arguments)
            return job, cursor.fetchall() if statement.many else cursor.fetchone()
        except Exception as error:
            return job, told(error)


@lru_cache(maxsize=2_048)
def side_by_side(text: str, size: int) -> str:
    """One SELECT of a statement that yields one text, several times, each with its own arguments."""
    return "SELECT " + ", ".join([f"({text})"] * size)


def unpacked(text: str) -> tuple[int, int | None, str | None, str]:
    """Rows, total, boundary and body, out of the lines of a packed row."""
    rows, total, boundary, body = text.split("\n", 3)
    return int(rows), int(total) if total else None, boundary or None, body


class WriteThread(Thread):
    """Group commit: all writes that wait run in one transaction, each in a savepoint of its own, and are answered
    when that one transaction is on the disk."""

    def __init__(
        self, connection: sqlite3.Connection, door: Door[Write], loop: AbstractEventLoop, writing: asyncio.Lock
    ) -> None:
        super().__init__(connection, door, loop)
        self._writing = writing
        self._acquiring: asyncio.Task[None] | None = None
        self._arguments: Arguments = ()  # what is being written, for an error to say which of many it was
        self._begun = False

    def run(self, batch: list[Job[Write]]) -> None:
        self._begun = False
        self._acquiring = self.loop.create_task(self._run(batch))

    async def _run(self, batch: list[Job[Write]]) -> None:
        self._begun = True
        try:
            await self._writing.acquire()
        except asyncio.CancelledError:
            self._acquiring = None
            for job in batch:
                job.fail(overloaded(1.0))
            self.door.open(self)
            return
        self._acquiring = None
        # Whoever came too late, or went away, while a session held the lock is not to be written any more.
        super().run([job for job in batch if not job.abandoned()])

    def cancel(self) -> None:
        if self._acquiring is None:
            super().cancel()
        elif self._begun:  # a task that is cancelled before its first step would never open its door again
            self._acquiring.cancel()

    def waiting(self) -> bool:
        return self._acquiring is not None

    def _done(self, outcomes: list[Outcome]) -> None:
        self._writing.release()
        super()._done(outcomes)

    def outcomes(self, batch: list[Job[Write]]) -> list[Outcome]:
        try:
            return self._transaction(batch)
        except sqlite3.IntegrityError:
            # A deferred constraint is looked at by COMMIT, which does not say whose fault it is.
            return [self._own_transaction(job) for job in batch]

    def _own_transaction(self, job: Job[Write]) -> Outcome:
        try:
            return self._transaction([job])[0]
        except sqlite3.Error as error:
            return job, told(error, job.work, self.connection)

    def _transaction(self, batch: list[Job[Write]]) -> list[Outcome]:
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._job(job) for job in batch]
            execute("COMMIT")
        except BaseException:
            # A COMMIT that failed leaves the transaction open.
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise
        return outcomes

    def _job(self, job: Job[Write]) -> Outcome:
        """Runs one of the writes. A single statement that fails undoes itself; what is more has a savepoint."""
        execute = self.connection.execute
        savepoint = not job.work.is_single
        if savepoint:
            execute("SAVEPOINT job")
        try:
            returned = self._write(job.work)
        except Exception as error:
            if not self.connection.in_transaction:
                raise  # the whole transaction is gone, as when the disk is full
            if savepoint:
                execute("ROLLBACK TO job")
                execute("RELEASE job")
            return job, told(error, replace(job.work, sets=[self._arguments]), self.connection)
        if job.work.rollback:
            execute("ROLLBACK TO job")
        if savepoint:
            execute("RELEASE job")
        return job, returned

    def _write(self, write: Write) -> Returned:
        if write.is_single and write.statement.probe is None:
            return self._once(write.statement.text, write.sets[0])
        rows: list[Any] = []
        count = 0
        statement, keys = write.statement, Keys(write.statement)
        for sets in chain((write.sets,), write.later):
            if self._stopped:  # while the sets were made, when there was no statement to interrupt
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
        if self._stopped:
            raise sqlite3.OperationalError("interrupted")
        self._arguments = arguments
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
            self._arguments = arguments
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
