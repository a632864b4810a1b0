"""GET and HEAD: a list, a page of it, one row, or all there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic_core import from_json

from ..backends import Arguments
from ..errors import ApiError
from ..query import MediaType, Parsed, with_range
from ..sql.explain import explaining, explanation
from ..sql.plan import Node
from ..sql.read import Count, Read, compile_read, compile_rows, compile_total
from .bodies import read_body
from .context import Context, not_singular
from .entity_tags import entity_tag, tagged, variant_of
from .formats import Kind, Layout, kind_of, layout_of
from .links import Paging, link_header, paging_of
from .request import Request
from .responses import JSON, VARY, Answer, Headers, StreamedAnswer, add_applied, content_type
from .timezones import followed_timezone

QUERY_TYPES = frozenset({b"", b"application/x-www-form-urlencoded", b"text/plain"})
"""What a query string in a body may be sent as."""


class Wanted(NamedTuple):
    """What the headers of a request ask for, as far as its statement depends on it. A tuple, for its hash: shapes are
    looked up by it in each request.

    Args:
        kind: what rows look like.
        counted: how they are counted.
        zone: which of the request's values is the time zone that moments are shown in.
        streamed: whether rows are answered as they come.
        linked: whether the pages beside this one are linked to.
        tagged: whether the version of the row is asked for, if it has one.
    """

    kind: Kind = "json"
    counted: Count | None = None
    zone: int | None = None
    streamed: bool = False
    linked: bool = True
    tagged: bool = False


PLAIN = Wanted()
ALL = Wanted(streamed=True)
ITEM = Wanted(linked=False, tagged=True)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is made once for each shape of a read: its plan, its statement, and what finishes its answers."""

    node: Node
    read: Read
    layout: Layout
    paging: Paging | None


