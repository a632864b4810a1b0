"""PATCH with an array: each row is updated by its key, to values of its own."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

pytestmark = pytest.mark.anyio

REPRESENTATION = {"Prefer": "return=representation"}


async def test_each_row_gets_its_own_values(market: AsyncClient) -> None:
    rows: list[dict[str, Any]] = [{"name": "B", "rank": 20, "motto": "b"}, {"name": "A", "rank": None, "motto": "a"}]
    answer = await market.patch("/shops?select=name,rank,motto,edits", json=rows, headers=REPRESENTATION)

    assert (answer.status_code, answer.headers["content-range"]) == (200, "0-1/*")
    assert answer.json() == [{**row, "edits": 1} for row in rows]

    answer = await market.patch("/shops", json=rows)
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (204, b"", "0-1/*")


async def test_a_row_that_is_not_there_is_no_error(market: AsyncClient) -> None:
    rows = [{"id": 7, "name": "Bob"}, {"id": 1, "name": "Augusta"}]
    headers = {"Prefer": "return=representation, count=exact"}
    answer = await market.patch("/visitors?select=id,name", json=rows, headers=headers)

    assert (answer.status_code, answer.json()) == (200, [{"id": 1, "name": "Augusta"}])
    assert answer.headers["content-range"] == "0-0/1"
    assert len((await market.get("/visitors")).json()) == 1


async def test_an_array_of_one_and_a_key_of_two_columns(market: AsyncClient) -> None:
    row = {"article": "tea", "cents": 1, "shop": "B"}
    answer = await market.patch("/prices?select=cents,shops(name)", json=[row], headers=REPRESENTATION)

    assert answer.json() == [{"cents": 1, "shops": {"name": "B"}}]
    assert (await market.get("/prices/A,tea")).json()["cents"] == 300


async def test_many_rows(market: AsyncClient) -> None:
    await market.post("/visitors", json=[{"id": number, "email": str(number)} for number in range(10, 1_010)])
    rows = [{"id": number, "name": f"visitor {number}"} for number in range(1_009, 9, -1)]

    answer = await market.patch("/visitors?select=id,name", json=rows, headers=REPRESENTATION)

    assert answer.json() == rows


async def test_all_rows_are_updated_or_none(market: AsyncClient) -> None:
    await market.post("/visitors", json=[{"id": 2, "email": "bob@x"}])
    rows = [{"id": 1, "email": "eve@x"}, {"id": 2, "email": "eve@x"}]

    assert refusal(await market.patch("/visitors", json=rows)) == (409, "23505")
    assert [row["email"] for row in (await market.get("/visitors")).json()] == ["ada@x", "bob@x"]


async def test_nothing_to_set_changes_nothing(market: AsyncClient) -> None:
    answer = await market.patch("/shops", json=[{"name": "A"}, {"name": "B"}], headers=REPRESENTATION)

    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (200, [], "*/*")
    assert (await market.get("/shops/A")).json()["edits"] == 0


async def test_columns_says_which_keys_count(market: AsyncClient) -> None:
    rows = [{"name": "A", "rank": 5, "size": 1}, {"name": "B", "motto": "ignored"}]
    answer = await market.patch("/shops?columns=name,rank&select=rank,motto", json=rows, headers=REPRESENTATION)

    assert answer.json() == [{"rank": 5, "motto": "Welcome"}, {"rank": None, "motto": "Welcome"}]


async def test_what_cannot_be_meant_is_refused(market: AsyncClient) -> None:
    twice = [{"name": "A", "rank": 1}, {"name": "A", "rank": 2}]
    assert refusal(await market.patch("/shops", json=twice)) == (400, "21000")
    assert refusal(await market.patch("/shops", json=[{"rank": 1}, {"rank": 2}])) == (400, "21000")
    assert refusal(await market.patch("/shops", json={"name": "A", "rank": 2})) == (400, "21000")
    assert refusal(await market.patch("/prices", json=[{"shop": "A", "cents": 2}])) == (400, "21000")
    assert refusal(await market.patch("/shops?rank=gt.0", json=twice)) == (400, "PGRST102")
    uneven = [{"name": "A", "rank": 1}, {"name": "B"}]
    assert refusal(await market.patch("/shops", json=uneven)) == (400, "PGRST102")


async def test_an_array_of_one_with_a_filter_is_what_it_was(market: AsyncClient) -> None:
    answer = await market.patch("/visitors?id=eq.1", json=[{"id": 9, "name": "Nine"}], headers=REPRESENTATION)

    assert answer.json() == [{"id": 9, "email": "ada@x", "name": "Nine"}]
