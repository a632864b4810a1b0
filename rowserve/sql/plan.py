"""The plan: what a query asks of a catalog, with every name found and every question of shape settled.

A ``Node`` is a list of rows of one entity; what is embedded in it hangs below. Nothing here makes SQL.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ApiError
from ..query import Column, Embed, Field, Modifiers, Order, Query, SelectItem, Star
from .access import ANYTHING, Access
from .catalog import Catalog
from .entity import Entity
from .exposure import RowModel
from .relationships import Relationship, find

if TYPE_CHECKING:
    from .compiler import Compiler

MAX_KEY = 63
"""Bytes of a key: what PostgreSQL lets a name have."""
NOTHING = Modifiers()
ALL: tuple[SelectItem, ...] = (Star(),)
"""What is selected where nothing is."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnValue:
    """A column, or a place inside its JSON, perhaps cast.

    Args:
        field: the column or place.
        cast: the type that it is cast to.
        is_own: whether it is the program that asks for the column, which is stored, whatever clients may know of.
    """

    field: Field
    cast: str | None = None
    is_own: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RowValue:
    """The row itself, for ``count()``."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbedValue:
    """What is embedded, as a JSON object or array."""

    embedded: Embedded


@dataclass(frozen=True, slots=True, eq=False)
class SpreadValue:
    """A value of each related row, lifted into the row: itself where the relationship is to one, else an array."""

    embedded: Embedded
    value: Value


Value: TypeAlias = ColumnValue | RowValue | EmbedValue | SpreadValue


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A member of the answer's objects.

    Args:
        key: its key.
        value: what it is, or what is aggregated.
        aggregate: ``avg``, ``count``, ``max``, ``min`` or ``sum``; None for the value itself.
        aggregate_cast: the type that the aggregate is cast to.
    """

    key: str
    value: Value
    aggregate: str | None = None
    aggregate_cast: str | None = None


class Source(ABC):
    """Where the rows of a node come from that are in no table: a function's."""

    is_scalar = False
    """Whether each row is but a value, and shown as such."""

    @abstractmethod
    def rows(self, compiler: Compiler) -> Any:
        """The rows, as what a statement selects from; however often it does, they are made once."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Rows of an entity, and what is shown of each.

    Args:
        entity: whose rows.
        name: what errors call them.
        items: what is shown, each key once.
        modifiers: filters, order and range.
        embedded: what is embedded, by the name that filters and orders have for it.
        source: where the rows come from, if not out of the entity's table.
        access: what who asks may see of it, and of what is embedded.
        whole: whether rows that are written come back with all of their columns besides, as the last of what is given
            back: a JSON object.
        model: what rows are answered with as, where that is a model of the application's own.
    """

    entity: Entity
    name: str
    items: tuple[Item, ...]
    modifiers: Modifiers
    embedded: Mapping[str, Embedded]
    source: Source | None = None
    access: Access = ANYTHING
    whole: bool = False
    model: RowModel | None = None

    @property
    def is_aggregated(self) -> bool:
        return any(item.aggregate for item in self.items)

    @property
    def is_rearranged(self) -> bool:
        """Whether rows that are written do not come back each as it was written, but in an order, or as groups."""
        return self.is_aggregated or bool(self.modifiers.order)

    def inner(self) -> Iterator[Embedded]:
        """What rows have to have to be there at all."""
        return (embedded for embedded in self.embedded.values() if embedded.is_inner)


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Related rows inside each row.

    Args:
        relationship: how they are found.
        node: the rows.
        is_inner: whether a row without any is left out.
    """

    relationship: Relationship
    node: Node
    is_inner: bool


class Planner:
    """Makes plans over a catalog.

    Args:
        catalog: what there is.
        aggregates: whether aggregates are allowed.
        max_depth: how deep embeds may nest.
        access: what who asks may see.
    """

    def __init__(
        self, catalog: Catalog, *, aggregates: bool = True, max_depth: int = 8, access: Access = ANYTHING
    ) -> None:
        self._catalog = catalog
        self._access = access
        self._aggregates = aggregates
        self._max_depth = max_depth

    def plan(self, entity: Entity, query: Query) -> Node:
        """The plan of a query over an entity.

        Raises:
            ApiError: PGRST108, 118, 123, 127, 200, 201 or 42712 for what cannot be planned, 42703 for an unknown
                column in ``select``; filters and orders are looked up when the statement is made.
        """
        model = entity.exposure.read if query.select == ALL else None
        select = query.select if model is None else selected_by(model)
        node = self._node(entity, entity.name, select, (), {(): query.modifiers, **dict(query.embedded)})
        return node if model is None else replace(node, model=model)

    def _node(
        self,
        entity: Entity,
        name: str,
        select: tuple[SelectItem, ...],
        path: tuple[str, ...],
        modifiers: dict[tuple[str, ...], Modifiers],
    ) -> Node:
        embedded = self._embedded(entity, select, path, modifiers)
        items: dict[str, Item] = {}
        position = iter(embedded.items())
        for selected in select:
            if isinstance(selected, Embed):
                for item in shown(selected, *next(position)):
                    items[checked_key(item.key)] = item
            elif isinstance(selected, Star):
                items.update((column, Item(column, ColumnValue(Field(column)))) for column in entity.columns)
            else:
                item = self._column(entity, name, selected)
                items[checked_key(item.key)] = item
        shown_items = tuple(items.values())
        node = Node(entity, name, shown_items, modifiers.get(path, NOTHING), embedded, access=self._access)
        for term in node.modifiers.order:
            check_order(node, term)
        return node

    def _embedded(
        self,
        entity: Entity,
        select: tuple[SelectItem, ...],
        path: tuple[str, ...],
        modifiers: dict[tuple[str, ...], Modifiers],
    ) -> dict[str, Embedded]:
        embedded: dict[str, Embedded] = {}
        for embed in select:
            if not isinstance(embed, Embed):
                continue
            depth = len(path) + 1
            if depth > self._max_depth:
                raise ApiError(
                    400,
                    "PGRST100",
                    f"'{embed.target}' is embedded too deep",
                    details=f"Resources may be embedded {self._max_depth} levels deep.",
                )
            called = embed.alias or embed.target
            way = find(entity, self._catalog.ways(entity), embed.target, embed.hint)
            if called in embedded:
                again = f"{entity.name}_{called}_{depth}"
                raise ApiError(400, "42712", f'table name "{again}" specified more than once')
            name = way.target.name if way.junction is not None else f"{way.target.name}_{depth}"
            node = self._node(way.target, name, embed.select, (*path, called), modifiers)
            if embed.spread and not way.is_to_one and node.is_aggregated:
                raise ApiError(
                    400,
                    "PGRST127",
                    "Feature not implemented",
                    details="Aggregates are not implemented for one-to-many or many-to-many spreads.",
                )
            embedded[called] = Embedded(way, node, embed.join == "inner")
        return embedded

    def _column(self, entity: Entity, name: str, column: Column) -> Item:
        aggregate = column.aggregate
        field = column.field
        if (
            field is not None
            and field.name == "count"
            and not aggregate
            and not field.path
            and not known(entity, field)
        ):
            # The older way to write count().
            field, aggregate = None, "count"
        if aggregate and not self._aggregates:
            raise ApiError(400, "PGRST123", "Use of aggregate functions is not allowed")
        if field is None:
            return Item(column.alias or "count", RowValue(), "count", column.aggregate_cast or column.cast)
        value = ColumnValue(field, column.cast)
        return Item(column.alias or aggregate or default_key(field), value, aggregate, column.aggregate_cast)


def selected_by(model: RowModel) -> tuple[SelectItem, ...]:
    """What a model's rows are made of."""
    columns = [Column(Field(name), key, "text" if key in model.texts else None) for key, name in model.given.items()]
    return (*columns, *(Embed(name, ALL, key) for key, name in model.embeds.items()))


