"""Embedding: related rows inside rows, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

from .blog import blog as blog_client

pytestmark = pytest.mark.anyio


@pytest.fixture
async def blog(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of the blog."""
    async with blog_client(database_url) as client:
        yield client


async def rows(client: AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code in (200, 206), (path, answer.text)
    return answer.json()


async def test_every_kind_of_relationship(blog: AsyncClient) -> None:
    cases: dict[str, object] = {
        # to one: an object, or null
        "/profiles?select=motto,authors(first)": [{"motto": "Analytical", "authors": {"first": "Ada"}}],
        "/authors?select=first,profiles(motto)&id=lt.3": [
            {"first": "Ada", "profiles": {"motto": "Analytical"}},
            {"first": "Grace", "profiles": None},
        ],
        "/posts?select=title,author:authors!posts_author_fkey(first),editor:authors!editor_id(first)&id=eq.2": [
            {"title": "More notes", "author": {"first": "Ada"}, "editor": {"first": "Grace"}}
        ],
        "/posts?select=title,posts_editor_fkey(first)&id=in.(1,2)": [
            {"title": "Notes", "posts_editor_fkey": None},
            {"title": "More notes", "posts_editor_fkey": {"first": "Grace"}},
        ],
        # to many: an array, perhaps empty
        "/posts?select=id,comments(text)&id=in.(1,2)": [
            {"id": 1, "comments": [{"text": "first"}, {"text": "second"}]},
            {"id": 2, "comments": []},
        ],
        "/posts?select=id,tags(name)&id=in.(1,3)": [
            {"id": 1, "tags": [{"name": "maths"}, {"name": "history"}]},
            {"id": 3, "tags": []},
        ],
        "/tags?select=name,posts(title)": [
            {"name": "maths", "posts": [{"title": "Notes"}, {"title": "More notes"}]},
            {"name": "history", "posts": [{"title": "Notes"}, {"title": "Bugs"}]},
            {"name": "unused", "posts": []},
        ],
        # a table that refers to itself: the many by its name, the one by the column
        "/posts?select=id,parent_id(title),answers:posts(title)&id=in.(1,2)": [
            {"id": 1, "parent_id": None, "answers": [{"title": "More notes"}]},
            {"id": 2, "parent_id": {"title": "Notes"}, "answers": []},
        ],
        # by the names that the model has for them
        "/authors?select=first,written(title)&id=eq.2": [
            {"first": "Grace", "written": [{"title": "Compilers"}, {"title": "Bugs"}]}
        ],
        "/posts?select=title,author(last)&id=eq.4": [{"title": "Bugs", "author": {"last": "Hopper"}}],
        # several levels
        "/authors?select=first,written(title,comments(text),tags(name))&id=eq.2": [
            {
                "first": "Grace",
                "written": [
                    {"title": "Compilers", "comments": [], "tags": []},
                    {"title": "Bugs", "comments": [{"text": "third"}], "tags": [{"name": "history"}]},
                ],
            }
        ],
    }
    for path, expected in cases.items():
        assert await rows(blog, path) == expected, path


async def test_filters_orders_and_ranges_of_what_is_embedded(blog: AsyncClient) -> None:
    cases: dict[str, object] = {
        "/authors?select=id,written(title)&written.words=gt.60&id=lt.3": [
            {"id": 1, "written": [{"title": "Notes"}]},
            {"id": 2, "written": []},
        ],
        "/authors?select=id,w:written(id)&w.order=id.desc&w.limit=1&id=lt.3": [
            {"id": 1, "w": [{"id": 2}]},
            {"id": 2, "w": [{"id": 4}]},
        ],
        "/authors?select=id,written(id)&written.limit=1&written.offset=1&id=eq.1": [{"id": 1, "written": [{"id": 2}]}],
        "/authors?select=id,written(id)&written.or=(title.eq.Notes,words.is.null)&id=lt.3": [
            {"id": 1, "written": [{"id": 1}]},
            {"id": 2, "written": [{"id": 3}]},
        ],
        "/authors?select=id,written(comments(text))&written.comments.text=eq.second&id=eq.1": [
            {"id": 1, "written": [{"comments": [{"text": "second"}]}, {"comments": []}]}
        ],
        "/posts?select=id,author(first)&order=author(first).desc,id.desc": [
            {"id": 4, "author": {"first": "Grace"}},
            {"id": 3, "author": {"first": "Grace"}},
            {"id": 2, "author": {"first": "Ada"}},
            {"id": 1, "author": {"first": "Ada"}},
        ],
    }
    for path, expected in cases.items():
        assert await rows(blog, path) == expected, path


async def test_rows_that_have_something_and_rows_that_have_not(blog: AsyncClient) -> None:
    cases: dict[str, object] = {
        "/authors?select=id,written!inner(id)": [
            {"id": 1, "written": [{"id": 1}, {"id": 2}]},
            {"id": 2, "written": [{"id": 3}, {"id": 4}]},
        ],
        "/authors?select=id,written!inner(id)&written.words=eq.7": [{"id": 2, "written": [{"id": 4}]}],
        "/authors?select=id,written!inner(comments!inner(text))": [
            {"id": 1, "written": [{"comments": [{"text": "first"}, {"text": "second"}]}]},
            {"id": 2, "written": [{"comments": [{"text": "third"}]}]},
        ],
        "/authors?select=id,written()&written=is.null": [{"id": 3}],
        "/authors?select=id,written()&written=not.is.null": [{"id": 1}, {"id": 2}],
        "/authors?select=id,written()&written.words=gt.60&written=not.is.null": [{"id": 1}],
        "/authors?select=id,profiles(),written()&or=(profiles.not.is.null,written.is.null)": [{"id": 1}, {"id": 3}],
    }
    for path, expected in cases.items():
        assert await rows(blog, path) == expected, path
    counted = await blog.get("/authors?select=id,written!inner()&limit=1", headers={"prefer": "count=exact"})
    assert counted.headers["content-range"] == "0-0/2"


async def test_spread(blog: AsyncClient) -> None:
    cases: dict[str, object] = {
        "/posts?select=title,...author(by:first)&id=lt.3": [
            {"title": "Notes", "by": "Ada"},
            {"title": "More notes", "by": "Ada"},
        ],
        "/authors?select=first,...profiles(motto)&id=lt.3": [
            {"first": "Ada", "motto": "Analytical"},
            {"first": "Grace", "motto": None},
        ],
        "/authors?select=id,...written(titles:title,words)&id=gt.1": [
            {"id": 2, "titles": ["Compilers", "Bugs"], "words": [None, 7]},
            {"id": 3, "titles": [], "words": []},
        ],
        "/comments?select=text,...posts(title,...author(first,profiles(motto)))&id=eq.1": [
            {"text": "first", "title": "Notes", "first": "Ada", "profiles": {"motto": "Analytical"}}
        ],
        "/posts?select=id,...author!inner(first)&author.last=like.L*": [
            {"id": 1, "first": "Ada"},
            {"id": 2, "first": "Ada"},
        ],
    }
    for path, expected in cases.items():
        assert await rows(blog, path) == expected, path


async def test_aggregates(blog: AsyncClient) -> None:
    cases: dict[str, object] = {
        "/posts?select=count()": [{"count": 4}],
        "/posts?select=count": [{"count": 4}],
        "/posts?select=n:count(),words.sum(),words.avg(),low:words.min(),high:words.max(),words.count()&id=gt.0": [
            {"n": 4, "sum": 157, "avg": pytest.approx(52.333333), "low": 7, "high": 100, "count": 3}
        ],
        "/posts?select=author_id,words.sum()&order=author_id.desc": [
            {"author_id": 2, "sum": 7},
            {"author_id": 1, "sum": 150},
        ],
        "/authors?select=id,written(count)": [
            {"id": 1, "written": [{"count": 2}]},
            {"id": 2, "written": [{"count": 2}]},
            {"id": 3, "written": [{"count": 0}]},
        ],
        "/posts?select=...author(first),count()&author_id=eq.1": [{"first": "Ada", "count": 2}],
        "/comments?select=...posts(words.sum(),...author(first))&post_id=eq.1": [{"sum": 200, "first": "Ada"}],
        "/posts?select=author(first),words.max()&author_id=eq.1": [{"author": {"first": "Ada"}, "max": 100}],
        "/posts?select=words.sum()&id=gt.99": [{"sum": None}],
    }
    for path, expected in cases.items():
        assert await rows(blog, path) == expected, path
    counted = await blog.get("/posts?select=author_id,count()&limit=1", headers={"prefer": "count=exact"})
    assert counted.headers["content-range"] == "0-0/2"


async def test_computed_columns(blog: AsyncClient) -> None:
    cases: dict[str, object] = {
        "/authors?select=full_name&order=full_name": [
            {"full_name": "Ada Lovelace"},
            {"full_name": "Alan Turing"},
            {"full_name": "Grace Hopper"},
        ],
        "/authors?select=id&full_name=like.A*g": [{"id": 3}],
        "/posts?select=id,comment_count&comment_count=gt.0": [
            {"id": 1, "comment_count": 2},
            {"id": 4, "comment_count": 1},
        ],
        "/authors?select=id,written(comment_count)&id=eq.1": [
            {"id": 1, "written": [{"comment_count": 2}, {"comment_count": 0}]}
        ],
        "/posts?select=...author(full_name)&id=eq.4": [{"full_name": "Grace Hopper"}],
        "/tags?id=eq.1": [{"id": 1, "name": "maths"}],
        "/authors?id=eq.1": [{"id": 1, "first": "Ada", "last": "Lovelace"}],
    }
    for path, expected in cases.items():
        assert await rows(blog, path) == expected, path


async def test_what_is_written_is_answered_with_what_belongs_to_it(blog: AsyncClient) -> None:
    prefer = {"prefer": "return=representation"}
    select = "select=title,author(full_name),tags(name),comment_count"
    answer = await blog.post(f"/posts?{select}", json={"title": "New", "author_id": 3}, headers=prefer)
    expected = {"title": "New", "author": {"full_name": "Alan Turing"}, "tags": [], "comment_count": 0}
    assert answer.json() == [expected]
    answer = await blog.post(f"/posts?{select}", json=[{"title": f"{n}", "author_id": 3} for n in range(3)])
    assert answer.json() == [{**expected, "title": f"{n}"} for n in range(3)]
    answer = await blog.patch(f"/posts?id=eq.1&{select}", json={"title": "Newer"}, headers=prefer)
    tags = [{"name": "maths"}, {"name": "history"}]
    author = {"full_name": "Ada Lovelace"}
    assert answer.json() == [{"title": "Newer", "author": author, "tags": tags, "comment_count": 2}]
    answer = await blog.delete("/comments?id=eq.3&select=text,posts(title)", headers=prefer)
    assert answer.json() == [{"text": "third", "posts": {"title": "Bugs"}}]
    answer = await blog.get(f"/posts/1?{select}")
    assert answer.json() == {"title": "Newer", "author": author, "tags": tags, "comment_count": 2}


async def test_what_cannot_be_embedded(blog: AsyncClient) -> None:
    cases = {
        "/posts?select=authors(first)": (300, "PGRST201"),
        "/posts?select=nothing(first)": (400, "PGRST200"),
        "/posts?select=authors!words(first)": (400, "PGRST200"),
        "/posts?select=id&comments.text=eq.x": (400, "PGRST108"),
        "/posts?select=id&order=author(first)": (400, "PGRST108"),
        "/posts?select=id,comments(text)&order=comments(text)": (400, "PGRST118"),
        "/posts?select=id,...comments(count())": (400, "PGRST127"),
        "/posts?select=id,comments(text),comments(id)": (400, "42712"),
        "/posts?select=id,comments(nothing)": (400, "42703"),
        "/posts?select=author_id,count()&order=id": (400, "42803"),
        f"/posts?select={'posts(' * 9}id{')' * 9}": (400, "PGRST100"),
        f"/posts?select={'x' * 64}:id": (400, "42622"),
        '/posts?select=title->>""': (400, "42601"),
        "/posts?select=%00:id": (400, "PGRST100"),
    }
    for path, expected in cases.items():
        assert refusal(await blog.get(path)) == expected, path
    ambiguous = (await blog.get("/posts?select=authors(first)")).json()
    assert ambiguous["details"][0] == {
        "cardinality": "many-to-one",
        "embedding": "posts with authors",
        "relationship": "posts_author_fkey using posts(author_id) and authors(id)",
    }
    assert ambiguous["hint"] == (
        "Try changing 'authors' to one of the following: 'authors!posts_author_fkey', 'authors!posts_editor_fkey'. "
        "Find the desired relationship in the 'details' key."
    )
    unknown = (await blog.get("/posts?select=comment(text)")).json()
    assert unknown["hint"] == "Perhaps you meant 'comments' instead of 'comment'."
    assert (await blog.get("/posts?select=comments(nothing)")).json()["message"] == (
        "column comments_1.nothing does not exist"
    )
