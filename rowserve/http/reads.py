"""GET and HEAD: a list, a page of it, one row, or all there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from pydantic_core import from_json

from ..backends import Arguments
from ..errors import ApiError
from ..query import MediaType, Parsed, Query, next_page, unparse
from ..sql.compiler import full_order
from ..sql.plan import Node
from ..sql.read import Read, compile_read, compile_rows
from .context import Context, not_singular
from .request import Request
from .responses import JSON, Answer, Headers, StreamedAnswer, add_applied, content_type


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is made once for each shape of a read: its plan, its statement, and what finishes its answers."""

    node: Node
    read: Read
    finish: Callable[[str], bytes]


class Reads:
    """Answers what only reads."""

    is_streamed = True
    """Whether all rows there are may be sent as they come."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def list_rows(self, request: Request) -> Answer | StreamedAnswer:
        context = self.context
        parsed = context.parse_request(request)
        singular = request.singular()
        count = request.preferences.count is not None
        unbounded = context.limits.max_rows is None and parsed.query.modifiers.limit is None
        if unbounded and singular is None and not count and self.is_streamed:
            return await self.stream(request, parsed)
        shape = self.shape(parsed.query, count=count)
        body, rows, total, boundary = await self.row(request, shape.read, shape.read.bind(parsed.values))
        headers = [content_type(singular)]
        body = self.shown(body, rows, singular)
        offset = offset_of(parsed)
        if total is not None and offset > total:
            raise out_of_range(offset, total)
        span = f"{offset}-{offset + rows - 1}" if rows else "*"
        headers.append((b"content-range", f"{span}/{'*' if total is None else total}".encode()))
        if boundary is not None:
            self.link_next(request, parsed, shape.node, boundary, headers)
        if count:
            # Rows are always counted, whichever way was preferred.
            add_applied(headers, replace(request.preferences, count="exact"), "count")
        status = 206 if total is not None and rows < total else 200
        return answer(status, headers, shape.finish(body), request)

    def shown(self, body: str, rows: int, singular: MediaType | None) -> str:
        """What is shown of an array of rows: the array, or the only row."""
        if singular is None:
            return body
        if rows != 1:
            raise not_singular(rows)
        return body[1:-1]

    async def get(self, request: Request) -> Answer:
        singular = request.singular()
        parsed = self.context.parse_request(request)
        shape = self.shape(parsed.query, count=False)
        body, rows, *_ = await self.row(request, shape.read, shape.read.bind(parsed.values))
        if not rows:
            raise self.context.not_found(request)
        return answer(200, [content_type(singular)], shape.finish(body[1:-1]), request)

    async def stream(self, request: Request, parsed: Parsed) -> Answer | StreamedAnswer:
        """All rows, however many, as they come."""
        context = self.context
        shape = self.shape(parsed.query, count=False, stream=True)
        arguments = shape.read.bind(parsed.values)
        if request.method == "HEAD":
            return Answer(200, [JSON])
        rows = context.backend.stream(shape.read.statement, arguments)
        # The first rows before the first byte: an error up to here still is an answer of its own.
        first = await anext(rows, None)
        return StreamedAnswer(200, [JSON], json_chunks(first, rows, shape.finish))

    async def row(self, request: Request, read: Read, arguments: Arguments) -> tuple[str, int, int | None, str | None]:
        """What the statement of a list yields: body, rows, total, boundary."""
        context = self.context
        row: tuple[str, int, int | None, str | None] = await request.outcome(
            context.backend.read(read.statement, arguments, context.timeout)
        )
        return row

    def shape(self, query: Query, *, count: bool, stream: bool = False) -> Shape:
        """What is made once for each shape of a request."""
        context = self.context

        def make() -> Shape:
            node, limits = context.plan(query), context.limits
            if stream:
                read = compile_rows(node, max_rows=limits.max_rows, ordered=limits.ordered)
            else:
                read = compile_read(
                    node,
                    max_rows=limits.max_rows,
                    count=count,
                    boundary=limits.ordered and not any(term.embed for term in query.modifiers.order),
                    ordered=limits.ordered,
                )
            return Shape(node, read, context.finisher(node))

        return context.shapes.get_or_make(("read", query, count, stream), make)

    def link_next(self, request: Request, parsed: Parsed, node: Node, boundary: str, headers: Headers) -> None:
        """Links to the page after this one, if there is a row to begin it."""
        edge = from_json(boundary)
        if len(edge) < 2:
            return
        entity = self.context.entity
        order = full_order(node, parsed.query.modifiers.order)
        nullable = [bool(entity.columns[term.field.name].column.nullable) for term in order]
        following = next_page(parsed, order, list(edge[0].values()), nullable)
        headers.append((b"link", f'<{request.path}?{unparse(following)}>; rel="next"'.encode("ascii")))


def offset_of(parsed: Parsed) -> int:
    index = parsed.query.modifiers.offset
    return 0 if index is None else int(parsed.values[index])  # type: ignore[arg-type] # the parser made it an int


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


async def json_chunks(
    first: list[str] | None, rows: AsyncGenerator[list[str], None], finish: Callable[[str], bytes]
) -> AsyncGenerator[bytes, None]:
    """A JSON array in chunks, each of some hundreds of rows."""
    if first is None:
        yield b"[]"
        return
    async with aclosing(rows):
        yield b"[" + finish(f"[{','.join(first)}]")[1:-1]
        async for texts in rows:
            yield b"," + finish(f"[{','.join(texts)}]")[1:-1]
        yield b"]"
