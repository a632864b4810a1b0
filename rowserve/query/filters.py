"""Filters: operators with their values, lists, arrays, and the trees of ``and`` and ``or``."""

from __future__ import annotations

import re
from typing import Literal

from rowserve.errors import ApiError

from .model import Comparison, Condition, Field, Is, Logic, Value
from .scanner import QUOTED, Scanner, unescape

TEXT_SEARCH = frozenset({"fts", "plfts", "phfts", "wfts"})
"""The operators that take a language: ``fts(english).cat``."""

QUANTIFIABLE = frozenset({"eq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch"})
"""The operators that take ``(any)`` or ``(all)``."""

COMPARISONS = (
    QUANTIFIABLE
    | TEXT_SEARCH
    | {"neq", "isdistinct", "cs", "cd", "ov", "sl", "sr", "nxl", "nxr", "adj"}
)  # fmt: skip
"""The operators whose value is one text, when they have no quantifier."""

OPERATORS = (
    "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "in", "is", "isdistinct",
    "fts", "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxl", "nxr", "adj",
)  # fmt: skip
"""Every operator there is, in the order in which errors list them."""

_IS: dict[str, Literal["null", "not_null", "true", "false", "unknown"]] = {
    "null": "null", "not_null": "not_null", "true": "true", "false": "false", "unknown": "unknown",
}  # fmt: skip
_QUANTIFIERS: dict[str, Literal["any", "all"]] = {"any": "any", "all": "all"}

_OPERATION = re.compile(r"(not\.)?([a-z]+)(?:\(([^().]*)\))?\.")
_TREE = re.compile(r"(not\.)?(and|or)[ \t]*\(")
_CONSUMED = re.compile(
    r"(?:not|in|is|isdistinct|neq|cs|cd|ov|sl|sr|nxr|nxl|adj"
    r"|(?:fts|plfts|phfts|wfts)(?:\([\w $]+\))?"
    r"|(?:eq|gte|gt|lte|lt|like|ilike|match|imatch)(?:\((?:any|all)\))?)\."
)
_LANGUAGE = re.compile(r" *[\w$][\w $]*")
_WORD = re.compile(r"[A-Za-z_]+")
_ARRAY = re.compile(r"\{[^{}]*\}")
_UNQUOTED = re.compile(r"[^,)]*")
_ELEMENT = re.compile(r'\s*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"|([^",{}\\]*+(?:\\.[^",{}\\]*+)*+))\s*+(,|\}\Z)', re.DOTALL)


def read_filter(key: str, value: str, field: Field, values: list[Value]) -> Comparison | Is:
    """The filter ``key=value``; ``field`` is the column that the key names, and the literal joins ``values``."""
    scanner = Scanner(value, "filter")
    condition = _operation(scanner, field, values, subject=f"{key}=", nested=False)
    if not scanner.ended():
        raise scanner.error("end of input")
    return condition


def is_operation(value: str) -> bool:
    """Whether the value of a pair is a filter, or means to be one, rather than a function's argument."""
    return _CONSUMED.match(value) is not None


def read_tree(word: str, negated: bool, value: str, values: list[Value]) -> Logic:
    """The tree ``[not.]and=(…)`` or ``[not.]or=(…)``."""
    # PostgREST counts columns from the operator on, as if it were written in front of its parenthesis.
    start = f"not.{word}" if negated else word
    scanner = Scanner(start + value, "logic tree", shown=value)
    scanner.pos = len(start)
    scanner.blanks()
    scanner.expect("(")
    logic = _tree(scanner, word, negated, values, 1)
    if not scanner.ended():
        raise scanner.error("end of input")
    return logic


def read_list(text: str) -> tuple[str, ...]:
    """The items of ``(1,2,"a,b")``."""
    scanner = Scanner(text, "filter")
    items = _list(scanner)
    if not scanner.ended():
        raise scanner.error("end of input")
    return items


def _tree(scanner: Scanner, word: str, negated: bool, values: list[Value], depth: int) -> Logic:
    conditions: list[Condition] = []
    while True:
        scanner.blanks()
        tree = _TREE.match(scanner.text, scanner.pos)
        if tree is not None:
            inner = scanner.deeper(depth)
            scanner.pos = tree.end()
            conditions.append(_tree(scanner, tree[2], tree[1] is not None, values, inner))
        else:
            start = scanner.pos
            field = scanner.field()
            scanner.expect(".", '"." and an operator behind the name, or "and(", "or(", "not.and(", "not.or("')
            subject = scanner.text[start : scanner.pos]
            conditions.append(_operation(scanner, field, values, subject=subject, nested=True))
        scanner.blanks()
        if scanner.take(","):
            continue
        scanner.expect(")", '"," or ")"')
        scanner.blanks()
        return Logic("or" if word == "or" else "and", tuple(conditions), negated)


