"""Nobody sees or changes what is another's."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from .conftest import World, of

pytestmark = pytest.mark.anyio


async def test_does_not_see_anothers_drafts(client: AsyncClient, world: World) -> None:
    for user, expected in ((world.bob, {"hello", "bobs-draft"}), (world.reader, {"hello"})):
        posts = (await client.get("/posts/", headers=of(user))).json()
        assert {post["slug"] for post in posts} == expected
        embedded = (await client.get("/users/?name=eq.ada&select=posts(slug)", headers=of(user))).json()
        assert embedded == [{"posts": [{"slug": "hello"}]}]
    assert (await client.get(f"/posts/{world.draft.id}", headers=of(world.bob))).status_code == 404


async def test_does_not_change_anothers_posts(client: AsyncClient, world: World) -> None:
    path = f"/posts/{world.published.id}"
    assert (await client.patch(path, json={"title": "Mine"}, headers=of(world.bob))).status_code == 403
    assert (await client.delete(path, headers=of(world.reader))).status_code == 403
    draft = f"/posts/{world.draft.id}"
    assert (await client.patch(draft, json={"title": "Mine"}, headers=of(world.bob))).status_code == 404
    assert (await client.post(f"{draft}/publish", headers=of(world.bob))).status_code == 404


async def test_does_not_write_in_anothers_name(client: AsyncClient, world: World) -> None:
    stolen = {"post_id": world.published.id, "author_id": world.ada.id, "text": "x"}
    assert (await client.post("/comments/", json=stolen, headers=of(world.reader))).status_code == 400
    path = f"/comments/{world.comment.id}"
    assert (await client.patch(path, json={"text": "x"}, headers=of(world.bob))).status_code == 403
    tagged = {"post_id": world.published.id, "tag_id": 1}
    assert (await client.post("/post_tags/", json=tagged, headers=of(world.bob))).status_code == 403


async def test_does_not_become_an_admin(client: AsyncClient, world: World) -> None:
    path = f"/users/{world.bob.id}"
    assert (await client.patch(path, json={"role": "admin"}, headers=of(world.bob))).status_code == 403
    changed = await client.patch(path, json={"role": "reader"}, headers=of(world.admin))
    assert changed.json()["role"] == "reader"


async def test_admins_do_everything(client: AsyncClient, world: World) -> None:
    posts = (await client.get("/posts/", headers=of(world.admin))).json()
    assert {post["slug"] for post in posts} == {"hello", "a-draft", "bobs-draft"}
    assert (await client.delete(f"/posts/{world.draft.id}", headers=of(world.admin))).status_code == 204
    assert (await client.post("/tags/", json={"name": "sql"}, headers=of(world.admin))).status_code == 201
