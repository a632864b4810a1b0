"""The ``Prefer`` header (RFC 7240), and the ``Preference-Applied`` that answers it.

https://docs.postgrest.org/en/v14/references/api/preferences.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

from rowserve.errors import ApiError

Return: TypeAlias = Literal["minimal", "headers-only", "representation"]
Count: TypeAlias = Literal["exact", "planned", "estimated"]
Resolution: TypeAlias = Literal["merge-duplicates", "ignore-duplicates"]
Missing: TypeAlias = Literal["default", "null"]
Transaction: TypeAlias = Literal["commit", "rollback"]
Handling: TypeAlias = Literal["strict", "lenient"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the client prefers; None where it has not said.

    Args:
        return_: what a write answers with.
        count: how the rows are counted.
        resolution: what becomes of inserted rows that are there already.
        missing: what columns get that a row does not give.
        tx: how the transaction ends.
        handling: whether unknown preferences are an error.
        timezone: what may be the name of a time zone. Where there is none of that name, the preference is one that
            there is not: answered by ``invalid_preferences`` where the handling is strict, and else passed over.
        max_affected: how many rows a write may change.
        unknown: preferences that there are not, or with values that there are not.
    """

    return_: Return | None = None
    count: Count | None = None
    resolution: Resolution | None = None
    missing: Missing | None = None
    tx: Transaction | None = None
    handling: Handling | None = None
    timezone: str | None = None
    max_affected: int | None = None
    unknown: tuple[str, ...] = ()

    def applied(self, *names: str) -> str | None:
        """The value of ``Preference-Applied`` for those of the named preferences that were stated.

        Names are as on the wire (``return``, ``max-affected``), in any order. ``max-affected`` counts only where
        the handling is strict.
        """
        stated = (
            ("resolution", self.resolution),
            ("missing", self.missing),
            ("return", self.return_),
            ("count", self.count),
            ("tx", self.tx),
            ("handling", self.handling),
            ("timezone", self.timezone),
            ("max-affected", self.max_affected if self.handling == "strict" else None),
        )
        return ", ".join(f"{name}={value}" for name, value in stated if value is not None and name in names) or None


@lru_cache(maxsize=256)
def parse_preferences(header: str) -> Preferences:
    """Read a ``Prefer`` header; several are one with commas between them. The first valid value of each counts.

    Values that PostgREST passes over without a word, such as ``max-affected=x``, count as preferences that there are
    not: under strict handling nobody should take a limit for granted that is none.

    Raises:
        ApiError: 400 PGRST122, for unknown preferences with ``handling=strict``.
    """
    if not header:
        return Preferences()
    found: dict[str, str] = {}
    unknown: list[str] = []
    for item in header.split(","):
        preference = item.strip()
        name, _, value = preference.partition("=")
        if _is_known(name, value):
            found.setdefault(name, value)
        elif preference:
            unknown.append(preference)
    handling = _HANDLING.get(found.get("handling", ""))
    if handling == "strict" and unknown:
        raise invalid_preferences(*unknown)
    max_affected = found.get("max-affected")
    return Preferences(
        return_=_RETURN.get(found.get("return", "")),
        count=_COUNT.get(found.get("count", "")),
        resolution=_RESOLUTION.get(found.get("resolution", "")),
        missing=_MISSING.get(found.get("missing", "")),
        tx=_TX.get(found.get("tx", "")),
        handling=handling,
        timezone=found.get("timezone"),
        max_affected=None if max_affected is None else int(max_affected),
        unknown=tuple(unknown),
    )


def invalid_preferences(*preferences: str) -> ApiError:
    """400 PGRST122, for preferences that there are not, as they were given."""
    return ApiError(
        400,
        "PGRST122",
        "Invalid preferences given with handling=strict",
        details=f"Invalid preferences: {', '.join(preferences)}",
    )


def _is_known(name: str, value: str) -> bool:
    if name == "timezone":
        return _ZONE.fullmatch(value) is not None
    if name == "max-affected":
        return value.isascii() and value.isdecimal() and len(value) < 19
    return value in _VALUES.get(name, ())


_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_RETURN: dict[str, Return] = {value: value for value in get_args(Return)}
_COUNT: dict[str, Count] = {value: value for value in get_args(Count)}
_RESOLUTION: dict[str, Resolution] = {value: value for value in get_args(Resolution)}
_MISSING: dict[str, Missing] = {value: value for value in get_args(Missing)}
_TX: dict[str, Transaction] = {value: value for value in get_args(Transaction)}
_HANDLING: dict[str, Handling] = {value: value for value in get_args(Handling)}
_VALUES = {
    "return": frozenset(_RETURN),
    "count": frozenset(_COUNT),
    "resolution": frozenset(_RESOLUTION),
    "missing": frozenset(_MISSING),
    "tx": frozenset(_TX),
    "handling": frozenset(_HANDLING),
}
