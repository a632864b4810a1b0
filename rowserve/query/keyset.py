"""The next page, as a request of its own: "what comes after this row" said in the dialect's own filters.

A page that ends with ``{"name": "Ada", "id": 7}`` in the order ``name,id`` is followed by
``or=(name.gt.Ada,and(name.eq.Ada,id.gt.7))``. However far that is, it is found by the index, where an offset would
have to count its way there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .model import Comparison, Condition, Is, Logic, Order, Parsed, Value

JsonScalar = str | int | float | bool | None


def next_page(parsed: Parsed, order: Sequence[Order], last: Sequence[JsonScalar], nullable: Sequence[bool]) -> Parsed:
    """The request for the page after one.

    Args:
        parsed: the request for the page.
        order: its full order, down to the last key that makes every row differ.
        last: the values of the page's last row, for each term of the order.
        nullable: for each term, whether its values may be NULL.

    Returns:
        the same request without its offset, and with a filter for what comes after that row. The filter takes the
        place of one that an earlier page's link has put there, so that links do not grow.
    """
    values = list(parsed.values)
    after = _after(list(zip(order, last, nullable, strict=True)), values)
    modifiers = parsed.query.modifiers
    shape = _shape(after)
    where = tuple(condition for condition in modifiers.where if _shape(condition) != shape)
    kept = replace(modifiers, where=(*where, after), offset=None)
    return Parsed(replace(parsed.query, modifiers=kept), tuple(values))


Term = tuple[Order, JsonScalar, bool]


def _after(terms: list[Term], values: list[Value]) -> Condition:
    (order, last, nullable), *rest = terms
    field = order.field
    nulls_last = (order.nulls or ("first" if order.descending else "last")) == "last"
    ways: list[Condition] = []
    if last is None:
        if not nulls_last:
            ways.append(Is(field, "not_null"))
    else:
        ways.append(Comparison(field, "lt" if order.descending else "gt", _added(last, values)))
        if nullable and nulls_last:
            ways.append(Is(field, "null"))
    if rest:
        tie: Condition = Is(field, "null") if last is None else Comparison(field, "eq", _added(last, values))
        ways.append(Logic("and", (tie, _after(rest, values))))
    return ways[0] if len(ways) == 1 else Logic("or", tuple(ways))


def _added(value: JsonScalar, values: list[Value]) -> int:
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = value if isinstance(value, str) else repr(value)
    values.append(text)
    return len(values) - 1


def _shape(condition: Condition) -> object:
    """A condition without its values: which fields it compares, and how."""
    if isinstance(condition, Logic):
        return condition.operator, condition.negated, tuple(_shape(part) for part in condition.conditions)
    if isinstance(condition, Comparison):
        return condition.field, condition.operator, condition.negated
    return condition
