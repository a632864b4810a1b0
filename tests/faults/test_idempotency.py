"""``Idempotency-Key``: what is sent again is done once, whoever is asked and whatever happens in between."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import AsyncClient, Response
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Context, Database, Resource
from rowserve.context import USER
from tests.helpers import application, client_of, refusal, soon
from tests.processes import Served

CLIENTS = 100
KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


class Base(DeclarativeBase):
    """The models of this module."""


class Payment(Base):
    """A payment."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int]


class Payments(Resource[Payment]):
    """Payments, some of which nobody wants."""

    prefix = "/payments"

    def __init__(self) -> None:
        self.mails: list[int] = []
        super().__init__(tx_override=True)

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        if rows[0]["amount"] == 13:
            rows[0]["amount"] = None

    async def after_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        ctx.after_commit(self.mails.append, rows[0]["id"])


def test_of_a_hundred_at_once_one_is_done(database_url: str, tmp_path: Path) -> None:
    with Served("--workers", "2", database=database_url, cwd=tmp_path) as server:

        def insert(number: int) -> Response:
            with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:
                return client.post("/users", json={"name": "Ada"}, headers=KEY)

        with ThreadPoolExecutor(CLIENTS) as executor:
            answers = list(executor.map(insert, range(CLIENTS)))
        assert {(answer.status_code, answer.text) for answer in answers} == {(201, '{"id":1,"name":"Ada"}')}
        assert Counter("idempotent-replayed" in answer.headers for answer in answers) == {True: CLIENTS - 1, False: 1}
        assert {answer.headers["location"] for answer in answers} == {"/users/1"}
        server.kill()
    with Served(database=database_url, cwd=tmp_path) as server:
        again = server.client.post("/users", json={"name": "Ada"}, headers=KEY)
        assert (again.status_code, again.json()) == (201, {"id": 1, "name": "Ada"})
        assert server.client.get("/users").json() == [{"id": 1, "name": "Ada"}]
        other = server.client.post("/users", json={"name": "Eve"}, headers=KEY)
        assert refusal(other) == (422, "PT422")


@pytest.mark.anyio
async def test_what_has_failed_may_be_sent_again(database_url: str) -> None:
    payments = Payments()
    async with client_of(application(Database(database_url), Base, payments)) as client:
        assert refusal(await client.post("/payments", json={"amount": "x"}, headers=KEY)) == (400, "22P02")
        assert refusal(await client.post("/payments", json={"amount": 13}, headers=KEY)) == (400, "23502")
        tried = await client.post("/payments", json={"amount": 1}, headers={**KEY, "prefer": "tx=rollback"})
        assert tried.status_code == 201
        done = await client.post("/payments", json={"amount": 2}, headers=KEY)
        assert "idempotent-replayed" not in done.headers
        again = await client.post("/payments", json={"amount": 2}, headers=KEY)
        assert again.headers["idempotent-replayed"] == "true"
        assert (again.status_code, again.content) == (done.status_code, done.content)
        assert [row["amount"] for row in (await client.get("/payments")).json()] == [2]
        await soon(lambda: payments.mails, [done.json()["id"]])


@pytest.mark.anyio
async def test_a_key_is_of_whoever_sent_it_and_of_what_was_asked(database_url: str) -> None:
    app = application(Database(database_url), Base, Resource(Payment))

    class Asking:
        """Says who asks, as authentication does."""

        user: Any = None

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, USER: self.user}, receive, send)

    asking = Asking()
    transport = httpx.ASGITransport(app=asking)
    async with app.router.lifespan_context(app), AsyncClient(transport=transport, base_url="http://test") as client:
        asking.user = {"sub": "ada"}
        first = await client.post("/payments", json={"amount": 1}, headers={**KEY, "authorization": "Bearer 1"})
        same = await client.post("/payments", json={"amount": 1}, headers={**KEY, "authorization": "Bearer renewed"})
        assert same.json() == first.json()
        for changed in (
            await client.post("/payments?select=id", json={"amount": 1}, headers=KEY),
            await client.post("/payments", json={"amount": 2}, headers=KEY),
            await client.post("/payments", json={"amount": 1}, headers={**KEY, "prefer": "return=minimal"}),
        ):
            assert refusal(changed) == (422, "PT422")
        asking.user = {"sub": "eve"}
        other = await client.post("/payments", json={"amount": 1}, headers=KEY)
        assert other.json()["id"] != first.json()["id"]
        asking.user = None
        anonymous = await client.post("/payments", json={"amount": 1}, headers={**KEY, "authorization": "Bearer 2"})
        assert anonymous.json()["id"] not in (first.json()["id"], other.json()["id"])
        for key in ("", '""', "x" * 256):
            assert refusal(await client.post("/payments", json={"amount": 1}, headers={"idempotency-key": key})) == (
                400,
                "PGRST100",
            )
        quoted = {"idempotency-key": f'"{KEY["idempotency-key"]}"'}
        asking.user = {"sub": "ada"}
        assert (await client.post("/payments", json={"amount": 1}, headers=quoted)).json() == first.json()


@pytest.mark.anyio
async def test_answers_are_forgotten_after_a_day(sqlite_url: str) -> None:
    async with client_of(application(Database(sqlite_url), Base, Resource(Payment))) as client:
        assert (await client.post("/payments", json={"amount": 1}, headers=KEY)).json()["id"] == 1
        with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
            connection.execute("UPDATE rowserve_idempotency_keys SET created = created - 86400 - 2")
        connection.close()
        answers = await asyncio.gather(*(client.post("/payments", json={"amount": 1}, headers=KEY) for _ in range(4)))
        assert {answer.json()["id"] for answer in answers} == {2}


def test_the_table_of_keys_is_not_served(database_url: str, tmp_path: Path) -> None:
    with Served(database=database_url, cwd=tmp_path) as server:
        assert server.client.post("/users", json={"name": "Ada"}, headers=KEY).status_code == 201
    with Served(database_url, database=database_url, cwd=tmp_path) as server:
        assert server.client.get("/users").json() == [{"id": 1, "name": "Ada"}]
        assert refusal(server.client.get("/rowserve_idempotency_keys")) == (404, "PGRST205")
