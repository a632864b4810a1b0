"""Bad input gets a clear answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.helpers import names, refusal, served

from .models import Author

pytestmark = pytest.mark.anyio


async def test_an_unknown_column_is_named_and_so_are_the_columns_there_are(library: AsyncClient) -> None:
    for query in ("nme=eq.Ada", "select=nme", "order=nme", "or=(id.eq.1,nme.eq.2)", "select=id,x:nme"):
        answer = await library.get(f"/authors?{query}")
        assert refusal(answer) == (400, "42703"), query
        assert answer.json()["message"] == "column authors.nme does not exist"
        assert answer.json()["hint"] == "The columns of authors are: id, name, born."
    for answer in (
        await library.patch("/authors?nme=eq.1", json={"name": "x"}),
        await library.delete("/authors?nme=eq.1"),
        await library.post("/authors?select=nme", json={"name": "x"}),
        await library.patch("/authors/1?select=nme", json={"name": "x"}),
    ):
        assert refusal(answer) == (400, "42703"), answer.request
    assert names(await library.get("/authors")) == ["Ada", "Grace", "Anonymous"]


async def test_an_unknown_operator_is_named_and_so_are_those_there_are(library: AsyncClient) -> None:
    for query in ("name=is_like.Ada", "name=Ada", "or=(name.equals.Ada)"):
        answer = await library.get(f"/authors?{query}")
        assert refusal(answer) == (400, "PGRST100"), query
        said = json.dumps(answer.json())
        assert query.partition("=")[2].strip("()").removeprefix("name.").partition(".")[0] in said
        assert "ilike" in said or "write name=eq.Ada" in said, said


async def test_an_unknown_key_of_a_body_is_named_and_so_are_the_columns_there_are(library: AsyncClient) -> None:
    for answer in (
        await library.post("/authors", json={"name": "Barbara", "borne": None}),
        await library.post("/authors", json=[{"name": "Barbara", "borne": None}]),
        await library.post("/authors?name=Barbara&borne=1900-01-01"),
        await library.patch("/authors/1", json={"borne": None}),
        await library.put("/authors/1", json={"name": "Ada", "borne": None}),
        await library.patch("/authors?id=eq.1", json={"borne": None}),
    ):
        assert refusal(answer) == (400, "PGRST204"), answer.request
        assert answer.json()["message"] == "Could not find the 'borne' column of 'authors' in the schema cache"
        assert answer.json()["hint"] == "The columns of 'authors' are: id, name, born."


async def test_a_value_of_the_wrong_type_is_named_with_its_column(library: AsyncClient) -> None:
    for answer in (
        await library.post("/books", json={"title": "x", "author_id": "one"}),
        await library.post("/books?title=x&author_id=one"),
        await library.patch("/books/1", json={"author_id": "one"}),
    ):
        assert refusal(answer) == (400, "22P02"), answer.request
        assert answer.json()["message"] == 'invalid input syntax for type integer: "one"'
        assert answer.json()["details"] == 'column "author_id"'

    answer = await library.post("/books", json=[{"title": "x", "pages": 1}, {"title": "y", "pages": {}}])
    assert refusal(answer) == (400, "23502") or refusal(answer) == (400, "22P02")


async def test_a_number_that_is_too_large_is_out_of_range(library: AsyncClient) -> None:
    for number in (2**31, 2**63, 10**30):
        answer = await library.patch("/books/1", json={"pages": number})
        assert refusal(answer) == (400, "22003"), number


async def test_a_missing_value_is_named(library: AsyncClient) -> None:
    message = 'null value in column "name" of relation "authors" violates not-null constraint'
    for answer in (
        await library.post("/authors", json={}),
        await library.post("/authors", json={"born": "2000-01-01"}),
        await library.post("/authors", json={"name": None}),
        await library.post("/authors?born=2000-01-01"),
        await library.patch("/authors/1", json={"name": None}),
        await library.patch("/authors?id=eq.1", json={"name": None}),
    ):
        assert refusal(answer) == (400, "23502"), answer.request
        assert answer.json()["message"] == message


async def test_a_duplicate_names_the_constraint_and_the_key(library: AsyncClient) -> None:
    for answer, constraint, key in (
        (await library.post("/authors", json={"name": "Ada"}), "authors_name_key", "(name)=(Ada)"),
        (await library.post("/authors", json={"id": 1, "name": "x"}), "authors_pkey", "(id)=(1)"),
        (await library.patch("/authors/2", json={"name": "Ada"}), "authors_name_key", "(name)=(Ada)"),
        (
            await library.post("/books", json={"title": "Notes", "author_id": 1}),
            "one_title_each",
            "(title, author_id)=(Notes, 1)",
        ),
        (
            await library.post("/loans", json={"book_id": 1, "reader": "Alan"}),
            "loans_pkey",
            "(book_id, reader)=(1, Alan)",
        ),
        (
            await library.post("/authors", json=[{"name": "Barbara"}, {"name": "Grace"}]),
            "authors_name_key",
            "(name)=(Grace)",
        ),
    ):
        assert answer.status_code == 409, answer.text
        assert answer.json() == {
            "code": "23505",
            "message": f'duplicate key value violates unique constraint "{constraint}"',
            "details": f"Key {key} already exists.",
            "hint": None,
        }


async def test_a_duplicate_that_an_update_makes_of_two_columns(
    request: pytest.FixtureRequest, library: AsyncClient
) -> None:
    answer = await library.patch("/books/2", json={"title": "Notes"})

    assert refusal(answer) == (409, "23505")
    assert answer.json()["message"] == 'duplicate key value violates unique constraint "one_title_each"'
    if "sqlite" not in request.node.name:  # SQLite does not tell the half of the key that was there before
        assert answer.json()["details"] == "Key (title, author_id)=(Notes, 1) already exists."


async def test_what_was_refused_leaves_no_trace(library: AsyncClient) -> None:
    for _ in range(2):
        assert refusal(await library.delete("/authors/1")) == (409, "23503")
        assert (await library.post("/books", json={"title": "x", "author_id": 99})).status_code == 409
    assert (await library.get("/authors/1")).status_code == 200
    assert (await library.delete("/authors/3")).status_code == 204
    assert len((await library.get("/books")).json()) == 4


async def test_a_missing_parent_is_named(library: AsyncClient) -> None:
    for answer in (
        await library.post("/books", json={"title": "x", "author_id": 99}),
        await library.post("/books", json=[{"title": "x", "author_id": 1}, {"title": "y", "author_id": 99}]),
        await library.patch("/books/1", json={"author_id": 99}),
        await library.patch("/books?id=eq.1", json={"author_id": 99}),
    ):
        assert answer.status_code == 409, answer.text
        assert answer.json() == {
            "code": "23503",
            "message": 'insert or update on table "books" violates foreign key constraint "books_author_id_fkey"',
            "details": 'Key (author_id)=(99) is not present in table "authors".',
            "hint": None,
        }


async def test_a_child_that_is_left_is_named(library: AsyncClient) -> None:
    for answer in (
        await library.delete("/authors/1"),
        await library.delete("/authors?id=eq.1"),
        await library.patch("/authors/1", json={"id": 99}),
    ):
        assert answer.status_code == 409, answer.text
        assert answer.json() == {
            "code": "23503",
            "message": 'update or delete on table "authors" violates foreign key constraint '
            '"books_author_id_fkey" on table "books"',
            "details": 'Key (id)=(1) is still referenced from table "books".',
            "hint": None,
        }


async def test_a_check_is_named(library: AsyncClient) -> None:
    answer = await library.patch("/books/1", json={"pages": -1})

    assert refusal(answer) == (400, "23514")
    assert answer.json()["message"] == 'new row for relation "books" violates check constraint "some_pages"'


async def test_a_body_that_is_no_json_is_refused(library: AsyncClient) -> None:
    for body in (
        b"",
        b"{",
        b'{"name": "x"',
        b"name",
        b"[{}",
        b"null",
        b"1",
        b'"x"',
        b"[1]",
        b'{"name":"x"} {}',
        b"\xff",
    ):
        for method, path in (("POST", "/authors"), ("PATCH", "/authors/1"), ("PUT", "/authors/1")):
            answer = await library.request(method, path, content=body)
            assert refusal(answer) == (400, "PGRST102"), (method, body)
            assert answer.json()["message"] == "Empty or invalid json"


async def test_all_rows_of_an_array_have_the_same_keys(library: AsyncClient) -> None:
    answer = await library.post("/authors", json=[{"name": "x"}, {"name": "y", "born": None}])

    assert refusal(answer) == (400, "PGRST102")
    assert answer.json()["message"] == "All object keys must match"


async def test_a_query_that_cannot_be_read_is_refused(library: AsyncClient) -> None:
    for query in ("select=id,,name", "order=id.up", "or=(id.eq.1", "id=in.(1", "limit=x", "name=is.maybe", "id=eq"):
        answer = await library.get(f"/authors?{query}")
        assert refusal(answer) == (400, "PGRST100"), query


async def test_a_body_that_is_too_large_is_refused(database_url: str) -> None:
    async with served(database_url, Author, max_body=1_000) as client:
        answer = await client.post("/authors", json={"name": "x" * 1_000})
        assert refusal(answer) == (413, "PGRST102")
        assert "1000 bytes" in answer.json()["details"]
        assert (await client.post("/authors", json={"name": "x" * 900})).status_code == 201

        async def chunks() -> AsyncIterator[bytes]:
            yield b'{"name": "'
            for _ in range(20):
                yield b"x" * 100
            yield b'"}'

        assert refusal(await client.post("/authors", content=chunks())) == (413, "PGRST102")


async def test_a_body_may_come_in_pieces(users: AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in ('{"na', 'me": "Zo', "ë", '"}'):
            yield piece.encode()

    assert (await users.post("/users", content=chunks())).json() == {"id": 1, "name": "Zoë"}


async def test_ten_megabytes_are_the_limit_unless_set(library: AsyncClient) -> None:
    name = "x" * 9_999_000
    assert (await library.post("/scores?select=id", json={"name": name})).status_code == 201
    assert refusal(await library.post("/scores", json={"name": name + name[:2_000]})) == (413, "PGRST102")


async def test_a_method_that_there_is_not_is_refused_and_the_others_named(library: AsyncClient) -> None:
    answer = await library.request("TRACE", "/authors", json={"name": "x"})
    assert refusal(answer) == (405, "PGRST117")
    assert answer.headers["allow"] == "OPTIONS, GET, HEAD, POST, PATCH, PUT, DELETE, QUERY"

    answer = await library.post("/authors/1", json={"name": "x"})
    assert refusal(answer) == (405, "PGRST117")
    assert answer.headers["allow"] == "OPTIONS, GET, HEAD, PATCH, PUT, DELETE"

    assert refusal(await library.request("TRACE", "/authors")) == (405, "PGRST117")


async def test_any_other_method_is_refused_as_well(library: AsyncClient) -> None:
    for path in ("/authors", "/authors/1"):
        answer = await library.request("BREW", path)
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]


async def test_options_names_the_methods(library: AsyncClient) -> None:
    answer = await library.options("/authors")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["allow"] == "OPTIONS, GET, HEAD, POST, PATCH, PUT, DELETE, QUERY"
    assert (await library.options("/authors/1")).headers["allow"] == "OPTIONS, GET, HEAD, PATCH, PUT, DELETE"


async def test_problem_json_has_the_same_members(library: AsyncClient) -> None:
    answer = await library.get("/authors/99", headers={"Accept": "application/problem+json, application/json"})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "There is no row in authors with id = 99",
        "status": 404,
        "code": "PGRST116",
        "message": "There is no row in authors with id = 99",
        "details": None,
        "hint": None,
    }


async def test_who_takes_problem_json_gets_rows_all_the_same(library: AsyncClient) -> None:
    answer = await library.get("/authors", headers={"Accept": "application/json, application/problem+json"})

    assert (answer.status_code, len(answer.json())) == (200, 3)


async def test_nul_is_no_text(library: AsyncClient) -> None:
    for answer in (
        await library.post("/authors", json={"name": "a\0b"}),
        await library.get("/authors?name=eq.a%00b"),
        await library.post("/authors?name=a%00b"),
    ):
        assert answer.status_code == 400, answer.text
        refusal(answer)


async def test_bytes_that_are_no_utf8_are_refused(library: AsyncClient) -> None:
    for answer in (
        await library.get("/authors?name=eq.%FF"),
        await library.post("/authors?name=%FF"),
        await library.post("/authors", content=b'{"name": "\xff"}'),
    ):
        assert answer.status_code == 400, answer.text
        refusal(answer)


async def test_a_lone_surrogate_is_no_text(library: AsyncClient) -> None:
    answer = await library.post("/authors", content=b'{"name": "\\ud800"}')

    assert answer.status_code == 400
    refusal(answer)


async def test_a_deeply_nested_request_is_refused(library: AsyncClient) -> None:
    body = b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert (await library.post("/authors", content=body)).status_code == 400
    deep = "and=(" * 1 + "and(" * 2_000 + "id.eq.1" + ")" * 2_001
    assert (await library.get(f"/authors?{deep}")).status_code in (200, 400, 414)
