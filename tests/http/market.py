"""What is upserted: keys of every kind, and what a model fills in."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Resource


class Base(DeclarativeBase):
    """The market's models."""


class Shop(Base):
    """A shop, known by its name."""

    __tablename__ = "shops"

    name: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int | None]
    motto: Mapped[str] = mapped_column(server_default="Welcome")
    source: Mapped[str] = mapped_column(default="import")
    edits: Mapped[int] = mapped_column(default=0, onupdate=lambda: 1)


class Price(Base):
    """What an article costs in a shop."""

    __tablename__ = "prices"
    __table_args__ = (UniqueConstraint("code", "shop", name="one_code_each"),)

    shop: Mapped[str] = mapped_column(ForeignKey("shops.name"), primary_key=True)
    article: Mapped[str] = mapped_column(primary_key=True)
    cents: Mapped[int | None]
    code: Mapped[int | None]


class Seat(Base):
    """Nothing but a key."""

    __tablename__ = "seats"

    id: Mapped[int] = mapped_column(primary_key=True)


class Visitor(Base):
    """Someone the database numbers, with an address of their own."""

    __tablename__ = "visitors"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]


MARKET = (Resource(Shop), Resource(Price), Resource(Seat), Resource(Visitor))
