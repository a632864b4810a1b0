"""What a function of a statement raises reaches the client, by whichever way the statement is run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from sqlalchemy import make_url

from rowserve.backends import Settings, Statement
from rowserve.backends.sqlite import SQLiteBackend
from rowserve.errors import ApiError

pytestmark = pytest.mark.anyio

CAST = "SELECT cast_value(?, 'text', 'integer', NULL)"


@pytest.fixture
async def backend(sqlite_url: str) -> AsyncIterator[SQLiteBackend]:
    backend = SQLiteBackend(make_url(sqlite_url), Settings())
    await backend.open()
    yield backend
    await backend.close()


async def test_a_read_tells(backend: SQLiteBackend) -> None:
    with pytest.raises(ApiError) as raised:
        await backend.read(Statement(CAST), ("x",), 5.0)
    assert (raised.value.status, raised.value.code) == (400, "22P02")
    assert raised.value.message == 'invalid input syntax for type integer: "x"'
    assert await backend.read(Statement(CAST), ("12",), 5.0) == (12,)


async def test_a_stream_tells(backend: SQLiteBackend) -> None:
    with pytest.raises(ApiError) as raised:
        async for _ in backend.stream(Statement(CAST), ("x",)):
            pass
    assert (raised.value.status, raised.value.code) == (400, "22P02")


async def test_a_fault_of_the_function_itself_is_an_internal_error(backend: SQLiteBackend) -> None:
    with pytest.raises(ApiError) as raised:
        await backend.read(Statement("SELECT cast_value(1, 'text', 'nothing', NULL)"), (), 5.0)
    assert (raised.value.status, raised.value.code) == (500, "PGRSTX00")


async def test_a_query_that_fts5_refuses_is_the_clients_fault(backend: SQLiteBackend) -> None:
    statement = "SELECT count(*) FROM pages WHERE pages MATCH ?"
    with closing(backend.connect(readonly=False)) as connection:
        connection.execute("CREATE VIRTUAL TABLE pages USING fts5(title)")
    with pytest.raises(ApiError) as raised:
        await backend.read(Statement(statement), ("AND",), 5.0)
    assert (raised.value.status, raised.value.code) == (400, "42601")
