"""Every way to reach a row, by everybody: what the database answers is what a filter in Python leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from httpx import AsyncClient

from .app import CALLERS, COMMENTS, NUMBERS, POSTS, TAGS, USERS, blog, owns, sees

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of the blog."""
    async with blog(database_url) as client:
        yield client


@pytest.fixture(params=list(CALLERS))
def who(request: pytest.FixtureRequest) -> str:
    """Each of those who ask."""
    name: str = request.param
    return name


async def get(client: AsyncClient, who: str, path: str, **headers: str) -> Any:
    answer = await client.get(path, headers={**CALLERS[who], **headers})
    assert answer.status_code in (200, 206), answer.text
    return answer.json()


async def test_reading(client: AsyncClient, who: str) -> None:
    seen = [post for post in POSTS if sees(who, post)]
    ids = [post["id"] for post in seen]

    assert await get(client, who, "/posts") == seen
    assert await get(client, who, "/posts?order=size.desc&limit=2") == seen[::-1][:2]
    assert await get(client, who, "/rpc/all_posts?order=id") == seen
    for post in POSTS:
        answer = await client.get(f"/posts/{post['id']}", headers=CALLERS[who])
        assert answer.status_code == (200 if sees(who, post) else 404)
        filtered = await get(client, who, f"/posts?or=(id.eq.{post['id']},id.is.null)")
        assert filtered == ([post] if sees(who, post) else [])
    lines = await client.get("/posts?select=id", headers={**CALLERS[who], "accept": "text/csv"})
    assert lines.text.split() == ["id", *map(str, ids)]
    streamed = await client.get("/posts?select=id", headers={**CALLERS[who], "accept": "application/x-ndjson"})
    assert [int(line[6:-1]) for line in streamed.text.split()] == ids


async def test_callers_at_once_get_each_their_own(client: AsyncClient) -> None:
    """Their requests wait, and travel together."""
    asked = [(who, post) for _ in range(8) for who in CALLERS for post in POSTS]
    answers = await asyncio.gather(*(client.get(f"/posts/{post['id']}", headers=CALLERS[who]) for who, post in asked))
    for (who, post), answer in zip(asked, answers, strict=True):
        assert answer.status_code == (200 if sees(who, post) else 404), (who, post)
    lists = await asyncio.gather(*(client.get("/posts", headers=CALLERS[who]) for who, _ in asked))
    for (who, _), answer in zip(asked, lists, strict=True):
        assert answer.json() == [post for post in POSTS if sees(who, post)], who
    writes = await asyncio.gather(
        *(
            client.patch(f"/posts/{post['id']}", json={"size": post["size"]}, headers=CALLERS[who])
            for who, post in asked
        )
    )
    for (who, post), answer in zip(asked, writes, strict=True):
        refused = 401 if who == "anonymous" else 403 if sees(who, post) else 404
        assert answer.status_code == (200 if owns(who, post) else refused), (who, post, answer.text)


async def test_counting(client: AsyncClient, who: str) -> None:
    seen = [post for post in POSTS if sees(who, post)]
    for count in ("exact", "estimated"):
        headers = {**CALLERS[who], "prefer": f"count={count}"}
        answer = await client.head("/posts?limit=1", headers=headers)
        assert answer.headers["content-range"] == f"0-0/{len(seen)}"
    sums = await get(client, who, "/posts?select=count(),size.sum(),size.max()")
    assert sums == [{"count": len(seen), "sum": sum(p["size"] for p in seen), "max": max(p["size"] for p in seen)}]
    groups = await get(client, who, "/posts?select=author_id,size.sum()&order=author_id")
    authors = sorted({post["author_id"] for post in seen})
    assert groups == [
        {"author_id": author, "sum": sum(post["size"] for post in seen if post["author_id"] == author)}
        for author in authors
    ]
    counted = await get(client, who, "/users?select=id,posts(count())")
    assert [row["posts"][0]["count"] for row in counted] == [
        sum(sees(who, post) for post in POSTS if post["author_id"] == user["id"]) for user in USERS
    ]


