"""ORDER BY, with NULLs where PostgreSQL puts them: as if they were the largest values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement

from ..query import Field, Order
from .plan import Node
from .scope import Target


def full_order(node: Node, order: tuple[Order, ...]) -> tuple[Order, ...]:
    """The order asked for, ended by the primary key so that no two rows tie."""
    named = {term.field.name for term in order if not term.embed and not term.field.path}
    keys = node.entity.primary_key
    return order + tuple(Order(Field(key.name)) for key in keys if key.name not in named)


def directed(expression: ColumnElement[Any], term: Order, *, nullable: bool) -> ColumnElement[Any]:
    """An expression of ORDER BY."""
    ordered = expression.desc() if term.descending else expression.asc()
    if not nullable:
        return ordered
    nulls = term.nulls or ("first" if term.descending else "last")
    return ordered.nulls_first() if nulls == "first" else ordered.nulls_last()


def backwards(terms: Iterable[tuple[Order, Target]]) -> list[ColumnElement[Any]]:
    """The reverse of an order."""
    return [directed(target.expression, turned(term), nullable=target.nullable) for term, target in terms]


def turned(term: Order) -> Order:
    nulls = term.nulls or ("first" if term.descending else "last")
    return replace(term, descending=not term.descending, nulls="last" if nulls == "first" else "first")
