"""What a function has returned, answered as a list is: selected, filtered, ordered and paged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..backends import Arguments, Backend
from ..query import Parsed, Query
from ..sql.access import ANYTHING, Access
from ..sql.catalog import Catalog
from ..sql.entity import Entity
from ..sql.plan import Node, Source
from ..sql.read import Count, Read
from ..sql.scope import ARGUMENT
from .context import Context, Limits
from .formats import Layout
from .reads import Reads
from .request import Request


class CallRequest(Request):
    """A request for a function, once it is known what it is called with.

    Attributes:
        parsed: what the result is narrowed to.
        argument: what the statement takes that no query string has: the function's arguments, or its result.
    """

    __slots__ = ("argument", "parsed")

    parsed: Parsed
    argument: Any


class ResultContext(Context):
    """What a function returns, as a list of rows like any other.

    Args:
        source: where the rows come from in a statement.
        entity: what they are.
        catalog: what there is to embed.
        backend: the database's backend.
        limits: what bounds requests.
        access: what who asks may see of them.
    """

    def __init__(
        self,
        source: Source,
        entity: Entity,
        catalog: Catalog,
        backend: Backend,
        limits: Limits,
        access: Access = ANYTHING,
    ) -> None:
        super().__init__(entity, catalog, backend, limits, access)
        self.source = source

    def plan(self, query: Query) -> Node:
        return replace(super().plan(query), source=self.source)

    def parse_request(self, request: Request) -> Parsed:
        assert isinstance(request, CallRequest)
        return request.parsed


class Results(Reads):
    """Answers with what a function returns.

    Args:
        context: of the function.
        is_set: whether it returns any number of rows, rather than the one that is the answer.
    """

    def __init__(self, context: ResultContext, *, is_set: bool) -> None:
        super().__init__(context)
        self.is_set = is_set
        self.is_streamed = is_set

    def bind(self, request: Request, read: Read, parsed: Parsed) -> Arguments:
        assert isinstance(request, CallRequest)
        arguments = super().bind(request, read, parsed)
        return tuple([request.argument if value is ARGUMENT else value for value in arguments])

    def counting(self, request: Request) -> Count | None:
        # There is no guess that is worth more than the rows themselves, which are there.
        return None if request.preferences.count is None else "exact"

    async def estimate(self, request: Request, parsed: Parsed, total: int | None) -> int | None:
        return total

    def link(self, *_: object) -> None:
        """Pages of what a function returns are not linked to: each would call it again."""

    def whole(self, layout: Layout, body: str) -> bytes:
        if not self.is_set and not layout.has_head:
            return b"null" if body == "[]" else layout.rows([body[1:-1]])
        return super().whole(layout, body)
