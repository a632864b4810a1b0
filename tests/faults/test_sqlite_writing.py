"""Writing to SQLite, where there can be only one writer: other processes, sessions and resources take turns."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, ReadSession, Resource, Session
from rowserve.backends.sqlite import SQLiteBackend
from rowserve.errors import ApiError

pytestmark = pytest.mark.anyio

HEAVY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT count(*) FROM n"


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id", deferrable=True, initially="DEFERRED"))


class World:
    """An application on an open database, and another process' connection to the same file."""

    def __init__(self, db: Database, client: httpx.AsyncClient, other: sqlite3.Connection) -> None:
        self.db = db
        self.client = client
        self.other = other

    @property
    def lock(self) -> asyncio.Lock:
        backend = self.db.backend
        assert isinstance(backend, SQLiteBackend)
        return backend.writing

    async def add(self, name: str) -> httpx.Response:
        return await self.client.post("/authors", json={"name": name})

    async def names(self) -> list[str]:
        return [row["name"] for row in (await self.client.get("/authors")).json()]

    async def nothing_is_left_open(self) -> None:
        """Another process can write at once, and so can a resource and a session."""
        assert not self.lock.locked()
        await asyncio.to_thread(self.other.execute, "BEGIN IMMEDIATE")
        self.other.execute("ROLLBACK")
        assert (await self.add("last of all")).status_code == 201
        async with self.db.begin() as session:
            await session.execute(text("DELETE FROM authors WHERE name = 'last of all'"))


@asynccontextmanager
async def a_world(path: Path, *, seconds: float) -> AsyncIterator[World]:
    db = Database(f"sqlite:///{path}", timeout=seconds)
    app = FastAPI()
    app.include_router(Resource(Author, database=db))
    app.include_router(Resource(Book, database=db))

    @app.post("/slow/{name}")
    async def slow(name: str, session: Session) -> str:
        session.add(Author(name=name))
        await session.flush()
        await asyncio.sleep(0.05)
        return name

    @app.get("/count")
    async def count(session: ReadSession) -> int:
        return len((await session.scalars(select(Author))).all())

    async with db:
        await db.create_tables(Base)
        transport = httpx.ASGITransport(app)
        other = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=20) as client:
            try:
                yield World(db, client, other)
            finally:
                other.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path / "test.db", seconds=10) as made:
        yield made


@pytest.fixture
async def hurried(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path / "test.db", seconds=0.4) as made:
        yield made


async def test_writes_wait_for_another_process(world: World) -> None:
    world.other.execute("BEGIN IMMEDIATE")
    writes = [asyncio.create_task(world.add(name)) for name in "abc"]
    writes.append(asyncio.create_task(world.client.post("/slow/d")))
    assert await world.names() == [], "reads go on"
    assert (await world.client.get("/count")).json() == 0
    world.other.execute("COMMIT")
    assert [response.status_code for response in await asyncio.gather(*writes)] == [201, 201, 201, 200]
    assert sorted(await world.names()) == list("abcd")


async def test_another_process_that_does_not_let_go(hurried: World) -> None:
    hurried.other.execute("BEGIN IMMEDIATE")
    refused = await asyncio.gather(hurried.add("a"), hurried.add("b"), hurried.client.post("/slow/c"))
    for response in refused:
        assert response.status_code == 503, response.text
        assert response.headers["retry-after"]
    assert set(refused[0].json()) == {"code", "message", "details", "hint"}
    assert await hurried.names() == []
    hurried.other.execute("ROLLBACK")
    await hurried.nothing_is_left_open()


async def test_readers_do_not_queue_with_writers(world: World) -> None:
    async with world.db.begin() as session:
        session.add(Author(name="a"))
        await session.flush()
        assert await world.names() == []
        assert (await asyncio.wait_for(world.client.get("/count"), 5)).json() == 0
    assert await world.names() == ["a"]


async def test_one_bad_write_of_many_fails_alone(world: World) -> None:
    names = [str(n) for n in range(40)] + ["7", "8"]
    answers = await asyncio.gather(*map(world.add, names), world.client.post("/authors", json={"name": None}))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [201] * 40 + [400] + [409] * 2
    assert len(await world.names()) == 40
    await world.nothing_is_left_open()


async def test_array_is_stored_whole_or_not_at_all(world: World) -> None:
    bad = world.client.post("/authors", json=[{"name": "x"}, {"name": "y"}, {"name": "x"}])
    answers = await asyncio.gather(bad, world.add("a"), world.add("b"))
    assert [answer.status_code for answer in answers] == [409, 201, 201]
    assert sorted(await world.names()) == ["a", "b"]


async def test_sessions_and_resources_take_turns(world: World) -> None:
    requests = []
    for n in range(10):
        requests += [world.add(f"r{n}"), world.client.post(f"/slow/s{n}")]
    answers = await asyncio.wait_for(asyncio.gather(*requests), 15)
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len(await world.names()) == 20
    await world.nothing_is_left_open()


