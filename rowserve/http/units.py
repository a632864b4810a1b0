"""A request as one unit: whatever is done for it is committed together, or not at all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Message

from ..context import Context as Asking
from ..rows import Body
from .hooks import Begin
from .idempotency import Key
from .request import Request


class Unit:
    """The transaction of a request: begun when it is first needed, so that a request which cannot be understood takes
    no connection, and committed before it is answered.

    Args:
        begin: begins a transaction.
        request: the request.

    Attributes:
        matched: how many rows the hooks were shown that are going to be changed; None where they were shown none.
        undone: whether it is rolled back when all is done.
    """

    def __init__(self, begin: Begin, request: Request) -> None:
        self._begin = begin
        self._scope = request.scope
        self._stack = AsyncExitStack()
        self._context: Asking | None = None
        self.matched: int | None = None
        self.undone = False

    async def context(self) -> Asking:
        """What hooks are told, its session in the transaction."""
        if self._context is None:
            session = await self._stack.enter_async_context(self._begin())
            self._context = Asking(self._scope, session)
        return self._context

    async def session(self) -> AsyncSession:
        return (await self.context()).session

    async def __aenter__(self) -> Unit:
        return self

    async def __aexit__(self, *error: Any) -> bool | None:
        return await self._stack.__aexit__(*error)


class UnitRequest(Request):
    """A request whose body is there, and its transaction.

    Attributes:
        body: the body.
        unit: the transaction.
        once: what it is known by that is to be done once.
    """

    __slots__ = ("_unread", "body", "once", "unit")

    def __init__(self, request: Request, body: Body, unit: Unit) -> None:
        super().__init__(request.scope, self._receive, request.key, request.caller)
        self.timing = request.timing
        self.unit = unit
        self.body = body
        self.once: Key | None = None
        self._unread = True

    async def _receive(self) -> Message:
        if not self._unread:
            # Whether the client is still there is seen to by the request that this one is a part of.
            await asyncio.get_running_loop().create_future()
        self._unread = False
        return {"type": "http.request", "body": self.body}


class Undone(Exception):  # noqa: N818 - it is no error of anybody's
    """Ends a transaction that was only to be tried."""


def unit_of(request: Request) -> Unit:
    """The transaction of a request."""
    assert isinstance(request, UnitRequest)
    return request.unit
