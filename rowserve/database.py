"""The database: one object for each URL, that opens and closes everything and hands out sessions."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, ParamSpec, TypeVar
from weakref import WeakSet

from fastapi import Depends, params
from sqlalchemy import URL, MetaData, Select, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase
from starlette.requests import HTTPConnection

from .backends import Backend, Roles, Settings, backend_for, is_conflict, pauses
from .backends.admission import Gate
from .errors import ApiError
from .sessions import AsyncReadSession, AsyncWriteSession, watch_for_sharing, when_committed

DEFAULT_URL = "sqlite:///./app.db"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("rowserve")

opened: list[Database] = []
"""The databases that are open in this process; the first is the default one."""

known: WeakSet[Database] = WeakSet()
"""All databases that there are in this process, open or not."""


class Database:
    """A database, for resources and sessions alike.

    Open it with the application (``FastAPI(lifespan=db.lifespan)``) or with ``async with db:``. The first database
    that is opened is the one that ``Session``, ``ReadSession`` and a ``Resource`` use unless told otherwise.

    Args:
        url: ``sqlite:///path``, ``postgresql://user:password@host/name`` or ``postgresql:///name?host=/folder``, with
            or without an async driver. Default: ``$DATABASE_URL``, else ``sqlite:///./app.db``.
        pool_size: connections for sessions. A resource needs none of them: PostgreSQL sees eight more, for those.
        max_waiting: requests that may wait for a connection; the next one is answered 503 at once.
        timeout: seconds a request may take, waiting and running together; the database is told of it too.
        log_sql: whether statements are logged. Default: whether ``$ROWSERVE_LOG_SQL`` is set.
        search_path: PostgreSQL's schemas for names that stand without one. Default: the server's own.
        roles: has PostgreSQL run the statements of resources and functions as the role of who asks; see
            :class:`rowserve.Roles`.

    Raises:
        ValueError: the URL cannot be read, or names a database that rowserve does not speak to.
    """

    def __init__(
        self,
        url: str | URL | None = None,
        *,
        pool_size: int = 10,
        max_waiting: int = 4_000,
        timeout: float = 10.0,
        log_sql: bool | None = None,
        search_path: Sequence[str] = (),
        roles: Roles | None = None,
    ) -> None:
        self.url = parsed_url(url or os.environ.get("DATABASE_URL") or DEFAULT_URL)
        if pool_size < 1:
            raise ValueError(f"pool_size is {pool_size}: sessions need at least one connection")
        if timeout <= 0:
            raise ValueError(f"timeout is {timeout}: it is a number of seconds above zero")
        self.settings = Settings(
            pool_size=pool_size,
            max_waiting=max_waiting,
            timeout=timeout,
            log_sql=bool(os.environ.get("ROWSERVE_LOG_SQL")) if log_sql is None else log_sql,
            search_path=tuple(dict.fromkeys(search_path)),
            roles=roles,
        )
        known.add(self)
        self._backend: Backend | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @property
    def backend(self) -> Backend:
        """What runs statements; there is one while the database is open."""
        if self._backend is None:
            raise RuntimeError(f"{self!r} is not open: use FastAPI(lifespan=db.lifespan), or `async with db:`")
        return self._backend

    async def open(self) -> None:
        """Connects.

        Raises:
            ConnectionError: that cannot work; the message says why and what to do.
        """
        if self._backend is not None:
            raise RuntimeError(f"{self!r} is open already")
        backend = backend_for(self.url, self.settings)
        if self.settings.log_sql:
            show_statements()
        await backend.open()
        watch_for_sharing(backend.engine)
        self._gate = Gate(self.settings.pool_size, max_waiting=self.settings.max_waiting, timeout=self.settings.timeout)
        self._backend = backend
        opened.append(self)

    async def close(self) -> None:
        """Waits for what is running, callbacks after commits included, and closes every connection."""
        backend = self.backend
        opened.remove(self)
        await self._called_back()
        await backend.close()
        self._backend = None

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """The lifespan of an application that uses this database: ``FastAPI(lifespan=db.lifespan)``."""
        async with self:
            yield

    async def create_tables(self, models: MetaData | type[DeclarativeBase]) -> None:
        """Creates the tables that are missing; any number of processes may do so at once.

        Args:
            models: the declarative base of the models, or their ``MetaData``.
        """
        await self.backend.create_tables(models if isinstance(models, MetaData) else models.metadata)

    async def ping(self) -> None:
        """Reaches the database on a connection of its own, whatever the others are doing.

        Raises:
            ConnectionError: it does not answer.
        """
        await self.backend.ping()

    @property
    def session(self) -> params.Depends:
        """The dependency that gives a session: ``Annotated[AsyncSession, db.session]``."""
        dependency: params.Depends = Depends(self._session, scope="function")
        return dependency

    @property
    def read_session(self) -> params.Depends:
        """The dependency that gives a session that only reads: ``Annotated[AsyncReadSession, db.read_session]``."""
        dependency: params.Depends = Depends(self._read_session, scope="function")
        return dependency

    async def _session(self, connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
        async with self._transaction(reading=connection.scope.get("method") in SAFE_METHODS) as session:
            yield session

    async def _read_session(self) -> AsyncIterator[AsyncReadSession]:
        async with AsyncReadSession(self.backend, self._gate) as session:
            yield session

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A session for a script or a task: committed at the end of the block, rolled back by an exception."""
        async with self._transaction(reading=False) as session:
            yield session

    async def run(self, function: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Calls a function with a session, and commits; all of it again where another transaction was in the way.

        So the function may run more than once, and only what it does by the session is undone in between.

        Args:
            function: async; what it returns is returned.

        Raises:
            ApiError: 40001 or 40P01 where it has failed too often.
        """
        for pause in pauses():
            try:
                async with self.begin() as session:
                    return await function(session)
            except ApiError as error:
                if not is_conflict(error):
                    raise
            await asyncio.sleep(pause)
        async with self.begin() as session:
            return await function(session)

    @asynccontextmanager
    async def _transaction(self, *, reading: bool) -> AsyncIterator[AsyncSession]:
        async with AsyncWriteSession(self.backend, self._gate, reading=reading) as session:
            yield session
            await session.commit()
        for callback in when_committed(session):
            task = asyncio.create_task(self._call(callback))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _called_back(self) -> None:
        """Waits for all that was to be called after commits."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _call(self, callback: Callable[[], Awaitable[object] | object]) -> None:
        try:
            result = callback()
            if isinstance(result, Awaitable):
                await result
        except Exception:
            # The commit stands, and its client has been answered: all that is left is to say so.
            log.exception("A callback after a commit failed")

    def after_commit(
        self,
        session: AsyncSession,
        function: Callable[P, Awaitable[object] | object],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Calls a function once the session's transaction is committed; not at all if it is rolled back.

        The answer does not wait for it, closing the database does.

        Args:
            session: the session that is going to be committed.
            function: an async or a plain function, with the arguments that follow.
        """
        when_committed(session).append(lambda: function(*args, **kwargs))

    async def stream(self, statement: Select[*tuple[Any, ...]]) -> AsyncIterator[Any]:
        """The rows of a SELECT as they come, through a server-side cursor, on a connection of its own.

        Yields:
            the entity or value, where the statement selects just one; else SQLAlchemy's ``Row``.
        """
        async with AsyncReadSession(self.backend, self._gate, streaming=True) as session:
            result = await session.stream(statement.execution_options(yield_per=1_000))
            rows = result.scalars() if len(result.keys()) == 1 else result
            async for row in rows:
                yield row


def show_statements() -> None:
    """Has the log of statements go to the standard error, unless the program has set up logging itself."""
    logger = logging.getLogger("rowserve.sql")
    logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        logger.addHandler(handler)


def default_database() -> Database:
    """The database that was opened first of those that are open."""
    if not opened:
        raise RuntimeError("No Database is open: use FastAPI(lifespan=db.lifespan), or `async with db:`")
    return opened[0]


async def _default_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    async with asynccontextmanager(default_database()._session)(connection) as session:
        yield session


async def _default_read_session() -> AsyncIterator[AsyncReadSession]:
    async with asynccontextmanager(default_database()._read_session)() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_default_session, scope="function")]
"""A session of the default database, as a parameter of an endpoint. Returning commits, an exception rolls back."""

ReadSession = Annotated[AsyncReadSession, Depends(_default_read_session, scope="function")]
"""A session that only reads: each statement is one round trip, and sees what was committed before it."""


def parsed_url(url: str | URL) -> URL:
    """The URL, with the scheme's common spellings understood."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # It may hold a password, and nobody can tell where.
        shown = f"{url!r}" if "@" not in str(url) else f"'{str(url).partition(':')[0]}:...'"
        raise ValueError(
            f"{shown} is no database URL: write sqlite:///path or postgresql://user:password@host/name"
        ) from None
    if parsed.drivername == "postgres":
        parsed = parsed.set(drivername="postgresql")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(
            f"rowserve speaks to SQLite and PostgreSQL, not to {parsed.get_backend_name()}: "
            "write sqlite:///path or postgresql://user:password@host/name"
        )
    return parsed
