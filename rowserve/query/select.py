"""The ``select`` parameter: columns, aggregates, embedded and spread resources."""

from __future__ import annotations

import re
from typing import Literal

from .model import Column, Embed, Field, SelectItem, Star
from .scanner import QUOTED, Scanner

_AGGREGATES: dict[str, Literal["avg", "count", "max", "min", "sum"]] = {
    "avg": "avg", "count": "count", "max": "max", "min": "min", "sum": "sum",
}  # fmt: skip
_AGGREGATE = re.compile(r"\.([a-z]+)\(\)")
_TYPE = re.compile(r" *[\w$][\w $]*")
_ALL: tuple[SelectItem, ...] = (Star(),)


def read_select(text: str) -> tuple[SelectItem, ...]:
    """``select=id,name:full_name,films!inner(title)``; nothing at all is ``*``."""
    scanner = Scanner(text, "select parameter")
    scanner.blanks()
    if scanner.ended():
        return _ALL
    items = _items(scanner, 1)
    if not scanner.ended():
        raise scanner.error('"," or end of input')
    return items


def _items(scanner: Scanner, depth: int) -> tuple[SelectItem, ...]:
    items = [_item(scanner, depth)]
    while scanner.take(","):
        items.append(_item(scanner, depth))
    return tuple(items)


def _item(scanner: Scanner, depth: int) -> SelectItem:
    scanner.blanks()
    if scanner.take("*"):
        scanner.blanks()
        return Star()
    if scanner.take("..."):
        return _embed(scanner, scanner.name(), None, True, depth)
    alias, quoted, name = None, scanner.at('"'), scanner.name()
    if scanner.at(":") and not scanner.at("::"):
        scanner.pos += 1
        alias = name
        scanner.blanks()
        quoted, name = scanner.at('"'), scanner.name()
    if name == "count" and not quoted and scanner.at("("):
        scanner.expect("()", '")": a count has nothing in its parentheses')
        return Column(None, alias, None, "count", _cast(scanner))
    if scanner.at("(") or scanner.at("!"):
        return _embed(scanner, name, alias, False, depth)
    return _column(scanner, name, alias)


def _column(scanner: Scanner, name: str, alias: str | None) -> Column:
    path = scanner.json_path()
    cast = _cast(scanner)
    aggregate, aggregate_cast = None, None
    if scanner.at("."):
        match = _AGGREGATE.match(scanner.text, scanner.pos)
        aggregate = _AGGREGATES.get(match[1]) if match else None
        if match is None or aggregate is None:
            raise scanner.error('".avg()", ".count()", ".max()", ".min()" or ".sum()"')
        scanner.pos = match.end()
        aggregate_cast = _cast(scanner)
    scanner.blanks()
    return Column(Field(name, path), alias, cast, aggregate, aggregate_cast)


def _cast(scanner: Scanner) -> str | None:
    if not scanner.take("::"):
        return None
    match = _TYPE.match(scanner.text, scanner.pos)
    if match is None:
        raise scanner.error('the name of a type (letters, digits, "_", "$", " ")')
    scanner.pos = match.end()
    scanner.blanks()
    return match[0].strip(" ")


def _embed(scanner: Scanner, target: str, alias: str | None, spread: bool, depth: int) -> Embed:
    inner = scanner.deeper(depth)
    hint: str | None = None
    join: Literal["inner", "left"] | None = None
    while scanner.at("!"):
        start = scanner.pos
        scanner.pos += 1
        bare = QUOTED.match(scanner.text, scanner.pos) is None
        name = scanner.name()
        joining = bare and (name == "inner" or name == "left")
        if joining and join is None:
            join = "inner" if name == "inner" else "left"
        elif hint is None and not joining:
            hint = name
        else:
            raise scanner.error('"(" (one hint and one of "!inner", "!left" at most)', at=start)
    scanner.expect("(", '"!" or "("')
    scanner.blanks()
    select: tuple[SelectItem, ...] = ()
    if not scanner.at(")"):
        select = _items(scanner, inner)
    scanner.expect(")", '"," or ")"')
    scanner.blanks()
    return Embed(target, select, alias, hint, join, spread)
