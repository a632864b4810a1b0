"""A database whose names are as odd as names may be, served as ``rowserve serve URL`` would serve it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

import asyncpg
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy.engine import make_url

from rowserve.server.application import Options, served_database
from rowserve.server.front import FrontDoor

COLUMNS = (
    'we"ird', "it's", "a.b", "x%y", "p?q", "a:b", "nothing", "null", "order", "line\nfeed", "🦉", "$1", ":x", "%(a)s",
    "back\\slash", "round(", "a,b", "limit", "1", " ", "a->b", "x::int", "count", "returning", "recursive",
    "'); drop table sentinel; --",
    '"; drop table sentinel; --', "pg_catalog.version()", "-- x", "/*", "{0}", "v0", "rowid", "İ",
)  # fmt: skip
"""Text columns of the table ``we"ird``; each has its own name as the value in row 1, and null in row 2."""

TABLES = (
    'we"ird',
    "select",
    "a.b",
    "x%y",
    "p?q",
    "it's",
    "a:b",
    "line\nfeed",
    "🦉",
    "$1",
    ":x",
    "%(a)s",
    "order",
    "nothing",
)
"""Each is a table of its own: a text key, a foreign key to the table ``odd``, a text, and a foreign key to itself."""

KEY = 'th\'e "key" %s'
PARENT = "p?a:r.e(n)t"
UP = "returning"
LINK = 'f"k %s'
"""The names of the columns that :data:`TABLES` have; of the foreign key, with the table's behind it."""

PAYLOADS = (
    "x'; DROP TABLE sentinel; --", 'x"; DROP TABLE sentinel; --', "x); DELETE FROM sentinel; --", "' OR ''='",
    "x) UNION SELECT secret FROM sentinel --", "\\'; DELETE FROM sentinel --", "\\", "'", '"', "''", '""', "(", ")",
    "((",
    "$$; DROP TABLE sentinel; $$", "$1", "%s", "%(a)s", "%", ":name", ":v0", "?", "?1", "@a", "{0}", "{a", "[", "/*",
    "--",
    "x\ny", "x\r\nX-Injected: 1", "\x7f", "pg_sleep(10)", "randomblob(1000000000)",
    "\u0251\u2019; \uff24\uff32\uff2f\uff30", "\u202e",
    "\ud7ff\U0010ffff", "../../etc/passwd", "null", "", " ", ".", ",", "*", "a" * 3_000,
)  # fmt: skip
"""What is put wherever a name or a value is taken."""


def identifier(name: str) -> str:
    """A name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def script(json_type: str) -> Sequence[str]:
    """The statements that make the database, of the same tables and rows on both."""
    columns = ", ".join(f"{identifier(name)} text" for name in COLUMNS)
    values = ", ".join(literal(name) for name in COLUMNS)
    made = [
        "create table sentinel (id integer primary key, secret text not null)",
        "insert into sentinel values (1, 'secret'), (2, 'more secret')",
        f"create table odd (id integer primary key, {columns}, json {json_type})",
        f"""insert into odd values (1, {values}, '{{"it''s": {{"a\\"b": 1}}}}')""",
        "insert into odd (id) values (2)",
        "create table payloads (id integer primary key, payload text not null unique)",
        *(f"insert into payloads values ({n}, {literal(payload)})" for n, payload in enumerate(PAYLOADS)),
    ]
    made.append(
        "create view slow as with recursive numbers (n) as "
        "(select 1 union all select n + 1 from numbers where n < 2000000000) select count(*) as n from numbers"
    )
    for name in TABLES:
        table, key, parent = identifier(name), identifier(KEY), identifier(PARENT)
        made += [
            f'create table {table} ({key} text primary key, {parent} integer, "nothing" text, '
            f"{identifier(UP)} text references {table} ({key}), "
            f"constraint {identifier(LINK + name)} foreign key ({parent}) references odd (id))",
            f"insert into {table} values ('a''b', 1, 'first', null), ('c/d?e', 2, 'second', 'a''b'), "
            "('🦉,\"%s\"', null, null, null)",
        ]
    return made


FUNCTION = "f\"n '%s' $1 (x)"
ARGUMENT, OTHER = 'a:"b" => %s', "$1;--"
FUNCTIONS = f"""
create function {identifier(FUNCTION)}({identifier(ARGUMENT)} text, {identifier(OTHER)} integer default 7)
returns text immutable language sql as 'select $1 || $2'
"""


@dataclass(frozen=True, slots=True)
class Odd:
    """The database, and a client of it."""

    url: str
    client: AsyncClient
    front: FrontDoor

    async def ask(self, method: str, url: str, **options: Any) -> Response:
        """The answer to a request, which has to be an answer of the wire's: no error of the server's own."""
        return checked(await self.client.request(method, url, **options))

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    async def contents(self) -> dict[str, Any]:
        """Every row of every table, past rowserve."""
        names = ["sentinel", "odd", "payloads", *TABLES]
        if self.is_sqlite:
            with closing(sqlite3.connect(make_url(self.url).database or "")) as connection:
                found: dict[str, Any] = {
                    name: sorted(map(repr, connection.execute(f"select * from {identifier(name)}"))) for name in names
                }
                found["catalog"] = connection.execute(
                    "select type, name, sql from sqlite_master order by name"
                ).fetchall()
                return found
        server = await asyncpg.connect(self.url)
        try:
            found = {
                name: sorted([repr(tuple(row)) for row in await server.fetch(f"select * from {identifier(name)}")])
                for name in names
            }
            found["catalog"] = await server.fetch(
                "select relname from pg_class where relnamespace = 'public'::regnamespace order by relname"
            )
            return found
        finally:
            await server.close()


def checked(response: Response) -> Response:
    """The response, which has to be a success of its media type, or an error with the four members of all errors."""
    asked = f"{response.request.method} {response.request.url} {response.request.headers}"
    assert response.status_code < 500, (asked, response.text)
    assert "x-injected" not in response.headers, asked
    if response.status_code in (204, 304) or response.request.method == "HEAD":
        assert response.content == b"", asked
    elif response.status_code >= 300:
        assert response.headers["content-type"] in (
            "application/json; charset=utf-8",
            "application/problem+json",
        ), asked
        assert {"code", "message", "details", "hint"} <= set(response.json()), asked
    elif re.match(r"application/(vnd[^;]+\+)?json", response.headers.get("content-type", "")) and response.content:
        json.loads(response.content)
    return response


@asynccontextmanager
async def odd_database(url: str, **limits: Any) -> AsyncIterator[Odd]:
    """The database at the URL of an empty one, filled and served. Writes of which the client asks that are undone."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            for statement in script("json"):
                connection.execute(statement)
            connection.commit()
    else:
        server = await asyncpg.connect(url)
        for statement in (*script("jsonb"), FUNCTIONS):
            await server.execute(statement)
        await server.close()
    front = served_database(Options(target=url, limits={"tx_override": True, "explain": True, **limits}))
    assert isinstance(front.app, FastAPI)
    transport = ASGITransport(app=front)
    async with (
        front.app.router.lifespan_context(front.app),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield Odd(url, client, front)
