"""What writes give back: the rows as they have become, as JSON; and that they were not to become so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Update,
    and_,
    case,
    func,
    literal_column,
    null,
    select,
)

from .access import Action
from .compiler import Arrangement, Compiler
from .entity import Entity
from .output import Form, literal_text
from .plan import ColumnValue, Node
from .read import text_of
from .scope import Returned, Scope
from .sqlite_returning import returned_row
from .upsert import Conflict, is_any_new


def written_check(
    compiler: Compiler, entity: Entity, action: Action, *, returning: object
) -> ColumnElement[bool] | None:
    """What fails for a row that has been written and that was not to be, or that is not to be shown; None where there
    is no rule for that."""
    columns = Returned(entity.table, entity.dialect).c
    actions: tuple[Action, ...] = (action, "select") if returning else (action,)
    allowed = compiler.permitted(entity.table, columns, *actions)
    return compiler.refusing(allowed, entity) if allowed else None


def returned(
    compiler: Compiler,
    node: Node,
    statement: Insert | Update | Delete,
    guard: ColumnElement[Any] | None,
    checked: ColumnElement[bool] | None,
    form: Form,
    tag: ColumnElement[str] | None = None,
) -> Any:
    """The statement, giving a row of one text for each row it wrote; NULL for one that is not to be shown.

    Args:
        tag: what the last column says of the row, if it is but one.
    """
    entity = node.entity
    if entity.dialect.name == "sqlite":
        return statement.returning(returned_row(compiler, node, checked, form), *([] if tag is None else [tag]))
    more = [] if guard is None else [guard]
    stored = all(isinstance(item.value, ColumnValue) and is_stored(node, item.value) for item in node.items)
    if stored and checked is None and tag is None and not node.is_rearranged:
        scope = Scope(entity, entity.table, node.name)
        columns: list[Any] = [compiler.output(scope, item.value).label(item.key) for item in node.items]
        written = statement.returning(*columns or [literal_column("1")]).cte("written")
        row = text_of(compiler, [(item.key, written.c[item.key]) for item in node.items], written, form)
        return select(row, *more).select_from(written)
    label = "version of the row"
    written = written_rows(entity, statement, checked, *([] if tag is None else [tag.label(label)]))
    if tag is not None:
        more.append(select(func.max(written.c[label])).scalar_subquery())
    row, rows = shown(compiler, node, written, form, written_order(compiler, node, written))
    return select(row, *more).select_from(rows)


def written_rows(
    entity: Entity, statement: Insert | Update | Delete, checked: ColumnElement[bool] | None, *more: ColumnElement[Any]
) -> CTE:
    """All of the rows that PostgreSQL writes, each one looked at whether or not it is shown."""
    if checked is not None:
        label = "checked"
        while label in entity.table.columns:
            label += "_"
        more = (*more, checked.label(label))
    return statement.returning(*entity.table.columns, *more).cte("written")


def returned_upserts(
    compiler: Compiler,
    node: Node,
    statement: Insert,
    conflict: Conflict,
    checked: ColumnElement[bool] | None,
    form: Form | None,
) -> Any:
    """The same for rows that may have been there, with a second column; an empty text where no rows are asked for."""
    entity = node.entity
    if entity.dialect.name == "sqlite":
        nothing = literal_text("")
        if form is not None:
            return statement.returning(returned_row(compiler, node, checked, form))
        return statement.returning(nothing if checked is None else case((checked, nothing)))
    written = written_rows(entity, statement, checked)
    is_new = is_any_new(entity, written, conflict)
    if form is None:
        return select(literal_text(""), is_new).select_from(written)
    row, rows = shown(compiler, node, written, form, written_order(compiler, node, written))
    upserts = select(row, is_new).select_from(rows)
    if not list(node.inner()) or node.is_aggregated:
        return upserts
    scope = Scope(entity, written, node.name)
    there = and_(*(compiler.exists(scope, embedded) for embedded in node.inner()))
    return upserts.union_all(select(null(), is_new).select_from(written).where(~there))


def shown(
    compiler: Compiler, node: Node, written: FromClause, form: Form, order: Sequence[ColumnElement[Any]]
) -> tuple[ColumnElement[Any], FromClause]:
    """Rows that were written, as the node shows them: the text of each, and where it comes from."""
    scope = Scope(node.entity, written, node.name)
    where = [compiler.exists(scope, embedded) for embedded in node.inner()]
    if node.is_aggregated:
        listed = compiler.grouped(scope, node, Arrangement(where), as_text=form == "csv")
    else:
        listed = compiler.plain(scope, node.items, Arrangement(where, order), as_text=form == "csv")
    return text_of(compiler, listed.pairs, listed.rows, form), listed.rows


def written_order(compiler: Compiler, node: Node, written: FromClause) -> list[ColumnElement[Any]]:
    """The order that is asked for of rows that were written; that of groups is a matter of their own."""
    if node.is_aggregated:
        return []
    return compiler.order_by(Scope(node.entity, written, node.name), node, node.modifiers.order)


def is_stored(node: Node, value: ColumnValue) -> bool:
    return value.field.name in node.entity.columns
