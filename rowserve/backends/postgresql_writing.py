"""Writes on a connection of PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy import Table

from .. import identifiers
from .base import Arguments, Returned, Statement, Write
from .roles import Local
from .upserts import Keys

SET_LOCAL = """
SELECT count(set_config(name, value, true)) FROM unnest($1::text[], $2::text[]) AS settings (name, value)
"""
"""Holds until the end of the transaction, and no longer."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Prepared: TypeAlias = "PreparedStatement[asyncpg.Record]"
Run: TypeAlias = Callable[[Prepared, Sequence[Arguments]], Coroutine[Any, Any, Returned]]


class RolledBack(Exception):  # noqa: N818 - it is no error of anybody's
    """Ends a transaction that was only to be tried."""


class Statements(Protocol):
    """A connection, and the statements that are prepared on it."""

    connection: Connection | None

    async def prepared(self, text: str) -> Prepared: ...


class Writing:
    """Runs writes.

    Args:
        statements: those of the connection that they run on.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def run(self, write: Write) -> Returned:
        """Runs a write: what is more than a statement in a transaction, or in a savepoint where there is one."""
        statement = write.statement
        if write.is_single:
            return await fetch(await self._statements.prepared(statement.text), write.sets[0])
        if statement.joined is not None:
            try:
                if write.is_plain:
                    return await fetch_joined(await self._statements.prepared(statement.joined), write.sets)
                return await self._transaction(write, statement.joined, fetch_joined)
            except asyncpg.DivisionByZeroError:
                pass  # a trigger has swallowed a row; one by one, it is known which
        return await self._transaction(write, statement.text, fetch_each)

    async def _transaction(self, write: Write, text: str, run: Run) -> Returned:
        # All on one connection: what is lost in the middle is not to go on, on another, as prepared() would have it.
        prepared = await self._statements.prepared(text)
        connection = self._statements.connection
        assert connection is not None
        try:
            async with connection.transaction():
                await set_up(connection, write.statement, write.timezone, write.local)
                returned = await run_sets(write, prepared, run)
                if write.check is not None:
                    write.check(returned)
                if write.rollback:
                    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    raise RolledBack
        except RolledBack:
            pass
        return returned


async def run_sets(write: Write, prepared: Prepared, run: Run) -> Returned:
    """Runs a statement for all sets of a write."""
    sets, statement = write.sets, write.statement
    if write.later:
        if statement.is_shared and not (run is fetch_joined and refers_to_itself(write.table)):
            return await in_parts(write, partial(run, prepared))
        sets = await all_sets(write)
    if statement.key and run is fetch_each:
        keys = Keys(statement)
        for arguments in sets:
            keys.add(arguments)
    return await run(prepared, sets)


async def in_parts(write: Write, run: Callable[[Sequence[Arguments]], Coroutine[Any, Any, Returned]]) -> Returned:
    """Runs part after part: while one is on its way, the next is made."""
    rows: list[Any] = []
    touched = 0
    later = iter(write.later)
    sets: Sequence[Arguments] | None = write.sets
    while sets is not None:
        running = asyncio.create_task(run(sets))
        try:
            # One turn of the loop for the driver to write, one for uvloop to send what was written.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            sets = next(later, None)
        except asyncio.CancelledError:
            running.cancel()
            raise
        finally:  # what is wrong with this part comes before what is wrong with the next
            part = await running
        rows += part.rows
        touched += part.touched
    return Returned(rows, touched)


async def fetch(prepared: Prepared, arguments: Arguments) -> Returned:
    """Runs a statement once."""
    rows = await prepared.fetch(*arguments)
    return Returned(rows, len(rows) or affected(prepared.get_statusmsg()))


async def fetch_joined(prepared: Prepared, sets: Sequence[Arguments]) -> Returned:
    """Runs a statement that takes each parameter as an array, once for all sets."""
    return await fetch(prepared, tuple(zip(*sets, strict=True)))


async def fetch_each(prepared: Prepared, sets: Sequence[Arguments]) -> Returned:
    """Runs a statement once for each of the sets."""
    if prepared.get_attributes():
        rows = await prepared.fetchmany(sets)
        return Returned(rows, len(rows))
    # Without rows to count, only the status of each says how many there were.
    return Returned([], sum([(await fetch(prepared, arguments)).touched for arguments in sets]))


def refers_to_itself(table: Table) -> bool:
    """Whether a row may refer to one that comes after it, which it may where one statement inserts both."""
    return any(key.referred_table is table for key in table.foreign_key_constraints)


async def all_sets(write: Write) -> list[Arguments]:
    """All sets of a write at once, letting others run between one part and the next."""
    sets = list(write.sets)
    for part in write.later:
        sets += part
        await asyncio.sleep(0)
    return sets


async def set_up(connection: Connection, statement: Statement, timezone: str | None, local: Local) -> None:
    """Makes the settings of a transaction."""
    settings = dict(local)
    if statement.search_path:
        settings["search_path"] = search_path(statement.search_path)
    if timezone is not None:
        settings["TimeZone"] = timezone
    if settings:
        await connection.fetchval(SET_LOCAL, list(settings), list(settings.values()))


def search_path(schemas: Sequence[str]) -> str:
    """The value of PostgreSQL's setting."""
    return ", ".join(map(identifiers.POSTGRESQL.quote_identifier, schemas))


def affected(status: str | None) -> int:
    """How many rows a command touched, by its status such as ``UPDATE 3``."""
    command, _, count = (status or "").rpartition(" ")
    return int(count) if command in ("INSERT 0", "UPDATE", "DELETE") else 0
