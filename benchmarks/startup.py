"""Startup: from the start of the process to the first 200 of health, and the memory of an idle server."""

from __future__ import annotations

import sys
import time
from statistics import median

from .servers import running
from .tables import Settings, Table, goal

SLOWEST, MOST = 1.5, 90  # seconds, MB
NOTE = (
    "The median of up to three starts; memory two seconds after it was ready. Goals: ready in under "
    f"{SLOWEST} s, the largest process (the worker) under {MOST} MB."
)


def run(settings: Settings) -> list[Table]:
    """Start every peer on each database, in turns."""
    seen: dict[tuple[str, str], list[tuple[float, list[float]]]] = {}
    for _ in range(min(settings.rounds, 3)):
        for kind in settings.kinds:
            for peer in settings.turns(kind):
                with settings.databases.new(kind) as url, running(peer, url) as server:
                    time.sleep(2)
                    seen.setdefault((peer.name, kind), []).append((server.ready_after, server.memory()))
    rows = []
    for (name, kind), starts in seen.items():
        seconds = median(ready for ready, _ in starts)
        largest, total = max(sizes[0] for _, sizes in starts), max(sum(sizes) for _, sizes in starts)
        met = goal(seconds < SLOWEST and largest < MOST) if name == "rowserve" else ""
        rows.append([f"{name}, {kind}", f"{seconds:.2f}", f"{largest:.0f}", f"{total:.0f}", met])
        print(f"startup {rows[-1]}", file=sys.stderr)
    return [Table("Startup", ["", "ready s", "worker MB", "all processes MB", ""], rows, NOTE)]
