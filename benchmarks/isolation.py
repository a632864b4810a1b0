"""Isolation: what reads feel while 8 clients each run a one-second query through the app's own session."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .load import Request, load
from .peers import LESSON, ROWSERVE, rowserve
from .servers import running
from .tables import Settings, Table, goal

PROGRAMS = (replace(ROWSERVE, command=rowserve("benchmarks.isolation_app:app")), LESSON)
SLOW = Request("GET", "/slow")
MOST = 3
NOTE = (
    "p99 of list reads at 16 connections, alone and while 8 clients each run `select pg_sleep(1)` over and over in an "
    f"endpoint of the app's own. Goal: at most {MOST} times."
)


def run(settings: Settings) -> list[Table]:
    """Measure reads alone, then beside the slow clients."""
    names = {peer.name for peer in settings.peers}
    rows = []
    for peer in PROGRAMS:
        if peer.name not in names or "postgresql" not in settings.kinds:
            continue
        with settings.databases.new("postgresql") as url, running(peer, url) as server, ThreadPoolExecutor() as pool:
            reads = peer.list_users
            load(server.port, reads, connections=16, seconds=1)
            alone = load(server.port, reads, connections=16, seconds=settings.seconds)
            slow = pool.submit(load, server.port, SLOW, connections=8, seconds=settings.seconds + 1)
            beside = load(server.port, reads, connections=16, seconds=settings.seconds)
            errors = alone.errors + beside.errors + slow.result().errors
        ratio = beside.p99 / alone.p99
        row = [f"{alone.rate:,.0f}", f"{beside.rate:,.0f}", f"{slow.result().rate:.1f}"]
        row += [f"{alone.p99:.1f}", f"{beside.p99:.1f}", f"{ratio:.2f}x", str(errors)]
        rows.append([peer.name, *row, goal(ratio <= MOST and not errors) if peer.name == "rowserve" else ""])
        print(f"isolation {rows[-1]}", file=sys.stderr)
    columns = ["", "reads/s alone", "beside", "slow/s", "p99 ms alone", "beside", "ratio", "errors", ""]
    return [Table("postgresql: isolation", columns, rows, NOTE)] if rows else []