def known(entity: Entity, field: Field) -> bool:
    return field.name in entity.columns or field.name in entity.computed


def default_key(field: Field) -> str:
    """The key of what has no alias: the column's name, or the last key of the path inside it."""
    return next((step.key for step in reversed(field.path) if isinstance(step.key, str)), field.name)


def shown(embed: Embed, name: str, embedded: Embedded) -> Iterator[Item]:
    """What an embed adds to the row: itself, or its own items where it is spread; nothing if nothing was selected."""
    node = embedded.node
    if not embed.spread:
        if embed.select and node.items:
            yield Item(name, EmbedValue(embedded))
        return
    for item in node.items:
        yield Item(item.key, SpreadValue(embedded, item.value), item.aggregate, item.aggregate_cast)


def check_order(node: Node, term: Order) -> None:
    """Finds out whether an order by an embedded resource is one by a single row of it."""
    if term.embed is not None and not node.embedded[term.embed].relationship.is_to_one:
        raise ApiError(
            400,
            "PGRST118",
            f"A related order on '{term.embed}' is not possible",
            details=f"'{node.entity.name}' and '{term.embed}' do not form a many-to-one or one-to-one relationship",
        )


def checked_key(key: str) -> str:
    """A key that both databases take.

    Raises:
        ApiError: 42601 for an empty one, 42622 for one that is too long, PGRST100 for one that no text may hold.
    """
    if not key:
        raise ApiError(400, "42601", "A key in select is empty", hint='Give it a name, as in select=name:data->"".')
    if len(key.encode(errors="replace")) > MAX_KEY:
        raise ApiError(400, "42622", f'identifier "{key[:MAX_KEY]}…" is too long', details=f"At most {MAX_KEY} bytes.")
    if "\0" in key or any("\ud800" <= character <= "\udfff" for character in key):
        raise ApiError(400, "PGRST100", "A key in select holds a character that no text may hold")
    return key
