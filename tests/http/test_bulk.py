"""POST of many rows: a slice at a time, all or none; CSV; the columns that are named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
import sqlalchemy as sa
from httpx import AsyncClient, Response
from sqlalchemy import ForeignKey, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from rowserve import Database, Resource, slices
from rowserve.reflection import reflect
from tests.helpers import application, client_of, names, refusal, served

pytestmark = pytest.mark.anyio

WHO: ContextVar[str] = ContextVar("WHO")


class Base(DeclarativeBase):
    pass


class Part(Base):
    """With defaults of every kind."""

    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int] = mapped_column(server_default=text("7"))
    kind: Mapped[str] = mapped_column(server_default="screw")
    state: Mapped[str] = mapped_column(default="new")
    length: Mapped[int] = mapped_column(default=sa.func.length("four"))
    note: Mapped[str | None]


class Folder(Base):
    __tablename__ = "folders"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("folders.id"))


class Signed(Base):
    __tablename__ = "signed"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    who: Mapped[str] = mapped_column(default=lambda: WHO.get())


PARTS, FOLDERS, SIGNED = Resource(Part), Resource(Folder), Resource(Signed)


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few rows, so that a small body is a large one."""
    monkeypatch.setattr(slices, "SLICE", 200)
    monkeypatch.setattr(slices, "FIRST", 100)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncClient]:
    async with client_of(application(Database(database_url), Base, PARTS, FOLDERS, SIGNED)) as client:
        yield client


def parts(count: int) -> list[dict[str, Any]]:
    return [{"name": f"part {number}"} for number in range(count)]


async def post_csv(client: AsyncClient, path: str, body: str) -> Response:
    return await client.post(path, content=body, headers={"Content-Type": "text/csv"})


async def test_many_slices_come_back_in_the_order_given(client: AsyncClient) -> None:
    answer = await client.post("/parts", json=parts(300))

    assert answer.status_code == 201
    assert [(row["id"], row["name"]) for row in answer.json()] == [(n + 1, f"part {n}") for n in range(300)]
    assert answer.json()[299] == {
        "id": 300,
        "name": "part 299",
        "size": 7,
        "kind": "screw",
        "state": "new",
        "length": 4,
        "note": None,
    }


async def test_many_slices_are_counted(client: AsyncClient) -> None:
    answer = await client.post("/parts", json=parts(300), headers={"Prefer": "return=minimal,count=exact"})

    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (201, b"", "*/300")
    assert len(names(await client.get("/parts"))) == 300


@pytest.mark.parametrize("prefer", ["return=minimal", "return=representation"])
async def test_a_bad_row_in_the_last_slice_leaves_nothing(client: AsyncClient, prefer: str) -> None:
    for bad, status, code in (
        ({"name": None}, 400, "23502"),
        ({"name": "part 3"}, 409, "23505"),
        ({"name": "a\0"}, 400, "22P05"),
        ({"nome": "a"}, 400, "PGRST102"),
        (1, 400, "PGRST102"),
    ):
        answer = await client.post("/parts", json=[*parts(100), bad], headers={"Prefer": prefer})
        assert refusal(answer) == (status, code)
        assert names(await client.get("/parts")) == []
    body = json.dumps(parts(100)).encode()
    assert refusal(await client.post("/parts", content=body[:-1])) == (400, "PGRST102")
    assert names(await client.get("/parts")) == []
    assert (await client.post("/parts", json=parts(100))).status_code == 201


async def test_a_bad_row_is_named_by_its_number(client: AsyncClient) -> None:
    rows = [{"name": f"part {number}", "size": number} for number in range(99)]
    answer = await client.post("/parts", json=[*rows, {"name": "b", "size": "x"}])
    assert answer.json()["details"] == 'row 100, column "size"'


async def test_exactly_one_row_is_asked_for(client: AsyncClient) -> None:
    headers = {"Accept": "application/vnd.pgrst.object+json"}

    assert refusal(await client.post("/parts", json=parts(100), headers=headers)) == (406, "PGRST116")
    assert names(await client.get("/parts")) == []


async def test_rows_of_nothing_but_defaults(client: AsyncClient) -> None:
    answer = await client.post("/folders", json=[{}] * 200)

    assert [row["id"] for row in answer.json()] == list(range(1, 201))


async def test_a_row_may_refer_to_one_before_it(client: AsyncClient) -> None:
    rows = [{"id": number, "parent_id": number - 1 or None} for number in range(1, 101)]

    assert (await client.post("/folders", json=rows)).status_code == 201


