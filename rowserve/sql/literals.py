"""Text to Python values, by PostgreSQL's rules for the input of each type, and with its errors.

Both databases are given values that were read here, so both accept and refuse the same texts. The rules are those of
https://www.postgresql.org/docs/18/datatype.html, less what Python's own types cannot hold: ``infinity``, years after
9999 and before 1, and intervals of months.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from math import isinf
from uuid import UUID

from pydantic_core import from_json

from rowserve.errors import ApiError

from .intervals import interval_microseconds


class RefusedError(ValueError):
    """A value that a type does not take, with the SQLSTATE and the words PostgreSQL has for it."""

    def __init__(self, code: str, message: str, *, details: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint

    def error(self, where: str | None = None) -> ApiError:
        """The answer to the client; ``where`` (``row 3, column "age"``) leads its details."""
        details = ": ".join(part for part in (where, self.details) if part) or None
        return ApiError(400, self.code, self.message, details=details, hint=self.hint)


def invalid(name: str, text: str, code: str = "22P02") -> RefusedError:
    """The error for a text that is no ``name``."""
    return RefusedError(code, f'invalid input syntax for type {name}: "{text}"')


def no_nul(text: str) -> str:
    """The text, which may not hold U+0000: PostgreSQL cannot store it, and C strings end there."""
    if "\x00" in text:
        raise RefusedError(
            "22P05", "unsupported Unicode escape sequence", details="\\u0000 cannot be converted to text."
        )
    return text


def integer(name: str, low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise invalid(name, text) from None
        if not low <= value <= high:
            raise RefusedError("22003", f'value "{text}" is out of range for type {name}')
        if not text.isascii():
            raise invalid(name, text)
        return value

    return read


def floating(name: str, high: float) -> Callable[[str], float]:
    """A reader of finite binary numbers whose magnitude is at most ``high``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise invalid(name, text) from None
        if value != value or "inf" in text.lower() or "_" in text or not text.isascii():
            raise invalid(name, text)
        if isinf(value) or abs(value) > high:
            raise RefusedError("22003", f'"{text.strip()}" is out of range for type {name}')
        return value

    return read


def numeric(text: str) -> Decimal:
    """An exact, finite decimal."""
    try:
        value = Decimal(text)
    except DecimalException:
        raise invalid("numeric", text) from None
    if not value.is_finite() or not text.isascii():
        raise invalid("numeric", text)
    return value


_TRUE = {"true"[:n] for n in range(1, 5)} | {"yes"[:n] for n in range(1, 4)} | {"on", "1"}
_FALSE = {"false"[:n] for n in range(1, 6)} | {"no"[:n] for n in range(1, 3)} | {"off", "of", "0"}


