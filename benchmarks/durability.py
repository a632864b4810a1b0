"""Durability: kill -9 during inserts; after a restart every answered row is there, once."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import httpx

from .peers import Peer
from .servers import Server, running
from .tables import Settings, Table, goal

CLIENTS = 32
NOTE = (
    f"{CLIENTS} clients insert, the server is killed with SIGKILL, started again and asked. `lost`: answered with 2xx "
    "and not there. `twice`: there more than once. `unanswered`: there, though the kill came before the answer, which "
    "is allowed. Goal: none lost, none twice. The machine itself keeps running: whether a commit reaches the disk is the "
    "synchronous settings' word, which are the databases' defaults."
)


def run(settings: Settings) -> list[Table]:
    """Kill every peer on each database."""
    rows = []
    for kind in settings.kinds:
        for peer in settings.turns(kind):
            rows.append([f"{peer.name}, {kind}", *_killed(settings, peer, kind)])
            print(f"durability {rows[-1]}", file=sys.stderr)
    return [Table("kill -9", ["", "answered", "lost", "twice", "unanswered", ""], rows, NOTE)]


def _killed(settings: Settings, peer: Peer, kind: str) -> list[str]:
    answered: list[str] = []
    with settings.databases.new(kind) as url:
        with running(peer, url) as server:
            asyncio.run(_insert_until_killed(server, settings.seconds, answered))
        with running(peer, url) as server:
            again = httpx.get(f"http://127.0.0.1:{server.port}{peer.get_user.target % 17}")
            there = Counter(name for name in settings.databases.names(url) if name.startswith("kept"))
    lost = sum(name not in there for name in answered)
    twice = sum(count > 1 for count in there.values())
    met = bool(answered) and again.status_code == 200 and not lost and not twice
    figures = [f"{len(answered):,}", str(lost), str(twice), str(len(there.keys() - set(answered)))]
    return [*figures, goal(met)]


async def _insert_until_killed(server: Server, seconds: float, answered: list[str]) -> None:
    """Insert from all clients at once; kill the server under them; remember every name that was answered with 2xx."""
    request = server.peer.add_user

    async def insert(client: httpx.AsyncClient, number: int) -> None:
        count = number
        while True:
            count += CLIENTS
            target, body = (text.replace("new%d", f"kept{count}") for text in (request.target, request.body))
            try:
                response = await client.post(target, content=body, headers={"content-type": "application/json"})
            except httpx.TransportError:
                return
            if response.is_success:
                answered.append(f"kept{count}")

    address = f"http://127.0.0.1:{server.port}"
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=10) as client, asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(insert(client, number))
        await asyncio.sleep(seconds)
        server.kill()
