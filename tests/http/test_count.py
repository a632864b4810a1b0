"""`Prefer: count=`, and the Content-Range that answers it."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import names, refusal

pytestmark = pytest.mark.anyio

EXACT = {"Prefer": "count=exact"}


@pytest.fixture
async def five(users: AsyncClient) -> AsyncClient:
    await users.post("/users", json=[{"name": letter} for letter in "abcde"])
    return users


async def test_all_rows_are_here(five: AsyncClient) -> None:
    answer = await five.get("/users", headers=EXACT)

    assert (answer.status_code, answer.headers["content-range"]) == (200, "0-4/5")
    assert answer.headers["preference-applied"] == "count=exact"


async def test_a_page_is_partial_content(five: AsyncClient) -> None:
    answer = await five.get("/users?limit=2&offset=1", headers=EXACT)

    assert (answer.status_code, answer.headers["content-range"]) == (206, "1-2/5")
    assert names(answer) == ["b", "c"]


async def test_the_total_is_of_the_rows_that_are_selected(five: AsyncClient) -> None:
    answer = await five.get("/users?name=gt.b&limit=1", headers=EXACT)

    assert answer.headers["content-range"] == "0-0/3"


async def test_nothing_is_counted_as_nothing(users: AsyncClient) -> None:
    answer = await users.get("/users", headers=EXACT)

    assert (answer.status_code, answer.headers["content-range"]) == (200, "*/0")


async def test_an_offset_past_the_total_is_out_of_range(five: AsyncClient) -> None:
    answer = await five.get("/users?offset=100", headers=EXACT)

    assert refusal(answer) == (416, "PGRST103")
    assert answer.json()["message"] == "Requested range not satisfiable"
    assert answer.json()["details"] == "An offset of 100 was requested, but there are only 5 rows."
    assert answer.headers["content-range"] == "*/5"


async def test_an_offset_of_just_the_total_is_an_empty_page(five: AsyncClient) -> None:
    answer = await five.get("/users?offset=5", headers=EXACT)

    assert (answer.status_code, answer.headers["content-range"]) == (206, "*/5")


async def test_head_counts_without_rows(five: AsyncClient) -> None:
    answer = await five.head("/users?limit=0", headers=EXACT)

    assert (answer.content, answer.headers["content-range"]) == (b"", "*/5")


async def test_a_page_found_by_its_link_keeps_counting(five: AsyncClient) -> None:
    first = await five.get("/users?limit=2", headers=EXACT)
    second = await five.get(first.links["next"]["url"], headers=EXACT)

    assert second.status_code in (200, 206)
    assert names(second) == ["c", "d"]


async def test_planned_and_estimated_end_in_a_number_too(five: AsyncClient) -> None:
    for way in ("planned", "estimated"):
        answer = await five.get("/users", headers={"Prefer": f"count={way}"})
        assert answer.headers["content-range"].rpartition("/")[2].isdecimal()


async def test_writes_count_what_they_wrote(five: AsyncClient) -> None:
    patched = await five.patch("/users?id=lt.3", json={"name": "x"}, headers=EXACT)
    assert patched.headers["content-range"] == "0-1/2"
    deleted = await five.delete("/users?id=lt.3", headers=EXACT)
    assert deleted.headers["content-range"] == "*/2"
    inserted = await five.post(
        "/users", json=[{"name": "f"}, {"name": "g"}], headers={"Prefer": "return=minimal, count=exact"}
    )
    assert inserted.headers["content-range"] == "*/2"
    assert inserted.headers["preference-applied"] == "return=minimal, count=exact"
