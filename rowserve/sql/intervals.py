"""The grammar of intervals: PostgreSQL's own, and ISO 8601's."""

from __future__ import annotations

import re
from decimal import Decimal

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_UNITS = {
    **dict.fromkeys(("us", "usec", "usecs", "microsecond", "microseconds"), 1),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1_000),
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), _SECOND),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
}
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_PART = re.compile(
    rf"\s*(?:(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d(?:\.\d*)?))?(?=\s|$)"
    rf"|(?P<number>{_NUMBER})\s*(?P<unit>[a-z]*))",
    re.ASCII,
)
_ISO = re.compile(
    rf"(?P<sign>-?)p(?=.)(?:(?P<w>{_NUMBER})w)?(?:(?P<d>{_NUMBER})d)?"
    rf"(?:t(?=.)(?:(?P<h>{_NUMBER})h)?(?:(?P<m>{_NUMBER})m)?(?:(?P<s>{_NUMBER})s)?)?",
    re.ASCII,
)


def interval_microseconds(text: str) -> int | None:
    """The microseconds in the interval that ``text`` spells, or None if it spells none.

    Months and years are not taken: no ``timedelta`` holds them.
    """
    words = text.strip().lower().removeprefix("@").strip()
    if not words:
        return None
    if match := _ISO.fullmatch(words):
        amounts = [(Decimal(value), unit) for unit in "wdhms" if (value := match[unit])]
        return _total(amounts, negative=bool(match["sign"]))
    ago = words.endswith(" ago")
    words = words.removesuffix(" ago").rstrip()
    amounts = []
    position = 0
    while position < len(words):
        part = _PART.match(words, position)
        if part is None:
            return None
        position = part.end()
        if part["hours"] is not None:
            sign = -1 if part["sign"] == "-" else 1
            amounts.append((sign * Decimal(part["hours"]), "h"))
            amounts.append((sign * Decimal(part["minutes"]), "m"))
            amounts.append((sign * Decimal(part["seconds"] or 0), "s"))
            continue
        unit = part["unit"]
        if not unit and words[position:].strip():
            unit = "d"  # "1 02:03:04": a number that a time of day follows counts days
            if ":" not in words[position:]:
                return None
        if unit not in _UNITS:
            return None
        amounts.append((Decimal(part["number"]), unit))
    return _total(amounts, negative=ago)


def _total(amounts: list[tuple[Decimal, str]], *, negative: bool) -> int:
    microseconds = round(sum((amount * _UNITS[unit] for amount, unit in amounts), Decimal()))
    return -microseconds if negative else microseconds
