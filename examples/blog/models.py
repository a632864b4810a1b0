"""The tables: plain SQLAlchemy, with nothing of rowserve in it."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, DateTime, Enum, ForeignKey, Integer, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

LETTERS_A_MINUTE = 1_000


class Base(DeclarativeBase):
    """The models of the blog."""


class Role(enum.Enum):
    """What somebody may do."""

    reader = "reader"
    author = "author"
    admin = "admin"


class User(Base):
    """Whoever has signed up."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(Enum(Role), default=Role.reader)
    posts: Mapped[list[Post]] = relationship(back_populates="author")


class PostTag(Base):
    """That a post is about something."""

    __tablename__ = "post_tags"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)


class Post(Base):
    """A post: a draft, until it is published."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    slug: Mapped[str] = mapped_column(unique=True, comment="Its name in URLs")
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)
    moderation_note: Mapped[str | None]
    revision: Mapped[int] = mapped_column()
    author: Mapped[User] = relationship(back_populates="posts")
    comments: Mapped[list[Comment]] = relationship(back_populates="post")
    tags: Mapped[list[Tag]] = relationship(secondary="post_tags", viewonly=True)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - as SQLAlchemy has it

    @hybrid_property
    def minutes(self) -> int:
        """How long it takes to read."""
        return len(self.body) // LETTERS_A_MINUTE + 1

    @minutes.inplace.expression
    @classmethod
    def _minutes(cls) -> ColumnElement[int]:
        return func.length(cls.body, type_=Integer()) // LETTERS_A_MINUTE + 1


class Comment(Base):
    """What somebody has to say of a post."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))
    post: Mapped[Post] = relationship(back_populates="comments")


class Tag(Base):
    """What posts may be about."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
