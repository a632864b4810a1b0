"""``parse``: from a query string to the shape of the request and its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rowserve.errors import ApiError

from .filters import is_operation, read_filter, read_tree
from .model import Call, Condition, Embed, Field, Modifiers, Order, Parsed, Query, SelectItem, Star, Value
from .order import read_names, read_order
from .scanner import Scanner, decode
from .select import read_select

EMPTY = Parsed(Query(), ())
"""What an empty query string means."""

RESERVED = frozenset({"select", "columns", "on_conflict"})
"""Keys that are no column's name."""

RESERVED_WORDS = frozenset({"order", "limit", "offset", "and", "or"})
"""Last words of keys that are no column's name: ``order``, ``films.order``, …"""

# In the order in which PostgREST reads them; the codes of what it comes upon after all the reading.
_KINDS = ("order", "and", "columns", "select", "filter", "on_conflict", "limit")
_SAME_KIND = {"or": "and", "offset": "limit"}
_CODES = ("PGRST103", "PGRST108", "22P02")

MAX_RANGE = 2**63 - 1
_NOTHING = Modifiers()
_ALL: tuple[SelectItem, ...] = (Star(),)


def parse(query_string: str) -> Parsed:
    """Read a query string, still percent-encoded, without its question mark.

    Values are numbered in the order in which they stand. Of several ``select``, ``columns``, ``on_conflict`` or
    ``order`` the first counts, of several ``limit`` or ``offset`` the last; filters are all joined by AND. A key
    without ``=`` is passed over.

    Raises:
        ApiError: 400 PGRST100 for what cannot be read, 400 PGRST108 for a filter, order or range on a resource that
            is not embedded, 416 PGRST103 for a negative limit or offset, 400 22P02 for an array that is none. Of
            several mistakes it names the one that PostgREST comes upon first.
    """
    return _read(query_string, None).parsed() if query_string else EMPTY


def parse_call(query_string: str) -> Call:
    """Read the query string of a GET or HEAD of a function: what is no filter is one of its arguments.

    ``?name=Ada&id=gt.5`` calls the function with ``name`` and narrows its rows by ``id``. A text that begins with an
    operator and a dot cannot be an argument; it has to be sent in the body of a POST, whose query string has no
    arguments and is read by ``parse``.

    Raises:
        ApiError: as ``parse``.
    """
    arguments: list[tuple[str, str]] = []
    parsed = _read(query_string, arguments).parsed()
    return Call(parsed, tuple(arguments))


def _read(query_string: str, arguments: list[tuple[str, str]] | None) -> _Reader:
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
                select = value
    try:
        reader = _Reader(_ALL if select is None else read_select(select), arguments)
        for key, value in pairs:
            reader.read(key, value)
    except ApiError as error:
        raise _first_mistake(pairs, select, error, call=arguments is not None) from None
    return reader


def _first_mistake(pairs: list[tuple[str, str]], select: str | None, found: ApiError, *, call: bool) -> ApiError:
    """Of all the mistakes in a query string the one that PostgREST comes upon first, which reads by kinds of pairs."""
    first, rank = found, len(_KINDS) + len(_CODES)
    root = _ALL
    if select is not None:
        try:
            root = read_select(select)
        except ApiError as error:
            first, rank = error, _KINDS.index("select")
    reader = _Reader(root, [] if call else None)
    for key, value in pairs:
        kind = _kind(key)
        # What could only be a later mistake is not looked at, for to explain each takes its time.
        if kind < rank:
            try:
                reader.read(key, value)
            except ApiError as error:
                ranked = kind if error.code == "PGRST100" else _CODES.index(error.code) + len(_KINDS)
                if ranked < rank:
                    first, rank = error, ranked
    return first


def _kind(key: str) -> int:
    word = key.rpartition(".")[2]
    kind = word if word in RESERVED_WORDS else key if key in RESERVED else "filter"
    return _KINDS.index(_SAME_KIND.get(kind, kind))


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

    __slots__ = ("_embeds", "backward", "embedded", "limit", "offset", "order", "select", "where")

    def __init__(self, select: tuple[SelectItem, ...]) -> None:
        self.select = select
        self.where: list[Condition] = []
        self.order: tuple[Order, ...] | None = None
        self.limit: int | None = None
        self.offset: int | None = None
        self.backward = False
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

    def order_term(self, term: Order) -> Order:
        """The term, with the resource it is about called by its alias."""
        if term.embed is None:
            return term
        embed = self.embed(term.embed)
        return replace(term, embed=embed.alias or embed.target)

    def frozen(self) -> Modifiers:
        return Modifiers(tuple(self.where), self.order or (), self.limit, self.offset, self.backward)

    def frozen_embedded(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Modifiers]]:
        for name, arrangement in self.embedded.items():
            modifiers = arrangement.frozen()
            if modifiers != _NOTHING:
                yield (*path, name), modifiers
            yield from arrangement.frozen_embedded((*path, name))


