"""``/rpc/name``: functions of the program, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from httpx import AsyncClient
from pydantic import BaseModel, Field
from sqlalchemy import JSON, ForeignKey, LargeBinary, Numeric, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from typing_extensions import TypedDict

from rowserve import ApiError, Database, Functions, ReadSession, Resource, Session
from tests.helpers import application, client_of, refusal

pytestmark = pytest.mark.anyio

ONE = {"accept": "application/vnd.pgrst.object+json"}


class Base(DeclarativeBase):
    pass


class Mood(Enum):
    calm = "c"
    wild = "w"


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    mood: Mapped[Mood] = mapped_column(default=Mood.calm)
    born: Mapped[date | None] = mapped_column("birthday")
    seen: Mapped[datetime | None]
    worth: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    notes: Mapped[Any | None] = mapped_column(JSON)
    slept: Mapped[timedelta | None]
    token: Mapped[UUID | None]
    is_known: Mapped[bool] = mapped_column(default=True)
    books: Mapped[list[Book]] = relationship(order_by="Book.id")

    @hybrid_property
    def shout(self) -> str:
        return self.name + "!"


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))


class AuthorRead(BaseModel):
    id: int
    name: str
    mood: Mood


class Total(TypedDict):
    name: str
    books: int
    first: date | None
    titles: list[str]


@dataclass
class Point:
    x: float
    y: float


class Reader(BaseModel):
    name: Annotated[str, Field(min_length=2)]
    age: int | None = None


FULL = {
    "name": "Ada",
    "mood": Mood.wild,
    "born": date(1815, 12, 10),
    "seen": datetime(2024, 1, 2, 3, 4, 5, 678),
    "worth": Decimal("12.50"),
    "picture": b"\x00\xff",
    "notes": {"a": [1, None, "x"], "b": "Infinity"},
    "slept": timedelta(days=1, hours=2),
    "token": UUID("12345678123456781234567812345678"),
}
rpc = Functions(max_rows=5)
authors = Resource(Author)
books = Resource(Book)
calls: list[str] = []


async def known(x_name: Annotated[str | None, Header()] = None) -> str:
    if x_name is None:
        raise HTTPException(401, "Who are you?")
    return x_name


@rpc.function
async def add(a: int, b: int = 10) -> int:
    """The sum of two numbers."""
    return a + b


@rpc.function
async def join(words: list[str], separator: str = "-") -> str:
    return separator.join(words)


@rpc.function
async def describe(reader: Reader, shout: bool = False) -> dict[str, Any]:
    return {"text": reader.name.upper() if shout else reader.name, "age": reader.age}


@rpc.function
async def nothing() -> None:
    calls.append("nothing")


@rpc.function
async def add_author(session: Session, name: str, titles: Sequence[str] = ()) -> Author:
    author = Author(name=name)
    session.add(author)
    await session.flush()
    session.add_all([Book(title=title, author_id=author.id) for title in titles])
    return author


@rpc.function
async def add_authors(session: Session, names: list[str]) -> list[Author]:
    calls.append("add_authors")
    authors = [Author(name=name) for name in names]
    session.add_all(authors)
    await session.flush()
    return authors


@rpc.function
async def fail_after_writing(session: Session, how: Literal["api", "http", "bug", "database"]) -> None:
    session.add(Author(name="lost"))
    await session.flush()
    if how == "api":
        raise ApiError(402, "PAY", "Pay first", hint="With money.")
    if how == "http":
        raise HTTPException(409, "Not now", headers={"x-why": "busy"})
    if how == "database":
        session.add(Author(name="lost"))
        await session.flush()
    raise RuntimeError("a secret")


@rpc.function
async def newest(session: ReadSession, most: int = 100) -> Sequence[Author]:
    return (await session.scalars(select(Author).order_by(Author.id.desc()).limit(most))).all()


@rpc.function
async def author_named(session: ReadSession, name: str) -> Author | None:
    return await session.scalar(select(Author).where(Author.name == name))


@rpc.function
async def read_authors(session: ReadSession) -> list[AuthorRead]:
    return list(await session.scalars(select(Author).order_by(Author.id)))


@rpc.function
async def totals() -> list[Total]:
    return [
        {"name": "b", "books": 2, "first": date(2024, 1, 2), "titles": ["x", "y"]},
        {"name": "a", "books": 10, "first": None, "titles": []},
        {"name": "c", "books": 1, "first": date(2023, 1, 2), "titles": ["z"]},
    ]


@rpc.function
async def points() -> list[Point]:
    return [Point(1.5, 2), Point(-1, 1e300), Point(0.1, 0)]


@rpc.function
async def origin() -> Point:
    return Point(0, 0)


@rpc.function
async def moments() -> list[datetime]:
    return [datetime(2024, 1, 2, tzinfo=UTC), datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)]


@rpc.function
async def numbers(until: int) -> list[int]:
    return list(range(until))


@rpc.function
async def whoami(name: Annotated[str, Depends(known)], greeting: str = "Hello") -> str:
    return f"{greeting} {name}"


@authors.function
async def author_names(session: ReadSession) -> list[str]:
    return list(await session.scalars(select(Author.name).order_by(Author.id)))


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of authors, books and functions."""
    database = Database(database_url)
    app = application(database, Base, authors, books)
    app.include_router(rpc)
    async with client_of(app) as client:
        async with database.begin() as session:
            session.add_all([Author(**FULL), Author(name="Grace"), Author(name="Alan")])
            await session.flush()
            session.add_all([Book(title="Notes", author_id=1), Book(title="Bugs", author_id=2)])
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


