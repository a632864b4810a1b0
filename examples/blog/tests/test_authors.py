"""What authors do, and what happens then."""

from __future__ import annotations

import asyncio

import pytest
from httpx import AsyncClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from examples.blog.mails import Mail
from examples.blog.models import Post
from rowserve.testing import Faults, assert_queries

from .conftest import World, of

pytestmark = pytest.mark.anyio


async def arrived(outbox: list[Mail], count: int) -> list[str]:
    """Whom mails were sent to, once they are: no answer waits for them."""
    for _ in range(200):
        if len(outbox) >= count:
            break
        await asyncio.sleep(0.01)
    return sorted(mail.to for mail in outbox)


async def test_a_post_is_its_authors_and_gets_a_slug(client: AsyncClient, world: World) -> None:
    answer = await client.post("/posts/", json={"title": "Well, hello!"}, headers=of(world.ada))
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    post = answer.json()
    assert (post["slug"], post["author_id"], post["published_at"]) == ("well-hello", world.ada.id, None)
    wrong = await client.post("/posts/", json={"title": "x", "slug": "No Slug"}, headers=of(world.ada))
    assert wrong.status_code == 422
    assert wrong.json()["message"].startswith("slug: ")


async def test_what_is_published_keeps_its_slug(client: AsyncClient, world: World) -> None:
    path = f"/posts/{world.published.id}"
    refused = await client.patch(path, json={"slug": "other"}, headers=of(world.ada))
    assert (refused.status_code, refused.json()["code"]) == (409, "PT409")
    draft = await client.patch(f"/posts/{world.draft.id}", json={"slug": "other"}, headers=of(world.ada))
    assert draft.json()["slug"] == "other"


async def test_publishing_tells_everybody_once(client: AsyncClient, world: World, outbox: list[Mail]) -> None:
    path = f"/posts/{world.draft.id}"
    for _ in range(2):
        assert (await client.post(f"{path}/publish", headers=of(world.ada))).status_code == 204
    assert await arrived(outbox, 3) == ["bob@example.org", "eve@example.org", "root@example.org"]
    assert (await client.get(path)).status_code == 200


async def test_a_comment_is_told_to_the_author(client: AsyncClient, world: World, outbox: list[Mail]) -> None:
    comments = [{"post_id": world.published.id, "text": text} for text in ("One", "Two")]
    assert (await client.post("/comments/", json=comments, headers=of(world.bob))).status_code == 201
    assert await arrived(outbox, 1) == ["ada@example.org"]


async def test_what_is_not_committed_is_not_told(
    client: AsyncClient, world: World, outbox: list[Mail], faults: Faults
) -> None:
    faults.next_commit_fails()
    comment = {"post_id": world.published.id, "text": "Lost"}
    assert (await client.post("/comments/", json=comment, headers=of(world.bob))).status_code == 503
    assert (await client.get("/comments/?text=eq.Lost")).json() == []
    assert await arrived(outbox, 0) == []


async def test_who_has_read_an_older_version_overwrites_nothing(client: AsyncClient, world: World) -> None:
    path, headers = f"/posts/{world.draft.id}", of(world.ada)
    etag = (await client.get(path, headers=headers)).headers["etag"]
    assert (await client.patch(path, json={"title": "1"}, headers={**headers, "if-match": etag})).status_code == 200
    late = await client.patch(path, json={"title": "2"}, headers={**headers, "if-match": etag})
    assert late.status_code == 412
    assert (await client.get(path, headers=headers)).json()["title"] == "1"


async def test_what_is_sent_twice_is_stored_once(client: AsyncClient, world: World, session: AsyncSession) -> None:
    headers = {**of(world.ada), "idempotency-key": "f1d2"}
    answers = [await client.post("/posts/", json={"title": "Once"}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await session.scalars(select(Post).where(Post.title == "Once"))).all()) == 1


async def test_a_post_comes_with_its_comments(client: AsyncClient, world: World) -> None:
    post = {"title": "With a word", "comments": [{"text": "First!"}]}
    drafted = await client.post("/posts/", json=post, headers=of(world.ada))
    assert drafted.status_code == 403  # nobody comments on a draft
    stored = await client.post("/posts/", json=post, headers=of(world.admin))
    assert [comment["text"] for comment in stored.json()["comments"]] == ["First!"]


async def test_posts_are_about_something(client: AsyncClient, world: World) -> None:
    (tag,) = (await client.get("/tags/")).json()
    tagged = {"post_id": world.published.id, "tag_id": tag["id"]}
    assert (await client.post("/post_tags/", json=tagged, headers=of(world.ada))).status_code == 201
    found = await client.get("/posts/?select=slug,tags!inner(name)&tags.name=eq.python")
    assert found.json() == [{"slug": "hello", "tags": [{"name": "python"}]}]


async def test_the_front_page_is_one_query(client: AsyncClient, world: World) -> None:
    with assert_queries(1):
        page = await client.get("/posts/?select=slug,title,author:users(name),tags(name),comments(count)&order=id.desc")
    assert page.status_code == 200, page.text
