"""The plans of writes: told where that is allowed, and nothing is written for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from fastapi import Depends, Header
from httpx import AsyncClient, Response
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Context, Database, Resource
from rowserve.permissions import ReadOnly, When, Where
from tests.helpers import application, client_of, refusal

pytestmark = pytest.mark.anyio

PLAN = "application/vnd.pgrst.plan"
ANALYZED = f"{PLAN}+json; options=analyze"
MERGE = {"Prefer": "resolution=merge-duplicates"}


class Base(DeclarativeBase):
    """The models of this module."""


class Tool(Base):
    """What has a version."""

    __tablename__ = "tools"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    price: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)


class Part(Base):
    """What has hooks."""

    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Secret(Base):
    """What has rules."""

    __tablename__ = "secrets"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int]


class Parts(Resource[Part]):
    """Tells in a list of what its hooks have been called with."""

    called: ClassVar[list[str]] = []

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        self.called.append("before_insert")

    async def after_update(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        self.called.append("after_update")

    async def before_delete(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        self.called.append("before_delete")


async def asking(x_user: int | None = Header(None)) -> int | None:
    """Whoever the header says."""
    return x_user


SECRETS = Resource(
    Secret,
    explain=True,
    user=Depends(asking),
    permissions=ReadOnly() | When(lambda ctx: ctx.user is not None) & Where(lambda ctx: Secret.owner == 7),
)
TOOLS = Resource(Tool, explain=True, version="revision", allow_unfiltered_writes=True)
PARTS = Parts(explain=True)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of two tools, two parts and two secrets."""
    Parts.called.clear()
    async with client_of(application(Database(database_url), Base, TOOLS, PARTS, SECRETS)) as client:
        for path, rows in (
            ("/tools", [{"name": "hammer", "price": 3}, {"name": "saw", "price": 5}]),
            ("/parts", [{"name": "nail"}, {"name": "bolt"}]),
        ):
            assert (await client.post(path, json=rows)).status_code == 201
        owned = await client.post("/secrets", json={"owner": 7}, headers={"X-User": "7"})
        assert owned.status_code == 201, owned.text
        Parts.called.clear()
        yield client


async def everything(client: AsyncClient) -> list[Any]:
    return [(await client.get(path)).json() for path in ("/tools", "/parts", "/secrets")]


