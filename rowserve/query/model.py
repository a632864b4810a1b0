"""What a request asks for, as frozen dataclasses with no literal values in them.

A ``Query`` is the *shape* of a request: two requests that differ only in the values they compare with parse to equal
(and equally hashed) queries, so that one compiled SQL statement serves both. The values travel beside it: wherever
a request carries a literal, the query holds its index into ``Parsed.values``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

Value: TypeAlias = str | int | tuple[str, ...]
"""A literal: text to be read by the column's type, an integer (``limit``, ``offset``), or the items of a list."""


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One ``->key`` or ``->>key`` of a JSON path; an integer key is an array index."""

    arrow: Literal["->", "->>"]
    key: str | int


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or a place inside a JSON column."""

    name: str
    path: tuple[JsonStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field=[not.]operator[(quantifier | language)].value``; ``parameter`` is the value's index.

    The value is a ``str``, except for ``in`` and for a quantified operator, where it is a ``tuple[str, ...]``.
    """

    field: Field
    operator: str
    parameter: int
    negated: bool = False
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Is:
    """``field=[not.]is.value``: part of the shape, for it is no value that could be bound."""

    field: Field
    value: Literal["null", "not_null", "true", "false", "unknown"]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """``[not.]and=(…)`` or ``[not.]or=(…)``."""

    operator: Literal["and", "or"]
    conditions: tuple[Condition, ...]
    negated: bool = False


Condition: TypeAlias = Comparison | Is | Logic


@dataclass(frozen=True, slots=True)
class Star:
    """``*``: all columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """``[alias:]field[::cast][.aggregate()[::aggregate_cast]]``; ``count()`` alone has no field.

    The older ``count`` without parentheses reads as a column of that name: only who knows the model can tell.
    """

    field: Field | None
    alias: str | None = None
    cast: str | None = None
    aggregate: Literal["avg", "count", "max", "min", "sum"] | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class Embed:
    """``[alias:]target[!hint][!inner|!left](select)``, or ``...target(select)`` when ``spread``."""

    target: str
    select: tuple[SelectItem, ...]
    alias: str | None = None
    hint: str | None = None
    join: Literal["inner", "left"] | None = None
    spread: bool = False


SelectItem: TypeAlias = Star | Column | Embed


@dataclass(frozen=True, slots=True)
class Order:
    """``field[.asc|.desc][.nullsfirst|.nullslast]``; ``embed`` names the to-one resource of ``embed(field)``."""

    field: Field
    descending: bool = False
    nulls: Literal["first", "last"] | None = None
    embed: str | None = None


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What narrows and arranges the rows of the resource itself, or of one embedded in it.

    ``limit`` and ``offset`` are indices into the values. ``backward`` makes the limit count from the end: of the rows
    in this order the last ones, still answered in the order. It comes with a limit and without an offset, and never
    for an embedded resource.
    """

    where: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The shape of a request.

    Args:
        select: what each row holds; ``(Star(),)`` where nothing is selected.
        modifiers: filters, order and range of the resource itself.
        embedded: the same for each embedded resource that is named, by its path of aliases (of targets where there
            is no alias), in the order of the paths.
        columns: the ``columns=`` parameter, ``on_conflict`` likewise; None where absent.
    """

    select: tuple[SelectItem, ...] = (Star(),)
    modifiers: Modifiers = Modifiers()
    embedded: tuple[tuple[tuple[str, ...], Modifiers], ...] = ()
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None
    _hash: int = field(default=0, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        # Remembered, because statements are looked up by their query on each request.
        if not self._hash:
            shape = (self.select, self.modifiers, self.embedded, self.columns, self.on_conflict)
            object.__setattr__(self, "_hash", hash(shape) or 1)
        return self._hash


class Parsed(NamedTuple):
    """A query and the values it was asked with."""

    query: Query
    values: tuple[Value, ...]

    @property
    def limit(self) -> int | None:
        """How many rows are asked for; None for all."""
        return self._number(self.query.modifiers.limit)

    @property
    def offset(self) -> int | None:
        """How many rows are passed over before; None where the request does not say."""
        return self._number(self.query.modifiers.offset)

    def paged(self, *, limit: int | None, offset: int | None, backward: bool = False) -> Parsed:
        """The same request for other rows of the same list."""
        values = list(self.values)
        modifiers = self.query.modifiers
        kept = replace(
            modifiers,
            limit=_put(values, modifiers.limit, limit),
            offset=_put(values, modifiers.offset, offset),
            backward=backward,
        )
        query = self.query if kept == modifiers else replace(self.query, modifiers=kept)
        return Parsed(query, tuple(values))

    def _number(self, index: int | None) -> int | None:
        value = None if index is None else self.values[index]
        return value if isinstance(value, int) else None


def _put(values: list[Value], index: int | None, number: int | None) -> int | None:
    """Where among the values the number is now, in the place of the one at the index if there was one."""
    if number is None:
        return None
    if index is None:
        values.append(number)
        return len(values) - 1
    values[index] = number
    return index


class Call(NamedTuple):
    """A call of a function by GET: what its rows are narrowed to, and what it is called with.

    ``arguments`` are names and texts as they stand in the query string; a name that stands there more than once is the
    list of a variadic parameter.
    """

    parsed: Parsed
    arguments: tuple[tuple[str, str], ...]
