"""The front door of a served application: requests for resources go straight to them, health has a lane of its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..database import opened
from ..http.responses import JSON, Answer
from .gateway import Gateway

DOCUMENT = "/openapi.json"
PAGES = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc", DOCUMENT})
"""What an application without code has at paths that could be those of tables."""
HEALTH_PATH = "/_rowserve/health"
HEALTH_AGE = 1.0
"""Seconds after which the databases are asked again how they are."""


class Served(Protocol):
    """What is at a path: a resource."""

    async def serve(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None: ...


class FrontDoor:
    """An ASGI application in front of another.

    Args:
        app: the application.
        resources: by path, those of its resources that may be reached past it: nothing in the application, no
            middleware and no dependency, has a say in their requests.
    """

    def __init__(self, app: ASGIApp, resources: Mapping[str, Served] | None = None) -> None:
        self.app = app
        self.resources: Mapping[str, Served] = resources or {}
        self.gateway: Gateway | None = None
        self._healthy = False
        self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            # "/users/7" and "/users/", or "/users"; the prefix itself may have several parts.
            prefix, _, key = path.rpartition("/")
            resource = self.resources.get(prefix)
            if resource is not None:
                await resource.serve(scope, receive, send, key or None)
                return
            resource = self.resources.get(path)
            if resource is not None:
                await resource.serve(scope, receive, send, None)
                return
            if path == HEALTH_PATH:
                answer = await self.health()
                await answer(scope, receive, send)
                return
            if self.gateway is not None and path == DOCUMENT and scope["method"] == "GET":
                # Past FastAPI, which would have everybody wait while it makes one.
                document = await self.gateway.document(self.gateway.schemas[0])
                await Answer(200, [JSON], document)(scope, receive, send)
                return
            if self.gateway is not None and path not in PAGES:
                answered = await self.gateway.answer(scope, receive)
                await answered(scope, receive, send)
                return
        elif scope["type"] == "lifespan":
            await self.lifespan(scope, receive, frozen_after_startup(send))
            return
        await self.app(scope, receive, send)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's lifespan. That a database cannot be reached is told in one sentence, not in a traceback."""
        failure: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal failure
            if message["type"] == "lifespan.startup.failed":
                failure = message
            else:
                await send(message)

        try:
            await self.app(scope, receive, sending)
        except ConnectionError as error:
            if failure is None:
                raise
            await send({**failure, "message": str(error)})
        except BaseException:
            if failure is not None:
                await send(failure)
            raise

    async def health(self) -> Answer:
        """200 when the databases answer, else 503. They are asked in the background: a probe waits for nobody."""
        now = asyncio.get_running_loop().time()
        if now - self._asked > HEALTH_AGE and self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        if self._asked == float("-inf") and self._asking is not None:
            await asyncio.shield(self._asking)
        if self._healthy:
            return Answer(200, [JSON], b'{"status":"ready"}')
        return Answer(503, [JSON, (b"retry-after", b"1")], b'{"status":"unavailable"}')

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(5):
                await asyncio.gather(*(database.ping() for database in opened))
            self._healthy = True
        except (ConnectionError, TimeoutError):
            self._healthy = False
        finally:
            self._asked = asyncio.get_running_loop().time()
            self._asking = None


def frozen_after_startup(send: Send) -> Send:
    """Has the garbage collector leave alone what was made at start: it never becomes garbage, and need not be looked
    at again and again."""

    async def sending(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            gc.collect()
            gc.freeze()
        await send(message)

    return sending
