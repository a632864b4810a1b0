"""JSON on SQLite as PostgreSQL's ``jsonb`` has it: containment, order, places and text, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from functools import lru_cache
from json import dumps, loads
from typing import Any

from . import literals
from .literals import RefusedError
from .postgresql_types import array_literal


def loaded(stored: Any) -> Any:
    """The JSON value in what a column holds: a text that is no JSON is a string."""
    if isinstance(stored, float):
        return Decimal(repr(stored))
    if isinstance(stored, bytes):
        return f"\\x{stored.hex()}"
    if not isinstance(stored, str):
        return stored
    try:
        return loads(stored, parse_float=Decimal, parse_constant=_no_constant)
    except ValueError:
        return stored


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def written(value: Any) -> str:
    """The text of a JSON value, spaced as PostgreSQL does."""
    if isinstance(value, dict):
        pairs = (f"{dumps(key, ensure_ascii=False)}: {written(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) < 1_000 else str(value)
    return dumps(value, ensure_ascii=False)


def json_text(stored: Any) -> str | None:
    """A stored JSON value as text."""
    return None if stored is None else written(loaded(stored))


def json_place(stored: Any, path: str) -> str | None:
    """The JSON at the end of a path, a JSON array of keys and indices, if there is any."""
    if stored is None:
        return None
    value = loaded(stored)
    for key in _path(path):
        if isinstance(key, str):
            if not isinstance(value, dict) or key not in value:
                return None
        elif not isinstance(value, list) or not -len(value) <= key < len(value):
            return None
        value = value[key]
    return written(value)


@lru_cache(maxsize=256)
def _path(path: str) -> tuple[str | int, ...]:
    return tuple(loads(path))


@dataclass(frozen=True, slots=True)
class Operand:
    """What a document is compared with: JSON, or the elements of an array literal such as ``{a,b}``.

    Args:
        value: the JSON value, or a list of strings.
        is_array: whether it was an array literal, whose elements are as typed as what they are compared with.
    """

    value: Any
    is_array: bool


@lru_cache(maxsize=256)
def operand(text: str) -> Operand:
    """Reads the right side of ``cs``, ``cd`` and ``ov``.

    Raises:
        RefusedError: 22P02, it is neither.
    """
    try:
        literals.document(text)
    except RefusedError as refused:
        if refused.code != "22P02" or not text.lstrip().startswith("{"):
            raise
        try:
            return Operand(array_literal(text), True)
        except RefusedError:
            raise refused from None
    value = loads(text, parse_float=Decimal)
    return Operand(value, value == {})  # {} is both: the object, and the array, that hold nothing


def json_contains(stored: Any, text: str) -> bool | None:
    """``stored @> text``."""
    if stored is None:
        return None
    document, wanted = loaded(stored), operand(text)
    if wanted.is_array and isinstance(document, list):
        return all(any(_is_element(item, element) for item in document) for element in wanted.value)
    return _contains(document, wanted.value, top=True)


def json_contained(stored: Any, text: str) -> bool | None:
    """``stored <@ text``."""
    if stored is None:
        return None
    document, within = loaded(stored), operand(text)
    if within.is_array and isinstance(document, list):
        return all(any(_is_element(item, element) for element in within.value) for item in document)
    return _contains(within.value, document, top=True)


def json_overlaps(stored: Any, text: str) -> bool | None:
    """Whether two arrays have an element in common, as ``&&`` on PostgreSQL's arrays."""
    if stored is None:
        return None
    document, other = loaded(stored), operand(text)
    if not isinstance(document, list) or not (other.is_array or isinstance(other.value, list)):
        return False
    if other.is_array:
        return any(_is_element(item, element) for item in document for element in other.value)
    return any(_equal(item, element) for item in document for element in other.value)


def _is_element(item: Any, element: str | None) -> bool:
    """Whether a JSON value is the element that an array literal spells."""
    if element is None or item is None:
        return False
    if isinstance(item, str):
        return item == element
    if isinstance(item, bool):
        return element.lower() in (("true", "t") if item else ("false", "f"))
    if isinstance(item, int | Decimal):
        try:
            return item == Decimal(element)
        except DecimalException:
            return False
    return False


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _equal(one: Any, other: Any) -> bool:
    return json_key(one) == json_key(other)


def _contains(value: Any, wanted: Any, *, top: bool = False) -> bool:
    """Containment, by the rules of https://www.postgresql.org/docs/18/datatype-json.html#JSON-CONTAINMENT."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and _contains(value[key], item) for key, item in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_contains(item, each) for item in value) for each in wanted)
    if isinstance(value, list):
        return top and any(_is_scalar(item) and _equal(item, wanted) for item in value)
    return not isinstance(value, dict) and _equal(value, wanted)


def json_order(stored: Any) -> bytes | None:
    """A key whose order, byte by byte, is that of ``jsonb``, and that is equal where the values are."""
    return None if stored is None else json_key(loaded(stored), top=True)


def json_key(value: Any, *, top: bool = False) -> bytes:
    """The key of a JSON value: null < strings < numbers < false < true < arrays < objects."""
    if value is None:
        return b"\x01"
    if isinstance(value, str):
        return b"\x02" + _text_key(value)
    if isinstance(value, bool):
        return b"\x05" if value else b"\x04"
    if isinstance(value, int | Decimal):
        return b"\x03" + _number_key(Decimal(value))
    if isinstance(value, list):
        if top and not value:
            return b"\x00"  # for historical reasons, says PostgreSQL
        return b"\x06" + len(value).to_bytes(4, "big") + b"".join([json_key(item) for item in value])
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    pairs = [_text_key(key) + json_key(value[key]) for key in keys]
    return b"\x07" + len(value).to_bytes(4, "big") + b"".join(pairs)


def _text_key(text: str) -> bytes:
    return text.encode(errors="surrogatepass") + b"\x00"


def _number_key(number: Decimal) -> bytes:
    if not number:
        return b"\x01"
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0").encode() + b"\x00"
    magnitude = (number.adjusted() + 2**63).to_bytes(8, "big") + digits
    return b"\x02" + magnitude if number > 0 else b"\x00" + bytes(255 - byte for byte in magnitude)
