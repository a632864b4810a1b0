"""Rows that are inserted with others inside them, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import Column, DateTime, ForeignKey, Numeric, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from rowserve import Context, Database, Resource
from rowserve.permissions import ReadOnly, Where
from tests.helpers import application, client_of, refusal, soon

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    """The models of this module."""


tagged = Table(
    "tagged",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Author(Base):
    """An author."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list[Post]] = relationship(back_populates="author")


class Post(Base):
    """A post."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    title: Mapped[str] = mapped_column(unique=True)
    price: Mapped[Decimal | None] = mapped_column(Numeric(30, 20))
    author: Mapped[Author] = relationship(back_populates="posts")
    comments: Mapped[list[Comment]] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=tagged)


class Comment(Base):
    """A comment."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    text: Mapped[str]


class Tag(Base):
    """A tag."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Posts(Resource[Post]):
    """Posts, of which no client says whose they are."""

    nested = ("author", "comments", "tags")
    readonly = ("author_id",)
    permissions = ReadOnly() | Where(lambda ctx: Post.title != "forbidden")

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__()

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["title"] = row["title"].strip()

    async def after_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            ctx.after_commit(self.told.append, row["title"])


# Of several resources of a model the first counts, so there is but one for all tests.
POSTS = Posts()
RESOURCES = (Resource(Author, nested={"posts"}, tx_override=True), POSTS, Resource(Comment), Resource(Tag))


class Blog:
    """A client, and the resource of posts that it speaks to."""

    def __init__(self, client: AsyncClient, posts: Posts) -> None:
        self.client = client
        self.posts = posts

    async def counts(self) -> list[int]:
        return [len((await self.client.get(path)).json()) for path in ("/authors", "/posts", "/comments", "/tags")]


@pytest.fixture
async def blog(database_url: str) -> AsyncIterator[Blog]:
    POSTS.told.clear()
    async with client_of(application(Database(database_url), Base, *RESOURCES)) as client:
        yield Blog(client, POSTS)


ADA = {
    "name": "Ada",
    "posts": [
        {"title": " One ", "price": 0.12345678901234567890, "comments": [{"text": "first"}, {"text": "second"}]},
        {"title": "Two", "tags": [{"name": "a"}, {"name": "b"}]},
    ],
}


async def test_a_row_with_rows_in_it(blog: Blog) -> None:
    answer = await blog.client.post("/authors", json=ADA)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/authors/1"
    one, two = answer.json()["posts"]
    assert (one["title"], [comment["text"] for comment in one["comments"]]) == ("One", ["first", "second"])
    assert (two["title"], [tag["name"] for tag in two["tags"]]) == ("Two", ["a", "b"])
    assert await blog.counts() == [1, 2, 2, 2]
    await soon(lambda: blog.posts.told, ["One", "Two"])


async def test_a_row_with_what_it_refers_to_in_it(blog: Blog) -> None:
    answer = await blog.client.post(
        "/posts?select=title,author(name)", json=[{"title": "a", "author": {"name": "Ada"}}]
    )
    assert answer.json() == [{"title": "a", "author": {"name": "Ada"}}]
    minimal = {"prefer": "return=minimal"}
    answer = await blog.client.post("/posts", json={"title": "b", "author": {"name": "Eve"}}, headers=minimal)
    assert (answer.status_code, answer.text) == (201, "")
    assert await blog.counts() == [2, 2, 0, 0]


async def test_exact_numbers_stay_exact(postgresql_url: str) -> None:
    """SQLite has no exact numbers."""
    async with client_of(application(Database(postgresql_url), Base, *RESOURCES)) as client:
        body = b'{"name": "Ada", "posts": [{"title": "a", "price": 0.12345678901234567891}]}'
        answer = await client.post("/authors", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 201
        assert (await client.get("/posts?select=price::text")).json() == [{"price": "0.12345678901234567891"}]


@pytest.mark.parametrize(
    ("posts", "status", "code"),
    [
        ([{"title": "a", "nothing": 1}], 400, "PGRST204"),
        ([{"title": "a"}, {"title": "a"}], 409, "23505"),
        ([{"title": "a"}, {"title": "forbidden"}], 401, "42501"),
        ([{"title": "a", "author_id": 7}], 400, "428C9"),
        ([{"title": "a", "comments": [{"text": None}]}], 400, "23502"),
        ({"title": "a"}, 400, "PGRST102"),
        ([1], 400, "PGRST102"),
        ([{}], 400, "23502"),
    ],
)
async def test_all_or_nothing(blog: Blog, posts: Any, status: int, code: str) -> None:
    answer = await blog.client.post("/authors", json={"name": "Ada", "posts": posts})
    assert refusal(answer) == (status, code), answer.text
    assert await blog.counts() == [0, 0, 0, 0]
    assert blog.posts.told == []


async def test_nothing_of_what_was_tried_is_left(blog: Blog) -> None:
    answer = await blog.client.post("/authors", json=ADA, headers={"prefer": "tx=rollback,return=representation"})
    assert [post["title"] for post in answer.json()[0]["posts"]] == ["One", "Two"]
    assert await blog.counts() == [0, 0, 0, 0]


async def test_what_is_sent_again_is_done_once(blog: Blog) -> None:
    answers = [await blog.client.post("/authors", json=ADA, headers={"idempotency-key": "x"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await blog.counts() == [1, 2, 2, 2]


async def test_only_what_is_said_may_be_nested(blog: Blog) -> None:
    assert refusal(await blog.client.post("/tags", json={"name": "a", "posts": []})) == (400, "PGRST204")
    merging = {"prefer": "resolution=merge-duplicates"}
    assert refusal(await blog.client.post("/authors", json=ADA, headers=merging)) == (400, "PGRST127")
    assert (await blog.client.post("/authors", json={"name": "posts"})).json() == {"id": 1, "name": "posts"}
    answer = await blog.client.post("/authors", json={"name": "b", "posts": []})
    assert answer.json() == {"id": 2, "name": "b", "posts": []}


def test_names_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="nested: authors has no relationship 'books'"):
        Resource(Author, nested={"books"})


class Link(Base):
    """That a page is about a topic."""

    __tablename__ = "links"

    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), primary_key=True)


class Topic(Base):
    """A topic."""

    __tablename__ = "topics"

    id: Mapped[int] = mapped_column(primary_key=True)


class Page(Base):
    """A page."""

    __tablename__ = "pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    topics: Mapped[list[Topic]] = relationship(secondary="links")


async def test_rows_between_are_under_their_own_rules(database_url: str) -> None:
    rule = ReadOnly() | Where(lambda ctx: Link.topic_id < 10)
    resources = (Resource(Page, nested={"topics"}), Resource(Topic), Resource(Link, permissions=rule))
    async with client_of(application(Database(database_url), Base, *resources)) as client:
        assert refusal(await client.post("/pages", json={"topics": [{"id": 9}, {"id": 10}]})) == (401, "42501")
        assert (await client.get("/topics")).json() == []
        assert (await client.post("/pages", json={"topics": [{"id": 8}, {"id": 9}]})).status_code == 201
        assert len((await client.get("/links")).json()) == 2


async def test_what_is_nested_too_deep(blog: Blog) -> None:
    body: dict[str, Any] = {"name": "Ada"}
    for _ in range(300):
        body = {"name": "Ada", "posts": [{"title": "a", "author": body}]}
    assert refusal(await blog.client.post("/authors", json=body)) == (400, "PGRST100")
    assert await blog.counts() == [0, 0, 0, 0]


async def test_one_object_is_wanted_of_one_row(blog: Blog) -> None:
    headers = {"accept": "application/vnd.pgrst.object+json"}
    assert (await blog.client.post("/authors", json=ADA, headers=headers)).json()["name"] == "Ada"
    two = [{"name": "Eve", "posts": []}, {"name": "Mia", "posts": []}]
    assert refusal(await blog.client.post("/authors", json=two, headers=headers)) == (406, "PGRST116")
    assert await blog.counts() == [1, 2, 2, 2]


class Event(Base):
    """Something that takes place."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    guests: Mapped[list[Guest]] = relationship()


class Guest(Base):
    """Who comes."""

    __tablename__ = "guests"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))


async def test_moments_are_shown_in_the_time_zone_that_is_asked_for(database_url: str) -> None:
    resources = (Resource(Event, nested={"guests"}), Resource(Guest))
    async with client_of(application(Database(database_url), Base, *resources)) as client:
        body = {"start": "2026-01-02T03:04:05Z", "guests": [{}]}
        headers = {"prefer": "timezone=America/Los_Angeles, return=representation"}
        answer = await client.post("/events?select=start", json=body, headers=headers)
        assert answer.json() == [{"start": "2026-01-01T19:04:05-08:00"}]
