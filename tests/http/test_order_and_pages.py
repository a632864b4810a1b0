"""The order of a list, and how it is read page by page."""

from __future__ import annotations

import pytest
from httpx import AsyncClient
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from tests.helpers import application, client_of, names, refusal, served

from .models import Base as LibraryBase
from .models import Score

pytestmark = pytest.mark.anyio

POINTS = [10, None, 20, 20, None, -5, 10, 10, None, 0, 20, 7]
RANKS = [1.5, 0.1, None, 2.0, 0.1, None, 1.5, -3.25, None, 0.1, 2.0, 1e-7]
SCORES = [
    {
        "name": f'{"abc"[index % 3]}, "{index % 2}"',
        "points": points,
        "rank": rank,
        "played": [True, False, None][index % 3],
    }
    for index, (points, rank) in enumerate(zip(POINTS, RANKS, strict=True))
]
SMALL_PAGES = Resource(Score, max_rows=5)


@pytest.fixture
async def scores(library: AsyncClient) -> AsyncClient:
    assert (await library.post("/scores", json=SCORES)).status_code == 201
    return library


async def numbers(client: AsyncClient, query: str) -> list[int]:
    return [row["id"] for row in (await client.get(f"/scores?select=id&{query}")).json()]


async def pages(client: AsyncClient, url: str) -> list[list[object]]:
    """All pages, each found by the link of the one before."""
    found: list[list[object]] = []
    while url:
        answer = await client.get(url)
        assert answer.status_code in (200, 206), answer.text
        found.append(answer.json())
        url = answer.links.get("next", {}).get("url", "")
        assert len(found) < 50, "the links go round in circles"
    return found


def joined(found: list[list[object]]) -> list[object]:
    return [row for page in found for row in page]


async def test_order_ascends_and_descends(library: AsyncClient) -> None:
    assert names(await library.get("/authors?order=name")) == ["Ada", "Anonymous", "Grace"]
    assert names(await library.get("/authors?order=name.asc")) == ["Ada", "Anonymous", "Grace"]
    assert names(await library.get("/authors?order=name.desc")) == ["Grace", "Anonymous", "Ada"]


async def test_null_is_the_largest_unless_told_otherwise(library: AsyncClient) -> None:
    assert names(await library.get("/authors?order=born")) == ["Ada", "Grace", "Anonymous"]
    assert names(await library.get("/authors?order=born.desc")) == ["Anonymous", "Grace", "Ada"]
    assert names(await library.get("/authors?order=born.nullsfirst")) == ["Anonymous", "Ada", "Grace"]
    assert names(await library.get("/authors?order=born.desc.nullslast")) == ["Grace", "Ada", "Anonymous"]


async def test_ties_are_in_the_order_of_the_key(scores: AsyncClient) -> None:
    assert await numbers(scores, "order=points") == [6, 10, 12, 1, 7, 8, 3, 4, 11, 2, 5, 9]
    assert await numbers(scores, "order=points.desc") == [2, 5, 9, 3, 4, 11, 1, 7, 8, 12, 10, 6]


async def test_a_second_column_orders_the_ties_of_the_first(scores: AsyncClient) -> None:
    assert await numbers(scores, "order=points.desc.nullslast,rank.nullsfirst,id.desc&limit=6") == [3, 11, 4, 8, 7, 1]


