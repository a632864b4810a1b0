"""Who asks, and the transaction of what is done for them: what rules and hooks are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ParamSpec

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.types import Scope

from .claims import USER as USER
from .sessions import when_committed

P = ParamSpec("P")


class Context:
    """What a rule or a hook is told of a request.

    Args:
        scope: the ASGI scope.
        session: the transaction of a hook.

    Attributes:
        user: who asks, as the application's dependency or an authenticator has found out; None for nobody known.
    """

    __slots__ = ("_session", "scope", "user")

    def __init__(self, scope: Scope, session: AsyncSession | None = None) -> None:
        self.scope = scope
        self.user: Any = scope.get(USER)
        self._session = session

    @property
    def request(self) -> HTTPConnection:
        """The request itself."""
        return HTTPConnection(self.scope)

    @property
    def session(self) -> AsyncSession:
        """The session of a hook: whatever it does is committed with what the request writes, or not at all.

        Raises:
            RuntimeError: a rule asks for it, which is a part of a statement.
        """
        if self._session is None:
            raise RuntimeError("Only hooks have a session: a rule is a condition, and may have subqueries")
        return self._session

    def after_commit(
        self, function: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Calls an async or a plain function once all is committed; not at all if it is rolled back. The answer does
        not wait for it, closing the database does."""
        when_committed(self.session).append(partial(function, *args, **kwargs))
