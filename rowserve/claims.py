"""What a token says of who bears it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

USER = "rowserve.user"
"""Where an ASGI scope has who asks."""


class Claims(Mapping[str, Any]):
    """A token's claims: ``user["role"]``, or ``user.role``. They never change, nor does anything in them: objects are
    Claims too, arrays are tuples.

    **A claim that is not there cannot be read**: ``user.rôle`` raises AttributeError, ``user["rôle"]`` KeyError. Were
    it None, a comparison could come true by mistake, as ``user.team == other.team`` would for two who have none. A
    claim that is null is not there. Who expects that a claim may be missing says so: ``user.get("role")``.

    ``user.id`` is the claim ``id``, else ``sub``. A claim by the name of a method (``get``, ``items``, ``keys``,
    ``values``) and one whose name is no Python name are read with brackets.

    Args:
        claims: the claims, as JSON has them.
    """

    __slots__ = ("_claims",)

    def __init__(self, claims: Mapping[str, Any]) -> None:
        known = {name: frozen(value) for name, value in claims.items() if value is not None}
        object.__setattr__(self, "_claims", known)

    def __getitem__(self, name: str) -> Any:
        return self._claims[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python's own questions, some of them asked before there are claims
            raise AttributeError(name)
        claims: dict[str, Any] = self._claims
        if name in claims:
            return claims[name]
        if name == "id" and "sub" in claims:
            return claims["sub"]
        raise AttributeError(f"There is no claim {name!r} among {', '.join(claims) or 'none'}", name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Claims do not change: {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Claims do not change: {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[type[Claims], tuple[dict[str, Any]]]:
        return Claims, (self._claims,)

    def __repr__(self) -> str:
        return f"Claims({self._claims!r})"


def frozen(value: Any) -> Any:
    """A value of JSON that nobody can change: claims are shared by all the requests of a token."""
    if isinstance(value, Mapping):
        return Claims(value)
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value
