"""Rows as Pydantic models of the application's own have them: create, update, read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from rowserve import Database, ReadSession, Resource
from tests.helpers import application, client_of, refusal
from tests.openapi import check_document

from .shapes import POSTS, Author, Base, Comment, Modelled, Post, Thing, Things, filled

pytestmark = pytest.mark.anyio


@pytest.fixture
async def modelled(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of a blog whose posts have models."""
    database = Database(database_url)
    own = (
        Modelled(database=database),
        Resource(Author, database=database),
        Resource(Comment, database=database),
        Resource(Post, database=database, prefix="/open"),
    )
    async with client_of(application(database, Base, *own)) as client:
        await filled(client, "/open")
        yield client


async def test_rows_to_insert_are_validated_by_a_model(modelled: AsyncClient) -> None:
    answer = await modelled.post("/posts", json={"title": "a new one", "password": "12345"})
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"id": 4, "title": "A New One", "author": {"id": 1, "name": "Ada"}, "teaser": "as "}
    assert answer.headers["location"] == "/posts/4"
    stored = (await modelled.get("/open/4")).json()
    assert (stored["text"], stored["internals"]) == ("as the model has it", {"letters": 5})

    many = [{"title": "five"}, {"title": "the sixth", "content": "given"}]
    answer = await modelled.post("/posts", json=many)
    assert [(row["title"], row["teaser"]) for row in answer.json()] == [("Five", "as "), ("The Sixth", "giv")]
    answer = await modelled.post("/posts?columns=title,content", json=[{"title": "seven", "content": "x", "else": 1}])
    assert answer.json()[0]["teaser"] == "x"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await modelled.post("/posts", content="title=eight&author_id=2", headers=form)).status_code == 201
    lines = await modelled.post("/posts", content="title,content\nnine,n", headers={"content-type": "text/csv"})
    assert lines.json()[0]["title"] == "Nine"
    assert (await modelled.post("/posts?title=tenth&content=t")).json()["title"] == "Tenth"


async def test_what_a_model_refuses(modelled: AsyncClient) -> None:
    rows = [{"title": "right"}, {"title": "no", "author_id": "x"}, {"title": "fine", "password": "1234"}]
    answer = await modelled.post("/posts", json=rows)
    assert refusal(answer) == (422, "22023")
    assert answer.json()["message"] == "row 2, title: String should have at least 3 characters"
    assert [(each["row"], each["field"]) for each in answer.json()["details"]] == [
        (2, "title"),
        (2, "author_id"),
        (3, "password"),
    ]
    assert "1234" not in answer.text
    answer = await modelled.post("/posts", json={"title": "no"})
    assert answer.json()["message"] == "title: String should have at least 3 characters"
    for body in ({"title": "right", "else": 1}, {"title": "right", "internals": {}}, {"title": "right", "text": "x"}):
        assert refusal(await modelled.post("/posts", json=body)) == (400, "PGRST204")
    for text in ("[1]", "7", '{"title": ', '{"title": "right"}}'):
        assert refusal(await modelled.post("/posts", content=text)) == (400, "PGRST102")
    assert refusal(await modelled.put("/posts?id=eq.99", json={"title": "right"})) == (400, "PGRST204")
    assert len((await modelled.get("/open")).json()) == len(POSTS)


async def test_large_bodies_are_validated_slice_by_slice(modelled: AsyncClient) -> None:
    rows = [{"title": f"number {number}", "content": "x" * 100} for number in range(2_000)]
    answer = await modelled.post("/posts", json=rows, headers={"prefer": "return=minimal"})
    assert answer.status_code == 201, answer.text
    rows = [{**row, "title": f"again {row['title']}"} for row in rows]
    rows[1_900]["title"] = "no"
    answer = await modelled.post("/posts", json=rows)
    assert (answer.status_code, answer.json()["details"][0]["row"]) == (422, 1_901)
    assert len((await modelled.get("/open?select=id&title=like.Number*&limit=5000")).json()) == 1_000
    assert (await modelled.get("/open?select=count()")).json() == [{"count": len(POSTS) + 2_000}]


async def test_changes_are_validated_by_a_model(modelled: AsyncClient) -> None:
    answer = await modelled.patch("/posts/1", json={"content": "other"})
    assert (answer.json()["title"], answer.json()["teaser"]) == ("One", "oth")
    assert (await modelled.patch("/posts?id=eq.1", json={"title": "changed it"})).status_code == 204
    assert (await modelled.get("/posts/1")).json()["title"] == "Changed It"
    assert refusal(await modelled.patch("/posts/1", json={"title": "x"})) == (422, "22023")
    assert refusal(await modelled.patch("/posts/1", json={"author_id": 2})) == (400, "PGRST204")
    answer = await modelled.put("/posts/2", json={"title": "put here"})
    assert answer.json() == {"id": 2, "title": "Put Here", "author": {"id": 2, "name": "Bob"}, "teaser": "-"}
    row = (await modelled.get("/open/2")).json()
    # The model has no way to set them, so they are not reset.
    assert (row["text"], row["author_id"], row["moderation_note"]) == ("-", 2, "b secret")


