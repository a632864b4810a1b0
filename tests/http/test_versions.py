"""Versions of rows: ETag, If-Match, If-None-Match, and who comes too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import Depends
from httpx import AsyncClient, Response
from sqlalchemy import ForeignKey, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.orm.exc import StaleDataError

from rowserve import Database, Resource
from rowserve.permissions import ReadOnly, Where
from tests.helpers import application, client_of, refusal
from tests.openapi import operations
from tests.rules.app import caller

pytestmark = pytest.mark.anyio

ROUNDS = 1_000


class Base(DeclarativeBase):
    """The models of this module."""


class Author(Base):
    """Who writes."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Post(Base):
    """What is written; a column of it is counted because its resource says so."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    note: Mapped[str | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    revision: Mapped[int]
    author: Mapped[Author | None] = relationship()


class Page(Base):
    """What SQLAlchemy itself counts."""

    __tablename__ = "pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    counter: Mapped[int] = mapped_column(name="revision")
    __mapper_args__ = {"version_id_col": counter}  # noqa: RUF012


def following(version: str | None) -> str:
    """A version of one's own making: the letter behind."""
    return "a" if version is None else chr(ord(version) + 1)


class Letter(Base):
    """What has versions of its model's own making."""

    __tablename__ = "letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    version: Mapped[str] = mapped_column()
    __mapper_args__ = {"version_id_col": version, "version_id_generator": following}  # noqa: RUF012


class Stamp(Base):
    """What has versions of the database's making."""

    __tablename__ = "stamps"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    mark: Mapped[int] = mapped_column(server_default="7")
    __mapper_args__ = {"version_id_col": mark, "version_id_generator": False}  # noqa: RUF012


class Plain(Base):
    """What has no version."""

    __tablename__ = "plains"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Posts(Resource[Post]):
    """Posts, by their version."""

    version = "revision"


@asynccontextmanager
async def served(url: str, *resources: Resource[Any]) -> AsyncIterator[AsyncClient]:
    async with client_of(application(Database(url), Base, *resources)) as client:
        yield client