async def test_limit_and_offset_cut_a_piece_out(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": letter} for letter in "abcdef"])

    answer = await users.get("/users?limit=2&offset=3")

    assert names(answer) == ["d", "e"]
    assert answer.headers["content-range"] == "3-4/*"
    assert names(await users.get("/users?offset=5")) == ["f"]
    assert names(await users.get("/users?limit=100")) == list("abcdef")


async def test_a_limit_of_none_is_allowed(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    answer = await users.get("/users?limit=0")

    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (200, [], "*/*")
    assert "link" not in answer.headers


async def test_a_limit_that_makes_no_sense_is_refused(users: AsyncClient) -> None:
    negative = await users.get("/users?limit=-1")
    assert refusal(negative) == (416, "PGRST103")
    assert negative.json()["details"] == "Limit should be greater than or equal to zero."
    assert refusal(await users.get("/users?offset=-1")) == (416, "PGRST103")
    assert refusal(await users.get("/users?limit=ten")) == (400, "PGRST100")


async def test_an_offset_past_the_end_finds_nothing(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    answer = await users.get("/users?offset=9")

    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (200, [], "*/*")


async def test_the_next_page_is_linked_where_there_is_one(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": letter} for letter in "abcd"])

    first = await users.get("/users?limit=2")
    assert names(first) == ["a", "b"]
    second = await users.get(first.links["next"]["url"])
    assert names(second) == ["c", "d"]
    assert set(second.links) == {"prev"}


ORDERS = [
    "order=id",
    "order=id.desc",
    "order=points",
    "order=points.desc",
    "order=points.nullsfirst",
    "order=points.desc.nullslast",
    "order=name.desc,points",
    "order=rank,points.desc",
    "order=rank.desc.nullslast,played.nullsfirst,name",
    "order=points.nullsfirst,rank.desc.nullsfirst,id.desc",
    "order=played,points.desc&select=name",
    "order=points&points=not.is.null&or=(rank.gt.0,rank.is.null)",
    "order=points.desc&offset=2",
    "order=points,points.desc",
]


@pytest.mark.parametrize("order", ORDERS)
async def test_the_pages_together_are_the_list(scores: AsyncClient, order: str) -> None:
    whole = (await scores.get(f"/scores?{order}")).json()

    for size in (1, 5):
        found = await pages(scores, f"/scores?{order}&limit={size}")
        assert joined(found) == whole
        assert all(len(page) == size for page in found[:-1])


async def test_a_list_has_no_more_rows_than_the_server_allows(database_url: str) -> None:
    async with client_of(application(Database(database_url), LibraryBase, SMALL_PAGES)) as client:
        await client.post("/scores", json=SCORES)

        for query in ("", "?limit=1000"):
            first = await client.get(f"/scores{query}")
            assert len(first.json()) == 5
            assert first.headers["content-range"] == "0-4/*"
            found = await pages(client, f"/scores{query}")
            assert [len(page) for page in found] == [5, 5, 2]


async def test_rows_that_come_and_go_meanwhile_move_no_page(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": letter} for letter in "bdfh"])
    first = await users.get("/users?order=name&limit=2")

    await users.delete("/users/1")
    await users.post("/users", json=[{"name": letter} for letter in "ag"])

    assert names(await users.get(first.links["next"]["url"])) == ["f", "g"]


async def test_the_link_keeps_what_was_asked_for(library: AsyncClient) -> None:
    first = await library.get("/books/?select=title&author_id=in.(1,2)&order=title&limit=1")

    link = first.links["next"]["url"]
    assert link.startswith("/books/?")
    assert (await library.get(link)).json() == [{"title": "Notes"}]


async def test_text_with_signs_of_the_dialect_in_it_is_paged_past(users: AsyncClient) -> None:
    texts = ["", ' "', "(a)", ",", "a,b", "a.b", "a\\", "a:b", "null", "ü", "{x}", "%", "a&b=c", "+", "not.is.null"]
    await users.post("/users", json=[{"name": text} for text in texts])
    whole = names(await users.get("/users?order=name"))

    found = await pages(users, "/users?order=name&limit=1")

    assert [page[0]["name"] for page in found] == whole  # type: ignore[index]


class TimesBase(DeclarativeBase):
    """For what is ordered by more than numbers."""


class Event(TimesBase):
    """Something that happened, at a time with a fraction."""

    __tablename__ = "events"

    key: Mapped[str] = mapped_column(primary_key=True)
    lang: Mapped[str] = mapped_column(primary_key=True)


async def test_pages_of_a_key_of_two_columns(database_url: str) -> None:
    async with served(database_url, Event) as client:
        rows = [{"key": key, "lang": lang} for key in "abc" for lang in ("de", "en")]
        await client.post("/events", json=rows)

        assert joined(await pages(client, "/events?limit=1")) == rows
        assert joined(await pages(client, "/events?order=lang.desc&limit=4")) == [*rows[1::2], *rows[::2]]


async def test_all_rows_stream_out_where_there_is_no_limit(database_url: str) -> None:
    async with served(database_url, Score, max_rows=None) as client:
        rows = [{"name": f"n{index}", "points": index} for index in range(2_500)]
        for start in (0, 1_250):
            assert (await client.post("/scores", json=rows[start : start + 1_250])).status_code == 201

        everything = await client.get("/scores?select=name,points&order=points")
        assert everything.headers["content-type"] == "application/json; charset=utf-8"
        assert everything.json() == rows
        assert (await client.get("/scores?points=gte.2400&select=points&order=id.desc")).json() == [
            {"points": points} for points in range(2_499, 2_399, -1)
        ]
        assert (await client.get("/scores?points=lt.0")).json() == []
        assert len((await client.get("/scores?limit=3")).json()) == 3
        assert (await client.get("/scores?offset=2499&select=name")).json() == [{"name": "n2499"}]
        head = await client.head("/scores")
        assert (head.status_code, head.content) == (200, b"")
        assert refusal(await client.get("/scores?points=eq.x")) == (400, "22P02")
        assert refusal(await client.get("/scores?nix=eq.x")) == (400, "42703")
