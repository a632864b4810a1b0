"""Versions of rows: a column that is counted, or PostgreSQL's ``xmin``, which tells whether a row has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from json import dumps
from typing import Any, Literal, TypeAlias

from sqlalchemy import Column, ColumnElement, Integer, Table, Text, cast, column, func, inspect, literal_column, select
from sqlalchemy.orm import Mapper

from ..errors import ApiError
from .entity import Entity, EntityColumn
from .plan import ColumnValue, Node
from .reflected_types import array_of
from .scope import Parameters

SYSTEM = "xmin"
"""PostgreSQL's system column: the transaction that has written the row as it is."""
Made: TypeAlias = Literal["counted", "generated", "found"]


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """What says which version of itself a row is.

    Args:
        name: the column's.
        item: the column; None for PostgreSQL's own.
        made: ``counted`` by each statement that writes; ``generated`` by a function of the version before; or
            ``found``, as the database makes it by itself.
        generator: that function, called with None for a new row.
    """

    name: str
    item: EntityColumn | None
    made: Made
    generator: Callable[[Any], Any] | None = None

    def text(self, entity: Entity, rows: Any) -> ColumnElement[str]:
        """The version of rows of an entity, as a text."""
        if self.item is not None:
            return cast(rows.c[self.item.column.key], Text)
        preparer = entity.dialect.identifier_preparer
        name = preparer.format_table(rows) if isinstance(rows, Table) else preparer.quote(rows.name)
        return cast(literal_column(f"{name}.{SYSTEM}"), Text)

    def following(self) -> ColumnElement[Any]:
        """What a row that is written is counted up to."""
        assert self.item is not None
        stored = self.item.column
        before = func.coalesce(stored, literal_column("0")) if stored.nullable else stored
        return before + literal_column("1", Integer())


def version_of(entity: Entity, name: str | None) -> Version | None:
    """The version of the rows of an entity.

    Args:
        name: the column's; None for that which its mapper counts, if it does.

    Raises:
        ValueError: there is no such column, or it holds no whole numbers.
        ApiError: 500 0A000 for ``xmin`` on SQLite.
    """
    mapper: Mapper[Any] | None = None if entity.model is None else inspect(entity.model)
    counted = None if mapper is None else mapper.version_id_col
    if mapper is not None and isinstance(counted, Column) and name in (None, counted.name):
        item = entity.stored.get(counted.name)
        return None if item is None or item.column is not counted else mapped_version(mapper, item)
    if name is None:
        return None
    item = entity.stored.get(name)
    if item is None and name == SYSTEM:
        if entity.dialect.name != "postgresql":
            raise ApiError(
                500,
                "0A000",
                f'The version of {entity.name} is "{SYSTEM}", which PostgreSQL has and SQLite has not',
                hint="Name a column of whole numbers as the version of the resource.",
            )
        return Version(SYSTEM, None, "found")
    if item is None:
        raise ValueError(f"version is {name!r}: {entity.name} has no such column; it has {', '.join(entity.stored)}")
    if not isinstance(item.column.type, Integer) or item.column.primary_key:
        raise ValueError(f"version is {name!r}: it is a column of whole numbers that are counted, and no key")
    return Version(name, item, "counted")


def mapped_version(mapper: Mapper[Any], item: EntityColumn) -> Version:
    """The version that a mapper keeps."""
    generator = mapper.version_id_generator
    if generator is False:
        return Version(item.name, item, "found")
    if generator.__module__ == "sqlalchemy.orm.mapper":  # its own, which counts
        return Version(item.name, item, "counted")
    return Version(item.name, item, "generated", generator)


def is_versioned(node: Node) -> bool:
    """Whether a row's version says all about what is shown of it: nothing of other rows is, and nothing computed."""
    entity = node.entity
    return entity.version is not None and all(
        isinstance(item.value, ColumnValue) and item.value.field.name in entity.columns and not item.aggregate
        for item in node.items
    )


def matching(entity: Entity, index: int, parameters: Parameters) -> ColumnElement[bool]:
    """Whether a row has one of the versions that are a value of the request: one parameter, however many they are."""
    assert entity.version is not None
    text = entity.version.text(entity, entity.table)
    if entity.dialect.name == "postgresql":
        return text == func.any(parameters.value(index, array_of(Text()), list))
    versions = func.json_each(parameters.value(index, Text(), dumps)).table_valued("value")
    return text.in_(select(column("value")).select_from(versions))
