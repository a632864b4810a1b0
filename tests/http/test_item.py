"""One row by its key: GET, PATCH, PUT and DELETE."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import names, refusal

pytestmark = pytest.mark.anyio


async def test_a_row_is_an_object(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": "Ada"}, {"name": "Grace"}])

    answer = await users.get("/users/2")

    assert (answer.status_code, answer.text) == (200, '{"id":2,"name":"Grace"}')
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert (await users.get("/users/2?select=name")).json() == {"name": "Grace"}


async def test_a_row_that_is_not_there_is_not_found(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    for answer in (
        await users.get("/users/2"),
        await users.patch("/users/2", json={"name": "Grace"}),
        await users.patch("/users/2", json={}),
        await users.put("/users/2", json={"name": "Grace"}),
        await users.delete("/users/2"),
    ):
        assert refusal(answer) == (404, "PGRST116"), answer.request.method
        assert answer.json()["message"] == "There is no row in users with id = 2"
    assert names(await users.get("/users")) == ["Ada"]


async def test_head_tells_whether_a_row_is_there(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    assert (await users.head("/users/1")).status_code == 200
    missing = await users.head("/users/2")
    assert (missing.status_code, missing.content) == (404, b"")


async def test_a_key_of_the_wrong_type_is_refused(users: AsyncClient) -> None:
    for key in ("abc", "1.5", "99999999999999999999"):
        status, code = refusal(await users.get(f"/users/{key}"))
        assert (status, code) in ((400, "22P02"), (400, "22003")), key


async def test_patch_changes_what_is_given(library: AsyncClient) -> None:
    answer = await library.patch("/authors/1", json={"name": "Ada Lovelace"})

    assert (answer.status_code, answer.json()) == (200, {"id": 1, "name": "Ada Lovelace", "born": "1815-12-10"})
    assert (await library.get("/authors/1")).json() == answer.json()
    assert names(await library.get("/authors")) == ["Ada Lovelace", "Grace", "Anonymous"]


async def test_patch_with_nothing_changes_nothing(library: AsyncClient) -> None:
    answer = await library.patch("/authors/1", json={})

    assert (answer.status_code, answer.json()["name"]) == (200, "Ada")


async def test_patch_may_move_a_row_to_another_key(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    assert (await users.patch("/users/1", json={"id": 5})).json() == {"id": 5, "name": "Ada"}
    assert (await users.get("/users/1")).status_code == 404


async def test_put_replaces_the_whole_row(library: AsyncClient) -> None:
    answer = await library.put("/authors/1", json={"name": "Augusta"})

    assert (answer.status_code, answer.json()) == (200, {"id": 1, "name": "Augusta", "born": None})


async def test_put_gives_defaults_back(library: AsyncClient) -> None:
    await library.patch("/loans/1,Alan", json={"days": 3})

    assert (await library.put("/loans/1,Alan", json={})).json() == {"book_id": 1, "reader": "Alan", "days": 14}


async def test_put_may_repeat_the_key_but_not_change_it(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    assert (await users.put("/users/1", json={"id": 1, "name": "Grace"})).json() == {"id": 1, "name": "Grace"}
    assert refusal(await users.put("/users/1", json={"id": 2, "name": "Grace"})) == (400, "PGRST115")


async def test_put_needs_every_column_that_has_no_default(library: AsyncClient) -> None:
    answer = await library.put("/authors/1", json={"born": None})

    assert refusal(answer) == (400, "23502")
    assert 'column "name" of relation "authors"' in answer.json()["message"]
    assert (await library.get("/authors/1")).json()["name"] == "Ada"


async def test_delete_leaves_nothing_to_be_found(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": "Ada"}, {"name": "Grace"}])

    answer = await users.delete("/users/1")

    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers
    assert (await users.get("/users/1")).status_code == 404
    assert names(await users.get("/users")) == ["Grace"]


async def test_a_deleted_number_is_not_given_to_the_next(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})
    await users.delete("/users/1")

    assert (await users.post("/users", json={"name": "Grace"})).json()["id"] == 2


async def test_a_row_of_two_keys_has_both_in_its_path(library: AsyncClient) -> None:
    assert (await library.get("/loans/1,Alan")).json() == {"book_id": 1, "reader": "Alan", "days": 14}
    assert (await library.patch("/loans/1,Alan", json={"days": 1})).json()["days"] == 1
    for path in ("/loans/1", "/loans/1,Alan,2"):
        answer = await library.get(path)
        assert refusal(answer) == (404, "PGRST125")
        assert answer.json()["hint"] == "Write /loans/{book_id,reader}."
    assert (await library.delete("/loans/1,Alan")).status_code == 204


async def test_the_body_of_a_delete_is_ignored(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    answer = await users.request("DELETE", "/users/1", json={})

    assert answer.status_code == 204


async def test_a_filter_holds_for_one_row_as_well(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    assert (await users.get("/users/1?name=eq.Ada")).status_code == 200
    assert (await users.get("/users/1?name=eq.Grace")).status_code == 404
    assert (await users.delete("/users/1?name=eq.Grace")).status_code == 404
    assert names(await users.get("/users")) == ["Ada"]
