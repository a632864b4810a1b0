"""What an application does around the writes of a resource, in their transaction."""

from __future__ import annotations

import enum
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from fastapi import HTTPException
from httpx import AsyncClient
from sqlalchemy import JSON, DateTime, Enum, ForeignKey, Numeric, String, TypeDecorator, Uuid, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Context, Database, Resource
from rowserve.permissions import When, Where
from tests.helpers import application, client_of, refusal, soon

pytestmark = pytest.mark.anyio

Rows = list[dict[str, Any]]


class Base(DeclarativeBase):
    """The models of this module."""


class State(enum.Enum):
    """How far a post is."""

    draft = "d"
    published = "p"


class Shouted(TypeDecorator[str]):
    """A text that is stored in capitals and read in small letters."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else value.upper()

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else value.lower()


class Post(Base):
    """A post."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    state: Mapped[State] = mapped_column(Enum(State), default=State.draft)
    token: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    written: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    day: Mapped[date | None]
    extra: Mapped[Any] = mapped_column(JSON, nullable=True)
    mood: Mapped[str | None] = mapped_column(Shouted)


class Entry(Base):
    """What has happened to a post."""

    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str]
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="SET NULL"))


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TOKEN = uuid.UUID("12345678-1234-5678-1234-567812345678")


class Posts(Resource[Post]):
    """Posts, of which is noted what happens to them."""

    def __init__(self, **options: Any) -> None:
        self.called: list[tuple[str, Any]] = []
        self.mails: list[str] = []
        super().__init__(**options)

    async def before_insert(self, ctx: Context, rows: Rows) -> None:
        for row in rows:
            if row["title"] == "no":
                raise HTTPException(418, "That is no title")
            row["author"] = "Ada"

    async def after_insert(self, ctx: Context, rows: Rows) -> None:
        self.called.append(("inserted", rows))
        await ctx.session.execute(insert(Entry), [{"what": "inserted", "post_id": row["id"]} for row in rows])
        for row in rows:
            ctx.after_commit(self.mails.append, row["title"])
            if row["title"] == "late no":
                raise ValueError("what the hook did not expect")

    async def before_update(self, ctx: Context, rows: Rows, changes: dict[str, Any]) -> None:
        self.called.append(("to update", [dict(row) for row in rows]))
        if any(row["state"] == State.published for row in rows) and changes.get("title"):
            raise HTTPException(409, "It is published", headers={"X-Reason": "late"})
        changes["day"] = date(2026, 11, 28)

    async def after_update(self, ctx: Context, rows: Rows) -> None:
        self.called.append(("updated", rows))

    async def before_delete(self, ctx: Context, rows: Rows) -> None:
        for row in rows:
            if row["state"] == State.published:
                raise HTTPException(409, "It is published")
        await ctx.session.execute(insert(Entry), [{"what": f"to go: {row['title']}"} for row in rows])

    async def after_delete(self, ctx: Context, rows: Rows) -> None:
        self.called.append(("deleted", [row["title"] for row in rows]))


class Blog:
    """A client, and the resource that it speaks to."""

    def __init__(self, client: AsyncClient, posts: Posts) -> None:
        self.client = client
        self.posts = posts

    async def entries(self) -> list[str]:
        return [entry["what"] for entry in (await self.client.get("/entries")).json()]

    async def titles(self) -> list[str]:
        return [post["title"] for post in (await self.client.get("/posts")).json()]


@pytest.fixture
async def blog(database_url: str) -> AsyncIterator[Blog]:
    posts = Posts(tx_override=True)
    async with client_of(application(Database(database_url), Base, posts, Resource(Entry))) as client:
        yield Blog(client, posts)


async def test_hooks_are_given_rows_as_python_has_them(blog: Blog) -> None:
    row = {
        "title": "One",
        "price": "1.50",
        "token": str(TOKEN),
        "written": NOW.isoformat(),
        "day": "2026-01-02",
        "extra": {"a": [1, None]},
        "mood": "Happy",
    }
    answer = await blog.client.post("/posts", json=row)
    assert answer.status_code == 201, answer.text
    assert answer.json()["author"] == "Ada"
    stored = {
        "id": 1,
        "title": "One",
        "author": "Ada",
        "price": Decimal("1.50"),
        "state": State.draft,
        "token": TOKEN,
        "written": NOW,
        "day": date(2026, 1, 2),
        "extra": {"a": [1, None]},
        "mood": "happy",
    }
    assert blog.posts.called == [("inserted", [stored])]
    assert await blog.entries() == ["inserted"]
    answer = await blog.client.patch("/posts/1", json={"title": "Two"})
    assert answer.json()["day"] == "2026-11-28"
    changed = {**stored, "title": "Two", "day": date(2026, 11, 28)}
    assert blog.posts.called[1:] == [("to update", [stored]), ("updated", [changed])]


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-ndjson"])
async def test_many_rows_in_every_form(blog: Blog, accept: str) -> None:
    rows = [{"title": f"{number}", "extra": f"{number}", "price": number} for number in range(3)]
    headers = {"accept": accept, "prefer": "return=representation"}
    answer = await blog.client.post("/posts?select=title", json=rows, headers=headers)
    assert answer.status_code == 201, answer.text
    expected = {
        "application/json": '[{"title":"0"},{"title":"1"},{"title":"2"}]',
        "text/csv": "title\n0\n1\n2",
        "application/x-ndjson": '{"title":"0"}\n{"title":"1"}\n{"title":"2"}\n',
    }
    assert answer.text.replace(" ", "").replace("},\n{", "},{") == expected[accept]
    ((name, stored),) = blog.posts.called
    assert name == "inserted"
    assert [(row["id"], row["title"], row["extra"], row["price"]) for row in stored] == [
        (number + 1, str(number), str(number), number) for number in range(3)
    ]
    await soon(lambda: blog.posts.mails, ["0", "1", "2"])


