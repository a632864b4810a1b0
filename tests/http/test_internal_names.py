"""Names that the compiler gives away itself, as columns and as aliases of a client's."""

from __future__ import annotations

import csv

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase

from tests.helpers import served

from .blog import blog

pytestmark = pytest.mark.anyio

NAMES = [f"{stem}_r{number}" for stem in ("rows", "base", "groups", "odd") for number in range(1, 7)]
NAMES += ["written", "page", "sets", "one", "odd", "body", "total", "boundary", "v0", "s0", "c0", "vc0"]
NAMES += ["nothing", "recursive", "returning"]  # which SQLite wants quoted, and SQLAlchemy does not


class Base(DeclarativeBase):
    """The models of this module."""

    metadata = MetaData()


class Odd(Base):
    """A table that has a column for each of those names."""

    __table__ = Table("odd", Base.metadata, Column("id", Integer, primary_key=True), *(Column(n, Text) for n in NAMES))


async def test_columns(database_url: str) -> None:
    row = {name: f"a {name}" for name in NAMES}
    whole = {"prefer": "return=representation"}
    async with served(database_url, Odd) as client:
        assert (await client.post("/odd", json=row)).json() == {"id": 1, **row}
        assert (await client.post("/odd", json=[row, row])).json() == [{"id": 2, **row}, {"id": 3, **row}]
        assert (await client.get("/odd?id=eq.1")).json() == [{"id": 1, **row}]
        changed = await client.patch("/odd?id=eq.2&order=id", json={"written": "b"}, headers=whole)
        assert changed.json() == [{"id": 2, **row, "written": "b"}]
        grouped = await client.get("/odd?select=written,rows_r1,count()&order=written&limit=1")
        assert grouped.json() == [{"written": "a written", "rows_r1": "a rows_r1", "count": 2}]
        lines = await client.get("/odd?select=rows_r2,written&id=eq.1", headers={"accept": "text/csv"})
        assert list(csv.reader(lines.text.splitlines())) == [["rows_r2", "written"], ["a rows_r2", "a written"]]
        assert (await client.delete("/odd?id=eq.3&select=written", headers=whole)).json() == [{"written": "a written"}]


async def test_aliases(database_url: str) -> None:
    whole = {"prefer": "return=representation"}
    async with blog(database_url) as client:
        for name in (*NAMES, "nothing"):  # a keyword of SQLite's, which SQLAlchemy does not know to quote in a table
            answer = await client.get(f"/authors?select={name}:first,written({name}:title)&id=eq.1")
            assert answer.json() == [{name: "Ada", "written": [{name: "Notes"}, {name: "More notes"}]}], name
            answer = await client.patch(f"/posts?id=eq.1&select={name}:title", json={"title": "Notes"}, headers=whole)
            assert answer.json() == [{name: "Notes"}], name