async def test_arguments(client: AsyncClient) -> None:
    assert await post(client, "add", {"a": 1}) == 11
    assert await post(client, "add", {"a": 1, "b": 2}) == 3
    assert await get(client, "add?a=1&b=2") == 3
    assert (await client.post("/rpc/add", data={"a": "4"})).json() == 14
    assert await post(client, "join", {"words": ["x", "y"]}) == "x-y"
    assert await get(client, "join?words=x&words=y") == "x-y"
    assert await get(client, "join?words={x,%22y z%22}&separator=.") == "x.y z"
    assert await get(client, "join?words=x") == "x"
    assert await post(client, "describe", {"reader": {"name": "Ada"}}) == {"text": "Ada", "age": None}
    assert await get(client, 'describe?reader={"name":"Ada","age":5}&shout=true') == {"text": "ADA", "age": 5}


async def test_bad_arguments(client: AsyncClient) -> None:
    answer = await client.post("/rpc/add", json={"a": "x"})
    assert refusal(answer) == (400, "22023")
    assert answer.json()["message"] == 'invalid value for the argument "a"'
    assert answer.json()["details"].startswith("a: Input should be a valid integer")
    answer = await client.post("/rpc/describe", json={"reader": {"name": "A", "age": "old"}})
    assert answer.json()["details"].splitlines() == [
        "reader.name: String should have at least 2 characters",
        "reader.age: Input should be a valid integer, unable to parse string as an integer",
    ]
    for arguments in ({}, {"b": 1}, {"a": 1, "c": 2}):
        assert refusal(await client.post("/rpc/add", json=arguments)) == (404, "PGRST202")
    answer = await client.get("/rpc/add?a=1&bb=2")
    assert answer.json()["hint"] == "Perhaps you meant to call the function public.add(a, b)"
    assert refusal(await client.get("/rpc/join?words={x")) == (400, "22P02")
    assert refusal(await client.post("/rpc/add", content="{")) == (400, "PGRST102")
    assert refusal(await client.post("/rpc/add", content="1", headers={"content-type": "text/plain"})) == (
        400,
        "PGRST102",
    )
    answer = await client.get("/rpc/addd?a=1")
    assert refusal(answer) == (404, "PGRST202")
    assert answer.json()["hint"] == "Perhaps you meant to call the function public.add"


