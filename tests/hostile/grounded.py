"""Requests at random, about the tables that there are: names that were drawn become those of the club's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from hypothesis import strategies as st
from sqlalchemy import Table

from rowserve.query import (
    Column,
    Comparison,
    Condition,
    Embed,
    Field,
    Is,
    Modifiers,
    Order,
    Parsed,
    Query,
    SelectItem,
    Star,
    Value,
    unparse,
)
from rowserve.query.filters import TEXT_SEARCH
from tests.parity.club import table
from tests.parity.models import MODELS
from tests.query.strategies import requests

TABLES: dict[str, Table] = {table(model).name: table(model) for model in MODELS}
VALUES = {
    "INTEGER": ("1", "2", "3", "007", "-5"),
    "BIG_INTEGER": ("1", "600000", "9007199254740993", "9223372036854775807"),
    "NUMERIC": ("12.5", "1e3", "-0", "785.00"),
    "DOUBLE": ("1.72", "1e300", "-0.0"),
    "BOOLEAN": ("true", "f", "1", "no"),
    "DATE": ("1990-02-28", "2024-07-01", "0001-01-01"),
    "DATETIME": ("2020-01-01T00:00:00", "2020-01-01 00:00:00Z", "2020-01-01"),
    "UUID": ("a0000000-0000-4000-8000-000000000001",),
    "JSON": ('{"peak": {"height": 4806}}', "[1]", "null"),
}
"""Values of each type; of others, texts."""
TEXTS = ("Ada Ek", "*a*", "%", "_", "a.c", "", "O'Hara", "keen", "calm")
WRONG = ("2147483648", "1.5", "NaN", "maybe", "2020-02-30", "nobody", "{", "(", "\\", "{1,2}", "[1,2)")
"""Values that are none of most types."""
STAYS = 24
"""One of so many names and values stays as it was drawn, and as many values become wrong ones."""


class Grounding:
    """Puts real names in the place of those of a request.

    Which one it is depends on what was drawn alone, so that a request is the same each time.

    Args:
        parsed: the request.
        name: the table that it is about.
    """

    def __init__(self, parsed: Parsed, name: str) -> None:
        self.values: list[Value] = list(parsed.values)
        query = parsed.query
        self.known: dict[tuple[str, ...], tuple[tuple[str, ...], Table]] = {(): ((), TABLES[name])}
        """By the path of aliases as it was drawn: the path as it is now, and its table."""
        select = self.select(query.select, ())
        embedded = [(self.known[path][0], self.modifiers(each, path)) for path, each in query.embedded]
        self.parsed = Parsed(
            Query(select, self.modifiers(query.modifiers, ()), tuple(embedded), None, None), tuple(self.values)
        )

    def select(self, items: Sequence[SelectItem], path: tuple[str, ...]) -> tuple[SelectItem, ...]:
        table = self.known[path][1]
        made: list[SelectItem] = []
        for item in items:
            if isinstance(item, Column):
                made.append(self.column(item, table))
            elif isinstance(item, Embed):
                made.append(self.embed(item, path))
            else:
                made.append(Star())
        return tuple(made)

    def column(self, item: Column, table: Table) -> Column:
        if item.field is None:
            return item
        field = self.field(item.field, table)
        column = table.columns.get(field.name)
        # Whether a text can be cast depends on which rows are looked at, and an offset has SQLite skip some.
        is_number = column is not None and kind_of(column) in ("INTEGER", "NUMERIC", "DOUBLE")
        return replace(item, field=field, cast=item.cast if is_number else None)

    def embed(self, item: Embed, path: tuple[str, ...]) -> Embed:
        here, table = self.known[path]
        target, hint, related = chosen(item.target, list(relations(table)))
        alias = item.alias or (target if item.spread else f"{target}{len(self.known)}")
        known_as = (*path, item.alias or item.target)
        self.known.setdefault(known_as, ((*here, alias), related))
        inner = self.select(item.select, known_as)
        return replace(item, target=target, hint=hint, alias=None if item.spread else alias, select=inner)

    def field(self, field: Field, table: Table) -> Field:
        column = chosen(field.name, [*table.columns.values()])
        name = field.name if crc32(field.name.encode()) % STAYS == 1 else column.name
        # A path leads into JSON; into anything else, as rarely as a name that there is not.
        keeps = kind_of(column) == "JSON" or crc32(field.name.encode()) % STAYS == 2
        return Field(name, field.path if keeps else ())

    def modifiers(self, modifiers: Modifiers, path: tuple[str, ...]) -> Modifiers:
        where = tuple(self.condition(each, path) for each in modifiers.where)
        order = tuple(self.order(each, path) for each in modifiers.order)
        return replace(modifiers, where=where, order=order)

    def order(self, order: Order, path: tuple[str, ...]) -> Order:
        if order.embed is None:
            return replace(order, field=self.field(order.field, self.known[path][1]))
        now, table = self.known[*path, order.embed]
        return replace(order, field=self.field(order.field, table), embed=now[-1])

    def condition(self, condition: Condition, path: tuple[str, ...]) -> Condition:
        table = self.known[path][1]
        if isinstance(condition, Is):
            return replace(condition, field=self.field(condition.field, table))
        if not isinstance(condition, Comparison):
            return replace(condition, conditions=tuple(self.condition(each, path) for each in condition.conditions))
        field = self.field(condition.field, table)
        column = table.columns.get(field.name)
        kind = "TEXT" if column is None or field.path else kind_of(column)
        value = self.values[condition.parameter]
        if isinstance(value, tuple):
            self.values[condition.parameter] = tuple([value_of(kind, text) for text in value])
        else:
            self.values[condition.parameter] = value_of(kind, str(value))
        operator, language = condition.operator, condition.language
        if operator in TEXT_SEARCH | {"ov"}:  # full-text-search and overlap-of-json, in docs/compatibility.md
            operator, language = "neq", None
        return replace(condition, field=field, operator=operator, language=language)


def relations(table: Table) -> Iterator[tuple[str, str | None, Table]]:
    """The target, the hint and the table of all that may be embedded in a table."""
    for key in table.foreign_key_constraints:
        hint = key.column_keys[0]
        yield key.referred_table.name, hint, key.referred_table
        yield hint, None, key.referred_table
    for other in TABLES.values():
        for key in other.foreign_key_constraints:
            if key.referred_table is table and other is not table:
                yield other.name, key.column_keys[0], other


def kind_of(column: Any) -> str:
    """The type of a column, as one of :data:`VALUES`."""
    return str(column.type.__visit_name__).upper()


def chosen(drawn: str, among: Sequence[Any]) -> Any:
    """One of what there is, by what was drawn."""
    return among[crc32(drawn.encode()) % len(among)]


def value_of(kind: str, drawn: str) -> str:
    number = crc32(drawn.encode()) % STAYS
    return drawn if number == 1 else str(chosen(drawn, WRONG if number == 2 else VALUES.get(kind, TEXTS)))


@st.composite
def targets(draw: st.DrawFn, names: Sequence[str] = tuple(TABLES)) -> str:
    """The path and the query string of a request about a table that there is."""
    name = draw(st.sampled_from(names))
    return f"/{name}?{unparse(Grounding(draw(requests()), name).parsed)}"
