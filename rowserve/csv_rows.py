"""Rows in CSV (https://www.rfc-editor.org/rfc/rfc4180): a line of names, then a line for each row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from rowserve.errors import ApiError
from rowserve.rows import Body, RowReader
from rowserve.slices import Later, Row, Rows, slice_size

_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r)?")
_BOM = b"\xef\xbb\xbf"

# The bound of a field is the body's. The module's own, 128 KB, is that of the process: it is only ever raised.
csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))


def rows_of_csv(reader: RowReader, body: Body) -> Rows:
    """The rows in a CSV body. ``NULL`` is null, nothing is the empty string, and empty lines do not count.

    Raises:
        ApiError: 400 with PGRST102 for what is no CSV, or for lines that differ in their number of fields; else as
            `RowReader.from_strings` does, for what is in the first slice.
    """
    lines = _Lines(body, len(_BOM) if body.startswith(_BOM) else 0)
    header = next(lines.records(), None)
    if header is None:
        raise _invalid("There is no line with the names of the columns.")
    read = partial(_read, reader, body)
    first, place = read(_Place(header, lines.byte, lines.number, 0))
    return Rows(first, True, () if place is None else Later(read, place))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slice begins: its first byte, how many lines and how many rows there are before it."""

    header: list[str]
    byte: int
    lines: int
    row: int


class _Lines:
    """The lines of a body, and how far one has come."""

    def __init__(self, body: Body, byte: int, number: int = 0) -> None:
        self.body = body
        self.byte = byte
        self.number = number

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        found = _LINE.match(self.body, self.byte)
        if found is None or found.end() == self.byte:
            raise StopIteration
        self.byte = found.end()
        self.number += 1
        try:
            return found[0].decode()
        except UnicodeDecodeError:
            raise _invalid(f"line {self.number} is no UTF-8") from None

    def records(self) -> Iterator[list[str]]:
        """What the lines spell, each a list of fields."""
        try:
            for record in csv.reader(self, strict=True):
                if record:
                    yield record
        except csv.Error as error:
            raise _invalid(f"line {self.number}: {error}") from None


def _read(reader: RowReader, body: Body, place: _Place) -> tuple[list[Row], _Place | None]:
    """The rows of the slice that begins at a place, and where the next begins; None after the last."""
    lines = _Lines(body, place.byte, place.lines)
    header = place.header
    size = slice_size(place.byte)
    rows: list[Row] = []
    for record in lines.records():
        if len(record) != len(header):
            details = f"line {lines.number} has {len(record)} fields, not {len(header)}."
            raise ApiError(400, "PGRST102", "All lines must have same number of fields", details=details)
        pairs = [(name, None if text == "NULL" else text) for name, text in zip(header, record, strict=True)]
        rows.append(reader.from_strings(pairs, row=place.row + len(rows)))
        if lines.byte - place.byte >= size:
            break
    place = _Place(header, lines.byte, lines.number, place.row + len(rows))
    return rows, None if lines.byte >= len(body) else place


def _invalid(details: str) -> ApiError:
    return ApiError(400, "PGRST102", "Empty or invalid csv", details=details)
