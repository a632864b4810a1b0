"""``Prefer: timezone=``: the zone that PostgreSQL shows times in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from zoneinfo import available_timezones

from sqlalchemy import Dialect

from ..errors import ApiError
from ..query import Preferences


def checked_timezone(preferences: Preferences, dialect: Dialect) -> Preferences:
    """The preferences, without a time zone that cannot be followed: one that there is not, or any over SQLite.

    Raises:
        ApiError: 400 PGRST122, for a time zone that there is not, with ``handling=strict``.
    """
    zone = preferences.timezone
    if zone is None:
        return preferences
    if zone in known_timezones():
        return preferences if dialect.name == "postgresql" else replace(preferences, timezone=None)
    if preferences.handling == "strict":
        raise ApiError(
            400,
            "PGRST122",
            "Invalid preferences given with handling=strict",
            details=f"Invalid preferences: timezone={zone}",
        )
    return replace(preferences, timezone=None)


@cache
def known_timezones() -> frozenset[str]:
    return frozenset(available_timezones())
