"""``Prefer: timezone=``: the zone that moments are shown in."""

from __future__ import annotations

import asyncio
from functools import cache
from zoneinfo import available_timezones

from ..query import Preferences
from ..query.preferences import invalid_preferences


async def followed_timezone(preferences: Preferences) -> str | None:
    """The time zone that is preferred, if there is one of that name.

    Raises:
        ApiError: PGRST122, where there is not and the handling is strict.
    """
    zone = preferences.timezone
    if zone is None:
        return None
    # The names are files in a folder: they are read once, and not on the event loop.
    if zone in await asyncio.get_running_loop().run_in_executor(None, known_timezones):
        return zone
    if preferences.handling == "strict":
        raise invalid_preferences(f"timezone={zone}")
    return None


@cache
def known_timezones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(available_timezones())
