"""kill -9 in the middle of inserts: what was answered 201 is stored, once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.processes import Served

CLIENTS = 32


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_answered_insert_survives_kill_9(database_url: str, tmp_path: Path, workers: str) -> None:
    answered: list[tuple[int, str]] = []
    with Served("--workers", workers, database=database_url, cwd=tmp_path) as server:
        enough = threading.Event()

        def insert(client: int) -> None:
            with httpx.Client(base_url=server.url, timeout=10, trust_env=False) as http:
                for number in range(1_000):
                    try:
                        response = http.post("/users", json={"name": f"{client}-{number}"})
                    except httpx.TransportError:
                        return
                    assert response.status_code == 201, response.text
                    answered.append((response.json()["id"], response.json()["name"]))
                    if len(answered) > 400:
                        enough.set()

        with ThreadPoolExecutor(CLIENTS) as executor:
            futures = [executor.submit(insert, client) for client in range(CLIENTS)]
            assert enough.wait(30)
            time.sleep(0.05)
            server.kill()
            for future in futures:
                future.result(timeout=20)
    with Served("--max-rows", "100000", database=database_url, cwd=tmp_path) as server:
        stored = [(row["id"], row["name"]) for row in server.client.get("/users").json()]
    assert set(answered) <= set(stored)
    assert max(Counter(name for _, name in stored).values()) == 1
    assert len(stored) <= len(answered) + CLIENTS
