"""What a resource shows of its model, and what it takes: hidden, readonly, embed; and what it cannot be told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response
from pydantic import BaseModel, Field, computed_field

from rowserve import Database, Resource
from tests.helpers import application, client_of, refusal
from tests.openapi import check_document, parameters, resolved

from .shapes import HIDDEN, Author, Base, Hooked, Post, filled, resources

pytestmark = pytest.mark.anyio

VISIBLE = {"id", "title", "text", "author_id", "created_at"}


@pytest.fixture
async def blog(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of a blog whose posts hide something."""
    database = Database(database_url)
    async with client_of(application(database, Base, *resources(database))) as client:
        await filled(client, "/open")
        yield client


REACHING: list[tuple[str, str, Any, dict[str, str]]] = [
    ("GET", "/posts?select={name}", None, {}),
    ("GET", "/posts?select=id,{name}", None, {"accept": "text/csv"}),
    ("GET", "/posts?select=x:{name}::text", None, {"accept": "application/x-ndjson"}),
    ("GET", "/posts?select={name}->score", None, {}),
    ("GET", "/posts?select={name}.max()", None, {}),
    ("GET", "/posts?select={name},count()", None, {}),
    ("GET", "/posts?{name}=eq.x", None, {}),
    ("GET", "/posts?{name}=is.null", None, {}),
    ("GET", "/posts?{name}=not.in.(1,2)", None, {}),
    ("GET", "/posts?{name}=fts.secret", None, {}),
    ("GET", "/posts?{name}->>score=eq.7", None, {}),
    ("GET", "/posts?or=(id.eq.1,{name}.eq.7)", None, {}),
    ("GET", "/posts?order={name}", None, {}),
    ("GET", "/posts?order={name}->score.desc&limit=1", None, {}),
    ("GET", "/posts?order={name}&limit=1", None, {"prefer": "count=exact"}),
    ("GET", "/posts?select=count()&order={name}", None, {}),
    ("GET", "/posts/1?select={name}", None, {}),
    ("GET", "/posts/1?{name}=like.a*", None, {}),
    ("GET", "/posts?select={name}(*)", None, {}),
    ("GET", "/posts?select=authors!{name}(*)", None, {}),
    ("GET", "/posts?select=...{name}(name)", None, {}),
    ("GET", "/authors?select=id,posts({name})", None, {}),
    ("GET", "/authors?select=id,...posts({name})", None, {}),
    ("GET", "/authors?select=id,posts({name}.count())", None, {}),
    ("GET", "/authors?select=posts!{name}(id)", None, {}),
    ("GET", "/authors?select=id,posts!inner(id)&posts.{name}=like.a*", None, {}),
    ("GET", "/authors?select=id,posts(id)&posts.order={name}", None, {}),
    ("GET", "/comments?select=id,posts(id)&order=posts({name})", None, {}),
    ("GET", "/comments?select=id,posts(authors!posts_author_id_fkey(posts({name})))", None, {}),
    ("GET", "/rpc/all_posts?select={name}", None, {}),
    ("GET", "/rpc/all_posts?{name}=eq.x", None, {}),
    ("GET", "/rpc/all_posts?order={name}", None, {}),
    ("QUERY", "/posts", "select={name}", {}),
    ("POST", "/posts", {"title": "New", "author_id": 1, "{name}": 5}, {}),
    ("POST", "/posts", [{"title": "New", "author_id": 1, "{name}": 5}], {}),
    ("POST", "/posts?title=New&author_id=1&{name}=5", None, {}),
    ("POST", "/posts?columns=title,author_id,{name}", {"title": "New", "author_id": 1}, {}),
    ("POST", "/posts", "title,author_id,{name}\nNew,1,5", {"content-type": "text/csv"}),
    ("POST", "/posts", "title=New&author_id=1&{name}=5", {"content-type": "application/x-www-form-urlencoded"}),
    ("POST", "/posts?select={name}", {"title": "New", "author_id": 1}, {}),
    ("POST", "/posts?on_conflict={name}", {"title": "N", "author_id": 1}, {"prefer": "resolution=merge-duplicates"}),
    ("POST", "/posts?on_conflict={name},title", {"title": "N"}, {"prefer": "resolution=ignore-duplicates"}),
    ("PATCH", "/posts?id=eq.1", {"{name}": 5}, {}),
    ("PATCH", "/posts", [{"id": 1, "{name}": 5}], {}),
    ("PATCH", "/posts?{name}=like.a*", {"title": "Seen"}, {}),
    ("PATCH", "/posts?select={name}", {"title": "Seen"}, {"prefer": "return=representation"}),
    ("PATCH", "/posts?order={name}", {"title": "Seen"}, {"prefer": "return=representation"}),
    ("PATCH", "/posts/1?columns={name}", {"title": "Seen"}, {}),
    ("PUT", "/posts/1", {"title": "Put", "author_id": 1, "{name}": 5}, {}),
    ("PUT", "/posts?id=eq.1", {"title": "Put", "author_id": 1, "{name}": 5}, {}),
    ("PUT", "/posts?{name}=eq.1", {"title": "Put", "author_id": 1}, {}),
    ("DELETE", "/posts?{name}=like.a*", None, {}),
    ("DELETE", "/posts?id=eq.1&select={name}", None, {"prefer": "return=representation"}),
]  # fmt: skip


