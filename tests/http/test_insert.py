"""POST: one row, many rows, and what comes back."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import names, refusal

pytestmark = pytest.mark.anyio


async def test_an_object_is_answered_with_the_row(users: AsyncClient) -> None:
    answer = await users.post("/users/", json={"name": "Ada"})

    assert answer.status_code == 201
    assert answer.text == '{"id":1,"name":"Ada"}'
    assert answer.headers["location"] == "/users/1"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert (await users.get(answer.headers["location"])).json() == {"id": 1, "name": "Ada"}


async def test_the_lessons_way_takes_the_columns_from_the_query_string(users: AsyncClient) -> None:
    answer = await users.post("/users/?name=Ada")

    assert (answer.status_code, answer.json()) == (201, {"id": 1, "name": "Ada"})
    assert answer.headers["location"] == "/users/1"


async def test_a_query_string_may_hold_any_text(users: AsyncClient) -> None:
    answer = await users.post("/users/", params={"name": "Zoë & Co=50%+ 😀"})

    assert answer.json()["name"] == "Zoë & Co=50%+ 😀"


async def test_an_array_is_answered_with_an_array(users: AsyncClient) -> None:
    answer = await users.post("/users", json=[{"name": "Ada"}, {"name": "Grace"}])

    assert answer.status_code == 201
    assert answer.json() == [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]
    assert "location" not in answer.headers


async def test_an_array_of_one_is_answered_with_an_array(users: AsyncClient) -> None:
    assert (await users.post("/users", json=[{"name": "Ada"}])).json() == [{"id": 1, "name": "Ada"}]


async def test_an_empty_array_inserts_nothing(users: AsyncClient) -> None:
    answer = await users.post("/users", json=[])

    assert (answer.status_code, answer.json()) == (201, [])
    assert (await users.get("/users")).json() == []


async def test_all_rows_of_an_array_are_inserted_or_none(library: AsyncClient) -> None:
    answer = await library.post("/authors", json=[{"name": "Barbara"}, {"name": "Ada"}])

    assert refusal(answer) == (409, "23505")
    assert names(await library.get("/authors")) == ["Ada", "Grace", "Anonymous"]


async def test_a_thousand_rows_come_back_in_the_order_given(users: AsyncClient) -> None:
    rows = [{"name": f"user {index}"} for index in range(1_000)]

    answer = await users.post("/users", json=rows)

    assert [row["name"] for row in answer.json()] == [row["name"] for row in rows]
    assert [row["id"] for row in answer.json()] == list(range(1, 1_001))


async def test_an_id_may_be_given(users: AsyncClient) -> None:
    answer = await users.post("/users", json={"id": 7, "name": "Ada"})

    assert answer.json() == {"id": 7, "name": "Ada"}
    assert answer.headers["location"] == "/users/7"


async def test_select_says_what_comes_back(users: AsyncClient) -> None:
    assert (await users.post("/users?select=name", json={"name": "Ada"})).json() == {"name": "Ada"}
    assert (await users.post("/users?select=who:name", json=[{"name": "Ada"}])).json() == [{"who": "Ada"}]


async def test_only_the_row_itself_is_given_as_the_location(users: AsyncClient) -> None:
    for select in ("name", "id:name"):
        answer = await users.post(f"/users?select={select}", json={"name": "Ada"})
        assert "location" not in answer.headers


async def test_a_nullable_column_that_is_not_given_is_null(library: AsyncClient) -> None:
    answer = await library.post("/authors", json={"name": "Barbara"})

    assert answer.json()["born"] is None


async def test_a_row_of_two_keys_is_located_by_both(library: AsyncClient) -> None:
    answer = await library.post("/loans", json={"book_id": 3, "reader": "Zoë & Alan"})

    assert answer.headers["location"] == "/loans/3,Zo%C3%AB%20%26%20Alan"
    assert (await library.get(answer.headers["location"])).json() == answer.json()


async def test_a_key_that_no_path_can_hold_is_located_by_a_filter(library: AsyncClient) -> None:
    for reader in ("A/B", "A,B", "", "é/+ &=#?%"):
        answer = await library.post("/loans", json={"book_id": 3, "reader": reader})

        assert answer.headers["location"].startswith("/loans?book_id=eq.3&reader=eq.")
        assert (await library.get(answer.headers["location"])).json() == [answer.json()]


async def test_the_row_that_did_not_get_in_leaves_the_others_alone(users: AsyncClient) -> None:
    await users.post("/users", json={"id": 1, "name": "Ada"})

    assert refusal(await users.post("/users", json={"id": 1, "name": "Grace"})) == (409, "23505")
    assert names(await users.get("/users")) == ["Ada"]


async def test_a_form_is_inserted(users: AsyncClient) -> None:
    answer = await users.post("/users/", data={"name": "Ada & Co"})

    assert (answer.status_code, answer.json()) == (201, {"id": 1, "name": "Ada & Co"})