def is_plan(answer: Response, accept: str) -> bool:
    """Whether an answer is a plan of the database that is served."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(accept.partition(";")[0])
    return "json" not in accept or isinstance(answer.json(), list)


WRITES: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", "", {"name": "file"}, {}),
    ("POST", "?select=name&order=name", [{"name": "file"}, {"name": "rasp"}], {"Prefer": "return=representation"}),
    ("POST", "", [{"name": f"t{number}"} for number in range(9_000)], {"Prefer": "return=minimal"}),
    ("POST", "", [{"id": 1, "name": "mallet"}, {"id": 9, "name": "rasp"}], MERGE),
    ("PATCH", "?id=lt.2", {"name": "file"}, {}),
    ("PATCH", "/1", {"name": "file"}, {}),
    ("PATCH", "", [{"id": 1, "name": "mallet"}, {"id": 2, "name": "rasp"}], {}),
    ("PUT", "/1", {"name": "file"}, {}),
    ("PUT", "?id=eq.9", {"id": 9, "name": "file"}, {}),
    ("DELETE", "?id=gt.0", None, {"Prefer": "return=representation"}),
    ("DELETE", "/2", None, {}),
    ("DELETE", "?id=gt.0", None, {"Prefer": "handling=strict, max-affected=1"}),
]


@pytest.mark.parametrize("accept", [PLAN, f"{PLAN}+json", ANALYZED])
async def test_nothing_is_written_for_a_plan(client: AsyncClient, accept: str) -> None:
    before = await everything(client)
    for path in ("/tools", "/parts"):
        for method, query, body, headers in WRITES:
            if path == "/parts" and (headers == MERGE or query == "?id=eq.9"):
                continue  # refused, as there are hooks
            answer = await client.request(method, path + query, json=body, headers={**headers, "Accept": accept})
            assert is_plan(answer, accept), (method, path, query)
            assert await everything(client) == before, (method, path, query)
    assert Parts.called == []
    # What is asked for by anything else is written as ever, hooks and all.
    written = await client.post("/parts", json={"name": "file"}, headers={"Accept": "application/json;q=0.9"})
    assert (written.status_code, written.json()["name"]) == (201, "file")
    assert Parts.called == ["before_insert"]
    assert (await client.patch("/parts/1", json={"name": "screw"})).json() == {"id": 1, "name": "screw"}
    assert Parts.called == ["before_insert", "after_update"]


async def test_a_plan_is_not_what_a_key_is_kept_for(client: AsyncClient) -> None:
    key = {"Idempotency-Key": "1"}
    for path in ("/tools", "/parts"):
        for _ in range(2):
            told = await client.post(path, json={"name": "axe"}, headers={**key, "Accept": ANALYZED})
            assert is_plan(told, ANALYZED)
        written = await client.post(path, json={"name": "axe"}, headers=key)
        assert (written.status_code, "idempotent-replayed" in written.headers) == (201, False)
        key = {"Idempotency-Key": "2"}


async def test_on_postgresql_it_is_run_if_that_is_asked_for(postgresql_url: str) -> None:
    async with client_of(application(Database(postgresql_url), Base, TOOLS)) as client:
        await client.post("/tools", json=[{"name": "hammer"}, {"name": "saw"}])
        planned = await client.delete("/tools?price=eq.1", headers={"Accept": f"{PLAN}+json"})
        assert planned.json()[0]["Plan"]["Operation"] == "Delete"
        assert "Execution Time" not in planned.json()[0]
        analyzed = await client.delete("/tools?price=eq.1", headers={"Accept": ANALYZED})
        assert analyzed.json()[0]["Plan"]["Plans"][0]["Actual Rows"] == 2
        assert len((await client.get("/tools")).json()) == 2

        many = [{"name": "file"}, {"name": "rasp"}, {"name": "axe"}]
        together = await client.post("/tools", json=many, headers={"Accept": f"{PLAN}; options=analyze"})
        assert "Function Scan on sets" in together.text
        assert "rows=3" in together.text
        # What could not be written is refused where it is run, and only there.
        twice = {"name": "saw"}
        assert refusal(await client.post("/tools", json=twice, headers={"Accept": ANALYZED})) == (409, "23505")
        assert (await client.post("/tools", json=twice, headers={"Accept": PLAN})).status_code == 200


async def test_sqlite_tells_how_it_finds_what_it_changes(sqlite_url: str) -> None:
    async with client_of(application(Database(sqlite_url), Base, TOOLS)) as client:
        by_key = await client.patch("/tools/1", json={"price": 2}, headers={"Accept": PLAN})
        assert by_key.text == "QUERY PLAN\n  SEARCH tools USING INTEGER PRIMARY KEY (rowid=?)"
        scanned = await client.delete("/tools?price=eq.1", headers={"Accept": PLAN})
        assert "SCAN tools" in scanned.text


async def test_rules_hold_for_plans_too(client: AsyncClient) -> None:
    for accept in (PLAN, ANALYZED):
        refused = await client.post("/secrets", json={"owner": 7}, headers={"Accept": accept})
        assert refusal(refused) == (401, "42501")
    known = {"Accept": PLAN, "X-User": "7"}
    assert (await client.patch("/secrets?id=eq.1", json={"owner": 7}, headers=known)).status_code == 200


async def test_what_would_write_nothing_has_no_plan(client: AsyncClient) -> None:
    for method, path, body in (("POST", "/tools", []), ("PATCH", "/tools?id=eq.1", {}), ("PATCH", "/tools/1", {})):
        answer = await client.request(method, path, json=body, headers={"Accept": PLAN})
        assert refusal(answer) == (406, "PGRST107"), (method, path)


async def test_plans_of_writes_are_not_told_unless_that_is_allowed(database_url: str) -> None:
    async with client_of(application(Database(database_url), Base, Resource(Part))) as client:
        for method, path in (
            ("POST", "/parts"),
            ("PATCH", "/parts?id=eq.1"),
            ("PUT", "/parts/1"),
            ("DELETE", "/parts/1"),
        ):
            answer = await client.request(method, path, json={"name": "x"}, headers={"Accept": PLAN})
            assert refusal(answer) == (406, "PGRST107")
        assert (await client.get("/parts")).json() == []
