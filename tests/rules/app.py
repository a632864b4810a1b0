"""A blog with rules, on models and with rows of which it is easy to tell who may see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header
from httpx import AsyncClient
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column, relationship

from rowserve import Database, ReadSession, Resource
from rowserve.permissions import AllowAny, IsAuthenticated, ReadOnly, When, Where
from tests.helpers import application, client_of


class Base(DeclarativeBase):
    """The models of this module."""


class User(Base):
    """Who writes: everybody may see them."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list[Post]] = relationship(back_populates="author")


class Post(Base):
    """What is written: to be seen by its author alone until it is published, and to be changed by nobody else."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    published: Mapped[bool] = mapped_column(default=False)
    size: Mapped[int] = mapped_column(default=1)
    author: Mapped[User] = relationship(back_populates="posts")


class Comment(Base):
    """What is said of a post: to be seen by whoever sees the post."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    text: Mapped[str]


class Tag(Base):
    """A word."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


class PostTag(Base):
    """Which posts a word is on: the words themselves are no secret, the odd ones of them are."""

    __tablename__ = "post_tags"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), primary_key=True)


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    id: int
    role: str


async def caller(x_user: Annotated[str | None, Header()] = None) -> Caller | None:
    """Who a header says it is: a number, and a role behind a slash."""
    if x_user is None:
        return None
    number, _, role = x_user.partition("/")
    return Caller(int(number), role)


IS_ADMIN = When(lambda ctx: ctx.user.role == "admin")
IS_OWN = Where(lambda ctx: Post.author_id == ctx.user.id)
IS_PUBLISHED = ReadOnly() & Where(lambda ctx: Post.published)
Read = aliased(Post)


class Posts(Resource[Post]):
    """What is written."""

    user = Depends(caller)
    permissions = IS_ADMIN | IS_PUBLISHED | IsAuthenticated() & IS_OWN
    allow_unfiltered_writes = True


def of_published(_: Any) -> Any:
    """Of a post that is published; by a subquery over another name for the table."""
    return select(Read.id).where(Read.id == Comment.post_id, Read.published).exists()


def of_own(ctx: Any) -> Any:
    """Of one's own post."""
    return Comment.post_id.in_(select(Post.id).where(Post.author_id == ctx.user.id))


def resources() -> tuple[Resource[Any], ...]:
    """The resources of the application."""
    posts = Posts()

    @posts.function
    async def all_posts(session: ReadSession) -> list[Post]:
        return list(await session.scalars(select(Post)))

    under = {"user": Depends(caller)}
    comments = IS_ADMIN | ReadOnly() & Where(of_published) | Where(of_own)
    return (
        posts,
        Resource(User, permissions=ReadOnly() | IS_ADMIN, **under),
        Resource(Comment, permissions=comments, **under),
        Resource(Tag, permissions=AllowAny(), **under),
        Resource(PostTag, permissions=IS_ADMIN | Where(lambda ctx: PostTag.tag_id % 2 == 0), **under),
    )


USERS: list[dict[str, Any]] = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}, {"id": 3, "name": "Cem"}]
POSTS: list[dict[str, Any]] = [
    {"id": 1, "title": "a", "author_id": 1, "published": True, "size": 1},
    {"id": 2, "title": "b", "author_id": 1, "published": False, "size": 2},
    {"id": 3, "title": "c", "author_id": 2, "published": True, "size": 4},
    {"id": 4, "title": "d", "author_id": 2, "published": False, "size": 8},
    {"id": 5, "title": "e", "author_id": 3, "published": False, "size": 16},
]
COMMENTS: list[dict[str, Any]] = [
    {"id": 10 * post + n, "post_id": post, "text": f"{post}.{n}"} for post in (1, 2, 3, 4, 5) for n in (1, 2)
]
TAGS: list[dict[str, Any]] = [{"id": 1, "word": "odd"}, {"id": 2, "word": "even"}]
POST_TAGS = [{"post_id": post, "tag_id": tag} for post in (1, 2, 3, 4, 5) for tag in (1, 2)]

CALLERS: dict[str, dict[str, str]] = {
    "anonymous": {},
    "owner": {"x-user": "1/"},
    "other": {"x-user": "2/"},
    "admin": {"x-user": "9/admin"},
}
NUMBERS = {"owner": 1, "other": 2, "admin": 9}


def sees(who: str, post: dict[str, Any]) -> bool:
    """Whether somebody may see a post."""
    return bool(post["published"]) or owns(who, post)


def owns(who: str, post: dict[str, Any]) -> bool:
    """Whether somebody may change a post."""
    return who == "admin" or NUMBERS.get(who) == post["author_id"]


@asynccontextmanager
async def blog(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of the application and its rows."""
    async with client_of(application(Database(database_url), Base, *resources())) as client:
        tables = {"users": USERS, "posts": POSTS, "comments": COMMENTS, "tags": TAGS, "post_tags": POST_TAGS}
        for name, rows in tables.items():
            answer = await client.post(f"/{name}", json=rows, headers=CALLERS["admin"])
            assert answer.status_code == 201, answer.text
        yield client
