"""PATCH and DELETE of all rows that filters select."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from rowserve import Database, Resource
from rowserve.users import Base, User
from tests.helpers import application, client_of, names, refusal

pytestmark = pytest.mark.anyio

REPRESENTATION = {"Prefer": "return=representation"}
ONE = {"Accept": "application/vnd.pgrst.object+json"}


async def test_patch_changes_the_rows_that_are_selected(library: AsyncClient) -> None:
    answer = await library.patch("/books?author_id=eq.1", json={"lent": True, "pages": 1})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["content-range"] == "0-1/*"
    rows = (await library.get("/books?select=id,lent,pages")).json()
    assert [(row["lent"], row["pages"]) for row in rows] == [(True, 1), (True, 1), (False, 240), (False, 12)]


async def test_patch_answers_with_the_rows_if_asked(library: AsyncClient) -> None:
    answer = await library.patch("/authors?id=gte.2&select=id,born", json={"born": None}, headers=REPRESENTATION)

    assert answer.status_code == 200
    assert sorted(answer.json(), key=lambda row: row["id"]) == [{"id": 2, "born": None}, {"id": 3, "born": None}]
    assert answer.headers["preference-applied"] == "return=representation"


async def test_patch_of_no_row_is_no_error(library: AsyncClient) -> None:
    answer = await library.patch("/authors?id=eq.9", json={"name": "Barbara"})
    assert (answer.status_code, answer.headers["content-range"]) == (204, "*/*")

    answer = await library.patch("/authors?id=eq.9", json={"name": "Barbara"}, headers=REPRESENTATION)
    assert (answer.status_code, answer.json()) == (200, [])


async def test_patch_with_nothing_changes_nothing(library: AsyncClient) -> None:
    answer = await library.patch("/authors?id=gt.0", json={})

    assert (answer.status_code, answer.headers["content-range"]) == (204, "*/*")


async def test_delete_removes_the_rows_that_are_selected(library: AsyncClient) -> None:
    answer = await library.delete("/books?lent=is.false&pages=gt.100")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["content-range"] == "*/*"
    assert [row["id"] for row in (await library.get("/books?select=id")).json()] == [1, 2, 4]


async def test_delete_answers_with_what_is_gone_if_asked(library: AsyncClient) -> None:
    answer = await library.delete("/authors?name=eq.Anonymous", headers=REPRESENTATION)

    assert (answer.status_code, answer.json()) == (200, [{"id": 3, "name": "Anonymous", "born": None}])


async def test_without_a_filter_nothing_is_touched(library: AsyncClient) -> None:
    for answer in (await library.patch("/authors", json={"born": None}), await library.delete("/loans")):
        assert refusal(answer) == (400, "21000")
        assert "requires a WHERE clause" in answer.json()["message"]
        assert answer.json()["hint"]
    assert len((await library.get("/loans")).json()) == 1


async def test_a_limit_or_an_order_is_no_filter(library: AsyncClient) -> None:
    assert refusal(await library.delete("/authors?limit=1&order=id")) == (400, "21000")


async def test_the_whole_table_may_be_changed_where_that_is_allowed(database_url: str) -> None:
    resource = Resource(User, allow_unfiltered_writes=True)
    async with client_of(application(Database(database_url), Base, resource)) as client:
        await client.post("/users", json=[{"name": "Ada"}, {"name": "Grace"}])

        assert (await client.patch("/users", json={"name": "Zoë"})).status_code == 204
        assert names(await client.get("/users")) == ["Zoë", "Zoë"]
        assert (await client.delete("/users")).status_code == 204
        assert names(await client.get("/users")) == []


async def test_who_asks_for_one_row_changes_one_or_none(library: AsyncClient) -> None:
    answer = await library.patch("/authors?id=eq.1", json={"name": "Augusta"}, headers=ONE)
    assert (answer.status_code, answer.json()["name"]) == (200, "Augusta")

    assert refusal(await library.patch("/authors?id=gt.0", json={"born": None}, headers=ONE)) == (406, "PGRST116")
    assert refusal(await library.patch("/authors?id=gt.9", json={"born": None}, headers=ONE)) == (406, "PGRST116")
    assert refusal(await library.delete("/books?id=gt.1", headers=ONE)) == (406, "PGRST116")
    assert refusal(await library.post("/authors", json=[{"name": "A"}, {"name": "B"}], headers=ONE)) == (
        406,
        "PGRST116",
    )
    assert len((await library.get("/authors?born=not.is.null")).json()) == 2
    assert len((await library.get("/books")).json()) == 4


async def test_an_update_that_fails_changes_no_row(library: AsyncClient) -> None:
    answer = await library.patch("/authors?id=gt.0", json={"name": "Same"})

    assert refusal(answer) == (409, "23505")
    assert names(await library.get("/authors")) == ["Ada", "Grace", "Anonymous"]


async def test_patch_takes_an_array_of_one(library: AsyncClient) -> None:
    assert (await library.patch("/authors?id=eq.1", json=[{"name": "Augusta"}])).status_code == 204
    answer = await library.patch("/authors?id=eq.1", json=[{"name": "Ada"}, {"name": "Grace"}])
    assert refusal(answer) == (400, "PGRST102")


async def test_patch_with_an_array_of_nothing_changes_nothing(library: AsyncClient) -> None:
    bodies: tuple[list[dict[str, str]], ...] = ([], [{}])
    for body in bodies:
        answer = await library.patch("/authors?id=gt.0", json=body, headers=REPRESENTATION)
        assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (200, [], "*/*")
