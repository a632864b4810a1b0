"""PostgreSQL goes away, comes back, closes connections, and has its tables altered, while rowserve serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, ReadSession, Resource, Session
from rowserve.errors import ApiError
from rowserve.server import front
from rowserve.server.front import FrontDoor
from tests.processes import ScratchPostgreSQL, psql

pytestmark = pytest.mark.anyio

PATHS = ("/authors?id=lt.1000", "/authors/1", "/read", "/write")
TERMINATE = "SELECT count(pg_terminate_backend(pid{})) FROM pg_stat_activity WHERE application_name = 'rowserve'"
CLOSE = TERMINATE.format(", 5000")
"""Closes all connections of rowserve, and returns when they are closed."""
BEGIN_TO_CLOSE = TERMINATE.format("")
"""Returns at once: requests come in while the connections are being closed."""
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rowserve' AND state <> 'idle'"


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@asynccontextmanager
async def an_application(url: str, seconds: float = 10.0) -> AsyncIterator[httpx.AsyncClient]:
    db = Database(url, timeout=seconds, pool_size=4)
    app = FastAPI()
    resource = Resource(Author, database=db)
    app.include_router(resource)

    @app.get("/read")
    async def read(session: ReadSession) -> list[str]:
        return list((await session.scalars(select(Author.name))).all())

    @app.get("/write")
    async def write(session: Session) -> list[str]:
        return list((await session.scalars(select(Author.name))).all())

    @app.get("/sleep")
    async def sleep(session: Session) -> None:
        await session.execute(text("SELECT pg_sleep(20)"))

    async with db:
        await db.create_tables(Base)
        transport = httpx.ASGITransport(FrontDoor(app, {resource.prefix: resource}))
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=20) as client:
            await client.post("/authors", json={"name": "Ada"})
            yield client


def check_refusal(response: httpx.Response) -> None:
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) >= 1
    body = response.json()
    assert set(body.get("detail", body)) == {"code", "message", "details", "hint"}


async def check_all(client: httpx.AsyncClient) -> None:
    for path in PATHS:
        response = await client.get(path)
        assert response.status_code == 200, response.text


async def until_health_is(client: httpx.AsyncClient, status: int) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/_rowserve/health")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_server_goes_away_and_comes_back(
    scratch: ScratchPostgreSQL, scratch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "HEALTH_AGE", 0.1)
    async with an_application(scratch_url) as client:
        await asyncio.gather(*(client.get(path) for path in PATHS * 10))
        await until_health_is(client, 200)
        await asyncio.to_thread(scratch.stop)
        try:
            requests = [client.get(path) for path in PATHS * 4]
            requests += [client.post("/authors", json={"name": "lost"}) for _ in range(8)]
            async with asyncio.timeout(8):
                for response in await asyncio.gather(*requests):
                    check_refusal(response)
            await until_health_is(client, 503)
        finally:
            await asyncio.to_thread(scratch.start)
        await until_health_is(client, 200)
        await check_all(client)
        assert (await client.post("/authors", json={"name": "found"})).status_code == 201
        assert (await client.get("/read")).json() == ["Ada", "found"]
        await client.delete("/authors?id=gt.0")


async def test_server_goes_away_in_the_middle(scratch: ScratchPostgreSQL, scratch_url: str) -> None:
    async with an_application(scratch_url) as client:
        slow = asyncio.create_task(client.get("/sleep"))
        while psql(scratch_url, BUSY) == "0":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        stopping = asyncio.create_task(asyncio.to_thread(scratch.stop))
        statuses = set()
        async with asyncio.timeout(10):
            while not stopping.done():
                answers = await asyncio.gather(*(client.get(path) for path in PATHS * 2))
                statuses |= {answer.status_code for answer in answers}
            check_refusal(await slow)
        assert statuses <= {200, 503}
        await asyncio.to_thread(scratch.start)
        await check_all(client)


async def test_connections_are_closed_between_requests(postgresql_url: str) -> None:
    async with an_application(postgresql_url) as client:
        for _ in range(3):
            before = await asyncio.gather(*(client.get(path) for path in PATHS * 6))
            assert {response.status_code for response in before} == {200}
            assert int(await asyncio.to_thread(psql, postgresql_url, CLOSE)) > 2
            after = await asyncio.gather(*(client.get(path) for path in PATHS * 6))
            assert [response.status_code for response in after] == [200] * len(after)
            await asyncio.to_thread(psql, postgresql_url, CLOSE)
            adding = [client.post("/authors", json={"name": "x"}) for _ in range(20)]
            assert [response.status_code for response in await asyncio.gather(*adding)] == [201] * 20


async def test_connections_are_closed_under_requests(postgresql_url: str) -> None:
    async with an_application(postgresql_url) as client:
        for _ in range(5):
            await asyncio.gather(*(client.get(path) for path in PATHS * 6))
            await asyncio.to_thread(psql, postgresql_url, BEGIN_TO_CLOSE)
            after = await asyncio.gather(*(client.get(path) for path in PATHS * 6))
            for path, response in zip(PATHS * 6, after, strict=True):
                # What a resource reads is read again; what a session did, only its endpoint could do again.
                if path in PATHS[:2] or response.status_code == 200:
                    assert response.status_code == 200, response.text
                else:
                    check_refusal(response)
            await check_all(client)


async def test_altered_tables(postgresql_url: str) -> None:
    async with an_application(postgresql_url) as client:
        for change in (
            "ADD COLUMN born date",
            "ALTER COLUMN name TYPE varchar(40)",
            "DROP COLUMN born",
            "ALTER COLUMN name TYPE text",
        ):
            for _ in range(2):
                await asyncio.gather(*(client.get(path) for path in PATHS * 5))
                await asyncio.gather(*(client.post("/authors", json={"name": "x"}) for _ in range(6)))
            await asyncio.to_thread(psql, postgresql_url, f"ALTER TABLE authors {change}")
            adding = await asyncio.gather(*(client.post("/authors", json={"name": "y"}) for _ in range(6)))
            assert [response.status_code for response in adding] == [201] * 6
            for path in PATHS[:2]:
                assert (await client.get(path)).status_code == 200
            # A session cannot be run again by itself: one of each may have to be tried again, and is told so.
            for path in PATHS[2:]:
                response = await client.get(path)
                if response.status_code != 200:
                    check_refusal(response)
            await check_all(client)


async def test_statement_ends_at_the_deadline(postgresql_url: str) -> None:
    async with an_application(postgresql_url, seconds=0.4) as client:
        late = await asyncio.wait_for(client.get("/sleep"), 5)
        assert (late.status_code, late.json()["detail"]["code"]) == (500, "57014")
        await check_all(client)


async def test_cancelled_session_stops_its_statement(postgresql_url: str) -> None:
    db = Database(postgresql_url, pool_size=1)

    async def sleeping() -> None:
        async with db.begin() as session:
            await session.execute(text("SELECT pg_sleep(20)"))

    async with db:
        for _ in range(2):
            task = asyncio.create_task(sleeping())
            while psql(postgresql_url, BUSY) == "0":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 5)
            async with asyncio.timeout(5):
                while psql(postgresql_url, BUSY) != "0":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        async with db.begin() as session:
            assert await session.scalar(text("SELECT 1")) == 1


async def test_commit_that_fails(postgresql_url: str) -> None:
    psql(postgresql_url, "CREATE TABLE a (id int PRIMARY KEY)")
    psql(postgresql_url, "CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
    async with Database(postgresql_url, pool_size=1) as db:
        with pytest.raises(ApiError) as refused:
            async with db.begin() as session:
                await session.execute(text("INSERT INTO b VALUES (7)"))
        assert (refused.value.status, refused.value.code) == (409, "23503")
        async with db.begin() as session:
            assert await session.scalar(text("SELECT count(*) FROM b")) == 0


async def test_one_bad_request_of_many_fails_alone(postgresql_url: str) -> None:
    async with an_application(postgresql_url) as client:
        await client.get("/authors?id=eq.1")
        reads = [client.get(f"/authors?id=eq.{id_}") for id_ in (1, 2, 2**40, 3, "x")]
        assert [response.status_code for response in await asyncio.gather(*reads)] == [200, 200, 400, 200, 400]
        bodies = [{"name": "a"}, {"name": "b\0"}, {"name": None}, {"name": "c"}, {"name": "d"}]
        for _ in range(2):
            adding = [client.post("/authors", json=body) for body in bodies]
            statuses = [response.status_code for response in await asyncio.gather(*adding)]
            assert statuses == [201, 400, 400, 201, 201]


async def test_too_many_connections(scratch: ScratchPostgreSQL, scratch_url: str) -> None:
    scratch.psql("CREATE ROLE few LOGIN CONNECTION LIMIT 2")
    try:
        async with Database(scratch_url.replace("postgres@", "few@"), pool_size=2) as db, db.begin() as first:
            await first.execute(text("SELECT 1"))
            with pytest.raises(ApiError) as refused:
                async with db.begin() as second:
                    await second.execute(text("SELECT 1"))
            assert (refused.value.status, refused.value.code) == (503, "53300")
    finally:
        scratch.psql("DROP ROLE few")
