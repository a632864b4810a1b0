"""What cannot work ends ``rowserve serve`` with one sentence that says what to do."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ScratchPostgreSQL, free_port, inherited, rowserve


def refusal(cwd: Path, *arguments: str, url: str = "") -> str:
    """What the command says before it ends, other than 0."""
    done = subprocess.run(
        [rowserve(), "serve", "--port", str(free_port()), *arguments],
        cwd=cwd,
        env={**inherited(), "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert done.returncode not in (0, -9), done.stdout
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/shop", ["mysql", "postgresql://"]),
        ("not a url", ["not a url", "sqlite:///path"]),
        (
            "postgresql://localhost:port/shop",
            ["localhost:port", "postgresql://user:password@host/name"],
        ),
        ("postgresql://localhost/shop?speed=high", ["speed"]),
        ("postgresql://localhost/shop?sslmode=perhaps", ["sslmode"]),
        ("sqlite:////no/such/folder/app.db", ["/no/such/folder", "Create it"]),
        ("sqlite:////proc/app.db", ["/proc/app.db", "written to"]),
        ("sqlite:////proc/version", ["/proc/version"]),
        ("sqlite:////usr", ["/usr"]),
        ("postgresql://ada@127.0.0.1:1/shop", ["127.0.0.1", "server is running"]),
        ("postgresql://ada@no.such.host.invalid/shop", ["no.such.host.invalid"]),
        ("postgresql:///shop?host=/no/such/folder", ["no%2Fsuch%2Ffolder", "server is running"]),
    ],
)
def test_database(tmp_path: Path, url: str, words: list[str]) -> None:
    said = refusal(tmp_path, url=url)
    for word in words:
        assert word in said


def test_password_is_not_shown(tmp_path: Path) -> None:
    assert "hush" not in refusal(tmp_path, url="postgresql://ada:hush@127.0.0.1:1/shop")
    assert "hush" not in refusal(tmp_path, url="postgresql://ada:hush@127.0.0.1:port/shop")


def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada, " * 200)
    said = refusal(tmp_path, url="sqlite:///letter.txt")
    assert "not a database" in said
    assert "Name another file" in said


def test_option_before_variable(tmp_path: Path) -> None:
    assert "oracle" in refusal(tmp_path, "--database", "oracle://localhost/shop", url="mysql://localhost/shop")


@pytest.fixture(scope="module")
def locked(scratch: ScratchPostgreSQL) -> Iterator[ScratchPostgreSQL]:
    """A server that asks one of its users for a password."""
    scratch.psql("CREATE ROLE ada LOGIN PASSWORD 'right'")
    rules = scratch.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all ada scram-sha-256\nlocal all noone reject\n{before}")
    scratch.reload()
    yield scratch
    rules.write_text(before)


@pytest.mark.parametrize("user", ["ada:wrong", "ada", "noone"])
def test_wrong_password(tmp_path: Path, locked: ScratchPostgreSQL, user: str) -> None:
    said = refusal(tmp_path, url=locked.url(user=user))
    assert "wrong" not in said.replace("ada:wrong", "").split("refused")[0]
    assert "password" in said


def test_unknown_database(tmp_path: Path, locked: ScratchPostgreSQL) -> None:
    said = refusal(tmp_path, url=locked.url(database="shop"))
    assert "createdb shop" in said


def test_port_in_use(tmp_path: Path, sqlite_url: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        said = refusal(tmp_path, "--port", str(port), url=sqlite_url)
    assert str(port) in said
    assert "in use" in said


def test_address_of_another_machine(tmp_path: Path, sqlite_url: str) -> None:
    assert "192.0.2.1" in refusal(tmp_path, "--host", "192.0.2.1", url=sqlite_url)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("shop:app", ["no module shop"]),
        ("shop", ["module:app"]),
        ("models.py", ["no file models.py"]),
        ("empty.py", ["empty.py", "no mapped class"]),
        ("empty:app", ["no app"]),
        ("empty:x", ["x", "not an application"]),
    ],
)
def test_target(tmp_path: Path, sqlite_url: str, target: str, words: list[str]) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    said = refusal(tmp_path, target, url=sqlite_url)
    for word in words:
        assert word in said


OWN = """
from fastapi import FastAPI
from rowserve import Database

db = Database()
app = FastAPI(lifespan=db.lifespan)
"""
LATE = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from rowserve import Database


@asynccontextmanager
async def lifespan(app):
    async with Database():
        yield


app = FastAPI(lifespan=lifespan)
"""


def test_own_application_whose_database_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert "server is running" in refusal(tmp_path, "own:app", url="postgresql://ada@127.0.0.1:1/shop")


def test_own_application_that_makes_its_database_late(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(LATE)
    done = subprocess.run(
        [rowserve(), "serve", "late:app", "--port", str(free_port())],
        cwd=tmp_path,
        env={**inherited(), "DATABASE_URL": "postgresql://ada@127.0.0.1:1/shop"},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert done.returncode == 1
    assert "server is running" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
