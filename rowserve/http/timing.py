"""``Server-Timing``: where the time of a request went.

https://www.w3.org/TR/server-timing/
"""

from __future__ import annotations

from time import perf_counter


class Timing:
    """The moments of a request, in seconds.

    Attributes:
        start: when it arrived.
        parsed: when its query string was read; None for a request that has none of its own.
        begun: when its statement was handed to the database, to wait there and to run.
        ended: when that was done.
    """

    __slots__ = ("begun", "ended", "parsed", "start")

    def __init__(self) -> None:
        self.start = perf_counter()
        self.parsed: float | None = None
        self.begun: float | None = None
        self.ended: float | None = None

    def header(self) -> tuple[bytes, bytes]:
        """The header, as the answer leaves."""
        moments = {
            "parse": self.parsed,
            "plan": self.begun,
            "transaction": self.ended,
            "response": perf_counter(),
        }
        parts = []
        before = self.start
        for name, moment in moments.items():
            if moment is not None:
                parts.append(f"{name};dur={(moment - before) * 1_000:.2f}")
                before = moment
        return b"server-timing", ", ".join(parts).encode()
