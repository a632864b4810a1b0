"""A database of which nothing is asked: what would be, is told."""

from __future__ import annotations

from typing import NoReturn

from sqlalchemy import Dialect, MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from ..backends import Arguments, Backend, Settings, Statement, Write
from ..sql.explain import as_run


class Recorded(BaseException):
    """A statement, in the place of its outcome. Nothing makes an answer of it, as of an Exception.

    Args:
        statement: what would be run.
        arguments: its arguments.
        sets: how many sets of arguments there are.
    """

    def __init__(self, statement: Statement, arguments: Arguments, sets: int = 1) -> None:
        super().__init__()
        self.statement = statement
        self.arguments = arguments
        self.sets = sets


class Recorder(Backend):
    """Raises ``Recorded`` where a statement would be run.

    Args:
        dialect: the database's.
        settings: the database's.
    """

    def __init__(self, dialect: Dialect, settings: Settings) -> None:
        self.dialect = dialect
        self.settings = settings

    async def open(self) -> None:
        """There is nothing to connect to."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def ping(self) -> None:
        """There is nothing to reach."""

    async def create_tables(self, metadata: MetaData) -> None:
        """There is nothing to create them in."""

    def read(
        self, statement: Statement, arguments: Arguments, timeout: float, *, timezone: str | None = None
    ) -> NoReturn:
        raise Recorded(statement, arguments)

    def write(self, write: Write, timeout: float) -> NoReturn:
        statement, arguments = as_run(self.dialect, write)
        raise Recorded(statement, arguments, len(write.sets))

    async def write_in(self, session: AsyncSession, write: Write) -> NoReturn:
        self.write(write, 0)

    async def read_in(
        self, session: AsyncSession, statement: Statement, arguments: Arguments, *, timezone: str | None = None
    ) -> NoReturn:
        raise Recorded(statement, arguments)

    def stream(self, statement: Statement, arguments: Arguments, *, timezone: str | None = None) -> NoReturn:
        raise Recorded(statement, arguments)

    def translate(self, error: BaseException) -> None:
        """There is no driver that could raise one."""
