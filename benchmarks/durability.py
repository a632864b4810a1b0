"""Durability: kill -9 during inserts; after a restart every answered row is there, once."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import Counter
from contextlib import suppress

import httpx

from .load import Request
from .peers import Peer
from .servers import Server, running
from .tables import Settings, Table, goal

CLIENTS = 32
NOTE = (
    f"{CLIENTS} clients insert, the server is killed with SIGKILL, started again and asked. `lost`: answered with 2xx "
    "and not there. `twice`: there more than once. `unanswered`: there, though the kill came before the answer, which "
    "is allowed. Goal: none lost, none twice. The machine itself keeps running, and with it PostgreSQL: that a commit "
    "has reached the disk is the word of the synchronous settings, which nobody turns down."
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
    async with asyncio.TaskGroup() as group:
        for client in range(CLIENTS):
            group.create_task(_insert(server, client, answered))
        await asyncio.sleep(seconds)
        server.kill()


async def _insert(server: Server, client: int, answered: list[str]) -> None:
    """Insert over one connection until it breaks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with suppress(OSError, asyncio.IncompleteReadError):
        for count in itertools.count():
            name = f"kept{client}x{count}"
            writer.write(_encoded(server.peer.add_user, name))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(maxsplit=1)[0]))
            if head.split()[1].startswith(b"2"):
                answered.append(name)
    writer.close()


def _encoded(request: Request, name: str) -> bytes:
    target, body = (text.replace("new%d", name) for text in (request.target, request.body))
    return (
        f"{request.method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    ).encode()
