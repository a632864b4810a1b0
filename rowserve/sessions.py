"""Sessions: SQLAlchemy's, let in by the same gate as everybody else, and strict about how they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

from sqlalchemy import event, util
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm import Session as SyncSession

from .backends import Backend, SharedSessionError
from .backends.admission import Gate

Callback: TypeAlias = Callable[[], Awaitable[object] | object]


class Running:
    """The tasks that have a statement of a session under way: one, unless the session is shared by mistake."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._left = asyncio.Event()

    def enter(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)

    def leave(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._left.set()

    async def others_finished(self) -> None:
        """Returns when no other task has one."""
        while others := {task for task in self._tasks if task is not asyncio.current_task() and not task.done()}:
            self._left.clear()
            left = asyncio.create_task(self._left.wait())
            try:
                await asyncio.wait({left, *others}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                left.cancel()


class GatedSession(SyncSession):
    """The synchronous half of a session: before it first needs a connection, it waits at the gate."""

    gate: Gate | None = None
    inside = False

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        if self.gate is not None and not self.inside:
            util.await_only(self.gate.enter())
            self.inside = True
        return super().get_bind(*args, **kwargs)


class DatabaseSession(AsyncSession):
    """An ``AsyncSession`` that waits at the database's gate, and is closed for good when its block ends."""

    sync_session_class = GatedSession

    def __init__(self, backend: Backend, gate: Gate, **options: Any) -> None:
        self._running = Running()
        engine = backend.engine.execution_options(**options, rowserve_running=self._running)
        super().__init__(engine, expire_on_commit=False, close_resets_only=False)
        self.backend = backend
        assert isinstance(self.sync_session, GatedSession)
        self._gated = self.sync_session
        self._gated.gate = gate

    async def close(self) -> None:
        try:
            # A connection that is taken away in the middle of a statement would be lost to the pool.
            with suppress(TimeoutError):
                async with asyncio.timeout(self.backend.settings.timeout):
                    await self._running.others_finished()
        finally:
            await self._close()

    async def _close(self) -> None:
        try:
            await super().close()
        finally:
            if self._gated.inside and self._gated.gate is not None:
                self._gated.inside = False
                self._gated.gate.leave()

    async def __aexit__(self, type_: Any, value: Any, traceback: Any) -> None:
        """Closes the session. An error of the database that nobody handled becomes the answer its client gets."""
        await super().__aexit__(type_, value, traceback)
        if isinstance(value, DBAPIError) and (error := driver_error(value)) is not None:
            translated = self.backend.translate(error)
            if translated is not None:
                raise translated from value


class AsyncWriteSession(DatabaseSession):
    """A session that may write.

    Args:
        backend: the database's backend.
        gate: the database's gate.
        reading: whether it serves a request that by its method does not write; on SQLite it then does not queue
            with those that do.
    """

    def __init__(self, backend: Backend, gate: Gate, *, reading: bool) -> None:
        super().__init__(backend, gate, rowserve_reading=reading)


class AsyncReadSession(DatabaseSession):
    """A session that only reads: each statement is a transaction of its own, one round trip.

    Args:
        backend: the database's backend.
        gate: the database's gate.
        streaming: whether a server-side cursor is going to be opened, which takes a transaction.
    """

    def __init__(self, backend: Backend, gate: Gate, *, streaming: bool = False) -> None:
        if streaming:
            super().__init__(backend, gate, rowserve_reading=True)
        else:
            super().__init__(backend, gate, **backend.autocommit)
        event.listen(self.sync_session, "before_flush", refuse_to_write)
        event.listen(self.sync_session, "do_orm_execute", refuse_statements_that_write)


def refuse_to_write(*_: object) -> None:
    raise InvalidRequestError("This session only reads: use `session: Session` in an endpoint that writes")


def refuse_statements_that_write(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        refuse_to_write()


def driver_error(error: DBAPIError) -> BaseException | None:
    """The driver's own error: SQLAlchemy wraps asyncpg's in one of its adapter's."""
    original = error.orig
    return original.__cause__ if original is not None and original.__cause__ is not None else original


def when_committed(session: AsyncSession) -> list[Callback]:
    """What is to be called once the session is committed."""
    callbacks: list[Callback] = session.info.setdefault("rowserve_after_commit", [])
    return callbacks


def watch_for_sharing(engine: AsyncEngine) -> None:
    """Has a second task that uses a session while the first one does get an error that says so."""

    # First of all listeners: what the others note of a statement is not to be overwritten by one that is refused.
    @event.listens_for(engine.sync_engine, "before_cursor_execute", insert=True)
    def enter(connection: Any, *_: object) -> None:
        task = asyncio.current_task()
        if connection.info.setdefault("rowserve_task", task) is not task:
            raise SharedSessionError(
                "This session is being used by two tasks at once. Await one query before the next, or open a session "
                "for each task: `async with db.begin() as session:`"
            )
        running = connection.get_execution_options().get("rowserve_running")
        if running is not None:
            running.enter(task)

    def leave(connection: Any) -> None:
        task = connection.info.pop("rowserve_task", None)
        running = connection.get_execution_options().get("rowserve_running")
        if running is not None:
            running.leave(task)

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def succeeded(connection: Any, *_: object) -> None:
        leave(connection)

    @event.listens_for(engine.sync_engine, "handle_error")
    def failed(context: Any) -> None:
        if context.connection is not None and not isinstance(context.original_exception, SharedSessionError):
            leave(context.connection)
