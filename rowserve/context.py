"""Who asks: what rules decide by."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Scope

USER = "rowserve.user"
"""Where an ASGI scope has who asks."""


class Context:
    """What a rule is told of a request.

    Args:
        scope: the ASGI scope.

    Attributes:
        user: who asks, as the application's dependency or an authenticator has found out; None for nobody known.
    """

    __slots__ = ("scope", "user")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.user: Any = scope.get(USER)

    @property
    def request(self) -> HTTPConnection:
        """The request itself."""
        return HTTPConnection(self.scope)
