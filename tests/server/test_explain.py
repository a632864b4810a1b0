"""``rowserve explain``: the rule and the statement of a request that nobody sends."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from pathlib import Path
from weakref import WeakSet

import pytest
from click.testing import CliRunner, Result

from rowserve import Database, database
from rowserve.server import cli, explanation
from tests.processes import psql, rowserve

APP = """
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from rowserve import Context, Database, Functions, Resource
from rowserve.permissions import IsAuthenticated, ReadOnly, When, Where


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str]
    author: Mapped[User] = relationship()


class Word(Base):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)


class Users(Resource[User]):
    permissions = ReadOnly() | When(lambda ctx: ctx.user.role == "admin")


class Posts(Resource[Post]):
    permissions = IsAuthenticated()

    def query(self, ctx: Context) -> Any:
        return select(Post).where(Post.author_id.in_(ctx.user.teams))

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        raise AssertionError("it is not called")


rpc = Functions()


@rpc.function
async def add(a: int) -> int:
    return a


async def lifespan(app):
    raise AssertionError("it is not started")
    yield


db = Database()
app = FastAPI(lifespan=asynccontextmanager(lifespan))
app.include_router(Users(prefix="/people"), prefix="/v1")
app.include_router(Posts())
mounted = FastAPI()
mounted.include_router(Resource(Word))
app.mount("/other", mounted)
app.include_router(rpc)


@app.get("/signup/{name}")
async def signup(name: str) -> str:
    return name
