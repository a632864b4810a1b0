"""PostgreSQL's regular expressions, for SQLite.

The grammar is that of https://www.postgresql.org/docs/18/functions-matching.html#POSIX-SYNTAX-DETAILS. Each pattern is
translated to one of the module ``regex``, which unlike Python's own gives up Python's lock while it searches, and the
search after a time: whatever a client asks for, the server goes on answering.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

import regex

from .literals import RefusedError, no_nul

MAX_LENGTH = 1_000
"""Characters a pattern may have."""
MAX_SIZE = 10_000
"""Characters and classes it may have when its repetitions are written out, which is how they are compiled."""
TIMEOUT = 1.0
"""Seconds a search in one text may take."""

_CLASSES = re.compile("alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit")
_CONSTRAINTS = {
    "A": r"\A", "Z": r"\Z", "m": r"(?<!\w)(?=\w)", "M": r"(?<=\w)(?!\w)", "y": r"\b", "Y": r"\B"
}  # fmt: skip
_CONTROLS = {"a": "\a", "b": "\b", "B": "\\", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OPTIONS = re.compile(r"\(\?([a-z]+)\)")
_GROUPS = ("(?:", "(?=", "(?!", "(?<=", "(?<!")
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")
_DIGITS = frozenset("0123456789")
_MAX_REPEAT = 255


def matches(pattern: str, ignore_case: bool, text: str) -> bool:
    """Whether the pattern is found in the text.

    Raises:
        RefusedError: 2201B, the pattern is none, or it takes too long.
    """
    try:
        return compiled(pattern, ignore_case).search(text, timeout=TIMEOUT, concurrent=True) is not None
    except TimeoutError:
        _refuse("regular expression is too complex")


@lru_cache(maxsize=512)
def compiled(pattern: str, ignore_case: bool) -> regex.Pattern[str]:
    """The pattern, ready to search.

    Raises:
        RefusedError: 2201B, it is no regular expression.
    """
    no_nul(pattern)
    if len(pattern) > MAX_LENGTH:
        _refuse("regular expression is too complex", f"It has more than {MAX_LENGTH} characters.")
    translation = _Translation(pattern, ignore_case)
    try:
        text = translation.translated()
        return regex.compile(text, regex.IGNORECASE if translation.ignore_case else 0)
    except RecursionError:
        _refuse("regular expression is too complex", "It is nested too deep.")
    except regex.error as error:
        _refuse(str(error))


def _refuse(reason: str, details: str | None = None) -> NoReturn:
    raise RefusedError("2201B", f"invalid regular expression: {reason}", details=details)


def _literal(character: str) -> str:
    return character if character.isalnum() or character == "_" or character > "\x7f" else f"\\{character}"


class _Translation:
    """A pattern on its way, read from left to right."""

    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self.text = pattern
        self.pos = 0
        self.ignore_case = ignore_case
        self.is_literal = False
        self.is_expanded = False
        self.dot = r"[\s\S]"
        self.excluded = ""
        self.start, self.end = r"\A", r"\Z"
        self.groups = 0
        self.closed: set[int] = set()
        self.size = 0

    def translated(self) -> str:
        if self._take("***="):
            self.is_literal = True
        else:
            self._take("***:")
            self._options()
        if self.is_literal:
            return "".join(map(_literal, self.text[self.pos :]))
        return self._branches()

    def _take(self, token: str) -> bool:
        if self.text.startswith(token, self.pos):
            self.pos += len(token)
            return True
        return False

    def _options(self) -> None:
        options = _OPTIONS.match(self.text, self.pos)
        if options is None:
            return
        self.pos = options.end()
        for letter in options[1]:
            match letter:
                case "c" | "i":
                    self.ignore_case = letter == "i"
                case "q":
                    self.is_literal = True
                case "s":
                    self.dot, self.excluded, self.start, self.end = r"[\s\S]", "", r"\A", r"\Z"
                case "t" | "x":
                    self.is_expanded = letter == "x"
                case "m" | "n" | "p" | "w":
                    if letter != "w":
                        self.dot, self.excluded = r"[^\n]", r"\n"
                    if letter != "p":
                        self.start, self.end = r"(?:\A|(?<=\n))", r"(?=\n|\Z)"
                case _:
                    _refuse("invalid embedded option")

    def _branches(self, group: int | None = None) -> str:
        """Branches up to the end, or up to the parenthesis that closes the group."""
        parts: list[str] = []
        while self.pos < len(self.text):
            if self.text[self.pos] == ")":
                if group is None:
                    _refuse("parentheses () not balanced")
                return "".join(parts)
            if self._take("|"):
                parts.append("|")
            elif self.is_expanded and self.text[self.pos].isspace():
                self.pos += 1
            elif self.is_expanded and self.text[self.pos] == "#":
                end = self.text.find("\n", self.pos)
                self.pos = len(self.text) if end < 0 else end + 1
            elif self.text.startswith("(?#", self.pos):
                end = self.text.find(")", self.pos)
                self.pos = len(self.text) if end < 0 else end + 1
            else:
                before = self.size
                atom, repeatable = self._atom()
                parts.append(f"{atom}{self._quantifier(repeatable, before)}")
        if group is not None:
            _refuse("parentheses () not balanced")
        return "".join(parts)

    def _atom(self) -> tuple[str, bool]:
        """The next atom or constraint, and whether a quantifier may follow it."""
        character = self.text[self.pos]
        self.size += 1
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket(), True
        if character == "\\":
            return self._escape()
        if character in "*+?" or (character == "{" and self.text[self.pos + 1 : self.pos + 2] in _DIGITS):
            _refuse("quantifier operand invalid")
        self.pos += 1
        match character:
            case ".":
                return self.dot, True
            case "^":
                return self.start, False
            case "$":
                return self.end, False
        return _literal(character), True

    def _group(self) -> tuple[str, bool]:
        opening = next((each for each in _GROUPS if self.text.startswith(each, self.pos)), "(")
        if opening == "(" and self.text.startswith("(?", self.pos):
            _refuse("quantifier operand invalid")
        self.pos += len(opening)
        number = 0
        if opening == "(":
            self.groups += 1
            number = self.groups
        body = self._branches(number)
        self.pos += 1
        if number:
            self.closed.add(number)
        return f"{opening}{body})", opening in ("(", "(?:")

    def _quantifier(self, repeatable: bool, before: int) -> str:
        rest = self.text[self.pos : self.pos + 1]
        if rest and rest in "*+?":
            self.pos += 1
            quantifier = rest
        elif rest == "{" and self.text[self.pos + 1 : self.pos + 2] in _DIGITS:
            quantifier, times = self._bound()
            self.size = before + (self.size - before) * max(times, 1)
            if self.size > MAX_SIZE:
                _refuse("regular expression is too complex")
        else:
            return ""
        if not repeatable:
            _refuse("quantifier operand invalid")
        lazy = "?" if self._take("?") else ""
        following = self.text[self.pos : self.pos + 1]
        if (following and following in "*+?") or (
            following == "{" and self.text[self.pos + 1 : self.pos + 2] in _DIGITS
        ):
            _refuse("quantifier operand invalid")
        return quantifier + lazy

    def _bound(self) -> tuple[str, int]:
        """``{2}``, ``{2,}`` or ``{2,3}``, and the number of times that is written out."""
        close = self.text.find("}", self.pos)
        if close < 0:
            _refuse("braces {} not balanced")
        low, comma, high = self.text[self.pos + 1 : close].partition(",")
        self.pos = close + 1
        for number in (low, high):
            if number and not (number.isascii() and number.isdigit() and int(number[:4]) <= _MAX_REPEAT):
                _refuse("invalid repetition count(s)")
        if high and int(low) > int(high):
            _refuse("invalid repetition count(s)")
        return f"{{{low}{comma}{high}}}", int(high or low)

    def _escape(self) -> tuple[str, bool]:
        """What stands behind a backslash outside of brackets."""
        letter = self.text[self.pos + 1 : self.pos + 2]
        if letter in _CONSTRAINTS and letter:
            self.pos += 2
            return _CONSTRAINTS[letter], False
        if letter and letter in "123456789":
            digits = self._digits(self.pos + 1)
            number = int(digits)
            if len(digits) == 1 or number <= self.groups:
                if number not in self.closed:
                    _refuse("invalid backreference number")
                self.pos += 1 + len(digits)
                return f"(?:\\{number})", True
        return self._character_escape(), True

    def _digits(self, start: int) -> str:
        end = start
        while self.text[end : end + 1] in _DIGITS and end - start < 3:
            end += 1
        return self.text[start:end]

    def _character_escape(self) -> str:
        """A character or a class behind a backslash, as it may stand in brackets too."""
        letter = self.text[self.pos + 1 : self.pos + 2]
        self.pos += 2
        if not letter:
            _refuse(r"invalid escape \ sequence")
        if not letter.isalnum() or letter > "\x7f":
            return _literal(letter)
        if letter in "dswDSW":
            return f"\\{letter}"
        if letter in _CONTROLS:
            return _literal(_CONTROLS[letter])
        if letter == "c" and self.pos < len(self.text):
            self.pos += 1
            return _literal(chr(ord(self.text[self.pos - 1]) & 31))
        if letter in "uUx":
            return self._code(_HEX, {"u": 4, "U": 8, "x": 255}[letter], 16, exactly=letter != "x")
        if letter in _OCTAL:
            self.pos -= 1
            return self._code(_OCTAL, 3, 8, exactly=False)
        return _refuse(r"invalid escape \ sequence")

    def _code(self, digits: frozenset[str], most: int, base: int, *, exactly: bool) -> str:
        start = self.pos
        while self.pos - start < most and self.text[self.pos : self.pos + 1] in digits:
            self.pos += 1
        found = self.text[start : self.pos]
        if not found or (exactly and len(found) != most) or int(found, base) > 0x10FFFF:
            _refuse(r"invalid escape \ sequence")
        return _literal(chr(int(found, base)))

    def _bracket(self) -> str:
        """A bracket expression, of whose items each is written anew."""
        for word, constraint in (("[[:<:]]", "m"), ("[[:>:]]", "M")):
            if self._take(word):
                return _CONSTRAINTS[constraint]
        self.pos += 1
        negated = self._take("^")
        items: list[str] = []
        first = True
        while first or not self._take("]"):
            if self.pos >= len(self.text):
                _refuse("brackets [] not balanced")
            items.append(self._bracket_item())
            first = False
        body = "".join(items)
        return f"[^{body}{self.excluded}]" if negated else f"[{body}]"

    def _bracket_item(self) -> str:
        if self._take("[:"):
            name = self._until(":]")
            if not _CLASSES.fullmatch(name):
                _refuse("invalid character class")
            return rf"\p{{posix_{name}}}" if name in ("alnum", "digit", "punct", "xdigit") else f"[:{name}:]"
        start = self._bracket_character()
        if not self.text.startswith("-", self.pos) or self.text.startswith("-]", self.pos):
            return start
        self.pos += 1
        end = self._bracket_character()
        if any(len(part) == 2 and part[1] in "dswDSW" for part in (start, end)):
            _refuse("invalid character range")
        if start[-1] > end[-1]:
            _refuse("invalid character range")
        return f"{start}-{end}"

    def _bracket_character(self) -> str:
        if self.pos >= len(self.text):
            _refuse("brackets [] not balanced")
        for opening, closing in (("[.", ".]"), ("[=", "=]")):
            if self._take(opening):
                name = self._until(closing)
                if len(name) != 1:
                    _refuse("invalid collating element")
                return _literal(name)
        if self.text[self.pos] == "\\":
            return self._character_escape()
        self.pos += 1
        return _literal(self.text[self.pos - 1])

    def _until(self, closing: str) -> str:
        end = self.text.find(closing, self.pos)
        if end < 0:
            _refuse("brackets [] not balanced")
        name = self.text[self.pos : end]
        self.pos = end + len(closing)
        return name