async def asked(client: AsyncClient, name: str, request: tuple[str, str, Any, dict[str, str]]) -> Response:
    method, path, body, headers = request
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    content = text.replace("{name}", name)
    if isinstance(body, dict | list):
        headers = {"content-type": "application/json", **headers}
    return await client.request(method, path.replace("{name}", name), content=content, headers=headers)


async def test_a_hidden_column_is_one_that_there_is_not(blog: AsyncClient) -> None:
    before = (await blog.get("/open")).json()
    for request in REACHING:
        for name in HIDDEN:
            answer, unknown = await asked(blog, name, request), await asked(blog, f"{name}z", request)
            assert unknown.status_code >= 400, (request, unknown.text)
            assert answer.status_code == unknown.status_code, (request, name, answer.text)
            assert answer.text.replace(name, "?") == unknown.text.replace(f"{name}z", "?"), (request, name)
    assert (await blog.get("/open")).json() == before


async def test_what_is_hidden_is_in_no_answer(blog: AsyncClient) -> None:
    headers: tuple[dict[str, str], ...] = ({}, {"accept": "text/csv"}, {"accept": "application/x-ndjson"})
    everywhere = [
        "/posts", "/posts/1", "/posts?select=*", "/posts?limit=1", "/rpc/all_posts", "/authors?select=*,posts(*)",
        "/authors?select=*,checked(*)", "/comments?select=*,...posts(*)", "/posts?select=*,moderator(*)",
        "/posts?select=*,authors(*)", "/posts?select=*,author(*,posts(*))",
    ]  # fmt: skip
    for path in everywhere:
        for some in headers:
            answer = await blog.get(path, headers=some)
            told = answer.text + str(answer.headers)
            assert not any(name in told for name in (*HIDDEN, "phone", "secret", "spam")), (path, told)
    assert set((await blog.get("/posts/1")).json()) == VISIBLE
    (embedded,) = (await blog.get("/authors?id=eq.1&select=posts(*)")).json()[0]["posts"]
    assert set(embedded) == VISIBLE
    # What hides it is for those alone who ask there: rules see it all the same.
    assert [row["id"] for row in (await blog.get("/posts")).json()] == [1, 2]
    assert {*HIDDEN} - {"note_length"} < set((await blog.get("/open/1")).json())


async def test_a_relationship_is_embedded_by_a_hidden_key(blog: AsyncClient) -> None:
    answer = await blog.get("/posts?select=id,moderator(name)&order=moderator(name),id")
    assert answer.json() == [{"id": 1, "moderator": {"name": "Bob"}}, {"id": 2, "moderator": None}]
    answer = await blog.get("/authors?select=id,checked(id)&checked=not.is.null")
    assert answer.json() == [{"id": 2, "checked": [{"id": 1}]}]


async def test_writing_past_what_is_hidden(blog: AsyncClient) -> None:
    answer = await blog.post("/posts", json={"title": "New", "author_id": 1})
    assert answer.status_code == 201
    assert set(answer.json()) == VISIBLE
    stored = (await blog.get(answer.headers["location"].replace("posts", "open"))).json()
    assert (stored["moderation_note"], stored["internals"]) == ("fine", {"score": 7})

    for method, path in (("PUT", "/posts/1"), ("PUT", "/posts?id=eq.2")):
        answer = await blog.request(method, path, json={"title": "Put", "author_id": 1})
        assert answer.status_code == 200 if path[-2:] == "/1" else 204, answer.text
    for number, note, moderator in ((1, "a secret", 2), (2, "b secret", None)):
        row = (await blog.get(f"/open/{number}")).json()
        assert (row["title"], row["text"]) == ("Put", "-")
        assert (row["moderation_note"], row["moderator_id"], row["internals"]) == (note, moderator, {"score": 7})
        assert row["created_at"] == "2021-01-01T00:00:00"


