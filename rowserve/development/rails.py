"""The guard rails of an application that is being developed."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from .coroutines import Coroutines
from .loop import Watchdog
from .reports import Reports
from .statements import Statements


class GuardRails:
    """Middleware that has told on the log, ``rowserve.development``, what an application does that it should not.

    They are up from the first request on, so that nothing is said of what takes its time at the start, until the
    application ends.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._up: tuple[Watchdog, Statements, Coroutines] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                self.stop()
            return
        if self._up is None:
            self.start()
        await self.app(scope, receive, send)

    def start(self) -> None:
        """Puts them up, for the loop that is running."""
        reports = Reports()
        statements = Statements(reports)
        self._up = (Watchdog(reports, statements.look), statements, Coroutines(reports))

    def stop(self) -> None:
        """Takes them down."""
        if self._up is not None:
            for rail in self._up:
                rail.stop()
            self._up = None
