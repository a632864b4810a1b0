"""Rates: a list of 100, a user by id, a durable insert, at 32 connections, the peers taking turns."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection
from statistics import median

import httpx

from .load import Load, Request, load
from .peers import Peer
from .servers import Server, running
from .tables import Settings, Table, goal

SCENARIOS = {"list": "list of 100", "get": "get by id", "insert": "insert, durable"}
GOALS: dict[tuple[str, str], dict[str, float]] = {
    ("sqlite", "lesson"): {"list": 40, "get": 14, "insert": 20},
    ("postgresql", "lesson"): {"list": 18, "get": 6, "insert": 9},
    ("postgresql", "handwritten"): {"list": 0.95, "get": 0.95, "insert": 1.3},
    ("postgresql", "node"): {"list": 1, "get": 1, "insert": 1},
}
Results = dict[tuple[str, str], list[Load]]  # (peer, scenario) -> a load each round


def run(settings: Settings, scenarios: Collection[str] = tuple(SCENARIOS)) -> list[Table]:
    """Measure the peers on each database, and rowserve over them."""
    tables = []
    ratios: list[list[str]] = []
    for kind in settings.kinds:
        results: Results = defaultdict(list)
        memory: dict[str, list[float]] = defaultdict(list)
        for turn in range(settings.rounds):
            for peer in settings.turns(kind):
                with settings.databases.new(kind) as url, running(peer, url) as server:
                    check(server)
                    for scenario in scenarios:
                        measured = measure(server, scenario, settings.seconds)
                        results[peer.name, scenario].append(measured)
                        print(f"{kind} {turn + 1} {peer.name} {scenario} {measured.rate:,.0f}/s", file=sys.stderr)
                    memory[peer.name].append(sum(server.memory()))
        tables += [_rates(kind, scenario, results, memory) for scenario in scenarios]
        ratios += _ratios(kind, results)
    if ratios:
        columns = ["rowserve over", "database", "scenario", "ratio", "goal", ""]
        tables.append(Table("Ratios of the medians", columns, ratios))
    return tables


def requests(peer: Peer) -> dict[str, Request]:
    """What each scenario asks of a peer."""
    return {"list": peer.list_users, "get": peer.get_user, "insert": peer.add_user}


def measure(server: Server, scenario: str, seconds: int) -> Load:
    """Warm up for a second, then measure."""
    request = requests(server.peer)[scenario]
    load(server.port, request, seconds=1)
    return load(server.port, request, seconds=seconds)


def check(server: Server) -> None:
    """See that the server answers as it should before it is measured.

    Raises:
        AssertionError: it does not.
    """
    peer = server.peer
    users = [{"id": n, "name": f"user{n}"} for n in range(1, 101)]
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=10) as client:
        listed = client.get(peer.list_users.target % 5)
        rows = listed.json() if peer.rows is None else listed.json()[peer.rows]
        assert listed.status_code == 200, listed.text
        assert rows == users, (peer.name, rows)
        got = client.get(peer.get_user.target % 17)
        assert got.status_code == 200, got.text
        assert got.json() == users[16], (peer.name, got.text)


def _rates(kind: str, scenario: str, results: Results, memory: dict[str, list[float]]) -> Table:
    rows = []
    for (name, which), loads in results.items():
        if which != scenario:
            continue
        rates = [each.rate for each in loads]
        rows.append(
            [
                name,
                f"{median(rates):,.0f}",
                f"{min(rates):,.0f}-{max(rates):,.0f}",
                f"{median(each.p50 for each in loads):.1f}",
                f"{median(each.p99 for each in loads):.1f}",
                f"{sum(each.errors for each in loads)}",
                f"{max(memory[name]):.0f}",
            ]
        )
    columns = [kind, "req/s", "range", "p50 ms", "p99 ms", "errors", "MB"]
    return Table(f"{kind}: {SCENARIOS[scenario]}", columns, rows)


def _ratios(kind: str, results: Results) -> list[list[str]]:
    rows = []
    for (database, peer), goals in GOALS.items():
        for scenario, least in goals.items():
            ours, theirs = results.get(("rowserve", scenario)), results.get((peer, scenario))
            if database != kind or not ours or not theirs:
                continue
            ratio = median(each.rate for each in ours) / median(each.rate for each in theirs)
            rows.append([peer, kind, SCENARIOS[scenario], f"{ratio:.2f}x", f"{least}x", goal(ratio >= least)])
    return rows
