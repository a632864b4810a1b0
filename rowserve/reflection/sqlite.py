"""SQLite: what its pragmas and its schema table say, as Tables and keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import TEXT, Column, Computed, DefaultClause, Index, MetaData, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from .expressions import sql_text
from .inherited_keys import InheritedKeys, Key, Reference
from .model import DELETABLE, FTS, FTS5, INSERTABLE, KIND, UPDATABLE, VIEW, Reflected
from .sqlite_relations import Relation, Row, read_relations
from .sqlite_types import sqlite_type
from .sqlite_views import view_columns
from .view_columns import ViewColumns

SCHEMA = "public"


async def reflect_sqlite(connection: AsyncConnection, schemas: tuple[str, ...]) -> Reflected:
    """Reads a SQLite database. Raises as `reflect` does."""
    if schemas != (SCHEMA,):
        others = ", ".join(schema for schema in schemas if schema != SCHEMA)
        raise ValueError(f"There is no schema {others} in the database: SQLite has one, which is called {SCHEMA}.")
    relations = await read_relations(connection)
    by_number = {relation.number: relation for relation in relations}
    metadata = MetaData()
    tables = {relation.number: build_table(relation, metadata) for relation in relations}
    keys = inherited_keys(relations)

    def named(number: int, columns: Iterable[int]) -> tuple[str, ...]:
        return by_number[number].named(columns)

    for number, table in tables.items():
        keys.constrain(table, number, named)
        for index in by_number[number].indexes:
            if is_unique(index) and index[0]["origin"] == "c":
                columns = named(number, [row["cid"] for row in index])
                Index(index[0]["name"], *(table.c[column] for column in columns), unique=True)
    mark_full_text(relations, tables)
    return Reflected(schemas=schemas, metadata=metadata, foreign_keys=keys.foreign_keys(tables, tables, named))


def build_table(relation: Relation, metadata: MetaData) -> Table:
    is_view = relation.kind == "view"
    is_full_text = relation.full_text is not None
    computed = relation.definition.computed
    info = {
        KIND: "virtual table" if relation.kind == "virtual" else relation.kind,
        VIEW: is_view,
        INSERTABLE: not is_view or "INSERT" in relation.events,
        UPDATABLE: not is_view or "UPDATE" in relation.events,
        DELETABLE: not is_view or "DELETE" in relation.events,
    }
    if is_full_text:
        info[FTS5] = True
    columns: list[Column[Any]] = []
    for row in relation.columns:
        extra: list[Any] = []
        if row["hidden"]:
            expression = computed.get(row["name"].lower(), "")
            extra.append(Computed(sql_text(expression), persisted=row["hidden"] == 3))
        elif row["dflt_value"] is not None:
            extra.append(DefaultClause(sql_text(row["dflt_value"])))
        columns.append(
            Column(
                row["name"],
                TEXT() if is_full_text else sqlite_type(row["type"]),
                *extra,
                # That a key could be NULL on SQLite is an old mistake of it, which it keeps for those who need it.
                nullable=not (row["notnull"] or row["pk"]),
                autoincrement=row["cid"] == relation.rowid,
            )
        )
    return Table(relation.name, metadata, *columns, info=info)


def is_unique(index: list[Row]) -> bool:
    """Whether no two rows are alike in the index's columns."""
    first = index[0]
    return bool(first["is_unique"]) and not first["is_partial"] and all(row["cid"] >= 0 for row in index)


def inherited_keys(relations: list[Relation]) -> InheritedKeys:
    by_lower_name = {relation.name.lower(): relation for relation in relations}
    primary: list[Key] = []
    unique: list[Key] = []
    references: list[Reference] = []
    for relation in relations:
        if key := relation.primary_key:
            primary.append(Key(relation.constraint("primary", key), relation.number, key))
        for index in relation.indexes:
            if is_unique(index) and index[0]["origin"] == "u":
                key = tuple([row["cid"] for row in index])
                unique.append(Key(relation.constraint("unique", key), relation.number, key))
        seen: Counter[tuple[int, ...]] = Counter()
        for foreign_key in relation.foreign_keys:
            referred = by_lower_name.get(foreign_key[0]["table"].lower())
            columns = relation.numbers(row["from"] for row in foreign_key)
            if referred is None or columns is None:
                continue  # SQLite lets tables refer to what is not there
            referred_columns: tuple[int, ...] | None = referred.primary_key
            if foreign_key[0]["to"] is not None:
                referred_columns = referred.numbers(row["to"] for row in foreign_key)
            if referred_columns is None or len(referred_columns) != len(columns):
                continue
            name = f"{relation.constraint('foreign', columns)}{seen[columns] or ''}"
            seen[columns] += 1
            references.append(Reference(name, relation.number, columns, referred.number, referred_columns))
    views = [relation for relation in relations if relation.kind == "view"]
    origins = {view.number: view_columns(view, by_lower_name) for view in views}
    return InheritedKeys(primary, unique, references, ViewColumns(origins), list(origins))


def mark_full_text(relations: list[Relation], tables: Mapping[int, Table]) -> None:
    """Tells each table that an FTS5 table indexes of that one."""
    by_lower_name = {relation.name.lower(): relation for relation in relations}
    for relation in relations:
        options = relation.full_text
        content = by_lower_name.get((options or {}).get("content", "").lower())
        if options is None or content is None or content.kind != "table" or not content.has_rowid:
            continue
        rowid = options.get("content_rowid", "rowid")
        if rowid.lower() == "rowid" or content.numbers([rowid]) == (content.rowid,):
            columns = tuple([column["name"] for column in relation.columns])
            tables[content.number].info[FTS] = (relation.name, columns)
