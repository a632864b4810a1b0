"""What a write is told in `Prefer`: how many rows at the most, how it ends, which columns, in which time zone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from tests.helpers import application, client_of, names, refusal

pytestmark = pytest.mark.anyio

REPRESENTATION = {"Prefer": "return=representation"}
STRICT = "handling=strict, max-affected"


class Base(DeclarativeBase):
    """Tasks, and notes on them."""


class Task(Base):
    """What is to be done."""

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    effort: Mapped[int | None] = mapped_column(server_default="3")
    state: Mapped[str] = mapped_column(default="open")
    due: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Note(Base):
    """A note, the task of which may come later in the same transaction."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", deferrable=True, initially="DEFERRED"))


RESOURCES = [Resource(model, tx_override=True) for model in (Task, Note)]


@pytest.fixture
async def tasks(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client that may have its writes undone: three tasks, a note on the first."""
    async with client_of(application(Database(database_url), Base, *RESOURCES)) as client:
        await client.post("/tasks", json=[{"name": "one"}, {"name": "two"}, {"name": "three"}])
        await client.post("/notes", json={"task_id": 1})
        yield client


async def send(client: AsyncClient, method: str, path: str, prefer: str, body: Any = None) -> Response:
    return await client.request(method, path, json=body, headers={"Prefer": prefer})


async def test_no_more_rows_are_changed_than_was_said(tasks: AsyncClient) -> None:
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        for return_ in ("minimal", "representation"):
            answer = await send(tasks, method, "/tasks?id=gt.1", f"{STRICT}=1, return={return_}", body)
            assert refusal(answer) == (400, "PGRST124")
            assert answer.json()["message"] == "Query result exceeds max-affected preference constraint"
            assert answer.json()["details"] == "The query affects 2 rows"
            assert answer.json()["hint"] is None
    assert names(await tasks.get("/tasks")) == ["one", "two", "three"]

    answer = await send(tasks, "PATCH", "/tasks?id=gt.1", f"{STRICT}=2", {"name": "x"})
    assert answer.status_code == 204
    assert answer.headers["preference-applied"] == "handling=strict, max-affected=2"
    answer = await send(tasks, "PATCH", "/tasks", f"{STRICT}=1", [{"id": 1, "name": "y"}, {"id": 2, "name": "y"}])
    assert refusal(answer) == (400, "PGRST124")
    assert names(await tasks.get("/tasks")) == ["one", "x", "x"]


async def test_without_strict_handling_it_is_not_looked_at(tasks: AsyncClient) -> None:
    answer = await send(tasks, "PATCH", "/tasks?id=gt.1", "max-affected=1", {"name": "x"})

    assert answer.status_code == 204
    assert "preference-applied" not in answer.headers


async def test_an_insert_may_have_as_many_rows_as_it_likes(tasks: AsyncClient) -> None:
    answer = await send(tasks, "POST", "/tasks", f"{STRICT}=1", [{"name": "x"}, {"name": "y"}])

    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "handling=strict"


async def test_a_write_may_be_undone_when_it_is_answered(tasks: AsyncClient) -> None:
    prefer = "tx=rollback, return=representation"
    answer = await send(tasks, "POST", "/tasks?select=name", prefer, [{"name": "four"}, {"name": "five"}])
    assert (answer.status_code, answer.json()) == (201, [{"name": "four"}, {"name": "five"}])
    assert answer.headers["preference-applied"] == "return=representation, tx=rollback"
    answer = await send(tasks, "PATCH", "/tasks?id=eq.2&select=name", prefer, {"name": "x"})
    assert (answer.status_code, answer.json()) == (200, [{"name": "x"}])
    answer = await send(tasks, "PUT", "/tasks?id=eq.9", prefer, {"id": 9, "name": "nine"})
    assert answer.status_code == 201
    answer = await send(tasks, "DELETE", "/tasks?id=eq.2", prefer)
    assert answer.json()[0]["name"] == "two"

    assert names(await tasks.get("/tasks")) == ["one", "two", "three"]
    assert (await send(tasks, "DELETE", "/tasks?id=eq.2", "tx=commit")).headers["preference-applied"] == "tx=commit"
    assert names(await tasks.get("/tasks")) == ["one", "three"]


async def test_what_a_commit_would_have_refused_is_refused(tasks: AsyncClient) -> None:
    for prefer in ("tx=rollback", "tx=commit"):
        answer = await send(tasks, "POST", "/notes", prefer, {"task_id": 77})
        assert refusal(answer) == (409, "23503")
        answer = await send(tasks, "DELETE", "/tasks?id=eq.1", prefer)
        assert refusal(answer) == (409, "23503")
    assert (await send(tasks, "POST", "/notes", "tx=rollback", {"task_id": 1})).status_code == 201
    assert len((await tasks.get("/notes")).json()) == 1


async def test_where_it_is_not_allowed_it_is_passed_over(database_url: str) -> None:
    async with client_of(application(Database(database_url), Base, Resource(Task))) as client:
        answer = await send(client, "POST", "/tasks", "tx=rollback, handling=strict", {"name": "one"})

        assert (answer.status_code, answer.headers["preference-applied"]) == (201, "handling=strict")
        assert names(await client.get("/tasks")) == ["one"]


async def test_what_is_said_of_preferences_has_an_order(tasks: AsyncClient) -> None:
    everything = ", ".join(
        (
            "max-affected=5",
            "handling=strict",
            "tx=commit",
            "count=exact",
            "return=representation",
            "missing=default",
            "resolution=merge-duplicates",
        )
    )
    applied = "missing=default, return=representation, count=exact, tx=commit, handling=strict"
    answer = await send(tasks, "POST", "/tasks", everything, {"id": 1, "name": "x"})
    assert answer.headers["preference-applied"] == f"resolution=merge-duplicates, {applied}"
    answer = await send(tasks, "PATCH", "/tasks?id=eq.1", everything, {"name": "x"})
    assert answer.headers["preference-applied"] == f"{applied}, max-affected=5"
    applied = applied.removeprefix("missing=default, ")
    answer = await send(tasks, "PUT", "/tasks?id=eq.2", everything, {"name": "x"})
    assert answer.headers["preference-applied"] == applied
    answer = await send(tasks, "DELETE", "/tasks?id=eq.2", everything)
    assert answer.headers["preference-applied"] == f"{applied}, max-affected=5"


async def test_rows_are_counted_if_asked(tasks: AsyncClient) -> None:
    for count, total in (("exact", "2"), ("estimated", "2"), ("planned", "*")):
        prefer = f"count={count}"
        answer = await send(tasks, "PATCH", "/tasks?id=lt.3", prefer, {"effort": 1})
        assert answer.headers["content-range"] == f"0-1/{total}"
        assert answer.headers["preference-applied"] == prefer
        answer = await send(tasks, "POST", "/tasks", prefer, [{"name": "x"}, {"name": "y"}])
        assert answer.headers["content-range"] == f"*/{total}"
        answer = await send(tasks, "DELETE", "/tasks?id=gt.3", prefer)
        assert answer.headers["content-range"] == f"*/{total}"


async def test_columns_says_which_keys_count(tasks: AsyncClient) -> None:
    rows = [{"name": "a", "effort": 1, "state": "lost", "size": 2}, {"name": "b"}]
    answer = await tasks.post("/tasks?columns=name,effort&select=name,effort,state", json=rows)

    assert answer.json() == [
        {"name": "a", "effort": 1, "state": "open"},
        {"name": "b", "effort": None, "state": "open"},
    ]
    answer = await tasks.patch("/tasks?id=eq.1&columns=effort&select=name,effort", json=rows[0], headers=REPRESENTATION)
    assert answer.json() == [{"name": "one", "effort": 1}]
    answer = await tasks.patch("/tasks?id=eq.1&columns=effort&select=effort", json=rows[1], headers=REPRESENTATION)
    assert answer.json() == [{"effort": None}]


async def test_columns_that_a_row_lacks_may_have_their_defaults(tasks: AsyncClient) -> None:
    prefer = "missing=default, return=representation"
    path = "/tasks?columns=name,effort,state&select=name,effort,state"
    answer = await send(tasks, "POST", path, prefer, [{"name": "a", "extra": 1}, {"name": "b"}])
    assert answer.json() == [{"name": name, "effort": 3, "state": "open"} for name in "ab"]
    assert answer.headers["preference-applied"] == "missing=default, return=representation"

    await tasks.patch("/tasks?id=eq.1", json={"effort": 9, "state": "done"})
    answer = await send(tasks, "PATCH", f"{path}&id=eq.1", prefer, {"name": "c", "effort": 8})
    assert answer.json() == [{"name": "c", "effort": 8, "state": "open"}]
    answer = await send(tasks, "PATCH", f"{path}&id=eq.1", prefer, {"name": "d"})
    assert answer.json() == [{"name": "d", "effort": 3, "state": "open"}]


async def test_a_column_that_there_is_not_is_named(tasks: AsyncClient) -> None:
    for answer in (
        await tasks.post("/tasks?columns=name,size", json={"name": "x"}),
        await tasks.patch("/tasks?id=eq.1&columns=name,size", json={"name": "x"}),
        await tasks.post("/tasks", json={"name": "x", "size": 1}),
    ):
        assert refusal(answer) == (400, "PGRST204")
        assert answer.json()["message"] == "Could not find the 'size' column of 'tasks' in the schema cache"
    assert refusal(await tasks.post("/tasks", json=[{"name": "x"}, {"id": 8, "name": "y"}])) == (400, "PGRST102")


async def test_times_are_shown_in_a_time_zone(tasks: AsyncClient) -> None:
    row = {"id": 9, "name": "x", "due": "2024-05-01T10:00:00Z"}
    prefer = "timezone=America/New_York, return=representation"
    answer = await send(tasks, "POST", "/tasks?select=due", prefer, row)
    assert answer.json() == [{"due": "2024-05-01T06:00:00-04:00"}]
    assert answer.headers["preference-applied"] == "return=representation, timezone=America/New_York"
    answer = await send(tasks, "PATCH", "/tasks?id=eq.9&select=due", prefer, {"name": "y"})
    assert answer.json() == [{"due": "2024-05-01T06:00:00-04:00"}]
    answer = await send(tasks, "PATCH", "/tasks?id=eq.9&select=due", "return=representation", {"name": "z"})
    assert answer.json() == [{"due": "2024-05-01T10:00:00+00:00"}]

    answer = await send(tasks, "PATCH", "/tasks?id=eq.9", "timezone=Mars/Olympus", {"name": "x"})
    assert (answer.status_code, "preference-applied" in answer.headers) == (204, False)
    answer = await send(tasks, "PATCH", "/tasks?id=eq.9", "handling=strict, timezone=Mars/Olympus", {"name": "x"})
    assert refusal(answer) == (400, "PGRST122")
    assert answer.json()["details"] == "Invalid preferences: timezone=Mars/Olympus"


async def test_delete_does_not_look_at_its_body(tasks: AsyncClient) -> None:
    answer = await send(tasks, "DELETE", "/tasks?id=eq.3", "return=minimal", {})

    assert answer.status_code == 204
    assert len((await tasks.get("/tasks")).json()) == 2


async def test_a_limit_means_nothing_to_a_write(tasks: AsyncClient) -> None:
    answer = await tasks.patch("/tasks?id=gt.0&limit=1&offset=1&order=id", json={"name": "x"})
    assert (answer.status_code, answer.headers["content-range"]) == (204, "0-2/*")
    answer = await tasks.delete("/tasks?id=gt.1&limit=1", headers=REPRESENTATION)
    assert len(answer.json()) == 2


async def test_one_object_of_none_is_refused(tasks: AsyncClient) -> None:
    one = {"Accept": "application/vnd.pgrst.object+json"}
    for answer in (
        await tasks.post("/tasks", json=[], headers=one),
        await tasks.patch("/tasks?id=eq.1", json={}, headers=one),
        await tasks.delete("/tasks?id=gt.8", headers=one),
    ):
        assert refusal(answer) == (406, "PGRST116")
        assert answer.json()["details"] == "The result contains 0 rows"
