"""How many queries it takes."""

from __future__ import annotations

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from rowserve.testing import Queries, assert_queries

from ..models import Comment, Post, now
from .conftest import Blog
from .test_permissions import number

pytestmark = pytest.mark.anyio

FRONT_PAGE = (
    "/posts?select=title,slug,comment_count,author(name),tags(name),comments(text,author(name))"
    "&is_published=is.true&order=published_at.desc&limit=20"
)


async def test_the_front_page_is_one_query(client: AsyncClient, blog: Blog) -> None:
    with assert_queries(1):
        (post,) = (await client.get(FRONT_PAGE)).json()
    assert post == {
        "title": "A post",
        "slug": "a-post",
        "comment_count": 1,
        "author": {"name": "Ada"},
        "tags": [{"name": "maths"}],
        "comments": [{"text": "I have.", "author": {"name": "Bob"}}],
    }


async def test_however_many_posts_there_are(client: AsyncClient, blog: Blog, session: AsyncSession) -> None:
    posts = [
        Post(author_id=blog.ids["Ada"], title="More", slug=f"{n}", body="…", published_at=now()) for n in range(30)
    ]
    for post in posts:
        post.comments = [Comment(author_id=blog.ids["Bob"], text="And more.") for _ in range(3)]
    session.add_all(posts)
    await session.commit()
    with assert_queries(1):
        page = (await client.get(FRONT_PAGE)).json()
    assert [len(post["comments"]) for post in page] == [3] * 20


async def test_a_comment_takes_a_query_to_store_and_one_to_tell_of(client: AsyncClient, blog: Blog) -> None:
    with assert_queries(2):
        await client.post("/comments", json={"post_id": number(blog.post), "text": "…"}, headers=blog.bob)


async def test_whom_to_tell_of_many_comments_is_one_query(client: AsyncClient, blog: Blog, queries: Queries) -> None:
    comments = [{"post_id": number(blog.post), "text": f"{n}"} for n in range(20)]
    assert (await client.post("/comments", json=comments, headers=blog.bob)).status_code == 201
    assert len([query for query in queries if query.startswith("SELECT users.email")]) == 1
