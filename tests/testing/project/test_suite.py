"""The tests of a user. Each is to pass, but for those whose names say that they fail."""

from __future__ import annotations

import asyncio

import pytest
from httpx import AsyncClient
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rowserve import Database
from rowserve.testing import Faults, Queries, assert_queries

from .app import Author, Book, welcomed

pytestmark = pytest.mark.anyio


async def names(client: AsyncClient) -> list[str]:
    answer = await client.get("/names")
    assert answer.status_code == 200, answer.text
    listed = [row["name"] for row in (await client.get("/authors?order=id")).json()]
    assert listed == answer.json()
    return listed


@pytest.mark.parametrize("time", [1, 2])
async def test_all_see_what_a_resource_has_written_and_after_the_test_it_is_gone(
    time: int, client: AsyncClient, session: AsyncSession, database: Database
) -> None:
    assert await names(client) == ["Homer"]
    ada = (await client.post("/authors", json={"name": "Ada"})).json()
    assert (await session.scalars(select(Author.name).order_by(Author.id))).all() == ["Homer", "Ada"]
    assert [author.name async for author in database.stream(select(Author).order_by(Author.id))] == ["Homer", "Ada"]
    lines = await client.get("/authors", headers={"Accept": "application/x-ndjson"})
    assert len(lines.text.splitlines()) == 2
    assert (await client.patch(f"/authors/{ada['id']}", json={"name": "Augusta"})).status_code == 200
    assert (await session.scalars(select(Author).where(Author.id == ada["id"]))).one().name == "Augusta"
    assert (await client.delete("/authors?name=eq.Homer")).status_code < 300
    assert await names(client) == ["Augusta"]


@pytest.mark.parametrize("time", [1, 2])
async def test_what_sessions_commit_is_gone_too(
    time: int, client: AsyncClient, session: AsyncSession, database: Database
) -> None:
    assert (await client.post("/signup?name=Ada")).status_code == 201
    session.add(Author(name="Grace"))
    await session.commit()
    async with database.begin() as own:
        own.add(Author(name="Alan"))
    assert await names(client) == ["Homer", "Ada", "Grace", "Alan"]


async def test_the_session_reads_anew(client: AsyncClient, session: AsyncSession) -> None:
    homer = (await session.scalars(select(Author))).one()
    await client.patch(f"/authors/{homer.id}", json={"name": "Omeros"})
    assert (await session.scalars(select(Author))).one() is homer
    assert homer.name == "Omeros"


async def test_what_is_flushed_is_seen_and_can_be_taken_back(client: AsyncClient, session: AsyncSession) -> None:
    session.add(Author(name="Ada"))
    await session.flush()
    assert await names(client) == ["Homer", "Ada"]
    assert (await client.post("/authors", json={"name": "Grace"})).status_code == 201
    assert (await client.post("/signup?name=Alan")).status_code == 201
    assert await names(client) == ["Homer", "Ada", "Grace", "Alan"]
    await session.rollback()
    assert await names(client) == ["Homer"]


async def test_what_fails_spoils_nothing(client: AsyncClient, session: AsyncSession) -> None:
    assert (await client.post("/authors", json={"name": "Ada"})).status_code == 201
    for path in ("/authors?name=Ada", "/signup?name=Ada"):
        refused = await client.post(path)
        assert refused.status_code == 409, refused.text
        assert "23505" in refused.text
    refused = await client.post("/authors", json=[{"name": "Grace"}, {"name": "Ada"}])
    assert refused.status_code == 409
    assert (await client.get("/authors?id=eq.nonsense")).status_code == 400
    session.add(Author(name="Ada"))
    with pytest.raises(IntegrityError):
        await session.commit()
    await session.rollback()
    assert (await client.post("/careful?name=Grace")).json() is False
    assert (await client.post("/regretful?name=Nobody")).status_code == 200
    assert await names(client) == ["Homer", "Ada", "Grace"]


async def test_constraints_that_wait_for_the_commit(client: AsyncClient, session: AsyncSession) -> None:
    for refused in (
        await client.post("/orphan"),
        await client.post("/books", json={"title": "Anonymous", "author_id": 4711}),
    ):
        assert refused.status_code == 409, refused.text
        assert "23503" in refused.text
    assert (await session.scalars(select(Book))).all() == []
    homer = await session.scalar(select(Author.id))
    assert (await client.post("/books", json={"title": "Iliad", "author_id": homer})).status_code == 201
    assert (await client.get("/books?select=title,authors(name)")).json() == [
        {"title": "Iliad", "authors": {"name": "Homer"}}
    ]


async def test_what_comes_after_the_commit_is_done_with_the_answer(client: AsyncClient, faults: Faults) -> None:
    assert (await client.post("/welcome?name=Ada")).status_code == 201
    assert welcomed == ["Ada"]
    faults.next_commit_fails()
    assert (await client.post("/welcome?name=Grace")).status_code == 503
    assert welcomed == ["Ada"]


