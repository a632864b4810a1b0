"""``parse``: from a query string to the shape of the request and its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rowserve.errors import ApiError

from .filters import read_filter, read_tree
from .model import Condition, Embed, Field, Modifiers, Order, Parsed, Query, SelectItem, Star, Value
from .order import read_names, read_order
from .scanner import Scanner, decode
from .select import read_select

EMPTY = Parsed(Query(), ())
"""What an empty query string means."""

RESERVED = frozenset({"select", "columns", "on_conflict"})
"""Keys that are no column's name."""

RESERVED_WORDS = frozenset({"order", "limit", "offset", "and", "or"})
"""Last words of keys that are no column's name: ``order``, ``films.order``, …"""

_MAX_RANGE = 2**63 - 1
_NOTHING = Modifiers()
_ALL: tuple[SelectItem, ...] = (Star(),)


def parse(query_string: str) -> Parsed:
    """Read a query string, still percent-encoded, without its question mark.

    Values are numbered in the order in which they stand. Of several ``select``, ``columns``, ``on_conflict`` or
    ``order`` the first counts, of several ``limit`` or ``offset`` the last; filters are all joined by AND. A key
    without ``=`` is passed over.

    Raises:
        ApiError: 400 PGRST100 for what cannot be read, 400 PGRST108 for a filter, order or range on a resource that
            is not embedded, 416 PGRST103 for a negative limit or offset.
    """
    if not query_string:
        return EMPTY
    if not query_string.isascii():
        _check_encodable(query_string)
    pairs = []
    select = None
    for pair in query_string.split("&"):
        raw_key, equals, raw_value = pair.partition("=")
        if equals:
            key, value = decode(raw_key), decode(raw_value)
            if key != "select":
                pairs.append((key, value))
            elif select is None:
                select = read_select(value)
    reader = _Reader(_ALL if select is None else select)
    for key, value in pairs:
        reader.read(key, value)
    return reader.parsed()


def embeds_by_name(select: tuple[SelectItem, ...]) -> dict[str, Embed]:
    """What filters, orders and ranges may call each embedded resource: its alias, or else its target."""
    embeds: dict[str, Embed] = {}
    targets: dict[str, Embed] = {}
    for item in select:
        if isinstance(item, Embed):
            embeds.setdefault(item.alias or item.target, item)
            targets.setdefault(item.target, item)
    return targets | embeds


class _Arrangement:
    """Modifiers of one resource while they are being read, and of the resources embedded in it."""

    __slots__ = ("_embeds", "embedded", "limit", "offset", "order", "select", "where")

    def __init__(self, select: tuple[SelectItem, ...]) -> None:
        self.select = select
        self.where: list[Condition] = []
        self.order: tuple[Order, ...] | None = None
        self.limit: int | None = None
        self.offset: int | None = None
        self.embedded: dict[str, _Arrangement] = {}
        self._embeds: dict[str, Embed] | None = None

    def embed(self, name: str) -> Embed:
        if self._embeds is None:
            self._embeds = embeds_by_name(self.select)
        embed = self._embeds.get(name)
        if embed is None:
            raise ApiError(
                400,
                "PGRST108",
                f"'{name}' is not an embedded resource in this request",
                hint=f"Verify that '{name}' is included in the 'select' query parameter.",
            )
        return embed

    def inside(self, name: str) -> _Arrangement:
        embed = self.embed(name)
        known_as = embed.alias or embed.target
        arrangement = self.embedded.get(known_as)
        if arrangement is None:
            arrangement = self.embedded[known_as] = _Arrangement(embed.select)
        return arrangement

    def frozen(self) -> Modifiers:
        return Modifiers(tuple(self.where), self.order or (), self.limit, self.offset)

    def frozen_embedded(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Modifiers]]:
        for name, arrangement in self.embedded.items():
            modifiers = arrangement.frozen()
            if modifiers != _NOTHING:
                yield (*path, name), modifiers
            yield from arrangement.frozen_embedded((*path, name))