@pytest.fixture
async def posts(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of two posts."""
    async with served(database_url, Posts(), Resource(Author)) as client:
        await client.post("/authors", json={"name": "Ada"})
        for title in ("One", "Two"):
            answer = await client.post("/posts", json={"title": title, "author_id": 1})
            assert answer.status_code == 201, answer.text
            assert (answer.headers["etag"], answer.json()["revision"]) == ('"1"', 1)
        yield client


def match(tag: str) -> dict[str, str]:
    return {"if-match": tag}


def state(answer: Response) -> tuple[int, str | None]:
    """The status of an answer, and its tag."""
    return answer.status_code, answer.headers.get("etag")


async def test_a_row_has_a_tag_and_is_not_sent_twice(posts: AsyncClient) -> None:
    answer = await posts.get("/posts/1")
    assert state(answer) == (200, '"1"')
    assert state(await posts.head("/posts/1")) == (200, '"1"')
    for known in ('"1"', 'W/"1"', '"7", "1"', "*"):
        again = await posts.get("/posts/1", headers={"if-none-match": known})
        assert (state(again), again.content) == ((304, '"1"'), b"")
        assert again.headers["vary"] == answer.headers["vary"]
        assert "content-length" not in again.headers
    assert state(await posts.get("/posts/1", headers={"if-none-match": '"2"'})) == (200, '"1"')
    assert refusal(await posts.get("/posts/9", headers={"if-none-match": "*"})) == (404, "PGRST116")


async def test_each_representation_has_a_tag_of_its_own(posts: AsyncClient) -> None:
    headers = [
        {},
        {"accept": "text/csv"},
        {"accept": "application/vnd.pgrst.object+json;nulls=stripped"},
        {"prefer": "timezone=Europe/Paris"},
    ]
    answers = [await posts.get("/posts/1", headers=some) for some in headers]
    tags = [answer.headers["etag"] for answer in answers]
    assert tags == ['"1"', '"1;csv"', '"1;stripped"', '"1;Europe%2FParis"']
    assert state(await posts.get("/posts/1?select=title")) == (200, '"1"')
    for some, tag in zip(headers, tags, strict=True):
        assert (await posts.get("/posts/1", headers={**some, "if-none-match": tag})).status_code == 304
    assert (await posts.get("/posts/1", headers={"if-none-match": tags[1]})).status_code == 200
    # Each is a version of the same row.
    changed = await posts.patch("/posts/1", json={"note": "!"}, headers=match(tags[1]))
    assert state(changed) == (200, '"2"')


async def test_what_other_rows_are_in_has_no_tag(posts: AsyncClient) -> None:
    for query in ("select=*,author(name)", "select=title,...author(name)", "select=count()"):
        assert state(await posts.get(f"/posts/1?{query}")) == (200, None)
    assert state(await posts.get("/posts?id=eq.1")) == (200, None)
    assert state(await posts.post("/posts/_query", content="id=eq.1")) == (200, None)


async def test_a_change_is_of_the_version_that_was_read(posts: AsyncClient) -> None:
    for body in ({"title": "B"}, {"note": "C", "author_id": None}):
        before = (await posts.get("/posts/1")).headers["etag"]
        after = await posts.patch("/posts/1", json=body, headers=match(before))
        assert state(after) == (200, f'"{after.json()["revision"]}"')
        assert refusal(await posts.patch("/posts/1", json=body, headers=match(before))) == (412, "PT412")
    late = await posts.put("/posts/1", json={"title": "D"}, headers=match('"2"'))
    assert (refusal(late), late.headers["etag"]) == ((412, "PT412"), '"3"')
    assert late.json()["details"] == "Its version is 3."
    put = await posts.put("/posts/1", json={"title": "D"}, headers=match('"3"'))
    assert (state(put), put.json()["revision"]) == ((200, '"4"'), 4)
    assert refusal(await posts.delete("/posts/1", headers=match('"3"'))) == (412, "PT412")
    assert (await posts.get("/posts/1")).json()["title"] == "D"
    assert state(await posts.delete("/posts/1", headers=match('"4"'))) == (204, None)
    for tag in ('"4"', "*"):
        assert refusal(await posts.delete("/posts/1", headers=match(tag))) == (404, "PGRST116")
        assert refusal(await posts.patch("/posts/1", json={"title": "E"}, headers=match(tag))) == (404, "PGRST116")


async def test_what_a_tag_may_be(posts: AsyncClient) -> None:
    async def patched(tag: str) -> int:
        headers = {b"if-match": tag.encode("latin-1")}
        return (await posts.patch("/posts/1", json={"note": "x"}, headers=headers)).status_code

    assert [await patched(tag) for tag in ("*", '"9", "2"', '"9" ,, "3;csv"')] == [200, 200, 200]
    assert [await patched(tag) for tag in ('W/"4"', '"04"', '"4%20"', '"4%00"', '"é"', '""')] == [412] * 6
    assert [await patched(tag) for tag in ("4", '"4', '"4" "5"')] == [400] * 3
    lines = [("if-match", '"9"'), ("if-match", '"4"')]
    assert state(await posts.patch("/posts/1", json={"note": "y"}, headers=lines)) == (200, '"5"')
    assert state(await posts.patch("/posts/1", json={}, headers=match('"5"'))) == (200, '"5"')
    assert refusal(await posts.patch("/posts/1", json={}, headers=match('"4"'))) == (412, "PT412")


async def test_filters_beside_the_key_are_no_matter_of_version(posts: AsyncClient) -> None:
    answer = await posts.patch("/posts/1?title=eq.Other", json={"note": "x"}, headers=match('"1"'))
    assert refusal(answer) == (404, "PGRST116")
    answer = await posts.patch("/posts/1?title=eq.Other", json={"note": "x"}, headers=match('"7"'))
    assert refusal(answer) == (412, "PT412")
    one = {"accept": "application/vnd.pgrst.object+json"}
    assert refusal(await posts.patch("/posts/1", json={"note": "x"}, headers=match('"7"') | one)) == (412, "PT412")


async def test_the_new_tag_is_told_whatever_is_asked_for(posts: AsyncClient) -> None:
    for number, (query, preference) in enumerate(
        [("?select=title", None), ("", "return=minimal"), ("", "return=representation"), ("?order=title", None)], 2
    ):
        headers = {} if preference is None else {"prefer": preference}
        answer = await posts.patch(f"/posts/1{query}", json={"note": str(number)}, headers=headers)
        assert answer.headers.get("etag") == (None if "order" in query else f'"{number}"'), (query, preference)
    answer = await posts.patch("/posts/1?select=*,author(name)", json={"note": "!"})
    assert (state(answer), answer.json()["author"]) == ((200, None), {"name": "Ada"})
    assert state(await posts.get("/posts/1")) == (200, '"6"')


async def test_every_update_counts(posts: AsyncClient) -> None:
    async def revisions() -> list[int]:
        return [row["revision"] for row in (await posts.get("/posts?select=revision")).json()]

    assert (await posts.patch("/posts?id=gte.1", json={"note": "a"})).status_code == 204
    assert await revisions() == [2, 2]
    assert (await posts.patch("/posts", json=[{"id": 2, "note": "b"}, {"id": 1, "note": "c"}])).status_code == 204
    assert await revisions() == [3, 3]
    merge = {"prefer": "resolution=merge-duplicates"}
    merged = await posts.post("/posts", json=[{"id": n, "title": "M"} for n in (2, 3)], headers=merge)
    assert [row["revision"] for row in merged.json()] == [4, 1]
    assert (await posts.put("/posts?id=eq.3", json={"id": 3, "title": "P"})).status_code == 204
    assert (await posts.put("/posts?id=eq.4", json={"id": 4, "title": "P", "revision": 9})).status_code == 204
    ignore = {"prefer": "resolution=ignore-duplicates"}
    assert (await posts.post("/posts", json={"id": 1, "title": "I"}, headers=ignore)).status_code == 201
    assert await revisions() == [3, 4, 2, 1]


async def test_a_version_in_a_body_is_what_is_expected_and_never_stored(posts: AsyncClient) -> None:
    row = (await posts.get("/posts/1")).json()
    assert (await posts.put("/posts/1", json={**row, "title": "Mine"})).json()["revision"] == 2
    assert refusal(await posts.put("/posts/1", json={**row, "title": "Late"})) == (412, "PT412")
    assert refusal(await posts.patch("/posts/1", json={"title": "Late", "revision": 1})) == (412, "PT412")
    # The header is what counts where there is one.
    assert state(await posts.patch("/posts/1", json={"note": "", "revision": 1}, headers=match('"2"'))) == (
        200,
        '"3"',
    )
    # Whoever copies a row does not copy its version.
    copy = await posts.post("/posts", json=[{**row, "id": 7, "revision": 41}])
    assert copy.json()[0]["revision"] == 1
    merge = {"prefer": "resolution=merge-duplicates"}
    merged = await posts.post("/posts?columns=id,title,revision", json=[{**row, "revision": 40}], headers=merge)
    assert merged.json()[0]["revision"] == 4
    # Of many rows it is neither.
    for path, body in (
        ("/posts?id=eq.1", {"revision": 9}),
        ("/posts", [{"id": 1, "title": "x", "revision": 4}]),
        ("/posts?id=eq.1&columns=title,revision", {"title": "x"}),
        ("/posts/1?columns=revision", {"revision": 4}),
    ):
        assert refusal(await posts.patch(path, json=body)) == (400, "428C9"), path
    assert refusal(await posts.patch("/posts?id=eq.1", json={"note": ""}, headers=match('"4"'))) == (412, "PT412")
    assert refusal(await posts.put("/posts?id=eq.1", json={"title": ""}, headers=match('"4"'))) == (412, "PT412")


async def test_what_is_rolled_back_has_no_tag(database_url: str) -> None:
    async with served(database_url, Posts(tx_override=True)) as client:
        rollback = {"prefer": "tx=rollback"}
        assert state(await client.post("/posts", json={"title": "One"}, headers=rollback)) == (201, None)
        await client.post("/posts", json={"id": 1, "title": "One"})
        assert state(await client.patch("/posts/1", json={"title": "2"}, headers=rollback)) == (200, None)
        assert state(await client.get("/posts/1")) == (200, '"1"')


async def test_of_two_who_have_read_the_same_one_wins(posts: AsyncClient) -> None:
    tag = '"1"'
    for number in range(ROUNDS):
        answers = await asyncio.gather(
            posts.patch("/posts/1", json={"title": f"first {number}"}, headers=match(tag)),
            posts.put("/posts/1", json={"title": f"second {number}"}, headers=match(tag)),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        (winner,) = (answer for answer in answers if answer.status_code == 200)
        tag = f'"{number + 2}"'
        assert winner.headers["etag"] == tag
        assert winner.json()["title"] == (await posts.get("/posts/1")).json()["title"]


async def test_a_session_and_a_client_agree(database_url: str) -> None:
    db = Database(database_url)
    async with client_of(application(db, Base, Resource(Page))) as client:
        made = await client.post("/pages", json={"title": "One"})
        assert (state(made), made.json()) == ((201, '"1"'), {"id": 1, "title": "One", "revision": 1})

        async with db.begin() as session:
            page = await session.get_one(Page, 1)
            session.expunge(page)
        assert state(await client.patch("/pages/1", json={"title": "Two"})) == (200, '"2"')
        page.title = "Late"
        async with db.begin() as session:
            session.add(page)
            with pytest.raises(StaleDataError):
                await session.flush()
            await session.rollback()
        async with db.begin() as session:
            page = (await session.scalars(select(Page))).one()
            page.title = "Three"
        assert state(await client.get("/pages/1")) == (200, '"3"')
        assert refusal(await client.patch("/pages/1", json={"title": "x"}, headers=match('"2"'))) == (412, "PT412")


async def test_versions_of_ones_own_making(database_url: str) -> None:
    db = Database(database_url)
    async with client_of(application(db, Base, Resource(Letter))) as client:
        assert (await client.post("/letters", json=[{"text": "x"}, {"text": "y"}])).json()[1]["version"] == "a"
        assert state(await client.patch("/letters/1", json={"text": "z"}, headers=match('"a"'))) == (200, '"b"')
        assert refusal(await client.patch("/letters/1", json={"text": "z"}, headers=match('"a"'))) == (412, "PT412")
        row = (await client.get("/letters/1")).json()
        assert (await client.put("/letters/1", json=row)).json()["version"] == "c"
        # What the next version is is not known without the one before.
        merge = {"prefer": "resolution=merge-duplicates"}
        for answer in (
            await client.patch("/letters/1", json={"text": "!"}),
            await client.patch("/letters/1", json={"text": "!"}, headers=match('"c", "d"')),
            await client.patch("/letters?id=eq.1", json={"text": "!"}),
            await client.put("/letters?id=eq.1", json={"text": "!"}),
            await client.post("/letters", json={"id": 1, "text": "!"}, headers=merge),
        ):
            assert refusal(answer) == (428, "PT428")
        async with db.begin() as session:
            letter = await session.get_one(Letter, 1)
            assert (letter.text, letter.version) == ("z", "c")
            letter.text = "w"
        assert state(await client.get("/letters/1")) == (200, '"d"')
        assert (await client.delete("/letters?id=eq.2")).status_code == 204


async def test_versions_of_the_databases_making(database_url: str) -> None:
    db = Database(database_url)
    async with client_of(application(db, Base, Resource(Stamp))) as client:
        assert (await client.post("/stamps", json={"text": "x", "mark": 3})).json()["mark"] == 7
        async with db.begin() as session:
            await session.execute(update(Stamp).values(mark=8))
        for body in ({"text": "y"}, {"text": "z", "mark": 8}):
            assert state(await client.put("/stamps/1", json=body, headers=match('"8"'))) == (200, '"8"')
        merge = {"prefer": "resolution=merge-duplicates"}
        assert (await client.post("/stamps", json={"id": 1, "text": "w"}, headers=merge)).json()["mark"] == 8
        assert (await client.put("/stamps?id=eq.1", json={"text": "v"})).status_code == 204
        assert refusal(await client.delete("/stamps/1", headers=match('"7"'))) == (412, "PT412")


async def test_a_version_may_be_required(database_url: str) -> None:
    async with served(database_url, Posts(version_required=True)) as client:
        await client.post("/posts", json={"title": "One"})
        merge = {"prefer": "resolution=merge-duplicates"}
        for answer in (
            await client.patch("/posts/1", json={"title": "x"}),
            await client.put("/posts/1", json={"title": "x"}),
            await client.delete("/posts/1"),
            await client.patch("/posts?id=eq.1", json={"title": "x"}),
            await client.patch("/posts", json=[{"id": 1, "title": "x"}]),
            await client.put("/posts?id=eq.1", json={"title": "x"}),
            await client.delete("/posts?id=eq.1"),
            await client.post("/posts", json={"id": 1, "title": "x"}, headers=merge),
        ):
            assert refusal(answer) == (428, "PT428")
            assert "If-Match" in answer.json()["hint"]
        assert state(await client.get("/posts/1")) == (200, '"1"')
        assert state(await client.patch("/posts/1", json={"title": "x"}, headers=match('"1"'))) == (200, '"2"')
        assert state(await client.put("/posts/1", json={"title": "x", "revision": 2})) == (200, '"3"')
        assert state(await client.delete("/posts/1", headers=match("*"))) == (204, None)


async def test_without_a_version_no_tag_matches(database_url: str) -> None:
    async with served(database_url, Resource(Plain)) as client:
        await client.post("/plains", json={"title": "One"})
        assert state(await client.get("/plains/1")) == (200, None)
        for answer in (
            await client.patch("/plains/1", json={"title": "x"}, headers=match('"1"')),
            await client.put("/plains/1", json={"title": "x"}, headers=match('"1"')),
            await client.delete("/plains/1", headers=match('"1"')),
        ):
            assert refusal(answer) == (412, "PT412")
        assert (await client.patch("/plains/1", json={"title": "x"}, headers=match("*"))).status_code == 200
        assert (await client.patch("/plains?id=eq.1", json={"title": "x"}, headers=match('"1"'))).status_code == 204


async def test_a_row_that_may_not_be_seen_is_not_there(database_url: str) -> None:
    own = Where(lambda ctx: Post.author_id == ctx.user.id)
    posts = Posts(user=Depends(caller), permissions=own | ReadOnly() & Where(lambda _: Post.title == "Open"))
    async with served(database_url, posts, Resource(Author)) as client:
        await client.post("/authors", json=[{"name": "Ada"}, {"name": "Bob"}])
        ada, bob = {"x-user": "1/"}, {"x-user": "2/"}
        for title in ("Secret", "Open"):
            made = await client.post("/posts", json={"title": title, "author_id": 1}, headers=ada)
            assert state(made) == (201, '"1"')
        for tag in ('"1"', '"7"'):
            secret = await client.patch("/posts/1", json={"note": "x"}, headers=bob | match(tag))
            assert refusal(secret) == (404, "PGRST116")
            assert refusal(await client.delete("/posts/1", headers=bob | match(tag))) == (404, "PGRST116")
        assert refusal(await client.patch("/posts/2", json={"note": "x"}, headers=bob | match('"1"'))) == (403, "42501")
        assert refusal(await client.patch("/posts/2", json={"note": "x"}, headers=bob | match('"7"'))) == (412, "PT412")
        for preference in ("return=representation", "return=minimal"):
            headers = ada | {"prefer": preference}
            assert (await client.patch("/posts/1", json={"note": "x"}, headers=headers)).headers["etag"]
        assert state(await client.get("/posts/1", headers=ada)) == (200, '"3"')


async def test_postgresql_has_a_version_of_its_own(postgresql_url: str) -> None:
    async with served(postgresql_url, Resource(Plain, version="xmin"), Posts()) as client:
        assert (await client.post("/plains", json=[{"title": "One"}, {"title": "Two"}])).status_code == 201
        first = await client.get("/plains/1")
        tag = first.headers["etag"]
        assert first.json() == {"id": 1, "title": "One"}
        assert (await client.get("/plains/1", headers={"if-none-match": tag})).status_code == 304
        changed = await client.patch("/plains/1", json={"title": "x"}, headers=match(tag))
        assert state(changed) == (200, (await client.get("/plains/1")).headers["etag"])
        assert refusal(await client.delete("/plains/1", headers=match(tag))) == (412, "PT412")
        minimal = {"prefer": "return=minimal"} | match(changed.headers["etag"])
        last = await client.put("/plains/1", json={"title": "y"}, headers=minimal)
        assert (await client.delete("/plains/1", headers=match(last.headers["etag"]))).status_code == 204


async def test_sqlite_has_none(sqlite_url: str) -> None:
    async with served(sqlite_url, Resource(Plain, version="xmin")) as client:
        answer = await client.get("/plains")
        assert refusal(answer) == (500, "0A000")
        assert "xmin" in answer.json()["message"]


def test_what_can_be_no_version_is_refused_at_once() -> None:
    for name, reason in (("nothing", "no such column"), ("title", "whole numbers"), ("id", "no key")):
        with pytest.raises(ValueError, match=reason):
            Resource(Post, version=name)
    with pytest.raises(ValueError, match="no version"):
        Resource(Plain, version_required=True)


async def test_openapi_says_it(sqlite_url: str) -> None:
    async with served(sqlite_url, Posts(version_required=True), Resource(Plain)) as client:
        document = (await client.get("/openapi.json")).json()
    said = {(path, method): operation for path, method, operation in operations(document)}
    get, patch, delete = (said["/posts/{id}", method] for method in ("get", "patch", "delete"))
    assert {"200", "304"} <= get["responses"].keys()
    assert "ETag" in get["responses"]["200"]["headers"]
    assert "If-None-Match" in {parameter["name"] for parameter in get["parameters"]}
    for operation in (patch, delete, said["/posts/{id}", "put"]):
        assert {"412", "428"} <= operation["responses"].keys()
        (header,) = (parameter for parameter in operation["parameters"] if parameter["name"] == "If-Match")
        assert header["required"]
    assert "ETag" in patch["responses"]["200"]["headers"]
    assert "ETag" in said["/posts/", "post"]["responses"]["201"]["headers"]
    assert "428" in said["/posts/", "patch"]["responses"]
    one, _ = said["/posts/", "post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert one["required"] == ["title"]
    plain = [operation for (path, _), operation in said.items() if path.startswith("/plains")]
    assert plain
    assert not any({"304", "412", "428"} & operation["responses"].keys() for operation in plain)
