"""Compiled reads: one statement, whose text depends on nothing but the shape of the request."""

from __future__ import annotations

import pytest
from sqlalchemy import Dialect, ForeignKey, String
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve.errors import ApiError
from rowserve.query import parse
from rowserve.sql.catalog import Catalog
from rowserve.sql.entity import Entity, mapped_table
from rowserve.sql.models import model_catalog, model_entity
from rowserve.sql.plan import Planner
from rowserve.sql.read import Read, compile_read


class Base(DeclarativeBase):
    """The models of this module."""


class Thing(Base):
    """Something with a unique column and one that is not."""

    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(5), unique=True)
    size: Mapped[int | None]


class Author(Base):
    """Who writes posts."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)


class Post(Base):
    """What is commented on."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))


class Comment(Base):
    """A comment on a post."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))


POSTGRESQL: Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
SQLITE: Dialect = SQLiteDialect_aiosqlite()


@pytest.fixture(params=[POSTGRESQL, SQLITE], ids=["postgresql", "sqlite"])
def entity(request: pytest.FixtureRequest) -> Entity:
    """The thing, on either dialect."""
    return model_entity(Thing, request.param)


def read(entity: Entity, query_string: str) -> Read:
    """The compiled read for a query string."""
    node = Planner(Catalog([entity])).plan(entity, parse(query_string).query)
    return compile_read(node, max_rows=100, count="exact", boundary="far")


def test_values_are_never_part_of_the_text(entity: Entity) -> None:
    query_string = "code=eq.secret&size=in.(4711,4712)&or=(size.gt.4713,id.lt.4714)&limit=4715&offset=4716"
    statement = read(entity, query_string).statement
    for text in (statement.text, statement.joined or ""):
        assert "secret" not in text
        assert "471" not in text


def test_the_same_shape_gives_the_same_text(entity: Entity) -> None:
    one = read(entity, "code=eq.a&size=in.(1)&limit=1")
    other = read(entity, "code=eq.bbb&size=in.(2,3,4)&limit=99")
    assert one.statement.text == other.statement.text
    assert one.statement.joined == other.statement.joined


def test_each_placeholder_has_an_argument(entity: Entity) -> None:
    compiled = read(entity, "code=eq.a&size=in.(1,2)&limit=1&offset=3")
    arguments = compiled.bind(parse("code=eq.a&size=in.(1,2)&limit=1&offset=3").values)
    if entity.dialect.name == "sqlite":
        assert compiled.statement.text.count("?") == len(arguments)
    else:
        assert all(f"${index + 1}" in compiled.statement.text for index in range(len(arguments)))


def test_no_more_than_max_rows_are_asked_for(entity: Entity) -> None:
    compiled = read(entity, "limit=1000")
    assert 100 in compiled.bind((1000,))
    assert 1000 not in compiled.bind((1000,))


@pytest.mark.parametrize("query_string", ["id=eq.1", "id=gt.1", "id=gte.1&id=lt.5", "code=eq.a"])
def test_on_postgresql_requests_share_a_plan_where_one_serves_all_values(query_string: str) -> None:
    assert read(model_entity(Thing, POSTGRESQL), query_string).statement.joined is not None


@pytest.mark.parametrize(
    "query_string", ["size=eq.1", "code=gt.a", "code=like.a*", "size=in.(1)", "or=(id.eq.1,id.eq.2)"]
)
def test_on_postgresql_requests_run_alone_where_the_best_plan_depends_on_the_value(query_string: str) -> None:
    assert read(model_entity(Thing, POSTGRESQL), query_string).statement.joined is None


@pytest.mark.parametrize(
    ("query_string", "shares"),
    [
        ("select=id,posts(id)&id=gt.1", True),
        ("select=id,posts(id,authors(id))&id=gt.1", True),
        ("select=id,posts(id,comments(id))&id=gt.1", False),
        ("select=id,posts(id,comments(id))&id=eq.1", True),
    ],
)
def test_on_postgresql_lists_with_lists_in_their_lists_run_alone(query_string: str, shares: bool) -> None:
    catalog = model_catalog([Author, Post, Comment], POSTGRESQL)
    node = Planner(catalog).plan(catalog.by_table[mapped_table(Author)], parse(query_string).query)
    assert (compile_read(node, max_rows=100).statement.joined is not None) is shares


def test_lengths_do_not_cut_what_is_compared() -> None:
    assert "VARCHAR(5)" not in read(model_entity(Thing, POSTGRESQL), "code=eq.longer").statement.text


def test_unknown_columns_are_named_with_the_columns_there_are(entity: Entity) -> None:
    with pytest.raises(ApiError) as raised:
        read(entity, "colour=eq.red")
    assert raised.value.code == "42703"
    assert raised.value.message == "column things.colour does not exist"
    assert raised.value.hint == "The columns of things are: id, code, size."
