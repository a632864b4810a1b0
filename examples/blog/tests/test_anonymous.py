"""Who is not known reads what is published, and nothing else."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from .conftest import World

pytestmark = pytest.mark.anyio


async def test_sees_what_is_published(client: AsyncClient, world: World) -> None:
    posts = (await client.get("/posts/?select=slug,minutes,author:users(name),comments(text)")).json()
    assert posts == [
        {"slug": "hello", "minutes": 3, "author": {"name": "ada"}, "comments": [{"text": "I have read it"}]}
    ]
    assert (await client.get(f"/posts/{world.draft.id}")).status_code == 404
    assert (await client.get("/comments/?select=text")).json() == [{"text": "I have read it"}]
    assert (await client.get("/posts/?select=count()")).json() == [{"count": 1}]


async def test_does_not_see_what_is_hidden(client: AsyncClient, world: World) -> None:
    assert (await client.get("/users/?name=eq.ada")).json() == [{"id": world.ada.id, "name": "ada", "role": "author"}]
    assert "moderation_note" not in (await client.get(f"/posts/{world.published.id}")).json()
    assert (await client.get("/users/?email=eq.ada@example.org")).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/posts/", {"title": "x"}),
        ("POST", "/comments/", {"post_id": 1, "text": "x"}),
        ("POST", "/tags/", {"name": "x"}),
        ("PATCH", "/users/?name=eq.eve", {"role": "admin"}),
        ("DELETE", "/posts/?id=gt.0", None),
        ("POST", "/posts/1/publish", None),
    ],
)
async def test_writes_nothing(client: AsyncClient, world: World, method: str, path: str, body: object) -> None:
    assert (await client.request(method, path, json=body)).status_code == 401


async def test_signs_up_and_logs_in(client: AsyncClient, world: World) -> None:
    new = {"name": "mia", "email": "mia@example.org", "password": "long enough"}
    token = (await client.post("/signup", json=new)).json()["token"]
    again = await client.post("/login", json={"name": "mia", "password": "long enough"})
    assert again.status_code == 200
    assert (await client.post("/login", json={"name": "mia", "password": "wrong"})).status_code == 401
    assert (await client.post("/signup", json=new)).status_code == 409
    comment = {"post_id": world.published.id, "text": "Hello"}
    answer = await client.post("/comments/", json=comment, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 201
