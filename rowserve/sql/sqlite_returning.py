"""What SQLite gives back of rows that are written.

RETURNING yields an expression for each row, in no order, and nothing can be selected from it. Rows that are to be
ordered or grouped are therefore returned with what they are ordered or grouped by, gathered in a temporary table, and
selected from there, in the same transaction. All that is shown of a row is settled when it is written: what a DELETE
embeds may be gone afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    TableClause,
    Text,
    and_,
    case,
    column,
    func,
    literal_column,
    select,
    table,
    true,
)
from sqlalchemy.types import String, TypeEngine

from ..backends.base import Gathering
from .compiler import Arrangement, Compiler, directed
from .plan import Node
from .read import positional
from .scope import Returned, Scope


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What is returned of each row, and what is selected from all of them.

    Args:
        returned: the expressions behind RETURNING.
        rows: the table that the rows are put into, its columns those expressions.
        found: what is given back.
    """

    returned: Sequence[ColumnElement[Any]]
    rows: TableClause
    found: Select[Any]

    def compiled(self, compiler: Compiler) -> tuple[Gathering, list[str]]:
        """The SQL of it, and the parameters at the placeholders of what is selected."""
        text, names = positional(self.found.compile(dialect=compiler.dialect))
        columns = [each.name for each in self.rows.columns]
        create = f"CREATE TABLE IF NOT EXISTS {self.rows.schema}.{self.rows.name} ({', '.join(columns)})"
        # Values come as SQLite returned them: what their types make of a value, they have already made.
        insert = self.rows.insert().values(dict.fromkeys(columns, literal_column("?")))
        insertion, clearing = (str(each.compile(dialect=compiler.dialect)) for each in (insert, self.rows.delete()))
        return Gathering(text, create, insertion, clearing), names


def returned_row(compiler: Compiler, node: Node) -> ColumnElement[Any]:
    """A row behind RETURNING, as JSON; NULL for one that is not to be shown."""
    scope = returned_scope(node)
    pairs = [(item.key, compiler.output(scope, item.value)) for item in node.items]
    row = compiler.object_of(pairs, node.entity.table)
    there = [compiler.exists(scope, embedded) for embedded in node.inner()]
    return case((and_(*there), row)) if there else row


def returned_scope(node: Node) -> Scope:
    return Scope(node.entity, Returned(node.entity.table, node.entity.dialect), node.name)


def gathered(compiler: Compiler, node: Node, *, probed: bool) -> Gathered | None:
    """What becomes of rows that cannot be given back as they come; None for those that can.

    Args:
        probed: whether there is a column behind those that are returned which says that the row is new: it is then the
            second one of what is given back.
    """
    if node.is_aggregated:
        return grouped(compiler, node, probed=probed)
    return ordered(compiler, node, probed=probed) if node.modifiers.order else None


def ordered(compiler: Compiler, node: Node, *, probed: bool) -> Gathered:
    """Rows in the order that is asked for; those that tie in it in the order in which they were written."""
    terms = compiler.terms(returned_scope(node), node, node.modifiers.order)
    returned = [returned_row(compiler, node), *(target.expression for _, target in terms)]
    rows = table_of([Text(), *(target.expression.type for _, target in terms)], probed=probed)
    row, *keys = rows.columns
    order = [
        directed(collated(key), term, nullable=target.nullable)
        for key, (term, target) in zip(keys, terms, strict=False)
    ]
    shown = [row, keys[-1]] if probed else [row]
    return Gathered(returned, rows, select(*shown).order_by(*order, literal_column("rowid")))


def grouped(compiler: Compiler, node: Node, *, probed: bool) -> Gathered:
    """Groups of those rows that are to be shown."""
    scope = returned_scope(node)
    targets = [compiler.grouped_target(scope, item) for item in node.items]
    there = and_(true(), *(compiler.exists(scope, embedded) for embedded in node.inner()))
    rows = table_of([*(target.expression.type for target in targets), Boolean()], probed=probed)
    columns = list(rows.columns)
    values = [columns[index].label(f"g{index}") for index in range(len(targets))]
    base = select(*values).where(columns[len(targets)]).subquery(compiler.name("base"))
    groups = compiler.groups(scope, node, base, targets, Arrangement())
    shown = [compiler.object_of(groups.pairs, groups.rows)]
    if probed:
        shown.append(select(func.max(columns[-1])).scalar_subquery())
    return Gathered([*(target.expression for target in targets), there], rows, select(*shown).select_from(groups.rows))


def table_of(types: Sequence[TypeEngine[Any]], *, probed: bool) -> TableClause:
    """A temporary table for rows of so many columns. They have no types in SQLite, so that values are kept as they are;
    there is one table for each number of columns."""
    types = [*types, Boolean()] if probed else types
    columns = [column(f"c{index}", type_) for index, type_ in enumerate(types)]
    return table(f"rowserve_written_{len(columns)}", *columns, schema="temp")


def collated(key: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value to sort by, compared as in the column that it was in."""
    collation = key.type.collation if isinstance(key.type, String) else None
    return key if collation is None else key.collate(collation)
