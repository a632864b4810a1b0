"""What comes between the slices of a large insert: the deadline, a client that goes away, a connection that is lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource, slices
from tests.helpers import application, client_of, names, refusal
from tests.processes import psql

pytestmark = pytest.mark.anyio

ROWS = [{"name": f"part {number}"} for number in range(200)]
CLOSE = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'rowserve'"
MADE: list[str] = []


def at_leisure() -> str:
    """A default of a column that takes its time, and tells how often it was asked for."""
    time.sleep(0.01)
    MADE.append("made at leisure")
    return MADE[-1]


class Base(DeclarativeBase):
    pass


class Part(Base):
    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    slow: Mapped[str] = mapped_column(default=at_leisure)


PARTS = Resource(Part)


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few rows, of which there are then many."""
    monkeypatch.setattr(slices, "SLICE", 100)
    monkeypatch.setattr(slices, "FIRST", 50)
    MADE.clear()


@asynccontextmanager
async def served(url: str, *, seconds: float = 10.0) -> AsyncIterator[tuple[FastAPI, AsyncClient]]:
    app = application(Database(url, timeout=seconds), Base, PARTS)
    async with client_of(app) as client:
        yield app, client


async def some_slices() -> None:
    """Returns when the first slices have been written."""
    while len(MADE) < 20:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def check_nothing_is_left(client: AsyncClient) -> None:
    answer = await client.post("/parts", json=[{"name": "next"}])
    assert answer.status_code == 201, answer.text
    assert names(await client.get("/parts")) == ["next"]


async def test_the_deadline_comes_between_two_slices(database_url: str) -> None:
    async with served(database_url, seconds=0.4) as (_, client):
        late = await asyncio.wait_for(client.post("/parts", json=ROWS), 10)

        assert refusal(late)[1] == "57014"
        await check_nothing_is_left(client)


async def test_the_client_goes_away_between_two_slices(database_url: str) -> None:
    async with served(database_url) as (app, client):
        status = await asyncio.wait_for(post_and_leave(app, "/parts", json.dumps(ROWS).encode()), 10)

        assert status == 499
        await check_nothing_is_left(client)


async def test_the_connection_is_lost_between_two_slices(postgresql_url: str) -> None:
    async with served(postgresql_url) as (_, client):
        answer = asyncio.create_task(client.post("/parts", json=ROWS * 4))
        await some_slices()
        await asyncio.to_thread(psql, postgresql_url, CLOSE)

        assert refusal(await asyncio.wait_for(answer, 10)) == (503, "PGRST000")
        await check_nothing_is_left(client)


async def test_others_are_served_meanwhile(postgresql_url: str) -> None:
    async with served(postgresql_url) as (_, client):
        large = asyncio.create_task(client.post("/parts", json=ROWS))
        await some_slices()

        assert names(await client.get("/parts")) == []
        assert (await client.post("/parts", json={"name": "between"})).status_code == 201
        assert not large.done()
        assert (await large).status_code == 201


async def post_and_leave(app: FastAPI, path: str, body: bytes) -> int:
    """The status of a POST whose client goes away once it has sent the body."""
    messages: list[Any] = [{"type": "http.request", "body": body}]
    statuses: list[int] = []

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
    }
    await app(scope, receive, send)
    return statuses[0]
