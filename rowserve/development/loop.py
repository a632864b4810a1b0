"""Blocking calls on the event loop: a thread looks at what the loop is doing when it does not answer."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable

from .places import innermost, outwards
from .reports import Reports

INTERVAL = 0.05
"""Seconds between two looks."""
PATIENCE = 0.1
"""Seconds that the loop has to answer."""


class Watchdog:
    """Asks the running loop again and again to answer.

    Args:
        reports: told of what keeps it from answering.
        tick: called on the loop each time that it answers.
    """

    def __init__(self, reports: Reports, tick: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._reports = reports
        self._tick = tick
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rowserve-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; may be called on the loop."""
        self._stopped.set()
        self._answered.set()

    def _answer(self) -> None:
        self._answered.set()
        self._tick()

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._answered.clear()
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:  # the loop is closed
                return
            if self._answered.wait(PATIENCE):
                continue
            self._look()
            self._answered.wait()

    def _look(self) -> None:
        place = innermost(outwards(sys._current_frames().get(self._thread_id)))
        if not self._answered.is_set():
            self._reports.tell(
                "blocking",
                place,
                f"this has kept the event loop from everything else for more than {PATIENCE} s. Await an async library "
                "instead, or `await asyncio.to_thread(…)`; an endpoint without async, `def`, runs on a thread too.",
            )
