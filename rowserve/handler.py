"""A request to a resource, from its ASGI scope to its answer: Request -> Query -> Statement -> Response."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from pydantic_core import from_json, to_json
from starlette.types import Receive, Scope

from .backends import Backend, Returned
from .bodies import read_body
from .errors import ApiError
from .query import (
    Comparison,
    Field,
    MediaType,
    ParseCache,
    Parsed,
    Preferences,
    Query,
    SelectItem,
    negotiate,
    next_page,
    parse_preferences,
    unparse,
    wants_problem_json,
)
from .responses import JSON, Answer, Headers, StreamedAnswer, error_answer
from .schemas import schemas_for
from .sql.entity import Entity
from .sql.read import Read, compile_read, compile_rows, full_order, selected
from .sql.write import Change, compile_delete, compile_insert, compile_update

PATIENCE = 0.25
"""Seconds a request may take before it is watched whether its client is still there."""
SHAPES = 1_024
"""Compiled statements kept for each resource and verb."""
RESERVED = frozenset({"select", "columns", "on_conflict", "order", "limit", "offset", "and", "or"})

AnyAnswer: TypeAlias = Answer | StreamedAnswer
Method: TypeAlias = Callable[["Request"], Coroutine[Any, Any, AnyAnswer]]


class ClientGone(Exception):  # noqa: N818 - it is no error of anybody's
    """The client went away before its answer was ready."""


class Request:
    """What a method handler gets of a request.

    Args:
        scope: the ASGI scope.
        receive: the ASGI channel of the body.
        key: the primary key in the path, one text for each of its columns; None for the collection.
    """

    __slots__ = ("headers", "key", "preferences", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, key: Sequence[str] | None) -> None:
        self.scope = scope
        self.receive = receive
        self.key = key
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.preferences = self._preferences() if b"prefer" in self.headers else Preferences()

    def _preferences(self) -> Preferences:
        values = [value for name, value in self.scope["headers"] if name == b"prefer"]
        return parse_preferences(b", ".join(values).decode("latin-1"))

    @property
    def query_string(self) -> str:
        raw: bytes = self.scope["query_string"]
        return raw.decode("utf-8", "surrogateescape")

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path

    def media_type(self) -> MediaType | None:
        """What the client wants; None for plain JSON, which nearly everybody does."""
        accept = self.headers.get(b"accept")
        if accept is None or accept == b"*/*" or accept == b"application/json":
            return None
        media_type = negotiate(accept.decode("latin-1"))
        if media_type.kind != "json" or media_type.nulls_stripped:
            raise ApiError(406, "PGRST107", f"None of these media types are available: {accept.decode('latin-1')}")
        return media_type if media_type.singular else None


class Cache(dict[Any, Any]):
    """What was compiled, by shape; the oldest goes when there are too many."""

    def remember(self, shape: object, compiled: Any) -> Any:
        if len(self) >= SHAPES:
            del self[next(iter(self))]
        self[shape] = compiled
        return compiled


class Handler:
    """Answers the requests for one model on one open database.

    Args:
        model: the mapped class.
        backend: the database's backend.
        max_rows: the most rows a list may have; None to stream all there are.
        timeout: seconds a request may take.
        max_body: the most bytes a body may have.
        default_return: what a write answers that does not say: ``representation`` or ``minimal``.
        allow_unfiltered_writes: whether PATCH and DELETE may do without a filter.
    """

    def __init__(
        self,
        model: type[Any],
        backend: Backend,
        *,
        max_rows: int | None,
        timeout: float,
        max_body: int,
        default_return: str,
        allow_unfiltered_writes: bool,
    ) -> None:
        self.backend = backend
        self.entity = Entity(model, backend.dialect)
        self.schemas = schemas_for(model, backend.dialect)
        self.max_rows = max_rows
        self.timeout = timeout
        self.max_body = max_body
        self.default_return = default_return
        self.allow_unfiltered_writes = allow_unfiltered_writes
        self.parse = ParseCache()
        self.reads = Cache()
        self.writes = Cache()
        self.collection: dict[str, Method] = {
            "GET": self.list_rows,
            "HEAD": self.list_rows,
            "POST": self.insert,
            "PATCH": self.update,
            "DELETE": self.delete,
        }
        self.item: dict[str, Method] = {
            "GET": self.get,
            "HEAD": self.get,
            "PATCH": self.update,
            "PUT": self.replace,
            "DELETE": self.delete,
        }

    async def __call__(self, scope: Scope, receive: Receive, key: str | None) -> AnyAnswer:
        """The answer to a request; errors are answers too."""
        methods = self.collection if key is None else self.item
        method = methods.get(scope["method"])
        try:
            if method is None:
                return no_such_method(scope["method"], methods)
            keys = None if key is None else self.keys(key)
            return await method(Request(scope, receive, keys))
        except ApiError as error:
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            return error_answer(error, problem=wants_problem_json(accept))
        except ClientGone:
            return Answer(499, [])

    def keys(self, text: str) -> list[str]:
        """The primary key's values in a path: ``7``, or ``7,de`` where it has two columns."""
        parts = [text] if len(self.entity.primary_key) == 1 else text.split(",")
        if len(parts) != len(self.entity.primary_key):
            names = ",".join(item.name for item in self.entity.primary_key)
            raise ApiError(
                404, "PGRST125", "Invalid path specified in request URL", hint=f"Write /{self.entity.name}/{{{names}}}."
            )
        return parts

    # Reading

    async def list_rows(self, request: Request) -> AnyAnswer:
        parsed = self.parse(request.query_string)
        media_type = request.media_type()
        count = request.preferences.count is not None
        if self.max_rows is None and parsed.query.modifiers.limit is None and media_type is None:
            return await self.stream(request, parsed)
        read = self.compiled_list(parsed.query, count=count)
        row = await self.outcome(self.backend.read(read.statement, read.bind(parsed.values), self.timeout), request)
        body, rows, total, boundary = row
        if media_type is not None:
            if rows != 1:
                raise not_singular(rows)
            body = body[1:-1]
        offset = self.offset(parsed)
        if total is not None and offset > 0 and offset >= total:
            raise ApiError(
                416,
                "PGRST103",
                "Requested range not satisfiable",
                details=f"An offset of {offset} was requested, but there are only {total} rows.",
                headers={"Content-Range": f"*/{total}"},
            )
        span = f"{offset}-{offset + rows - 1}" if rows else "*"
        headers = [
            JSON if media_type is None else (b"content-type", f"{media_type.name}; charset=utf-8".encode()),
            (b"content-range", f"{span}/{'*' if total is None else total}".encode()),
        ]
        if boundary is not None:
            self.link_next(request, parsed, boundary, headers)
        if count:
            add_applied(headers, request.preferences, "count")
        status = 206 if total is not None and rows < total else 200
        return self.json_answer(status, headers, self.finished(parsed.query.select, body), request)

    async def get(self, request: Request) -> AnyAnswer:
        request.media_type()
        parsed = self.for_key(self.parse(request.query_string), request.key)
        read = self.compiled_list(parsed.query, count=False)
        row = await self.outcome(self.backend.read(read.statement, read.bind(parsed.values), self.timeout), request)
        body, rows = row[0], row[1]
        if not rows:
            raise self.not_found(request)
        return self.json_answer(200, [JSON], self.finished(parsed.query.select, body[1:-1]), request)

    async def stream(self, request: Request, parsed: Parsed) -> AnyAnswer:
        """All rows, however many, as they come."""
        shape = ("stream", parsed.query)
        read: Read = self.reads.get(shape) or self.reads.remember(shape, compile_rows(self.entity, parsed.query))
        rows = self.backend.stream(read.statement, read.bind(parsed.values))
        if request.scope["method"] == "HEAD":
            return Answer(200, [JSON])
        # The first rows before the first byte: an error up to here still is an answer of its own.
        first = await anext(rows, None)
        finish = self.finish(parsed.query.select)
        return StreamedAnswer(200, [JSON], json_chunks(first, rows, finish))

    def compiled_list(self, query: Query, *, count: bool) -> Read:
        shape = (query, count)
        read: Read | None = self.reads.get(shape)
        if read is None:
            read = self.reads.remember(
                shape, compile_read(self.entity, query, max_rows=self.max_rows, count=count, boundary=True)
            )
        return read

    def for_key(self, parsed: Parsed, key: Sequence[str] | None) -> Parsed:
        """The request with the path's primary key as a filter."""
        assert key is not None
        shape = ("item", parsed.query)
        query: Query | None = self.reads.get(shape)
        if query is None:
            modifiers = parsed.query.modifiers
            first = len(parsed.values)
            where = tuple(
                Comparison(Field(item.name), "eq", first + index) for index, item in enumerate(self.entity.primary_key)
            )
            query = self.reads.remember(
                shape, replace(parsed.query, modifiers=replace(modifiers, where=(*modifiers.where, *where)))
            )
        return Parsed(query, (*parsed.values, *key))

    def offset(self, parsed: Parsed) -> int:
        index = parsed.query.modifiers.offset
        return 0 if index is None else int(parsed.values[index])  # type: ignore[arg-type]

    def link_next(self, request: Request, parsed: Parsed, boundary: str, headers: Headers) -> None:
        edge = from_json(boundary)
        if len(edge) < 2:
            return
        order = full_order(self.entity, parsed.query.modifiers.order)
        following = next_page(
            parsed,
            order,
            list(edge[0].values()),
            [bool(self.entity.columns[term.field.name].column.nullable) for term in order],
        )
        target = f"{request.scope.get('root_path', '')}{request.path}?{unparse(following)}"
        headers.append((b"link", f'<{target}>; rel="next"'.encode("latin-1")))

    # Writing

    async def insert(self, request: Request) -> AnyAnswer:
        preferences = request.preferences
        media_type = request.media_type()
        body = await read_body(request.receive, request.headers, self.max_body)
        fields = () if body else self.row_fields(request)
        if fields:
            rows, many = [self.schemas.inserts.from_strings(fields)], False
            parsed = self.parse("")
        else:
            rows, many = self.schemas.inserts.one_or_many(body)
            parsed = self.parse(request.query_string)
        select = None if preferences.return_ == "minimal" else parsed.query.select
        if preferences.return_ == "headers-only":
            select = parsed.query.select
        if rows:
            change = self.compiled_insert(tuple(rows[0]), select)
            write = change.write(rows)
            if media_type is not None:
                write = replace(write, check=check_singular)
            returned = await self.outcome(self.backend.write(write, self.timeout), request)
        else:
            returned = Returned([], 0)
        headers: Headers = []
        add_applied(headers, preferences, "return", "count")
        if preferences.return_ is not None:
            total = str(returned.count) if preferences.count == "exact" else "*"
            headers.append((b"content-range", f"*/{total}".encode()))
        if preferences.return_ in ("minimal", "headers-only"):
            if preferences.return_ == "headers-only" and len(returned.rows) == 1:
                headers.append((b"location", self.location(request, returned.rows[0][0], as_filter=True)))
            return Answer(201, headers)
        headers.append(JSON)
        texts = [row[0] for row in returned.rows]
        if len(texts) == 1 and not many:
            headers.append((b"location", self.location(request, texts[0], as_filter=False)))
        single = media_type is not None or (preferences.return_ is None and not many and len(texts) == 1)
        text = texts[0] if single else f"[{','.join(texts)}]"
        answer = self.finished(parsed.query.select, text)
        return Answer(201, headers, answer)

    async def update(self, request: Request) -> AnyAnswer:
        row = await self.changes(request)
        return await self.change(request, row, compile_update)

    async def replace(self, request: Request) -> AnyAnswer:
        row = await self.changes(request)
        assert request.key is not None
        for item, text in zip(self.entity.primary_key, request.key, strict=True):
            if item.name in row and bound(item.wire.bind, row[item.name]) != item.wire.parse(text):
                raise ApiError(
                    400,
                    "PGRST115",
                    "Payload values do not match URL in primary key column(s)",
                    details=f"The path says {item.name} is {text}.",
                )
        return await self.change(request, row, compile_replacement)

    async def changes(self, request: Request) -> dict[str, Any]:
        """The body of a PATCH or PUT: an object, or an array of just one."""
        body = await read_body(request.receive, request.headers, self.max_body)
        rows, _ = self.schemas.updates.one_or_many(body)
        if len(rows) != 1:
            raise ApiError(
                400, "PGRST102", "Empty or invalid json", details=f"The body holds {len(rows)} objects, not one."
            )
        return rows[0]

    async def delete(self, request: Request) -> AnyAnswer:
        return await self.change(request, None, None)

    async def change(
        self, request: Request, row: dict[str, Any] | None, compile_: Callable[..., Change] | None
    ) -> AnyAnswer:
        """PATCH, PUT and DELETE, of one row by its key or of all that the filters select."""
        preferences = request.preferences
        media_type = request.media_type()
        parsed = self.parse(request.query_string)
        if request.key is not None:
            parsed = self.for_key(parsed, request.key)
        elif not parsed.query.modifiers.where and not self.allow_unfiltered_writes:
            raise ApiError(
                400,
                "21000",
                f"{'DELETE' if row is None else 'UPDATE'} requires a WHERE clause",
                hint="Name the rows with a filter, such as ?id=eq.1.",
            )
        representation = preferences.return_ == "representation"
        if preferences.return_ is None and request.key is not None and row is not None:
            representation = True
        if media_type is not None and preferences.return_ is None:
            representation = True
        select = parsed.query.select if representation else None
        if row is not None and not row:
            return await self.unchanged(request, parsed, representation, media_type)
        names = None if row is None else tuple(row)
        shape = (compile_, names, parsed.query, select)
        change: Change | None = self.writes.get(shape)
        if change is None:
            if compile_ is None:
                compiled = compile_delete(self.entity, parsed.query, select)
            else:
                compiled = compile_(self.entity, names, parsed.query, select)
            change = self.writes.remember(shape, compiled)
        write = change.write([row or {}], parsed.values)
        if media_type is not None:
            write = replace(write, check=check_singular)
        returned = await self.outcome(self.backend.write(write, self.timeout), request)
        return self.changed(request, parsed, returned, representation, single=media_type is not None)

    async def unchanged(
        self, request: Request, parsed: Parsed, representation: bool, media_type: MediaType | None
    ) -> AnyAnswer:
        """PATCH with ``{}``: there is nothing to set, so nothing is written."""
        if request.key is not None:
            return await self.get(request)
        if media_type is not None:
            raise not_singular(0)
        return self.changed(request, parsed, Returned([], 0), representation, single=False)

    def changed(
        self, request: Request, parsed: Parsed, returned: Returned, representation: bool, *, single: bool
    ) -> Answer:
        preferences = request.preferences
        if request.key is not None and not returned.count:
            raise self.not_found(request)
        headers: Headers = []
        add_applied(headers, preferences, "return", "count")
        if request.key is None:
            first = f"0-{returned.count - 1}" if returned.count and request.scope["method"] == "PATCH" else "*"
            total = str(returned.count) if preferences.count == "exact" else "*"
            headers.append((b"content-range", f"{first}/{total}".encode()))
        if not representation:
            return Answer(204, headers)
        headers.append(JSON)
        texts = [row[0] for row in returned.rows]
        single = single or (request.key is not None and preferences.return_ is None)
        text = texts[0] if single else f"[{','.join(texts)}]"
        return Answer(200, headers, self.finished(parsed.query.select, text))

    def compiled_insert(self, names: tuple[str, ...], select: tuple[SelectItem, ...] | None) -> Change:
        shape = ("insert", names, select)
        change: Change | None = self.writes.get(shape)
        if change is None:
            change = self.writes.remember(shape, compile_insert(self.entity, names, select))
        return change

    def row_fields(self, request: Request) -> list[tuple[str, str]]:
        """The columns that ``POST /users/?name=Ada`` gives in its query string."""
        pairs = parse_qsl(request.query_string, keep_blank_values=True)
        return [(name, value) for name, value in pairs if name not in RESERVED]

    def location(self, request: Request, text: str, *, as_filter: bool) -> bytes:
        """Where the new row is: ``/users/7``, or ``/users?id=eq.7`` as PostgREST has it."""
        row = from_json(text)
        names = [item.name for item in self.entity.primary_key]
        path = request.scope.get("root_path", "") + request.path.rstrip("/")
        if not all(name in row for name in names):
            return path.encode("latin-1")
        keys = [str(row[name]) for name in names]
        if as_filter:
            query = "&".join(f"{name}=eq.{key}" for name, key in zip(names, keys, strict=True))
            return f"{path}?{query}".encode()
        return f"{path}/{','.join(keys)}".encode()

    # Both

    async def outcome(self, future: Future[Any], request: Request) -> Any:
        """The future's result. Where that takes long, it is watched whether the client is still there."""
        watch = Watch(future, request.receive)
        timer = future.get_loop().call_later(PATIENCE, watch.start)
        try:
            return await future
        except asyncio.CancelledError:
            if watch.gone:
                raise ClientGone from None
            raise
        finally:
            timer.cancel()
            watch.stop()

    def finish(self, select: tuple[SelectItem, ...]) -> Callable[[str], bytes]:
        """What makes a body of the database's text: usually just bytes.

        Columns whose ``TypeDecorator`` has a say in Python are passed through it.
        """
        shape = ("finish", select)
        finish: Callable[[str], bytes] | None = self.reads.get(shape)
        if finish is None:
            chosen = selected(self.entity, select)
            results = {key: item.wire.result for key, item in chosen.items() if item.wire.result is not None}
            finish = self.reads.remember(shape, decorated(results) if results else str.encode)
        return finish

    def finished(self, select: tuple[SelectItem, ...], text: str) -> bytes:
        return self.finish(select)(text)

    def json_answer(self, status: int, headers: Headers, body: bytes, request: Request) -> Answer:
        answer = Answer(status, headers, body)
        if request.scope["method"] == "HEAD":
            answer.body = b""
        return answer

    def not_found(self, request: Request) -> ApiError:
        assert request.key is not None
        names = ", ".join(item.name for item in self.entity.primary_key)
        return ApiError(
            404, "PGRST116", f"There is no row in {self.entity.name} with {names} = {', '.join(request.key)}"
        )