class Reads:
    """Answers what only reads."""

    is_streamed = True
    """Whether rows may be answered as they come."""
    applied: tuple[str, ...] = ("count", "handling", "timezone")
    """Preferences that a list follows."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def list_rows(self, request: Request) -> Answer | StreamedAnswer:
        context = self.context
        parsed = context.parse_request(request)
        max_rows = context.limits.max_rows
        if not request.is_plain:
            return await self.list_specially(request, parsed)
        if max_rows is None and parsed.query.modifiers.limit is None and self.is_streamed:
            return await self.stream(request, parsed, ALL, [JSON, VARY])
        shape = self.shape(parsed, PLAIN)
        rows, _, boundary, body = await self.row(request, shape.read, self.bind(request, shape.read, parsed))
        offset = parsed.offset or 0
        headers = [JSON, VARY, content_range(offset, rows, None)]
        if boundary is not None or offset:
            self.link(request, parsed, shape, boundary, headers)
        return answer(200, headers, self.whole(shape.layout, body), request)

    def bind(self, request: Request, read: Read, parsed: Parsed) -> Arguments:
        """The driver's arguments for a statement."""
        return read.bind(parsed.values, request.caller)

    def whole(self, layout: Layout, body: str) -> bytes:
        """The body of an answer, of the database's text."""
        return layout.whole(body)

    async def list_specially(self, request: Request, parsed: Parsed) -> Answer | StreamedAnswer:
        """A list for a client that has asked for more than JSON by its headers."""
        context, preferences = self.context, request.preferences
        media = request.media_type(explain=context.limits.explain)
        parsed = with_range(parsed, request.range)
        zone = await followed_timezone(request.preferences)
        all_of_them = context.limits.max_rows is None and parsed.query.modifiers.limit is None
        streamed = all_of_them and preferences.count is None and media.kind != "plan"
        wanted = Wanted(
            kind=kind_of(media),
            counted=self.counting(request),
            zone=None if zone is None else len(parsed.values),
            streamed=self.is_streamed and (streamed or media.kind == "ndjson"),
            linked=not request.is_queried,
        )
        if media.singular:
            wanted = wanted._replace(streamed=False)
        if zone is not None:
            parsed = Parsed(parsed.query, (*parsed.values, zone))
        headers: Headers = [content_type(media), VARY]
        add_applied(headers, preferences if zone else replace(preferences, timezone=None), *self.applied)
        if wanted.streamed:
            return await self.stream(request, parsed, wanted, headers, zone)
        shape = self.shape(parsed, wanted)
        arguments = self.bind(request, shape.read, parsed)
        if media.kind == "plan":
            return await self.explain(request, shape.read, arguments, media)
        rows, total, boundary, body = await self.row(request, shape.read, arguments, zone)
        if media.singular and rows != 1:
            raise not_singular(rows)
        total = await self.estimate(request, parsed, total)
        offset = parsed.offset or 0
        if total is not None and offset > total:
            raise out_of_range(offset, total)
        headers.append(content_range(offset, rows, total))
        self.link(request, parsed, shape, boundary, headers)
        finished = shape.layout.rows([body[1:-1]]) if media.singular else self.whole(shape.layout, body)
        status = 206 if total is not None and rows < total else 200
        return answer(status, headers, finished, request)

    async def get(self, request: Request) -> Answer:
        parsed = self.context.parse_request(request)
        media: MediaType | None = None
        zone: str | None = None
        wanted = ITEM
        if not request.is_plain:
            media = request.media_type(explain=self.context.limits.explain)
            zone = await followed_timezone(request.preferences)
            wanted = ITEM._replace(kind=kind_of(media), zone=None if zone is None else len(parsed.values))
            if zone is not None:
                parsed = Parsed(parsed.query, (*parsed.values, zone))
        shape = self.shape(parsed, wanted)
        arguments = self.bind(request, shape.read, parsed)
        if media is not None and media.kind == "plan":
            return await self.explain(request, shape.read, arguments, media)
        rows, _, version, body = await self.row(request, shape.read, arguments, zone)
        if not rows:
            raise self.context.not_found(request)
        headers: Headers = [JSON if media is None else content_type(media), VARY]
        if media is not None:
            preferences = request.preferences
            add_applied(headers, preferences if zone else replace(preferences, timezone=None), "handling", "timezone")
        layout = shape.layout
        finished = layout.whole(body) if wanted.kind == "csv" else layout.rows([body[1:-1]])
        made = answer(200, headers, finished, request)
        return made if version is None else tagged(made, request, entity_tag(version, variant_of(wanted.kind, zone)))

    async def query(self, request: Request) -> Answer | StreamedAnswer:
        """A list whose query string is in the body, for what is too long for a URL: else it is what GET answers."""
        sent_as = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if sent_as not in QUERY_TYPES:
            raise ApiError(
                400,
                "PGRST102",
                f"Content-Type not acceptable: {sent_as.decode('latin-1')}",
                hint="Send the query string as application/x-www-form-urlencoded.",
            )
        body = await read_body(request.receive, request.headers, self.context.limits.max_body)
        return await self.list_rows(request.with_query(bytes(body).strip()))

    async def stream(
        self, request: Request, parsed: Parsed, wanted: Wanted, headers: Headers, zone: str | None = None
    ) -> Answer | StreamedAnswer:
        """All rows, however many, as they come."""
        context = self.context
        shape = self.shape(parsed, wanted)
        arguments = self.bind(request, shape.read, parsed)
        if wanted.counted is not None:
            total = await self.estimate(request, parsed, await self.total(request, parsed))
            headers.append(content_range(0, 0, total))
        if request.method == "HEAD":
            return Answer(200, headers)
        rows = context.backend.stream(shape.read.statement, arguments, timezone=zone)
        # The first rows before the first byte: an error up to here still is an answer of its own.
        first = await anext(rows, None)
        return StreamedAnswer(200, headers, chunks(first, rows, shape.layout))

    async def explain(self, request: Request, read: Read, arguments: Arguments, media: MediaType) -> Answer:
        """How the database would answer."""
        context = self.context
        dialect = context.entity.dialect
        statement = explaining(dialect, read.statement, media)
        rows = await request.outcome(context.backend.read(statement, arguments, context.timeout))
        return answer(200, [content_type(media), VARY], explanation(dialect, rows, media), request)

    async def row(
        self, request: Request, read: Read, arguments: Arguments, zone: str | None = None
    ) -> tuple[int, int | None, str | None, str]:
        """What the statement of a list yields: rows, total, boundary, body."""
        context = self.context
        row: tuple[int, int | None, str | None, str] = await request.outcome(
            context.backend.read(read.statement, arguments, context.timeout, timezone=zone)
        )
        return row

    def shape(self, parsed: Parsed, wanted: Wanted) -> Shape:
        """What is made once for each shape of a request."""
        context = self.context
        key = ("read", parsed.query, wanted)
        shape: Shape | None = context.shapes.get(key)
        if shape is None:
            shape = context.shapes.get_or_make(key, lambda: self.make_shape(parsed, wanted))
        return shape

    def make_shape(self, parsed: Parsed, wanted: Wanted) -> Shape:
        context = self.context
        node, limits = context.plan(parsed.query), context.limits
        layout = layout_of(node, wanted.kind)
        if wanted.streamed:
            read = compile_rows(
                node, max_rows=limits.max_rows, ordered=limits.ordered, form=layout.form, zone=wanted.zone
            )
            return Shape(node, read, layout, None)
        paging = paging_of(node, parsed, ordered=limits.ordered) if wanted.linked else None
        read = compile_read(
            node,
            max_rows=limits.max_rows,
            count=wanted.counted,
            boundary=None if paging is None else paging.boundary,
            ordered=limits.ordered,
            form=layout.form,
            zone=wanted.zone,
            tagged=wanted.tagged,
        )
        return Shape(node, read, layout, paging)

    def counting(self, request: Request) -> Count | None:
        """How the statement itself counts: SQLite has no planner that guesses, so it always does so exactly."""
        count = request.preferences.count
        if count is None or (count == "planned" and self.has_planner):
            return None
        bounded = count == "estimated" and self.has_planner and self.context.limits.max_rows is not None
        return "bounded" if bounded else "exact"

    @property
    def has_planner(self) -> bool:
        return self.context.entity.dialect.name == "postgresql"

    async def estimate(self, request: Request, parsed: Parsed, total: int | None) -> int | None:
        """The total as it is asked for, where PostgreSQL's planner has to be asked too."""
        count, max_rows = request.preferences.count, self.context.limits.max_rows
        if not self.has_planner or count is None or count == "exact":
            return total
        if total is not None and max_rows is not None and total <= max_rows:
            return total
        (plan,) = await self.run(request, parsed, planned=True)
        guess = int(from_json(plan)[0]["Plan"]["Plan Rows"])
        return guess if total is None else max(total, guess)

    async def total(self, request: Request, parsed: Parsed) -> int | None:
        """How many rows there are."""
        if self.counting(request) is None:
            return None
        (total,) = await self.run(request, parsed, planned=False)
        return int(total)

    async def run(self, request: Request, parsed: Parsed, *, planned: bool) -> Any:
        context = self.context
        read = context.shapes.get_or_make(
            ("total", parsed.query, planned), lambda: compile_total(context.plan(parsed.query), planned=planned)
        )
        future = context.backend.read(read.statement, self.bind(request, read, parsed), context.timeout)
        return await request.outcome(future)

    def link(self, request: Request, parsed: Parsed, shape: Shape, boundary: str | None, headers: Headers) -> None:
        """Links to the pages beside this one."""
        if shape.paging is not None and (boundary is not None or parsed.offset):
            sent = None if b"range" in request.headers else request.query_string
            value = link_header(request.path, shape.paging, parsed, sent, self.context.limits.max_rows, boundary)
            if value:
                headers.append((b"link", value))


def content_range(offset: int, rows: int, total: int | None) -> tuple[bytes, bytes]:
    """Which rows these are, of how many."""
    span = f"{offset}-{offset + rows - 1}" if rows else "*"
    return b"content-range", f"{span}/{'*' if total is None else total}".encode()


def out_of_range(offset: int, total: int) -> ApiError:
    return ApiError(
        416,
        "PGRST103",
        "Requested range not satisfiable",
        details=f"An offset of {offset} was requested, but there are only {total} rows.",
        headers={"Content-Range": f"*/{total}"},
    )


def answer(status: int, headers: Headers, body: bytes, request: Request) -> Answer:
    made = Answer(status, headers, body)
    if request.method == "HEAD":
        made.body = b""
    return made


async def chunks(
    first: list[str] | None, rows: AsyncGenerator[list[str], None], layout: Layout
) -> AsyncGenerator[bytes, None]:
    """A body in chunks, each of some hundreds of rows."""
    if first is None:
        yield layout.opening + layout.closing
        return
    async with aclosing(rows):
        yield layout.opening + layout.rows(first)
        async for texts in rows:
            yield layout.separator + layout.rows(texts)
        yield layout.closing