async def test_values(client: AsyncClient) -> None:
    answer = await client.post("/rpc/nothing")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await get(client, "origin") == {"x": 0.0, "y": 0.0}
    assert await get(client, "origin?select=x") == {"x": 0.0}
    assert await get(client, "numbers?until=3") == [0, 1, 2]
    assert await get(client, "numbers?until=9&numbers=gt.6&order=numbers.desc") == [8, 7]
    assert await get(client, "moments?order=moments") == ["2023-01-02T03:04:05+00:00", "2024-01-02T00:00:00+00:00"]
    assert refusal(await client.get("/rpc/add?a=1&limit=1")) == (400, "PGRST100")


async def test_rows_of_a_mapped_class(client: AsyncClient) -> None:
    stored = (await client.get("/authors?select=*,shout,books(title)&order=id.desc")).json()
    assert stored[-1]["worth"] == 12.5
    assert stored[-1]["books"] == [{"title": "Notes"}]
    assert await get(client, "newest?select=*,shout,books(title)") == stored
    assert await post(client, "newest?select=*,shout,books(title)", {"most": 2}) == stored[:2]
    assert await get(client, "newest?select=name&order=name&name=neq.Alan&limit=1") == [{"name": "Ada"}]
    assert await get(client, "newest?mood=eq.wild&select=birthday,notes->a->0") == [{"birthday": "1815-12-10", "a": 1}]
    assert await get(client, "newest?select=name,books!inner(id)&order=id") == [
        {"name": "Ada", "books": [{"id": 1}]},
        {"name": "Grace", "books": [{"id": 2}]},
    ]
    assert await get(client, "newest?select=mood,count:id.count()&order=mood") == [
        {"mood": "calm", "count": 2},
        {"mood": "wild", "count": 1},
    ]
    assert await get(client, "author_named?name=Ada") == (await client.get("/authors/1")).json()
    assert await get(client, "author_named?name=Nobody") is None
    assert refusal(await client.get("/rpc/author_named?name=Nobody", headers=ONE)) == (406, "PGRST116")


async def test_rows_of_other_kinds(client: AsyncClient) -> None:
    assert await get(client, "read_authors?id=lt.3") == [
        {"id": 1, "name": "Ada", "mood": "w"},
        {"id": 2, "name": "Grace", "mood": "c"},
    ]
    assert await get(client, "totals") == [
        {"name": "b", "books": 2, "first": "2024-01-02", "titles": ["x", "y"]},
        {"name": "a", "books": 10, "first": None, "titles": []},
        {"name": "c", "books": 1, "first": "2023-01-02", "titles": ["z"]},
    ]
    assert await get(client, "totals?order=books.desc&select=name,n:books&first=is.null") == [{"name": "a", "n": 10}]
    assert await get(client, "totals?first=gt.2023-06-01&select=titles->>1") == [{"titles": "y"}]
    assert await get(client, "totals?select=books.sum()") == [{"sum": 13}]
    assert await get(client, "points?order=x&y=gte.2") == [{"x": -1.0, "y": 1e300}, {"x": 1.5, "y": 2.0}]
    answer = await client.get("/rpc/totals?nope=eq.1")
    assert refusal(answer) == (400, "42703")
    assert answer.json()["message"] == "column totals.nope does not exist"


async def test_pages_and_forms(client: AsyncClient) -> None:
    answer = await client.get("/rpc/numbers?until=9", headers={"prefer": "count=exact"})
    assert (answer.status_code, answer.headers["content-range"], len(answer.json())) == (206, "0-4/9", 5)
    answer = await client.get("/rpc/totals?limit=1&offset=1&select=name", headers={"prefer": "count=planned"})
    assert (answer.json(), answer.headers["content-range"]) == ([{"name": "a"}], "1-1/3")
    answer = await client.get("/rpc/totals?select=name,books", headers={"accept": "text/csv"})
    assert answer.text == "name,books\nb,2\na,10\nc,1"
    answer = await client.get("/rpc/totals?select=name", headers={"accept": "application/x-ndjson"})
    assert answer.text == '{"name":"b"}\n{"name":"a"}\n{"name":"c"}\n'
    answer = await client.head("/rpc/totals", headers={"prefer": "count=exact"})
    assert (answer.status_code, answer.headers["content-range"], answer.content) == (200, "0-2/3", b"")