def boolean(text: str) -> bool:
    """``true`` and ``false`` and what PostgreSQL takes for them: unique prefixes, yes and no, on and off, 1 and 0."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise invalid("boolean", text)


_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?"
_CLOCK = re.compile(rf"\s*{_TIME}\s*{_ZONE}\s*", re.ASCII | re.IGNORECASE)
_MOMENT = re.compile(
    rf"\s*(?P<year>\d{{4,}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?:(?:T|\s+){_TIME})?\s*{_ZONE}\s*",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"\s*(?:\d{6,}|\d+-\d+-\d+.*)", re.ASCII)
_WEEK = re.compile("[Ww]")


def _refused_moment(name: str, text: str, pattern: re.Pattern[str]) -> RefusedError:
    if pattern.fullmatch(text) or _DIGITS.fullmatch(text):
        return RefusedError("22008", f'date/time field value out of range: "{text}"')
    return invalid(name, text, "22007")


def _iso(match: re.Match[str]) -> tuple[str, timedelta]:
    """What ``fromisoformat`` reads, and what rounding the fraction to a microsecond adds to it."""
    part = match.groupdict()
    fraction = (part["fraction"] or "") + "0000000"
    zone = (part["zone"] or "").upper()
    if zone in ("Z", "UTC", "GMT"):
        zone = "+00:00"
    elif zone:
        digits = zone[1:].replace(":", "")
        hours, minutes = (digits, "00") if len(digits) <= 2 else (digits[:-2], digits[-2:])
        zone = f"{zone[0]}{hours:0>2}:{minutes}"
    clock = f"{part['hour'] or '0':0>2}:{part['minute'] or '00'}:{part['second'] or '00'}.{fraction[:6]}{zone}"
    more = timedelta(microseconds=1 if fraction[6] >= "5" else 0)
    if "year" not in part:
        return clock, more
    return f"{part['year']}-{part['month']:0>2}-{part['day']:0>2}T{clock}", more


_WORDS: dict[str, Callable[[datetime], datetime]] = {
    "now": lambda now: now,
    "today": lambda now: datetime.combine(now, time(), UTC),
    "tomorrow": lambda now: datetime.combine(now, time(), UTC) + timedelta(days=1),
    "yesterday": lambda now: datetime.combine(now, time(), UTC) - timedelta(days=1),
    "epoch": lambda now: datetime(1970, 1, 1, tzinfo=UTC),
}


def _moment(name: str, text: str) -> datetime:
    # Python cuts a fraction off after six digits where PostgreSQL rounds, and reads week dates, which it does not.
    point = text.find(".")
    if (point < 0 or not text[point + 7 : point + 8].isdigit()) and not _WEEK.search(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    if word := _WORDS.get(text.strip().lower()):
        return word(datetime.now(UTC))
    if match := _MOMENT.fullmatch(text):
        iso, more = _iso(match)
        try:
            return datetime.fromisoformat(iso) + more
        except (ValueError, OverflowError):
            pass
    raise _refused_moment(name, text, _MOMENT)


def timestamp(text: str) -> datetime:
    """A moment without a time zone. As in PostgreSQL, an offset in the text is not looked at."""
    return _moment("timestamp", text).replace(tzinfo=None)


def timestamptz(text: str) -> datetime:
    """A moment in UTC. A text without an offset is taken to be UTC."""
    value = _moment("timestamp with time zone", text)
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise RefusedError("22008", f'timestamp out of range: "{text}"') from None


def calendar_date(text: str) -> date:
    """A day. A time behind it is dropped."""
    return _moment("date", text).date()


def _clock(name: str, text: str) -> time:
    if match := _CLOCK.fullmatch(text):
        iso, more = _iso(match)
        try:
            value = time.fromisoformat(iso)
        except ValueError:
            pass
        else:
            rounded = datetime.combine(date(2000, 1, 1), value) + more
            if rounded.day == 1:
                return rounded.timetz()
    raise _refused_moment(name, text, _CLOCK)


def clock_time(text: str) -> time:
    """A time of day; an offset in the text is not looked at."""
    return _clock("time", text).replace(tzinfo=None)


def clock_timetz(text: str) -> time:
    """A time of day in UTC: an offset is applied, and none means UTC."""
    value = _clock("time with time zone", text)
    offset = value.utcoffset() or timedelta()
    return (datetime.combine(date(2000, 1, 2), value.replace(tzinfo=None)) - offset).time().replace(tzinfo=UTC)


def interval(text: str) -> timedelta:
    """A length of time, in PostgreSQL's style (``1 day 02:00:00``) or ISO 8601's (``P1DT2H``)."""
    microseconds = interval_microseconds(text)
    if microseconds is None:
        raise invalid("interval", text, "22007")
    try:
        return timedelta(microseconds=microseconds)
    except OverflowError:
        raise RefusedError("22015", f'interval field value out of range: "{text}"') from None


def uuid(text: str) -> UUID:
    """A UUID: with or without hyphens and braces."""
    try:
        return UUID(text)
    except ValueError:
        raise invalid("uuid", text) from None


def enumeration(name: str, labels: Collection[str]) -> Callable[[str], str]:
    """A reader of one of ``labels``."""
    known = frozenset(labels)

    def read(text: str) -> str:
        if text not in known:
            raise RefusedError("22P02", f'invalid input value for enum {name}: "{text}"')
        return text

    return read


def document(text: str) -> object:
    """A JSON value."""
    try:
        return from_json(no_nul_escape(text), allow_inf_nan=False)
    except ValueError as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError("22P02", "invalid input syntax for type json", details=str(error)) from None


_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def no_nul_escape(text: str) -> str:
    r"""The JSON text, which may not hold ``\u0000``."""
    if "\\u0000" in text and _NUL_ESCAPE.search(text):
        raise RefusedError(
            "22P05", "unsupported Unicode escape sequence", details="\\u0000 cannot be converted to text."
        )
    return text


_ESCAPE = re.compile(rb"\\(?:(\\)|([0-3][0-7]{2})|(.?))", re.DOTALL)


def _unescape(match: re.Match[bytes]) -> bytes:
    backslash, octal, _ = match.groups()
    if backslash:
        return b"\\"
    if octal:
        return bytes((int(octal, 8),))
    raise RefusedError("22P02", "invalid input syntax for type bytea")


def bytea(text: str) -> bytes:
    r"""Bytes: ``\x48656c``, or the older escape format (``a\\b\001``)."""
    if not text.startswith("\\x"):
        return _ESCAPE.sub(_unescape, text.encode())
    digits = text[2:]
    try:
        return bytes.fromhex(digits)
    except ValueError:
        odd = next((digit for digit in digits if digit not in "0123456789abcdefABCDEF \n\t\r"), None)
        if odd is None:
            raise RefusedError("22023", "invalid hexadecimal data: odd number of digits") from None
        raise RefusedError("22023", f'invalid hexadecimal digit: "{odd}"') from None
