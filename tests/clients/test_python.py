"""What people do with the Python client, postgrest."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest
from postgrest import APIError, AsyncPostgrestClient, CountMethod, SyncPostgrestClient
from postgrest.types import ReturnMethod

from .conftest import Blog

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(blog: Blog) -> AsyncIterator[AsyncPostgrestClient]:
    async with AsyncPostgrestClient(blog.url) as client:
        yield client


async def test_select(client: AsyncPostgrestClient) -> None:
    answer = await client.from_("authors").select("name", "born", "active").eq("id", 1).execute()
    assert answer.data == [{"name": "Ada", "born": "1815-12-10", "active": True}]
    answer = await (
        client.from_("posts").select("id").gte("views", 20).not_.is_("rating", None).order("views", desc=True).execute()
    )
    assert answer.data == [{"id": 1}, {"id": 3}, {"id": 4}]
    answer = await client.from_("posts").select("id").or_("views.eq.0,title.ilike.notes*").order("id").execute()
    assert answer.data == [{"id": 1}, {"id": 5}]
    answer = await client.from_("tags").select("id").in_("label", ["science", "poetry"]).order("id").execute()
    assert answer.data == [{"id": 1}, {"id": 3}]
    answer = await client.from_("authors").select("name").eq("settings->theme->>name", "dark").execute()
    assert answer.data == [{"name": "Ada"}]


async def test_pages_and_counts(client: AsyncPostgrestClient) -> None:
    page = await client.from_("posts").select("id", count=CountMethod.exact).order("id").range(2, 3).execute()
    assert (page.data, page.count) == ([{"id": 3}, {"id": 4}], 5)
    counted = await client.from_("posts").select("*", count=CountMethod.exact, head=True).lt("views", 100).execute()
    assert (counted.data, counted.count) == ([], 3)


async def test_embedding(client: AsyncPostgrestClient) -> None:
    answer = await (
        client.from_("authors")
        .select("name", "profiles(bio)", "posts!inner(title, tags(label))")
        .eq("posts.tags.label", "poetry")
        .lt("posts.views", 100)
        .lt("id", 3)
        .order("id")
        .execute()
    )
    assert answer.data == [
        {
            "name": "Ada",
            "profiles": {"bio": "Wrote the first program."},
            "posts": [{"title": "Poetical Science", "tags": [{"label": "poetry"}]}],
        },
        {
            "name": "Grace",
            "profiles": {"bio": "Wrote the first compiler."},
            "posts": [{"title": "Nanoseconds, 100% real", "tags": []}],
        },
    ]


async def test_one_row(client: AsyncPostgrestClient) -> None:
    one = await client.from_("tags").select("label").eq("id", 2).single().execute()
    assert one.data == {"label": "machines"}
    maybe = await client.from_("tags").select("label").eq("id", 2).maybe_single().execute()
    assert maybe is not None
    assert maybe.data == {"label": "machines"}
    assert await client.from_("tags").select("label").eq("id", 99).maybe_single().execute() is None
    with pytest.raises(APIError) as refused:
        await client.from_("tags").select("label").single().execute()
    assert refused.value.code == "PGRST116"
    assert refused.value.details == "The result contains 3 rows"


async def test_writes(client: AsyncPostgrestClient) -> None:
    born = datetime.date(1912, 6, 23)
    added = await client.from_("authors").insert({"name": "Alan", "born": born}).execute()
    [alan] = added.data
    assert isinstance(alan, dict)
    assert (alan["name"], alan["born"], alan["active"]) == ("Alan", "1912-06-23", True)
    tags = client.from_("tags")
    several = await tags.insert([{"label": "x"}, {"label": "y"}], count=CountMethod.exact).execute()
    assert several.count == 2
    silent = await tags.insert({"label": "z"}, returning=ReturnMethod.minimal).execute()
    assert silent.data == []
    changed = await client.from_("authors").update({"active": False}).eq("id", alan["id"]).execute()
    assert changed.data == [{**alan, "active": False}]
    merged = await tags.upsert(
        [{"label": "x"}, {"label": "new"}], on_conflict="label", ignore_duplicates=True
    ).execute()
    assert [row["label"] for row in merged.data if isinstance(row, dict)] == ["new"]
    renamed = await tags.upsert({"id": 1, "label": "sciences"}).execute()
    assert renamed.data == [{"id": 1, "label": "sciences"}]
    gone = await client.from_("authors").delete().eq("id", alan["id"]).execute()
    assert gone.data == [{**alan, "active": False}]
    assert (await client.from_("authors").select("*").eq("id", alan["id"]).execute()).data == []


async def test_errors(client: AsyncPostgrestClient) -> None:
    with pytest.raises(APIError) as refused:
        await client.from_("tags").insert({"label": "science"}).execute()
    assert refused.value.json() == {
        "code": "23505",
        "message": 'duplicate key value violates unique constraint "tags_label_key"',
        "details": "Key (label)=(science) already exists.",
        "hint": None,
    }
    with pytest.raises(APIError) as refused:
        await client.from_("tags").select("colour").execute()
    assert refused.value.code == "42703"
    with pytest.raises(APIError) as refused:
        await client.schema("secret").from_("tags").select("*").execute()
    assert refused.value.code == "PGRST106"


async def test_csv(client: AsyncPostgrestClient) -> None:
    answer = await client.from_("tags").select("id", "label").order("id").limit(1).csv().execute()
    assert answer.data == "id,label\n1,science"


@pytest.mark.parametrize("blog", ["models", "postgresql"], indirect=True)
async def test_functions(client: AsyncPostgrestClient) -> None:
    total = await client.rpc("add", {"a": 2, "b": 3}).execute()  # type: ignore[dict-item]  # it says that all are texts
    assert total.data == 5
    popular = await client.rpc("popular", {"minimum": "100"}, get=True).select("id").order("id").execute()
    assert popular.data == [{"id": 1}, {"id": 3}]
    with pytest.raises(APIError) as refused:
        await client.rpc("missing", {}).execute()
    assert refused.value.code == "PGRST202"


def test_without_async(blog: Blog) -> None:
    with SyncPostgrestClient(blog.url) as client:
        answer = client.from_("posts").select("title", "authors(name)").eq("id", 3).execute()
        assert answer.data == [{"title": "The Compiler", "authors": {"name": "Grace"}}]
