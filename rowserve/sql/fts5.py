"""Full-text queries for SQLite: PostgreSQL's four ways to write one, as FTS5 has it.

https://www.postgresql.org/docs/18/textsearch-controls.html and https://sqlite.org/fts5.html#full_text_query_syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from ..errors import ApiError

NOTHING = '""'
"""The query that finds nothing."""
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Words:
    """Words in a row; of the last the beginning is enough where ``prefix``."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be found."""

    node: Node


@dataclass(frozen=True, slots=True)
class Several:
    """``and``, ``or``, or ``phrase`` of some parts."""

    kind: str
    nodes: tuple[Node, ...]


Node: TypeAlias = Words | Not | Several


def match_reader(operator: str, column: str | None) -> Callable[[str], str]:
    """A reader that makes a query of FTS5's of the value of ``fts``, ``plfts``, ``phfts`` or ``wfts``.

    Args:
        operator: which of them.
        column: what is searched; None for all columns.
    """
    parse = {"fts": parsed, "plfts": plain, "phfts": phrase, "wfts": web}[operator]
    prefix = "" if column is None else f"{_quoted(column)} : "

    def read(text: str) -> str:
        node = _simplified(parse(text.replace("\x00", " ")))
        return NOTHING if node is None else f"{prefix}({_rendered(node)})"

    return read


def plain(text: str) -> Node:
    """All of the words."""
    return Several("and", tuple(Words(word) for word in re.findall(r"\w+", text)))


def phrase(text: str) -> Node:
    """The words in a row."""
    return Words(text)


_WEB = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


def web(text: str) -> Node:
    """What search engines read: words, ``"phrases"``, ``or``, and ``-`` before what is not to be found."""
    alternatives: list[list[Node]] = [[]]
    for negated, quoted, bare in _WEB.findall(text):
        if bare.lower() == "or" and not negated:
            alternatives.append([])
            continue
        words = Words(quoted or bare.lstrip("-"))
        alternatives[-1].append(Not(words) if negated else words)
    return Several("or", tuple(Several("and", tuple(nodes)) for nodes in alternatives if nodes))


_TOKEN = re.compile(r"\s*(?:(<->|<\d+>|[&|!()])|('(?:[^']|'')*'|[^\s&|!()<>:']+)(:[*A-Da-d]+)?)\s*")


def parsed(text: str) -> Node:
    """The language of ``to_tsquery``: ``'fat cat' & !(rat | mouse:*)``, ``fat <-> cat``."""
    if not text.strip():
        return Several("and", ())
    tokens: list[tuple[str, str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            _refuse_syntax(text)
        tokens.append((match[1] or "", match[2] or "", match[3] or ""))
        position = match.end()
    return _Query(text, tokens).read()


class _Query:
    """The tokens of a query, read by precedence: ``!`` binds tighter than ``<->``, that than ``&``, that than ``|``."""

    def __init__(self, text: str, tokens: list[tuple[str, str, str]]) -> None:
        self.text = text
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    def read(self) -> Node:
        node = self._any()
        if self.position < len(self.tokens):
            _refuse_syntax(self.text)
        return node

    def _sign(self) -> str:
        return self.tokens[self.position][0] if self.position < len(self.tokens) else ""

    def _chain(self, sign: str, kind: str, part: Callable[[], Node]) -> Node:
        nodes = [part()]
        while self._sign() == sign:
            self.position += 1
            nodes.append(part())
        return nodes[0] if len(nodes) == 1 else Several(kind, tuple(nodes))

    def _any(self) -> Node:
        return self._chain("|", "or", self._all)

    def _all(self) -> Node:
        return self._chain("&", "and", self._phrase)

    def _phrase(self) -> Node:
        node = self._chain("<->", "phrase", self._one)
        if self._sign().startswith("<"):
            raise _not_here(f"words that are {self._sign()} apart")
        return node

    def _one(self) -> Node:
        if self.position >= len(self.tokens) or self.depth > MAX_DEPTH:
            _refuse_syntax(self.text)
        sign, word, suffix = self.tokens[self.position]
        self.position += 1
        self.depth += 1
        node: Node
        if sign == "!":
            node = Not(self._one())
        elif sign == "(":
            node = self._any()
            if self._sign() != ")":
                _refuse_syntax(self.text)
            self.position += 1
        elif word:
            if suffix.strip(":*"):
                raise _not_here(f"weights ({suffix})")
            node = Words(word[1:-1].replace("''", "'") if word.startswith("'") else word, bool(suffix))
        else:
            _refuse_syntax(self.text)
        self.depth -= 1
        return node


def _refuse_syntax(text: str) -> NoReturn:
    raise ApiError(400, "42601", f'syntax error in tsquery: "{text}"', hint="plfts and wfts take any text.")


def _not_here(what: str) -> ApiError:
    return ApiError(
        400, "PGRST127", "Feature not implemented", details=f"SQLite's full-text search does not know {what}"
    )


def _simplified(node: Node) -> Node | None:
    """The same without words that have no letter and no digit, of which FTS5 would find none."""
    if isinstance(node, Words):
        return node if any(character.isalnum() for character in node.text) else None
    if isinstance(node, Not):
        inner = _simplified(node.node)
        if inner is None:
            return None
        return inner.node if isinstance(inner, Not) else Not(inner)
    nodes = [inner for each in node.nodes if (inner := _simplified(each)) is not None]
    return nodes[0] if len(nodes) == 1 else Several(node.kind, tuple(nodes)) if nodes else None


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _rendered(node: Node) -> str:
    if isinstance(node, Words):
        return _quoted(node.text) + (" *" if node.prefix else "")
    if isinstance(node, Not):
        raise _not_here("how to find by nothing but what is not there: add a word that is")
    if node.kind == "phrase":
        if not all(isinstance(each, Words) for each in node.nodes):
            raise _not_here("<-> between anything but words")
        return " + ".join(map(_rendered, node.nodes))
    if node.kind == "or":
        return _joined(" OR ", node.nodes)
    wanted = [each for each in node.nodes if not isinstance(each, Not)]
    unwanted = [each.node for each in node.nodes if isinstance(each, Not)]
    if not wanted:
        return _rendered(Not(node))
    found = _joined(" AND ", wanted)
    return f"({found}) NOT ({_joined(' OR ', unwanted)})" if unwanted else found


def _joined(sign: str, nodes: Sequence[Node]) -> str:
    return sign.join(f"({_rendered(node)})" for node in nodes)
