"""Tables and columns that are called as the words of SQL are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.processes import Served

SQLITE_WORDS = """
abort action add after all alter always analyze and as asc attach autoincrement before begin between by cascade case
cast check collate column commit conflict constraint create cross current current_date current_time current_timestamp
database default deferrable deferred delete desc detach distinct do drop each else end escape except exclude exclusive
exists explain fail filter first following for foreign from full generated glob group groups having if ignore
immediate in index indexed initially inner insert instead intersect into is isnull join key last left like limit match
materialized natural no not nothing notnull null nulls of offset on or order others outer over partition plan pragma
preceding primary query raise range recursive references regexp reindex release rename replace restrict returning
right rollback row rows savepoint select set table temp temporary then ties to transaction trigger unbounded union
unique update using vacuum values view virtual when where window with within without
"""
SCHEMA = """
create table words (id integer primary key, {columns});
create table "nothing" (id integer primary key, "nothing" text unique);
create table "returning" (id integer primary key, "returning" integer references "nothing" (id), "select" text);
"""
NO_FILTERS = frozenset({"and", "limit", "not", "offset", "or", "order", "select", "columns"})
"""What a query string has a meaning of its own for."""
MERGED = {"Prefer": "resolution=merge-duplicates, return=representation"}
ROWS = {"Prefer": "return=representation"}


def schema_of(words: list[str]) -> str:
    return SCHEMA.format(columns=", ".join(f'"{word}" text' for word in words))


def test_sqlite(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "words.db")) as connection:
        connection.executescript(schema_of(SQLITE_WORDS.split()))
    with Served("sqlite:///words.db", database="sqlite:///unused.db", cwd=tmp_path) as server:
        use(server.client, SQLITE_WORDS.split())


@pytest.mark.anyio
async def test_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(postgresql_url)
    words = [row[0] for row in await connection.fetch("select word from pg_get_keywords() order by word")]
    await connection.execute(schema_of(words))
    await connection.close()
    with Served(postgresql_url, database="sqlite:///unused.db", cwd=tmp_path) as server:
        use(server.client, words)


def use(client: httpx.Client, words: list[str]) -> None:
    """Writes to the tables, and reads them."""
    first, second = ({"id": number} | {word: f"{word} {number}" for word in words} for number in (1, 2))
    posted = client.post("/words", json=[first, second])
    assert posted.status_code == 201, posted.text
    assert posted.json() == [first, second]
    assert client.get("/words?id=eq.2").json() == [second]
    again = first | dict.fromkeys(words, "again")
    assert client.post("/words", json=again, headers=MERGED).json() == [again]
    assert client.patch("/words?id=eq.1", json=first, headers=ROWS).json() == [first]
    # All of them stand in what was written above; by itself, some of them, for each is a statement of its own.
    for word in sorted({*words} - NO_FILTERS)[::8]:
        found = client.get(f"/words?select=id,{word},other:{word}&{word}=like.{word}*&order={word}.desc")
        assert found.json() == [
            {"id": number, word: f"{word} {number}", "other": f"{word} {number}"} for number in (2, 1)
        ]
    deleted = client.delete(f"/words?id=gt.0&order={words[0]}.desc", headers=ROWS)
    assert deleted.json() == [second, first]

    assert client.post("/nothing", json={"id": 1, "nothing": "x"}).status_code == 201
    merged = client.post("/nothing?on_conflict=nothing", json={"id": 1, "nothing": "x"}, headers=MERGED)
    assert merged.json() == [{"id": 1, "nothing": "x"}]
    row = {"id": 1, "returning": 1, "select": "y"}
    assert client.post("/returning?select=*,nothing(nothing)", json=row).json() == row | {"nothing": {"nothing": "x"}}
    assert client.get("/nothing?select=nothing,returning(select)&returning=not.is.null").json() == [
        {"nothing": "x", "returning": [{"select": "y"}]}
    ]
    assert client.post("/returning", json={"id": 2, "returning": 9}).json()["code"] == "23503"
    assert client.delete("/nothing?id=eq.1").json()["code"] == "23503"
