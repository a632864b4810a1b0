"""What happens when posts and comments are written: shapes, hooks, mails, versions, keys."""

from __future__ import annotations

from collections import deque

import pytest
from httpx import AsyncClient

from rowserve.testing import Faults

from ..mails import Mail
from .conftest import Blog
from .test_permissions import number

pytestmark = pytest.mark.anyio


async def test_a_title_makes_a_slug(client: AsyncClient, blog: Blog) -> None:
    written = await client.post("/posts", json={"title": " Un été à Aix! ", "body": "…"}, headers=blog.ada)
    assert (written.json()["title"], written.json()["slug"]) == ("Un été à Aix!", "un-ete-a-aix")
    again = await client.post("/posts", json={"title": "Un ete a Aix", "body": "…"}, headers=blog.bob)
    assert (again.status_code, again.json()["code"]) == (409, "23505")


@pytest.mark.parametrize(
    "wrong", [{"title": "!!"}, {"title": "Mine", "slug": "mine"}, {"title": "Mine", "author_id": 1}]
)
async def test_what_a_post_cannot_be(wrong: dict[str, object], client: AsyncClient, blog: Blog) -> None:
    refused = await client.post("/posts", json={"body": "…", **wrong}, headers=blog.ada)
    assert refused.status_code in (400, 422)
    assert len((await client.get("/posts", headers=blog.ada)).json()) == 2


async def test_a_draft_changes_its_slug_and_what_is_published_does_not(client: AsyncClient, blog: Blog) -> None:
    changed = await client.patch(blog.draft, json={"slug": "anew"}, headers=blog.ada)
    assert changed.json()["slug"] == "anew"
    assert (await client.patch(blog.draft, json={"slug": "A new one"}, headers=blog.ada)).status_code == 422

    refused = await client.patch(blog.post, json={"slug": "anew", "title": "New"}, headers=blog.root)
    assert (refused.status_code, refused.json()["code"]) == (409, "PT409")
    assert (await client.get(blog.post)).json()["title"] == "A post"


async def test_publishing(client: AsyncClient, blog: Blog, sent: deque[Mail]) -> None:
    published = await client.post(f"{blog.draft}/publish", headers=blog.ada)
    assert (published.status_code, published.headers["ETag"]) == (200, '"2"')
    assert list(sent) == [Mail("ada@blog.example", "“A draft” is published")]
    assert (await client.get(blog.draft)).headers["ETag"] == '"2"'
    assert (await client.post(f"{blog.draft}/publish", headers=blog.ada)).status_code == 409


async def test_authors_are_told_of_what_others_say(client: AsyncClient, blog: Blog, sent: deque[Mail]) -> None:
    for who, text in ((blog.bob, "Well said."), (blog.ada, "Thank you.")):
        said = await client.post("/comments", json={"post_id": number(blog.post), "text": text}, headers=who)
        assert said.status_code == 201
    assert list(sent) == [Mail("ada@blog.example", "A comment on “A post”")]


async def test_nobody_is_told_of_what_is_not_stored(
    client: AsyncClient, blog: Blog, sent: deque[Mail], faults: Faults
) -> None:
    faults.next_commit_fails()
    comment = {"post_id": number(blog.post), "text": "Well said."}
    assert (await client.post("/comments", json=comment, headers=blog.bob)).status_code == 503
    faults.next_commit_fails()
    assert (await client.post(f"{blog.draft}/publish", headers=blog.ada)).status_code == 503
    assert not sent
    assert (await client.get(blog.draft)).status_code == 404
    assert len((await client.get("/comments")).json()) == 1


async def test_who_comes_too_late_changes_nothing(client: AsyncClient, blog: Blog) -> None:
    read = (await client.get(blog.post)).headers["ETag"]
    first = await client.patch(blog.post, json={"body": "First."}, headers={**blog.ada, "If-Match": read})
    second = await client.patch(blog.post, json={"body": "Second."}, headers={**blog.root, "If-Match": read})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.headers["ETag"] == first.headers["ETag"]
    assert (await client.get(blog.post)).json()["body"] == "First."
    unchanged = await client.get(blog.post, headers={"If-None-Match": first.headers["ETag"]})
    assert unchanged.status_code == 304


async def test_what_is_sent_twice_is_said_once(client: AsyncClient, blog: Blog, sent: deque[Mail]) -> None:
    comment = {"post_id": number(blog.post), "text": "Well said."}
    once = {**blog.bob, "Idempotency-Key": "0c8f4f0e"}
    first, second = [await client.post("/comments", json=comment, headers=once) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len((await client.get("/comments?text=eq.Well said.")).json()) == 1
    assert len(sent) == 1
    other = await client.post("/comments", json={**comment, "text": "Or not."}, headers=once)
    assert other.status_code == 422