async def test_errors_of_the_database_name_nothing_that_is_hidden(blog: AsyncClient) -> None:
    await blog.post("/posts", json={"title": "Same", "author_id": 1})
    for method, path, body, code in (
        ("PATCH", "/posts/1", {"title": "a secret"}, "23514"),
        ("POST", "/posts", {"title": "Same", "author_id": 1}, "23505"),
        ("POST", "/rpc/write_post", {"title": "Same"}, "23505"),
    ):
        answer = await blog.request(method, path, json=body)
        assert answer.json()["code"] == code
        assert not any(name in answer.text for name in (*HIDDEN, "a secret,", "fine")), answer.text


async def test_readonly_columns_are_read_and_not_written(blog: AsyncClient) -> None:
    given = {"title": "New", "author_id": 1, "created_at": "2020-01-01"}
    for method, path in (("POST", "/posts"), ("PATCH", "/posts/1"), ("PUT", "/posts/1"), ("PUT", "/posts?id=eq.1")):
        answer = await blog.request(method, path, json=given)
        assert refusal(answer) == (400, "428C9")
        assert answer.json()["details"] == 'Column "created_at" is read-only.'
    assert len((await blog.get("/posts?created_at=gt.2020-01-01&order=created_at")).json()) == 2


async def test_a_readonly_key_cannot_be_chosen(database_url: str) -> None:
    database = Database(database_url)
    authors = Resource(Author, database=database, readonly={"id"})
    async with client_of(application(database, Base, authors)) as client:
        assert (await client.post("/authors", json={"name": "Ada"})).json()["id"] == 1
        for method, path, body in (
            ("POST", "/authors", {"id": 7, "name": "Eve"}),
            ("PUT", "/authors?id=eq.7", {"name": "Eve"}),
            ("PATCH", "/authors?id=eq.1", {"id": 7}),
        ):
            assert refusal(await client.request(method, path, json=body)) == (400, "428C9")
        assert (await client.put("/authors/1", json={"name": "Eve"})).json()["name"] == "Eve"


async def test_only_some_may_be_embedded(blog: AsyncClient) -> None:
    for path in (
        "/open?select=id,author(*)",
        "/open?select=id,authors!posts_author_id_fkey(*)",
        "/open?select=comments(posts(author(*)))",
    ):
        assert refusal(await blog.get(path)) == (400, "PGRST200")
    assert (await blog.get("/open?id=eq.1&select=comments(text)")).json() == [{"comments": [{"text": "hm"}]}]
    # What the first resource of posts says is what holds where they are embedded in others.
    answer = await blog.get("/comments?select=posts(authors!posts_author_id_fkey(name))")
    assert answer.json() == [{"posts": {"authors": {"name": "Ada"}}}]


async def test_relationships_by_hidden_columns_are_not_told_of(database_url: str) -> None:
    database = Database(database_url)
    posts = Resource(Post, database=database, hidden={"author_id", "moderator_id"})
    authors = Resource(Author, database=database)
    async with client_of(application(database, Base, posts, authors)) as client:
        for path in ("/posts?select=authors(*)", "/authors?select=posts(*)"):
            answer = await client.get(path)
            assert refusal(answer) == (400, "PGRST200")
            assert "_id" not in answer.text
        assert (await client.get("/posts?select=author(*),moderator(*)")).json() == []


async def test_what_a_model_of_changes_has_not_is_not_reset(database_url: str) -> None:
    class Renamed(BaseModel):
        name: str

    database = Database(database_url)
    authors = Resource(Author, database=database, update=Renamed)
    async with client_of(application(database, Base, authors)) as client:
        await client.post("/authors", json={"name": "Ada", "phone": "+44"})
        assert (await client.put("/authors/1", json={"name": "A"})).json() == {"id": 1, "name": "A", "phone": "+44"}


