"""Cross-origin requests: what a page in a browser may ask of the API, and see of its answers."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Pages that this very machine serves, as a frontend does while it is being developed."""
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
EXPOSED = (
    "Content-Encoding", "Content-Location", "Content-Range", "Content-Type", "Date", "ETag", "Link", "Location",
    "Preference-Applied", "Proxy-Status", "Range-Unit", "Retry-After", "Server", "Transfer-Encoding",
)  # fmt: skip


class CrossOrigin:
    """Lets pages of some origins use an application.

    Args:
        app: the application.
        origins: who besides pages on this machine; ``*`` for everybody.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()) -> None:
        self.app = app
        self.cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_origin_regex=LOOPBACK,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, _ in scope["headers"]:
                if name == b"origin":
                    await self.cors(scope, receive, send)
                    return
        await self.app(scope, receive, send)
