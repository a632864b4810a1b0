"""INSERT … ON CONFLICT: what becomes of a row whose key is taken, and how one knows which rows are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, select
from sqlalchemy.dialects import postgresql, sqlite

from ..backends.base import Statement
from .column_values import Parameter, defaults, reset, resets, set_parameter
from .compiler import Compiler, number
from .entity import Entity
from .read import positional
from .scope import Returned

AnyInsert: TypeAlias = postgresql.Insert | sqlite.Insert


@dataclass(frozen=True, slots=True)
class Conflict:
    """What becomes of a row that is to be inserted where there is one of its key.

    Args:
        key: the columns that tell whether it is there: those of the primary key or of another unique one.
        resolution: ``merge`` sets what was given, ``replace`` everything, what was not given to its default or to NULL;
            ``ignore`` leaves the row that is there as it is.
    """

    key: tuple[str, ...]
    resolution: Literal["merge", "ignore", "replace"]

    @property
    def changes(self) -> bool:
        """Whether rows that are there change, so that it has to be told which are new."""
        return self.resolution != "ignore"


def insert_into(entity: Entity) -> AnyInsert:
    """An INSERT that may have an ON CONFLICT."""
    return sqlite.insert(entity.table) if entity.dialect.name == "sqlite" else postgresql.insert(entity.table)


def conflict_values(
    entity: Entity, names: Sequence[str], conflict: Conflict
) -> tuple[list[Parameter], dict[str, ColumnElement[Any]]]:
    """What a row that is there is set to besides the columns that were given: ``onupdate=``, and what is replaced."""
    if conflict.resolution == "merge" and set(names) <= set(conflict.key):
        return [], {}
    made, expressions = defaults(entity, {*names, *conflict.key}, update=True)
    if conflict.resolution == "replace":
        known = {*names, *conflict.key, *expressions, *(item.name for item in made)}
        parameters, others = resets(entity, entity.replaceable(known, insert=True))
        made += parameters
        expressions |= others
    return made, expressions


def on_conflict(
    statement: AnyInsert,
    entity: Entity,
    names: Sequence[str],
    conflict: Conflict,
    first: int,
    made: Sequence[Parameter],
    expressions: Mapping[str, ColumnElement[Any]],
    compiler: Compiler,
) -> AnyInsert:
    """The insert of columns ``names`` with its ON CONFLICT. It fails as a whole where a row that is there may not be
    changed, or not to that.

    Args:
        first: the number of the first parameter that the row itself has no use for.
        made: what else is set, by these parameters.
        expressions: what else is set, by expressions.
        compiler: whose parameters the statement has.
    """
    target = [entity.column(name).column for name in conflict.key]
    if not conflict.changes:
        return statement.on_conflict_do_nothing(index_elements=target)
    given = [name for name in names if name not in conflict.key]
    # A row that has nothing but its key is set to that: only rows that are set come back.
    columns = [entity.stored[name].column for name in given] or target[:1]
    values: dict[Any, Any] = {column: statement.excluded[column.key] for column in columns}
    for name, expression in expressions.items():
        values[entity.stored[name].column] = expression
    for index, item in enumerate(made, first):
        values[entity.stored[item.name].column] = set_parameter(index)
    table = entity.table
    there = Returned(table, entity.dialect).c
    after = {**there, **{column.key: value for column, value in values.items()}}
    allowed = [
        *compiler.permitted(table, there, "select", "update"),
        *compiler.permitted(table, after, "update"),
    ]
    where = compiler.refusing(allowed, entity) if allowed else None
    return statement.on_conflict_do_update(index_elements=target, set_=values, where=where)


def is_any_new(entity: Entity, written: FromClause, conflict: Conflict) -> ColumnElement[bool]:
    """Whether any of the rows that a statement has written was not there before it.

    PostgreSQL shows the rest of a statement the table as it was before the statement's own changes. ``xmax = 0``, the
    usual way to tell, is none on a view or a partitioned table, which have no such column.
    """
    rows = written.alias("new")
    before = entity.table.alias("before")
    keys = [entity.stored[name].column.key for name in conflict.key]
    there = select(number(1)).select_from(before).where(*(before.c[key] == rows.c[key] for key in keys))
    return exists(select(number(1)).select_from(rows).where(~exists(there.correlate(rows))))


def key_of(places: Mapping[str, int], conflict: Conflict) -> tuple[int, ...]:
    """At which places of a set of arguments the key is; none where a part of it comes from elsewhere."""
    if not conflict.changes or not places.keys() >= set(conflict.key):
        return ()
    return tuple([places[name] for name in conflict.key])


def probed(
    statement: Statement, entity: Entity, values: Mapping[str, ColumnElement[Any]], conflict: Conflict
) -> Statement:
    """An upsert on SQLite with what looks for the row of a set of arguments, before it is written.

    Args:
        values: what the insert sets columns to.
    """
    same: list[ColumnElement[bool]] = []
    for name in conflict.key:
        column = entity.stored[name].column
        if name in values:
            same.append(column == values[name])
        elif column.server_default is not None:
            same.append(column == reset(entity, entity.stored[name], None))
        else:
            same.append(false())  # a number that SQLite makes up
    found = select(number(1)).select_from(entity.table).where(and_(*same))
    text, names = positional(found.compile(dialect=entity.dialect))
    return replace(statement, key=tuple([int(name[1:]) for name in names]), probe=text)
