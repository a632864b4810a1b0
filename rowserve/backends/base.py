"""What a backend is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import Future
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Dialect, MetaData, Table
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from ..errors import ApiError
from .roles import Local, Roles

Arguments: TypeAlias = tuple[Any, ...]
"""What a driver binds, by position."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathering:
    """What SQLite, which can neither order nor group behind RETURNING, makes of the rows that a write has returned.

    They are put into a temporary table of the connection's own, which is kept, empty, for the next write.

    Args:
        text: SQL that yields the rows to give back.
        create: SQL that makes the table, unless it is there.
        insert: SQL that puts a row into it.
        clear: SQL that empties it.
    """

    text: str
    create: str
    insert: str
    clear: str


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A compiled statement.

    Args:
        text: the SQL for one set of arguments, with the driver's own placeholders.
        joined: what runs many callers' arguments in one round trip, where that is sound: on PostgreSQL, SQL that
            takes each parameter as an array; on SQLite, SQL that yields the row as one text, to be set side by side.
        is_shared: whether those are callers', or the rows of just one. What changes rows that are there is not shared:
            two batches that lock the same rows in different orders would wait for each other.
        key: of an upsert, which of the arguments are the key that a row is known by: no two sets may have the same.
        probe: of an upsert on SQLite, which does not tell what it did: SQL that takes the key and yields a row if there
            is one. It is run before each set; rows that come back then have a second column, whether there was none.
        gathering: of a write on SQLite, what becomes of all that it returned, if not each row is given back as it came.
        search_path: PostgreSQL's schemas for names that stand without one in the functions that it calls; empty for
            those of the connection.
        many: whether it yields any number of rows, which are wanted as a list, rather than one.
    """

    text: str
    joined: str | None = None
    is_shared: bool = True
    key: tuple[int, ...] = ()
    probe: str | None = None
    gathering: Gathering | None = None
    search_path: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What bounds a database, for resources and sessions alike.

    Args:
        pool_size: connections for sessions.
        max_waiting: requests that may wait for a connection; the next one is answered 503.
        timeout: seconds a request may take, waiting and running together.
        log_sql: whether statements are logged, to ``rowserve.sql`` and ``sqlalchemy.engine``.
        search_path: PostgreSQL's schemas for names that stand without one; empty for the server's own.
        roles: how PostgreSQL is told who asks; None where it is not.
    """

    pool_size: int = 10
    max_waiting: int = 4_000
    timeout: float = 10.0
    log_sql: bool = False
    search_path: tuple[str, ...] = ()
    roles: Roles | None = None


class Returned(NamedTuple):
    """What a write gave back: the rows it returned, as the driver has them, and how many it touched."""

    rows: Sequence[Any]
    touched: int

    @property
    def shown(self) -> int:
        """How many it touched that are to be shown: SQLite gives NULL for one that is not, PostgreSQL nothing."""
        return self.touched - sum([row[0] is None for row in self.rows])


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """A statement that changes rows, once for each set of arguments, all or none.

    Args:
        statement: what to run.
        sets: the arguments, a set for each row of an insert.
        table: what is written to, and ``columns`` the names of those that the first arguments are for: an error
            may have to name them.
        check: is given what came back before it is committed; an error it raises rolls the write back.
        later: more sets, a part at a time, each made when those before it are on their way. They may be gone through
            more than once, on any thread; an error that one raises rolls the write back.
        rollback: whether it is rolled back when it has succeeded: constraints that wait for the end do not, then.
        local: settings of its transaction, on PostgreSQL.
        timezone: the time zone that times are shown in, on PostgreSQL; None for UTC.
        gathered: the arguments of the statement's gathering.
    """

    statement: Statement
    sets: Sequence[Arguments]
    table: Table
    columns: tuple[str, ...]
    check: Callable[[Returned], None] | None = None
    later: Iterable[Sequence[Arguments]] = ()
    rollback: bool = False
    timezone: str | None = None
    local: Local = ()
    gathered: Arguments = ()

    @property
    def is_plain(self) -> bool:
        """Whether all there is to it is one list of arguments, and whatever comes back will do."""
        is_checked = self.check is not None or self.statement.gathering is not None
        return not self.later and not is_checked and not self.rollback and not self.is_set_up

    @property
    def is_set_up(self) -> bool:
        """Whether settings of the transaction have to be made for it."""
        return self.timezone is not None or bool(self.statement.search_path or self.local)

    @property
    def is_single(self) -> bool:
        """Whether it is plain, and one statement, once."""
        return len(self.sets) == 1 and self.is_plain


class SharedSessionError(InvalidRequestError):
    """A second task uses a session while the first one does."""


class Backend(ABC):
    """Runs compiled statements on one database."""

    dialect: Dialect
    """SQLAlchemy's dialect, for the compiler."""
    engine: AsyncEngine
    """The engine of sessions."""
    settings: Settings
    autocommit: dict[str, Any]
    """The execution options by which each statement of a session is a transaction of its own."""

    @abstractmethod
    async def open(self) -> None:
        """Connects. Raises ConnectionError, with one sentence that says what to do, where that cannot work."""

    @abstractmethod
    async def close(self) -> None:
        """Finishes what is running, then closes every connection."""

    @abstractmethod
    def read(
        self, statement: Statement, arguments: Arguments, timeout: float, *, timezone: str | None = None
    ) -> Future[Any]:
        """Runs a statement that only reads, and may share it with identical reads that wait.

        Args:
            statement: what yields one row, or any number where it says so.
            arguments: for its placeholders.
            timeout: seconds until it has to be done.
            timezone: what PostgreSQL shows moments in; a statement for SQLite has it among its arguments.

        Raises:
            ApiError: 503 with ``Retry-After``, at once, where the wait could not be met.
        """

    @abstractmethod
    def write(self, write: Write, timeout: float) -> Future[Returned]:
        """Runs a write; when the future is done, it is committed. Raises as :meth:`read` does."""

    @abstractmethod
    async def write_in(self, session: AsyncSession, write: Write) -> Returned:
        """Runs a write in the transaction of a session, behind what the session has to flush.

        Raises:
            ApiError: what the database refuses; the transaction has to be rolled back then.
        """

    @abstractmethod
    async def read_in(
        self, session: AsyncSession, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> list[Any]:
        """The rows that a statement yields in the transaction of a session; see :meth:`read` for the arguments. Raises
        as :meth:`write_in` does."""

    @abstractmethod
    def stream(
        self, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> AsyncGenerator[list[str], None]:
        """The first column of each row, some hundreds at a time, out of one snapshot, as they are asked for."""

    @abstractmethod
    async def ping(self) -> None:
        """Reaches the database on a connection of its own. Raises ConnectionError where it does not answer."""

    @abstractmethod
    async def create_tables(self, metadata: MetaData) -> None:
        """Creates the tables that are missing, while no other process does."""

    @abstractmethod
    def translate(self, error: BaseException) -> ApiError | None:
        """What a client is told of a driver's error; None for an error that is not the driver's."""
