"""What SQLite's pragmas and its schema table say of its tables and views."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from json import dumps
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from .sqlite_ddl import Definition, Kind, definition, full_text, instead_of

Row: TypeAlias = Mapping[str, Any]

_RELATIONS = """
SELECT l.name, l.type AS kind, l.wr AS without_rowid, m.sql
FROM pragma_table_list AS l JOIN sqlite_schema AS m ON m.name = l.name AND m.type IN ('table', 'view')
WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND l.name NOT LIKE 'rowserve\\_%' ESCAPE '\\'
ORDER BY l.name
"""
"""What begins with rowserve_ is not the application's: the keys of requests that are done once, for one."""
_COLUMNS = "SELECT t.value AS relation, c.* FROM json_each(?) AS t JOIN pragma_table_xinfo(t.value) AS c"
_FOREIGN_KEYS = """
SELECT t.value AS relation, k.* FROM json_each(?) AS t JOIN pragma_foreign_key_list(t.value) AS k
ORDER BY t.key, k.id DESC, k.seq
"""
_INDEXES = """
SELECT t.value AS relation, i.name AS name, i.origin AS origin, i."unique" AS is_unique, i.partial AS is_partial,
    x.cid AS cid
FROM json_each(?) AS t JOIN pragma_index_list(t.value) AS i JOIN pragma_index_xinfo(i.name) AS x
WHERE x.key ORDER BY t.key, i.seq DESC, x.seqno
"""
_TRIGGERS = "SELECT tbl_name AS relation, sql FROM sqlite_schema WHERE type = 'trigger'"

_ENDINGS: dict[Kind, str] = {"primary": "pkey", "unique": "key", "foreign": "fkey"}

log = logging.getLogger("rowserve")


@dataclass(slots=True)
class Relation:
    """A table or view; ``number`` is what keys call it."""

    number: int
    name: str
    kind: str
    sql: str
    columns: list[Row]
    foreign_keys: list[list[Row]] = field(default_factory=list)
    indexes: list[list[Row]] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    has_rowid: bool = True
    definition: Definition = field(init=False)
    full_text: dict[str, str] | None = field(init=False)
    """The options of an FTS5 table."""

    def __post_init__(self) -> None:
        # Most tables' texts say nothing that the pragmas do not.
        is_needed = "constraint" in self.sql.lower() or any(column["hidden"] for column in self.columns)
        self.definition = definition(self.sql) if is_needed and self.kind == "table" else Definition()
        self.full_text = full_text(self.sql) if self.kind == "virtual" else None

    def named(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """The names of the columns of those numbers."""
        names = {column["cid"]: column["name"] for column in self.columns}
        return tuple([names[number] for number in numbers])

    def numbers(self, names: Iterable[str]) -> tuple[int, ...] | None:
        """The numbers of the columns of those names, in any case; None where there is none of a name."""
        there = {column["name"].lower(): column["cid"] for column in self.columns}
        found = [there.get(name.lower()) for name in names]
        return None if None in found else tuple([number for number in found if number is not None])

    @property
    def primary_key(self) -> tuple[int, ...]:
        keyed = sorted((column["pk"], column["cid"]) for column in self.columns if column["pk"])
        return tuple([number for _, number in keyed])

    @property
    def rowid(self) -> int | None:
        """The column that is another name for the rowid: a primary key that has no index of its own."""
        key = self.primary_key
        has_index = any(index[0]["origin"] == "pk" for index in self.indexes)
        return key[0] if len(key) == 1 and self.has_rowid and not has_index else None

    def constraint(self, kind: Kind, key: Iterable[int]) -> str:
        """The name of the constraint of that kind on those columns: if it was given none, PostgreSQL's for it."""
        columns = self.named(key)
        given = self.definition.names.get((kind, tuple([column.lower() for column in columns])))
        return given or "_".join([self.name, *(columns if kind != "primary" else ()), _ENDINGS[kind]])


async def read_relations(connection: AsyncConnection) -> list[Relation]:
    async def rows(query: str, *arguments: object) -> list[Any]:
        result = await connection.exec_driver_sql(query, arguments)
        return list(result.mappings())

    async def columns_of(listed: list[Any]) -> list[Any]:
        try:
            return await rows(_COLUMNS, dumps([row["name"] for row in listed]))
        except DBAPIError as error:  # of a view whose table is gone, or a virtual table whose module is not there
            if len(listed) > 1:
                return [column for row in listed for column in await columns_of([row])]
            kind, name = listed[0]["kind"], listed[0]["name"]
            log.warning("The %s %s is left out, for it cannot be read: %s", kind, name, error.orig)
            return []

    listed = await rows(_RELATIONS)
    columns: dict[str, list[Row]] = defaultdict(list)
    for column in await columns_of(listed):
        if column["hidden"] != 1:
            columns[column["relation"]].append(column)
    found = {
        row["name"]: Relation(
            number, row["name"], row["kind"], row["sql"], columns[row["name"]], has_rowid=not row["without_rowid"]
        )
        for number, row in enumerate(listed)
        if row["name"] in columns
    }
    names = dumps([name for name, relation in found.items() if relation.kind == "table"])
    for (name, _), group in groupby(await rows(_FOREIGN_KEYS, names), itemgetter("relation", "id")):
        found[name].foreign_keys.append(list(group))
    for (name, _), group in groupby(await rows(_INDEXES, names), itemgetter("relation", "name")):
        found[name].indexes.append(list(group))
    by_lower_name = {name.lower(): relation for name, relation in found.items()}
    for row in await rows(_TRIGGERS):
        relation = by_lower_name.get(row["relation"].lower())
        if relation is not None and (event := instead_of(row["sql"])) is not None:
            relation.events.add(event)
    return list(found.values())
