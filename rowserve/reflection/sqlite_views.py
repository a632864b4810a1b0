"""Which columns of tables the columns of SQLite's views are.

SQLite does not tell, so the view is read: one SELECT of tables, views and subqueries, joined or not, of which those
columns count that are named and not computed. Of anything else nothing is said, and the view has no keys then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .sqlite_ddl import Token, closing, split, tokens
from .sqlite_relations import Relation
from .view_columns import Origin

_COMPOUND = {"UNION", "INTERSECT", "EXCEPT", "VALUES"}
_AFTER_SOURCES = {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT"}
_AFTER_SOURCE = {"NATURAL", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "JOIN", "ON", "USING", "INDEXED", "NOT"}


class UnclearError(Exception):
    """A view whose columns cannot be told."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a view selects from; a subquery, or what is not there, has no relation."""

    alias: str
    relation: Relation | None

    def columns(self) -> list[Origin | None]:
        if self.relation is None:
            raise UnclearError
        return [(self.relation.number, column["cid"]) for column in self.relation.columns]

    def column(self, name: str) -> Origin | None:
        found = None if self.relation is None else self.relation.numbers([name])
        return None if self.relation is None or found is None else (self.relation.number, found[0])


def view_columns(view: Relation, relations: Mapping[str, Relation]) -> dict[int, Origin]:
    """For the numbers of a view's columns what each is, as far as it is a column of a table or view.

    Args:
        view: whose text is read.
        relations: all there are, by their names in lower case.
    """
    try:
        found = _selected(tokens(view.sql), relations)
    except UnclearError:
        return {}
    if len(found) != len(view.columns):
        return {}
    pairs = zip(view.columns, found, strict=True)
    return {column["cid"]: origin for column, origin in pairs if origin is not None}


def _selected(pieces: Sequence[Token], relations: Mapping[str, Relation]) -> list[Origin | None]:
    select = _find(pieces, {"AS"}, 0) + 1
    if select >= len(pieces) or pieces[select].word != "SELECT" or _find(pieces, _COMPOUND, select) < len(pieces):
        raise UnclearError
    start = _find(pieces, {"FROM"}, select)
    end = _find(pieces, _AFTER_SOURCES, start)
    sources = list(_sources(pieces[start + 1 : end], relations))
    if _find(pieces, {"NATURAL", "USING"}, start) < end and any(piece.text == "*" for piece in pieces[select:start]):
        raise UnclearError  # a column that several share is then there once
    first = select + 1 + (pieces[select + 1].word in ("DISTINCT", "ALL"))
    found: list[Origin | None] = []
    for item in split(pieces[first:start]):
        found += _item(item, sources)
    return found


def _find(pieces: Sequence[Token], words: set[str], start: int) -> int:
    """Where the first of those words is that is in no parentheses; the end, where there is none."""
    index = start
    while index < len(pieces):
        if pieces[index].word in words:
            return index
        index = closing(pieces, index) + 1 if pieces[index].text == "(" else index + 1
    return len(pieces)


def _sources(pieces: Sequence[Token], relations: Mapping[str, Relation]) -> Iterator[Source]:
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        name = piece.name
        relation: Relation | None = None
        if piece.text == "(":
            index = closing(pieces, index) + 1
        else:
            index += 1
            if _text(pieces, index) == ".":
                name = pieces[index + 1].name
                index += 2
            if _text(pieces, index) == "(":
                index = closing(pieces, index) + 1
            else:
                relation = relations.get(name.lower())
        if index < len(pieces) and pieces[index].word == "AS":
            index += 1
        if index < len(pieces) and pieces[index].text != "," and pieces[index].word not in _AFTER_SOURCE:
            name = pieces[index].name
        yield Source(name.lower(), relation)
        while index < len(pieces) and pieces[index].text != "," and pieces[index].word != "JOIN":
            index = closing(pieces, index) + 1 if pieces[index].text == "(" else index + 1
        index += 1


def _text(pieces: Sequence[Token], index: int) -> str:
    return pieces[index].text if index < len(pieces) else ""


def _item(item: Sequence[Token], sources: Sequence[Source]) -> list[Origin | None]:
    """What one part of the list of a SELECT stands for."""
    if _text(item, 0) == "*" and len(item) == 1:
        return [column for source in sources for column in source.columns()]
    among = sources
    if _text(item, 1) == ".":
        among = [source for source in sources if source.alias == item[0].name.lower()][:1]
        item = item[2:]
        if _text(item, 0) == "*":
            return [column for source in among for column in source.columns()]
    is_named = len(item) == 2 or (len(item) == 3 and item[1].word == "AS")
    if not (len(item) == 1 or is_named) or item[0].text.startswith("'"):
        return [None]
    return [next((origin for source in among if (origin := source.column(item[0].name)) is not None), None)]
