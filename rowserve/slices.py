"""Bodies read a slice at a time: reading blocks nobody for long, and the rows of only one slice are there at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from rowserve.rows import Body, InvalidJSONError, RowReader, is_array

Row: TypeAlias = dict[str, Any]
Place = TypeVar("Place")

SLICE = 65_536
"""Bytes of a body that are read at once, and on to the end of a row. Measured from 16 KB to 128 KB: about alike."""
FIRST = 16_384
"""Bytes of the first slice, during which the database has nothing to do. The next are as long as all before them."""

_START = re.compile(rb"[ \t\r\n]*\[")
_CUT = re.compile(rb"\}[ \t\r\n]*,")
_COMMA = re.compile(rb"[ \t\r\n]*,")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\]]', re.DOTALL)
_POSITION = re.compile(r"line (\d+) column (\d+)(?: \(char \d+\))?")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a request brings.

    Attributes:
        first: the first of them; of a small body, all.
        is_array: whether they came as an array, or as lines.
        later: the others, slice by slice. Each is checked when its turn comes, so going through them raises what
            reading the first does. They may be gone through more than once.
    """

    first: list[Row]
    is_array: bool
    later: Iterable[list[Row]] = ()


@dataclass(frozen=True, slots=True)
class Later(Generic[Place]):
    """The slices of a body from a place on.

    Args:
        read: gives the rows of the slice at a place, and the place of the next; None after the last.
        place: where to begin.
    """

    read: Callable[[Place], tuple[list[Row], Place | None]]
    place: Place

    def __iter__(self) -> Iterator[list[Row]]:
        place: Place | None = self.place
        while place is not None:
            rows, place = self.read(place)
            if rows:
                yield rows


def rows_of_json(reader: RowReader, body: Body) -> Rows:
    """The rows in a JSON object or an array of objects.

    Raises:
        ApiError: as `RowReader.one_or_many` does, for what is in the first slice.
    """
    if len(body) < SLICE or not is_array(body):
        return Rows(*reader.one_or_many(body))
    start = _START.match(body)
    assert start is not None
    read = partial(_read, reader, body)
    first, place = read(_Place(start.end(), 0, None))
    return Rows(first, True, () if place is None else Later(read, place))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slice begins: its first byte, its first row's number, the keys that the rows before it have."""

    byte: int
    row: int
    keys: frozenset[str] | None


def slice_size(start: int) -> int:
    """How long a slice is to be that begins at a byte."""
    return min(SLICE, max(FIRST, start))


def _read(reader: RowReader, body: Body, place: _Place) -> tuple[list[Row], _Place | None]:
    """The rows of the slice that begins at a place, and where the next begins; None after the last."""
    start = place.byte
    size = slice_size(start)
    target = start + size
    if len(body) < target + size // 2:
        return _last(reader, body, place), None
    # Most often that is the end of a row; where it is not, what is before it is no JSON, with which one finds out:
    # what can be parsed to its end was cut between two elements.
    found = _CUT.search(body, target)
    if found is not None:
        try:
            return _cut(reader, body, place, found.start() + 1)
        except InvalidJSONError:
            pass
    end = _end_of_row(body, start, target)
    return (_last(reader, body, place), None) if end is None else _cut(reader, body, place, end)


def _cut(reader: RowReader, body: Body, place: _Place, end: int) -> tuple[list[Row], _Place]:
    rows = _parsed(reader, b"[" + body[place.byte : end] + b"]", body, place)
    comma = _COMMA.match(body, end)
    assert comma is not None
    return rows, _Place(comma.end(), place.row + len(rows), place.keys or frozenset(rows[0]))


def _last(reader: RowReader, body: Body, place: _Place) -> list[Row]:
    rows = _parsed(reader, b"[" + body[place.byte :], body, place)
    if place.row and not rows:
        raise InvalidJSONError("trailing comma at the end of the array")
    return rows


def _parsed(reader: RowReader, array: Body, body: Body, place: _Place) -> list[Row]:
    try:
        return reader.many(array, row=place.row, keys=place.keys)
    except InvalidJSONError as error:
        raise InvalidJSONError(_in_body(str(error.details), body, place.byte - 1)) from None


def _in_body(details: str, body: Body, start: int) -> str:
    """What a parser says of a slice that begins at ``start``, with the line and column in the body."""

    def place(found: re.Match[str]) -> str:
        line, column = int(found[1]), int(found[2])
        if line == 1:  # the slice's: in the body it may begin anywhere
            column += start - (body.rfind(b"\n", 0, start) + 1)
        line += body.count(b"\n", 0, start)
        return f"line {line} column {column}"

    return _POSITION.sub(place, details)


def _end_of_row(body: Body, start: int, target: int) -> int | None:
    """Where the first row ends that ends after ``target`` and is not the last, found by counting brackets outside
    strings; None where there is none. What begins at ``start`` is a row."""
    depth = 0
    for token in _TOKEN.finditer(body, start):
        byte = token[0][:1]
        if byte in b"{[":
            depth += 1
        elif byte in b"}]":
            depth -= 1
            if depth < 0:
                return None
            if depth == 0 and token.end() > target and _COMMA.match(body, token.end()):
                return token.end()
    return None