async def test_embedding(client: AsyncClient, who: str) -> None:
    def seen_of(user: dict[str, Any]) -> list[dict[str, Any]]:
        return [post for post in POSTS if post["author_id"] == user["id"] and sees(who, post)]

    def said_of(post: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"id": comment["id"]} for comment in COMMENTS if comment["post_id"] == post["id"]]

    assert await get(client, who, "/users?select=id,posts(id)") == [
        {"id": user["id"], "posts": [{"id": post["id"]} for post in seen_of(user)]} for user in USERS
    ]
    assert await get(client, who, "/users?select=id,posts(id,comments(id))") == [
        {"id": user["id"], "posts": [{"id": post["id"], "comments": said_of(post)} for post in seen_of(user)]}
        for user in USERS
    ]
    assert await get(client, who, "/users?select=id,...posts(titles:title)") == [
        {"id": user["id"], "titles": [post["title"] for post in seen_of(user)]} for user in USERS
    ]
    assert await get(client, who, "/users?select=id,posts!inner()") == [
        {"id": user["id"]} for user in USERS if seen_of(user)
    ]
    assert await get(client, who, "/users?select=id,posts()&posts=is.null") == [
        {"id": user["id"]} for user in USERS if not seen_of(user)
    ]
    assert await get(client, who, "/users?select=id,posts!inner()&posts.size=gt.7") == [
        {"id": user["id"]} for user in USERS if any(post["size"] > 7 for post in seen_of(user))
    ]
    said = [comment for comment in COMMENTS if sees(who, POSTS[comment["post_id"] - 1])]
    assert await get(client, who, "/comments?select=id,...posts(title)&order=posts(title),id") == [
        {"id": comment["id"], "title": POSTS[comment["post_id"] - 1]["title"]} for comment in said
    ]
    posts = [post["id"] for post in POSTS if sees(who, post)]
    assert await get(client, who, "/tags?select=id,posts(id)") == [
        {"id": tag["id"], "posts": [{"id": post} for post in posts] if who == "admin" or tag["id"] == 2 else []}
        for tag in TAGS
    ]
    assert await get(client, who, "/rpc/all_posts?select=id,comments(id)&order=id") == [
        {"id": post["id"], "comments": said_of(post)} for post in POSTS if sees(who, post)
    ]


async def stored(client: AsyncClient) -> dict[int, dict[str, Any]]:
    """All posts there are."""
    return {post["id"]: post for post in await get(client, "admin", "/posts")}


async def check_refused(client: AsyncClient, who: str, method: str, path: str, **sent: Any) -> None:
    """A write that is refused, and of which nothing is left."""
    before = await stored(client)
    headers = {**CALLERS[who], **sent.pop("headers", {})}
    answer = await client.request(method, path, headers=headers, **sent)
    status = 401 if who == "anonymous" else 403
    assert (answer.status_code, answer.json()["code"]) == (status, "42501"), (path, answer.text)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert await stored(client) == before


async def check_done(
    client: AsyncClient, who: str, method: str, path: str, changed: Mapping[int, dict[str, Any] | None], **sent: Any
) -> None:
    """A write that is done: what it has changed, and nothing else."""
    before = await stored(client)
    headers = {**CALLERS[who], **sent.pop("headers", {})}
    answer = await client.request(method, path, headers=headers, **sent)
    assert answer.is_success, (path, answer.text)
    after = {**before, **changed}
    assert await stored(client) == {key: post for key, post in after.items() if post is not None}


MERGE = {"prefer": "resolution=merge-duplicates"}


async def test_inserting(client: AsyncClient, who: str) -> None:
    for number, author in enumerate((1, 2), 20):
        row = {"id": number, "title": "new", "author_id": author, "published": True, "size": 1}
        more = {**row, "id": number + 10, "author_id": NUMBERS.get(who, 1) % 9 or 1}
        for headers in ({}, {"prefer": "return=minimal"}):
            put = {"headers": headers, "json": row}
            if owns(who, row):
                await check_done(client, who, "POST", "/posts", {number: row}, **put)
                await check_done(client, who, "DELETE", f"/posts?id=eq.{number}", {number: None})
                await check_done(client, who, "PUT", f"/posts?id=eq.{number}", {number: row}, **put)
                await check_done(client, who, "DELETE", f"/posts/{number}", {number: None})
                both = {number: row, number + 10: more}
                await check_done(client, who, "POST", "/posts", both, json=[row, more], headers={**MERGE})
                await check_done(client, who, "DELETE", "/posts?id=gte.20", dict.fromkeys(both))
            else:
                await check_refused(client, who, "POST", "/posts", **put)
                await check_refused(client, who, "PUT", f"/posts?id=eq.{number}", **put)
                await check_refused(client, who, "POST", "/posts", json=[more, row], headers=headers)
                await check_refused(client, who, "POST", "/posts", json=[more, row], headers={**MERGE})
        ignored = {"prefer": "resolution=ignore-duplicates"}
        if not owns(who, row):
            await check_refused(client, who, "POST", "/posts", json=row, headers=ignored)


