"""UPDATE of many rows, each by its own key and to values of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select, update

from ..backends.base import Statement
from .column_values import Parameter, defaults, set_parameter, typed_parameter
from .compiler import Compiler
from .plan import Node
from .read import compiler_for, positional
from .write import Change, are_joinable, check_writable, compiled_change, in_order, parameter_sets, shown, written_order


def compile_keyed_update(node: Node, names: Sequence[str], *, returning: bool, zone: int | None = None) -> Change:
    """The statement that sets columns of the row that a row's own primary key names.

    On PostgreSQL many rows are one statement, on SQLite one statement that is run for each; rows come back in the order
    that is asked for, else in that in which they were given.

    Args:
        node: what is updated, and what is shown of it; its filters are not looked at.
        names: the columns of each row, those of the primary key among them.
        returning: whether rows are given back as JSON.
        zone: which of the request's values is the time zone that moments are shown in, if any.
    """
    entity = node.entity
    check_writable(entity, "update")
    keys = [item.name for item in entity.primary_key]
    given = [Parameter(name, entity.column(name).wire.bind) for name in names]
    made, expressions = defaults(entity, names, update=True)
    parameters = (*given, *made)
    numbers = {item.name: index for index, item in enumerate(parameters)}
    values = {name: set_parameter(index) for name, index in numbers.items() if name not in keys}
    same = [entity.column(name).column == typed_parameter(entity, numbers[name], name) for name in keys]
    statement = update(entity.table).values({**values, **expressions}).where(*same)
    change = compiled_change(node, statement, parameters, returning=returning, zone=zone)
    if entity.dialect.name == "sqlite" or change.arguments or not are_joinable(entity, change.parameters):
        return change
    joined = joined_update(node, change.parameters, expressions, returning=returning)
    return replace(change, statement=Statement(change.statement.text, joined, is_shared=False))


def joined_update(
    node: Node, parameters: Sequence[Parameter], expressions: dict[str, ColumnElement[Any]], *, returning: bool
) -> str:
    """The same for many rows at once, each parameter an array."""
    entity = node.entity
    keys = {item.name for item in entity.primary_key}
    sets = parameter_sets(entity, parameters)
    columns = {item.name: sets.c[f"s{index}"] for index, item in enumerate(parameters)}
    values = {name: column for name, column in columns.items() if name not in keys}
    statement: Any = update(entity.table).values({**values, **expressions})
    statement = statement.where(*(entity.column(name).column == columns[name] for name in keys))
    compiler = compiler_for(node, max_rows=None, ordered=True)
    if returning:
        statement = returned_in_order(compiler, node, statement, sets.c.n)
    text, names = positional(statement.compile(dialect=entity.dialect))
    assert in_order(parameters, names) == tuple(parameters)
    return text


def returned_in_order(compiler: Compiler, node: Node, statement: Any, number: ColumnElement[Any]) -> Any:
    """The update, giving the JSON text of its rows, which without any other order are in that of their numbers."""
    label = "number of the set"
    written = statement.returning(*node.entity.table.columns, number.label(label)).cte("written")
    order = [*written_order(compiler, node, written), written.c[label]]
    row, rows = shown(compiler, node, written, order)
    return select(row).select_from(rows)
