"""What every authenticator is: asked with headers, answers with claims, and is a dependency of FastAPI."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from time import time
from typing import NamedTuple

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from .claims import Claims
from .context import USER as USER
from .errors import ApiError

# Annotations are not postponed here: FastAPI reads those of __call__, of an object whose globals it does not see.

REMEMBERED = 4_096
"""Verified tokens that an authenticator remembers."""


class Authenticator(SecurityBase, ABC):
    """Tells by the bearer token of a request who asks (RFC 6750).

    As a dependency of FastAPI it gives the claims, or None for nobody, and OpenAPI says that there is a token to give.

    Args:
        required: whether who has no token is refused, with 401 PGRST302.
        token_format: what OpenAPI says of the token, such as ``JWT``.
    """

    def __init__(self, *, required: bool = False, token_format: str | None = None) -> None:
        self.required = required
        self.model = HTTPBearer(bearerFormat=token_format)
        self.scheme_name = "bearer"

    @abstractmethod
    async def identify(self, headers: Mapping[bytes, bytes]) -> Claims | None:
        """Who asks; None for nobody.

        Args:
            headers: those of the request, as ASGI has them: names in lower case.

        Raises:
            ApiError: 401, PGRST301 for a token that is none, PGRST303 for one that is not valid now or not here,
                PGRST302 where there has to be one; 503 while it cannot be told.
        """

    async def __call__(self, connection: HTTPConnection) -> Claims | None:
        claims = await self.identify(dict(connection.scope["headers"]))
        connection.scope[USER] = claims
        return claims

    def require_token(self) -> None:
        """Refuses who has no token, where there has to be one."""
        if self.required:
            raise ApiError(
                401, "PGRST302", "Anonymous access is disabled", headers={"WWW-Authenticate": "Bearer"},
                hint="Send a token: Authorization: Bearer …",
            )  # fmt: skip


class FirstOf(Authenticator):
    """Several authenticators: a token is good that one of them knows.

    Args:
        *authenticators: in the order in which they are asked; the first one says why a token is refused.
        required: see :class:`Authenticator`.
    """

    def __init__(self, *authenticators: Authenticator, required: bool = False) -> None:
        super().__init__(required=required)
        self.authenticators = authenticators

    async def identify(self, headers: Mapping[bytes, bytes]) -> Claims | None:
        """See :meth:`Authenticator.identify`."""
        refused: ApiError | None = None
        for authenticator in self.authenticators:
            try:
                claims = await authenticator.identify(headers)
            except ApiError as error:
                refused = refused or error
            else:
                if claims is not None:
                    return claims
        if refused is not None:
            raise refused
        self.require_token()
        return None


class Known(NamedTuple):
    """Whom a token stands for, and from when until when, in seconds since 1970."""

    claims: Claims
    since: float
    until: float


class Memory(dict[bytes, Known]):
    """Verified tokens, by the header they came in; the oldest goes when there are too many."""

    def recall(self, header: bytes) -> Claims | None:
        """Whom a header stands for now; None where it has to be looked at."""
        known = self.get(header)
        if known is not None:
            claims, since, until = known
            if since <= time() < until:
                return claims
            del self[header]
        return None

    def remember(self, header: bytes, known: Known) -> None:
        if len(self) >= REMEMBERED:
            del self[next(iter(self))]
        self[header] = known


def bearer_token(header: bytes) -> str | None:
    """The token in an ``Authorization`` header; None where it has credentials of another kind.

    Raises:
        ApiError: 401 PGRST301 where it is empty.
    """
    scheme, _, token = header.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    token = token.strip()
    if not token:
        raise refusal("PGRST301", "Empty JWT is sent in Authorization header")
    return token.decode("latin-1")


def refusal(code: str, message: str, *, details: str | None = None, hint: str | None = None) -> ApiError:
    """The answer to a token that is no good.

    Args:
        code: PGRST301 or PGRST303.
        message: why, without anything that a client has sent: it stands in a header.
        details: more about it; likewise the hint.
    """
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return ApiError(401, code, message, details=details, hint=hint, headers={"WWW-Authenticate": challenge})
