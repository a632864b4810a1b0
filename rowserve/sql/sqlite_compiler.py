"""What SQLite says its own way: objects are put together key by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.types import JSON

from .compiler import Arrangement, Compiler, Listed, number
from .output import Pair, sqlite_object
from .plan import ColumnValue, EmbedValue, Item, SpreadValue
from .scope import Scope, Target
from .types import WireType, wire_type


class SQLiteCompiler(Compiler):
    """Stored columns come from the innermost select, and what is shown is made of them outside: SQLite would compute it
    for rows that its limit then drops, and a value's being JSON does not outlive a subquery."""

    def plain(self, scope: Scope, items: Sequence[Item], arrangement: Arrangement) -> Listed:
        names = dict.fromkeys(name for item in items for name in self.needed(item))
        columns = [self.carried(scope, name) for name in names] or [number(1).label("nothing")]
        rows = self.arranged(columns, scope, arrangement).subquery(self.name("rows"))
        page = scope.over(rows)
        return Listed(rows, [(item.key, self.output(page, item.value)) for item in items], scope.outer)

    def one(self, scope: Scope, items: Sequence[Item], where: Sequence[ColumnElement[bool]]) -> Select[Any]:
        pairs = [(item.key, self.output(scope, item.value)) for item in items]
        return select(sqlite_object(pairs)).select_from(scope.rows).where(*where).correlate(*scope.outer)

    def needed(self, item: Item) -> Iterator[str]:
        """The stored and computed columns that an item is made of."""
        if isinstance(item.value, ColumnValue):
            yield item.value.field.name
        elif isinstance(item.value, EmbedValue | SpreadValue):
            yield from (here for here, _ in item.value.embedded.relationship.pairs)

    def carried(self, scope: Scope, name: str) -> ColumnElement[Any]:
        item = scope.entity.columns.get(name)
        return scope.column(name).expression.label(name if item is None else item.column.key)

    def shown_groups(self, groups: Select[Any], outputs: Sequence[tuple[str, WireType]], scope: Scope) -> Listed:
        rows = groups.correlate(*scope.outer).subquery(self.name("groups"))
        pairs = [(key, wire.output(rows.c[f"r{index}"])) for index, (key, wire) in enumerate(outputs)]
        return Listed(rows, pairs, scope.outer)

    def object_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        return sqlite_object(pairs)

    def array_of(self, element: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.json_group_array(element)

    def as_json_value(self, json: ColumnElement[Any]) -> Target:
        return Target(json, wire_type(JSON(), self.dialect))
