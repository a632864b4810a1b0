"""What fails before there is a statement takes no connection: it is answered at once, also where all are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import event

from rowserve.backends.admission import Door, Gate
from tests.helpers import refusal

from .odd import FUNCTION, Odd
from .test_odd_names import segment

pytestmark = pytest.mark.anyio

STRICT = "handling=strict"
CSV = {"content-type": "text/csv"}
REFUSED: list[tuple[int, str, str, str, dict[str, Any]]] = [
    *(
        (status, code, "GET", f"/odd?{query}", {})
        for status, code, query in [
            (400, "PGRST100", "id=1"), (400, "PGRST100", "id=is.maybe"), (400, "PGRST100", "id=equals.1"),
            (400, "PGRST100", "select=id,"), (400, "PGRST100", "select=id("), (400, "PGRST100", "order=id.up"),
            (400, "PGRST100", "or=(id.eq.1"), (400, "PGRST100", "limit=ten"), (400, "22P02", "id=eq(any).1"),
            (416, "PGRST103", "limit=-1"), (400, "42703", "select=unknown"), (400, "42703", "unknown=eq.1"),
            (400, "42703", "order=unknown"), (400, "42703", "or=(id.eq.1,unknown.is.null)"), (400, "22P02",
            "id=eq.one"),
            (400, "22P02", "id=in.(1,two)"), (400, "22003", "id=eq.99999999999999999999"), (400, "42704",
            "select=id::unknown"),
            (400, "PGRST200", "select=unknown(*)"), (400, "PGRST200", "select=order!unknown(*)"),
            (400, "42703", "select=order(unknown)"), (400, "PGRST108", "order.id=eq.1"), (400, "PGRST108",
            "order=order(id)"),
            (400, "PGRST118", "select=order(*)&order=order(id)"), (400, "42622", f"select={'x' * 64}:id"),
            (400, "42601", "select=json->%22%22"), (400, "42803", "select=id,count()&order=json"),
        ]
    ),
    *(
        (status, code, "GET", "/odd", {"headers": {name: value}})
        for status, code, name, value in [
            (406, "PGRST107", "accept", "image/png"), (406, "PGRST106", "accept-profile", "unknown"),
            (416, "PGRST103", "range", "3-2"), (400, "PGRST122", "prefer", f"{STRICT}, unknown=1"),
            (400, "PGRST122", "prefer", f"{STRICT}, count=all"), (400, "PGRST122",
            "prefer", f"{STRICT}, timezone=Nowhere"),
        ]
    ),
    (404, "PGRST205", "GET", "/unknown", {}),
    (404, "PGRST125", "GET", "/odd/1/2", {}),
    (405, "PGRST117", "TRACE", "/odd", {}),
    (400, "22P02", "GET", "/odd/one", {}),
    (404, "PGRST202", "POST", "/rpc/unknown", {"json": {}}),
    (406, "PGRST106", "POST", "/odd", {"json": {"id": 9}, "headers": {"content-profile": "unknown"}}),
    (400, "PGRST204", "POST", "/odd", {"json": {"unknown": 1}}),
    (400, "PGRST204", "POST", "/odd?columns=unknown", {"json": {"id": 9}}),
    (400, "PGRST204", "POST", "/odd", {"content": "unknown\n1\n", "headers": CSV}),
    (400, "PGRST102", "POST", "/odd", {"content": "id,order\n1\n", "headers": CSV}),
    (400, "PGRST102", "POST", "/odd", {"content": "{"}),
    (400, "PGRST102", "POST", "/odd", {"json": 1}),
    (400, "PGRST102", "POST", "/odd", {"json": [{"id": 9}, {"order": "x"}]}),
    (400, "22P02", "POST", "/odd", {"json": {"id": "nine"}}),
    (400, "23502", "POST", "/payloads", {"json": {"id": 99, "payload": None}}),
    (400, "42703", "POST", "/odd?select=unknown", {"json": {"id": 9}}),
    (400, "PGRST122", "POST", "/odd", {"json": {"id": 9}, "headers": {"prefer": f"{STRICT}, return=all"}}),
    (406, "PGRST107", "POST", "/odd", {"json": {"id": 9}, "headers": {"accept": "image/png"}}),
    (400, "PGRST204", "PATCH", "/odd?id=eq.1", {"json": {"unknown": 1}}),
    (400, "42703", "PATCH", "/odd?unknown=eq.1", {"json": {"order": "x"}}),
    (400, "21000", "PATCH", "/odd", {"json": {"order": "x"}}),
    (405, "PGRST105", "PUT", "/odd?nothing=eq.1", {"json": {"id": 9}}),
    (400, "PGRST115", "PUT", "/odd?id=eq.1", {"json": {"id": 9}}),
    (400, "PGRST114", "PUT", "/odd?id=eq.1&limit=1", {"json": {"id": 1}}),
    (400, "21000", "DELETE", "/odd", {}),
    (400, "42703", "DELETE", "/odd?unknown=eq.1", {}),
    (400, "22P02", "DELETE", "/odd?id=eq.one", {}),
]  # fmt: skip


@pytest.fixture
def taken(odd: Odd, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What has been asked of the database: work for its lanes, streams, sessions."""
    found: list[str] = []
    enter_door, enter_gate = Door.enter, Gate.enter

    def at_the_door(door: Any, *arguments: Any, **options: Any) -> Any:
        found.append("lane")
        return enter_door(door, *arguments, **options)

    async def at_the_gate(gate: Gate) -> None:
        found.append("stream")
        await enter_gate(gate)

    monkeypatch.setattr(Door, "enter", at_the_door)
    monkeypatch.setattr(Gate, "enter", at_the_gate)
    gateway = odd.front.gateway
    assert gateway is not None
    engine = gateway.backend.engine.sync_engine

    def checked_out(*_: object) -> None:
        found.append("session")

    event.listen(engine, "checkout", checked_out)
    yield found
    event.remove(engine, "checkout", checked_out)


