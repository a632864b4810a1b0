"""``rowserve serve``: what it serves, and that it starts and stops as it should."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.helpers import refusal
from tests.processes import Served, eventually, psql, rowserve

BOOKS = """
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource, Session


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


db = Database()


async def lifespan(app):
    async with db:
        await db.create_tables(Base)
        yield


from contextlib import asynccontextmanager

app = FastAPI(lifespan=asynccontextmanager(lifespan))
app.include_router(Resource(Book))

HEAVY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n"


@app.post("/slow/{title}", status_code=201)
async def slow(title: str, session: Session) -> dict[str, int]:
    book = Book(title=title)
    session.add(book)
    await session.flush()
    postgresql = db.url.get_backend_name() == "postgresql"
    await session.execute(text("SELECT pg_sleep(1.5)" if postgresql else HEAVY))
    return {"id": book.id}
"""

MODELS = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([rowserve(), *arguments], capture_output=True, text=True, timeout=20, check=False)


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("rowserve, version ")


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"]])
def test_help(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert "Usage: rowserve" in done.stdout


def test_users_app(database_url: str, tmp_path: Path) -> None:
    with Served(database=database_url, cwd=tmp_path) as server:
        assert server.client.get("/users/").json() == []
        added = server.client.post("/users/", params={"name": "Ada"})
        assert added.status_code == 201
        assert added.json() == {"id": 1, "name": "Ada"}
        assert server.client.get("/docs").status_code == 200
        openapi = server.client.get("/openapi.json").json()
        assert openapi["openapi"].startswith("3.1")
        assert {"/users/", "/users/{id}"} <= set(openapi["paths"])
        assert server.health() == 200
        assert server.stop() == 0
        assert "Traceback" not in server.output
    with Served(database=database_url, cwd=tmp_path) as server:
        assert server.client.get("/users/").json() == [{"id": 1, "name": "Ada"}]


def test_default_database_is_app_db(tmp_path: Path) -> None:
    with Served(database="", cwd=tmp_path) as server:
        assert server.client.post("/users/", params={"name": "Ada"}).status_code == 201
    assert (tmp_path / "app.db").is_file()


def test_own_application(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "books.py").write_text(BOOKS)
    with Served("books:app", database=database_url, cwd=tmp_path) as server:
        assert server.client.post("/books", json={"title": "Emma"}).status_code == 201
        assert server.client.get("/books/").json() == [{"id": 1, "title": "Emma"}]


def test_reload_serves_a_changed_file(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "changing.py").write_text("from fastapi import FastAPI\n\napp = FastAPI(title='before')\n")

    def title() -> str:
        try:
            return str(server.client.get("/openapi.json").json()["info"]["title"])
        except httpx.TransportError:
            return "between two workers"

    with Served("changing:app", "--reload", database=sqlite_url, cwd=tmp_path) as server:
        assert title() == "before"
        (tmp_path / "changing.py").write_text("from fastapi import FastAPI\n\napp = FastAPI(title='after')\n")
        eventually(lambda: title() == "after", within=30)


def test_file_of_models(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    with Served("models.py", database=database_url, cwd=tmp_path) as server:
        assert server.client.post("/authors", json={"name": "Austen"}).status_code == 201
        assert server.client.post("/books", json={"title": "Emma", "author_id": 1}).status_code == 201
        broken = server.client.post("/books", json={"title": "Emma", "author_id": 2})
        assert (broken.status_code, broken.json()["code"]) == (409, "23503")


TWO_BASES = """
from sqlalchemy import Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, declarative_base, mapped_column


class Base(DeclarativeBase):
    pass


class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)


class Toy(declarative_base()):
    __tablename__ = "toys"
    id = mapped_column(Integer, primary_key=True)
