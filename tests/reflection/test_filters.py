"""Filters on what was read: as on a model's columns, also where the type is one that SQLAlchemy has no class for."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rowserve.backends import Settings, Statement, Write, backend_for
from rowserve.backends.sqlite_functions import register
from rowserve.database import parsed_url
from rowserve.errors import ApiError, database_error
from rowserve.reflection import Reflected, reflect
from tests.sql.sample import POSTGRESQL, SQLITE, Sample


class OnPostgreSQL(Sample):
    """The library, with a few rows of all types."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        super().__init__(POSTGRESQL)
        self.runner = runner
        self.connection: asyncpg.Connection[Any] = runner.run(
            # Operators of an extension are looked for there.
            asyncpg.connect(url, server_settings={"search_path": "api, ext"})
        )
        runner.run(
            self.connection.execute(
                """
                INSERT INTO api.types (id, a_nick, a_nicks, a_bit, a_inet, a_place, a_multirange, a_emails, a_char)
                VALUES (1, 'Ada', '{Ada,Bob}', '101', '10.0.0.1', '(Elm,3)', '{[1,3)}', '{a@b}', 'x'),
                    (2, 'bob', '{Eve}', '111', '10.0.0.2', '(Oak,1)', '{[5,9)}', '{c@d,e@f}', 'xyz'),
                    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
                """
            )
        )

    def run(self, text: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            return [row[0] for row in self.runner.run(self.connection.fetch(text, *arguments))]
        except asyncpg.PostgresError as error:
            raise database_error(error.sqlstate or "", error.message or "") from error


class OnSQLite(Sample):
    """A table that was made by other means."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(SQLITE)
        self.connection = connection
        register(connection)

    def run(self, text: str, arguments: Sequence[Any]) -> list[Any]:
        return [row[0] for row in self.connection.execute(text, tuple(arguments))]


@pytest.fixture(scope="module")
def on_postgresql(library_url: str) -> Iterator[Sample]:
    with asyncio.Runner() as runner:
        sample = OnPostgreSQL(library_url, runner)
        yield sample
        runner.run(sample.connection.close())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("a_nick=eq.ADA", [1]),
        ("a_nick=in.(ADA,BOB)", [1, 2]),
        ("a_nick=gt.ada", [2]),
        ("a_nick=ilike.*B", [2]),
        ("a_nick=eq(any).{ADA}", [1]),
        ("a_nicks=cs.{ADA}", [1]),
        ("a_nicks=eq.{eve}", [2]),
        ("a_bit=eq.101", [1]),
        ("a_bit=eq.1010", []),
        ("a_bit=in.(101,111)", [1, 2]),
        ("a_inet=lt.10.0.0.2", [1]),
        ("a_inet=in.(10.0.0.2)", [2]),
        ('a_place=eq.("Elm",3)', [1]),
        ("a_multirange=eq.{[5,9)}", [2]),
        ("a_emails=cs.{e@f}", [2]),
        ("a_emails=ov.{a@b,e@f}", [1, 2]),
        ("a_char=eq.x", [1]),
        ("a_nick=is.null", [3]),
    ],
)
def test_values_are_compared_as_what_they_are_in_postgresql(
    on_postgresql: Sample, library: Reflected, query: str, found: list[int]
) -> None:
    table = library.metadata.tables["api.types"]
    assert on_postgresql.find(query, table) == found


def test_what_is_no_value_of_a_type_is_refused_by_the_database(on_postgresql: Sample, library: Reflected) -> None:
    table = library.metadata.tables["api.types"]
    with pytest.raises(ApiError, match='invalid input syntax for type inet: "nowhere"') as raised:
        on_postgresql.find("a_inet=eq.nowhere", table)
    assert raised.value.code == "22P02"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("loose=eq.5", [1]),
        ("loose=gt.5", [2, 3]),  # a text comes after every number, and after the text "5"
        ("loose=lt.20", [1, 2]),
        ("loose=in.(5,word)", [1, 3]),
        ("loose=like.w*", [3]),
        ("price=eq.2.50", [1]),
        ("price=gt.3", [2, 3]),
        ("big=eq.1700000000000", [2]),
    ],
)
def test_values_are_compared_as_what_they_are_in_sqlite(tmp_path: Path, query: str, found: list[int]) -> None:
    path = tmp_path / "existing.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            """
            CREATE TABLE things (id INTEGER PRIMARY KEY, loose, price MONEY, big INT);
            INSERT INTO things VALUES (1, 5, 2.5, 1), (2, 7.5, 10, 1700000000000), (3, 'word', 'a lot', NULL);
            """
        )
        table = asyncio.run(reflect(f"sqlite:///{path}")).metadata.tables["things"]
        assert OnSQLite(connection).find(query, table) == found


def test_tables_that_refer_to_each_other_have_their_constraint_named(
    tmp_path: Path, sqlite_of: Callable[[str], Reflected]
) -> None:
    blog = sqlite_of(
        """
        CREATE TABLE hens (id INTEGER PRIMARY KEY, egg INT REFERENCES eggs);
        CREATE TABLE eggs (id INTEGER PRIMARY KEY, hen INT REFERENCES hens);
        INSERT INTO hens (id) VALUES (1); INSERT INTO eggs VALUES (1, 1);
        """
    )

    async def delete() -> None:
        backend = backend_for(parsed_url(f"sqlite:///{tmp_path / 'existing.db'}"), Settings())
        await backend.open()
        try:
            statement = Statement("DELETE FROM hens WHERE id = ?")
            await backend.write(Write(statement, [(1,)], blog.metadata.tables["hens"], ("id",)), 5.0)
        finally:
            await backend.close()

    with pytest.raises(ApiError, match=r'"hens" violates foreign key constraint "eggs_hen_fkey" on table "eggs"'):
        asyncio.run(delete())
