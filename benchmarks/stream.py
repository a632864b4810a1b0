"""Stream: one million users out of ``GET /users/``, and what that does to the server's memory."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx

from .peers import LESSON, ROWSERVE, rowserve
from .servers import MB, Server, running
from .tables import Settings, Table, goal

PROGRAMS = (replace(ROWSERVE, command=rowserve("benchmarks.stream_app:app")), LESSON)
ACCEPTED = {
    "rowserve": {"rowserve": "application/json", "rowserve, NDJSON": "application/x-ndjson"},
    "lesson": {"lesson": "application/json"},
}
ROWS = 1_000_000
MOST = 40  # MB
NOTE = f"`GET /users/` over {ROWS:,} rows, read as it comes. Goal: every row, and memory grows by less than {MOST} MB."


def run(settings: Settings) -> list[Table]:
    """Read the whole table from each program on each database."""
    names = {peer.name for peer in settings.peers}
    rows = []
    for kind in settings.kinds:
        for peer in PROGRAMS:
            if peer.name in names:
                with settings.databases.new(kind, ROWS) as url, running(peer, url) as server:
                    for label, accept in ACCEPTED[peer.name].items():
                        rows.append([f"{label}, {kind}", *_stream(server, accept)])
                        print(f"stream {rows[-1]}", file=sys.stderr)
    columns = ["", "rows", "MB", "first byte s", "seconds", "memory MB", "growth MB", ""]
    return [Table("One million rows", columns, rows, NOTE)] if rows else []


def _stream(server: Server, accept: str) -> list[str]:
    address = f"http://127.0.0.1:{server.port}"
    headers = {"Accept": accept}
    httpx.get(address + "/users/17")
    before = sum(server.memory())
    count = size = 0
    first = 0.0
    started = time.perf_counter()
    with watching(server) as peak, httpx.stream("GET", address + "/users/", headers=headers, timeout=300) as response:
        for chunk in response.iter_bytes():
            first = first or time.perf_counter() - started
            size += len(chunk)
            count += chunk.count(b"}")
    seconds = time.perf_counter() - started
    growth = max(peak) - before
    answered = response.status_code == 200 and response.headers["content-type"].startswith(accept)
    met = answered and count == ROWS and growth < MOST
    figures = [f"{count:,}", f"{size / MB:.0f}", f"{first:.2f}", f"{seconds:.1f}", f"{max(peak):.0f}", f"{growth:.0f}"]
    return [*figures, goal(met) if server.peer.name == "rowserve" else ""]


@contextmanager
def watching(server: Server) -> Iterator[list[float]]:
    """Sample the server's memory every 20 ms, in MB."""
    samples = [0.0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            samples.append(sum(server.memory()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
