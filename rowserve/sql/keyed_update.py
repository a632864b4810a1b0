"""UPDATE of many rows, each by its own key and to values of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, case, select, update

from ..backends.base import Statement
from .column_values import Parameter, defaults, set_parameter, typed_parameter
from .compiler import Compiler
from .output import Form, literal_text
from .plan import Node
from .read import compiler_for, positional
from .returning import shown, written_check, written_order, written_rows
from .write import Change, are_joinable, changeable, check_allowed, compiled_change, in_order, parameter_sets


def compile_keyed_update(
    node: Node, names: Sequence[str], *, returning: Form | None, zone: int | None = None
) -> Change:
    """The statement that sets columns of the row that a row's own primary key names.

    On PostgreSQL many rows are one statement, on SQLite one statement that is run for each; rows come back in the order
    that is asked for, else in that in which they were given.

    Args:
        node: what is updated, and what is shown of it; its filters are not looked at.
        names: the columns of each row, those of the primary key among them.
        returning: what is made of each row that is given back; None where none are.
        zone: which of the request's values is the time zone that moments are shown in, if any.
    """
    entity = node.entity
    check_allowed(node, "update")
    keys = [item.name for item in entity.primary_key]
    given = [Parameter(name, entity.stored[name].wire.bind) for name in names]
    made, expressions = defaults(entity, names, update=True)
    parameters = (*given, *made)
    numbers = {item.name: index for index, item in enumerate(parameters)}
    values = {name: set_parameter(index) for name, index in numbers.items() if name not in keys}
    same = [entity.stored[name].column == typed_parameter(entity, numbers[name], name) for name in keys]
    statement = update(entity.table).values({**values, **expressions})
    compiler = compiler_for(node, max_rows=None, ordered=True, zone=zone)
    change = compiled_change(compiler, node, statement, parameters, "update", returning=returning, where=same)
    if entity.dialect.name == "sqlite" or change.arguments or not are_joinable(node, change.parameters):
        return change
    joined = joined_update(node, change.parameters, expressions, returning=returning)
    return replace(change, statement=Statement(change.statement.text, joined, is_shared=False))


def joined_update(
    node: Node, parameters: Sequence[Parameter], expressions: dict[str, ColumnElement[Any]], *, returning: Form | None
) -> str:
    """The same for many rows at once, each parameter an array."""
    entity = node.entity
    keys = {item.name for item in entity.primary_key}
    sets = parameter_sets(entity, parameters)
    columns = {item.name: sets.c[f"s{index}"] for index, item in enumerate(parameters)}
    values = {name: column for name, column in columns.items() if name not in keys}
    statement: Any = update(entity.table).values({**values, **expressions})
    compiler = compiler_for(node, max_rows=None, ordered=True)
    same = [entity.stored[name].column == columns[name] for name in keys]
    statement = statement.where(*changeable(compiler, entity, same, "update"))
    checked = written_check(compiler, entity, "update", returning=returning)
    if returning:
        statement = returned_in_order(compiler, node, statement, sets.c.n, checked, returning)
    elif checked is not None:
        statement = statement.returning(case((checked, literal_text(""))))
    text, names = positional(statement.compile(dialect=entity.dialect))
    assert in_order(parameters, names) == tuple(parameters)
    return text


def returned_in_order(
    compiler: Compiler,
    node: Node,
    statement: Any,
    number: ColumnElement[Any],
    checked: ColumnElement[bool] | None,
    form: Form,
) -> Any:
    """The update, giving the text of its rows, which without any other order are in that of their numbers."""
    label = "number of the set"
    written = written_rows(node.entity, statement, checked, number.label(label))
    order = [*written_order(compiler, node, written), written.c[label]]
    row, rows = shown(compiler, node, written, form, order)
    return select(row).select_from(rows)
