"""Bulk: 10,000 rows in one POST beside raw asyncpg, and what a body of 10 MB does to the server's memory."""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from collections.abc import Callable
from statistics import median

import asyncpg

from .peers import ROWSERVE
from .servers import Server, running
from .stream import watching
from .tables import Settings, Table, goal

ROWS = 10_000
TURNS = 5  # a round
LEAST = 0.7
BODY = 10_000_000  # bytes: what a request may have
SIZES = (("short", 0), ("medium", 85), ("long", 1_000))  # characters of a name
MOST = 40  # MB
BULK_NOTE = (
    f"{ROWS:,} users in one `POST` with `Prefer: return=minimal`, beside a plain asyncpg script that is given the same "
    "JSON text and does it without HTTP and without checking: `json.loads` and `executemany`, or "
    "`INSERT … SELECT … FROM json_to_recordset($1)`. All of them commit. They take turns, each in a database of its "
    f"own; the ratio is the median of the turns' ratios to the faster of the two. Goal: {LEAST}."
)
MEMORY_NOTE = (
    f"A `POST` of {BODY // 1_000_000} MB with `Prefer: return=minimal`, after one of 100 rows. `short` rows are users "
    "as they are, so that there are very many; `medium` ones have about 100 bytes, `long` ones 1,000. Goal: all rows "
    f"are there, and memory grows by less than {MOST} MB."
)
EXECUTEMANY = "insert into users (name) values ($1)"
RECORDSET = "insert into users (name) select name from json_to_recordset($1::json) as given(name text)"
Insert = Callable[[str], None]


def run(settings: Settings) -> list[Table]:
    """Insert in bulk on PostgreSQL, and 10 MB on each database."""
    tables = []
    if ROWSERVE in settings.peers and "postgresql" in settings.kinds:
        tables.append(_bulk(settings))
    if ROWSERVE in settings.peers:
        tables.append(_memory(settings))
    return tables


def _bulk(settings: Settings) -> Table:
    with (
        settings.databases.new("postgresql") as url,
        settings.databases.new("postgresql") as by_row,
        settings.databases.new("postgresql") as by_set,
        running(ROWSERVE, url) as server,
        asyncio.Runner() as runner,
    ):
        connections = [runner.run(asyncpg.connect(raw)) for raw in (by_row, by_set)]
        ways: dict[str, Insert] = {
            "rowserve": lambda text: _post(server, text),
            "asyncpg, executemany": lambda text: runner.run(_executemany(connections[0], text)),
            "asyncpg, json_to_recordset": lambda text: runner.run(_recordset(connections[1], text)),
        }
        seconds = _take_turns(ways, settings.rounds * TURNS)
        for connection in connections:
            runner.run(connection.close())
        expected = 100 + ROWS * (settings.rounds * TURNS + 1)
        for each in (url, by_row, by_set):
            assert len(settings.databases.names(each)) == expected
    ours, *theirs = seconds.values()
    best = min(theirs, key=median)
    rows = []
    for name, times in seconds.items():
        span = f"{min(times) * 1000:.0f}-{max(times) * 1000:.0f}"
        rows.append([name, f"{median(times) * 1000:.0f}", span, f"{ROWS / median(times):,.0f}", "", ""])
    ratios = [theirs / ours for ours, theirs in zip(ours, best, strict=True)]
    rows[0][-2:] = [f"{median(ratios):.2f}x", goal(median(ratios) >= LEAST)]
    for row in rows:
        print(f"bulk {row}", file=sys.stderr)
    return Table("postgresql: bulk insert", ["", "ms", "range", "rows/s", "ratio", ""], rows, BULK_NOTE)


def _take_turns(ways: dict[str, Insert], turns: int) -> dict[str, list[float]]:
    """How long each way took, turn by turn, every other turn backwards; the first turn, to warm up, is left out."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        text = json.dumps([{"name": f"bulk{turn}x{number}"} for number in range(ROWS)])
        for name, insert in list(ways.items())[:: -1 if turn % 2 else 1]:
            started = time.perf_counter()
            insert(text)
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _post(server: Server, text: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"Content-Type": "application/json", "Prefer": "return=minimal"}
    connection.request("POST", "/users/", text.encode(), headers)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    assert response.status == 201, answer


async def _executemany(connection: asyncpg.Connection, text: str) -> None:
    await connection.executemany(EXECUTEMANY, [(row["name"],) for row in json.loads(text)])


async def _recordset(connection: asyncpg.Connection, text: str) -> None:
    await connection.execute(RECORDSET, text)


def _memory(settings: Settings) -> Table:
    rows = []
    for kind in settings.kinds:
        for label, length in SIZES:
            with settings.databases.new(kind) as url, running(ROWSERVE, url) as server:
                users, text = _body(length)
                _post(server, json.dumps([{"name": f"new{number}"} for number in range(100)]))
                before = sum(server.memory())
                started = time.perf_counter()
                with watching(server) as samples:
                    _post(server, text)
                seconds = time.perf_counter() - started
                there = len(settings.databases.names(url)) - 200
            growth = max(samples) - before
            figures = [f"{users:,}", f"{seconds:.1f}", f"{max(samples):.0f}", f"{growth:.0f}"]
            rows.append([f"{label}, {kind}", *figures, goal(there == users and growth < MOST)])
            print(f"bulk memory {rows[-1]}", file=sys.stderr)
    return Table("A body of 10 MB", ["", "rows", "seconds", "memory MB", "growth MB", ""], rows, MEMORY_NOTE)


def _body(length: int) -> tuple[int, str]:
    """How many users fit, and the JSON text of them, their names ``length`` characters long or as short as can be."""
    size, rows = 1, list[str]()
    while True:
        row = f'{{"name":"{f"user{len(rows)}":x<{length}}"}}'
        size += len(row) + 1
        if size > BODY:
            return len(rows), f"[{','.join(rows)}]"
        rows.append(row)
