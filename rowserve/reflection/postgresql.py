"""PostgreSQL: its system catalogs as Tables, keys and functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Computed, DefaultClause, Identity, Index, MetaData, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from . import postgresql_queries as queries
from .expressions import sql_text
from .inherited_keys import InheritedKeys, Key, Reference
from .model import DELETABLE, DOMAIN, INSERTABLE, KIND, UPDATABLE, VIEW, Reflected
from .postgresql_functions import read_functions
from .postgresql_types import PostgreSQLTypes, Row
from .view_columns import Origin, ViewColumns, view_columns

KINDS = {"r": "table", "p": "partitioned table", "f": "foreign table", "v": "view", "m": "materialized view"}
_INSERT, _UPDATE, _DELETE = 1 << 3, 1 << 2, 1 << 4
"""The bits of pg_relation_is_updatable: https://www.postgresql.org/docs/current/functions-info.html"""


@dataclass(slots=True)
class Catalogs:
    """Rows of the system catalogs."""

    schemas: tuple[str, ...]
    relations: list[Row]
    columns: dict[int, list[Row]]
    constraints: list[Row]
    indexes: list[Row]
    functions: list[Row]
    types: PostgreSQLTypes
    origins: dict[int, dict[int, Origin]]
    names: dict[int, dict[int, str]] = field(init=False)
    """For each relation the names of its columns by number."""

    def __post_init__(self) -> None:
        self.names = {
            relation: {column["number"]: column["name"] for column in columns}
            for relation, columns in self.columns.items()
        }

    def named(self, relation: int, numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple([self.names[relation][number] for number in numbers])


async def reflect_postgresql(connection: AsyncConnection, schemas: tuple[str, ...]) -> Reflected:
    """Reads the schemas of a PostgreSQL database. Raises as `reflect` does."""
    catalogs = await read_catalogs(connection, schemas)
    metadata = MetaData()
    keys = inherited_keys(catalogs)
    exposed = {row["oid"] for row in catalogs.relations if row["is_exposed"]}
    wanted = exposed | {reference.referred for reference in keys.references if reference.relation in exposed}
    tables = {
        row["oid"]: build_table(row, catalogs, keys, metadata) for row in catalogs.relations if row["oid"] in wanted
    }
    return Reflected(
        schemas=schemas,
        metadata=metadata,
        foreign_keys=keys.foreign_keys({oid: tables[oid] for oid in exposed}, tables, catalogs.named),
        functions=tuple(read_functions(catalogs.functions, catalogs.columns, catalogs.types, tables)),
    )


async def read_catalogs(connection: AsyncConnection, schemas: tuple[str, ...]) -> Catalogs:
    async def rows(query: str, *arguments: object) -> list[Any]:
        result = await connection.exec_driver_sql(query, arguments)
        return list(result.mappings())

    await rows(queries.PREPARE)
    there = [row["nspname"] for row in await rows(queries.SCHEMAS)]
    if missing := [schema for schema in schemas if schema not in there]:
        raise ValueError(
            f"There is no schema {', '.join(missing)} in the database. Its schemas are: {', '.join(there) or 'none'}."
        )
    relations = await rows(queries.RELATIONS, list(schemas))
    functions = await rows(queries.FUNCTIONS, list(schemas))
    oids = [row["oid"] for row in relations]
    returned = {row["returned_relation"] for row in functions} - {0}
    columns: dict[int, list[Row]] = defaultdict(list)
    for row in await rows(queries.COLUMNS, [*oids, *returned.difference(oids)]):
        columns[row["relation"]].append(row)
    used = {column["type"] for of_one in columns.values() for column in of_one}
    used.update(*([*row["types"], row["returns"]] for row in functions))
    return Catalogs(
        schemas=schemas,
        relations=relations,
        columns=columns,
        constraints=await rows(queries.CONSTRAINTS, oids),
        indexes=await rows(queries.UNIQUE_INDEXES, oids),
        functions=functions,
        types=PostgreSQLTypes(await rows(queries.TYPES, list(used))),
        origins={
            row["relation"]: view_columns(row["tree"])
            for row in await rows(queries.VIEWS, [row["oid"] for row in relations if row["kind"] in "vm"])
        },
    )


def inherited_keys(catalogs: Catalogs) -> InheritedKeys:
    views = [row["oid"] for row in catalogs.relations if row["kind"] in "vm" and row["is_exposed"]]
    primary: list[Key] = []
    unique: list[Key] = []
    references: list[Reference] = []
    for row in catalogs.constraints:
        columns = tuple(row["columns"])
        if row["kind"] == "f":
            reference = Reference(
                name=row["name"],
                relation=row["relation"],
                columns=columns,
                referred=row["referred"],
                referred_columns=tuple(row["referred_columns"]),
                is_deferrable=row["is_deferrable"],
                is_deferred=row["is_deferred"],
            )
            references.append(reference)
        else:
            (primary if row["kind"] == "p" else unique).append(Key(row["name"], row["relation"], columns))
    return InheritedKeys(primary, unique, references, ViewColumns(catalogs.origins), views)


def build_table(row: Row, catalogs: Catalogs, keys: InheritedKeys, metadata: MetaData) -> Table:
    oid = row["oid"]
    is_view = row["kind"] in "vm"
    table = Table(
        row["name"],
        metadata,
        *(build_column(column, catalogs.types) for column in catalogs.columns.get(oid, ())),
        schema=row["schema"],
        comment=row["comment"],
        info={
            KIND: KINDS[row["kind"]],
            VIEW: is_view,
            INSERTABLE: bool(row["updatable"] & _INSERT),
            UPDATABLE: bool(row["updatable"] & _UPDATE),
            DELETABLE: bool(row["updatable"] & _DELETE),
        },
    )
    keys.constrain(table, oid, catalogs.named)
    for index in catalogs.indexes:
        if index["relation"] == oid:
            Index(index["name"], *(table.c[name] for name in catalogs.named(oid, index["columns"])), unique=True)
    return table


def build_column(row: Row, types: PostgreSQLTypes) -> Column[Any]:
    oid = row["type"]
    expression = row["expression"]
    extra: list[Any] = []
    if row["identity"]:
        extra.append(Identity(always=row["identity"] == "a"))
    elif row["generated"]:
        extra.append(Computed(sql_text(expression), persisted=row["generated"] == "s"))
    elif (default := expression or types.default(oid)) is not None:
        extra.append(DefaultClause(sql_text(default)))
    domain = types.domain(oid)
    return Column(
        row["name"],
        types.type(oid, row["spelling"]),
        *extra,
        nullable=not (row["not_null"] or types.not_null(oid)),
        autoincrement="auto" if row["identity"] else False,
        comment=row["comment"],
        info={} if domain is None else {DOMAIN: domain},
    )
