"""Rules by the relationships of a model: ``Comment.post.has(…)``, ``Post.tags.any(…)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Depends
from httpx import AsyncClient
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column, relationship

from rowserve import Context, Database, Resource
from rowserve.permissions import AllowAny, ReadOnly, When, Where
from tests.helpers import application, client_of

from .app import caller

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    """The models of this module."""


class Post(Base):
    """What is written."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int]
    kind: Mapped[str]
    notes: Mapped[list[Note]] = relationship(back_populates="post")


class Note(Base):
    """What is noted on it."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    writer_id: Mapped[int]
    after_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    post: Mapped[Post] = relationship(back_populates="notes")
    after: Mapped[Note | None] = relationship(remote_side="Note.id")


Other = aliased(Note)
POSTS: list[dict[str, Any]] = [{"id": 1, "author_id": 1, "kind": "open"}, {"id": 2, "author_id": 2, "kind": "closed"}]
NOTES: list[dict[str, Any]] = [
    {"id": 11, "post_id": 1, "writer_id": 1, "after_id": None},
    {"id": 12, "post_id": 1, "writer_id": 2, "after_id": 11},
    {"id": 21, "post_id": 2, "writer_id": 1, "after_id": None},
    {"id": 22, "post_id": 2, "writer_id": 2, "after_id": 21},
]
RULES: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "of who asks": (lambda ctx: Note.post.has(Post.author_id == ctx.user.id), [11, 12]),
    "of a kind": (lambda ctx: Note.post.has(Post.kind == "closed"), [21, 22]),
    "of a kind, by its name": (lambda ctx: Note.post.has(kind="closed"), [21, 22]),
    "of the row itself": (lambda ctx: Note.post.has(Post.author_id == Note.writer_id), [11, 22]),
    "of another row": (lambda ctx: Note.after.has(writer_id=1), [12, 22]),
    "of many": (lambda ctx: Note.post.has(Post.notes.of_type(Other).any(Other.after_id == 11)), [11, 12]),
    "of none": (lambda ctx: ~Note.post.has(Post.author_id == ctx.user.id), [21, 22]),
}


@pytest.mark.parametrize("name", RULES)
async def test_reading_and_writing(name: str, database_url: str) -> None:
    condition, granted = RULES[name]
    is_admin = When(lambda ctx: ctx.user.role == "admin")
    database = Database(database_url)
    # Each for this database alone: else what is embedded were under the rule of the first test.
    notes = Resource(Note, database=database, user=Depends(caller), permissions=is_admin | Where(condition))
    posts = Resource(Post, database=database, user=Depends(caller), permissions=AllowAny())
    app = application(database, Base, notes, posts)
    async with client_of(app) as client:
        for path, rows in (("/posts", POSTS), ("/notes", NOTES)):
            assert (await client.post(path, json=rows, headers={"x-user": "9/admin"})).status_code == 201

        await sees(client, granted)
        for note in NOTES:
            answer = await client.patch(f"/notes/{note['id']}", json={"id": note["id"]}, headers={"x-user": "1"})
            assert answer.status_code == (200 if note["id"] in granted else 404), answer.text
            sent = {**note, "id": 100 + note["id"]}
            answer = await client.post("/notes", json=sent, headers={"x-user": "1"})
            assert answer.status_code == (201 if note["id"] in granted else 403), answer.text


async def sees(client: AsyncClient, granted: list[int]) -> None:
    """In a list, embedded, and by a filter on what is embedded."""
    as_one = {"x-user": "1"}
    listed = await client.get("/notes?select=id", headers=as_one)
    assert listed.json() == [{"id": number} for number in granted]
    embedded = await client.get("/posts?select=notes(id)", headers=as_one)
    assert [note["id"] for post in embedded.json() for note in post["notes"]] == granted
    filtered = await client.get("/posts?select=id,notes!inner()", headers=as_one)
    assert [post["id"] for post in filtered.json()] == sorted({number // 10 for number in granted})


class Notes(Resource[Note]):
    """Notes that are written by who sends them."""

    user = Depends(caller)
    readonly = frozenset({"writer_id"})
    permissions = Where(lambda ctx: Note.post.has(kind="open")) & (
        ReadOnly() | Where(lambda ctx: Note.writer_id == ctx.user.id)
    )

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["writer_id"] = ctx.user.id


async def test_who_is_nobody_known_is_refused_before_hooks_are_asked(database_url: str) -> None:
    database = Database(database_url)
    posts = Resource(Post, database=database)
    async with client_of(application(database, Base, posts, Notes(database=database))) as client:
        assert (await client.post("/posts", json=POSTS)).status_code == 201
        note = {"id": 11, "post_id": 1, "after_id": None}
        assert (await client.post("/notes", json=note)).status_code == 401
        answer = await client.post("/notes", json=note, headers={"x-user": "1"})
        assert answer.status_code == 201, answer.text
        assert (
            await client.post("/notes", json={**note, "id": 12, "post_id": 2}, headers={"x-user": "1"})
        ).status_code == 403
        assert len((await client.get("/notes")).json()) == 1