async def ask_all(odd: Odd) -> None:
    """Sends them all, each of which is refused as it has to be."""
    wrong = []
    for status, code, method, url, options in REFUSED:
        answer = await odd.ask(method, url, **options)
        if refusal(answer) != (status, code):
            wrong.append((method, url, options, answer.status_code, answer.text))
    assert wrong == []


async def test_what_is_refused_takes_no_connection(odd: Odd, taken: list[str]) -> None:
    await ask_all(odd)
    assert taken == []
    await odd.ask("GET", "/odd?limit=1")
    await odd.ask("POST", "/odd", json={"id": 1})  # only the database knows that this one is there
    assert taken == ["lane", "lane"]


async def test_a_function_that_there_is_not_takes_no_connection(odd: Odd, taken: list[str]) -> None:
    if odd.is_sqlite:
        pytest.skip("SQLite has no functions of its own")
    path = f"/rpc/{segment(FUNCTION)}"
    assert refusal(await odd.ask("POST", path, json={"unknown": 1})) == (404, "PGRST202")
    assert refusal(await odd.ask("DELETE", path)) == (405, "PGRST101")
    assert refusal(await odd.ask("POST", path, content="{")) == (400, "PGRST102")
    assert taken == []


async def test_what_is_refused_is_refused_while_every_connection_is_taken(odd: Odd, taken: list[str]) -> None:
    gateway = odd.front.gateway
    assert gateway is not None
    backend = gateway.backend
    async with AsyncExitStack() as stack:
        for _ in range(backend.settings.pool_size):
            await stack.enter_async_context(backend.engine.connect())
        slow = [asyncio.create_task(odd.client.get(f"/slow?select=n{number}:n")) for number in range(10)]
        waiting = asyncio.create_task(odd.client.get("/odd?id=eq.1"))
        try:
            while taken.count("lane") <= len(slow):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            taken.clear()
            await ask_all(odd)
            assert taken == []
            assert not any(task.done() for task in (*slow, waiting))
        finally:
            for task in (*slow, waiting):
                task.cancel()
            await asyncio.gather(*slow, waiting, return_exceptions=True)
