"""GET: all rows, chosen columns, and their names."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

pytestmark = pytest.mark.anyio


async def test_there_are_no_users_yet(users: AsyncClient) -> None:
    answer = await users.get("/users/")

    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-range"] == "*/*"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_the_list_is_in_the_order_of_the_primary_key(users: AsyncClient) -> None:
    for id_, name in ((3, "Ada"), (1, "Zoë"), (2, "Mia")):
        await users.post("/users/", json={"id": id_, "name": name})

    answer = await users.get("/users/")

    assert answer.json() == [{"id": 1, "name": "Zoë"}, {"id": 2, "name": "Mia"}, {"id": 3, "name": "Ada"}]
    assert answer.headers["content-range"] == "0-2/*"
    assert "link" not in answer.headers


async def test_the_path_needs_no_slash_and_no_redirect(users: AsyncClient) -> None:
    await users.post("/users", json={"name": "Ada"})

    for path in ("/users", "/users/"):
        answer = await users.get(path, follow_redirects=False)
        assert (answer.status_code, answer.json()) == (200, [{"id": 1, "name": "Ada"}])


async def test_select_chooses_and_renames_columns(library: AsyncClient) -> None:
    rows = (await library.get("/authors?select=name")).json()
    assert rows == [{"name": "Ada"}, {"name": "Grace"}, {"name": "Anonymous"}]

    rows = (await library.get("/authors?select=printed:name,id&limit=1")).json()
    assert rows == [{"printed": "Ada", "id": 1}]

    rows = (await library.get("/authors?select=*,again:id&limit=1")).json()
    assert rows == [{"id": 1, "name": "Ada", "born": "1815-12-10", "again": 1}]


async def test_a_column_that_is_selected_twice_comes_once(library: AsyncClient) -> None:
    assert (await library.get("/authors?select=id,id&limit=1")).json() == [{"id": 1}]


async def test_a_key_may_be_any_text(library: AsyncClient) -> None:
    for key in ("it's", "ümlaut", "a b", "$1", "😀"):
        answer = await library.get("/authors", params={"select": f'"{key}":id', "limit": "1"})
        assert answer.json() == [{key: 1}], key


async def test_text_of_any_kind_comes_back_as_it_went(users: AsyncClient) -> None:
    texts = ["", " ", "O'Brien", '"quoted"', "back\\slash", "new\nline", "tab\t", "Zoë", "😀", "</script>", "%", "\x7f"]

    await users.post("/users", json=[{"name": text} for text in texts])

    assert [row["name"] for row in (await users.get("/users")).json()] == texts


async def test_head_answers_the_headers_alone(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": "Ada"}, {"name": "Grace"}])

    get = await users.get("/users?limit=1")
    head = await users.head("/users?limit=1")

    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)


async def test_one_object_may_be_asked_for(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": "Ada"}, {"name": "Grace"}])
    one = {"Accept": "application/vnd.pgrst.object+json"}

    answer = await users.get("/users?name=eq.Ada", headers=one)

    assert (answer.status_code, answer.json()) == (200, {"id": 1, "name": "Ada"})
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"
    for path, rows in (("/users", 2), ("/users?name=eq.Zoë", 0)):
        refused = await users.get(path, headers=one)
        assert refusal(refused) == (406, "PGRST116")
        assert refused.json()["message"] == "Cannot coerce the result to a single JSON object"
        assert refused.json()["details"] == f"The result contains {rows} rows"


async def test_what_a_browser_accepts_is_answered_with_json(users: AsyncClient) -> None:
    for accept in ("text/html, application/json;q=0.9, */*;q=0.1", "application/*", "*/*", ""):
        answer = await users.get("/users", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json; charset=utf-8"), accept


async def test_a_media_type_that_there_is_not_is_refused(users: AsyncClient) -> None:
    answer = await users.get("/users", headers={"Accept": "image/png"})

    assert refusal(answer) == (406, "PGRST107")
    assert answer.json()["message"] == "None of these media types are available: image/png"
