"""The films that the examples of docs/dialect.md are about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from httpx import AsyncClient
from sqlalchemy import JSON, DateTime, ForeignKey, Numeric, String, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY, INT4RANGE, JSONB, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship

from rowserve import Database, Functions, ReadSession, Resource, Session
from tests.helpers import application, client_of


class Base(DeclarativeBase):
    """The models of the examples."""


class Director(Base):
    """Who directs films."""

    __tablename__ = "directors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    born: Mapped[date | None]


class Film(Base):
    """A film, perhaps one that goes on where another ended."""

    __tablename__ = "films"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text, unique=True)
    year: Mapped[int]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2), server_default="9.99")
    tags: Mapped[Any] = mapped_column(ARRAY(String).with_variant(JSON(), "sqlite"), nullable=True)
    extra: Mapped[Any] = mapped_column(JSONB().with_variant(JSON(), "sqlite"), nullable=True)
    shown: Mapped[Any] = mapped_column(INT4RANGE().with_variant(Text(), "sqlite"), nullable=True)
    released: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    director_id: Mapped[int] = mapped_column(ForeignKey("directors.id"))
    sequel_of: Mapped[int | None] = mapped_column(ForeignKey("films.id"))
    director: Mapped[Director] = relationship()
    label = column_property(func.upper(title))


class Spec(Base):
    """How a film was made: one row each at the most."""

    __tablename__ = "specs"

    film_id: Mapped[int] = mapped_column(ForeignKey("films.id"), primary_key=True)
    camera: Mapped[str]


class Actor(Base):
    """Who plays in films."""

    __tablename__ = "actors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Role(Base):
    """Who plays in which."""

    __tablename__ = "roles"

    film_id: Mapped[int] = mapped_column(ForeignKey("films.id"), primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), primary_key=True)


rpc = Functions()


@rpc.function
async def cheap(session: ReadSession, below: float = 10) -> list[Film]:
    """Films that cost less."""
    return list(await session.scalars(select(Film).where(Film.price < below)))


@rpc.function
async def total(session: ReadSession, years: list[int]) -> int:
    """How many films there are of some years."""
    return len((await session.scalars(select(Film.id).where(Film.year.in_(years)))).all())


@rpc.function
async def direct(session: Session, name: str) -> Director:
    """A new director."""
    director = Director(name=name)
    session.add(director)
    await session.flush()
    return director


FILMS = [
    ("Metropolis", 1927, "9.50", ["city", "robot"], {"colour": False, "length": 153}, 1, None),
    ("M", 1931, "8.00", ["city"], {"colour": False, "length": 117}, 1, None),
    ("Playtime", 1967, "12.00", ["city", "comedy"], {"colour": True, "length": 124}, 2, None),
    ("Trafic", 1971, None, None, None, 2, 3),
]


def rows(shown: Any) -> Iterator[Base]:
    """What is stored, each behind what it refers to; keys are given out from 1."""
    yield Director(name="Lang", born=date(1890, 12, 5))
    yield Director(name="Tati")
    for title, year, price, tags, extra, director_id, sequel_of in FILMS:
        yield Film(
            title=title,
            year=year,
            price=None if price is None else Decimal(price),
            tags=tags,
            extra=extra,
            shown=shown,
            released=datetime(year, 1, 10, 20, tzinfo=UTC),
            director_id=director_id,
            sequel_of=sequel_of,
        )
    yield from (Spec(film_id=1, camera="Mitchell"), Actor(name="Helm"), Actor(name="Lorre"))
    yield from (Role(film_id=1, actor_id=1), Role(film_id=2, actor_id=2))


@asynccontextmanager
async def films(url: str) -> AsyncIterator[AsyncClient]:
    """A client of the films, on a database."""
    database = Database(url)
    models = (Director, Film, Spec, Actor, Role)
    resources = [Resource(model, tx_override=True, explain=True) for model in models]
    app = application(database, Base, *resources)
    app.include_router(rpc)
    async with client_of(app) as client:
        async with database.begin() as session:
            for row in rows(Range(1, 9) if url.startswith("postgresql") else None):
                session.add(row)
                await session.flush()
        yield client
