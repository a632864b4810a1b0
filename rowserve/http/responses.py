"""What goes back over the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..errors import ApiError
from ..query import JSON as PLAIN
from ..query import MediaType, Preferences

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json; charset=utf-8")
VARY = (b"vary", b"Accept, Prefer, Range")
PROBLEM = (b"content-type", b"application/problem+json")


class Answer(Response):
    """A response whose headers are complete as they are given.

    Args:
        status: the HTTP status.
        headers: all headers but ``Content-Length``, which is added where a body may be.
        body: the body.
    """

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        # Starlette's own constructor would look at each header again; every request comes through here.
        self.status_code = status
        self.raw_headers = headers
        self.body = body
        self.background = None
        if status in (204, 304):
            self.body = b""  # which only a function's own error could have
        else:
            headers.append((b"content-length", b"%d" % len(body)))


class StreamedAnswer(Response):
    """A response whose body is sent as it comes; memory holds one chunk of it."""

    def __init__(self, status: int, headers: Headers, chunks: AsyncGenerator[bytes, None]) -> None:
        self.status_code = status
        self.raw_headers = headers
        self.body = b""
        self.background = None
        self.chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # Closed at once, and with it its connection, where the client has gone away.
        async with aclosing(self.chunks) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def error_answer(error: ApiError, *, problem: bool = False) -> Answer:
    """The response to an error: its four members, as ``application/problem+json`` (RFC 9457) where asked for."""
    extra = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (error.headers or {}).items()]
    if not problem:
        return Answer(error.status, [JSON, *extra], error.body())
    body = {"type": "about:blank", "title": error.message, "status": error.status, **error.members()}
    return Answer(error.status, [PROBLEM, *extra], to_json(body))


def content_type(media: MediaType) -> tuple[bytes, bytes]:
    """The header that says what a body is."""
    return JSON if media is PLAIN else (b"content-type", f"{media.name}; charset=utf-8".encode())


def add_applied(headers: Headers, preferences: Preferences, *names: str) -> None:
    """Says which of the named preferences were followed, if any were stated."""
    applied = preferences.applied(*names)
    if applied:
        headers.append((b"preference-applied", applied.encode()))
