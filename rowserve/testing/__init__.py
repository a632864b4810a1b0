"""A pytest plugin for applications that use rowserve: every test in a transaction that is rolled back.

In the ``conftest.py`` of the project::

    pytest_plugins = ["rowserve.testing"]

    @pytest.fixture
    def app():
        return my_app

or, in place of the fixture, ``rowserve_app = "app:app"`` in pytest's configuration.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState
from starlette.types import ASGIApp, Receive, Scope, Send

from ..backends import Backend, Settings
from ..backends.admission import Gate
from ..database import Database, opened
from ..server.application import imported
from ..sessions import DatabaseSession
from .faults import Faults as Faults
from .faults import faults as running_faults
from .queries import Queries as Queries
from .queries import assert_queries as assert_queries
from .queries import queries as running_queries

__all__ = ["Faults", "Queries", "assert_queries"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("rowserve_app", "the application that is tested, as module:attribute")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of async tests: rowserve runs on asyncio."""
    return "asyncio"


@pytest.fixture
def app(pytestconfig: pytest.Config) -> Any:
    """The application that is tested: ``rowserve_app`` of pytest's configuration, unless a fixture of that name is
    the project's own."""
    target: str = pytestconfig.getini("rowserve_app")
    if not target:
        raise pytest.UsageError('Which application? Set rowserve_app = "app:app", or write a fixture `app`')
    return imported(target)


@pytest.fixture
async def _started(app: Any) -> AsyncIterator[ASGIApp]:
    """The application, which has been started; all databases that it opened are in transactions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rowserve.database.backend_for", backend_for)
        async with app.router.lifespan_context(app) as state:

            async def started(scope: Scope, receive: Receive, send: Send) -> None:
                await app({**scope, "state": dict(state or {})}, receive, send)
                for database in opened:
                    await database._called_back()

            running_queries.clear()
            try:
                yield started
            finally:
                running_faults.end()


@pytest.fixture
async def client(_started: ASGIApp) -> AsyncIterator[AsyncClient]:
    """A client of the application. What the application does not handle is raised in the test; what it does after a
    commit has been done when the answer is there."""
    async with AsyncClient(transport=ASGITransport(app=_started), base_url="http://test") as client:
        yield client


@pytest.fixture
def database(_started: ASGIApp) -> Database:
    """The database of the application, in a transaction of the test's own; of several, the first that was opened."""
    if not opened:
        raise pytest.UsageError("The application opens no Database: FastAPI(lifespan=db.lifespan)")
    return opened[0]


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session of the test's own. What it has flushed the application sees, and what the application has written it
    sees: each select reads instances anew that it has read before."""
    gate = Gate(1, max_waiting=0, timeout=database.settings.timeout)
    async with DatabaseSession(database.backend, gate, rowserve_reading=True, rowserve_test=True) as session:

        def read_anew(state: ORMExecuteState) -> None:
            if state.is_select:
                state.update_execution_options(populate_existing=True)

        event.listen(session.sync_session, "do_orm_execute", read_anew)
        yield session


@pytest.fixture
def queries(_started: ASGIApp) -> Queries:
    """The SQL of each statement that has reached the database since the application has started, in order."""
    return running_queries


@pytest.fixture
def faults(_started: ASGIApp) -> Faults:
    """Faults on demand: what goes wrong in production."""
    return running_faults


def backend_for(url: URL, settings: Settings) -> Backend:
    """The backend of a database, in a test."""
    if url.get_backend_name() == "sqlite":
        from .sqlite import SQLiteTestBackend

        return SQLiteTestBackend(url, settings, running_queries, running_faults)
    from .postgresql import PostgreSQLTestBackend

    return PostgreSQLTestBackend(url, settings, running_queries, running_faults)
