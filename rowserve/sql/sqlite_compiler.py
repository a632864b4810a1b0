"""What SQLite says its own way: objects are put together key by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.types import JSON, Boolean, Text

from .compiler import Arrangement, Compiler, Listed, number
from .output import SQLITE_ARGUMENTS, Pair, batched_pairs, literal_text, sqlite_object
from .plan import ColumnValue, EmbedValue, Item, SpreadValue, Value
from .scope import Scope, Target
from .sqlite_text import plain_text
from .types import WireType, wire_type


class SQLiteCompiler(Compiler):
    """Stored columns come from the innermost select, and what is shown is made of them outside: SQLite would compute it
    for rows that its limit then drops, and a value's being JSON does not outlive a subquery."""

    def shown(self, wire: WireType, expression: ColumnElement[Any]) -> ColumnElement[Any]:
        output = wire.output(expression)
        if self.zone is None or wire.name != "timestamp with time zone":
            return output
        return func.in_time_zone(output, self.parameters.value(self.zone, Text(), str))

    def plain(self, scope: Scope, items: Sequence[Item], arrangement: Arrangement, *, as_text: bool = False) -> Listed:
        names = dict.fromkeys(name for item in items for name in self.needed(item))
        columns = [self.carried(scope, name) for name in names] or [number(1).label("one")]
        rows = self.arranged(columns, scope, arrangement).subquery(self.name("rows"))
        page = scope.over(rows)
        output = self.text if as_text else self.output
        return Listed(rows, [(item.key, output(page, item.value)) for item in items], scope.outer)

    def one(self, scope: Scope, items: Sequence[Item], where: Sequence[ColumnElement[bool]]) -> Select[Any]:
        pairs = [(item.key, self.output(scope, item.value)) for item in items]
        return select(sqlite_object(pairs)).select_from(scope.rows).where(*where).correlate(*scope.outer)

    def text(self, scope: Scope, value: Value) -> ColumnElement[Any]:
        # As PostgreSQL has it.
        if not isinstance(value, ColumnValue):
            return self.output(scope, value)
        target = self.column(scope, value)
        return plain_text(target.wire, target.expression, self.shown)

    def needed(self, item: Item) -> Iterator[str]:
        """The stored and computed columns that an item is made of."""
        if isinstance(item.value, ColumnValue):
            yield item.value.field.name
        elif isinstance(item.value, EmbedValue | SpreadValue):
            yield from (here for here, _ in item.value.embedded.relationship.pairs)

    def carried(self, scope: Scope, name: str) -> ColumnElement[Any]:
        item = scope.entity.stored.get(name)
        return scope.column(name).expression.label(name) if item is None else scope.stored(name).label(item.column.key)

    def shown_groups(
        self, groups: Select[Any], outputs: Sequence[tuple[str, WireType]], scope: Scope, *, as_text: bool = False
    ) -> Listed:
        rows = groups.correlate(*scope.outer).subquery(self.name("groups"))

        def output(wire: WireType, column: ColumnElement[Any]) -> ColumnElement[Any]:
            return plain_text(wire, column, self.shown) if as_text else self.shown(wire, column)

        pairs = [(key, output(wire, rows.c[f"r{index}"])) for index, (key, wire) in enumerate(outputs)]
        return Listed(rows, pairs, scope.outer)

    def object_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        return sqlite_object(pairs)

    def line_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        parts = [func.csv_line(*(text for _, text in some)) for some in batched_pairs(pairs, SQLITE_ARGUMENTS)]
        line: ColumnElement[Any] = parts[0] if parts else literal_text("")
        for part in parts[1:]:
            line = line.concat(literal_text(",")).concat(part)
        return line

    def lines_of(self, line: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(func.group_concat(line, literal_text("\n")), literal_text(""))

    def array_of(self, element: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.json_group_array(element)

    def read_truth(self, text: ColumnElement[str]) -> ColumnElement[bool]:
        return func.read_truth(text, type_=Boolean())

    def as_json_value(self, json: ColumnElement[Any]) -> Target:
        return Target(json, wire_type(JSON(), self.dialect))
