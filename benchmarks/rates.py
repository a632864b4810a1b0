"""Rates: a list of 100, a user by id, a durable insert, at 32 connections, the peers taking turns."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import ExitStack
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
Results = dict[str, list[Load]]  # each peer, a load each round


def run(settings: Settings, scenarios: Collection[str] = tuple(SCENARIOS)) -> list[Table]:
    """Measure the peers on each database, and rowserve over them."""
    tables: list[Table] = []
    ratios: list[list[str]] = []
    for kind in settings.kinds:
        with ExitStack() as stack:
            servers = [
                stack.enter_context(running(peer, stack.enter_context(settings.databases.new(kind))))
                for peer in settings.turns(kind)
            ]
            for server in servers:
                check(server)
            results = {scenario: take_turns(servers, scenario, kind, settings) for scenario in scenarios}
            memory = {server.peer.name: sum(server.memory()) for server in servers}
        for scenario, loads in results.items():
            tables.append(_rates(f"{kind}: {SCENARIOS[scenario]}", loads, memory))
            ratios += _ratios(kind, scenario, loads)
    if ratios:
        columns = ["rowserve over", "database", "scenario", "ratio", "range", "goal", ""]
        note = "The median of the rounds' ratios: in each round the peers were measured one straight after the other."
        tables.append(Table("Ratios", columns, ratios, note))
    return tables


def take_turns(servers: list[Server], scenario: str, kind: str, settings: Settings) -> Results:
    """Load the servers one after the other, round after round, every other round backwards."""
    results: Results = {server.peer.name: [] for server in servers}
    for turn in range(settings.rounds):
        for server in servers[::-1] if turn % 2 else servers:
            measured = measure(server, scenario, settings.seconds)
            results[server.peer.name].append(measured)
            print(f"{kind} {scenario} {turn + 1} {server.peer.name} {measured.rate:,.0f}/s", file=sys.stderr)
    return results


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


def _rates(title: str, results: Results, memory: dict[str, float]) -> Table:
    rows = []
    for name, loads in results.items():
        rates = [each.rate for each in loads]
        rows.append(
            [
                name,
                f"{median(rates):,.0f}",
                f"{min(rates):,.0f}-{max(rates):,.0f}",
                f"{median(each.p50 for each in loads):.1f}",
                f"{median(each.p99 for each in loads):.1f}",
                f"{sum(each.errors for each in loads)}",
                f"{memory[name]:.0f}",
            ]
        )
    return Table(title, ["", "req/s", "range", "p50 ms", "p99 ms", "errors", "MB"], rows)


def _ratios(kind: str, scenario: str, results: Results) -> list[list[str]]:
    rows = []
    for (database, peer), goals in GOALS.items():
        if database != kind or peer not in results or "rowserve" not in results:
            continue
        rounds = zip(results["rowserve"], results[peer], strict=True)
        ratios = [ours.rate / theirs.rate for ours, theirs in rounds]
        ratio, least = median(ratios), goals[scenario]
        span = f"{min(ratios):.2f}-{max(ratios):.2f}"
        rows.append([peer, kind, SCENARIOS[scenario], f"{ratio:.2f}x", span, f"{least}x", goal(ratio >= least)])
    return rows
