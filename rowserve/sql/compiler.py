"""SQL of a plan's nodes: whatever is embedded becomes an expression over the row it is embedded in.

Related rows are correlated scalar subqueries that yield JSON. So they may stand wherever an expression may: in a list
of columns, behind RETURNING, in a condition, in an order; and the rows around them are never multiplied.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    Table,
    and_,
    case,
    exists,
    literal_column,
    select,
    types,
)
from sqlalchemy import column as lexical_column

from ..errors import ApiError, refusing_text
from ..query import Field, Order
from .access import ANYTHING, Access, Action, over
from .aggregates import aggregated
from .catalog import called, row_of
from .conditions import Conditions
from .entity import Entity
from .fields import cast_target, field_target, sortable
from .ordering import backwards, directed, full_order
from .output import Pair, literal_text
from .plan import ColumnValue, Embedded, EmbedValue, Item, Node, RowValue, SpreadValue, Value
from .relationships import Relationship
from .scope import Parameters, Scope, Target
from .types import WireType, wire_type

FAR = 2**62
"""More rows than any table has; the sum of two such numbers still is a bigint."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Rows in their order, and what is shown of each: keys and expressions over those rows."""

    rows: FromClause
    pairs: Sequence[Pair]
    outer: tuple[FromClause, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Which rows, in which order, from which to which."""

    where: Sequence[ColumnElement[bool]] = ()
    order: Sequence[ColumnElement[Any]] = ()
    limit: ColumnElement[Any] | None = None
    offset: ColumnElement[Any] | None = None
    backward: Sequence[tuple[Order, Target]] = ()
    """What the order compares, where the limit counts from its end."""


class Compiler(ABC):
    """Compiles the nodes of one statement.

    Args:
        dialect: the database's.
        root: the entity that the statement is about: no alias may be called as its table is.
        max_rows: the most rows of each list, embedded ones included.
        ordered: whether lists that are given no order are in that of the primary key.
        zone: which of the request's values is the time zone that moments are shown in; None for the connection's own.
        access: what who asks may see.
    """

    def __init__(
        self,
        dialect: Dialect,
        root: Entity,
        *,
        max_rows: int | None = None,
        ordered: bool = True,
        zone: int | None = None,
        access: Access = ANYTHING,
    ) -> None:
        self.dialect = dialect
        self.access = access
        self.parameters = Parameters()
        self.max_rows = max_rows
        self.ordered = ordered
        self.zone = zone
        self._root = root
        self._numbers = count(1)

    # What the databases say differently.

    @abstractmethod
    def plain(self, scope: Scope, items: Sequence[Item], arrangement: Arrangement, *, as_text: bool = False) -> Listed:
        """Rows of a scope, each item computed for none but those that are shown; as JSON, or as :meth:`line_of`
        needs it."""

    @abstractmethod
    def shown_groups(
        self, groups: Select[Any], outputs: Sequence[tuple[str, WireType]], scope: Scope, *, as_text: bool = False
    ) -> Listed:
        """The groups of a grouped select whose columns are ``r0``, ``r1``, …, with their keys and types."""

    @abstractmethod
    def text(self, scope: Scope, value: Value) -> ColumnElement[Any]:
        """A value as :meth:`line_of` is to get it; what is embedded as its JSON."""

    @abstractmethod
    def object_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        """A row as a JSON object."""

    @abstractmethod
    def line_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        """A row as a line of CSV, without its end."""

    @abstractmethod
    def lines_of(self, line: ColumnElement[Any]) -> ColumnElement[Any]:
        """The aggregate that puts lines below each other, the empty text of no rows."""

    @abstractmethod
    def array_of(self, element: ColumnElement[Any]) -> ColumnElement[Any]:
        """The aggregate that makes a JSON array, ``[]`` of no rows."""

    @abstractmethod
    def as_json_value(self, json: ColumnElement[Any]) -> Target:
        """JSON as a value that can be grouped by, carried through a subquery, and shown again."""

    def shown(self, wire: WireType, expression: ColumnElement[Any]) -> ColumnElement[Any]:
        """A stored value as the database's JSON functions are to get it."""
        return wire.output(expression)

    def one(self, scope: Scope, items: Sequence[Item], where: Sequence[ColumnElement[bool]]) -> Select[Any]:
        """The one row there is, inside another."""
        listed = self.plain(scope, items, Arrangement(where))
        return self.selected(listed, self.member_of(listed.pairs, listed.rows))

    def member_of(self, pairs: Sequence[Pair], rows: Any) -> ColumnElement[Any]:
        """A row inside another, as the database's JSON functions are to get it."""
        return self.object_of(pairs, rows)

    def members_of(self, listed: Listed) -> ColumnElement[Any]:
        """Rows inside another, as the database's JSON functions are to get them."""
        return self.selected(listed, self.array_of(self.member_of(listed.pairs, listed.rows))).scalar_subquery()

    # Names.

    def alias(self, table: Table) -> FromClause:
        """A table under a name that nothing else in the statement has."""
        return table.alias(self.name(table.name))

    def name(self, of: str) -> str:
        # Unlike what SQLAlchemy itself calls the aliases that a model's own expressions have: rows_1.
        name = f"{of[:50]}_r{next(self._numbers)}"
        return name if name != self._root.name else self.name(of)

    def scope(self, node: Node) -> Scope:
        """The rows of a node that nothing is around."""
        rows = self.alias(node.entity.table) if node.source is None else node.source.rows(self)
        return Scope(node.entity, rows, node.name)

    # Values.

    def output(self, scope: Scope, value: Value) -> ColumnElement[Any]:
        """A value as the database's JSON functions are to get it."""
        if isinstance(value, ColumnValue):
            target = self.column(scope, value)
            return self.shown(target.wire, target.expression)
        if isinstance(value, EmbedValue):
            return self.embedded(scope, value.embedded)
        if isinstance(value, SpreadValue):
            embedded = value.embedded
            child, where = self.related(scope, embedded)
            if embedded.relationship.is_to_one:
                return self.lifted(self.output(child, value.value), child, where)
            only = replace(embedded.node, items=(Item("value", value.value),))
            listed = self.listed(child, only, where, embedded.relationship)
            return self.selected(listed, self.array_of(listed.pairs[0][1])).scalar_subquery()
        return number(1)

    def target(self, scope: Scope, value: Value) -> Target:
        """A value as it is stored, for aggregates and groups."""
        if isinstance(value, ColumnValue):
            return self.column(scope, value)
        if isinstance(value, RowValue):
            return Target(number(1), wire_type(types.BigInteger(), self.dialect), False)
        if isinstance(value, SpreadValue) and value.embedded.relationship.is_to_one:
            child, where = self.related(scope, value.embedded)
            inner = self.target(child, value.value)
            return Target(self.lifted(inner.expression, child, where), inner.wire)
        return self.as_json_value(self.output(scope, value))

    def column(self, scope: Scope, value: ColumnValue) -> Target:
        if value.is_own:
            return scope.own(value.field.name)
        target = field_target(scope, value.field, self.parameters)
        return target if value.cast is None else self.cast(target, value.cast)

    def cast(self, target: Target, type_name: str) -> Target:
        return cast_target(target, type_name, self._root.table.metadata, self.dialect)

    def lifted(
        self, expression: ColumnElement[Any], child: Scope, where: Sequence[ColumnElement[bool]]
    ) -> ColumnElement[Any]:
        """An expression over the one related row."""
        found = select(expression).select_from(child.rows).where(*where).correlate(*child.outer)
        return single(found, child.entity).scalar_subquery()

    # Related rows.

    def embedded(self, scope: Scope, embedded: Embedded) -> ColumnElement[Any]:
        """Related rows, to be JSON: an object or null where there is one at the most, else an array."""
        child, where = self.related(scope, embedded)
        node = embedded.node
        if not embedded.relationship.is_to_one:
            return self.members_of(self.listed(child, node, where, embedded.relationship))
        if node.is_aggregated:
            listed = self.listed(child, node, where, embedded.relationship)
            found = first(self.selected(listed, self.member_of(listed.pairs, listed.rows)))
        else:
            found = self.one(child, node.items, where)
        return single(found, child.entity).scalar_subquery()

    def exists(self, scope: Scope, embedded: Embedded) -> ColumnElement[bool]:
        """Whether there is a related row."""
        child, where = self.related(scope, embedded)
        return exists(select(number(1)).select_from(child.rows).where(*where).correlate(*child.outer))

    def related(self, scope: Scope, embedded: Embedded) -> tuple[Scope, list[ColumnElement[bool]]]:
        """The related rows' scope, and what tells them from all others, the filters on them included."""
        way, outer = embedded.relationship, scope.inside
        if way.function is not None:
            rows = self.called(way, scope)
            child = Scope(way.target, rows, embedded.node.name, outer)
            return child, self.where(child, embedded.node)
        child = Scope(way.target, self.alias(way.target.table), embedded.node.name, outer)
        on: list[ColumnElement[bool]] = []
        if way.junction is None:
            on += [scope.stored(here) == child.stored(there) for here, there in way.pairs]
        else:
            table = way.junction.table
            junction = self.alias(table)
            on += [scope.stored(here) == named(junction, table, there) for here, there in way.pairs]
            on += [named(junction, table, here) == child.stored(there) for here, there in way.junction.pairs]
            on += self.permitted(table, junction.c, "select")
        return child, [*on, *self.where(child, embedded.node)]

    def called(self, way: Relationship, scope: Scope) -> FromClause:
        """The rows that a function makes of a row."""
        function = way.function
        assert function is not None
        call = called(function, row_of(scope.entity, scope.rows))
        columns = [item.column for item in way.target.stored.values()]
        rows: FromClause = call.table_valued(*(lexical_column(column.name, column.type) for column in columns)).alias(
            self.name(function.name)
        )
        return rows

    def permitted(self, table: Table, columns: Any, *actions: Action) -> list[ColumnElement[bool]]:
        """What is true of the rows of a table that who asks may do something with.

        Args:
            table: whose rule it is.
            columns: what stands for its columns, by their keys.
            *actions: what is to be done.
        """

        def stand(column: Column[Any]) -> ColumnElement[Any] | None:
            return columns[column.key] if column.table is table else None

        return [
            over(condition, stand, self.parameters, self.dialect)
            for condition in self.access.condition(table, *actions)
        ]

    @abstractmethod
    def read_truth(self, text: ColumnElement[str]) -> ColumnElement[bool]:
        """True of the text ``true``; any other is an error that tells it."""

    def refusing(self, conditions: Sequence[ColumnElement[bool]], entity: Entity) -> ColumnElement[bool]:
        """True where all conditions are; where they are not, the statement fails, and has done nothing.

        The text depends on the row: an error that did not would be raised ahead of time.
        """
        text = refusing_text(entity.name, is_anonymous=self.access.is_anonymous)
        return self.read_truth(case((and_(*conditions), literal_text("true")), else_=literal_text(text)))

    # Rows.

    def where(self, scope: Scope, node: Node) -> list[ColumnElement[bool]]:
        """The filters on a node, and what its rows have to be related to."""
        return [
            *self.filters(scope, node),
            *(self.exists(scope, embedded) for embedded in node.inner()),
            *self.permitted(scope.entity.table, scope.rows.c, "select"),
        ]

    def filters(self, scope: Scope, node: Node) -> list[ColumnElement[bool]]:
        """The filters on a node alone: which rows are written. Others are not shown, and are written all the same."""

        def related(name: str) -> ColumnElement[bool] | None:
            embedded = node.embedded.get(name)
            return None if embedded is None else self.exists(scope, embedded)

        return Conditions(scope, self.parameters, related).all_of(node.modifiers.where)

    def listed(self, scope: Scope, node: Node, where: Sequence[ColumnElement[bool]], way: Relationship) -> Listed:
        """The rows of an embedded node. A function's come in the order that it gives them, unless told otherwise."""
        modifiers = node.modifiers
        limit = self.limit(modifiers.limit)
        offset = self.offset(modifiers.offset)
        if node.is_aggregated:
            return self.grouped(scope, node, Arrangement(where, (), limit, offset))
        terms = modifiers.order if way.function is not None else self.full_order(node, modifiers.order)
        order = self.order_by(scope, node, terms)
        return self.plain(scope, node.items, Arrangement(where, order, limit, offset))

    def grouped(self, scope: Scope, node: Node, arrangement: Arrangement, *, as_text: bool = False) -> Listed:
        """Groups of rows: one for each combination of what is not aggregated."""
        targets = [self.grouped_target(scope, item) for item in node.items]
        base = (
            select(*(target.expression.label(f"g{index}") for index, target in enumerate(targets)))
            .select_from(scope.rows)
            .where(*arrangement.where)
            .correlate(*scope.outer)
            .subquery(self.name("base"))
        )
        return self.groups(scope, node, base, targets, arrangement, as_text=as_text)

    def groups(
        self,
        scope: Scope,
        node: Node,
        base: FromClause,
        targets: Sequence[Target],
        arrangement: Arrangement,
        *,
        as_text: bool = False,
    ) -> Listed:
        """The groups of rows whose columns ``g0``, ``g1``, … are the values of the node's items, as they are stored."""
        columns: list[ColumnElement[Any]] = []
        outputs: list[tuple[str, WireType]] = []
        keys: dict[Field, ColumnElement[Any]] = {}
        for index, (item, target) in enumerate(zip(node.items, targets, strict=True)):
            column: ColumnElement[Any] = base.c[f"g{index}"]
            if item.aggregate is not None:
                target = self.aggregate(item, column, target)
                column = target.expression
            elif isinstance(item.value, ColumnValue) and item.value.cast is None:
                keys[item.value.field] = column
            columns.append(column.label(f"r{index}"))
            outputs.append((item.key, target.wire))
        groups = select(*columns).select_from(base)
        by = [base.c[f"g{index}"] for index, item in enumerate(node.items) if item.aggregate is None]
        if by:
            groups = groups.group_by(*by)
        groups = groups.order_by(*(self.group_order(node, term, keys) for term in node.modifiers.order))
        return self.shown_groups(self.ranged(groups, arrangement), outputs, scope, as_text=as_text)

    def grouped_target(self, scope: Scope, item: Item) -> Target:
        """A value to aggregate or to group by. PostgreSQL compares the parsed form of JSON alone."""
        target = self.target(scope, item.value)
        return (
            self.as_json_value(target.expression) if item.aggregate is None and target.wire.name == "json" else target
        )

    def aggregate(self, item: Item, column: ColumnElement[Any], target: Target) -> Target:
        made = aggregated(item.aggregate or "", column, target.wire, self.dialect)
        cast = item.aggregate_cast
        return made if cast is None else self.cast(made, cast)

    def group_order(self, node: Node, term: Order, keys: dict[Field, ColumnElement[Any]]) -> ColumnElement[Any]:
        column = None if term.embed else keys.get(term.field)
        if column is None:
            raise ApiError(
                400,
                "42803",
                f'column "{node.name}.{term.field.name}" must appear in the GROUP BY clause or be used in an '
                "aggregate function",
                hint=f"Select {term.field.name} too: rows are grouped by what is selected and not aggregated.",
            )
        return directed(column, term, nullable=True)

    def full_order(self, node: Node, order: tuple[Order, ...]) -> tuple[Order, ...]:
        """The order that a list is in; what no table holds keeps its own."""
        return full_order(node, order) if self.ordered and node.source is None else order

    def order_by(self, scope: Scope, node: Node, order: Iterable[Order]) -> list[ColumnElement[Any]]:
        """ORDER BY with NULLs where PostgreSQL puts them: as if they were the largest values."""
        return [
            directed(target.expression, term, nullable=target.nullable)
            for term, target in self.terms(scope, node, order)
        ]

    def terms(self, scope: Scope, node: Node, order: Iterable[Order]) -> list[tuple[Order, Target]]:
        """What an order compares."""
        terms = []
        for term in order:
            if term.embed is None:
                target = field_target(scope, term.field, self.parameters)
            else:
                child, where = self.related(scope, node.embedded[term.embed])
                inner = field_target(child, term.field, self.parameters)
                target = Target(self.lifted(inner.expression, child, where), inner.wire)
            terms.append((term, replace(target, expression=sortable(target, self.dialect))))
        return terms

    def limit(self, index: int | None) -> ColumnElement[Any] | None:
        most = self.max_rows
        if index is None:
            return None if most is None else number(most)
        bound = FAR if most is None else most
        return self.parameters.value(index, BigInteger(), lambda asked: min(int(asked), bound))

    def offset(self, index: int | None) -> ColumnElement[Any] | None:
        return None if index is None else self.parameters.value(index, BigInteger(), lambda asked: min(int(asked), FAR))

    def ranged(self, rows: Select[Any], arrangement: Arrangement) -> Select[Any]:
        """The rows of a range, with both its ends: what is left out, SQLAlchemy has SQLite bind itself."""
        limit, offset = arrangement.limit, arrangement.offset
        if limit is None and offset is None:
            return rows
        if limit is None and self.dialect.name == "sqlite":
            limit = number(-1)
        return rows.limit(limit).offset(number(0) if offset is None else offset)

    def arranged(self, columns: Iterable[ColumnElement[Any]], scope: Scope, arrangement: Arrangement) -> Select[Any]:
        """SELECT of some columns of a scope's rows."""
        if arrangement.backward:
            return self.last(list(columns), scope, arrangement)
        rows = select(*columns).select_from(scope.rows).where(*arrangement.where).order_by(*arrangement.order)
        return self.ranged(rows, arrangement).correlate(*scope.outer)

    def last(self, columns: Sequence[ColumnElement[Any]], scope: Scope, arrangement: Arrangement) -> Select[Any]:
        """The last rows of an order: found in the reverse of it, and then turned around."""
        names: list[str] = [column.name for column in columns]
        order = "order"
        while any(name.startswith(order) for name in names):
            order += "_"
        compared = [
            target.expression.label(f"{order}{index}") for index, (_, target) in enumerate(arrangement.backward)
        ]
        rows = (
            select(*columns, *compared)
            .select_from(scope.rows)
            .where(*arrangement.where)
            .order_by(*backwards(arrangement.backward))
            .limit(arrangement.limit)
            .offset(number(0))
            .correlate(*scope.outer)
            .subquery(self.name("last"))
        )
        terms = enumerate(arrangement.backward)
        again = [directed(rows.c[f"{order}{index}"], term, nullable=target.nullable) for index, (term, target) in terms]
        return select(*(rows.c[name] for name in names)).order_by(*again)

    def selected(self, listed: Listed, expression: ColumnElement[Any]) -> Select[Any]:
        return select(expression).select_from(listed.rows).correlate(*listed.outer)


def single(found: Select[Any], entity: Entity) -> Select[Any]:
    """A select of one row. A view may hold the row that is referred to more than once."""
    return first(found) if entity.is_view else found


def first(found: Select[Any]) -> Select[Any]:
    """A select's first row. It has both ends, as in ``Compiler.ranged``."""
    return found.limit(number(1)).offset(number(0))


def number(constant: int) -> ColumnElement[int]:
    """A number that is part of the statement, not a parameter of it."""
    return literal_column(str(constant), BigInteger())


def named(rows: FromClause, table: Table, name: str) -> ColumnElement[Any]:
    """The column of an alias of a table that has this name in the database."""
    key = next(column.key for column in table.columns if column.name == name)
    column: ColumnElement[Any] = rows.c[key]
    return column
