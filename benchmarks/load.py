"""The load: wrk (https://github.com/wg/wrk), with requests made in Lua so that no two are alike."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(__file__).parent / "wrk"
PATIENCE = 30  # seconds: wrk leaves answers slower than this out of its figures


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent over and over. ``%d`` in the target or body becomes a number.

    Args:
        spread: 0 to count up, N for a number at random from 1 to N.
        authorization: the header; none where it is empty.
    """

    method: str
    target: str
    body: str = ""
    spread: int = 0
    authorization: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests a second, milliseconds, answers of 400 and above, and answers that never came."""

    rate: float
    p50: float
    p99: float
    mean: float
    slowest: float
    refused: int
    broken: int
    statuses: Mapping[int, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """All that was not a good answer."""
        return self.refused + self.broken


def load(
    port: int, request: Request, *, connections: int = 32, seconds: int, threads: int = 1, statuses: bool = False
) -> Load:
    """Load the server on ``port`` for so many seconds.

    Args:
        statuses: count each status too, which costs wrk some of its speed. A 503 without ``Retry-After`` counts as 599.
    """
    script = "statuses.lua" if statuses else "requests.lua"
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", f"--timeout={PATIENCE}s", f"-s{script}"]
    command += [f"http://127.0.0.1:{port}", "--", request.method, request.target, request.body, str(request.spread)]
    if request.authorization:
        command += [request.authorization]
    done = subprocess.run(
        command, cwd=SCRIPTS, capture_output=True, check=True, text=True, timeout=seconds + PATIENCE + 10
    )
    totals, *counts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    seen: Counter[int] = Counter()
    for count in counts:
        seen[count["status"]] += count["count"]
    return Load(
        rate=totals["requests"] / totals["microseconds"] * 1e6,
        p50=totals["p50"] / 1000,
        p99=totals["p99"] / 1000,
        mean=totals["mean"] / 1000,
        slowest=totals["max"] / 1000,
        refused=totals["refused"],
        broken=totals["broken"],
        statuses=dict(sorted(seen.items())),
    )
