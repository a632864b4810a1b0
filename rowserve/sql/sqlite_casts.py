"""What a cast does on SQLite, value by value: from what a column holds to what PostgreSQL would make of it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Any

from . import literals, sqlite_json
from .casts import TEXTS
from .literals import RefusedError

_EPOCH = datetime(1970, 1, 1)
_INTEGERS = {"smallint": 16, "integer": 32, "bigint": 64}
_FLOATS = {"real": (6, 3.4028234663852886e38), "double precision": (15, 1.7976931348623157e308)}
_SINGLE = struct.Struct("f")


def _integer_reader(name: str) -> Callable[[str], int]:
    bits = _INTEGERS[name]
    return literals.integer(name, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _document(text: str) -> str:
    literals.document(text)
    return text


_READERS: dict[str, Callable[[str], Any]] = {
    **{name: _integer_reader(name) for name in _INTEGERS},
    **{name: literals.floating(name, high) for name, (_, high) in _FLOATS.items()},
    "numeric": literals.numeric,
    "boolean": literals.boolean,
    "date": literals.calendar_date,
    "time": literals.clock_time,
    "time with time zone": literals.clock_timetz,
    "timestamp": literals.timestamp,
    "timestamp with time zone": literals.timestamptz,
    "interval": literals.interval,
    "uuid": literals.uuid,
    "json": _document,
    "jsonb": _document,
    "bytea": literals.bytea,
}


def cast_value(value: Any, source: str, target: str, scale: int | None) -> Any:
    """What SQLite is to hold for a value that is cast.

    Args:
        value: as it is stored.
        source: the name of its type, as `WireType.name` has it; ``text`` for whatever is none of those.
        target: the name of the type it is cast to.
        scale: the decimals of a numeric, where its type says so.

    Raises:
        RefusedError: it is no value of that type, with PostgreSQL's SQLSTATE and words.
    """
    if value is None:
        return None
    if source in ("json", "jsonb") and target not in TEXTS and target not in ("json", "jsonb"):
        value, source = _from_json(value, target)
        if value is None:
            return None
    if target in TEXTS:
        return _text(value, source, scale)
    if source in _INTEGERS or source in _FLOATS or source == "numeric":
        if target == "boolean":
            return int(value != 0)
        if isinstance(value, int | float):
            return _stored(_number(value, source, target), target)
    if source == "boolean" and target in _INTEGERS:
        return int(value)
    text = _text(value, source, scale)
    if target.startswith("time") and "stamp" not in target and source.startswith("timestamp"):
        text = text.partition(" ")[2]
    elif target == "time" and source == "interval":
        return _stored((_EPOCH + literals.interval(text) % timedelta(days=1)).time(), target)
    return _stored(_READERS[target](text), target)


def _from_json(value: Any, target: str) -> tuple[Any, str]:
    """The number or the truth in a JSON value, and the type it is of."""
    document = sqlite_json.loaded(value)
    if document is None:
        return None, "text"
    if isinstance(document, bool):
        if target == "boolean":
            return int(document), "boolean"
        kind = "boolean"
    elif isinstance(document, int | Decimal):
        if target != "boolean":
            return document, "numeric"
        kind = "numeric"
    else:
        kind = "string" if isinstance(document, str) else "array" if isinstance(document, list) else "object"
    raise RefusedError("22023", f"cannot cast jsonb {kind} to type {target}")


def _number(value: Any, source: str, target: str) -> Any:
    if target in _FLOATS:
        high = _FLOATS[target][1]
        number = float(value)
        if isfinite(number) and abs(number) > high:
            raise RefusedError("22003", f'"{value}" is out of range for type {target}')
        return number
    if isinstance(value, float) and not isfinite(value):
        raise RefusedError("22003", f"{target} out of range")
    if target == "numeric":
        return Decimal(f"{value:.{_FLOATS[source][0]}g}") if source in _FLOATS else Decimal(str(value))
    # A binary number is rounded to the even one of two neighbours that are alike near, a decimal away from zero.
    exact = round(value) if source in _FLOATS else int(Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_UP))
    limit = 2 ** (_INTEGERS[target] - 1)
    if not -limit <= exact < limit:
        raise RefusedError("22003", f"{target} out of range")
    return exact


def _stored(value: Any, target: str) -> Any:
    """The form that SQLAlchemy stores a value of that type in."""
    match target:
        case "numeric":
            return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
        case "real":
            (single,) = _SINGLE.unpack(_SINGLE.pack(value))
            return next(short for digits in range(6, 10) if _SINGLE.pack(short := float(f"{single:.{digits}g}")))
        case "boolean":
            return int(value)
        case "date":
            return value.isoformat()
        case "time" | "time with time zone":
            return value.replace(tzinfo=None).isoformat(timespec="microseconds")
        case "timestamp" | "timestamp with time zone":
            return value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        case "interval":
            return _interval_stored(value)
        case "uuid":
            return value.hex
        case _:
            return value


def _interval_stored(value: timedelta) -> str:
    try:
        return (_EPOCH + value).isoformat(sep=" ", timespec="microseconds")
    except OverflowError:
        raise RefusedError("22015", f'interval field value out of range: "{value}"') from None


def _text(value: Any, source: str, scale: int | None) -> str:
    """The text that PostgreSQL would write for a stored value."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, int | float):
        return _number_text(value, source, scale)
    if source in ("json", "jsonb"):
        return sqlite_json.written(sqlite_json.loaded(value))
    text = str(value)
    match source:
        case "timestamp":
            return _moment(text)
        case "timestamp with time zone":
            return f"{_moment(text)}+00"
        case "time":
            return _trimmed(text)
        case "time with time zone":
            return f"{_trimmed(text)}+00"
        case "interval":
            return _interval_text(text)
        case "uuid" if len(text) == 32:
            return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        case _:
            return text


def _number_text(value: int | float, source: str, scale: int | None) -> str:
    if source == "boolean" and value in (0, 1):
        return "true" if value else "false"
    if source == "numeric" and scale is not None and isfinite(value):
        return f"{Decimal(str(value)):.{scale}f}"
    if isinstance(value, int):
        return str(value)
    if not isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    exact = Decimal(repr(value))
    sign, digits, _ = exact.as_tuple()
    short = "".join(map(str, digits)).rstrip("0") or "0"
    point = exact.adjusted() if exact else 0
    # From so many digits on, PostgreSQL writes a binary number with an exponent.
    if source in _FLOATS and not -4 <= point < _FLOATS[source][0]:
        mantissa = short[0] + (f".{short[1:]}" if short[1:] else "")
        return f"{'-' if sign else ''}{mantissa}e{'-' if point < 0 else '+'}{abs(point):02d}"
    plain = f"{exact:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(text: str) -> str:
    return f"{text} 00:00:00" if len(text) == 10 else _trimmed(text.replace("T", " "))


def _interval_text(text: str) -> str:
    try:
        length = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return text
    clock = str(timedelta(seconds=length.seconds))
    clock = f"{clock:0>8}" + (f".{length.microseconds:06d}".rstrip("0") if length.microseconds else "")
    if not length.days:
        return clock
    days = f"{length.days} day{'' if length.days == 1 else 's'}"
    if clock == "00:00:00":
        return days
    return f"{days} {'+' if length.days < 0 else ''}{clock}"
