"""What is asked, and whether the one who asked is still there."""

from __future__ import annotations

import asyncio
from asyncio import Future, Task
from collections.abc import Sequence
from time import perf_counter
from typing import Any
from urllib.parse import quote

from starlette.types import Receive, Scope

from ..context import Context as Asking
from ..query import JSON, MediaType, Preferences, negotiate, parse_preferences, read_range
from .timing import Timing

PATIENCE = 0.25
"""Seconds a request may take before it is watched whether its client is still there."""
NO_PREFERENCES = Preferences()
PLAIN_JSON = frozenset({b"*/*", b"application/json"})
"""What most clients accept, known without a look at its parts."""


class ClientGone(Exception):  # noqa: N818 - it is no error of anybody's
    """The client went away before its answer was ready."""


class Request:
    """A request to a resource.

    Args:
        scope: the ASGI scope.
        receive: the ASGI channel of the body.
        key: the primary key in the path, one text for each of its columns; None for the collection.
        caller: who asks, where that decides over what is answered.

    Attributes:
        is_queried: whether its query string came in its body, so that no URL says the same.
        timing: where its time goes, if that is to be told.
    """

    __slots__ = ("caller", "headers", "is_queried", "key", "preferences", "receive", "scope", "timing")

    def __init__(self, scope: Scope, receive: Receive, key: Sequence[str] | None, caller: Asking | None = None) -> None:
        self.scope = scope
        self.caller = caller
        self.receive = receive
        self.key = key
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.preferences = self._preferences() if b"prefer" in self.headers else NO_PREFERENCES
        self.is_queried = False
        self.timing: Timing | None = None

    def _preferences(self) -> Preferences:
        values = [value for name, value in self.scope["headers"] if name == b"prefer"]
        return parse_preferences(b", ".join(values).decode("latin-1"))

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def query_string(self) -> str:
        raw: bytes = self.scope["query_string"]
        return raw.decode("utf-8", "surrogateescape")

    @property
    def path(self) -> str:
        """The path as the client knows it, percent-encoded."""
        path: str = self.scope["path"]
        root: str = self.scope.get("root_path", "")
        # A mounted application finds its root in the path; behind a proxy that has cut it off, it does not.
        return quote(path if path.startswith(f"{root}/") else root + path)

    @property
    def is_plain(self) -> bool:
        """Whether no header asks for anything but rows as JSON: that of nearly all requests."""
        headers = self.headers
        return (
            self.preferences is NO_PREFERENCES
            and headers.get(b"accept", b"*/*") in PLAIN_JSON
            and b"range" not in headers
            and not self.is_queried
        )

    @property
    def range(self) -> tuple[int, int | None] | None:
        """The offset and the limit that a ``Range`` header asks for; it means something to GET alone."""
        header = self.headers.get(b"range")
        return None if header is None or self.method != "GET" else read_range(header.decode("latin-1"))

    def media_type(self, *, explain: bool = False) -> MediaType:
        """What the client wants the answer to look like.

        Args:
            explain: whether plans may be answered with.

        Raises:
            ApiError: 406, where it accepts nothing that it could be answered with.
        """
        accept = self.headers.get(b"accept", b"*/*")
        return JSON if accept in PLAIN_JSON else negotiate(accept.decode("latin-1"), explain=explain)

    def with_query(self, query_string: bytes) -> Request:
        """The GET that asks for what this request asks for with a query string in its body."""
        strings = [string for string in (self.scope["query_string"], query_string) if string]
        scope = {**self.scope, "method": "GET", "query_string": b"&".join(strings)}
        request = Request(scope, self.receive, self.key, self.caller)
        request.is_queried = True
        request.timing = self.timing
        return request

    async def outcome(self, future: Future[Any]) -> Any:
        """The future's result. Where that takes long, it is watched whether the client is still there.

        Raises:
            ClientGone: it is not; the future is cancelled, and with it what the database does for it.
        """
        if self.timing is not None:
            self.timing.begun = perf_counter()
        watch = Watch(future, self.receive)
        timer = future.get_loop().call_later(PATIENCE, watch.start)
        try:
            return await future
        except asyncio.CancelledError:
            if watch.gone:
                raise ClientGone from None
            raise
        finally:
            timer.cancel()
            watch.stop()
            if self.timing is not None:
                self.timing.ended = perf_counter()


class Watch:
    """Cancels a future when the client goes away."""

    __slots__ = ("future", "gone", "receive", "task")

    def __init__(self, future: Future[Any], receive: Receive) -> None:
        self.future = future
        self.receive = receive
        self.gone = False
        self.task: Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self.future.cancel()

    def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