class _Reader:
    __slots__ = ("arguments", "columns", "on_conflict", "root", "values")

    def __init__(self, select: tuple[SelectItem, ...], arguments: list[tuple[str, str]] | None) -> None:
        self.root = _Arrangement(select)
        self.columns: tuple[str, ...] | None = None
        self.on_conflict: tuple[str, ...] | None = None
        self.values: list[Value] = []
        self.arguments = arguments

    def read(self, key: str, value: str) -> None:
        word = key.rpartition(".")[2]
        if word == "limit" or word == "offset":
            self._range(key, word, value)
        elif word == "order":
            self._order(key, value)
        elif word == "and" or word == "or":
            self._tree(key, word, value)
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
        modifiers = root.frozen()
        if modifiers.backward and modifiers.limit is not None and modifiers.offset is not None:
            limit = f"{self.values[modifiers.limit]}.last"
            raise Scanner(limit, "limit").failure("the last rows are counted from the end, and take no offset")
        embedded = tuple(sorted(root.frozen_embedded(()), key=_path)) if root.embedded else ()
        query = Query(root.select, modifiers, embedded, self.columns, self.on_conflict)
        return Parsed(query, tuple(self.values))

    def _filter(self, key: str, value: str) -> None:
        path: list[str] = []
        if key.isidentifier() and key.isascii():
            field = Field(key)
        else:
            scanner = Scanner(key, "tree path")
            *path, name = scanner.names(".")
            field = Field(name, scanner.json_path())
            if not scanner.ended():
                raise scanner.error('".", "->", "->>" or end of input')
        if self.arguments is not None and not is_operation(value):
            self.arguments.append((field.name, value))
        else:
            condition = read_filter(key, value, field, self.values)
            self._inside(path).where.append(condition)

    def _tree(self, key: str, word: str, value: str) -> None:
        path, negated = [], False
        if key != word:
            scanner = Scanner(key, "logic path")
            while not scanner.ended():
                bare, name = not scanner.at('"'), scanner.name()
                if bare and name == "not":
                    negated = True
                else:
                    path.append(name)
                if not scanner.ended():
                    scanner.expect(".", '"." or end of input')
            del path[-1:]
        condition = read_tree(word, negated, value, self.values)
        self._inside(path).where.append(condition)

    def _order(self, key: str, value: str) -> None:
        path = _path_to(key, "order")
        terms = read_order(value)
        arrangement = self._inside(path)
        if arrangement.order is None:
            arrangement.order = tuple(map(arrangement.order_term, terms))

    def _range(self, key: str, word: str, value: str) -> None:
        path = _path_to(key, word)
        backward = word == "limit" and value.endswith(".last")
        if backward and path:
            raise Scanner(value, word).failure("the last rows of an embedded resource cannot be asked for")
        number = _whole_number(word, value.removesuffix(".last") if backward else value, shown=value)
        arrangement = self._inside(path)
        index = arrangement.limit if word == "limit" else arrangement.offset
        if index is None:
            index = len(self.values)
            self.values.append(number)
        else:
            self.values[index] = number
        if word == "limit":
            arrangement.limit, arrangement.backward = index, backward
        else:
            arrangement.offset = index

    def _inside(self, path: list[str]) -> _Arrangement:
        arrangement = self.root
        for name in path:
            arrangement = arrangement.inside(name)
        return arrangement


def _path_to(key: str, word: str) -> list[str]:
    """The embedded resource that ``films.order`` or such is meant for."""
    if key == word:
        return []
    scanner = Scanner(key, "tree path")
    path = scanner.names(".")
    if not scanner.ended():
        raise scanner.error('"." or end of input')
    return path[:-1]


def _path(entry: tuple[tuple[str, ...], Modifiers]) -> tuple[str, ...]:
    return entry[0]


def _whole_number(word: str, text: str, *, shown: str) -> int:
    text = text.strip(" ")
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal():
        raise Scanner(text, word, shown).error("a whole number")
    significant = digits.lstrip("0")
    if significant and text.startswith("-"):
        raise ApiError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            details=f"{word.capitalize()} should be greater than or equal to zero.",
        )
    # Compared by length first: int() refuses texts of thousands of digits.
    if len(significant) > 19 or int(significant or "0") > MAX_RANGE:
        raise Scanner(text, word, shown).failure(f"expecting a whole number up to {MAX_RANGE}")
    return int(significant or "0")


def _check_encodable(query_string: str) -> None:
    # Lone surrogates: bytes that were no UTF-8 where the server decoded the request line.
    try:
        query_string.encode()
    except UnicodeEncodeError:
        raise Scanner("", "query string").failure("expecting UTF-8") from None
