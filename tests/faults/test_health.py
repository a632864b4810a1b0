"""Health answers fast, whatever else is going on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from tests.processes import Served, eventually

from .test_admission import an_application, answers, lanes, prepare, send


@pytest.mark.anyio
async def test_health_while_everything_is_busy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rowserve.server.front.HEALTH_AGE", 0.05)
    async with an_application(database_url, seconds=2, max_waiting=50) as client:
        busy = [asyncio.create_task(client.get("/session")) for _ in range(8)]
        for n in range(lanes(database_url) * 3):
            busy.append(asyncio.create_task(client.get(f"/slow?id=lt.{n + 2}")))
            busy.append(asyncio.create_task(client.post("/authors", json={"name": "slow"})))
            await asyncio.sleep(0.01)
        slowest = 0.0
        for _ in range(10):
            start = time.monotonic()
            health = await client.get("/_rowserve/health")
            slowest = max(slowest, time.monotonic() - start)
            assert (health.status_code, health.json()) == (200, {"status": "ready"})
            await asyncio.sleep(0.06)
        assert slowest < 1
        assert {response.status_code for response in await asyncio.gather(*busy)} <= {500, 503}


@pytest.mark.anyio
async def test_health_follows_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rowserve.server.front.HEALTH_AGE", 0.05)
    file = tmp_path / "test.db"
    async with an_application(f"sqlite:///{file}", seconds=2) as client:
        assert (await client.get("/_rowserve/health")).status_code == 200
        content = file.read_bytes()
        file.rename(tmp_path / "moved.db")
        file.write_text("Dear Ada, " * 1_000)
        await until_health_is(client, 503)
        assert (await client.get("/_rowserve/health")).headers["retry-after"]
        file.write_bytes(content)
        await until_health_is(client, 200)


async def until_health_is(client: httpx.AsyncClient, status: int) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/_rowserve/health")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


STREAMED = """
from fastapi import FastAPI
from rowserve import Database, Resource
from tests.faults.test_admission import Author

db = Database(timeout=1)
app = FastAPI(lifespan=db.lifespan)
app.include_router(Resource(Author, max_rows=None))
"""


@pytest.mark.parametrize("command", [(), ("uvicorn", "streamed:app", "--port", "{port}")], ids=["granian", "uvicorn"])
def test_streams_whose_readers_go_away_make_room(database_url: str, tmp_path: Path, command: tuple[str, ...]) -> None:
    prepare(database_url)
    (tmp_path / "streamed.py").write_text(STREAMED)
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    arguments = () if command else ("streamed:app",)
    server = Served(*arguments, database=database_url, cwd=tmp_path, command=command, environment=environment)
    try:
        eventually(lambda: answers(server, "/authors"), within=20)
        rows = [{"name": "x" * 200} for _ in range(20_000)]
        added = httpx.post(f"{server.url}/authors", json=rows, headers={"Prefer": "return=minimal"}, timeout=30)
        assert added.status_code in (201, 500), added.text
        for _ in range(12):  # of which four at a time may be open
            client = send(server, "GET /authors HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            client.close()
        whole = httpx.get(f"{server.url}/authors", timeout=20)
        assert whole.status_code == 200
        assert len(whole.json()) == 20_000
        assert "Traceback" not in server.output, server.output
    finally:
        server.__exit__(None, None, None)