async def test_openapi_says_what_there_is(blog: AsyncClient) -> None:
    document = (await blog.get("/openapi.json")).json()
    check_document(document)
    paths = {path: item for path, item in document["paths"].items() if path.startswith(("/posts", "/rpc", "/authors"))}
    assert len(paths) == 8
    told = json.dumps(paths) + json.dumps({k: v for k, v in document["components"]["schemas"].items() if k == "Author"})
    assert not any(f'"{name}"' in told or f"`{name}`" in told for name in (*HIDDEN, "phone"))
    (rows,) = paths["/rpc/all_posts"]["get"]["responses"]["200"]["content"].values()
    assert set(resolved(document, rows["schema"]["items"])["properties"]) == VISIBLE
    assert {"title", "author_id"} <= set(parameters(document, "/posts/", "get"))
    taken = document["paths"]["/posts/"]["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert set(taken["properties"]) == VISIBLE - {"created_at"}
    assert "moderator_id" not in json.dumps({path: item for path, item in paths.items() if path.startswith("/posts")})
    assert "`author(*)`" not in document["paths"]["/open/"]["get"]["parameters"][0]["description"]


async def test_hooks_and_versions_have_what_is_hidden(database_url: str) -> None:
    database = Database(database_url)
    hooked = Hooked(database=database)
    async with client_of(application(database, Base, hooked)) as client:
        answer = await client.post("/counted", json={"name": "one"})
        assert (answer.status_code, answer.json()) == (201, {"id": 1, "name": "one"})
        answer = await client.patch("/counted/1", json={"name": "two"}, headers={"if-match": '"1"'})
        assert (answer.status_code, answer.json()) == (200, {"id": 1, "name": "two"})
        assert answer.headers["etag"] == '"2"'
        assert (await client.patch("/counted/1", json={"name": "x"}, headers={"if-match": '"1"'})).status_code == 412
        assert hooked.seen[:3] == [
            {"id": 1, "name": "one", "revision": 1, "owner": "the hook"},
            {"id": 1, "name": "one", "revision": 1, "owner": "the hook"},
            {"id": 1, "name": "two", "revision": 2, "owner": "another"},
        ]
        for name in ("revision", "owner"):
            for path, body in (
                (f"/counted/1?columns={name}", {"name": "x"}),
                ("/counted/1", {name: 1}),
                (f"/counted?columns={name}&id=eq.1", {"name": "x"}),
            ):
                assert refusal(await client.patch(path, json=body)) == (400, "PGRST204")
        seen = len(hooked.seen)
        assert refusal(await client.patch("/counted?owner=eq.another", json={"name": "x"})) == (400, "42703")
        assert len(hooked.seen) == seen


class Nothing(BaseModel):
    """A field that is no column."""

    id: int
    nothing: int = 0


class Keyless(BaseModel):
    """A row without its key."""

    name: str


class Secretive(BaseModel):
    """A field for what is hidden."""

    phone: str


class Derived(BaseModel):
    """A change that is computed."""

    name: str = Field("")

    @computed_field
    def phone(self) -> str:
        """Of what may not have been given."""
        return self.name


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hidden": {"nothing"}}, "hidden: authors has no column 'nothing'; it has id, name, phone"),
        ({"readonly": ["nothing"]}, "readonly: authors has no column 'nothing'; it has id, name, phone"),
        (
            {"embed": {"nothing"}},
            "embed: authors has no relationship 'nothing'; its .* are .*posts.*checked",
        ),
        ({"hidden": {"id"}}, "hidden has 'id', the primary key of authors"),
        ({"read": Keyless}, "read has no field for 'id', the primary key of authors"),
        ({"read": Nothing}, r"read: Nothing\.nothing is no column of authors; its columns are id, name, phone"),
        ({"create": Nothing}, r"create: Nothing\.nothing is no column of authors; its columns are id, name, phone"),
        ({"update": Nothing}, r"update: Nothing\.nothing is no column"),
        ({"create": Secretive, "hidden": {"phone"}}, "create has a field for 'phone', which is hidden"),
        ({"update": Secretive, "readonly": {"phone"}}, "update has a field for 'phone', which is .*readonly"),
        ({"update": Derived}, r"update: Derived\.phone is computed"),
        ({"hidden": "phone"}, "hidden is 'phone': it is a set of names"),
        ({"embed": "posts"}, "embed is 'posts': it is a set of names"),
        ({"read": dict}, "read is <class 'dict'>: it is a Pydantic model"),
    ],
)
def test_what_is_no_name_is_refused_when_it_is_said(options: dict[str, Any], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        Resource(Author, **options)
