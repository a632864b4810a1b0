"""SQLite's lanes: threads, each with a connection and a batch at a time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop
from dataclasses import replace
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, TypeAlias

from .admission import Door, Job, overloaded
from .base import Arguments, Statement, Write
from .sqlite_writing import Writing, told

ReadWork: TypeAlias = tuple[Statement, Arguments]
Outcome: TypeAlias = "tuple[Job[Any], Any]"


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


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process was writing. An error that SQLite has not raised itself has no code; of one that it has
    extended, the lowest byte is what it is an extension of."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


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
        self._running = Writing(connection)
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
        self._running.stopped = False
        # Whoever came too late, or went away, while a session held the lock is not to be written any more.
        super().run([job for job in batch if not job.abandoned()])

    def cancel(self) -> None:
        if self._acquiring is None:
            self._running.stopped = True
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
            return self._begun_transaction(batch)
        except sqlite3.IntegrityError:
            # A deferred constraint is looked at by COMMIT, which does not say whose fault it is.
            return [self._own_transaction(job) for job in batch]

    def _begun_transaction(self, batch: list[Job[Write]]) -> list[Outcome]:
        """Runs a batch, again and again until its time is over where another process is writing."""
        while True:
            try:
                return self._transaction(batch)
            except sqlite3.OperationalError as error:
                if not is_busy(error) or self._stopped:
                    raise

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
            returned = self._running.run(job.work)
        except Exception as error:
            if not self.connection.in_transaction:
                raise  # the whole transaction is gone, as when the disk is full
            if savepoint:
                execute("ROLLBACK TO job")
                execute("RELEASE job")
            return job, told(error, replace(job.work, sets=[self._running.arguments]), self.connection)
        if job.work.rollback:
            execute("ROLLBACK TO job")
        if savepoint:
            execute("RELEASE job")
        return job, returned
