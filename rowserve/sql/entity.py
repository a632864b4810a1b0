"""What the compiler needs to know of a table or a view, looked up once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Dialect, FromClause, Table, UniqueConstraint, inspect
from sqlalchemy.orm import Mapper

from ..errors import ApiError
from .exposure import EVERYTHING, Exposure
from .types import WireType, wire_type

if TYPE_CHECKING:
    from .versions import Version


@dataclass(frozen=True, slots=True)
class EntityColumn:
    """A column as the wire names it, and how its values cross."""

    column: Column[Any]
    wire: WireType

    @property
    def name(self) -> str:
        return self.column.name


@dataclass(frozen=True, slots=True)
class Computed:
    """A column that is not stored: what it is over some rows of its entity, and how its values cross."""

    name: str
    wire: WireType
    expression: Callable[[Any], ColumnElement[Any]]
    description: str | None = None


class Entity:
    """A table or a view seen as a resource: its columns by wire name, its primary key, what is unique.

    Args:
        table: the table; a view is one whose ``info`` says so.
        dialect: the database's.
        schema: the name that clients know its schema by.
        computed: columns that are not stored.
        model: the mapped class, where there is one.
        exposure: what clients may know of it.

    Attributes:
        columns: the stored columns that clients may name; ``computed`` likewise. What a client names is looked up here.
        stored: all that are stored.
        version: what says which version of itself a row is, if anything does.
    """

    def __init__(
        self,
        table: Table,
        dialect: Dialect,
        *,
        schema: str = "public",
        computed: Iterable[Computed] = (),
        model: type[Any] | None = None,
        exposure: Exposure = EVERYTHING,
    ) -> None:
        self.model = model
        self.exposure = exposure
        self.dialect = dialect
        self.table = table
        self.schema = schema
        self.name: str = table.name
        self.is_view = bool(table.info.get("view"))
        self.stored = {column.name: EntityColumn(column, wire_type(column.type, dialect)) for column in table.columns}
        hidden = exposure.hidden
        self.columns = {name: item for name, item in self.stored.items() if name not in hidden}
        self.computed: dict[str, Computed] = {item.name: item for item in computed if item.name not in hidden}
        self.primary_key = tuple(self.stored[column.name] for column in table.primary_key.columns)
        self.unique = unique_keys(table)
        self.version: Version | None = None

    def column(self, name: str) -> EntityColumn:
        """The stored column that a client calls so.

        Raises:
            ApiError: 42703, with the columns there are.
        """
        try:
            return self.columns[name]
        except KeyError:
            raise unknown_column(self, name, self.name) from None

    def replaceable(self, known: Collection[str], *, insert: bool) -> list[str]:
        """The columns to reset where a row is replaced: all but those that are ``known``, the primary key, what makes
        its own values, and what a client could not have given.

        Args:
            insert: whether it is replaced by way of an insert.
        """
        if self.version is not None:
            known = {*known, self.version.name}
        taken = self.exposure.create if insert else self.exposure.update
        given = self.columns if taken is None else {*taken.dumped.values()}
        return [
            name
            for name, item in self.columns.items()
            if name not in known
            and name in given
            and name not in self.exposure.readonly
            and not (item.column.primary_key or item.column.computed is not None or item.column.onupdate is not None)
        ]


def unknown_column(entity: Entity, name: str, known_as: str) -> ApiError:
    """42703, with the columns there are."""
    columns = ", ".join([*entity.columns, *entity.computed])
    return ApiError(
        400, "42703", f"column {known_as}.{name} does not exist", hint=f"The columns of {entity.name} are: {columns}."
    )


def unique_keys(table: Table) -> frozenset[frozenset[str]]:
    """The sets of columns that tell rows apart: the primary key, and whatever else is unique in every row."""
    keys = [table.primary_key.columns]
    keys += [constraint.columns for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    keys += [index.columns for index in table.indexes if index.unique and not has_condition(index.dialect_options)]
    single = [frozenset([column.name]) for column in table.columns if column.unique]
    return frozenset([*(frozenset(column.name for column in key) for key in keys if len(key)), *single])


def has_condition(options: Mapping[str, Any]) -> bool:
    """Whether an index covers a part of the rows only."""
    return any(options[name].get("where") is not None for name in ("postgresql", "sqlite") if name in options)


def mapped_table(model: type[Any]) -> Table:
    """The table of a mapped class.

    Raises:
        TypeError: the class is not mapped to a table, or its table has no primary key.
    """
    mapper = inspect(model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        raise TypeError(f"{model!r} is not a mapped class: a Resource takes a SQLAlchemy model")
    local: FromClause = mapper.local_table
    if not isinstance(local, Table):
        raise TypeError(f"{model.__name__} is mapped to {type(local).__name__}, not to a table")
    if not local.primary_key.columns:
        raise TypeError(f"{model.__name__} has no primary key: a Resource needs one to tell rows apart")
    return local
