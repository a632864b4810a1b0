"""PUT on the collection: the row whose key the filters name is created or replaced."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

pytestmark = pytest.mark.anyio

REPRESENTATION = {"Prefer": "return=representation"}


async def test_a_row_that_is_not_there_is_created(market: AsyncClient) -> None:
    answer = await market.put("/shops?name=eq.C", json={"name": "C", "rank": 3}, headers=REPRESENTATION)

    assert answer.status_code == 201
    assert answer.json() == [{"name": "C", "rank": 3, "motto": "Welcome", "source": "import", "edits": 0}]
    assert answer.headers["preference-applied"] == "return=representation"
    assert "content-range" not in answer.headers
    assert (await market.get("/shops/C")).json() == answer.json()[0]


async def test_a_row_that_is_there_is_replaced(market: AsyncClient) -> None:
    await market.patch("/shops?name=eq.A", json={"motto": "Hello", "source": "hand"})

    answer = await market.put("/shops?name=eq.A", json=[{"name": "A"}], headers=REPRESENTATION)

    assert answer.status_code == 200
    assert answer.json() == [{"name": "A", "rank": None, "motto": "Welcome", "source": "import", "edits": 1}]


async def test_without_a_preference_nothing_comes_back(market: AsyncClient) -> None:
    for name in ("A", "C"):
        answer = await market.put(f"/shops?name=eq.{name}", json={"name": name, "rank": 7})
        assert (answer.status_code, answer.content) == (204, b"")
        assert "content-type" not in answer.headers
    assert [row["rank"] for row in (await market.get("/shops")).json()] == [7, 2, 7]


async def test_the_key_may_be_left_to_the_url(market: AsyncClient) -> None:
    answer = await market.put("/visitors?id=eq.9", json={"email": "nine@x"}, headers=REPRESENTATION)

    assert (answer.status_code, answer.json()) == (201, [{"id": 9, "email": "nine@x", "name": None}])
    assert refusal(await market.put("/visitors?id=eq.nine", json={"email": "y@x"})) == (400, "22P02")


async def test_a_key_of_two_columns(market: AsyncClient) -> None:
    row = {"shop": "A", "article": "tea", "cents": 1, "code": None}
    path = "/prices?article=eq.tea&shop=eq.A"
    answer = await market.put(f"{path}&select=cents,shops(name)", json=row, headers=REPRESENTATION)

    assert (answer.status_code, answer.json()) == (200, [{"cents": 1, "shops": {"name": "A"}}])


async def test_nothing_but_a_key(market: AsyncClient) -> None:
    for number, status in ((1, 200), (2, 201)):
        answer = await market.put(f"/seats?id=eq.{number}", json={"id": number}, headers=REPRESENTATION)
        assert (answer.status_code, answer.json()) == (status, [{"id": number}])


async def test_the_row_comes_as_an_object_if_asked(market: AsyncClient) -> None:
    one = {"Accept": "application/vnd.pgrst.object+json"}
    answer = await market.put("/shops?name=eq.C&select=rank", json={"name": "C", "rank": 3}, headers=one)

    assert (answer.status_code, answer.json()) == (201, {"rank": 3})


async def test_the_filters_are_the_key_and_nothing_else(market: AsyncClient) -> None:
    row = {"shop": "A", "article": "tea", "cents": 1}
    for query in (
        "",
        "shop=eq.A",
        "shop=eq.A&article=neq.tea",
        "shop=eq.A&article=not.eq.tea",
        "shop=eq.A&article=in.(tea)",
        "shop=eq.A&article=eq(any).{tea}",
        "shop=eq.A&article=is.null",
        "shop=eq.A&article=eq.tea&cents=eq.300",
        "shop=eq.A&article=eq.tea&shop=eq.A",
        "and=(shop.eq.A,article.eq.tea)",
    ):
        answer = await market.put(f"/prices?{query}", json=row)
        assert refusal(answer) == (405, "PGRST105"), query
        assert answer.json()["message"] == "Filters must include all and only primary key columns with 'eq' operators"
    assert (await market.get("/prices/A,tea")).json()["cents"] == 300


async def test_a_limit_is_refused(market: AsyncClient) -> None:
    for query in ("limit=1", "offset=1"):
        answer = await market.put(f"/shops?name=eq.A&{query}", json={"name": "A"})
        assert refusal(answer) == (400, "PGRST114")
        assert answer.json()["message"] == "limit/offset querystring parameters are not allowed for PUT"


async def test_the_body_has_the_key_of_the_url(market: AsyncClient) -> None:
    answer = await market.put("/shops?name=eq.A", json={"name": "B"})

    assert refusal(answer) == (400, "PGRST115")
    assert answer.json()["message"] == "Payload values do not match URL in primary key column(s)"


async def test_a_body_is_one_row_that_lacks_nothing(market: AsyncClient) -> None:
    assert refusal(await market.put("/shops?name=eq.A", json=[])) == (400, "PGRST102")
    assert refusal(await market.put("/visitors?id=eq.1", json={"id": 1, "name": "Ada"})) == (400, "23502")
    assert refusal(await market.put("/shops?name=eq.A", json={"name": "A", "size": 1})) == (400, "PGRST204")