async def test_what_is_written_is_committed_before_the_answer(client: AsyncClient) -> None:
    added = await post(client, "add_author?select=name,shout,books(title)", {"name": "Zoe", "titles": ["One", "Two"]})
    assert added == {"name": "Zoe", "shout": "Zoe!", "books": [{"title": "One"}, {"title": "Two"}]}
    assert await get(client, "author_names?author_names=like.Z*") == ["Zoe"]
    answer = await client.post("/rpc/add_author", json={"name": "Ada"})
    assert refusal(answer) == (409, "23505")
    assert refusal(await client.get("/rpc/add_author?name=Yan")) == (405, "PGRST101")
    assert await get(client, "author_names") == ["Ada", "Grace", "Alan", "Zoe"]


async def test_what_fails_is_rolled_back(client: AsyncClient) -> None:
    answer = await client.post("/rpc/fail_after_writing", json={"how": "api"})
    assert answer.status_code == 402
    assert answer.json() == {"code": "PAY", "message": "Pay first", "details": None, "hint": "With money."}
    answer = await client.post("/rpc/fail_after_writing", json={"how": "http"})
    assert (refusal(answer), answer.json()["message"]) == ((409, "P0001"), "Not now")
    assert answer.headers["x-why"] == "busy"
    answer = await client.post("/rpc/fail_after_writing", json={"how": "bug"})
    assert refusal(answer) == (500, "PGRSTX00")
    assert "secret" not in answer.text
    assert refusal(await client.post("/rpc/fail_after_writing", json={"how": "database"})) == (409, "23505")
    assert refusal(await client.post("/rpc/add_authors", json={"names": ["a", "b"]}, headers=ONE)) == (406, "PGRST116")
    strict = {"prefer": "handling=strict, max-affected=1"}
    answer = await client.post("/rpc/add_authors", json={"names": ["a", "b"]}, headers=strict)
    assert refusal(answer) == (400, "PGRST124")
    assert refusal(await client.post("/rpc/add", json={"a": 1}, headers=strict)) == (400, "PGRST128")
    assert await get(client, "author_names") == ["Ada", "Grace", "Alan"]


async def test_what_is_wrong_is_found_before_the_function_runs(client: AsyncClient) -> None:
    calls.clear()
    for query, code in (("nope=eq.1", "42703"), ("id=eq.x", "22P02"), ("select=nope(id)", "PGRST200")):
        answer = await client.post(f"/rpc/add_authors?{query}", json={"names": ["x"]})
        assert refusal(answer) == (400, code)
    answer = await client.post("/rpc/add_authors", json={"names": ["x"]}, headers={"accept": "image/png"})
    assert refusal(answer) == (406, "PGRST107")
    assert calls == []


async def test_what_cannot_be_undone_is_not_begun(database_url: str) -> None:
    database = Database(database_url)
    functions = Functions(tx_override=True, explain=True)
    functions.function(add_authors)
    functions.function(add)
    app = application(database, Base, authors)
    app.include_router(functions)
    calls.clear()
    rollback, plan = {"prefer": "tx=rollback"}, {"accept": "application/vnd.pgrst.plan"}
    async with client_of(app) as client:
        for path, arguments in (("/rpc/add_authors", {"names": ["x"]}), ("/rpc/add", {"a": 1})):
            assert refusal(await client.post(path, json=arguments, headers=rollback)) == (400, "PGRST127")
            assert refusal(await client.post(path, json=arguments, headers=plan)) == (400, "PGRST127")
        assert calls == []
        assert (await client.get("/authors")).json() == []
        assert await post(client, "add", {"a": 1}, headers={"prefer": "tx=commit"}) == 11


