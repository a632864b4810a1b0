"""What there is to be served: entities, how they relate, and functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Alias, ColumnElement, FromClause, Table, cast, func, literal_column, quoted_name
from sqlalchemy.sql.functions import Function as FunctionCall
from sqlalchemy.types import NullType, TypeEngine, UserDefinedType

from .. import identifiers
from .entity import Computed, Entity
from .relationships import Cardinality, Relationship, across, direct, meant
from .types import wire_type


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference from the columns of one table or view to those of another.

    Args:
        name: of the constraint; of a view's, the one that it has from the table behind it.
        table: which refers.
        columns: of ``table``.
        referred: what is referred to.
        referred_columns: of ``referred``, in the order of ``columns``.
    """

    name: str
    table: Table
    columns: tuple[str, ...]
    referred: Table
    referred_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionParameter:
    """A parameter of a function of the database.

    Args:
        name: as it is declared; empty where it has none.
        type: as SQL spells it, ready to stand in a statement: ``integer``, ``public.user_status``, ``uuid[]``.
        table: the table or view of a composite type, else None.
        required: whether it has no default.
        variadic: whether it takes any number of values.
    """

    name: str
    type: str
    table: Table | None = None
    required: bool = True
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the database.

    Args:
        schema: where it is.
        name: what it is called; several may have one name.
        parameters: those that take values, in their order.
        returns: what one row of it is: the table or view whose rows it gives, or its own columns as a Table of no
            database (RETURNS TABLE, OUT parameters), or a scalar type, or None for ``void``.
        return_name: the type as SQL spells it.
        is_set: whether it gives any number of rows (SETOF, TABLE).
        is_single: whether it gives one row at the most: no set, or one that says ROWS 1.
        volatility: as PostgreSQL has it.
        description: its comment.
    """

    schema: str
    name: str
    parameters: tuple[FunctionParameter, ...]
    returns: Table | TypeEngine[object] | None
    return_name: str
    is_set: bool
    is_single: bool
    volatility: Literal["immutable", "stable", "volatile"]
    description: str | None = None


class Catalog:
    """What one database serves.

    Args:
        entities: tables and views, each once.
        foreign_keys: how they refer to each other; those to or from what is not served lead nowhere.
        functions: the database's own.
        named: relationships with names of their own, as models have.
    """

    def __init__(
        self,
        entities: Iterable[Entity],
        foreign_keys: Iterable[ForeignKey] = (),
        functions: Iterable[Function] = (),
        named: Iterable[Relationship] = (),
    ) -> None:
        self.entities = {(entity.schema, entity.name): entity for entity in entities}
        self.by_table = {entity.table: entity for entity in self.entities.values()}
        self.functions: dict[tuple[str, str], list[Function]] = {}
        self._ways: dict[Entity, list[Relationship]] = {entity: [] for entity in self.entities.values()}
        keys: dict[Table, list[tuple[ForeignKey, Entity]]] = {}
        for key in foreign_keys:
            source, target = self.by_table.get(key.table), self.by_table.get(key.referred)
            if target is not None:
                keys.setdefault(key.table, []).append((key, target))
                if source is not None:
                    self._add(direct(key, source, target))
        for table, referring in keys.items():
            junction = self.by_table.get(table)
            self._add(across(table, referring, frozenset() if junction is None else junction.exposure.hidden))
        self._add(named)
        for function in functions:
            self.functions.setdefault((function.schema, function.name), []).append(function)
            self._add_function(function)
        for entity, ways in self._ways.items():
            if entity.exposure.embed is not None:
                named_ways = [meant(ways, *name_and_hint(name)) for name in entity.exposure.embed]
                shown = {way for some in named_ways for way in some}
                self._ways[entity] = [way for way in ways if way in shown]

    def ways(self, source: Entity) -> list[Relationship]:
        """The relationships that start at an entity; none at one that the catalog has not."""
        return self._ways.get(source, [])

    def _add(self, ways: Iterable[Relationship]) -> None:
        for way in ways:
            self._ways[way.source].append(way)

    def _add_function(self, function: Function) -> None:
        """A function of a row: one that gives rows relates two entities, one that gives a value computes a column."""
        parameters = function.parameters
        if not parameters or parameters[0].table is None or any(other.required for other in parameters[1:]):
            return
        source = self.by_table.get(parameters[0].table)
        if source is None:
            return
        if isinstance(function.returns, Table):
            target = self.by_table.get(function.returns)
            if target is not None:
                cardinality: Cardinality = "many-to-one" if function.is_single else "one-to-many"
                self._add([Relationship(source, target, cardinality, function.name, (), None, function, True)])
        elif function.returns is not None and not function.is_set:
            source.computed.setdefault(function.name, function_column(function, source))


def name_and_hint(name: str) -> tuple[str, str | None]:
    """A relationship's name as ``select=`` has it, taken apart: ``users!author_id``."""
    target, _, hint = name.partition("!")
    return target, hint or None


def function_column(function: Function, source: Entity) -> Computed:
    """The column that a function of a row is."""
    returns: Any = function.returns

    def expression(rows: FromClause) -> ColumnElement[Any]:
        return called(function, row_of(source, rows), type_=returns)

    return Computed(function.name, wire_type(returns, source.dialect), expression, function.description)


def called(
    function: Function, *arguments: ColumnElement[Any], type_: TypeEngine[Any] | None = None
) -> FunctionCall[Any]:
    """A call of a function, by its full name."""
    # SQLAlchemy puts the arguments behind the name by way of `%`.
    schema, name = (quoted_name(part.replace("%", "%%"), quote=True) for part in (function.schema, function.name))
    returns: Any = type_ or NullType()
    call: FunctionCall[Any] = FunctionCall(name, *arguments, type_=returns, packagenames=(schema,))
    return call


def row_of(entity: Entity, rows: FromClause) -> ColumnElement[Any]:
    """A whole row, for a function that takes one. Out of a subquery it has to be put together again."""
    if isinstance(rows, Table | Alias):
        return whole_row(rows)
    columns = [rows.c[item.column.key] for item in entity.stored.values()]
    return cast(func.row(*columns), RowType(entity.table))


def whole_row(rows: Any) -> ColumnElement[Any]:
    """All of a row as one value of PostgreSQL's. Without its star, the name might be that of a column in it."""
    return literal_column(f"{identifiers.POSTGRESQL.quote(rows.name)}.*", NullType())


class RowType(UserDefinedType[Any]):
    """PostgreSQL's type of the rows of a table."""

    cache_ok = True

    def __init__(self, table: Table) -> None:
        self.table = table

    def get_col_spec(self, **_: object) -> str:
        return identifiers.POSTGRESQL.format_table(self.table)


def foreign_keys_of(tables: Iterable[Table]) -> Iterator[ForeignKey]:
    """The foreign keys that SQLAlchemy knows of; one without a name gets PostgreSQL's."""
    for table in tables:
        for constraint in table.foreign_key_constraints:
            columns = tuple(column.name for column in constraint.columns)
            name = constraint.name or f"{table.name}_{'_'.join(columns)}_fkey"
            referred = tuple(element.column.name for element in constraint.elements)
            yield ForeignKey(str(name), table, columns, constraint.referred_table, referred)
