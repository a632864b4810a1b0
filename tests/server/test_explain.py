"""``rowserve explain``: the rule and the statement of a request; and what ``serve`` says of resources without rules."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from rowserve.permissions import AllowAny, IsAuthenticated, ReadOnly, When, Where
from tests.processes import free_port, inherited, psql, rowserve
from tests.rules.app import Post

BLOG = """
from fastapi import FastAPI
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from rowserve import Database, Resource
from rowserve.permissions import IsAuthenticated, ReadOnly, When, Where


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)


class Posts(Resource[Post]):
    permissions = ReadOnly() | IsAuthenticated() & Where(lambda ctx: Post.author_id == ctx.user.id)

    async def before_update(self, ctx, rows, changes):
        raise RuntimeError("this is not run")


db = Database()
app = FastAPI(lifespan=db.lifespan)
app.include_router(Posts())
app.include_router(Resource(Author, permissions=ReadOnly() & When(lambda ctx: ctx.user.role == "admin")), prefix="/api")
app.include_router(Resource(Note))
"""


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    (tmp_path / "blog.py").write_text(BLOG)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [rowserve(), "explain", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=folder,
        env=inherited(),
    )


def explained(folder: Path, *arguments: str) -> str:
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_write_of_somebody(blog: Path) -> None:
    somebody = ("--as", '{"id": 7}')
    said = explained(blog, "blog:app", "/posts/3", "--method", "PATCH", "--data", '{"title": "x"}', *somebody)
    assert "Resource   Posts, /posts, of the table posts" in said
    assert 'For        {"id": 7}' in said
    assert "Rule       posts: ReadOnly() | (IsAuthenticated() & Where(posts.author_id = ctx.user.id))" in said
    assert "           update: rows where posts.author_id = 7\n           select: all rows" in said
    assert "UPDATE posts SET title=?" in said
    assert "Values     1 = 'x', 2 = 3, 3 = 3, 4 = 7" in said
    assert not list(blog.glob("*.db"))


def test_a_read_on_postgresql_and_what_it_embeds(blog: Path) -> None:
    nowhere = ("--database", "postgresql://nobody@nowhere.invalid/x")
    said = explained(blog, "blog:app", "/posts?select=title,author(name)&title=eq.a", *nowhere)
    assert "For        nobody known" in said
    assert 'Rule       authors: ReadOnly() & When(lambda ctx: ctx.user.role == "admin")' in said
    assert "select: no rows" in said
    assert "title = $1" in said
    assert "1 = 'a'" in said


def test_what_is_refused_and_by_which_rule(blog: Path) -> None:
    said = explained(blog, "blog:app", "/posts?id=eq.1", "--method", "DELETE")
    assert "delete: no rows" in said
    assert "Answer     401, and no statement is run" in said
    assert "SQL" not in said
    said = explained(blog, "blog:app", "/api/authors/1", "--as", '{"role": "admin"}')
    assert "select: all rows" in said
    assert "Values     1 = 1" in said


def test_mistakes_are_told(blog: Path) -> None:
    for arguments, told in (
        (("blog:app", "/post"), "No resource serves /post. There are /authors, /notes, /posts. Did you mean /posts?"),
        (("blog:app", "posts"), "Name a path"),
        (("blog:app", "/posts", "--as", "7"), "--as is a JSON object"),
        (("no_blog:app", "/posts"), "There is no module no_blog"),
    ):
        done = run(blog, *arguments)
        assert done.returncode != 0
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_an_existing_database(database_url: str, tmp_path: Path) -> None:
    create = "create table tools (id integer not null, name text)"
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        connection.execute(create)
        connection.close()
    else:
        psql(database_url, create)
    said = explained(tmp_path, database_url, "/tools", "--method", "POST", "--data", '{"id": 1, "name": "saw"}')
    assert "INSERT INTO" in said
    assert "= 'saw'" in said
    assert "404" in explained(tmp_path, database_url, "/tolls")


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        (~AllowAny() & (ReadOnly() | IsAuthenticated()), "~AllowAny() & (ReadOnly() | IsAuthenticated())"),
        (ReadOnly() | When(lambda ctx: ctx.user.role == "a"), 'ReadOnly() | When(lambda ctx: ctx.user.role == "a")'),
        (~(ReadOnly() & When(callable)), "~(ReadOnly() & When(callable))"),
        (When(lambda a: a.user.x) | When(lambda b: b.user.y), "When(lambda a: a.user.x) | When(lambda b: b.user.y)"),
        (Where(lambda ctx: Post.title == "it's"), "Where(posts.title = 'it''s')"),
        (Where(lambda ctx: Post.size.in_(ctx.user["sizes"])), "Where(posts.size IN ctx.user['sizes'])"),
    ],
)  # fmt: skip
def test_rules_are_shown_as_they_are_written(rule: object, shown: str) -> None:
    assert repr(rule) == shown


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_resources_without_rules_are_named_where_others_reach_them(blog: Path, host: str) -> None:
    port = str(free_port())
    process = subprocess.Popen(
        [rowserve(), "serve", "blog:app", "--host", host, "--port", port],
        cwd=blog,
        env=inherited(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    warnings = [line for line in said.splitlines() if line.startswith("Warning")]
    told = (
        "Warning: whoever reaches 0.0.0.0 may read and change everything at /notes: Resource(Note) has neither "
        "permissions nor user."
    )
    assert warnings == ([told] if host == "0.0.0.0" else [])