async def test_changing(client: AsyncClient, who: str) -> None:
    for post in POSTS:
        path, where = f"/posts/{post['id']}", f"/posts?id=eq.{post['id']}"
        renamed = {**post, "title": "new"}
        row = {"id": post["id"], "title": "new"}
        if owns(who, post):
            changed = {post["id"]: renamed}
            await check_done(client, who, "PATCH", path, changed, json={"title": "new"})
            await check_done(client, who, "PATCH", where, {post["id"]: post}, json={"title": post["title"]})
            await check_done(client, who, "PATCH", "/posts", changed, json=[row])
            await check_done(client, who, "PUT", path, {post["id"]: post}, json=post)
            await check_done(client, who, "PUT", where, changed, json=renamed)
            await check_done(client, who, "POST", "/posts", {post["id"]: post}, json=post, headers=MERGE)
            if who != "admin":
                # What is one's own cannot be made another's.
                for headers in ({}, {"prefer": "return=minimal"}, {"prefer": "return=representation"}):
                    away = {"headers": headers, "json": {"author_id": 3}}
                    await check_refused(client, who, "PATCH", path, **away)
                    await check_refused(client, who, "PATCH", where, **away)
                await check_refused(client, who, "PATCH", "/posts", json=[{**row, "author_id": 3}])
                await check_refused(client, who, "PUT", path, json={**post, "author_id": 3})
                await check_refused(client, who, "POST", "/posts", json={**post, "author_id": 3}, headers=MERGE)
        elif who == "anonymous" or sees(who, post):
            await check_refused(client, who, "PATCH", path, json={"title": "new"})
            await check_refused(client, who, "PATCH", where, json={"title": "new"})
            await check_refused(client, who, "PATCH", "/posts", json=[row])
            await check_refused(client, who, "PUT", path, json=post)
        else:
            # What cannot be seen is not there.
            before = await stored(client)
            for method, body in (("PATCH", {"title": "new"}), ("PUT", post)):
                answer = await client.request(method, path, json=body, headers=CALLERS[who])
                assert answer.status_code == 404, answer.text
            answer = await client.patch(where, json={"title": "new"}, headers=CALLERS[who])
            assert (answer.status_code, answer.headers["content-range"]) == (204, "*/*")
            assert await stored(client) == before
        if not owns(who, post):
            mine = {**post, "author_id": NUMBERS.get(who, 1)}
            for taken in (post, mine):
                await check_refused(client, who, "PUT", where, json=taken)
                await check_refused(client, who, "POST", "/posts", json=taken, headers=MERGE)
                taking = {"prefer": "resolution=merge-duplicates,return=minimal"}
                await check_refused(client, who, "POST", "/posts", json=taken, headers=taking)
    if who != "admin":
        await check_refused(client, who, "PATCH", "/posts", json={"size": 0})


async def test_deleting(client: AsyncClient, who: str) -> None:
    for table in ("post_tags?tag_id=gt.0", "comments?id=gt.0"):
        assert (await client.delete(f"/{table}", headers=CALLERS["admin"])).status_code == 204
    for post in POSTS:
        path = f"/posts/{post['id']}"
        if owns(who, post):
            await check_done(client, who, "DELETE", path, {post["id"]: None})
            await check_done(client, "admin", "POST", "/posts", {post["id"]: post}, json=post)
        elif who == "anonymous" or sees(who, post):
            await check_refused(client, who, "DELETE", path)
        else:
            assert (await client.delete(path, headers=CALLERS[who])).status_code == 404
    if who == "admin":
        await check_done(client, who, "DELETE", "/posts", {post["id"]: None for post in POSTS})
    else:
        await check_refused(client, who, "DELETE", "/posts")
        own = {post["id"]: None for post in POSTS if owns(who, post)}
        if own:
            await check_done(client, who, "DELETE", f"/posts?author_id=eq.{NUMBERS[who]}", own)