async def test_a_row_may_refer_to_one_after_it(postgresql_url: str) -> None:
    rows = [{"id": number, "parent_id": number + 1 if number < 100 else None} for number in range(1, 101)]
    async with served(postgresql_url, Folder) as client:
        answer = await client.post("/folders", json=rows)

    assert answer.json() == rows


async def test_defaults_in_python_see_the_request(client: AsyncClient) -> None:
    WHO.set("Ada")
    answer = await client.post("/signed", json=parts(100))

    assert {row["who"] for row in answer.json()} == {"Ada"}


async def test_a_table_that_was_altered_meanwhile(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    async with client_of(application(database, Base, PARTS)) as client:
        for number in range(6):  # as often as there are connections, and more
            answer = await client.post("/parts", json=parts(50))
            assert answer.status_code == 201, answer.text
            async with database.begin() as session:
                await session.execute(text("DELETE FROM parts"))
                await session.execute(text(f"ALTER TABLE parts ALTER name TYPE varchar({50 + number})"))


async def test_rows_that_a_trigger_swallows(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    async with client_of(application(database, Base, PARTS)) as client:
        async with database.begin() as session:
            await session.execute(
                text(
                    "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "IF NEW.name LIKE '%7' THEN RETURN NULL; END IF; RETURN NEW; END $$"
                )
            )
            await session.execute(
                text("CREATE TRIGGER swallow BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION swallow()")
            )
        answer = await client.post("/parts", json=parts(100))

        assert [row["name"] for row in answer.json()] == [
            row["name"] for row in parts(100) if not row["name"].endswith("7")
        ]
        counted = {"Prefer": "return=minimal,count=exact"}
        answer = await client.post(
            "/parts", json=[{"name": f"again {number}"} for number in range(100)], headers=counted
        )
        assert answer.headers["content-range"] == "*/90"


async def test_rows_with_arrays(postgresql_url: str) -> None:
    class Own(DeclarativeBase):
        pass

    class Tagged(Own):
        __tablename__ = "tagged"
        id: Mapped[int] = mapped_column(primary_key=True)
        tags: Mapped[list[str]] = mapped_column(postgresql.ARRAY(sa.Text))

    rows = [{"tags": [str(number)] * (number % 3)} for number in range(100)]
    async with served(postgresql_url, Tagged) as client:
        answer = await client.post("/tagged", json=rows)
        assert [row["tags"] for row in answer.json()] == [row["tags"] for row in rows]
        answer = await client.post("/tagged", json=rows, headers={"Prefer": "return=minimal,count=exact"})
        assert answer.headers["content-range"] == "*/100"


async def test_csv(client: AsyncClient) -> None:
    lines = [f'"part ""{number}""",{number},{"NULL" if number % 2 else ""}' for number in range(100)]

    answer = await post_csv(client, "/parts?select=name,size,note", "\n".join(["name,size,note", *lines]))

    assert answer.json() == [
        {"name": f'part "{number}"', "size": number, "note": None if number % 2 else ""} for number in range(100)
    ]


async def test_csv_of_one_line_is_answered_with_an_array(client: AsyncClient) -> None:
    assert (await post_csv(client, "/folders", "id,parent_id\n1,NULL\n")).json() == [{"id": 1, "parent_id": None}]
    assert (await post_csv(client, "/folders", "id,parent_id\n")).json() == []


async def test_csv_that_is_refused_leaves_nothing(client: AsyncClient) -> None:
    lines = "".join(f"part {number},{number}\n" for number in range(100))
    for bad, code in (("a\n", "PGRST102"), ("a,x\n", "22P02"), ('"a,1\n', "PGRST102"), ("part 3,1\n", "23505")):
        assert refusal(await post_csv(client, "/parts", f"name,size\n{lines}{bad}"))[1] == code
        assert names(await client.get("/parts")) == []
    answer = await post_csv(client, "/parts", "name,size\na\n")
    assert answer.json()["message"] == "All lines must have same number of fields"
    assert refusal(await post_csv(client, "/parts", "")) == (400, "PGRST102")


async def test_only_the_columns_that_are_named_are_taken(client: AsyncClient) -> None:
    rows = [{"name": f"part {number}", "size": number, "foo": "bar", "kind": None} for number in range(100)]

    answer = await client.post("/parts?columns=name,size&select=name,size,kind", json=rows)

    assert answer.json() == [{"name": f"part {n}", "size": n, "kind": "screw"} for n in range(100)]
    answer = await post_csv(client, "/parts?columns=name,size", "foo,size,name\nx,1,a\n")
    assert (answer.json()[0]["name"], answer.json()[0]["size"]) == ("a", 1)
    assert refusal(await client.post("/parts?columns=name,foo", json=rows)) == (400, "PGRST204")


async def test_what_a_row_lacks_is_null(client: AsyncClient) -> None:
    rows = [{"name": f"part {n}", **({"note": "n"} if n % 3 else {}), **({"x": 1} if n % 2 else {})} for n in range(99)]

    answer = await client.post("/parts?columns=name,note", json=rows)

    assert [row["note"] for row in answer.json()] == [row.get("note") for row in rows]
    for columns in ("name,size", "name,state", "id,name"):  # a default is for who does not name the column
        answer = await client.post(f"/parts?columns={columns}", json=[{"name": "a"}])
        assert refusal(answer) == (400, "23502")


@pytest.mark.parametrize("return_", ["minimal", "representation"])
async def test_what_a_row_lacks_is_the_columns_default(client: AsyncClient, return_: str) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "a"},
        {"name": "b", "size": 1, "kind": "nut", "state": "old", "length": 2, "note": "c"},
        {"name": "c", "size": 2},
        {"name": "d", "kind": "'; --"},
        {"name": "e", "note": None, "length": 3},
    ]
    defaults = {"size": 7, "kind": "screw", "state": "new", "length": 4, "note": None}
    many = [{**row, "name": f"{row['name']}{number}"} for number in range(20) for row in rows]
    headers = {"Prefer": f"missing=default,return={return_}"}

    answer = await client.post("/parts?columns=id,name,size,kind,state,length,note", json=many, headers=headers)

    assert answer.status_code == 201, answer.text
    assert "missing=default" in answer.headers["preference-applied"]
    stored = answer.json() if return_ == "representation" else (await client.get("/parts")).json()
    assert stored == [{"id": number, **defaults, **row} for number, row in enumerate(many, 1)]