"""
MEMBER = '{"sub": "7", "teams": [1, 2]}'


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The target of an application whose database is nowhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known: WeakSet[Database] = WeakSet()  # those of the tests before would be there too
    for module in (explanation, database):
        monkeypatch.setattr(module, "known", known)
    name = f"app_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(APP)
    return f"{name}:app"


def explain(*arguments: str, url: str = "postgresql://nobody@nowhere/app") -> Result:
    return CliRunner(env={"DATABASE_URL": url}).invoke(cli.main, ["explain", *arguments])


def told(*arguments: str, url: str = "postgresql://nobody@nowhere/app") -> str:
    """What the command says."""
    done = explain(*arguments, url=url)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_rule_and_what_it_comes_to(app: str) -> None:
    said = told(app, "--as", MEMBER, "/posts?select=title,author(name)&title=eq.x").splitlines()
    assert said[:10] == [
        "/posts is served by the resource of posts.",
        "Rule: Where(Posts.query) & IsAuthenticated()",
        'For {"sub":"7","teams":[1,2]}:',
        "  IsAuthenticated(): true",
        "  may select the rows where posts.author_id IN (1, 2)",
        "",
        "Embedded: users.",
        'Rule: ReadOnly() | When(lambda ctx: ctx.user.role == "admin")',
        'For {"sub":"7","teams":[1,2]}:',
        '  When(lambda ctx: ctx.user.role == "admin"): it cannot be told',
    ]
    assert said[-2:] == ["$1 = 'x'", "$2 = (1, 2)"]
    assert any(re.search(r"posts_r1.title = \$1\S* AND posts_r1.author_id = any\(\$2", line) for line in said), said


def test_for_nobody_known_a_write_is_refused(app: str) -> None:
    said = told(app, "/v1/people/3", "--method", "delete")
    assert "For nobody known:\n" in said
    assert "  may select every row\n  may delete no row, as it cannot be told which\n" in said
    assert "No statement: the answer is 401 42501: permission denied for table users" in said


@pytest.mark.parametrize("url", ["postgresql://nobody@nowhere/app", "sqlite:///nowhere/app.db"])
def test_writes(app: str, tmp_path: Path, url: str) -> None:
    admin = ("--as", '{"role": "admin"}')
    sign = "$" if url.startswith("postgresql") else "?"
    changed = told(app, *admin, "/v1/people/3", "--method", "PATCH", "--data", '{"name": "Ada"}', url=url)
    assert "may update every row" in changed
    assert re.search(r"UPDATE users SET name=", changed)
    assert f"{sign}1 = 'Ada'\n{sign}2 = 3" in changed
    many = told(app, *admin, "/v1/people", "--method", "POST", "--data", '[{"name": "x"}, {"name": "y"}]', url=url)
    assert "INSERT INTO users" in many
    assert "It writes 2 rows." in many
    hooked = told(
        app, "--as", MEMBER, "/posts", "--method", "POST", "--data", '{"title": "x", "author_id": 1}', url=url
    )
    assert "Hooks, which are not called here: before_insert." in hooked
    assert "INSERT INTO posts" in hooked
    assert not list(tmp_path.rglob("*.db"))


def test_what_is_without_rules_and_mounted(app: str) -> None:
    said = told(app, "/other/words/7")
    assert said.startswith("/other/words/7 is served by the resource of words.\nNo rule: everybody may")
    assert "words_r1.id = $1" in said
    assert said.endswith("$1 = 7\n")


def test_paths_that_no_resource_serves(app: str) -> None:
    nothing = explain(app, "/posst?select=id")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "No resource serves /posst. There are: /other/words, /posts, /v1/people." in nothing.stderr
    endpoint = explain(app, "/signup/ada")
    assert endpoint.exit_code == 1
    assert "/signup/ada is no resource's, but a function of the application" in endpoint.stderr
    assert "/rpc/add is no resource's" in explain(app, "/rpc/add", "--method", "POST").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["app:app"], "Which path?"),
        (["a", "b", "/c"], "Which path?"),
        (["/users", "--as", "7"], "--as takes a JSON object"),
        (["/users", "--as", "{"], "--as takes a JSON object"),
        (["nothing:app", "/users"], "There is no module nothing"),
        (["sqlite:///nothing.db", "/users"], "There is no file nothing.db"),
    ],
)
def test_what_it_cannot_do_anything_with(app: str, arguments: list[str], message: str) -> None:
    refused = explain(*arguments)
    assert refused.exit_code in (1, 2)
    assert message in refused.stderr


def test_a_mistake_in_the_query_is_told(app: str) -> None:
    assert "the answer is 400 42703: column posts.nope does not exist" in told(app, "--as", MEMBER, "/posts?nope=eq.1")


def test_models(app: str, tmp_path: Path) -> None:
    models = APP.partition("class Users")[0]
    (tmp_path / "models.py").write_text(models)
    said = told("models.py", "/api/posts?id=eq.1", "--prefix", "api", url="sqlite://")
    assert "?1 = 1" in said
    assert "There are: /posts, /users, /words." in explain("models.py", "/post", url="sqlite://").stderr
    assert "users_r1" in told("/users", url="sqlite://")


def test_an_existing_database(app: str, postgresql_url: str) -> None:
    psql(postgresql_url, "create table tools (id int primary key); create schema other")
    psql(postgresql_url, "create table other.notes (id int primary key, text text)")
    psql(
        postgresql_url,
        "create function add_tool(number int) returns void language sql as 'insert into tools values (number)'",
    )
    said = told(postgresql_url, "/tools/7", "--method", "DELETE")
    assert "DELETE FROM public.tools WHERE public.tools.id = $1" in said
    assert said.endswith("$1 = 7\n")
    assert "FROM other.notes" in told(postgresql_url, "/notes", "--schema", "other")
    assert "add_tool" in told(postgresql_url, "/rpc/add_tool", "--method", "POST", "--data", '{"number": 8}')
    nothing = explain(postgresql_url, "/toolz")
    assert nothing.exit_code == 1
    assert "No resource serves /toolz. Perhaps you meant the table 'public.tools'" in nothing.stderr
    assert psql(postgresql_url, "select count(*) from tools") == "0"


def test_several_databases(app: str, tmp_path: Path) -> None:
    (tmp_path / f"{app.partition(':')[0]}.py").write_text(
        APP.replace("db = Database()", 'db, other = Database("sqlite://"), Database("postgresql:///x")')
    )
    assert "Resource(Word) does not say which is its own" in explain(app, "/other/words").stderr


def test_the_command_itself(app: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [rowserve(), "explain", app, "/other/words"], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "FROM words" in done.stdout
