"""Surge: 1,000 connections at once on PostgreSQL, reading and then writing, with a health probe every 100 ms."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from .load import load
from .rates import requests
from .servers import Server, running
from .tables import Settings, Table, goal

CONNECTIONS = 1_000
SLOWEST_P99, SLOWEST_HEALTH = 1_500, 250  # ms
MOST_SILENT = CONNECTIONS // 10
NOTE = (
    f"{CONNECTIONS:,} connections, each asking again as soon as it is answered. Allowed: 2xx, and 503 with "
    f"`Retry-After`. Goals: nothing else, p99 under {SLOWEST_P99:,} ms, health under {SLOWEST_HEALTH} ms, at most "
    f"{MOST_SILENT} silent. Waits are over all answers, and an answer that had not come when the load ended is among "
    "none of them: `silent` is the number of connections that waited for such an answer, on average (Little's law: "
    "connections less rate times mean wait)."
)


def run(settings: Settings) -> list[Table]:
    """Surge at every peer that runs on PostgreSQL."""
    rows = []
    for peer in settings.turns("postgresql"):
        for scenario, label in (("list", "read"), ("insert", "write")):
            with settings.databases.new("postgresql") as url, running(peer, url) as server, probing(server) as health:
                seen = load(
                    server.port,
                    requests(peer)[scenario],
                    connections=CONNECTIONS,
                    threads=2,
                    seconds=settings.seconds * 2,
                    statuses=True,
                )
            fine = sum(count for status, count in seen.statuses.items() if 200 <= status < 300)
            busy = seen.statuses.get(503, 0)
            other = sum(seen.statuses.values()) - fine - busy + seen.broken
            silent = max(0.0, CONNECTIONS - seen.rate * seen.mean / 1000)
            met = not other and seen.p99 < SLOWEST_P99 and max(health) < SLOWEST_HEALTH and silent <= MOST_SILENT
            row = [f"{fine:,}", f"{busy:,}", f"{other:,}", f"{silent:.0f}"]
            row += [f"{value:,.0f}" for value in (seen.p50, seen.p99, seen.slowest, max(health))]
            rows.append([f"{peer.name}, {label}", *row, goal(met) if peer.name == "rowserve" else ""])
            print(f"surge {rows[-1]}", file=sys.stderr)
    columns = ["", "2xx", "503 + Retry-After", "other", "silent", "p50 ms", "p99 ms", "max ms", "health max ms", ""]
    return [Table("postgresql: surge", columns, rows, NOTE)]


@contextmanager
def probing(server: Server) -> Iterator[list[float]]:
    """Ask for the server's health every 100 ms, each time over a new connection; the waits in ms, infinite for none."""
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        started = time.perf_counter()
        status = server.health(timeout=30)
        waits.append((time.perf_counter() - started) * 1000 if status == 200 else float("inf"))

    def keep_asking() -> None:
        while not over.wait(0.1):
            pool.submit(ask)

    with ThreadPoolExecutor(max_workers=400) as pool:
        pool.submit(keep_asking)
        try:
            yield waits
        finally:
            over.set()
