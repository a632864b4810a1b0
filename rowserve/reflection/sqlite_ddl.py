"""What only the text of a CREATE TABLE says on SQLite: the names of constraints, and generated columns' expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["primary", "unique", "foreign"]

_TOKEN = re.compile(
    r"""
    --[^\n]* | /\*.*?(?:\*/|\Z)          # comments
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\])
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>\d[\w.]* | \S)
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL: ``name`` is what it names, unquoted, and ``word`` the keyword that it may be."""

    text: str
    name: str
    word: str
    start: int


def tokens(sql: str) -> list[Token]:
    """The pieces of SQL, without comments."""
    found = []
    for match in _TOKEN.finditer(sql):
        text = match.group()
        if match.lastgroup == "quoted":
            closing = text[-1]
            found.append(Token(text, text[1:-1].replace(closing * 2, closing), "", match.start()))
        elif match.lastgroup == "string":  # SQLite takes it for a name where only a name can be
            found.append(Token(text, text[1:-1].replace("''", "'"), "", match.start()))
        elif match.lastgroup is not None:
            found.append(Token(text, text, text.upper(), match.start()))
    return found


def closing(pieces: Sequence[Token], start: int) -> int:
    """Where the parenthesis that is open at ``start`` is closed."""
    depth = 0
    for index in range(start, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[index].text, 0)
        if depth == 0:
            return index
    return len(pieces)


def split(pieces: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The parts between the commas that are in no parentheses."""
    depth = 0
    start = 0
    for index, piece in enumerate(pieces):
        depth += {"(": 1, ")": -1}.get(piece.text, 0)
        if piece.text == "," and depth == 0:
            yield pieces[start:index]
            start = index + 1
    yield pieces[start:]


@dataclass(frozen=True, slots=True)
class Definition:
    """What the text of a CREATE TABLE says.

    Args:
        names: of the constraints that have one, by their kind and their columns in lower case.
        computed: for the generated columns in lower case their expressions.
    """

    names: dict[tuple[Kind, tuple[str, ...]], str] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)


_KINDS: dict[str, Kind] = {"PRIMARY": "primary", "UNIQUE": "unique", "FOREIGN": "foreign", "REFERENCES": "foreign"}
_OF_TABLES = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}


def definition(sql: str) -> Definition:
    """Reads a CREATE TABLE as SQLite keeps it."""
    found = Definition()
    pieces = tokens(sql)
    opening = next((index for index, piece in enumerate(pieces) if piece.text == "("), len(pieces))
    for part in split(pieces[opening + 1 : closing(pieces, opening)]):
        if part and part[0].word in _OF_TABLES:
            _read_constraints(part, 0, None, found)
        elif part:
            _read_constraints(part, 1, part[0].name.lower(), found)
            _read_expression(sql, part, found)
    return found


def _read_constraints(part: Sequence[Token], index: int, column: str | None, found: Definition) -> None:
    name: str | None = None
    while index < len(part):
        word = part[index].word
        if word == "CONSTRAINT" and index + 1 < len(part):
            name = part[index + 1].name
            index += 1
        elif word in _KINDS or word == "CHECK":
            if name is not None and word in _KINDS:
                columns = (column,) if column is not None else _columns(part, index)
                found.names[(_KINDS[word], columns)] = name
            name = None
            if column is None:
                return
        elif part[index].text == "(":
            index = closing(part, index)
        index += 1


def _columns(part: Sequence[Token], index: int) -> tuple[str, ...]:
    start = next((at for at in range(index, len(part)) if part[at].text == "("), len(part))
    return tuple([one[0].name.lower() for one in split(part[start + 1 : closing(part, start)]) if one])


def _read_expression(sql: str, part: Sequence[Token], found: Definition) -> None:
    index = 0
    while index < len(part):
        if part[index].text == "(":
            end = closing(part, index)
            if part[index - 1].word == "AS" and end < len(part):
                found.computed[part[0].name.lower()] = sql[part[index].start + 1 : part[end].start].strip()
                return
            index = end
        index += 1


def instead_of(sql: str) -> str | None:
    """The event, INSERT, UPDATE or DELETE, of a CREATE TRIGGER that stands in for it on a view."""
    words = [piece.word for piece in tokens(sql)]
    for index, word in enumerate(words[:-2]):
        if word == "INSTEAD" and words[index + 1] == "OF":
            return words[index + 2]
        if word == "BEGIN":
            break
    return None


def full_text(sql: str) -> dict[str, str] | None:
    """The options of a CREATE VIRTUAL TABLE that uses FTS5; None of any other statement."""
    pieces = tokens(sql)
    words = [piece.word for piece in pieces]
    if words[:3] != ["CREATE", "VIRTUAL", "TABLE"] or "USING" not in words:
        return None
    module = words.index("USING") + 1
    if words[module] != "FTS5":
        return None
    options = split(pieces[module + 2 : closing(pieces, module + 1)])
    return {part[0].name.lower(): part[2].name for part in options if len(part) > 2 and part[1].text == "="}