async def test_what_a_hook_refuses_is_not_written(blog: Blog) -> None:
    answer = await blog.client.post("/posts", json=[{"title": "yes"}, {"title": "no"}])
    assert refusal(answer) == (418, "PT418")
    assert answer.json()["message"] == "That is no title"
    assert (await blog.client.post("/posts", json={"title": "late no"})).status_code == 500
    assert await blog.titles() == []
    assert await blog.entries() == []
    assert blog.posts.mails == []


async def test_a_row_that_the_database_refuses_takes_back_what_hooks_did(blog: Blog) -> None:
    assert (await blog.client.post("/posts", json={"id": 1, "title": "One"})).status_code == 201
    assert refusal(await blog.client.post("/posts", json=[{"id": 2, "title": "x"}, {"id": 1, "title": "y"}])) == (
        409,
        "23505",
    )
    assert await blog.entries() == ["inserted"]
    await soon(lambda: blog.posts.mails, ["One"])


async def test_updates(blog: Blog) -> None:
    rows = [{"title": "a"}, {"title": "b", "state": "published"}, {"title": "c"}]
    for row in rows:
        assert (await blog.client.post("/posts", json=row)).status_code == 201
    refused = await blog.client.patch("/posts?id=lt.3", json={"title": "x"})
    assert refusal(refused) == (409, "PT409")
    assert refused.headers["x-reason"] == "late"
    assert await blog.titles() == ["a", "b", "c"]
    blog.posts.called.clear()
    assert (await blog.client.patch("/posts?id=in.(1,3)", json={"author": "Eve"})).status_code == 204
    assert [(name, [row["author"] for row in rows]) for name, rows in blog.posts.called] == [
        ("to update", ["Ada", "Ada"]),
        ("updated", ["Eve", "Eve"]),
    ]
    blog.posts.called.clear()
    each = [{"id": 3, "author": "Mia"}, {"id": 1, "author": "Max"}, {"id": 9, "author": "Nobody"}]
    assert (await blog.client.patch("/posts", json=each)).status_code == 204
    assert [name for name, _ in blog.posts.called] == ["to update", "to update", "updated"]
    posts = (await blog.client.get("/posts?select=author,day")).json()
    assert [(post["author"], post["day"]) for post in posts] == [
        ("Max", "2026-11-28"),
        ("Ada", None),
        ("Mia", "2026-11-28"),
    ]
    assert refusal(await blog.client.put("/posts/2", json={"title": "x"})) == (409, "PT409")
    assert (await blog.client.put("/posts/1", json={"title": "x"})).json()["day"] == "2026-11-28"
    assert refusal(await blog.client.patch("/posts/9", json={"title": "x"})) == (404, "PGRST116")
    assert refusal(await blog.client.patch("/posts", json={"title": "x"})) == (400, "21000")


async def test_deletes(blog: Blog) -> None:
    rows = [{"title": "a", "state": "draft"}, {"title": "b", "state": "published"}, {"title": "c", "state": "draft"}]
    assert (await blog.client.post("/posts", json=rows)).status_code == 201
    assert refusal(await blog.client.delete("/posts?id=gt.1")) == (409, "PT409")
    assert await blog.titles() == ["a", "b", "c"]
    blog.posts.called.clear()
    assert (await blog.client.delete("/posts/1")).status_code == 204
    assert blog.posts.called == [("deleted", ["a"])]
    assert "to go: a" in await blog.entries()
    assert refusal(await blog.client.delete("/posts/1")) == (404, "PGRST116")


async def test_what_is_tried_leaves_nothing(blog: Blog) -> None:
    answer = await blog.client.post(
        "/posts", json={"title": "a"}, headers={"prefer": "tx=rollback,return=representation"}
    )
    assert answer.json()[0]["author"] == "Ada"
    assert await blog.titles() == []
    assert await blog.entries() == []
    assert blog.posts.mails == []


async def test_what_cannot_be_told_of_is_refused(blog: Blog) -> None:
    merging = {"prefer": "resolution=merge-duplicates"}
    for answer in (
        await blog.client.post("/posts", json={"id": 1, "title": "a"}, headers=merging),
        await blog.client.put("/posts?id=eq.1", json={"title": "a"}),
        await blog.client.post("/posts?select=count()", json={"title": "a"}),
        await blog.client.post("/posts?order=id.desc", json={"title": "a"}),
    ):
        assert refusal(answer) == (400, "PGRST127")
    assert await blog.titles() == []


