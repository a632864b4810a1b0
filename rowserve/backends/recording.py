"""What would be run on a database."""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncGenerator, Sequence
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import ApiError
from .base import Arguments, Backend, Returned, Statement, Write


class Asked(NamedTuple):
    """A statement that would be run, and the arguments of each time that it would be."""

    text: str
    sets: Sequence[Arguments]


class Recorder(Backend):
    """Notes what it is asked to run, and runs nothing.

    Args:
        backend: of the database that it would be run on; it need not be open.

    Attributes:
        asked: what it has been asked for so far.
    """

    def __init__(self, backend: Backend) -> None:
        self.dialect = backend.dialect
        self.engine = backend.engine
        self.settings = backend.settings
        self.autocommit = backend.autocommit
        self.asked: list[Asked] = []

    def note(self, statement: Statement, sets: Sequence[Arguments]) -> NoReturn:
        """Notes a statement, and ends what asks for it."""
        self.asked.append(Asked(statement.text, sets))
        raise ApiError(503, "PGRST000", "Statements are noted here, not run")

    async def open(self) -> None:
        """There is nothing to connect to, nor to close."""

    async def close(self) -> None:
        """See :meth:`open`."""

    def read(
        self, statement: Statement, arguments: Arguments, timeout: float, *, timezone: str | None = None
    ) -> Future[Any]:
        self.note(statement, [arguments])

    def write(self, write: Write, timeout: float) -> Future[Returned]:
        self.note(write.statement, write.sets)

    async def write_in(self, session: AsyncSession, write: Write) -> Returned:
        self.note(write.statement, write.sets)

    async def read_in(self, session: AsyncSession, statement: Statement, arguments: Arguments) -> list[Any]:
        self.note(statement, [arguments])

    async def stream(
        self, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> AsyncGenerator[list[str], None]:
        self.note(statement, [arguments])
        yield []

    async def ping(self) -> None:
        """Nobody is there who could be away."""

    async def create_tables(self, metadata: MetaData) -> None:
        """There is nowhere to create them."""

    def translate(self, error: BaseException) -> ApiError | None:
        return None
