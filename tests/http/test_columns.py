"""Every type of column: what goes in comes back, the same over both databases."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, DateTime, Interval, LargeBinary, Numeric, SmallInteger, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.helpers import served

pytestmark = pytest.mark.anyio


class Colour(enum.Enum):
    """Stored by name."""

    red = 1
    blue = 2


class Base(DeclarativeBase):
    """For a column of each type."""


class Thing(Base):
    """One of each."""

    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    small: Mapped[int | None] = mapped_column(SmallInteger)
    big: Mapped[int | None] = mapped_column(BigInteger)
    ratio: Mapped[float | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    done: Mapped[bool | None]
    note: Mapped[str | None] = mapped_column(Text)
    day: Mapped[dt.date | None]
    hour: Mapped[dt.time | None]
    moment: Mapped[dt.datetime | None]
    instant: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    span: Mapped[dt.timedelta | None] = mapped_column(Interval)
    uid: Mapped[uuid.UUID | None]
    colour: Mapped[Colour | None]
    data: Mapped[Any | None] = mapped_column(JSON)
    blob: Mapped[bytes | None] = mapped_column(LargeBinary)


VALUES: list[tuple[str, Any, Any]] = [
    ("small", -(2**15), -(2**15)),
    ("big", 2**63 - 1, 2**63 - 1),
    ("big", -(2**63), -(2**63)),
    ("ratio", 0.1, 0.1),
    ("ratio", 1e300, 1e300),
    ("price", 12.5, 12.5),
    ("price", "99999999.99", 99999999.99),
    ("done", True, True),
    ("done", False, False),
    ("note", 'Zoë "😀" \\ \n', 'Zoë "😀" \\ \n'),
    ("day", "2024-02-29", "2024-02-29"),
    ("hour", "13:45:01.5", "13:45:01.5"),
    ("moment", "2024-02-29T13:45:01", "2024-02-29T13:45:01"),
    ("moment", "2024-02-29 13:45:01.25", "2024-02-29T13:45:01.25"),
    ("instant", "2024-02-29T13:45:01+02:00", "2024-02-29T11:45:01+00:00"),
    ("span", "1 day 02:03:04", "1 day 02:03:04"),
    ("uid", "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
    ("colour", "blue", "blue"),
    ("data", {"a": [1, 2.5, None, "x"], "b": {}}, {"a": [1, 2.5, None, "x"], "b": {}}),
    ("data", [], []),
    ("blob", "\\x00ff", "\\x00ff"),
]
COMPARABLE = {"small", "big", "ratio", "price", "done", "note", "day", "hour", "moment", "instant", "uid", "colour"}


async def test_what_goes_in_comes_back_whichever_way(database_url: str) -> None:
    async with served(database_url, Thing) as client:
        for column, sent, expected in VALUES:
            posted = await client.post("/things", json={column: sent})
            assert posted.status_code == 201, (column, posted.text)
            assert posted.json()[column] == expected, column
            location = posted.headers["location"]
            assert (await client.get(location)).json() == posted.json()
            listed = await client.get(f"/things?id=eq.{posted.json()['id']}")
            assert listed.json() == [posted.json()]

            cleared = await client.patch(location, json={column: None})
            assert cleared.json()[column] is None, column
            patched = await client.patch(location, json={column: sent})
            assert patched.json()[column] == expected, column

            if column in COMPARABLE:
                for operator in (f"eq.{expected}", f"in.({expected})"):
                    if column == "note" and operator.startswith("in"):
                        continue
                    value = operator.replace("True", "true").replace("False", "false")
                    found = await client.get("/things", params={column: value, "order": "id.desc", "limit": "1"})
                    assert found.status_code == 200, (column, found.text)
                    assert [row[column] for row in found.json()] == [expected], (column, operator)
            await client.delete(location)


async def test_columns_that_are_not_given_are_null(database_url: str) -> None:
    async with served(database_url, Thing) as client:
        row = (await client.post("/things", json={"note": "x"})).json()
        assert {key for key, value in row.items() if value is not None} == {"id", "note"}


async def test_pages_follow_columns_of_every_type(database_url: str) -> None:
    async with served(database_url, Thing) as client:
        rows: list[dict[str, Any]] = [
            {
                "ratio": number / 3,
                "price": number + 0.05,
                "day": f"2024-01-0{number}",
                "hour": f"0{number}:00:00.123",
                "moment": f"2024-01-01T00:00:0{number}.5",
                "instant": f"2024-01-01T00:00:0{number}+00:00",
                "uid": str(uuid.UUID(int=number)),
                "done": number > 2,
                "big": number * 10**15,
            }
            for number in (1, 2, 3, 4)
        ]
        assert (await client.post("/things", json=[*rows, dict.fromkeys(rows[0])])).status_code == 201
        for column in rows[0]:
            for direction in ("asc", "desc"):
                query = f"/things?select=id&order={column}.{direction}"
                whole = (await client.get(query)).json()
                found: list[Any] = []
                url = f"{query}&limit=2"
                while url:
                    page = await client.get(url)
                    assert page.status_code == 200, page.text
                    found += page.json()
                    url = page.links.get("next", {}).get("url", "")
                assert found == whole, (column, direction)


class ArrayBase(DeclarativeBase):
    """For what PostgreSQL has alone."""


class Tagged(ArrayBase):
    """Something with tags."""

    __tablename__ = "tagged"

    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(Text))
    sizes: Mapped[list[int] | None] = mapped_column(postgresql.ARRAY(BigInteger))


async def test_arrays_on_postgresql(postgresql_url: str) -> None:
    async with served(postgresql_url, Tagged) as client:
        row = {"tags": ["a", "b c", 'd"', ""], "sizes": [1, None, 2**40]}
        posted = await client.post("/tagged", json=row)
        assert posted.json() == {"id": 1, **row}
        assert (await client.get("/tagged/1")).json() == posted.json()
        assert (await client.patch("/tagged/1", json={"tags": []})).json()["tags"] == []
        assert (await client.get("/tagged?tags=eq.{}&select=id")).json() == [{"id": 1}]
        many = await client.post("/tagged", json=[{"tags": ["x"]}, {"tags": None}, {"tags": ["y", "z"]}])
        assert [item["tags"] for item in many.json()] == [["x"], None, ["y", "z"]]
