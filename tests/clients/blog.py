"""The blog that the clients are tried on: every kind of relationship, columns of the usual types, and functions."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

from sqlalchemy import JSON, ForeignKey, Numeric, String, select, true, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from rowserve import Functions, ReadSession, Session


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    born: Mapped[datetime.date | None]
    active: Mapped[bool] = mapped_column(server_default=true())
    settings: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    profile: Mapped[Profile | None] = relationship(back_populates="author")
    posts: Mapped[list[Post]] = relationship(back_populates="author")


class Profile(Base):
    """At most one for each author."""

    __tablename__ = "profiles"

    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id", ondelete="CASCADE"), primary_key=True)
    bio: Mapped[str]

    author: Mapped[Author] = relationship(back_populates="profile")


class PostTag(Base):
    """That a post has a tag."""

    __tablename__ = "post_tags"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)


class Post(Base):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    title: Mapped[str] = mapped_column(String(200))
    views: Mapped[int] = mapped_column(server_default="0")
    rating: Mapped[decimal.Decimal | None] = mapped_column(Numeric(3, 1))
    published_at: Mapped[datetime.datetime | None]

    author: Mapped[Author] = relationship(back_populates="posts")
    tags: Mapped[list[Tag]] = relationship(secondary="post_tags", back_populates="posts")


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(unique=True)

    posts: Mapped[list[Post]] = relationship(secondary="post_tags", back_populates="tags")


rpc = Functions()
"""The same functions as those of ``functions.sql``, for a blog that is served as models."""


@rpc.function
async def add(a: int, b: int) -> int:
    return a + b


@rpc.function
async def popular(session: ReadSession, minimum: int) -> list[Post]:
    return list(await session.scalars(select(Post).where(Post.views >= minimum)))


@rpc.function
async def rename_author(session: Session, author: int, called: str) -> None:
    await session.execute(update(Author).where(Author.id == author).values(name=called))