"""


def test_models_of_two_bases(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "zoo.py").write_text(TWO_BASES)
    with Served("zoo.py", database=sqlite_url, cwd=tmp_path) as server:
        assert server.client.get("/pets").json() == []
        assert server.client.get("/toys").json() == []


def test_prefix(sqlite_url: str, tmp_path: Path) -> None:
    with Served("--prefix", "rest/v1/", database=sqlite_url, cwd=tmp_path) as server:
        added = server.client.post("/rest/v1/users", json={"name": "Ada"})
        assert added.headers["location"] == "/rest/v1/users/1"
        assert server.client.get("/rest/v1/users/1").json() == {"id": 1, "name": "Ada"}
        assert refusal(server.client.get("/users")) == (404, "PGRST125")
        mistaken = server.client.get("/rest/v1/user")
        assert refusal(mistaken) == (404, "PGRST205")
        assert mistaken.json()["hint"] == "Perhaps you meant the table 'public.users'"


def test_max_rows(sqlite_url: str, tmp_path: Path) -> None:
    with Served("--max-rows", "2", database=sqlite_url, cwd=tmp_path) as server:
        server.client.post("/users", json=[{"name": name} for name in "abc"])
        page = server.client.get("/users")
        assert len(page.json()) == 2
        assert page.links["next"]["url"]


def test_default_return(sqlite_url: str, tmp_path: Path) -> None:
    with Served("--default-return", "minimal", database=sqlite_url, cwd=tmp_path) as server:
        added = server.client.post("/users", json={"name": "Ada"})
        assert (added.status_code, added.content) == (201, b"")


def test_log_sql(database_url: str, tmp_path: Path) -> None:
    with Served("--log-sql", database=database_url, cwd=tmp_path) as server:
        server.client.post("/users", json={"name": "Ada"})
        for _ in range(3):
            server.client.get("/users/1")
        server.stop()
        assert "INSERT INTO users" in server.output
        assert server.output.count("FROM users") >= 3, "each statement, not only the first of its kind"


def test_no_log_unless_asked(sqlite_url: str, tmp_path: Path) -> None:
    with Served(database=sqlite_url, cwd=tmp_path) as server:
        server.client.get("/users/1")
        server.stop()
        assert "users" not in server.output


def test_two_workers(database_url: str, tmp_path: Path) -> None:
    with Served("--workers", "2", database=database_url, cwd=tmp_path) as server:
        with ThreadPoolExecutor(8) as executor:
            added = list(executor.map(lambda n: httpx.post(f"{server.url}/users", json={"name": str(n)}), range(40)))
        assert {response.status_code for response in added} == {201}
        assert len(server.client.get("/users").json()) == 40
        assert server.stop() == 0


def test_four_servers_start_at_once_on_an_empty_database(database_url: str, tmp_path: Path) -> None:
    servers = [Served("--workers", "2", database=database_url, cwd=tmp_path) for _ in range(4)]
    try:
        for server in servers:
            server.wait_until_ready()
            assert server.client.post("/users", json={"name": "Ada"}).status_code == 201
        assert len(servers[0].client.get("/users").json()) == 4
        for server in servers:
            assert "Traceback" not in server.output
    finally:
        for server in servers:
            server.__exit__(None, None, None)


def test_under_uvicorn(database_url: str, tmp_path: Path) -> None:
    command = ("uvicorn", "rowserve.server.application:create", "--factory", "--port", "{port}")
    environment = {"ROWSERVE_SERVE": "{}"}
    with Served(database=database_url, cwd=tmp_path, command=command, environment=environment) as server:
        assert server.client.post("/users", json={"name": "Ada"}).status_code == 201
        assert server.client.get("/users/1").json() == {"id": 1, "name": "Ada"}
        assert server.stop() in (0, -signal.SIGTERM)
        assert "Traceback" not in server.output


def test_create_without_options_serves_the_users_app(sqlite_url: str, tmp_path: Path) -> None:
    command = ("uvicorn", "rowserve.server.application:create", "--factory", "--port", "{port}")
    with Served(database=sqlite_url, cwd=tmp_path, command=command) as server:
        assert server.client.get("/users").json() == []


def test_own_application_under_uvicorn(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "books.py").write_text(BOOKS)
    server = Served(database=database_url, cwd=tmp_path, command=("uvicorn", "books:app", "--port", "{port}"))
    try:
        eventually(lambda: listens(server), within=20)
        assert server.client.post("/books", json={"title": "Emma"}).status_code == 201
        assert server.client.get("/books").json() == [{"id": 1, "title": "Emma"}]
    finally:
        server.__exit__(None, None, None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_finishes_what_is_in_flight(database_url: str, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "books.py").write_text(BOOKS)
    with Served("books:app", database=database_url, cwd=tmp_path) as server:
        answers: list[httpx.Response] = []
        client = threading.Thread(target=lambda: answers.append(httpx.post(f"{server.url}/slow/Emma", timeout=20)))
        client.start()
        eventually(lambda: is_running(database_url, tmp_path))
        status = server.stop(number)
        client.join(timeout=10)
        assert [answer.status_code for answer in answers] == [201], server.output
        assert status == 0
        assert "Traceback" not in server.output
        assert "refused to gracefully stop" not in server.output
    with Served("books:app", database=database_url, cwd=tmp_path) as server:
        assert server.client.get("/books").json() == [{"id": 1, "title": "Emma"}]


def is_running(database_url: str, folder: Path) -> bool:
    """Whether the slow request has begun."""
    if database_url.startswith("postgresql"):
        return psql(database_url, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1.5)'") == "1"
    with sqlite3.connect(folder / "test.db", timeout=0) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_with_open_connections_and_two_workers(
    sqlite_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with Served("--workers", "2", database=sqlite_url, cwd=tmp_path) as server:
        clients = [httpx.Client(base_url=server.url) for _ in range(8)]
        for client in clients:
            assert client.get("/users").status_code == 200
        assert server.stop(number) == 0
        for client in clients:
            client.close()
        assert "refused to gracefully stop" not in server.output


def test_ctrl_c_reaches_the_workers_too(sqlite_url: str, tmp_path: Path) -> None:
    with Served("--workers", "2", database=sqlite_url, cwd=tmp_path) as server:
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(timeout=6) == 0, server.output
        assert "Traceback" not in server.output


def test_stopping_while_it_starts(sqlite_url: str, tmp_path: Path) -> None:
    server = Served(database=sqlite_url, cwd=tmp_path)
    try:
        eventually(lambda: "Serving on" in server.output, within=20)
        server.stop()
        assert "Traceback" not in server.output
        assert not listens(server)
    finally:
        server.__exit__(None, None, None)


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
def test_kill_of_the_parent_leaves_no_worker_behind(sqlite_url: str, tmp_path: Path) -> None:
    with Served(database=sqlite_url, cwd=tmp_path) as server:
        server.process.kill()
        server.process.wait(timeout=5)
        eventually(lambda: not listens(server), within=5)


def listens(server: Served) -> bool:
    try:
        httpx.get(f"{server.url}/_rowserve/health", timeout=1)
    except httpx.TransportError:
        return False
    return True
