"""What a model fills in by itself, over HTTP as in a session."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Dialect, Identity, String, Text, TypeDecorator, func, literal, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.helpers import refusal, served

pytestmark = pytest.mark.anyio


class Shouted(TypeDecorator[str]):
    """Text that is stored in capitals and read with an exclamation mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.upper()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else f"{value}!"


def slug(context: DefaultExecutionContext) -> str:
    title: str = context.get_current_parameters()["title"]  # type: ignore[no-untyped-call]
    return title.lower().replace(" ", "-")


class Base(DeclarativeBase):
    """For what has defaults of every kind."""


class Page(Base):
    """A page, of which a client only writes the title."""

    __tablename__ = "pages"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    title: Mapped[str]
    slug: Mapped[str] = mapped_column(default=slug)
    state: Mapped[str] = mapped_column(default="draft")
    layout: Mapped[str] = mapped_column(String(20), server_default="wide")
    rank: Mapped[int] = mapped_column(server_default=text("7"))
    size: Mapped[int] = mapped_column(default=literal(40) + literal(2))
    made: Mapped[datetime] = mapped_column(server_default=func.now())
    changed: Mapped[int] = mapped_column(default=0, onupdate=lambda: 1)
    touched: Mapped[str | None] = mapped_column(onupdate=func.lower("SQL"))
    shout: Mapped[str | None] = mapped_column(Shouted)


class Ticket(Base):
    """A ticket whose number the database counts."""

    __tablename__ = "tickets"

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    title: Mapped[str] = mapped_column(default="untitled")


async def test_a_row_gets_every_default_there_is(database_url: str) -> None:
    async with served(database_url, Page) as client:
        answer = await client.post("/pages", json={"title": "Hello World"})

        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()
        assert uuid.UUID(row["id"]).version == 4
        assert abs((datetime.fromisoformat(row["made"]) - datetime.now()).total_seconds()) < 86_400
        assert {name: row[name] for name in ("slug", "state", "layout", "rank", "size", "changed", "touched")} == {
            "slug": "hello-world",
            "state": "draft",
            "layout": "wide",
            "rank": 7,
            "size": 42,
            "changed": 0,
            "touched": None,
        }
        assert (await client.get(answer.headers["location"])).json() == row
        assert (await client.get(f"/pages?id=eq.{row['id']}")).json() == [row]


async def test_each_row_of_an_array_gets_its_own(database_url: str) -> None:
    async with served(database_url, Page) as client:
        rows = (await client.post("/pages", json=[{"title": "A"}, {"title": "B"}])).json()

        assert [row["slug"] for row in rows] == ["a", "b"]
        assert len({row["id"] for row in rows}) == 2


async def test_what_is_given_goes_before_a_default(database_url: str) -> None:
    async with served(database_url, Page) as client:
        given = {"title": "T", "slug": "s", "state": "live", "layout": "slim", "rank": 1, "size": 2}
        row = (await client.post("/pages", json=given)).json()

        assert {name: row[name] for name in given} == given


async def test_a_change_runs_onupdate(database_url: str) -> None:
    async with served(database_url, Page) as client:
        path = (await client.post("/pages", json={"title": "A"})).headers["location"]

        row = (await client.patch(path, json={"title": "B"})).json()

        assert (row["title"], row["slug"], row["changed"], row["touched"]) == ("B", "a", 1, "sql")


async def test_put_takes_defaults_for_what_is_not_given(database_url: str) -> None:
    async with served(database_url, Page) as client:
        posted = await client.post(
            "/pages", json={"title": "A", "state": "live", "layout": "slim", "rank": 1, "size": 2}
        )

        row = (await client.put(posted.headers["location"], json={"title": "B C"})).json()

        assert row["id"] == posted.json()["id"]
        assert (row["slug"], row["state"], row["layout"], row["rank"], row["size"]) == ("b-c", "draft", "wide", 7, 42)


async def test_a_decorated_type_has_its_say_both_ways(database_url: str) -> None:
    async with served(database_url, Page) as client:
        posted = await client.post("/pages", json={"title": "A", "shout": "hey"})

        assert posted.json()["shout"] == "HEY!"
        assert (await client.get(posted.headers["location"])).json()["shout"] == "HEY!"
        assert [row["shout"] for row in (await client.get("/pages?shout=eq.hey")).json()] == ["HEY!"]
        assert (await client.get("/pages?shout=in.(hey,you)&select=loud:shout")).json() == [{"loud": "HEY!"}]
        assert (await client.patch(posted.headers["location"], json={"shout": None})).json()["shout"] is None


async def test_the_database_counts_identities(database_url: str) -> None:
    async with served(database_url, Ticket) as client:
        assert (await client.post("/tickets", json={"title": "A"})).json() == {"number": 1, "title": "A"}
        rows = (await client.post("/tickets", json=[{"title": "B"}, {"title": "C"}])).json()
        assert [row["number"] for row in rows] == [2, 3]
        assert refusal(await client.post("/tickets", json={"number": 9, "title": "D"})) == (400, "428C9")
        assert refusal(await client.patch("/tickets/1", json={"number": 9})) == (400, "428C9")


async def test_a_row_may_be_all_defaults(database_url: str) -> None:
    async with served(database_url, Ticket) as client:
        assert (await client.post("/tickets", json={})).json() == {"number": 1, "title": "untitled"}
        assert [row["number"] for row in (await client.post("/tickets", json=[{}, {}])).json()] == [2, 3]
