"""The keys of tables, and those that views have from the tables behind them, as PostgREST infers them.

https://docs.postgrest.org/en/v14/references/api/resource_embedding.html#foreign-key-joins-on-views
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from ..sql.catalog import ForeignKey
from .view_columns import ViewColumns

Named: TypeAlias = Callable[[int, Iterable[int]], tuple[str, ...]]
"""The names of the columns of a relation that have these numbers."""


@dataclass(frozen=True, slots=True)
class Key:
    """A primary or unique key of a table, its columns by number."""

    name: str
    relation: int
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key, its columns by number; one that views inherit is no constraint of theirs."""

    name: str
    relation: int
    columns: tuple[int, ...]
    referred: int
    referred_columns: tuple[int, ...]
    is_deferrable: bool = False
    is_deferred: bool = False
    is_inherited: bool = False


class InheritedKeys:
    """Keys of tables and views.

    Args:
        primary: of tables.
        unique: of tables.
        references: of tables.
        origins: which columns of tables the views' columns are.
        views: those that are to have keys.
    """

    def __init__(
        self,
        primary: Iterable[Key],
        unique: Iterable[Key],
        references: Iterable[Reference],
        origins: ViewColumns,
        views: Iterable[int],
    ) -> None:
        self._primary = {key.relation: key for key in primary}
        self._unique: dict[int, list[Key]] = {}
        for key in unique:
            self._unique.setdefault(key.relation, []).append(key)
        self._origins = origins
        self._views = tuple(views)
        self._showing: dict[int, list[int]] = {}
        for view in self._views:
            for table in origins.tables(view):
                self._showing.setdefault(table, []).append(view)
        self.references: list[Reference] = []
        for reference in references:
            self.references += [reference, *self._inherited(reference)]

    def _inherited(self, reference: Reference) -> Iterator[Reference]:
        is_single = self._is_unique(reference.relation, reference.columns)
        referring = list(self._shown(reference.relation, reference.columns))
        referred = list(self._shown(reference.referred, reference.referred_columns))
        if is_single:
            for view, columns in referring:
                key = Key(reference.name, view, columns)
                if not self._is_unique(view, columns):
                    self._unique.setdefault(view, []).append(key)
        here = (reference.relation, reference.columns)
        there = (reference.referred, reference.referred_columns)
        for relation, columns in (here, *referring):
            for other, other_columns in (there, *referred):
                if (relation, other) != (reference.relation, reference.referred):
                    yield Reference(reference.name, relation, columns, other, other_columns, is_inherited=True)

    def _shown(self, table: int, columns: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
        for view in self._showing.get(table, ()):
            for shown in self._origins.keys(view, table, columns):
                yield view, shown

    def _is_unique(self, relation: int, columns: tuple[int, ...]) -> bool:
        keys = [*self.primary_keys(relation), *self.unique_keys(relation)]
        return any(set(key.columns) == set(columns) for key in keys)

    def primary_keys(self, relation: int) -> list[Key]:
        """The primary key of a table or view, if it has one."""
        if relation not in self._views:
            key = self._primary.get(relation)
            return [] if key is None else [key]
        columns: list[int] = []
        name = None
        for table in self._origins.tables(relation):
            key = self._primary.get(table)
            shown = [] if key is None else self._origins.keys(relation, table, key.columns)
            if key is not None and shown:
                name = name or key.name
                columns += shown[0]
        return [Key(name, relation, tuple(columns))] if name else []

    def unique_keys(self, relation: int) -> list[Key]:
        """The unique keys of a table; of a view, those of its columns that refer one to one."""
        return self._unique.get(relation, [])

    def constrain(self, table: Table, relation: int, named: Named) -> None:
        """Adds the primary and unique keys to a table or view."""
        for key in self.primary_keys(relation):
            table.append_constraint(PrimaryKeyConstraint(*named(relation, key.columns), name=key.name))
        for key in self.unique_keys(relation):
            table.append_constraint(UniqueConstraint(*named(relation, key.columns), name=key.name))

    def foreign_keys(
        self, exposed: Mapping[int, Table], tables: Mapping[int, Table], named: Named
    ) -> tuple[ForeignKey, ...]:
        """Those of exposed tables and views that refer to any of ``tables``; the tables are given their own."""
        found = []
        for reference in self.references:
            if reference.relation not in exposed or reference.referred not in tables:
                continue
            foreign_key = ForeignKey(
                name=reference.name,
                table=exposed[reference.relation],
                columns=named(reference.relation, reference.columns),
                referred=tables[reference.referred],
                referred_columns=named(reference.referred, reference.referred_columns),
            )
            found.append(foreign_key)
            if not reference.is_inherited:
                foreign_key.table.append_constraint(
                    ForeignKeyConstraint(
                        foreign_key.columns,
                        [foreign_key.referred.c[name] for name in foreign_key.referred_columns],
                        name=reference.name,
                        deferrable=reference.is_deferrable or None,
                        initially="DEFERRED" if reference.is_deferred else None,
                    )
                )
        return tuple(found)
