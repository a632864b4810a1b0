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
    Select,
    Update,
    and_,
    case,
    func,
    literal_column,
    null,
    select,
    true,
)

from .access import Action
from .compiler import Arrangement, Compiler
from .entity import Entity
from .output import Form, literal_text
from .plan import ColumnValue, Node
from .read import all_columns, text_of
from .scope import Returned, Scope
from .sqlite_returning import returned_row, returned_scope
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
    form: Form | None,
    tag: ColumnElement[str] | None = None,
) -> Any:
    """The statement, giving a row of one text for each row it wrote; NULL for one that is not to be shown.

    Args:
        form: what the text is; None for an empty one.
        tag: what the next column says of the row, if it is but one.
    """
    entity = node.entity
    if entity.dialect.name == "sqlite":
        columns = [returned_row(compiler, node, checked, form)] if form else [nothing(checked)]
        if tag is not None:
            columns.append(tag)
        if node.whole:
            scope = returned_scope(node)
            pairs = [(item.key, compiler.output(scope, item.value)) for item in all_columns(entity)]
            columns.append(text_of(compiler, pairs, entity.table, "json"))
        return statement.returning(*columns)
    more = [] if guard is None else [guard]
    stored = all(isinstance(item.value, ColumnValue) and is_stored(node, item.value) for item in node.items)
    if stored and form and checked is None and tag is None and not (node.is_rearranged or node.whole):
        scope = Scope(entity, entity.table, node.name)
        outputs: list[Any] = [compiler.output(scope, item.value).label(item.key) for item in node.items]
        written = statement.returning(*outputs or [literal_column("1")]).cte("written")
        row = text_of(compiler, [(item.key, written.c[item.key]) for item in node.items], written, form)
        return select(row, *more).select_from(written)
    label = "version of the row"
    written = written_rows(entity, statement, checked, *([] if tag is None else [tag.label(label)]))
    if tag is not None:
        more.append(select(func.max(written.c[label])).scalar_subquery())
    if node.whole or form is None:
        return shown_whole(compiler, node, written, form, more)
    row, rows = shown(compiler, node, written, form, written_order(compiler, node, written))
    return select(row, *more).select_from(rows)


def nothing(checked: ColumnElement[bool] | None) -> ColumnElement[Any]:
    """An empty text, for a row that need not be shown but has to be looked at."""
    return literal_text("") if checked is None else case((checked, literal_text("")))


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
        return statement.returning(returned_row(compiler, node, checked, form) if form else nothing(checked))
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


def shown_whole(
    compiler: Compiler, node: Node, written: FromClause, form: Form | None, more: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """The same for rows that come back whole besides, after whatever more there is."""
    scope = Scope(node.entity, written, node.name)
    source = written
    texts: list[ColumnElement[Any]] = []
    for items, made in ((node.items if form else (), form), (all_columns(node.entity), "json")):
        output = compiler.text if made == "csv" else compiler.output
        columns: list[Any] = [output(scope, item.value).label(item.key) for item in items]
        rows = select(*columns or [literal_column("1")]).correlate(written).lateral(compiler.name("rows"))
        source = source.join(rows, true())
        texts.append(text_of(compiler, [(item.key, rows.c[item.key]) for item in items], rows, made or "json"))
    return select(texts[0] if form else literal_text(""), *more, texts[1]).select_from(source)


def written_order(compiler: Compiler, node: Node, written: FromClause) -> list[ColumnElement[Any]]:
    """The order that is asked for of rows that were written; that of groups is a matter of their own."""
    if node.is_aggregated:
        return []
    return compiler.order_by(Scope(node.entity, written, node.name), node, node.modifiers.order)


def is_stored(node: Node, value: ColumnValue) -> bool:
    return value.field.name in node.entity.columns
