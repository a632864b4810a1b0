"""Reading a text from left to right: names, quoted names, JSON paths, and errors that point at a column."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from rowserve.errors import ApiError

from .complaints import explain
from .model import Field, JsonStep

MAX_DEPTH = 64
"""How deep logic trees and embedded resources may nest, and how many steps a JSON path may have."""

NAME = re.compile(r"[\w$][\w $]*(?:-(?!>)[\w $]+)*")
QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_INDEX = re.compile(r"-?[0-9]+(?=->|::|[.,)]|\Z)")
_KEY = re.compile(r"[^-(:.,>)]+(?:-(?!>)[^-(:.,>)]+)*")
_INT4 = range(-(2**31), 2**31)
_SHOWN = 200


def decode(text: str) -> str:
    """The text behind percent-encoding, where ``+`` is a space.

    Raises:
        ApiError: 400 PGRST100, for bytes that are no UTF-8.
    """
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeError:
        raise Scanner(text, "percent-encoding").failure("expecting percent-encoded UTF-8") from None


def unescape(quoted: str) -> str:
    """What stands between double quotes, with ``\\"`` and ``\\\\`` read as the character behind the backslash."""
    return _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted


def stripped(dashed: str) -> str:
    """A bare name or key: blanks beside a dash are no more part of it than those at its ends."""
    return "-".join([part.strip() for part in dashed.split("-")]) if "-" in dashed else dashed.strip()


class Scanner:
    """A text and a position in it.

    Args:
        text: the decoded text.
        what: what it is, for errors: ``filter``, ``order``, ``select parameter``, …
        shown: the text to show in errors, where that is not the text itself.
    """

    __slots__ = ("pos", "shown", "text", "what")

    def __init__(self, text: str, what: str, shown: str | None = None) -> None:
        self.text = text
        self.what = what
        self.shown = text if shown is None else shown
        self.pos = 0

    def error(self, expecting: str, *, at: int | None = None, hint: str | None = None) -> ApiError:
        """400 PGRST100: what was found at the position, and what was expected there."""
        pos = self.pos if at is None else at
        found = f'"{self.text[pos]}"' if pos < len(self.text) else "end of input"
        return self.failure(f"unexpected {found} expecting {expecting}", at=pos, hint=hint)

    def failure(self, details: str, *, at: int | None = None, hint: str | None = None) -> ApiError:
        """400 PGRST100, with details of the caller's own where PostgREST has none."""
        explained = explain(self.what, self.text)
        pos, details = explained or (self.pos if at is None else at, details)
        line, column = _place(self.text, pos)
        return ApiError(
            400,
            "PGRST100",
            f'"failed to parse {self.what} ({_shown(self.shown)})" (line {line}, column {column})',
            details=details,
            hint=hint,
        )

    def deeper(self, depth: int) -> int:
        """The next depth of nesting.

        Raises:
            ApiError: past ``MAX_DEPTH``.
        """
        if depth >= MAX_DEPTH:
            raise self.failure(f"nested too deep, expecting at most {MAX_DEPTH} levels")
        return depth + 1

    def blanks(self) -> None:
        """Pass over spaces and tabs."""
        text, pos = self.text, self.pos
        while text.startswith((" ", "\t"), pos):
            pos += 1
        self.pos = pos

    def at(self, token: str) -> bool:
        """Whether the token comes next."""
        return self.text.startswith(token, self.pos)

    def take(self, token: str) -> bool:
        """Pass over the token if it comes next."""
        if self.text.startswith(token, self.pos):
            self.pos += len(token)
            return True
        return False

    def expect(self, token: str, otherwise: str | None = None) -> None:
        """Pass over the token, which has to come next."""
        if not self.take(token):
            raise self.error(otherwise or f'"{token}"')

    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.pos >= len(self.text)

    def name(self) -> str:
        """A name, bare or in double quotes, and the blanks around it."""
        self.blanks()
        quoted = QUOTED.match(self.text, self.pos) if self.at('"') else None
        if quoted is not None:
            self.pos = quoted.end()
            self.blanks()
            return unescape(quoted[1])
        bare = NAME.match(self.text, self.pos)
        if bare is None:
            raise self.error('a name (letters, digits, "_", "$", " ", "-", or anything in double quotes)')
        self.pos = bare.end()
        self.blanks()
        return stripped(bare[0])

    def names(self, separator: str) -> list[str]:
        """One or more names."""
        names = [self.name()]
        while self.take(separator):
            names.append(self.name())
        return names

    def json_path(self) -> tuple[JsonStep, ...]:
        """Any number of ``->key`` and ``->>key``."""
        steps: list[JsonStep] = []
        while self.take("->"):
            if len(steps) == MAX_DEPTH:
                raise self.failure(f"JSON path too long, expecting at most {MAX_DEPTH} steps")
            steps.append(JsonStep("->>" if self.take(">") else "->", self._json_key()))
        if steps:
            self.blanks()
        return tuple(steps)

    def field(self) -> Field:
        """A name and the JSON path behind it."""
        name = self.name()
        return Field(name, self.json_path()) if self.at("->") else Field(name)

    def _json_key(self) -> str | int:
        index = _INDEX.match(self.text, self.pos)
        if index is not None:
            # Longer digits are never a four-byte integer, and int() itself refuses thousands of them.
            if index.end() - self.pos > 11 or int(index[0]) not in _INT4:
                raise self.error("an array index of four bytes")
            self.pos = index.end()
            return int(index[0])
        quoted = QUOTED.match(self.text, self.pos)
        if quoted is not None:
            self.pos = quoted.end()
            return unescape(quoted[1])
        # A quote that nothing closes is no key, though it is none of the characters that end one.
        key = None if self.at('"') else _KEY.match(self.text, self.pos)
        name = stripped(key[0]) if key else ""
        if key is None or not name:
            raise self.error('a JSON key (any characters but "(-:.,>)", or anything in double quotes)')
        self.pos = key.end()
        return name


def _place(text: str, pos: int) -> tuple[int, int]:
    """The line and the column, both from one; a tab reaches to the next column of eight, as in Parsec."""
    line_start = text.rfind("\n", 0, pos) + 1
    column = 1
    for before, piece in enumerate(text[line_start:pos].split("\t")):
        column = len(piece) + (column if not before else column + 8 - (column - 1) % 8)
    return text.count("\n", 0, pos) + 1, column


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