def _operation(scanner: Scanner, field: Field, values: list[Value], *, subject: str, nested: bool) -> Comparison | Is:
    start = scanner.pos
    match = _OPERATION.match(scanner.text, start)
    if match is None:
        raise _no_operator(scanner, subject, nested)
    negation, operator, modifier = match.groups()
    negated = negation is not None
    if operator in COMPARISONS:
        scanner.pos = match.end()
        quantifier, language = None, None
        if modifier is not None:
            if operator in QUANTIFIABLE and modifier in _QUANTIFIERS:
                quantifier = _QUANTIFIERS[modifier]
            elif operator in TEXT_SEARCH and _LANGUAGE.fullmatch(modifier):
                language = modifier.strip(" ")
            else:
                raise scanner.error(_modifiers(operator), at=match.start(3) - 1)
        value = _nested_value(scanner) if nested else _rest(scanner)
        values.append(value if quantifier is None else _array(value))
        return Comparison(field, operator, len(values) - 1, negated, quantifier, language)
    if modifier is None and operator == "in":
        scanner.pos = match.end()
        values.append(_list(scanner))
        return Comparison(field, "in", len(values) - 1, negated)
    if modifier is None and operator == "is":
        scanner.pos = match.end()
        word = _WORD.match(scanner.text, scanner.pos)
        state = _IS.get(word[0].lower()) if word else None
        if word is None or state is None:
            raise scanner.error("null, not_null, true, false or unknown")
        scanner.pos = word.end()
        return Is(field, state, negated)
    if operator in OPERATORS:
        raise scanner.error(_modifiers(operator), at=match.start(3) - 1)
    raise _no_operator(scanner, subject, nested)


def _no_operator(scanner: Scanner, subject: str, nested: bool) -> ApiError:
    """Why no operation could be read: the operator is unknown, it has no value, or there is none at all."""
    start = scanner.pos + 4 if scanner.at("not.") else scanner.pos
    word = _WORD.match(scanner.text, start)
    after = word.end() if word else start
    if word is not None and word[0] in OPERATORS:
        expected = _modifiers(word[0]) if scanner.text.startswith("(", after) else '"." and a value'
        return scanner.error(expected, at=after)
    known = ", ".join(OPERATORS)
    given = _UNQUOTED.match(scanner.text, scanner.pos) if nested else None
    text = (scanner.text[scanner.pos :] if given is None else given[0])[:200]
    hint = f"To compare with the value itself, write {subject[:200]}eq.{text}. The operators are {known}."
    if word is not None and scanner.text.startswith((".", "("), after):
        hint = f'There is no operator "{word[0][:200]}". {hint}'
    return scanner.error(f"an operator and a dot before the value, one of {known}", at=start, hint=hint)


def _modifiers(operator: str) -> str:
    if operator in QUANTIFIABLE:
        return "(any) or (all)"
    if operator in TEXT_SEARCH:
        return "the name of a language in parentheses"
    return f'"." behind "{operator}"'


def _rest(scanner: Scanner) -> str:
    start, scanner.pos = scanner.pos, len(scanner.text)
    return scanner.text[start:]


def _nested_value(scanner: Scanner) -> str:
    """A value inside a tree: in double quotes, or an array in braces, or all until the next comma or parenthesis."""
    quoted = _quoted_item(scanner)
    if quoted is not None:
        return quoted
    match = _ARRAY.match(scanner.text, scanner.pos) or _UNQUOTED.match(scanner.text, scanner.pos)
    if match is None:
        return ""
    scanner.pos = match.end()
    return match[0]


def _quoted_item(scanner: Scanner) -> str | None:
    match = QUOTED.match(scanner.text, scanner.pos)
    # PostgREST reads quotes that end before the item does as characters like any other.
    if match is None or scanner.text[match.end() : match.end() + 1] not in {",", ")", ""}:
        return None
    scanner.pos = match.end()
    return unescape(match[1])


def _list(scanner: Scanner) -> tuple[str, ...]:
    scanner.blanks()
    scanner.expect("(")
    scanner.blanks()
    text = scanner.text
    close = text.find(")", scanner.pos)
    if close >= 0 and text.find('"', scanner.pos, close) < 0:
        body = text[scanner.pos : close]
        scanner.pos = close + 1
        scanner.blanks()
        return tuple(body.split(",")) if body else ()
    items: list[str] = []
    while True:
        item = _quoted_item(scanner)
        if item is None:
            start = scanner.pos
            match = _UNQUOTED.match(text, start)
            scanner.pos = match.end() if match else start
            item = text[start : scanner.pos]
        items.append(item)
        if scanner.take(","):
            continue
        scanner.expect(")", '"," or ")"')
        scanner.blanks()
        return tuple(items)


def _array(text: str) -> tuple[str, ...]:
    """The items of a PostgreSQL array literal of one dimension, ``{a,"b,c"}``.

    Raises:
        ApiError: 400 22P02, as PostgreSQL itself says it.
    """
    if not text.startswith("{"):
        raise _malformed(text, 'Array value must start with "{" or dimension information.')
    if not text.endswith("}"):
        raise _malformed(text, "Unexpected end of input.")
    if not text[1:-1].strip():
        return ()
    items: list[str] = []
    pos = 1
    while pos < len(text):
        element = _ELEMENT.match(text, pos)
        if element is None:
            raise _malformed(text, "Unexpected array element.")
        quoted, bare, behind = element.groups()
        item = unescape(quoted) if quoted is not None else unescape(bare.strip())
        pos = element.end()
        if (not item and quoted is None) or (behind == "," and pos == len(text)):
            raise _malformed(text, f'Unexpected "{behind}" character.')
        items.append(item)
    return tuple(items)


def _malformed(text: str, details: str) -> ApiError:
    return ApiError(400, "22P02", f'malformed array literal: "{text[:200]}"', details=details)
