"""``/rpc/name``: functions of the database, called by POST, or by GET where they only read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json
from starlette.types import Receive, Scope

from ..backends import Arguments, Backend, Returned, Write
from ..errors import ApiError
from ..query import ParseCache, Parsed, Query, parse_call
from ..rows import Body
from ..sql.call import ARGUMENTS, Form, FunctionRows, callable_functions, entity_of, find_function, is_whole_body
from ..sql.catalog import Catalog, Function
from ..sql.plan import Node
from ..sql.read import Count, Read
from .bodies import read_body
from .checks import RowCount, row_count
from .context import Context, Limits, Shapes
from .formats import Layout
from .handler import AnyAnswer, answered, timed
from .inserts import body_kind, fields
from .reads import Reads, Shape, Wanted
from .request import Request
from .responses import Answer, Headers
from .writer import Writer

READING = ("GET", "HEAD")
RAW = {"text/plain": "text", "text/xml": "xml", "application/octet-stream": "bytea"}
"""The type of the parameter that takes a body of each media type as it came."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a function is called with.

    Args:
        names: of the arguments.
        form: how they come.
        body: as it came; the arguments of the form ``texts`` are in ``pairs``.
        pairs: names and texts; a variadic parameter's name stands there for each of its values.
        types: what types an unnamed parameter may have to take the body; None where there is no body.
    """

    names: frozenset[str]
    form: Form
    body: Body = b""
    pairs: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] | None = None

    def argument(self, function: Function, form: Form) -> Any:
        """What the statement is given for all arguments of the function."""
        if form == "texts":
            variadic = {parameter.name for parameter in function.parameters if parameter.variadic}
            texts: dict[str, Any] = {}
            for name, text in self.pairs:
                if name in variadic:
                    texts.setdefault(name, []).append(text)
                else:
                    texts[name] = text
            return to_json(texts).decode()
        if form == "body" and function.parameters[0].type == "bytea":
            return bytes(self.body)
        return decoded(self.body)


class CallRequest(Request):
    """A request for a function, once it is known what it is called with."""

    __slots__ = ("argument", "parsed")

    parsed: Parsed
    argument: Any


class CallContext(Context):
    """What a function returns, as a list of rows like any other.

    Args:
        rows: the call.
        catalog: what there is to embed.
        backend: the database's backend.
        limits: what bounds requests.
    """

    def __init__(self, rows: FunctionRows, catalog: Catalog, backend: Backend, limits: Limits) -> None:
        super().__init__(rows.entity, catalog, backend, limits)
        self.rows = rows

    def plan(self, query: Query) -> Node:
        return replace(super().plan(query), source=self.rows)

    def parse_request(self, request: Request) -> Parsed:
        assert isinstance(request, CallRequest)
        return request.parsed


class Calls(Reads):
    """Answers with what a function returns.

    Args:
        context: of the function.
        function: the function.
        search_path: the schemas for names that stand without one in it, if those of the connection will not do.
    """

    applied = ("count", "tx", "handling", "timezone", "max-affected")

    def __init__(self, context: Context, function: Function, search_path: tuple[str, ...]) -> None:
        super().__init__(context)
        self.writer = Writer(context)
        self.function = function
        self.search_path = search_path
        self.is_streamed = function.is_set

    async def answer(self, request: Request) -> AnyAnswer:
        request.preferences = await self.writer.preferences(request)
        preferences = request.preferences
        if preferences.max_affected is not None and preferences.handling == "strict" and not self.function.is_set:
            raise ApiError(
                400,
                "PGRST128",
                "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
            )
        answer = await self.list_rows(request)
        if self.function.returns is None:
            return Answer(204, [header for header in answer.raw_headers if not header[0].startswith(b"content-")])
        return answer

    def make_shape(self, parsed: Parsed, wanted: Wanted) -> Shape:
        shape = super().make_shape(parsed, wanted)
        statement = replace(shape.read.statement, search_path=self.search_path)
        return replace(shape, read=replace(shape.read, statement=statement))

    def bind(self, request: Request, read: Read, parsed: Parsed) -> Arguments:
        assert isinstance(request, CallRequest)
        arguments = super().bind(request, read, parsed)
        return tuple([request.argument if value is ARGUMENTS else value for value in arguments])

    def writes(self, request: Request) -> bool:
        """Whether what the function does is to last."""
        return self.function.volatility == "volatile" and request.method not in READING

    async def row(
        self, request: Request, read: Read, arguments: Arguments, zone: str | None = None
    ) -> tuple[int, int | None, str | None, str]:
        expected = self.expected(request)
        row: tuple[int, int | None, str | None, str]
        if self.writes(request):
            check = None if expected is None else lambda returned: expected.check(returned.rows[0][0])
            (row,) = await self.written(request, read, arguments, zone, check)
            return row
        if self.function.volatility == "volatile":
            # A statement of its own, which is not another's: so its outcome is not shared with anybody.
            read = replace(read, statement=replace(read.statement))
        row = await super().row(request, read, arguments, zone)
        if expected is not None:
            expected.check(row[0])
        return row

    async def stream(
        self, request: Request, parsed: Parsed, wanted: Wanted, headers: Headers, zone: str | None = None
    ) -> AnyAnswer:
        if not self.writes(request):
            return await super().stream(request, parsed, wanted, headers, zone)
        # What it does has to be done, and to last, before the first byte.
        shape, expected = self.shape(parsed, wanted), self.expected(request)
        check = None if expected is None else lambda returned: expected.check(len(returned.rows))
        rows = await self.written(request, shape.read, self.bind(request, shape.read, parsed), zone, check)
        return Answer(200, headers, shape.layout.body([row[0] for row in rows]))

    async def written(
        self,
        request: Request,
        read: Read,
        arguments: Arguments,
        zone: str | None,
        check: Callable[[Returned], None] | None,
    ) -> Sequence[Any]:
        """What the statement yields, once what it has done is committed."""
        context = self.context
        write = Write(
            read.statement,
            [arguments],
            context.entity.table,
            (),
            check,
            rollback=request.preferences.tx == "rollback",
            timezone=zone,
        )
        returned: Returned = await request.outcome(context.backend.write(write, context.timeout))
        return returned.rows

    def expected(self, request: Request) -> RowCount | None:
        """How many rows it is to return, or what it has done does not last."""
        return row_count(request.preferences, singular=not request.is_plain and request.media_type().singular)

    def counting(self, request: Request) -> Count | None:
        # There is no guess that is worth more than the rows themselves, which are there.
        return None if request.preferences.count is None else "exact"

    async def estimate(self, request: Request, parsed: Parsed, total: int | None) -> int | None:
        return total

    def link(self, *_: object) -> None:
        """Pages of what a function returns are not linked to: each would call it again."""

    def whole(self, layout: Layout, body: str) -> bytes:
        if not self.function.is_set and layout.form != "csv":
            return b"null" if body == "[]" else layout.rows([body[1:-1]])
        return super().whole(layout, body)


class CallHandler:
    """Answers the requests for the functions of an open database.

    Args:
        catalog: the functions, and what their rows may embed.
        backend: the database's backend.
        limits: what bounds requests.
        extra_search_path: the schemas, besides its own, for names that stand without one in a function.
    """

    def __init__(
        self, catalog: Catalog, backend: Backend, limits: Limits, *, extra_search_path: Sequence[str] = ()
    ) -> None:
        self.catalog = catalog
        self.backend = backend
        self.limits = limits
        self.extra_search_path = tuple(extra_search_path)
        self._functions = callable_functions(catalog)
        self._parse = ParseCache()
        self._calls = Shapes()

    async def __call__(self, scope: Scope, receive: Receive, schema: str, name: str) -> AnyAnswer:
        """The answer to a request; an error is an answer too.

        Args:
            scope: the ASGI scope.
            receive: the ASGI channel of the body.
            schema: where the function is.
            name: what it is called.
        """

        async def run() -> AnyAnswer:
            verb = scope["method"]
            if verb == "OPTIONS":
                return self.options(schema, name)
            if verb not in (*READING, "POST"):
                raise ApiError(
                    405,
                    "PGRST101",
                    f"Cannot use the {verb} method on RPC",
                    headers={"Allow": "OPTIONS,GET,HEAD,POST"},
                )
            request = CallRequest(scope, receive, None)
            given = await self.given(request)
            function = find_function(self._functions, schema, name, given.names, body=given.types)
            form: Form = "body" if given.types and is_whole_body(function) else given.form
            request.argument = given.argument(function, form)
            method = self.calls(function, given.names, form).answer
            return await (timed(method, request) if self.limits.server_timing else method(request))

        return await answered(scope, run)

    async def given(self, request: CallRequest) -> Given:
        """What the function is called with; the request gets its query, which narrows the result."""
        if request.method in READING:
            request.parsed, pairs = parse_call(request.query_string)
            return Given(frozenset(name for name, _ in pairs), "texts", pairs=pairs)
        request.parsed = self._parse(request.query_string)
        body = await read_body(request.receive, request.headers, self.limits.max_body)
        media_type = request.headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
        raw = RAW.get(media_type.decode("latin-1"))
        if raw is not None:
            return Given(frozenset(), "object", body, types=(raw,))
        kind = body_kind(request.headers, body)
        if kind == "csv":
            raise ApiError(400, "PGRST102", "Content-Type not acceptable: text/csv", hint="Send application/json.")
        if kind == "form":
            pairs = tuple(fields(body.decode("utf-8", "surrogateescape")))
            return Given(frozenset(name for name, _ in pairs), "texts", pairs=pairs, types=())
        return given_json(body or b"{}", request.parsed.query.columns)

    def calls(self, function: Function, names: Collection[str], form: Form) -> Calls:
        """What answers calls of a function with these arguments."""

        def make() -> Calls:
            entity = entity_of(function, self.catalog, self.backend.dialect)
            rows = FunctionRows(function, entity, names, form)
            context = CallContext(rows, self.catalog, self.backend, self.limits)
            own = (function.schema, *self.extra_search_path)
            return Calls(context, function, () if self.backend.settings.search_path[:1] == own[:1] else own)

        return self._calls.get_or_make((id(function), names, form), make)

    def options(self, schema: str, name: str) -> Answer:
        """Which methods a function answers to."""
        functions = self._functions.get((schema, name))
        if functions is None:
            functions = [find_function(self._functions, schema, name, (), body=None)]
        reading = any(function.volatility != "volatile" for function in functions)
        return Answer(200, [(b"allow", b"OPTIONS,GET,HEAD,POST" if reading else b"OPTIONS,POST")])


def given_json(body: Body, columns: Collection[str] | None) -> Given:
    """The arguments of a JSON body: an object, or an array of objects that all have the same keys.

    Raises:
        ApiError: 400 PGRST102 for what is no JSON, and for an array of objects with different keys.
    """
    try:
        value = from_json(body)
    except ValueError:
        raise ApiError(400, "PGRST102", "Empty or invalid json") from None
    names: frozenset[str] = frozenset()
    form: Form = "object"
    if isinstance(value, dict):
        names = frozenset(value)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        form, names = "array", frozenset(value[0])
        if not all(isinstance(item, dict) and item.keys() == names for item in value):
            raise ApiError(400, "PGRST102", "All object keys must match")
    return Given(frozenset(columns) if columns is not None else names, form, body, types=("json", "jsonb"))


def decoded(body: Body) -> str:
    """The text of a body.

    Raises:
        ApiError: 400 PGRST102 where it is no UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "PGRST102", "The body is no UTF-8", details=str(error)) from None
