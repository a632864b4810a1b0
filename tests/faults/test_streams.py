"""Streams over a real server: what goes wrong in the middle is not taken for the end."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.processes import Served, eventually

from .test_admission import answers

ROWS = 5_000
COMMANDS = [(), ("uvicorn", "streamed:app", "--port", "{port}")]
STREAMED = """
from rowserve.server.application import create

app = create()
"""


@pytest.mark.parametrize("command", COMMANDS, ids=["granian", "uvicorn"])
def test_an_error_in_the_middle_cuts_the_stream(database_url: str, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "streamed.py").write_text(STREAMED)
    with Served(database=database_url, cwd=tmp_path, command=command) as server:
        eventually(lambda: answers(server, "/users"), within=20)
        rows = [{"name": str(number)} for number in range(ROWS)] + [{"name": "no number"}]
        added = httpx.post(f"{server.url}/users", json=rows, headers={"Prefer": "return=minimal"}, timeout=30)
        assert added.status_code == 201, added.text
        url = f"{server.url}/users?select=name::int"
        headers = {"Accept": "application/x-ndjson"}

        whole = httpx.get(f"{url}&id=lte.{ROWS}", headers=headers, timeout=20)
        assert (whole.status_code, len(whole.text.splitlines())) == (200, ROWS)

        with httpx.stream("GET", url, headers=headers, timeout=20) as answer:
            assert answer.status_code == 200
            chunks: list[bytes] = []
            with pytest.raises(httpx.RemoteProtocolError):
                chunks.extend(answer.iter_bytes())
        assert 0 < b"".join(chunks).count(b"\n") <= ROWS

        first = httpx.get(f"{url}&order=id.desc", headers=headers, timeout=20)
        assert (first.status_code, first.json()["code"]) == (400, "22P02")
