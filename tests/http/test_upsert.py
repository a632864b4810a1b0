"""POST of rows that may be there: `Prefer: resolution=`, and `on_conflict=`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.helpers import refusal

pytestmark = pytest.mark.anyio

MERGE = "resolution=merge-duplicates"
IGNORE = "resolution=ignore-duplicates"


async def post(client: AsyncClient, path: str, body: Any, prefer: str, **headers: str) -> Response:
    return await client.post(path, json=body, headers={"Prefer": prefer, **headers})


async def test_a_merge_inserts_what_is_new_and_updates_what_is_there(market: AsyncClient) -> None:
    rows = [{"name": "C", "rank": 3}, {"name": "A", "rank": 10}]
    answer = await post(market, "/shops?select=name,rank", rows, f"{MERGE}, return=representation")

    assert (answer.status_code, answer.json()) == (201, rows)
    assert answer.headers["preference-applied"] == "resolution=merge-duplicates, return=representation"
    assert answer.headers["content-range"] == "*/*"
    assert [row["rank"] for row in (await market.get("/shops")).json()] == [10, 2, 3]


async def test_a_merge_that_only_updates_is_answered_with_200(market: AsyncClient) -> None:
    for rows in ([{"name": "A", "rank": 5}], {"name": "B", "rank": 6}, [{"name": "B"}, {"name": "A"}]):
        for return_ in ("representation", "minimal", "headers-only"):
            answer = await post(market, "/shops", rows, f"{MERGE}, return={return_}")
            assert answer.status_code == 200, (rows, return_)
    assert (await post(market, "/shops", {"name": "C"}, f"{MERGE}, return=minimal")).status_code == 201
    assert [row["rank"] for row in (await market.get("/shops")).json()] == [5, 6, None]


async def test_a_merge_of_nothing_inserts_nothing(market: AsyncClient) -> None:
    answer = await post(market, "/shops", [], f"{MERGE}, return=representation")

    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_merge_sets_what_is_given_and_what_the_model_sets_on_updates(market: AsyncClient) -> None:
    await market.patch("/shops?name=eq.A", json={"motto": "Hello", "source": "hand", "edits": 0})

    answer = await post(market, "/shops?order=name", [{"name": "A", "rank": 7}, {"name": "C", "rank": 8}], MERGE)

    assert answer.json() == [
        {"name": "A", "rank": 7, "motto": "Hello", "source": "hand", "edits": 1},
        {"name": "C", "rank": 8, "motto": "Welcome", "source": "import", "edits": 0},
    ]


async def test_ignored_are_the_rows_that_are_there(market: AsyncClient) -> None:
    rows = [{"name": "A", "rank": 9}, {"name": "C", "rank": 3}]
    answer = await post(market, "/shops?select=name,rank", rows, f"{IGNORE}, return=representation, count=exact")

    assert (answer.status_code, answer.json()) == (201, [{"name": "C", "rank": 3}])
    assert answer.headers["content-range"] == "*/1"
    assert [row["rank"] for row in (await market.get("/shops")).json()] == [1, 2, 3]
    for return_ in ("representation", "minimal"):
        answer = await post(market, "/shops", rows, f"{IGNORE}, return={return_}, count=exact")
        assert (answer.status_code, answer.headers["content-range"]) == (201, "*/0")


async def test_a_key_of_two_columns(market: AsyncClient) -> None:
    rows = [{"shop": "A", "article": "tea", "cents": 299}, {"shop": "A", "article": "milk", "cents": 99}]
    answer = await post(market, "/prices?select=shop,article,cents,code", rows, MERGE)

    assert (answer.status_code, answer.json()) == (201, [{**rows[0], "code": 1}, {**rows[1], "code": None}])


async def test_another_unique_key(market: AsyncClient) -> None:
    rows = [{"email": "ada@x", "name": "Augusta"}, {"email": "bob@x", "name": "Bob"}]
    answer = await post(market, "/visitors?on_conflict=email", rows, f"{MERGE}, return=representation")

    assert answer.status_code == 201
    ada, bob = answer.json()
    assert ada == {"id": 1, **rows[0]}
    assert bob["name"] == "Bob"
    assert bob["id"] != 1

    answer = await post(market, "/visitors?on_conflict=email", [rows[0]], f"{IGNORE}, return=representation")
    assert (answer.status_code, answer.json()) == (201, [])


async def test_another_unique_key_of_two_columns_in_which_null_equals_nothing(market: AsyncClient) -> None:
    path = "/prices?on_conflict=code,shop&select=article"
    answer = await post(market, path, [{"shop": "B", "code": 1, "article": "green tea"}], MERGE)
    assert (answer.status_code, answer.json()) == (200, [{"article": "green tea"}])

    answer = await post(market, path, [{"shop": "B", "code": None, "article": "x"}], MERGE)
    assert answer.status_code == 201


async def test_a_row_without_its_number_is_new(market: AsyncClient) -> None:
    answer = await post(market, "/visitors", [{"email": "bob@x"}, {"email": "eve@x"}], MERGE)

    assert answer.status_code == 201
    assert len((await market.get("/visitors")).json()) == 3


async def test_a_table_that_has_only_its_key(market: AsyncClient) -> None:
    answer = await post(market, "/seats", [{"id": 1}, {"id": 2}], f"{MERGE}, return=representation")
    assert (answer.status_code, answer.json()) == (201, [{"id": 1}, {"id": 2}])

    answer = await post(market, "/seats", [{"id": 2}, {"id": 3}], f"{IGNORE}, return=representation")
    assert (answer.status_code, answer.json()) == (201, [{"id": 3}])


async def test_a_key_that_is_none_is_refused(market: AsyncClient) -> None:
    for prefer in (MERGE, IGNORE):
        answer = await post(market, "/prices?on_conflict=cents", [{"shop": "A", "article": "x", "cents": 1}], prefer)
        assert refusal(answer) == (400, "42P10")
        assert (
            answer.json()["message"]
            == "there is no unique or exclusion constraint matching the ON CONFLICT specification"
        )
    answer = await post(market, "/prices?on_conflict=size", [{"shop": "A", "article": "x"}], MERGE)
    assert refusal(answer) == (400, "42703")


async def test_without_the_preference_on_conflict_means_nothing(market: AsyncClient) -> None:
    answer = await market.post("/shops?on_conflict=name", json={"name": "A"})

    assert refusal(answer) == (409, "23505")


async def test_any_other_key_is_still_a_conflict(market: AsyncClient) -> None:
    for prefer in (MERGE, IGNORE):
        rows = [{"id": 8, "email": "new@x"}, {"id": 9, "email": "ada@x"}]
        answer = await post(market, "/visitors", rows, prefer)
        assert refusal(answer) == (409, "23505")
        assert 'unique constraint "visitors_email_key"' in answer.json()["message"]
        assert answer.json()["details"] == "Key (email)=(ada@x) already exists."
    assert len((await market.get("/visitors")).json()) == 1


async def test_a_missing_parent_is_named(market: AsyncClient) -> None:
    rows = [{"shop": "A", "article": "tea", "cents": 1}, {"shop": "Z", "article": "tea", "cents": 1}]
    answer = await post(market, "/prices", rows, MERGE)

    assert refusal(answer) == (409, "23503")
    assert answer.json()["details"] == 'Key (shop)=(Z) is not present in table "shops".'
    assert (await market.get("/prices/A,tea")).json()["cents"] == 300


async def test_the_same_key_twice_is_refused(market: AsyncClient) -> None:
    rows = [{"name": "C", "rank": 3}, {"name": "C", "rank": 4}]
    for path, body in (("/shops", rows), ("/seats", [{"id": 5}, {"id": 5}])):
        answer = await post(market, path, body, MERGE)
        assert refusal(answer) == (400, "21000")
        assert "a second time" in answer.json()["message"]
    answer = await post(market, "/shops?select=rank", rows, f"{IGNORE}, return=representation")
    assert answer.json() == [{"rank": 3}]


async def test_a_thousand_rows_are_merged_in_the_order_given(market: AsyncClient) -> None:
    rows = [{"id": number} for number in range(1_000, 0, -1)]

    answer = await post(market, "/seats", rows, f"{MERGE}, return=representation, count=exact")

    assert (answer.status_code, answer.json()) == (201, rows)
    assert answer.headers["content-range"] == "*/1000"


async def test_headers_only_say_where_the_one_row_is(market: AsyncClient) -> None:
    row = {"shop": "A", "article": "tea & milk", "cents": 1}
    answer = await post(market, "/prices?select=cents", row, f"{MERGE}, return=headers-only")

    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"] == "/prices?shop=eq.A&article=eq.tea%20%26%20milk"
    assert (await market.get(answer.headers["location"])).json()[0]["cents"] == 1

    answer = await post(market, "/prices", row, f"{IGNORE}, return=headers-only")
    assert "location" not in answer.headers


async def test_what_is_related_comes_with_the_rows(market: AsyncClient) -> None:
    rows = [{"shop": "A", "article": "tea", "cents": 1}, {"shop": "B", "article": "milk", "cents": 2}]
    path = "/prices?select=article,shops(name,prices(cents))&shops.prices.order=cents&shops.prices.cents=gt.10"
    answer = await post(market, path, rows, MERGE)

    assert answer.status_code == 201
    assert answer.json()[1] == {"article": "milk", "shops": {"name": "B", "prices": [{"cents": 350}]}}


async def test_only_rows_that_have_what_they_are_to_have_come_back(market: AsyncClient) -> None:
    rows = [{"name": "A", "rank": 5}, {"name": "C", "rank": 6}]
    path = "/shops?select=name,prices!inner(article)"
    answer = await post(market, path, rows, f"{MERGE}, count=exact")

    assert (answer.status_code, answer.json()) == (201, [{"name": "A", "prices": [{"article": "tea"}]}])
    assert answer.headers["content-range"] == "*/1"


async def test_one_object_is_one_row_or_none(market: AsyncClient) -> None:
    one = {"Accept": "application/vnd.pgrst.object+json"}
    answer = await post(market, "/shops?select=rank", [{"name": "A", "rank": 5}], MERGE, **one)
    assert (answer.status_code, answer.json()) == (200, {"rank": 5})

    for rows, prefer in (([{"name": "A"}, {"name": "B"}], MERGE), ([{"name": "A"}], IGNORE), ([], MERGE)):
        assert refusal(await post(market, "/shops", rows, prefer, **one)) == (406, "PGRST116")
    assert [row["rank"] for row in (await market.get("/shops")).json()] == [5, 2]


async def test_merges_of_many_clients_at_once(market: AsyncClient) -> None:
    async def merge(number: int) -> int:
        rows = [{"name": name, "rank": number} for name in ("A", f"new {number}")[:: 1 if number % 2 else -1]]
        return (await post(market, "/shops", rows, MERGE)).status_code

    assert set(await asyncio.gather(*(merge(number) for number in range(20)))) == {201}
    assert len((await market.get("/shops")).json()) == 22
