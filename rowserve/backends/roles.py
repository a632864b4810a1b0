"""PostgreSQL's own rules: statements run as the role of who asks, whose rows row-level security decides over.

Role and claims are settings of the statement's transaction, and end with it: whoever uses the connection next has none
of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import to_json
from starlette.types import Scope

from ..claims import USER
from ..errors import ApiError, internal_error

Local: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values of settings that hold until the end of a transaction."""

_acting: ContextVar[Local | None] = ContextVar("rowserve_acting", default=None)
_unknown: ContextVar[bool] = ContextVar("rowserve_unknown", default=False)


@dataclass(frozen=True, slots=True)
class Roles:
    """How PostgreSQL is told who asks: by the role that statements run as, and by settings, as PostgREST does it.

    The user that rowserve connects as has to be a member of all those roles, and should own nothing:
    ``CREATE ROLE authenticator LOGIN NOINHERIT; GRANT web_anon, web_user TO authenticator``.

    Args:
        anonymous: the role of who is not known, or whose token says none; None refuses them, 401.
        claim: the claim, or the attribute of ``ctx.user``, that says the role.
    """

    anonymous: str | None = None
    claim: str = "role"

    def settings(self, scope: Scope) -> Local:
        """What a request's transactions are told.

        Raises:
            ApiError: 401 PGRST302, nobody may ask who is not known.
        """
        user = scope.get(USER)
        claims = dict(user) if isinstance(user, Mapping) else {}
        role = claims.get(self.claim) if claims else getattr(user, self.claim, None)
        role = role or self.anonymous
        if role is None:
            raise ApiError(401, "PGRST302", "Anonymous access is disabled", headers={"WWW-Authenticate": "Bearer"})
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return (
            ("role", str(role)),
            ("request.jwt.claims", text({"role": role, **claims})),
            ("request.method", scope["method"]),
            ("request.path", scope["path"]),
            ("request.headers", text(headers)),
        )

    @contextmanager
    def acting(self, scope: Scope) -> Iterator[None]:
        """Has all statements meanwhile run for who asks. Raises as ``settings`` does."""
        token = _acting.set(self.settings(scope))
        unknown = _unknown.set(scope.get(USER) is None)
        try:
            yield
        finally:
            _unknown.reset(unknown)
            _acting.reset(token)


def text(value: Mapping[str, Any]) -> str:
    # Claims in claims are mappings of their own.
    return to_json(value, fallback=dict).decode()


def acting_for() -> Local:
    """What statements of resources and functions are told.

    Raises:
        ApiError: 500, nobody has said for whom they are; better none than as whoever is connected.
    """
    local = _acting.get()
    if local is None:
        raise internal_error()
    return local


def is_nobody() -> bool:
    """Whether statements are run for somebody unknown."""
    return _unknown.get()


def acting_in_session() -> Local:
    """What the transaction of a session is told: nothing where it is the program's own."""
    return _acting.get() or ()


@contextmanager
def as_connected() -> Iterator[None]:
    """Has statements meanwhile run as who is connected."""
    token = _acting.set(None)
    try:
        yield
    finally:
        _acting.reset(token)
