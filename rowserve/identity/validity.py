"""Whether claims hold now, and here (RFC 7519, 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from time import time
from typing import Any

from ..authentication import refusal

FAR = 1e15
"""Seconds that no moment is away; what is larger may not be a float, or not a number."""
UNEXPECTED_AUDIENCE = "Who reads the token is to be named: audience=, or --jwt-audience."


class Validity:
    """What claims have to be.

    Args:
        audience: one of whom has to be in ``aud``; where nobody is said to be, there must be no ``aud``.
        issuer: one of whom has to be ``iss``; None for anybody.
        leeway: seconds by which clocks may differ.
    """

    def __init__(
        self, *, audience: str | Sequence[str] | None = None, issuer: str | Sequence[str] | None = None, leeway: float
    ) -> None:
        self.audience = several(audience)
        self.issuer = several(issuer)
        self.leeway = leeway

    def check(self, claims: Mapping[str, Any]) -> tuple[float, float]:
        """From when until when claims hold; see :func:`period`.

        Raises:
            ApiError: 401 PGRST303 where they do not now, or not here.
        """
        since, until = period(claims, self.leeway)
        self.check_audience(claims.get("aud"))
        if self.issuer is not None and claims.get("iss") not in self.issuer:
            raise refusal("PGRST303", "JWT not from a known issuer")
        return since, until

    def check_audience(self, found: Any) -> None:
        audience = (found,) if isinstance(found, str) else found or ()
        if not isinstance(audience, Sequence) or not all(isinstance(one, str) for one in audience):
            raise refusal("PGRST303", "The JWT 'aud' claim must be a string or an array of strings")
        if self.audience is None:
            if audience:
                raise refusal("PGRST303", "JWT not in audience", hint=UNEXPECTED_AUDIENCE)
        elif not set(audience) & set(self.audience):
            raise refusal("PGRST303", "JWT not in audience")


def several(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """One name or several, as several."""
    return None if names is None else (names,) if isinstance(names, str) else tuple(names)


def period(claims: Mapping[str, Any], leeway: float) -> tuple[float, float]:
    """From when until when claims hold, in seconds since 1970: it is not yet the second one.

    Raises:
        ApiError: 401 PGRST303 where that is not now.
    """
    now = time()
    until = moment(claims, "exp", inf) + leeway
    since = moment(claims, "nbf", -inf) - leeway
    if now >= until:
        raise refusal("PGRST303", "JWT expired")
    if now < since:
        raise refusal("PGRST303", "JWT not yet valid")
    if now < moment(claims, "iat", -inf) - leeway:
        raise refusal("PGRST303", "JWT issued at future")
    return since, until


def moment(claims: Mapping[str, Any], name: str, default: float) -> float:
    """A moment among claims; raises ApiError, 401 PGRST303, where it is no number."""
    value = claims.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < FAR:
        raise refusal("PGRST303", f"The JWT '{name}' claim must be a number")
    return float(value)
