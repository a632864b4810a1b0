"""A blog: every kind of relationship, and columns that are computed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from httpx import AsyncClient
from sqlalchemy import Column, ForeignKey, Table, func, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship

from rowserve import Database, Resource
from tests.helpers import application, client_of


class Base(DeclarativeBase):
    """The blog's models."""


post_tags = Table(
    "post_tags",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Author(Base):
    """Who writes."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[str]
    last: Mapped[str]
    written: Mapped[list[Post]] = relationship(back_populates="author", foreign_keys="Post.author_id")

    @hybrid_property
    def full_name(self) -> str:
        """Both names."""
        return self.first + " " + self.last


class Profile(Base):
    """What is known of an author: one each at the most."""

    __tablename__ = "profiles"

    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), primary_key=True)
    motto: Mapped[str]


class Post(Base):
    """What is written, by one author and perhaps edited by another."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    words: Mapped[int | None]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id", name="posts_author_fkey"))
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id", name="posts_editor_fkey"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    author: Mapped[Author] = relationship(back_populates="written", foreign_keys=[author_id])
    tags: Mapped[list[Tag]] = relationship(secondary=post_tags)


class Tag(Base):
    """What posts are about."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Comment(Base):
    """What is said of a post."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    text: Mapped[str]


Post.comment_count = column_property(
    select(func.count(Comment.id)).where(Comment.post_id == Post.id).correlate_except(Comment).scalar_subquery()
)

RESOURCES = (
    Resource(Author),
    Resource(Profile),
    Resource(Post, allow_unfiltered_writes=True),
    Resource(Tag),
    Resource(Comment),
)

AUTHORS = [("Ada", "Lovelace"), ("Grace", "Hopper"), ("Alan", "Turing")]
POSTS = [  # title, words, author, editor, parent, tags
    ("Notes", 100, 1, None, None, (1, 2)),
    ("More notes", 50, 1, 2, 1, (1,)),
    ("Compilers", None, 2, 1, None, ()),
    ("Bugs", 7, 2, None, 3, (2,)),
]


@asynccontextmanager
async def blog(url: str) -> AsyncIterator[AsyncClient]:
    """A client of a blog with some of everything in it; Alan has written nothing."""
    database = Database(url)
    async with client_of(application(database, Base, *RESOURCES)) as client:
        async with database.begin() as session:
            session.add_all([Tag(id=1, name="maths"), Tag(id=2, name="history"), Tag(id=3, name="unused")])
            session.add_all([Author(id=n, first=first, last=last) for n, (first, last) in enumerate(AUTHORS, 1)])
            await session.flush()
            session.add(Profile(author_id=1, motto="Analytical"))
            for title, words, author, editor, parent, tags in POSTS:
                post = Post(title=title, words=words, author_id=author, editor_id=editor, parent_id=parent)
                session.add(post)
                await session.flush()
                for tag in tags:
                    await session.execute(post_tags.insert().values(post_id=post.id, tag_id=tag))
            texts = [(1, "first"), (1, "second"), (4, "third")]
            session.add_all([Comment(post_id=post, text=text) for post, text in texts])
        yield client