class Watch:
    """Cancels a future when the client goes away."""

    __slots__ = ("future", "gone", "receive", "task")

    def __init__(self, future: Future[Any], receive: Receive) -> None:
        self.future = future
        self.receive = receive
        self.gone = False
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self.future.cancel()

    def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()


def bound(bind: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if bind is None else bind(value)


def compile_replacement(
    entity: Entity, names: Sequence[str], query: Query, returned: tuple[SelectItem, ...] | None
) -> Change:
    return compile_update(entity, names, query, returned, replace=True)


def decorated(results: dict[str, Callable[[Any], Any]]) -> Callable[[str], bytes]:
    """A finisher that passes some keys of each row through Python."""

    def finish(text: str) -> bytes:
        decoded = from_json(text)
        for row in decoded if isinstance(decoded, list) else [decoded]:
            for key, result in results.items():
                row[key] = result(row[key])
        return to_json(decoded)

    return finish


async def json_chunks(
    first: list[str] | None, rows: AsyncIterator[list[str]], finish: Callable[[str], bytes]
) -> AsyncIterator[bytes]:
    """A JSON array in chunks, each of some hundreds of rows."""
    if first is None:
        yield b"[]"
        return
    yield b"[" + finish(f"[{','.join(first)}]")[1:-1]
    async for texts in rows:
        yield b"," + finish(f"[{','.join(texts)}]")[1:-1]
    yield b"]"


def add_applied(headers: Headers, preferences: Preferences, *names: str) -> None:
    applied = preferences.applied(*names)
    if applied:
        headers.append((b"preference-applied", applied.encode()))


def check_singular(returned: Returned) -> None:
    if returned.count != 1:
        raise not_singular(returned.count)


def not_singular(rows: int) -> ApiError:
    return ApiError(
        406,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        details=f"The result contains {rows} rows",
    )


def no_such_method(method: str, methods: dict[str, Method]) -> Answer:
    allow = ("allow", ", ".join(["OPTIONS", *methods]))
    if method == "OPTIONS":
        return Answer(200, [(b"allow", allow[1].encode())])
    return error_answer(ApiError(405, "PGRST117", f"Unsupported HTTP method: {method}", headers={"Allow": allow[1]}))
