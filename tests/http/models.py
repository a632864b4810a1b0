"""A library: authors, their books, and who lends them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The library's models."""


class Author(Base):
    """Who writes books."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True, comment="As it is printed on the cover.")
    born: Mapped[date | None]


class Book(Base):
    """What authors write."""

    __tablename__ = "books"
    __table_args__ = (
        UniqueConstraint("title", "author_id", name="one_title_each"),
        CheckConstraint("pages > 0", name="some_pages"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    pages: Mapped[int | None]
    lent: Mapped[bool] = mapped_column(default=False)


class Loan(Base):
    """A book that is lent to a reader."""

    __tablename__ = "loans"

    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), primary_key=True, autoincrement=False)
    reader: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(default=14)


class Score(Base):
    """What games are ordered by: with ties, and with NULLs."""

    __tablename__ = "scores"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    points: Mapped[int | None]
    rank: Mapped[float | None]
    played: Mapped[bool | None]
