"""``Accept-Profile`` and ``Content-Profile``: the schema that a request is about."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import names, refusal

pytestmark = pytest.mark.anyio


async def test_the_schema_of_a_model_may_be_named(users: AsyncClient) -> None:
    added = await users.post("/users", json={"name": "Ada"}, headers={"Content-Profile": "public"})
    assert added.status_code == 201
    assert names(await users.get("/users", headers={"Accept-Profile": "public"})) == ["Ada"]


async def test_another_schema_is_refused(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})
    for path in ("/users", "/users/1"):
        answer = await users.get(path, headers={"Accept-Profile": "secret"})
        assert refusal(answer) == (406, "PGRST106")
        assert answer.json()["hint"] == "Only the following schemas are exposed: public"
        assert refusal(await users.patch(path, json={"name": "X"}, headers={"Content-Profile": "secret"})) == (
            406,
            "PGRST106",
        )
    assert names(await users.get("/users")) == ["Ada"]