async def test_rows_are_answered_as_a_model_has_them(modelled: AsyncClient) -> None:
    one = {"id": 1, "title": "One", "author": {"id": 1, "name": "Ada"}, "teaser": "aaa"}
    assert (await modelled.get("/posts")).json()[0] == one
    assert (await modelled.get("/posts/1")).json() == one
    answer = await modelled.get("/posts?limit=1&order=title.desc", headers={"prefer": "count=exact"})
    assert (answer.json()[0]["id"], answer.headers["content-range"]) == (2, "0-0/3")
    assert 'rel="next"' in answer.headers["link"]
    lines = (await modelled.get("/posts?limit=1", headers={"accept": "text/csv"})).text
    assert lines.startswith('id,title,author,teaser\n1,One,"{""id"":1')
    single = await modelled.get("/posts/1", headers={"accept": "text/csv"})
    assert single.text == lines
    assert lines in (await modelled.patch("/posts/1", json={"title": "one"}, headers={"accept": "text/csv"})).text
    streamed = (await modelled.get("/posts", headers={"accept": "application/x-ndjson"})).text.splitlines()
    assert json.loads(streamed[0]) == one
    singular = await modelled.get("/posts?id=eq.1", headers={"accept": "application/vnd.pgrst.object+json"})
    assert singular.json() == one
    assert (await modelled.get("/posts?id=eq.9")).json() == []
    # Selected, they are as they were selected; what the model has no field for is hidden.
    assert (await modelled.get("/posts/1?select=id,text")).json() == {"id": 1, "text": "aaaa"}
    for name in ("created_at", "moderation_note", "author_id"):
        assert refusal(await modelled.get(f"/posts?select={name}")) == (400, "42703")
    answer = await modelled.get("/authors?id=eq.1&select=written(*)")
    assert answer.json() == [{"written": [{"id": 1, "title": "One", "text": "aaaa"}]}]


async def test_openapi_has_the_models(modelled: AsyncClient) -> None:
    document = (await modelled.get("/openapi.json")).json()
    check_document(document)
    taken = document["paths"]["/posts/"]["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert (taken["title"], sorted(taken["properties"])) == (
        "PostCreate",
        ["author_id", "content", "password", "title"],
    )
    changed = document["paths"]["/posts/{id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert changed["title"] == "PostUpdate"
    listed = document["paths"]["/posts/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert listed["items"] == {"$ref": "#/components/schemas/PostRead"}
    assert "teaser" in document["components"]["schemas"]["PostRead"]["properties"]


async def test_models_of_many_types(database_url: str) -> None:
    database = Database(database_url)
    things = Things(database=database)

    @things.function
    async def all_things(session: ReadSession) -> list[Thing]:
        return list(await session.scalars(select(Thing)))

    async with client_of(application(database, Base, things)) as client:
        given = {
            "ID": 5,
            "colour": "#f00",
            "price": "12.50",
            "lasts": "PT1H30M",
            "since": "2020-02-03T04:05:06+00:00",
            "secret": "s3cret",
            "data": {"a": [1, None], "b": 3.141592653589793},
            "raw": "bytes",
        }
        # SQLite itself has no more than a float's.
        number = "1234567890123456789012.55" if database_url.startswith("postgresql") else "12.55"
        answer = await client.post("/things", content=json.dumps(given).replace('"12.50"', number))
        assert answer.status_code == 201, answer.text
        assert answer.json()["price"] == number
        assert (await client.get("/things/5")).json()["price"] == number
        assert (await client.delete("/things/5")).status_code == 204
        answer = await client.post("/things", json=given)
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == "/things/5"
        read = {"ID": 5, "colour": "#f00", "price": "12.50", "lasts": "PT1H30M", "since": "2020-02-03T04:05:06Z"}
        assert answer.json() == {**read, "data": given["data"]}
        assert (await client.get("/things?colour=eq.RED&data->a->>0=eq.1")).json() == [answer.json()]
        answer = await client.patch("/things?id=eq.5&columns=price", json={"price": 3, "colour": "#00f"})
        assert answer.status_code == 204, answer.text
        stored = {**read, "price": "3.00", "data": given["data"]}
        assert (await client.get("/things")).json() == [stored]
        answer = await client.patch("/things", json=[{"ID": 5, "colour": "#00f"}])
        assert answer.status_code == 204, answer.text
        assert (await client.get("/things/5")).json() == {**stored, "colour": "#00f"}
        assert (await client.get("/rpc/all_things")).json() == [{**stored, "colour": "#00f"}]
        async with database.begin() as session:
            (thing,) = (await session.scalars(select(Thing))).all()
        assert (thing.secret, thing.raw, thing.edits) == ("s3cret", b"bytes", 3)
