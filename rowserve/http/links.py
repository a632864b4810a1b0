"""The ``Link`` header: where the pages beside one are (RFC 8288).

Pages are found by the values of a row, not by counting, so that they hold still while rows come and go. Where an order
does not tell every row from every other, or cannot be said by filters, they are counted after all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from ..query import (
    Order,
    PageText,
    Parsed,
    came_by_link,
    has_keyset,
    next_offset,
    next_page,
    parse,
    previous_offset,
    previous_page,
    unparse,
)
from ..sql.ordering import full_order
from ..sql.plan import Node
from ..sql.read import Boundary

TEXTS = 64
"""How many texts of filters are kept for each shape of a request."""
NO_QUERY = parse("")
_URL_SAFE = re.compile(r"[!$-;=?-~]*")
"""What may stand between the brackets of a link as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Paging:
    """How the pages beside those of one shape of a request are found.

    Args:
        order: what a list is ordered by.
        nullable: for each term of it, whether its values may be NULL.
        by_key: whether the values of a row say where it is in the order.
        came_by_link: whether the request has the filter that a link has put there.
    """

    order: tuple[Order, ...]
    nullable: tuple[bool, ...]
    by_key: bool
    came_by_link: bool
    _texts: dict[tuple[bool, ...], PageText] = field(default_factory=dict, init=False)

    @property
    def boundary(self) -> Boundary:
        """What has to be known of a page."""
        return "both" if self.came_by_link else "far"

    def links(
        self, parsed: Parsed, sent: str | None, max_rows: int | None, boundary: str | None
    ) -> Iterator[tuple[str, str]]:
        """The relations there are and their query strings.

        Args:
            parsed: the request for this page.
            sent: its query string; None where that does not say all of it.
            max_rows: the most rows of a page.
            boundary: what the statement of the page says of its ends.
        """
        modifiers = parsed.query.modifiers
        size = min(size for size in (parsed.limit, max_rows) if size is not None)
        ends: list[Any] = [] if boundary is None else from_json(boundary)
        near, far = ends if self.came_by_link else ([], ends)
        if not self.by_key:
            if len(far) > 1 and not modifiers.backward:
                yield "next", unparse(next_offset(parsed, size))
            previous = previous_offset(parsed, size)
            if previous is not None:
                yield "prev", unparse(previous)
            return
        forward, backward = (near, far[1:] and far) if modifiers.backward else (far[1:] and far, near)
        if forward:
            yield "next", self.next(parsed, sent, tuple(forward[0].values()))
        if backward:
            row = tuple(backward[0].values())
            yield "prev", unparse(previous_page(parsed, self.order, row, self.nullable, size=size))
        elif parsed.offset:
            previous = previous_offset(parsed, size)
            assert previous is not None
            yield "prev", unparse(previous)

    def next(self, parsed: Parsed, sent: str | None, last: tuple[Any, ...]) -> str:
        """The query string for the page after a row.

        First pages are asked for again and again, with ever other values: what was sent stays as it is, and the filter
        is put behind it, whose text is kept but for the row.
        """
        if self.came_by_link or parsed.offset is not None or sent is None or not _URL_SAFE.fullmatch(sent):
            return unparse(next_page(parsed, self.order, last, self.nullable))
        nulls = tuple(value is None for value in last)
        text = self._texts.get(nulls)
        if text is None:
            if len(self._texts) >= TEXTS:
                self._texts.clear()
            text = PageText(lambda row: next_page(NO_QUERY, self.order, row, self.nullable), nulls)
            self._texts[nulls] = text
        return f"{sent}&{text.of(last)}" if sent else text.of(last)


def paging_of(node: Node, parsed: Parsed, *, ordered: bool) -> Paging | None:
    """How a plan's pages are found; None for what has none: groups, and rows in no order that could be told apart.

    Args:
        node: the plan.
        parsed: a request of its shape.
        ordered: whether a list that is given no order is in that of the primary key.
    """
    entity = node.entity
    asked = parsed.query.modifiers.order
    order = full_order(node, asked) if ordered else asked
    if node.is_aggregated or not order or not entity.primary_key:
        return None
    plain = {term.field.name for term in order if term.embed is None and not term.field.path}
    keys = {item.name for item in entity.primary_key}
    by_key = keys <= plain and has_keyset(order)
    nullable = tuple(may_be_null(node, term) for term in order)
    return Paging(order, nullable, by_key, by_key and came_by_link(parsed, order))


def may_be_null(node: Node, term: Order) -> bool:
    column = None if term.field.path else node.entity.columns.get(term.field.name)
    return column is None or bool(column.column.nullable)


def link_header(
    path: str, paging: Paging, parsed: Parsed, sent: str | None, max_rows: int | None, boundary: str | None
) -> bytes:
    """The value of the header; empty where no page is beside this one."""
    links = paging.links(parsed, sent, max_rows, boundary)
    return ", ".join(f'<{path}?{query}>; rel="{name}"' for name, query in links).encode("ascii")