async def test_a_null_that_is_given_is_not_the_default(client: AsyncClient) -> None:
    answer = await client.post(
        "/parts?columns=name,size",
        json=[{"name": "a"}, {"name": "b", "size": None}],
        headers={"Prefer": "missing=default"},
    )

    assert refusal(answer) == (400, "23502")


async def test_an_upsert_gives_defaults_too(client: AsyncClient) -> None:
    await client.post("/parts", json={"id": 100, "name": "a", "size": 1, "kind": "nut"})
    rows = [{"name": "b"}, {"id": 100, "name": "A"}, {"name": "c", "size": 3}]

    answer = await client.post(
        "/parts?columns=id,name,size&select=id,name,size,kind",
        json=rows,
        headers={"Prefer": "resolution=merge-duplicates,missing=default,return=representation"},
    )

    assert answer.status_code == 201, answer.text
    new, old, other = answer.json()
    assert old == {"id": 100, "name": "A", "size": 7, "kind": "nut"}
    assert (new["name"], new["size"], other["name"], other["size"]) == ("b", 7, "c", 3)


async def test_defaults_of_a_table_that_was_there_before(database_url: str) -> None:
    number = "serial" if database_url.startswith("postgresql") else "integer"
    async with Database(database_url) as database, database.begin() as session:
        await session.execute(
            text(
                f"CREATE TABLE things (id {number} PRIMARY KEY, name varchar(20) DEFAULT 'it''s: new', "
                "size integer NOT NULL DEFAULT 7, day date DEFAULT '2026-01-02', note text)"
            )
        )

    class Thing:
        pass

    metadata = (await reflect(database_url)).metadata
    registry().map_imperatively(Thing, metadata.tables["things" if number == "integer" else "public.things"])
    rows: list[dict[str, Any]] = [{}, {"name": None}, {"size": 1, "note": "n"}, {"day": "2026-02-03", "id": 9}]
    columns = ["id", "name", "size", "day", "note"]
    async with client_of(application(Database(database_url), metadata, Resource(Thing))) as client:
        answer = await client.post(
            f"/things?columns={','.join(columns)}",
            json=rows,
            headers={"Prefer": "missing=default,return=representation"},
        )

    defaults = {"name": "it's: new", "size": 7, "day": "2026-01-02", "note": None}
    assert answer.json() == [{"id": number, **defaults, **row} for number, row in enumerate(rows, 1)]


async def test_a_default_that_only_the_database_knows(database_url: str) -> None:
    class Own(DeclarativeBase):
        pass

    class Stamped(Own):
        __tablename__ = "stamped"
        id: Mapped[int] = mapped_column(primary_key=True)
        stamp: Mapped[str | None] = mapped_column(server_default=sa.FetchedValue())

    async with served(database_url, Stamped) as client:
        answer = await client.post("/stamped?columns=stamp", json=[{}], headers={"Prefer": "missing=default"})

    assert refusal(answer) == (400, "0A000")
    assert answer.json()["message"] == 'the default of column "stamp" of "stamped" is not known'
