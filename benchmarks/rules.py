"""Rules: what the get of one row costs under a rule for who asks, beside the same without."""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import median

import httpx
import jwt

from .load import Load, Request, load
from .peers import ROWSERVE, rowserve
from .rules_app import SECRET
from .servers import Server, running
from .tables import Settings, Table, goal

PROGRAM = replace(ROWSERVE, command=rowserve("benchmarks.rules_app:app"))
LEAST = 0.6
AUTHORIZATION = f"Bearer {jwt.encode({'sub': 'ada', 'least': 0}, SECRET, algorithm='HS256')}"
GETS = {
    "without": Request("GET", "/plain/%d", spread=100, authorization=AUTHORIZATION),
    "rule, JWT": Request("GET", "/token/%d", spread=100, authorization=AUTHORIZATION),
    "rule, own Depends": Request("GET", "/depends/%d", spread=100, authorization=AUTHORIZATION),
}
NOTE = (
    "Get of one row of an application (`rowserve serve app:app`) at 32 connections: under no rule; under one that "
    "compares a column with a claim, for the bearer of a JWT; and for a user whom a dependency of the app's own has "
    f"found, which FastAPI solves. Goal: at least {LEAST} of the rate without, turn by turn."
)


def run(settings: Settings) -> list[Table]:
    """Measure the three in turns."""
    if ROWSERVE.name not in {peer.name for peer in settings.peers}:
        return []
    rows = []
    for kind in settings.kinds:
        with settings.databases.new(kind) as url, running(PROGRAM, url) as server:
            _check(server)
            loads: dict[str, list[Load]] = {name: [] for name in GETS}
            for turn in range(settings.rounds):
                for name in list(GETS)[:: -1 if turn % 2 else 1]:
                    load(server.port, GETS[name], seconds=1)
                    loads[name].append(load(server.port, GETS[name], seconds=settings.seconds))
                    print(f"{kind} rules {turn + 1} {name} {loads[name][-1].rate:,.0f}/s", file=sys.stderr)
        rows += _rows(kind, loads)
    return [Table("Get of one row under a rule", ["", "req/s", "p99 ms", "errors", "ratio", "range", ""], rows, NOTE)]


def _check(server: Server) -> None:
    """See that who asks decides."""
    url = f"http://127.0.0.1:{server.port}"
    for request in GETS.values():
        target = url + request.target % 5
        assert httpx.get(target, headers={"authorization": AUTHORIZATION}).json()["id"] == 5
    assert httpx.get(f"{url}/token/5").status_code == 404


def _rows(kind: str, loads: dict[str, list[Load]]) -> list[list[str]]:
    rows = []
    for name, each in loads.items():
        row = [f"{name}, {kind}", f"{median(one.rate for one in each):,.0f}"]
        row += [f"{median(one.p99 for one in each):.1f}", str(sum(one.errors for one in each)), "", "", ""]
        if name != "without":
            ratios = [ours.rate / plain.rate for ours, plain in zip(each, loads["without"], strict=True)]
            row[-3:] = [f"{median(ratios):.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}", goal(median(ratios) >= LEAST)]
        rows.append(row)
    return rows
