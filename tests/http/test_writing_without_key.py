"""Writing to what has no primary key: a table, or a view, of a database that is served as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from rowserve import Database
from rowserve.server.application import Options, served_database
from tests.helpers import refusal

pytestmark = pytest.mark.anyio

DDL = (
    "create table pairs (a text, b text)",
    "create table people (id integer primary key, name text, secret text default 's', unique (name))",
    "create view public_people as select id, name from people where name is not null",
    "create view names as select distinct name from people",
)
REPRESENTATION = {"Prefer": "return=representation"}


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of a database with a table and views that have no key, and one person."""
    async with Database(database_url) as database, database.begin() as session:
        for statement in (*DDL, "insert into people (id, name) values (1, 'Ada')"):
            await session.execute(text(statement))
    front = served_database(Options(database_url))
    app = cast("object", front.app)
    async with (
        app.router.lifespan_context(app),  # type: ignore[attr-defined]
        AsyncClient(transport=ASGITransport(app=front), base_url="http://test") as client,
    ):
        yield client


async def test_rows_without_a_key_are_inserted_and_have_no_location(served: AsyncClient) -> None:
    for return_ in ("representation", "minimal", "headers-only"):
        answer = await served.post("/pairs", json={"a": "1", "b": return_}, headers={"Prefer": f"return={return_}"})
        assert answer.status_code == 201
        assert "location" not in answer.headers
    answer = await served.post("/pairs", json={"a": "2", "b": "x"})
    assert (answer.status_code, answer.json()) == (201, {"a": "2", "b": "x"})
    assert "location" not in answer.headers
    assert len((await served.get("/pairs")).json()) == 4


async def test_there_is_nothing_to_know_a_duplicate_by(served: AsyncClient) -> None:
    for resolution in ("merge", "ignore"):
        prefer = f"resolution={resolution}-duplicates, return=representation"
        answer = await served.post("/pairs", json=[{"a": "1", "b": "0"}], headers={"Prefer": prefer})
        assert (answer.status_code, answer.json()) == (201, [{"a": "1", "b": "0"}])
        assert answer.headers["preference-applied"] == "return=representation"
    assert len((await served.get("/pairs")).json()) == 2

    answer = await served.post(
        "/pairs?on_conflict=a", json={"a": "1"}, headers={"Prefer": "resolution=merge-duplicates"}
    )
    assert refusal(answer) == (400, "42P10")


async def test_put_needs_a_key(served: AsyncClient) -> None:
    answer = await served.put("/pairs?a=eq.1&b=eq.2", json={"a": "1", "b": "2"})

    assert refusal(answer) == (405, "PGRST105")


async def test_rows_without_a_key_are_updated_and_deleted(served: AsyncClient) -> None:
    await served.post("/pairs", json=[{"a": "1", "b": "x"}, {"a": "2", "b": "x"}])

    answer = await served.patch("/pairs?b=eq.x", json={"b": "y"}, headers=REPRESENTATION)
    assert len(answer.json()) == 2
    assert refusal(await served.patch("/pairs", json=[{"a": "1", "b": "z"}])) == (400, "21000")
    answer = await served.delete("/pairs?a=eq.1", headers=REPRESENTATION)
    assert answer.json() == [{"a": "1", "b": "y"}]


async def test_a_view_is_written_through_where_the_database_can(served: AsyncClient, database_url: str) -> None:
    rows = [{"id": 2, "name": "Bob"}, {"id": 3, "name": "Eve"}]
    answer = await served.post("/public_people", json=rows, headers=REPRESENTATION)
    if database_url.startswith("sqlite"):
        for refused, verb in (
            (answer, "insert into"),
            (await served.patch("/public_people?id=eq.1", json={"name": "x"}, headers=REPRESENTATION), "update"),
            (await served.delete("/public_people?id=eq.1", headers=REPRESENTATION), "delete from"),
        ):
            assert refusal(refused) == (500, "55000")
            assert refused.json()["message"] == f'cannot {verb} view "public_people"'
        assert len((await served.get("/people")).json()) == 1
        return
    assert (answer.status_code, answer.json()) == (201, rows)
    answer = await served.patch("/public_people?id=eq.2", json={"name": "Bo"}, headers=REPRESENTATION)
    assert answer.json() == [{"id": 2, "name": "Bo"}]
    prefer = "resolution=merge-duplicates, return=representation"
    for number, status in ((2, 200), (4, 201)):
        answer = await served.post(
            "/public_people?on_conflict=id", json={"id": number, "name": "x" * number}, headers={"Prefer": prefer}
        )
        assert (answer.status_code, answer.json()) == (status, [{"id": number, "name": "x" * number}])
    assert (await served.delete("/public_people?id=gt.1")).status_code == 204
    assert (await served.get("/people?select=id,secret")).json() == [{"id": 1, "secret": "s"}]

    answer = await served.post("/names", json={"name": "x"})
    assert refusal(answer) == (500, "55000")
    assert answer.json()["message"] == 'cannot insert into view "names"'
