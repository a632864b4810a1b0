"""Plans of what writes: told where that is allowed, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Context, Database, Resource, Session
from rowserve.permissions import ReadOnly, Where
from tests.helpers import application, client_of, refusal

pytestmark = pytest.mark.anyio

PLAN = "application/vnd.pgrst.plan"
ANALYZED = f"{PLAN}; options=analyze"


class Base(DeclarativeBase):
    """The models of this module."""


class Item(Base):
    """Something that there is one of."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    size: Mapped[int] = mapped_column(default=1)


class Kept(Base):
    """Something that changes by its version."""

    __tablename__ = "kept"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)


class Owned(Base):
    """Something of which only what is small may be written."""

    __tablename__ = "owned"

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]


class KeptResource(Resource[Kept]):
    """Says whether its hook was called."""

    version = "revision"
    explain = True
    called: list[str]

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        self.called.append("insert")

    async def before_update(self, ctx: Context, rows: list[dict[str, Any]], changes: dict[str, Any]) -> None:
        self.called.append("update")


@pytest.fixture
def kept() -> KeptResource:
    resource = KeptResource()
    resource.called = []
    return resource


@pytest.fixture
async def client(database_url: str, kept: KeptResource) -> AsyncIterator[AsyncClient]:
    """A client of two items, and one of each of the others."""
    small = ReadOnly() | Where(lambda ctx: Owned.size < 10)
    items = Resource(Item, explain=True, tx_override=True)

    @items.function
    async def add_item(session: Session, name: str) -> list[Item]:
        item = Item(name=name)
        session.add(item)
        return [item]

    owned = Resource(Owned, explain=True, permissions=small)
    async with client_of(application(Database(database_url), Base, items, kept, owned)) as client:
        for path, rows in (
            ("/items", [{"name": "a"}, {"name": "b"}]),
            ("/kept", [{"name": "a"}]),
            ("/owned", [{"size": 1}]),
        ):
            assert (await client.post(path, json=rows)).status_code == 201
        kept.called.clear()
        yield client


async def everything(client: AsyncClient) -> list[Any]:
    return [(await client.get(path)).json() for path in ("/items", "/kept", "/owned")]


WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/items", {"name": "c"}),
    ("POST", "/items?select=id", [{"name": "c"}, {"name": "d"}]),
    ("PATCH", "/items?id=eq.1", {"name": "c"}),
    ("PATCH", "/items/1", {"name": "c"}),
    ("PATCH", "/items", [{"id": 1, "name": "c"}, {"id": 2, "name": "d"}]),
    ("PUT", "/items?id=eq.7", {"id": 7, "name": "c"}),
    ("PUT", "/items/1", {"name": "c"}),
    ("DELETE", "/items?id=eq.1", None),
    ("DELETE", "/kept/1", None),
    ("PATCH", "/kept/1", {"name": "c"}),
    ("POST", "/kept", {"name": "c"}),
    ("POST", "/owned", {"size": 3}),
    ("PATCH", "/owned/1", {"size": 4}),
]
VERBS = {"POST": "Insert", "PUT": "Insert", "PATCH": "Update", "DELETE": "Delete"}


@pytest.mark.parametrize("accept", [PLAN, ANALYZED])
async def test_writes_are_explained_and_not_done(client: AsyncClient, accept: str, kept: KeptResource) -> None:
    before = await everything(client)
    on_sqlite = "QUERY PLAN" in (await client.get("/items", headers={"Accept": PLAN})).text
    for method, path, body in WRITES:
        answer = await client.request(method, path, json=body, headers={"Accept": accept, "Prefer": "return=minimal"})
        assert answer.status_code == 200, (method, path, answer.text)
        assert answer.headers["content-type"].startswith(f"{PLAN}+text")
        if on_sqlite:
            assert answer.text.startswith("QUERY PLAN")
        else:
            verb = "Update" if path == "/items/1" and method == "PUT" else VERBS[method]
            assert f"{verb} on {path.split('/')[1].split('?')[0]}" in answer.text
            assert ("actual time=" in answer.text) is (accept == ANALYZED), (method, path, answer.text)
    assert await everything(client) == before
    assert kept.called == []
    assert (await client.post("/items", json={"name": "z"})).json()["name"] == "z"


async def test_all_rows_of_an_insert_are_analyzed_together(client: AsyncClient, database_url: str) -> None:
    answer = await client.post(
        "/items",
        json=[{"name": name} for name in "cdefg"],
        headers={"Accept": f"{PLAN}+json; options=analyze", "Prefer": "return=minimal"},
    )
    assert answer.status_code == 200, answer.text
    if database_url.startswith("postgresql"):
        (plan,) = answer.json()
        assert plan["Plan"]["Plans"][0]["Actual Rows"] == 5


async def test_merging_many_rows_is_explained(client: AsyncClient) -> None:
    before = await everything(client)
    rows = [{"id": 1, "name": "c"}, {"id": 9, "name": "d"}]
    for accept in (PLAN, ANALYZED, f"{PLAN}+json; options=analyze|verbose", f'{PLAN}; for="text/csv"'):
        headers = {"Accept": accept, "Prefer": "resolution=merge-duplicates, handling=strict, timezone=Europe/Rome"}
        answer = await client.post("/items?order=name", json=rows, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(PLAN)
    assert await everything(client) == before


async def test_what_would_fail_fails_where_it_is_run(client: AsyncClient, database_url: str) -> None:
    again, large = {"id": 1, "name": "again"}, {"size": 99}
    if database_url.startswith("postgresql"):
        assert refusal(await client.post("/items", json=again, headers={"Accept": ANALYZED})) == (409, "23505")
        assert refusal(await client.post("/owned", json=large, headers={"Accept": ANALYZED})) == (401, "42501")
    assert (await client.post("/owned", json=large, headers={"Accept": PLAN})).status_code == 200
    assert len((await client.get("/owned")).json()) == 1


async def test_what_changes_nothing_has_no_plan(client: AsyncClient) -> None:
    for answer in (
        await client.post("/items", json=[], headers={"Accept": PLAN}),
        await client.patch("/items?id=eq.1", json={}, headers={"Accept": PLAN}),
    ):
        assert refusal(answer) == (400, "PGRST102")
    assert (await client.patch("/items/1", json={}, headers={"Accept": PLAN})).status_code == 200


async def test_functions_that_write_are_not_called_to_be_explained(client: AsyncClient) -> None:
    answer = await client.post("/rpc/add_item", json={"name": "c"}, headers={"Accept": PLAN})
    assert refusal(answer) == (400, "PGRST127")
    assert len((await client.get("/items")).json()) == 2


async def test_plans_of_writes_are_for_those_who_may_see_them(client: AsyncClient, database_url: str) -> None:
    async with client_of(application(Database(database_url), Base, Resource(Item))) as closed:
        answers: list[Response] = [
            await closed.post("/items", json={"name": "c"}, headers={"Accept": PLAN}),
            await closed.delete("/items/1", headers={"Accept": PLAN}),
        ]
    assert [refusal(answer) for answer in answers] == [(406, "PGRST107")] * 2
