"""The pages beside one, as requests of their own: "what comes after this row" said in the dialect's own filters.

A page that ends with ``{"name": "Ada", "id": 7}`` in the order ``name,id`` is followed by
``and=(and(name.gte.Ada,or(name.gt.Ada,id.gt.7)))``. However far that is, the index on the name finds it by the first
comparison, where an offset would have to count its way there. The page before it is asked for likewise, with
``limit=20.last``: the last of what comes before its first row.

The two ``and``, the outer one around nothing else, mark a filter as a link's own: another link takes its place, so
that links do not grow and one may turn back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from .model import Comparison, Condition, Field, Is, Logic, Order, Parsed, Value

JsonScalar = str | int | float | bool | None

_OWN_OPERATORS = frozenset({"gt", "gte", "lt", "lte"})


def has_keyset(order: Sequence[Order]) -> bool:
    """Whether the place of a row in this order can be said by filters.

    Not by a column of an embedded resource, which no filter of the resource itself reaches; and not by a JSON path
    that ends in ``->``, whose values are JSON while filters compare with texts. Such lists are paged by
    ``next_offset`` and ``previous_offset``.
    """
    return all(term.embed is None and (not term.field.path or term.field.path[-1].arrow == "->>") for term in order)


def next_page(parsed: Parsed, order: Sequence[Order], last: Sequence[JsonScalar], nullable: Sequence[bool]) -> Parsed:
    """The request for the page after one.

    Args:
        parsed: the request for the page.
        order: its full order, down to the last key that makes every row differ; one that ``has_keyset``.
        last: the values of the page's last row, for each term of the order.
        nullable: for each term, whether its values may be NULL; those at the end of a JSON path always may.

    Returns:
        the same request without its offset, and with a filter for what comes after that row. The filter takes the
        place of one that another page's link has put there.
    """
    return _beside(parsed, order, list(zip(order, last, nullable, strict=True)), last=None)


def previous_page(
    parsed: Parsed,
    order: Sequence[Order],
    first: Sequence[JsonScalar],
    nullable: Sequence[bool],
    *,
    size: int | None = None,
) -> Parsed:
    """The request for the page before one, as ``next_page`` is for the page after it.

    Args:
        parsed: the request for the page.
        order: its full order.
        first: the values of the page's first row, for each term of the order.
        nullable: for each term, whether its values may be NULL.
        size: how many rows a page has; where it is not given the request has a limit, and that is the size.

    Returns:
        the request for the last rows (``limit=20.last``) of all that come before that row.
    """
    terms = list(zip(map(_reversed, order), first, nullable, strict=True))
    size = parsed.limit if size is None else size
    if size is None:
        raise ValueError("a request without a limit has no page size: pass size=")
    return _beside(parsed, order, terms, last=size)


def came_by_link(parsed: Parsed, order: Sequence[Order]) -> bool:
    """Whether a request has the filter of a link: there is a page before it, or after it if it is ``backward``."""
    fields = [term.field for term in order]
    return any(_is_links(condition, fields) for condition in parsed.query.modifiers.where)


def next_offset(parsed: Parsed, page: int) -> Parsed:
    """The request for the page after one, by counting: ``offset`` is ``page`` rows further on."""
    return parsed.paged(limit=parsed.limit, offset=(parsed.offset or 0) + page)


def previous_offset(parsed: Parsed, page: int) -> Parsed | None:
    """The request for the page before one, by counting; None for the first page.

    Where less than ``page`` rows come before, the page begins with the first row all the same, and repeats some.
    """
    offset = parsed.offset
    return parsed.paged(limit=parsed.limit, offset=max(0, offset - page)) if offset else None


Term = tuple[Order, JsonScalar, bool]


def _beside(parsed: Parsed, order: Sequence[Order], terms: list[Term], *, last: int | None) -> Parsed:
    """The request for what comes after a row, or for the ``last`` rows of it; the terms are in the way's direction."""
    limit = parsed.limit if last is None else last
    parsed = parsed.paged(limit=limit, offset=None, backward=last is not None)
    values = list(parsed.values)
    modifiers = parsed.query.modifiers
    fields = [term.field for term in order]
    where = [condition for condition in modifiers.where if not _is_links(condition, fields)]
    after = _after(terms, values) or _nothing(terms[0][0].field)
    if not (isinstance(after, Logic) and after.operator == "and"):
        after = Logic("and", (after,))
    where.append(Logic("and", (after,)))
    query = replace(parsed.query, modifiers=replace(modifiers, where=tuple(where)))
    return Parsed(query, tuple(values))


def _after(terms: list[Term], values: list[Value]) -> Condition | None:
    """What comes after a row; None where nothing can."""
    (order, value, nullable), *rest = terms
    field = order.field
    behind = _after(rest, values) if rest else None
    if value is None:
        tie = None if behind is None else Logic("and", (Is(field, "null"), behind))
        if _nulls_last(order):
            return tie
        return Is(field, "not_null") if tie is None else Logic("or", (Is(field, "not_null"), tie))
    more, least = ("lt", "lte") if order.descending else ("gt", "gte")
    after: Condition = Comparison(field, more, _added(value, values))
    if behind is not None:
        after = Logic("and", (Comparison(field, least, _added(value, values)), Logic("or", (after, behind))))
    return Logic("or", (after, Is(field, "null"))) if nullable and _nulls_last(order) else after


def _nothing(field: Field) -> Condition:
    return Logic("and", (Is(field, "null"), Is(field, "not_null")))


def _nulls_last(order: Order) -> bool:
    return (order.nulls or ("first" if order.descending else "last")) == "last"


def _reversed(order: Order) -> Order:
    return replace(order, descending=not order.descending, nulls="first" if _nulls_last(order) else "last")


def _added(value: JsonScalar, values: list[Value]) -> int:
    values.append(text_of(value))
    return len(values) - 1


def text_of(value: JsonScalar) -> str:
    """A value as filters write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _is_links(condition: Condition, fields: Collection[Field]) -> bool:
    """Whether a link has put the filter there: it is marked, and compares only what the order compares, as links do."""
    if not (isinstance(condition, Logic) and len(condition.conditions) == 1 and condition.operator == "and"):
        return False
    inner = condition.conditions[0]
    if condition.negated or not (isinstance(inner, Logic) and inner.operator == "and"):
        return False
    return all(
        leaf.field in fields and not leaf.negated and (isinstance(leaf, Is) or leaf.operator in _OWN_OPERATORS)
        for leaf in _leaves(inner)
    )


def _leaves(condition: Condition) -> Iterator[Comparison | Is]:
    if isinstance(condition, Logic):
        for inner in condition.conditions:
            yield from _leaves(inner)
    else:
        yield condition