async def test_requests_in_parallel(client: AsyncClient) -> None:
    paths = [f"/signup?name=s{number}" for number in range(12)] + [f"/authors?name=r{number}" for number in range(12)]
    answers = await asyncio.gather(
        *(client.post(path) for path in paths),
        *(client.get("/slowly") for _ in range(6)),
        *(client.get("/authors") for _ in range(6)),
        *(client.post("/signup?name=Homer") for _ in range(6)),
        *(client.post("/regretful?name=Nobody") for _ in range(6)),
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses == [201] * 24 + [200] * 12 + [409] * 6 + [200] * 6
    assert len(await names(client)) == 25


async def test_requests_that_are_given_up_at_any_moment(client: AsyncClient) -> None:
    for turns in range(0, 60, 3):
        calls = [client.post(f"/signup?name=s{turns}"), client.post(f"/authors?name=r{turns}"), client.get("/slowly")]
        tasks = [asyncio.create_task(call) for call in calls]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await client.post(f"/signup?name=S{turns}")).status_code == 201
        assert (await client.post(f"/authors?name=R{turns}")).status_code == 201
    assert {f"{kind}{turns}" for kind in "SR" for turns in range(0, 60, 3)} < set(await names(client))


async def test_writers_take_turns(client: AsyncClient, database: Database) -> None:
    async with database.begin() as own:
        own.add(Author(name="Ada"))
        await own.flush()
        late = await client.post("/signup?name=Grace")
        assert late.status_code == (500 if database.backend.dialect.name == "postgresql" else 503)
    assert await names(client) == ["Homer", "Ada"]
    assert (await client.post("/signup?name=Grace")).status_code == 201


async def test_queries_of_all_are_counted(client: AsyncClient, session: AsyncSession, queries: Queries) -> None:
    assert queries == []
    with assert_queries(1) as made:
        await client.get("/authors")
    assert "authors" in made[0]
    with assert_queries(1):
        await client.post("/authors", json={"name": "Ada"})
    with assert_queries(1):
        await client.get("/names")
    with assert_queries(1):
        await session.scalars(select(Author))
    with assert_queries(1):
        await client.post("/hooked", json={"name": "Grace"})
    with assert_queries(0):
        await client.get("/docs")
    assert len(queries) == 5


async def test_fails_because_of_one_query_for_each_row(client: AsyncClient, session: AsyncSession) -> None:
    await session.execute(insert(Author), [{"name": f"a{number}"} for number in range(4)])
    with assert_queries(2):
        await client.get("/slowly")


async def test_a_commit_that_fails(client: AsyncClient, faults: Faults) -> None:
    for path in ("/authors?name=Ada", "/signup?name=Ada"):
        faults.next_commit_fails()
        await client.get("/names")
        failed = await client.post(path)
        assert (failed.status_code, code(failed.json())) == (503, "53100")
        assert await names(client) == ["Homer"]
    assert (await client.post("/signup?name=Ada")).status_code == 201


async def test_a_full_pool(client: AsyncClient, session: AsyncSession, faults: Faults) -> None:
    calls = [("GET", "/authors"), ("POST", "/authors?name=Ada"), ("GET", "/names"), ("POST", "/signup?name=Ada")]
    with faults.pool_is_full():
        for method, path in calls:
            refused = await client.request(method, path)
            assert (refused.status_code, code(refused.json())) == (503, "PGRST003")
            assert int(refused.headers["retry-after"]) >= 1
        assert (await session.scalars(select(Author.name))).all() == ["Homer"]
    assert await names(client) == ["Homer"]
    faults.pool_is_full()
    assert (await client.get("/names")).status_code == 503


async def test_the_fault_of_the_last_test_is_over(client: AsyncClient) -> None:
    assert (await client.get("/names")).status_code == 200


async def test_a_slow_database(client: AsyncClient, faults: Faults) -> None:
    with faults.slow(0.05):
        assert await names(client) == ["Homer"]
    with faults.slow(60):
        late = await asyncio.gather(client.get("/authors"), client.post("/authors?name=Ada"))
        assert [answer.status_code for answer in late] == [500, 500]
        assert {code(answer.json()) for answer in late} == {"57014"}
    with faults.slow(60):
        assert (await client.post("/signup?name=Ada")).status_code == 500
    assert await names(client) == ["Homer"]


async def test_a_connection_that_is_lost(client: AsyncClient, database: Database, faults: Faults) -> None:
    on_postgresql = database.backend.dialect.name == "postgresql"
    faults.connection_lost()
    read = await client.get("/authors")
    assert read.status_code == (200 if on_postgresql else 503)
    for path in ("/authors?name=Ada", "/signup?name=Ada"):
        faults.connection_lost()
        lost = await client.post(path)
        assert (lost.status_code, code(lost.json())) == (503, "PGRST000" if on_postgresql else "53100")
        assert lost.headers["retry-after"]
    assert await names(client) == ["Homer"]
    assert (await client.post("/signup?name=Ada")).status_code == 201


async def test_settings_of_a_transaction_end_with_it(database: Database) -> None:
    if database.backend.dialect.name != "postgresql":
        pytest.skip("SQLite has none")
    async with database.begin() as own:
        await own.execute(text("SELECT set_config('app.tenant', 'one', true)"))
        assert await own.scalar(text("SELECT current_setting('app.tenant', true)")) == "one"
        own.add(Author(name="Ada"))
    async with database.begin() as own:
        assert not await own.scalar(text("SELECT current_setting('app.tenant', true)"))


def code(body: dict[str, object]) -> object:
    """The code of an error, whether a resource or an endpoint has answered it."""
    detail = body.get("detail", body)
    assert isinstance(detail, dict)
    return detail["code"]