class _Reader:
    __slots__ = ("columns", "on_conflict", "root", "values")

    def __init__(self, select: tuple[SelectItem, ...]) -> None:
        self.root = _Arrangement(select)
        self.columns: tuple[str, ...] | None = None
        self.on_conflict: tuple[str, ...] | None = None
        self.values: list[Value] = []

    def read(self, key: str, value: str) -> None:
        prefix, dot, word = key.rpartition(".")
        path = prefix if dot else None
        if word == "limit" or word == "offset":
            self._range(self._arrangement(path), word, value)
        elif word == "order":
            self._order(self._arrangement(path), value)
        elif word == "and" or word == "or":
            self._tree(path, word, value)
        elif key == "columns":
            names = read_names(value, "columns parameter")
            self.columns = names if self.columns is None else self.columns
        elif key == "on_conflict":
            names = read_names(value, "on_conflict parameter")
            self.on_conflict = names if self.on_conflict is None else self.on_conflict
        else:
            self._filter(key, value)

    def parsed(self) -> Parsed:
        root = self.root
        embedded = tuple(sorted(root.frozen_embedded(()), key=_path)) if root.embedded else ()
        query = Query(root.select, root.frozen(), embedded, self.columns, self.on_conflict)
        return Parsed(query, tuple(self.values))

    def _filter(self, key: str, value: str) -> None:
        arrangement = self.root
        if key.isidentifier() and key.isascii():
            field = Field(key)
        else:
            scanner = Scanner(key, "tree path")
            *path, name = scanner.names(".")
            field = Field(name, scanner.json_path())
            if not scanner.ended():
                raise scanner.error('".", "->", "->>" or end of input')
            for step in path:
                arrangement = arrangement.inside(step)
        arrangement.where.append(read_filter(key, value, field, self.values))

    def _tree(self, path: str | None, word: str, value: str) -> None:
        negated = path is not None and (path == "not" or path.endswith(".not"))
        if path is not None and negated:
            path = path[:-4] or None
        self._arrangement(path).where.append(read_tree(word, negated, value, self.values))

    def _order(self, arrangement: _Arrangement, value: str) -> None:
        terms = []
        for term in read_order(value):
            if term.embed is not None:
                embed = arrangement.embed(term.embed)
                terms.append(replace(term, embed=embed.alias or embed.target))
            else:
                terms.append(term)
        if arrangement.order is None:
            arrangement.order = tuple(terms)

    def _range(self, arrangement: _Arrangement, word: str, value: str) -> None:
        number = _whole_number(word, value)
        index = arrangement.limit if word == "limit" else arrangement.offset
        if index is not None:
            self.values[index] = number
            return
        if word == "limit":
            arrangement.limit = len(self.values)
        else:
            arrangement.offset = len(self.values)
        self.values.append(number)

    def _arrangement(self, path: str | None) -> _Arrangement:
        arrangement = self.root
        if path is not None:
            scanner = Scanner(path, "tree path")
            names = scanner.names(".")
            if not scanner.ended():
                raise scanner.error('"." or end of input')
            for name in names:
                arrangement = arrangement.inside(name)
        return arrangement


def _path(entry: tuple[tuple[str, ...], Modifiers]) -> tuple[str, ...]:
    return entry[0]


def _whole_number(word: str, text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal():
        raise Scanner(text, word).error("a whole number")
    significant = digits.lstrip("0")
    if significant and text.startswith("-"):
        raise ApiError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            details=f"{word.capitalize()} should be greater than or equal to zero.",
        )
    # Compared by length first: int() refuses texts of thousands of digits.
    if len(significant) > 19 or int(significant or "0") > _MAX_RANGE:
        raise Scanner(text, word).failure(f"expecting a whole number up to {_MAX_RANGE}")
    return int(significant or "0")


def _check_encodable(query_string: str) -> None:
    # Lone surrogates: bytes that were no UTF-8 where the server decoded the request line.
    try:
        query_string.encode()
    except UnicodeEncodeError:
        raise Scanner("", "query string").failure("expecting UTF-8") from None
