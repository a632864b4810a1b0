"""What PostgreSQL says its own way: a row becomes an object as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, Text, cast, func, literal_column
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType

from .catalog import whole_row
from .compiler import Arrangement, Compiler, Listed, number
from .output import Pair, literal_text
from .plan import EmbedValue, Item, SpreadValue, Value
from .reflected_types import NamedType
from .scope import Scope, Target
from .types import WireType, wire_type

RECORD = NamedType("record")
"""The type of rows that are no table's."""


class PostgreSQLCompiler(Compiler):
    """Values are made ready in the innermost select, where PostgreSQL computes them behind its sort and limit."""

    def plain(self, scope: Scope, items: Sequence[Item], arrangement: Arrangement, *, as_text: bool = False) -> Listed:
        output = self.text if as_text else self.output
        columns = [output(scope, item.value).label(item.key) for item in items] or [number(1).label("one")]
        rows = self.arranged(columns, scope, arrangement).subquery(self.name("rows"))
        return Listed(rows, [(item.key, rows.c[item.key]) for item in items], scope.outer)

    def text(self, scope: Scope, value: Value) -> ColumnElement[Any]:
        output = self.output(scope, value)
        return func.to_json(output) if is_member(value) else output

    def shown_groups(
        self, groups: Select[Any], outputs: Sequence[tuple[str, WireType]], scope: Scope, *, as_text: bool = False
    ) -> Listed:
        raw = groups.correlate(*scope.outer).subquery(self.name("groups"))
        columns = [self.shown(wire, raw.c[f"r{index}"]).label(key) for index, (key, wire) in enumerate(outputs)]
        rows = self.selected(Listed(raw, (), scope.outer), number(1)).with_only_columns(*columns)
        shown = rows.subquery(self.name("rows"))
        return Listed(shown, [(key, shown.c[key]) for key, _ in outputs], scope.outer)

    def object_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        # In one comparison a fifth faster than json_build_object, key by key.
        return func.row_to_json(whole_row(rows)) if pairs else literal_column("'{}'::json", NullType())

    def member_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        # JSON is made of all levels at once, of the outermost row: a text for each level would be copied by each.
        return cast(whole_row(rows), RECORD) if pairs else self.object_of(pairs, rows)

    def members_of(self, listed: Listed) -> ColumnElement[Any]:
        return func.array(self.selected(listed, self.member_of(listed.pairs, listed.rows)).scalar_subquery())

    def line_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        if not pairs:
            return literal_text("")
        # The text of a row without its parentheses. It doubles backslashes, which no reader of CSV would undo.
        line = func.left(func.substr(cast(whole_row(rows), Text), number(2)), number(-1))
        return func.replace(line, literal_text("\\\\"), literal_text("\\"))

    def lines_of(self, line: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(func.string_agg(line, literal_text("\n")), literal_text(""))

    def array_of(self, element: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(func.json_agg(element), literal_column("'[]'::json", NullType()))

    def read_truth(self, text: ColumnElement[str]) -> ColumnElement[bool]:
        return cast(text, Boolean)

    def as_json_value(self, json: ColumnElement[Any]) -> Target:
        return Target(func.to_jsonb(json), wire_type(postgresql.JSONB(), self.dialect))


def is_member(value: Value) -> bool:
    """Whether a value is what is embedded, and not JSON yet."""
    if isinstance(value, SpreadValue):
        return value.embedded.relationship.is_to_one and is_member(value.value)
    return isinstance(value, EmbedValue)
