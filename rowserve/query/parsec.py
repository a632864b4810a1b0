"""Reading a text as the Haskell library Parsec reads it, to say of a mistake what Parsec says.

PostgREST's errors are Parsec's: where it stopped, what it found there, and all that could have come instead. They
follow from how a grammar is put together, so a grammar put together the same way has the same errors. Nothing here
yields a value, and nothing of it runs for a request that can be read.

The rules are those of Daan Leijen's "Parsec: Direct Style Monadic Parser Combinators for the Real World": an
alternative is tried only where the one before has consumed nothing, and of two complaints the farther counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

FOUND, UNEXPECTED, EXPECTED = 0, 1, 2
Said: TypeAlias = tuple[tuple[int, str], ...]
Outcome: TypeAlias = tuple[bool, bool, int, int, Said]
"""Whether a parser has read what it reads, whether it has consumed anything, the position behind that, and a complaint
for the case that nothing can be made of what comes next: its position and its parts, of which there may be none."""


class Source:
    """A text, and how many more single parsers may look at it."""

    __slots__ = ("patience", "text")

    def __init__(self, text: str, patience: int) -> None:
        self.text = text
        self.patience = patience

    def tire(self) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise TiredError


class TiredError(Exception):
    """The text is too long for what a mistake is worth."""


Parser: TypeAlias = Callable[[Source, int], Outcome]


def complaint(parser: Parser, text: str, *, patience: int) -> tuple[int, str] | None:
    """The position of the first mistake and what is said of it.

    None where the text begins with what is expected, or where the parsers have looked at it ``patience`` times.
    """
    try:
        ok, _, _, at, said = parser(Source(text, patience), 0)
    except TiredError:
        return None
    return None if ok else (at, _sentence(said))


def one(pattern: str, *expected: str) -> Parser:
    """A character of the class."""
    return _run(re.compile(pattern, re.DOTALL), expected, optional=False, repeated=False)


def char(character: str) -> Parser:
    """This character."""
    return one(re.escape(character), _shown(character))


def some(pattern: str, *expected: str) -> Parser:
    """One or more characters of the class."""
    return _run(re.compile(f"{pattern}+", re.DOTALL), expected, optional=False, repeated=True)


def any_number(pattern: str) -> Parser:
    """Any number of characters of the class."""
    return _run(re.compile(f"{pattern}+", re.DOTALL), (), optional=True, repeated=True)


def word(expected: str) -> Parser:
    """This text; complained about at its beginning, wherever in it the other character stands."""
    said = (EXPECTED, _shown(expected))

    def read(source: Source, pos: int) -> Outcome:
        source.tire()
        text = source.text
        if text.startswith(expected, pos):
            end = pos + len(expected)
            return True, True, end, end, ()
        same = 0
        while text[pos + same : pos + same + 1] == expected[same]:
            same += 1
        return False, same > 0, pos, pos, (_found(text, pos + same), said)

    return read


def end_of_input(source: Source, pos: int) -> Outcome:
    """Nothing more."""
    source.tire()
    expected = (EXPECTED, "end of input")
    if pos >= len(source.text):
        return True, False, pos, pos, ((FOUND, ""), expected)
    return False, False, pos, pos, (expected, (UNEXPECTED, f"'{source.text[pos]}'"))


def sequence(*parsers: Parser) -> Parser:
    """One after the other."""

    def read(source: Source, pos: int) -> Outcome:
        consumed, at, said = False, pos, _NONE
        for parser in parsers:
            ok, further, pos, then_at, then_said = parser(source, pos)
            if further:
                consumed, at, said = True, then_at, then_said
            else:
                at, said = _merged(at, said, then_at, then_said)
            if not ok:
                return False, consumed, pos, at, said
        return True, consumed, pos, at, said

    return read


def either(*parsers: Parser) -> Parser:
    """The first of them that reads anything."""

    def read(source: Source, pos: int) -> Outcome:
        at, said = pos, _NONE
        for parser in parsers:
            outcome = parser(source, pos)
            if outcome[1]:
                return outcome
            at, said = _merged(at, said, outcome[3], outcome[4])
            if outcome[0]:
                return True, False, pos, at, said
        return False, False, pos, at, said

    return read


def optional(parser: Parser) -> Parser:
    """It, or nothing."""
    return either(parser, lambda _, pos: (True, False, pos, pos, ()))


def attempt(parser: Parser) -> Parser:
    """It; having failed it counts as not having consumed anything."""

    def read(source: Source, pos: int) -> Outcome:
        outcome = parser(source, pos)
        return outcome if outcome[0] else (False, False, pos, outcome[3], outcome[4])

    return read


def ahead(parser: Parser) -> Parser:
    """It comes next, and stays where it is."""

    def read(source: Source, pos: int) -> Outcome:
        outcome = parser(source, pos)
        return (True, False, pos, pos, ()) if outcome[0] else outcome

    return read


def not_ahead(parser: Parser) -> Parser:
    """It does not come next; it is a parser of one character."""

    def read(source: Source, pos: int) -> Outcome:
        ok, _, end, at, said = parser(source, pos)
        if ok:
            return False, False, pos, end, ((UNEXPECTED, f"'{source.text[pos]}'"),)
        return True, False, pos, at, said

    return read


def many(parser: Parser) -> Parser:
    """Any number of it."""

    def read(source: Source, pos: int) -> Outcome:
        consumed = False
        while True:
            outcome = parser(source, pos)
            ok, further, end, at, said = outcome
            if not further:
                return True, consumed, pos, at, said
            if not ok:
                return outcome
            consumed, pos = True, end

    return read


def separated(parser: Parser, separator: Parser) -> Parser:
    """One or more of it."""
    return sequence(parser, many(sequence(separator, parser)))


def called(name: str, parser: Parser) -> Parser:
    """It, by a name of its own in complaints."""
    expected = (EXPECTED, name)

    def read(source: Source, pos: int) -> Outcome:
        outcome = parser(source, pos)
        ok, consumed, end, at, said = outcome
        if consumed or (ok and not said):
            return outcome
        return ok, False, end, at, (expected, *[message for message in said if message[0] != EXPECTED])

    return read


def _run(pattern: re.Pattern[str], expected: tuple[str, ...], *, optional: bool, repeated: bool) -> Parser:
    said = tuple((EXPECTED, what) for what in expected)

    def read(source: Source, pos: int) -> Outcome:
        source.tire()
        match = pattern.match(source.text, pos)
        if match is None:
            return optional, False, pos, pos, (_found(source.text, pos), *said)
        end = match.end()
        return True, True, end, end, ((_found(source.text, end), *said) if repeated else ())

    return read


_NONE: Said = ()


def _merged(at: int, said: Said, then_at: int, then_said: Said) -> tuple[int, Said]:
    if not then_said or (said and at > then_at):
        return at, said
    if not said or then_at > at:
        return then_at, then_said
    return at, said + then_said


def _found(text: str, pos: int) -> tuple[int, str]:
    return FOUND, _shown(text[pos]) if pos < len(text) else ""


def _shown(text: str) -> str:
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _sentence(said: Said) -> str:
    found = [text for kind, text in said if kind == FOUND]
    unexpected = list(dict.fromkeys(text for kind, text in said if kind == UNEXPECTED))
    expected = list(dict.fromkeys(text for kind, text in said if kind == EXPECTED))
    parts = []
    if unexpected:
        parts.append(f"unexpected {_listed(unexpected)}")
    elif found:
        parts.append(f"unexpected {found[0] or 'end of input'}")
    if expected:
        parts.append(f"expecting {_listed(expected)}")
    return " ".join(parts) or "unknown parse error"


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