async def test_one_object_of_filtered_rows_is_refused_where_a_function_writes(client: AsyncClient) -> None:
    calls.clear()
    for query in ("name=like.*", "limit=5", "offset=1", "or=(id.gt.0,id.lt.0)", "select=name,books!inner(title)"):
        answer = await client.post(f"/rpc/add_authors?{query}", json={"names": ["x"]}, headers=ONE)
        assert refusal(answer) == (400, "PGRST127"), query
    assert calls == []
    assert await get(client, "author_names") == ["Ada", "Grace", "Alan"]
    assert await post(client, "add_authors?select=name", {"names": ["x"]}, headers=ONE) == {"name": "x"}


async def test_dependencies_are_fastapi_s(client: AsyncClient) -> None:
    assert await get(client, "whoami", headers={"x-name": "Ada"}) == "Hello Ada"
    assert await post(client, "whoami", {"greeting": "Bye"}, headers={"x-name": "Ada"}) == "Bye Ada"
    assert (await client.get("/rpc/whoami")).status_code == 401
    assert refusal(await client.post("/rpc/whoami", json={"name": "x"}, headers={"x-name": "A"})) == (404, "PGRST202")


async def test_profiles(client: AsyncClient) -> None:
    assert await post(client, "add", {"a": 1}, headers={"content-profile": "public"}) == 11
    answer = await client.get("/rpc/add?a=1", headers={"accept-profile": "private"})
    assert refusal(answer) == (406, "PGRST106")


async def test_methods(client: AsyncClient) -> None:
    assert (await client.options("/rpc/add")).headers["allow"] == "OPTIONS,GET,HEAD,POST"
    assert (await client.options("/rpc/add_author")).headers["allow"] == "OPTIONS,POST"
    for method in ("PUT", "PATCH", "DELETE"):
        assert refusal(await client.request(method, "/rpc/add")) == (405, "PGRST101")


async def test_openapi(client: AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert set(paths["/rpc/add"]) == {"get", "post"}
    assert set(paths["/rpc/add_author"]) == {"post"}
    assert "/rpc/{name}" not in paths
    operation = paths["/rpc/describe"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["reader"]
    assert body["properties"]["reader"]["properties"]["name"] == {"title": "Name", "type": "string", "minLength": 2}
    assert paths["/rpc/add"]["get"]["description"] == "The sum of two numbers."
    names = {parameter["name"]: parameter["required"] for parameter in paths["/rpc/newest"]["get"]["parameters"]}
    assert names == {"most": False, "select": False, "order": False, "limit": False, "offset": False}


def test_functions_that_cannot_be_served() -> None:
    async def untyped(a) -> int:  # type: ignore[no-untyped-def]
        return 1

    async def unsaid(a: int):  # type: ignore[no-untyped-def]
        return 1

    async def variadic(*a: int) -> int:
        return 1

    def plain() -> int:
        return 1

    for function, message in (
        (untyped, "untyped does not say what a is"),
        (unsaid, "unsaid does not say what it returns"),
        (variadic, "variadic takes a without its name"),
        (plain, "plain is not async"),
    ):
        with pytest.raises(TypeError, match=message):
            Functions().function(function)


async def test_two_routers(database_url: str) -> None:
    """What one router does not know, the next one may."""
    first, second = Functions(), Functions()
    first.function(add)
    second.function(origin)
    app = FastAPI(lifespan=Database(database_url).lifespan)
    app.include_router(first, prefix="/v1")
    app.include_router(second, prefix="/v1")
    async with client_of(app) as client:
        assert (await client.get("/v1/rpc/add?a=1")).json() == 11
        assert (await client.get("/v1/rpc/origin")).json() == {"x": 0.0, "y": 0.0}
        assert refusal(await client.get("/v1/rpc/neither")) == (404, "PGRST202")


async def test_a_function_that_takes_the_request_itself(database_url: str) -> None:
    functions = Functions()

    @functions.function
    async def path(request: Request, ending: str) -> str:
        """Where it was called."""
        return request.url.path + ending

    async with client_of(application(Database(database_url), Base, functions)) as client:  # type: ignore[arg-type]
        assert (await client.post("/rpc/path", json={"ending": "!"})).json() == "/rpc/path!"
