"""Who asks is found out before anything else, for all that is served."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from ..authentication import USER, Authenticator
from ..errors import ApiError
from ..http.handler import failed
from .front import HEALTH_PATH, PAGES, FrontDoor

OPEN = PAGES | {HEALTH_PATH}


class Guard:
    """Lets nobody through to a front door whom an authenticator refuses, but for the documentation and health. Who was
    let through is in the scope, as ``rowserve.user``.

    Args:
        front: the front door.
        authenticator: what finds out who asks.
    """

    def __init__(self, front: FrontDoor, authenticator: Authenticator) -> None:
        self.front = front
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not self.is_open(scope):
            try:
                scope[USER] = await self.authenticator.identify(dict(scope["headers"]))
            except ApiError as error:
                await failed(scope, error)(scope, receive, send)
                return
        await self.front(scope, receive, send)

    def is_open(self, scope: Scope) -> bool:
        """Whether a path is everybody's; not where a table has its name."""
        path: str = scope["path"]
        if path not in OPEN:
            return False
        return path not in self.front.resources and path.rpartition("/")[0] not in self.front.resources
