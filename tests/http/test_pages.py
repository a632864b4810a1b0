"""The `Range` header, and the links to the pages on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient

from rowserve import Database, Resource
from rowserve.http.links import Paging
from rowserve.query import Field, Order, next_page, parse, unparse
from tests.helpers import application, client_of, names, refusal

from .blog import blog
from .models import Base, Score

pytestmark = pytest.mark.anyio

EXACT = {"Prefer": "count=exact"}
NUMBERS = (None, 1, 1, 2, 3)
SCORES = [
    {"id": index + 1, "name": "abc"[index % 3], "points": points, "rank": rank, "played": None}
    for index, (points, rank) in enumerate((points, rank) for points in NUMBERS for rank in (None, 0.5, 2.25))
]
ORDERS = (
    "order=id",
    "order=id.desc",
    "order=points",
    "order=points.desc",
    "order=points.nullsfirst",
    "order=points.desc.nullslast,rank.desc",
    "order=rank.desc.nullslast,points.nullsfirst,name",
    "order=name.desc&select=points",
    "order=points&points=not.is.null&or=(rank.gt.1,rank.is.null)",
)


@pytest.fixture
async def scores(database_url: str) -> AsyncIterator[AsyncClient]:
    async with client_of(application(Database(database_url), Base, Resource(Score, max_rows=8))) as client:
        for start in (0, 8):
            assert (await client.post("/scores", json=SCORES[start : start + 8])).status_code == 201
        yield client


async def followed(client: AsyncClient, url: str, relation: str) -> list[list[Any]]:
    """The pages that links lead to, one after the other."""
    found: list[list[Any]] = []
    following: str | None = url
    while following is not None:
        answer = await client.get(following)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        assert len(found) < 40
        following = answer.links[relation]["url"] if relation in answer.links else None
    return found


async def last_of(client: AsyncClient, url: str) -> str:
    while True:
        answer = await client.get(url)
        if "next" not in answer.links:
            return url
        url = answer.links["next"]["url"]


@pytest.mark.parametrize("order", ORDERS)
async def test_the_way_back_has_the_same_rows_as_the_way_there(scores: AsyncClient, order: str) -> None:
    for size in (1, 4):
        there = await followed(scores, f"/scores?{order}&limit={size}", "next")
        back = await followed(scores, await last_of(scores, f"/scores?{order}&limit={size}"), "prev")
        rows = [row for page in there for row in page]
        assert len(there) > 1
        assert [row for page in reversed(back) for row in page] == rows
        assert all(len(page) == size for page in back[1:-1])


async def test_a_page_that_was_gone_back_to_links_forward_again(scores: AsyncClient) -> None:
    first = await scores.get("/scores?order=points&limit=4")
    second = await scores.get(first.links["next"]["url"])
    again = await scores.get(second.links["prev"]["url"])

    assert again.json() == first.json()
    assert set(again.links) == {"next"}
    assert (await scores.get(again.links["next"]["url"])).json() == second.json()


async def test_pages_without_a_limit_have_as_many_rows_as_the_server_allows(scores: AsyncClient) -> None:
    first = await scores.get("/scores")
    second = await scores.get(first.links["next"]["url"])

    assert (len(first.json()), len(second.json())) == (8, 7)
    assert (await scores.get(second.links["prev"]["url"])).json() == first.json()


async def test_the_last_rows_come_in_order(scores: AsyncClient) -> None:
    answer = await scores.get("/scores?order=id&limit=2.last&select=id")

    assert answer.json() == [{"id": 14}, {"id": 15}]
    assert set(answer.links) == {"prev"}
    assert (await scores.get(answer.links["prev"]["url"])).json() == [{"id": 12}, {"id": 13}]
    csv = await scores.get("/scores?limit=2.last&select=o0:id,order0:points", headers={"Accept": "text/csv"})
    assert csv.text == "o0,order0\n14,3\n15,3"
    lines = await scores.get("/scores?limit=2.last&select=id", headers={"Accept": "application/x-ndjson"})
    assert lines.text == '{"id":14}\n{"id":15}\n'
    assert refusal(await scores.get("/scores?select=points,count()&limit=2.last")) == (400, "PGRST127")


async def test_where_rows_are_skipped_by_counting_so_is_the_way_back(scores: AsyncClient) -> None:
    answer = await scores.get("/scores?limit=2&offset=3&select=id")
    assert answer.json() == [{"id": 4}, {"id": 5}]

    before = await scores.get(answer.links["prev"]["url"])
    assert before.json() == [{"id": 2}, {"id": 3}]
    assert (await scores.get(before.links["prev"]["url"])).json() == [{"id": 1}, {"id": 2}]


async def test_an_order_by_what_is_embedded_is_paged_by_counting(database_url: str) -> None:
    async with blog(database_url) as client:
        path = "/posts?select=id,author:authors!posts_author_fkey(last)&order=author(last)&limit=1"
        there = await followed(client, path, "next")
        whole = (await client.get(path.replace("&limit=1", ""))).json()
        assert [page[0] for page in there] == whole
        back = await followed(client, await last_of(client, path), "prev")
        assert [page[0] for page in reversed(back)] == whole


async def test_groups_have_no_links(scores: AsyncClient) -> None:
    answer = await scores.get("/scores?select=name,count()&limit=1")

    assert (len(answer.json()), answer.links) == (1, {})


async def test_a_range_is_a_page(scores: AsyncClient) -> None:
    answer = await scores.get("/scores?select=id", headers={"Range-Unit": "items", "Range": "2-4"})
    assert (answer.status_code, answer.headers["content-range"]) == (200, "2-4/*")
    assert answer.json() == [{"id": 3}, {"id": 4}, {"id": 5}]

    answer = await scores.get("/scores?select=id", headers={"Range": "13-", **EXACT})
    assert (answer.status_code, answer.headers["content-range"]) == (206, "13-14/15")

    both = await scores.get("/scores?select=id&limit=3&offset=1", headers={"Range": "2-9"})
    assert both.json() == [{"id": 3}, {"id": 4}]


async def test_a_range_that_cannot_be_is_refused(scores: AsyncClient) -> None:
    answer = await scores.get("/scores", headers={"Range": "5-1"})
    assert refusal(answer) == (416, "PGRST103")
    assert answer.json()["message"] == "Requested range not satisfiable"
    assert answer.json()["details"] == (
        "The lower boundary must be lower than or equal to the upper boundary in the Range header."
    )

    answer = await scores.get("/scores", headers={"Range": "100-", **EXACT})
    assert refusal(answer) == (416, "PGRST103")
    assert answer.json()["details"] == "An offset of 100 was requested, but there are only 15 rows."
    assert answer.headers["content-range"] == "*/15"


async def test_a_range_means_something_to_get_alone(scores: AsyncClient) -> None:
    assert (await scores.head("/scores", headers={"Range": "5-1"})).status_code == 200
    assert len((await scores.get("/scores", headers={"Range": "bytes=0-1"})).json()) == 8


async def test_a_limit_of_none_with_a_count(scores: AsyncClient) -> None:
    answer = await scores.get("/scores?limit=0", headers=EXACT)

    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (206, [], "*/15")
    assert answer.links == {}


async def test_a_query_in_the_body_is_a_list(scores: AsyncClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    ids = ",".join(str(number) for number in range(5_000))
    body = f"id=in.({ids})&select=id&order=id.desc&limit=2"
    for method, path in (("POST", "/scores/_query"), ("QUERY", "/scores"), ("QUERY", "/scores/")):
        answer = await scores.request(method, path, content=body, headers=form)
        assert (answer.status_code, answer.json()) == (200, [{"id": 15}, {"id": 14}]), path
        assert answer.headers["content-range"] == "0-1/*"
        assert "link" not in answer.headers

    answer = await scores.post("/scores/_query", data={"name": "eq.a", "select": "name,points"}, headers=EXACT)
    assert (set(names(answer)), answer.headers["content-range"]) == ({"a"}, "0-4/5")
    answer = await scores.post(
        "/scores/_query?select=id",
        content="name=eq.b&order=id\n",
        headers={"content-type": "text/plain", "Accept": "text/csv", "Range": "1-2"},
    )
    assert answer.text == "id\n5\n8"


async def test_a_query_in_the_body_may_be_wrong(scores: AsyncClient) -> None:
    answer = await scores.post("/scores/_query", json={"name": "a"})
    assert refusal(answer) == (400, "PGRST102")
    assert answer.json()["message"] == "Content-Type not acceptable: application/json"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert refusal(await scores.post("/scores/_query", content="id=x.1", headers=form)) == (400, "PGRST100")
    assert refusal(await scores.request("QUERY", "/scores/1", content="id=eq.1")) == (405, "PGRST117")


async def test_pages_that_are_read_together_have_each_their_own_rows(database_url: str) -> None:
    async with blog(database_url) as client:
        path = "/posts?select=id,comments(text)&comments.text=eq.{}&id=gte.{}&limit=1"
        asked = [(text, number) for text in ("first", "second", "third") for number in (1, 2, 4)]
        answers = await asyncio.gather(*(client.get(path.format(*one), headers=EXACT) for one in asked))

        found = {(1, "first"), (1, "second"), (4, "third")}
        for (text, number), answer in zip(asked, answers, strict=True):
            comments = [{"text": text}] if (number, text) in found else []
            assert answer.json() == [{"id": number, "comments": comments}]
            assert answer.headers["content-range"] == f"0-0/{5 - number}"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "name=eq.a%26b&limit=2",
        "limit=2&name=eq.a+b",
        "data->>a=eq.1&limit=2",
        'name=eq."x"',
        "name=eq.é",
        "or=(id.gt.1)",
    ],
)
def test_a_link_says_what_was_sent_and_what_comes_after(sent: str) -> None:
    order = (Order(Field("id")),)
    paging = Paging(order, nullable=(False,), by_key=True, came_by_link=False)
    for last in (7, 8):
        link = paging.next(parse(sent), sent, (last,))
        assert parse(link) == parse(unparse(next_page(parse(sent), order, (last,), (False,))))
        assert link.isascii()
        assert not set('<>" ') & set(link)