async def test_first_come_first_served(world: World) -> None:
    order: list[str] = []

    async def session(name: str) -> None:
        async with world.db.begin() as session:
            session.add(Author(name=name))
            await session.flush()
            order.append(name)

    async with world.db.begin() as holder:
        await holder.execute(text("SELECT 1"))
        tasks = []
        for name in "abc":
            tasks.append(asyncio.create_task(session(name)))
            while len(world.lock._waiters or ()) < len(tasks):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert order == list("abc")


async def test_session_that_holds_the_lock_for_too_long(hurried: World) -> None:
    async with hurried.db.begin() as session:
        session.add(Author(name="holder"))
        await session.flush()
        refused = await asyncio.wait_for(
            asyncio.gather(hurried.add("a"), hurried.client.post("/slow/b"), hurried.add("c")), 5
        )
        for response in refused:
            assert (response.status_code, response.headers["retry-after"]) == (503, "1"), response.text
    assert await hurried.names() == ["holder"], "who was told 503 is not written later"
    await hurried.nothing_is_left_open()


async def test_session_inside_a_session_is_not_waited_for_for_ever(hurried: World) -> None:
    async with hurried.db.begin() as outer:
        await outer.execute(text("SELECT 1"))
        with pytest.raises(ApiError) as refused:
            async with hurried.db.begin() as inner:
                await asyncio.wait_for(inner.execute(text("SELECT 1")), 5)
        assert refused.value.status == 503
    await hurried.nothing_is_left_open()


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 8)


async def test_cancelled_while_waiting_for_the_lock(world: World) -> None:
    async def waiting() -> None:
        async with world.db.begin() as session:
            await session.execute(text("SELECT 1"))

    async with world.db.begin() as holder:
        await holder.execute(text("SELECT 1"))
        task = asyncio.create_task(waiting())
        while not world.lock._waiters:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await cancelled(task)
    await world.nothing_is_left_open()


async def test_cancelled_while_holding_the_lock(world: World) -> None:
    holds = asyncio.Event()

    async def holding() -> None:
        async with world.db.begin() as session:
            session.add(Author(name="lost"))
            await session.flush()
            holds.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(holding())
    await holds.wait()
    await cancelled(task)
    assert await world.names() == []
    await world.nothing_is_left_open()


async def test_cancelled_while_another_process_holds_the_lock(world: World) -> None:
    async def beginning() -> None:
        async with world.db.begin() as session:
            await session.execute(text("SELECT 1"))

    world.other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(beginning())
    while not world.lock.locked():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    task.cancel()
    world.other.execute("ROLLBACK")
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 8)
    await world.nothing_is_left_open()


async def test_cancelled_in_the_middle_of_a_statement(world: World) -> None:
    async def computing() -> None:
        async with world.db.begin() as session:
            await session.execute(text(HEAVY))

    task = asyncio.create_task(computing())
    while not world.lock.locked():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    await cancelled(task)
    await world.nothing_is_left_open()


async def test_statement_of_a_session_ends_at_the_deadline(hurried: World) -> None:
    with pytest.raises(ApiError) as late:
        async with hurried.db.begin() as session:
            await asyncio.wait_for(session.execute(text(HEAVY)), 5)
    assert late.value.code == "57014"
    await hurried.nothing_is_left_open()


async def test_many_cancelled_sessions_leave_room(world: World) -> None:
    async def holding() -> None:
        async with world.db.begin() as session:
            session.add(Author(name="x"))
            await session.flush()
            await asyncio.sleep(0.01)
            await session.rollback()

    for _ in range(3):
        tasks = [asyncio.create_task(holding()) for _ in range(15)]
        await asyncio.sleep(0.03)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    await world.nothing_is_left_open()


async def test_commit_that_fails(world: World) -> None:
    broken = await world.client.post("/books", json={"author_id": 1})
    assert (broken.status_code, broken.json()["code"]) == (409, "23503")
    with pytest.raises(ApiError) as refused:
        async with world.db.begin() as session:
            session.add(Book(author_id=7))
    assert (refused.value.status, refused.value.code) == (409, "23503")
    assert (await world.client.get("/books")).json() == []
    await world.nothing_is_left_open()


async def test_commit_that_fails_fails_alone(world: World) -> None:
    book = world.client.post("/books", json={"author_id": 1})
    answers = await asyncio.gather(*(world.add(name) for name in "bcd"), book, world.add("e"))
    assert [answer.status_code for answer in answers] in ([201, 201, 201, 409, 201], [201, 201, 201, 201, 201])
    assert len(await world.names()) == 4
    await world.client.delete("/books?author_id=eq.1")
    book = world.client.post("/books", json={"author_id": 99})
    answers = await asyncio.gather(*(world.add(name) for name in "fgh"), book, world.add("i"))
    assert [answer.status_code for answer in answers] == [201, 201, 201, 409, 201]
    assert len(await world.names()) == 8
    await world.nothing_is_left_open()


async def test_value_that_cannot_be_stored_fails_alone(world: World) -> None:
    odd = world.client.post("/authors", json={"id": 2**70, "name": "big"})
    undecodable = world.client.post("/authors?name=%FF")
    answers = await asyncio.gather(world.add("a"), odd, undecodable, world.add("b"))
    assert [answer.status_code for answer in answers][::3] == [201, 201]
    assert answers[1].status_code == 400, answers[1].text
    assert answers[2].status_code in (201, 400), answers[2].text
