"""A diary: days with notes, and values of the types that formats show each their own way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from httpx import AsyncClient
from sqlalchemy import JSON, DateTime, ForeignKey, Numeric, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from tests.helpers import application, client_of


class Base(DeclarativeBase):
    """The diary's models."""


class Shouted(TypeDecorator[str]):
    """Text that Python shows in capitals."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        """Capitals; a mark where there is nothing."""
        return "-" if value is None else str(value).upper()


class Day(Base):
    """A day."""

    __tablename__ = "days"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    title: Mapped[str | None]
    good: Mapped[bool | None]
    spent: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    warmth: Mapped[float | None]
    more: Mapped[Any] = mapped_column(JSON, nullable=True)


class Note(Base):
    """What is said of a day."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    day_id: Mapped[int] = mapped_column(ForeignKey("days.id"))
    text: Mapped[str | None]


class Call(Base):
    """What is shown in capitals."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[str | None] = mapped_column(Shouted)
    loud: Mapped[bool | None]


MODELS = (Day, Note, Call)

DAYS: list[dict[str, Any]] = [
    {
        "id": 1,
        "at": "2026-01-02T03:04:05.25+00:00",
        "title": 'Say "hi", then go',
        "good": True,
        "spent": 1.5,
        "warmth": 20,
        "more": {"a": 1, "b": None, "c": [{"d": None, "e": 2}]},
    },
    {"id": 2, "at": "2026-07-01T12:00:00+00:00", "title": "", "good": False, "spent": 12, "warmth": -0.5, "more": None},
    {"id": 3, "at": None, "title": None, "good": None, "spent": None, "warmth": None, "more": None},
]
NOTES = [
    {"id": 1, "day_id": 1, "text": "cold"},
    {"id": 2, "day_id": 1, "text": None},
    {"id": 3, "day_id": 2, "text": "x"},
]


@asynccontextmanager
async def diary_of(url: str, **options: Any) -> AsyncIterator[AsyncClient]:
    """A client of the diary: three days, three notes, two calls.

    Args:
        url: the database's.
        **options: the resources'.
    """
    resources = [Resource(model, **options) for model in MODELS]
    async with client_of(application(Database(url), Base, *resources)) as client:
        calls = [{"id": 1, "words": 'come, "now"', "loud": True}, {"id": 2, "words": None, "loud": None}]
        for path, rows in (("/days", DAYS), ("/notes", NOTES), ("/calls", calls)):
            answer = await client.post(path, json=rows, headers={"Prefer": "return=minimal"})
            assert answer.status_code == 201, answer.text
        yield client
