"""`Prefer: return=`, and what is said of unknown preferences."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient, Response

from rowserve import Database, Resource
from rowserve.users import Base, User
from tests.helpers import application, client_of, names, refusal

pytestmark = pytest.mark.anyio


async def insert(client: AsyncClient, prefer: str, body: Any = None, query: str = "") -> Response:
    return await client.post(f"/users{query}", json=body or {"name": "Ada"}, headers={"Prefer": prefer})


async def test_minimal_is_empty(users: AsyncClient) -> None:
    answer = await insert(users, "return=minimal")

    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["content-length"] == "0"
    assert "content-type" not in answer.headers
    assert "location" not in answer.headers
    assert answer.headers["preference-applied"] == "return=minimal"
    assert answer.headers["content-range"] == "*/*"
    assert names(await users.get("/users")) == ["Ada"]


async def test_headers_only_is_empty_but_for_the_location(users: AsyncClient) -> None:
    for query in ("", "?select=name"):
        answer = await insert(users, "return=headers-only", query=query)
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["location"].startswith("/users?id=eq.")
        assert answer.headers["preference-applied"] == "return=headers-only"
    assert (await users.get("/users?id=eq.1")).json() == [{"id": 1, "name": "Ada"}]

    many = await insert(users, "return=headers-only", [{"name": "Grace"}, {"name": "Zoë"}])
    assert "location" not in many.headers


async def test_representation_is_an_array_even_of_one(users: AsyncClient) -> None:
    answer = await insert(users, "return=representation")

    assert (answer.status_code, answer.json()) == (201, [{"id": 1, "name": "Ada"}])
    assert answer.headers["preference-applied"] == "return=representation"


async def test_representation_of_just_one_is_an_object_if_asked(users: AsyncClient) -> None:
    answer = await users.post(
        "/users",
        json=[{"name": "Ada"}],
        headers={"Prefer": "return=representation", "Accept": "application/vnd.pgrst.object+json"},
    )

    assert (answer.status_code, answer.json()) == (201, {"id": 1, "name": "Ada"})
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"


async def test_a_row_of_its_own_may_be_changed_without_being_sent_back(users: AsyncClient) -> None:
    await insert(users, "return=minimal")

    for answer in (
        await users.patch("/users/1", json={"name": "Grace"}, headers={"Prefer": "return=minimal"}),
        await users.put("/users/1", json={"name": "Grace"}, headers={"Prefer": "return=minimal"}),
    ):
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["preference-applied"] == "return=minimal"
    answer = await users.patch("/users/1", json={"name": "Zoë"}, headers={"Prefer": "return=representation"})
    assert (answer.status_code, answer.json()) == (200, [{"id": 1, "name": "Zoë"}])
    answer = await users.delete("/users/1", headers={"Prefer": "return=representation"})
    assert (answer.status_code, answer.json()) == (200, [{"id": 1, "name": "Zoë"}])


async def test_minimal_may_be_the_default(database_url: str) -> None:
    resource = Resource(User, default_return="minimal")
    async with client_of(application(Database(database_url), Base, resource)) as client:
        posted = await client.post("/users", json={"name": "Ada"})
        assert (posted.status_code, posted.content) == (201, b"")
        patched = await client.patch("/users/1", json={"name": "Grace"})
        assert (patched.status_code, patched.content) == (204, b"")
        assert (await insert(client, "return=representation")).json() == [{"id": 2, "name": "Ada"}]


async def test_several_headers_are_one(users: AsyncClient) -> None:
    answer = await users.post(
        "/users", json={"name": "Ada"}, headers=[("Prefer", "return=minimal"), ("Prefer", "count=exact")]
    )

    assert answer.headers["preference-applied"] == "return=minimal, count=exact"
    assert answer.headers["content-range"] == "*/1"


async def test_unknown_preferences_are_ignored_unless_handled_strictly(users: AsyncClient) -> None:
    assert (await insert(users, "return=everything, colour=blue")).status_code == 201

    answer = await insert(users, "handling=strict, colour=blue")
    assert refusal(answer) == (400, "PGRST122")
    assert "colour=blue" in answer.json()["details"]
    assert len((await users.get("/users")).json()) == 1
