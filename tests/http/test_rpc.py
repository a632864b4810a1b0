"""``/rpc/name``: the functions of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from httpx import ASGITransport, AsyncClient, Response

from rowserve.server.application import Options, served_database
from tests.helpers import refusal
from tests.openapi import check_document, parameters

pytestmark = pytest.mark.anyio

STRICT = {"prefer": "handling=strict, max-affected=1"}
ONE = {"accept": "application/vnd.pgrst.object+json"}


@pytest.fixture
async def client(postgresql_url: str) -> AsyncIterator[AsyncClient]:
    """A client of a database with two schemas, served as it is."""
    connection = await asyncpg.connect(postgresql_url)
    await connection.execute(Path(__file__).with_name("functions.sql").read_text())
    await connection.close()
    front = served_database(
        Options(
            target=postgresql_url,
            schemas=("public", "personal"),
            extra_search_path=("shared",),
            limits={"tx_override": True, "explain": True},
        )
    )
    async with (
        front.app.router.lifespan_context(front.app),  # type: ignore[attr-defined]
        AsyncClient(transport=ASGITransport(app=front), base_url="http://test") as client,
    ):
        yield client


async def post(client: AsyncClient, name: str, arguments: Any = None, **options: Any) -> Any:
    """What a function answers."""
    answer = await client.post(f"/rpc/{name}", json=arguments, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def get(client: AsyncClient, path: str, **options: Any) -> Any:
    answer = await client.get(f"/rpc/{path}", **options)
    assert answer.status_code in (200, 206), answer.text
    return answer.json()


async def users(client: AsyncClient) -> list[str]:
    return [row["name"] for row in (await client.get("/users?select=name&order=id")).json()]


async def test_arguments(client: AsyncClient) -> None:
    assert await post(client, "add", {"a": 1, "b": 2}) == 3
    assert await post(client, "add", [{"a": 1, "b": 3}, {"a": 9, "b": 9}]) == 4
    assert await post(client, "maybe", {"a": 1}) == 111
    assert await post(client, "maybe", {"a": 1, "c": 0}) == 11
    assert await post(client, "maybe?columns=a", {"a": 1, "unknown": 0}) == 111
    assert await post(client, "second", {"items": ["x", "y"]}) == "y"
    assert await post(client, "second", {"items": "{x,y}"}) == "y"
    assert await post(client, "sum_of", {"numbers": [1, 2, 3]}) == 6
    assert await post(client, "document", {"data": {"a": 5}}) == "5"
    assert await post(client, "greeting", {"of": {"id": 1, "name": "Ada"}}) == "Hello Ada"
    assert await post(client, quote('Odd "Name" %s'), {"a :b => %": 7}) == 7
    assert await post(client, "which") == "none"


async def test_arguments_in_the_query_string(client: AsyncClient) -> None:
    assert await get(client, "add?a=1&b=2") == 3
    assert await get(client, "maybe?b=0&a=1") == 101
    assert await get(client, "second?items={x,%22y%20z%22}") == "y z"
    assert await get(client, "sum_of?numbers=1&numbers=2&numbers=3") == 6
    assert await get(client, "sum_of?numbers=5") == 5
    assert await get(client, "document?data={%22a%22:5}") == "5"
    assert await get(client, "greeting?of=(1,Ada,)") == "Hello Ada"
    assert await get(client, "which") == "none"


async def test_arguments_in_a_form(client: AsyncClient) -> None:
    answer = await client.post("/rpc/add", data={"a": "4", "b": "5"})
    assert (answer.status_code, answer.json()) == (200, 9)
    answer = await client.post("/rpc/sum_of", data={"numbers": ["1", "7"]})
    assert (answer.status_code, answer.json()) == (200, 8)


async def test_the_whole_body(client: AsyncClient) -> None:
    async def send(name: str, body: bytes, type_: str) -> Response:
        return await client.post(f"/rpc/{name}", content=body, headers={"content-type": type_})

    assert await post(client, "whole_json", {"a": [1]}) == {"a": [1]}
    assert await post(client, "whole_json", [1, 2]) == [1, 2]
    assert (await send("whole_text", "grüße".encode(), "text/plain; charset=utf-8")).json() == "grüße"
    assert (await send("whole_bytes", b"\xff\x00\x01", "application/octet-stream")).json() == 3
    assert refusal(await send("whole_text", b"\xff", "text/plain")) == (400, "PGRST102")
    missing = await send("add", b"x", "text/plain")
    assert refusal(missing) == (404, "PGRST202")
    assert missing.json()["details"] == (
        "Searched for the function public.add with a single unnamed text parameter, but no matches were found in the "
        "schema cache."
    )


async def test_bad_arguments(client: AsyncClient) -> None:
    for answer in (await client.post("/rpc/add", json={"a": "x", "b": 2}), await client.get("/rpc/add?a=x&b=2")):
        assert refusal(answer) == (400, "22P02")
        assert answer.json()["message"] == 'invalid input syntax for type integer: "x"'
    for body in ("{", "nan", '{"a": 1} x'):
        assert refusal(await client.post("/rpc/add", content=body)) == (400, "PGRST102")
    assert refusal(await client.post("/rpc/add", json=[{"a": 1}, {"b": 2}])) == (400, "PGRST102")
    assert refusal(await client.post("/rpc/add", content="a", headers={"content-type": "text/csv"})) == (
        400,
        "PGRST102",
    )
    hostile = "1); drop table users; --"
    assert refusal(await client.get("/rpc/add", params={"a": hostile, "b": 1})) == (400, "22P02")
    assert refusal(await client.post("/rpc/add", json={"a": 1, f'b" => {hostile}': 1})) == (404, "PGRST202")


async def test_overloads(client: AsyncClient) -> None:
    assert await post(client, "which", {"a": 1}) == "a"
    assert await post(client, "which", {"a": 1, "b": 1}) == "a and b"
    assert await post(client, "which", {"c": 1}) == "body"
    assert await post(client, "which", {}) == "none"
    answer = await client.post("/rpc/same", json={"a": 1})
    assert answer.status_code == 300
    assert answer.json() == {
        "code": "PGRST203",
        "message": "Could not choose the best candidate function between: public.same(a => integer), "
        "public.same(a => text)",
        "details": None,
        "hint": "Try renaming the parameters or the function itself in the database so function overloading can be "
        "resolved",
    }


async def test_no_such_function(client: AsyncClient) -> None:
    answer = await client.post("/rpc/maybee", json={"a": 1, "z": 2})
    assert refusal(answer) == (404, "PGRST202")
    assert answer.json() == {
        "code": "PGRST202",
        "message": "Could not find the function public.maybee(a, z) in the schema cache",
        "details": "Searched for the function public.maybee with parameters a, z or with a single unnamed json/jsonb "
        "parameter, but no matches were found in the schema cache.",
        "hint": "Perhaps you meant to call the function public.maybe",
    }
    answer = await client.get("/rpc/maybe?a=1&b=2&d=3")
    assert answer.json()["hint"] == "Perhaps you meant to call the function public.maybe(a, b, c)"
    assert answer.json()["details"].startswith("Searched for the function public.maybe with parameters a, b, d, but")
    answer = await client.get("/rpc/countdow")
    assert (
        answer.json()["message"] == "Could not find the function public.countdow without parameters in the schema cache"
    )
    # What takes a row, and has no name for it, is a column of that row and nothing else.
    assert refusal(await client.post("/rpc/initial", json={"": {"id": 1}})) == (404, "PGRST202")
    assert refusal(await client.get("/rpc/secret")) == (404, "PGRST202")
    assert refusal(await client.get("/rpc/add/1")) == (404, "PGRST125")


async def test_what_comes_back(client: AsyncClient) -> None:
    assert await get(client, "numbers?until=3") == [1, 2, 3]
    assert await get(client, "numbers?until=0") == []
    assert await get(client, "one_user?which=2&select=id,name") == {"id": 2, "name": "Grace"}
    assert await get(client, "one_user?which=2&id=eq.1") is None
    assert await get(client, "pair") == {"first": 1, "second": "x"}
    assert await get(client, "countdown?start=2") == [{"n": 2, "as text": "2"}, {"n": 1, "as text": "1"}]
    answer = await client.post("/rpc/forget", json={"called": "nobody"}, headers={"prefer": "return=representation"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    answer = await client.get("/rpc/one_user?which=1&select=name", headers=ONE)
    assert answer.json() == {"name": "Ada"}
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"
    assert refusal(await client.get("/rpc/newest", headers=ONE)) == (406, "PGRST116")


async def test_rows_are_a_list_like_any_other(client: AsyncClient) -> None:
    assert await get(client, "newest?select=name") == [{"name": "Alan"}, {"name": "Grace"}, {"name": "Ada"}]
    embedded = await get(client, "newest?select=name,initial,posts(title)&limit=2&offset=1&posts.order=id.desc")
    assert embedded == [
        {"name": "Grace", "initial": "G", "posts": [{"title": "three"}]},
        {"name": "Ada", "initial": "A", "posts": [{"title": "two"}, {"title": "one"}]},
    ]
    assert await get(client, "newest?select=posts!inner(id)&posts.id=eq.3") == [{"posts": [{"id": 3}]}]
    assert await get(client, "newest?select=id.count()") == [{"count": 3}]
    assert await get(client, "newest?select=id&name=like.*a*&order=name.desc&or=(id.eq.1,id.eq.3)") == [
        {"id": 3},
        {"id": 1},
    ]
    assert await post(client, "newest?select=id&order=id&id=gt.1", {}) == [{"id": 2}, {"id": 3}]
    assert await get(client, 'countdown?select=n,text:"as text"&n=gt.1&order=n') == [
        {"n": 2, "text": "2"},
        {"n": 3, "text": "3"},
    ]
    assert await get(client, "numbers?until=9&numbers=gt.7&order=numbers.desc") == [9, 8]
    answer = await client.get("/rpc/countdown?nope=eq.1")
    assert refusal(answer) == (400, "42703")
    assert answer.json()["message"] == "column countdown.nope does not exist"


async def test_count(client: AsyncClient) -> None:
    exact = {"prefer": "count=exact"}
    answer = await client.get("/rpc/newest?limit=2", headers=exact)
    assert (answer.status_code, answer.headers["content-range"], len(answer.json())) == (206, "0-1/3", 2)
    answer = await client.head("/rpc/newest", headers=exact)
    assert (answer.status_code, answer.headers["content-range"], answer.content) == (200, "0-2/3", b"")
    assert refusal(await client.get("/rpc/newest?offset=5", headers=exact)) == (416, "PGRST103")
    # Counting the rows does not call the function once more.
    answer = await client.post("/rpc/add_users?select=name", json={"called": ["a", "b"]}, headers=exact)
    assert (answer.json(), answer.headers["content-range"]) == ([{"name": "a"}, {"name": "b"}], "0-1/2")
    assert await users(client) == ["Ada", "Grace", "Alan", "a", "b"]


async def test_what_it_looks_like(client: AsyncClient) -> None:
    csv, ndjson = {"accept": "text/csv"}, {"accept": "application/x-ndjson"}
    assert (await client.get("/rpc/countdown?start=2", headers=csv)).text == 'n,"as text"\n2,2\n1,1'
    assert (await client.get("/rpc/numbers?until=2", headers=csv)).text == "numbers\n1\n2"
    assert (await client.get("/rpc/newest?select=id", headers=ndjson)).text == '{"id":3}\n{"id":2}\n{"id":1}\n'
    answer = await client.post("/rpc/add_users?select=name", json={"called": ["a", "b"]}, headers=ndjson)
    assert answer.text == '{"name":"a"}\n{"name":"b"}\n'
    answer = await client.post("/rpc/add_users", json={"called": ["c", "d"]}, headers={**ndjson, **STRICT})
    assert refusal(answer) == (400, "PGRST124")
    assert await users(client) == ["Ada", "Grace", "Alan", "a", "b"]
    stripped = {"accept": "application/vnd.pgrst.object+json;nulls=stripped"}
    assert (await client.get("/rpc/one_user?which=2", headers=stripped)).json() == {"id": 2, "name": "Grace"}
    answer = await client.get("/rpc/newest?select=id", headers={"range": "1-1", "prefer": "count=planned"})
    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (206, [{"id": 4}], "1-1/5")
    zoned = {"prefer": "timezone=America/New_York"}
    answer = await client.get("/rpc/one_user?which=1&select=joined", headers=zoned)
    assert answer.json() == {"joined": "2024-01-01T07:00:00-05:00"}
    answer = await client.post("/rpc/add_user?select=joined", json={"called": "x"}, headers=zoned)
    assert answer.headers["preference-applied"] == "timezone=America/New_York"


async def test_plans(client: AsyncClient) -> None:
    plan = {"accept": "application/vnd.pgrst.plan+text"}
    answer = await client.get("/rpc/newest?select=id", headers=plan)
    assert answer.status_code == 200
    assert "users_pkey on users" in answer.text
    # Only told of, not called.
    assert (await client.post("/rpc/add_user", json={"called": "x"}, headers=plan)).status_code == 200
    assert await users(client) == ["Ada", "Grace", "Alan"]


async def test_plans_of_functions_that_write(client: AsyncClient) -> None:
    analyzed = {"accept": "application/vnd.pgrst.plan+json; options=analyze"}
    for name, arguments in (
        ("add_user", {"called": "x"}),
        ("add_users", {"called": ["x"]}),
        ("forget", {"called": "Alan"}),
    ):
        answer = await client.post(f"/rpc/{name}", json=arguments, headers=analyzed)
        assert answer.status_code == 200, answer.text
        assert answer.json()[0]["Execution Time"] >= 0
        assert await users(client) == ["Ada", "Grace", "Alan"]
    written = await client.post(
        "/rpc/write_note", json={"what": "x"}, headers={**analyzed, "content-profile": "personal"}
    )
    assert written.status_code == 200, written.text
    assert len((await client.get("/notes", headers={"accept-profile": "personal"})).json()) == 1
    assert refusal(await client.post("/rpc/refuse", headers=analyzed)) == (400, "P0001")
    assert (await client.post("/rpc/forget", json={"called": "Alan"})).status_code == 204


async def test_functions_that_write(client: AsyncClient) -> None:
    assert (await post(client, "add_user", {"called": "Zoe"}))["name"] == "Zoe"
    answer = await client.post("/rpc/forget", json={"called": "Alan"})
    assert answer.status_code == 204
    assert await users(client) == ["Ada", "Grace", "Zoe"]
    answer = await client.get("/rpc/add_user?called=Yan")
    assert refusal(answer) == (405, "25006")
    assert await users(client) == ["Ada", "Grace", "Zoe"]
    # One that only might write is not kept from being read.
    assert 0 <= await get(client, "dice") < 1


async def test_what_is_not_wanted_is_rolled_back(client: AsyncClient) -> None:
    answer = await client.post("/rpc/add_users", json={"called": ["a", "b"]}, headers=ONE)
    assert refusal(answer) == (406, "PGRST116")
    answer = await client.post("/rpc/add_users", json={"called": ["a", "b"]}, headers=STRICT)
    assert refusal(answer) == (400, "PGRST124")
    assert answer.json()["details"] == "The query affects 2 rows"
    answer = await client.post("/rpc/add_user", json={"called": "a"}, headers=STRICT)
    assert refusal(answer) == (400, "PGRST128")
    answer = await client.post("/rpc/add_user?select=name", json={"called": "a"}, headers={"prefer": "tx=rollback"})
    assert (answer.json(), answer.headers["preference-applied"]) == ({"name": "a"}, "tx=rollback")
    assert await users(client) == ["Ada", "Grace", "Alan"]
    answer = await client.post("/rpc/add_users?select=name", json={"called": ["a"]}, headers=STRICT)
    assert answer.json() == [{"name": "a"}]
    assert answer.headers["preference-applied"] == "handling=strict, max-affected=1"
    assert refusal(await client.get("/rpc/newest", headers=STRICT)) == (400, "PGRST124")


async def test_schemas(client: AsyncClient) -> None:
    personal = {"accept-profile": "personal", "content-profile": "personal"}
    # Names without a schema are of the function's own, or of the extra ones.
    assert await get(client, "notes_of", headers=personal) == ["MINE"]
    assert await post(client, "notes_of", {}, headers=personal) == ["MINE"]
    assert await post(client, "write_note", {"what": "more"}, headers=personal) == 2
    answer = await client.get("/rpc/notes_of?order=notes_of", headers=personal)
    assert (answer.json(), answer.headers["content-profile"]) == (["MINE", "MORE"], "personal")
    assert refusal(await client.get("/rpc/write_note?what=x", headers=personal)) == (405, "25006")
    answer = await client.get("/rpc/notes_of")
    assert refusal(answer) == (404, "PGRST202")
    assert refusal(await client.get("/rpc/secret", headers={"accept-profile": "hidden"})) == (406, "PGRST106")


async def test_methods(client: AsyncClient) -> None:
    assert (await client.options("/rpc/add")).headers["allow"] == "OPTIONS,GET,HEAD,POST"
    assert (await client.options("/rpc/add_user")).headers["allow"] == "OPTIONS,POST"
    assert refusal(await client.options("/rpc/nothing")) == (404, "PGRST202")
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await client.request(method, "/rpc/add")
        assert refusal(answer) == (405, "PGRST101")
        assert answer.json()["message"] == f"Cannot use the {method} method on RPC"


async def test_functions_that_refuse(client: AsyncClient) -> None:
    answer = await client.post("/rpc/refuse")
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "P0001",
        "message": "I refuse",
        "details": "Pretty simple",
        "hint": "There is nothing you can do",
    }
    answer = await client.post("/rpc/teapot")
    assert (answer.status_code, answer.json()["code"]) == (418, "PT418")
    answer = await client.post("/rpc/broken")
    assert refusal(answer) == (500, "PGRST121")


@pytest.mark.parametrize(
    ("message", "detail", "status"),
    [
        ('{"code": "123", "message": "Pay", "details": "now"}', '{"status": 402, "headers": {"X-By": "Ada"}}', 402),
        ('{"code": "123", "message": "Pay"}', '{"status": 204, "headers": {}}', 204),
        ('{"code": "123"}', '{"status": 402, "headers": {}}', 500),
        ("[]", '{"status": 402, "headers": {}}', 500),
        ('{"code": "123", "message": "Pay"}', '{"status": 99, "headers": {}}', 500),
        ('{"code": "123", "message": "Pay"}', '{"status": 402}', 500),
        ('{"code": "123", "message": "Pay"}', '{"status": 402, "headers": {"X": "a\\r\\nb"}}', 500),
    ],
)
async def test_functions_that_say_all_of_the_answer(
    client: AsyncClient, message: str, detail: str, status: int
) -> None:
    answer = await client.post("/rpc/custom", json={"message": message, "detail": detail})
    assert answer.status_code == status
    if status == 402:
        assert answer.json() == {"code": "123", "message": "Pay", "details": "now", "hint": None}
        assert answer.headers["x-by"] == "Ada"
    elif status == 500:
        assert refusal(answer) == (500, "PGRST121")
    else:
        assert answer.content == b""


async def test_openapi(client: AsyncClient) -> None:
    document = (await client.get("/")).json()
    check_document(document)
    paths = document["paths"]
    body = paths["/rpc/maybe"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["a"]
    assert body["properties"]["b"] == {"type": "integer", "format": "integer"}
    assert list(parameters(document, "/rpc/maybe", "get")) == ["a", "b", "c", "Accept-Profile"]
    assert set(paths["/rpc/add_user"]) == {"post"}
    assert "/rpc/initial" not in paths
    assert "/rpc/notes_of" in (await client.get("/", headers={"accept-profile": "personal"})).json()["paths"]