async def test_related_rows_are_shown_of_what_is_written(blog: Blog) -> None:
    rows = [{"title": "a"}, {"title": "b"}]
    answer = await blog.client.post("/posts?select=title,entries(what)", json=rows)
    assert answer.json() == [{"title": "a", "entries": []}, {"title": "b", "entries": []}]
    headers = {"prefer": "return=representation"}
    answer = await blog.client.patch("/posts?id=gt.0&select=title,entries(what)", json={"price": 1}, headers=headers)
    assert answer.json() == [{"title": name, "entries": [{"what": "inserted"}]} for name in ("a", "b")]


async def test_related_rows_are_shown_in_csv(blog: Blog) -> None:
    headers = {"accept": "text/csv", "prefer": "return=representation"}
    assert (await blog.client.post("/posts", json={"title": "a"})).status_code == 201
    target = "/posts?id=eq.1&select=title,entries(what)"
    answer = await blog.client.patch(target, json={"price": 1}, headers=headers)
    assert answer.text == 'title,entries\na,"[{""what"":""inserted""}]"'


async def test_columns_do_not_keep_out_what_a_hook_adds(blog: Blog) -> None:
    answer = await blog.client.post("/posts?columns=title", json={"title": "a", "author": "Eve"})
    assert answer.json()["author"] == "Ada"


async def test_a_hook_sees_what_its_caller_may_not(database_url: str) -> None:
    """Whoever may write and not read, as into a letter box."""
    seen: list[str] = []

    class Letters(Resource[Post]):
        permissions = Where(lambda ctx: Post.author == "Eve") | When(lambda ctx: ctx.user == "admin")

        async def after_insert(self, ctx: Context, rows: Rows) -> None:
            found = (await ctx.session.scalars(select(Post.title))).all()
            seen.extend(found)

    async with client_of(application(Database(database_url), Base, Letters())) as client:
        answer = await client.post("/posts", json={"title": "a", "author": "Eve"}, headers={"prefer": "return=minimal"})
        assert answer.status_code == 201
        assert seen == ["a"]
        assert refusal(await client.post("/posts", json={"title": "b", "author": "Ada"})) == (401, "42501")
        assert [post["title"] for post in (await client.get("/posts")).json()] == ["a"]


class Page(Base):
    """A page, which has a version."""

    __tablename__ = "pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - as SQLAlchemy has it


async def test_hooks_of_rows_that_have_a_version(database_url: str) -> None:
    seen: list[tuple[str, int]] = []

    class Pages(Resource[Page]):
        async def before_update(self, ctx: Context, rows: Rows, changes: dict[str, Any]) -> None:
            changes["text"] += "!"

        async def after_update(self, ctx: Context, rows: Rows) -> None:
            seen.extend((row["text"], row["revision"]) for row in rows)

        async def after_delete(self, ctx: Context, rows: Rows) -> None:
            seen.extend((row["text"], 0) for row in rows)

    async with client_of(application(Database(database_url), Base, Pages())) as client:
        created = await client.post("/pages", json={"text": "a"})
        first = created.headers["etag"]
        changed = await client.patch("/pages/1", json={"text": "b"}, headers={"if-match": first})
        assert changed.json() == {"id": 1, "text": "b!", "revision": 2}
        second = changed.headers["etag"]
        for method in ("PATCH", "PUT"):
            late = await client.request(method, "/pages/1", json={"text": "c"}, headers={"if-match": first})
            assert late.status_code == 412, late.text
        assert (await client.delete("/pages/1", headers={"if-match": first})).status_code == 412
        assert seen == [("b!", 2)]
        gone = await client.delete("/pages/1", headers={"if-match": second})
        assert gone.status_code == 204
        assert "etag" not in gone.headers
        assert seen == [("b!", 2), ("b!", 0)]


async def test_hooks_see_and_set_what_is_hidden(database_url: str) -> None:
    class Secretive(Resource[Post]):
        hidden = ("author", "mood")

        async def before_insert(self, ctx: Context, rows: Rows) -> None:
            rows[0]["author"] = "Ada"

        async def after_insert(self, ctx: Context, rows: Rows) -> None:
            assert rows[0]["author"] == "Ada"
            assert rows[0]["mood"] is None

        async def before_update(self, ctx: Context, rows: Rows, changes: dict[str, Any]) -> None:
            assert rows[0]["author"] == "Ada"
            changes["mood"] = "Glad"

        async def after_update(self, ctx: Context, rows: Rows) -> None:
            assert rows[0]["mood"] == "glad"

    async with client_of(application(Database(database_url), Base, Secretive())) as client:
        created = await client.post("/posts?select=id,title", json={"title": "a"})
        assert created.json() == {"id": 1, "title": "a"}
        changed = await client.patch("/posts/1", json={"title": "b"})
        assert changed.status_code == 200, changed.text
        assert not {"author", "mood"}.intersection(changed.json())
        assert refusal(await client.patch("/posts/1", json={"author": "Eve"})) == (400, "PGRST204")
        assert refusal(await client.get("/posts?author=eq.Ada")) == (400, "42703")
