"""``/rpc/name``: functions of the database, called by POST, or by GET where they only read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json
from starlette.types import Receive, Scope

from ..backends import Arguments, Backend, Returned, Write
from ..errors import ApiError
from ..query import ParseCache, Parsed, Query, parse_call
from ..sql.call import ARGUMENTS, Form, FunctionRows, callable_functions, entity_of, find_function, is_whole_body
from ..sql.catalog import Catalog, Function
from ..sql.plan import Node
from ..sql.read import Read
from .bodies import read_body
from .context import Context, Limits, Shapes, not_singular
from .formats import Layout
from .handler import AnyAnswer, answered
from .inserts import body_kind, fields
from .reads import Reads
from .request import Request
from .responses import Answer, add_applied

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
    body: bytes = b""
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
            return self.body
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

    is_streamed = False

    def __init__(self, context: Context, function: Function, search_path: tuple[str, ...]) -> None:
        super().__init__(context)
        self.function = function
        self.search_path = search_path
        self.is_one = not function.is_set

    async def answer(self, request: CallRequest) -> AnyAnswer:
        preferences = request.preferences
        most = preferences.max_affected if preferences.handling == "strict" else None
        if most is not None and self.is_one:
            raise ApiError(
                400,
                "PGRST128",
                "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
            )
        answer = await self.list_rows(request)
        add_applied(answer.raw_headers, preferences, "handling", "max-affected")
        if self.function.returns is None:
            return Answer(204, [header for header in answer.raw_headers if not header[0].startswith(b"content-")])
        return answer

    async def row(
        self, request: Request, read: Read, arguments: Arguments, zone: str | None = None
    ) -> tuple[int, int | None, str | None, str]:
        assert isinstance(request, CallRequest)
        arguments = tuple([request.argument if value is ARGUMENTS else value for value in arguments])
        backend, timeout = self.context.backend, self.context.timeout
        statement = read.statement
        check = Check(request)
        if self.function.volatility == "volatile" or self.search_path:
            # A statement of its own, which is not another's: so its outcome is not shared with anybody.
            statement = replace(statement, search_path=self.search_path)
        row: tuple[int, int | None, str | None, str]
        if self.function.volatility != "volatile" or request.method in READING:
            row = await request.outcome(backend.read(statement, arguments, timeout, timezone=zone))
            check(Returned([row], row[0]))
            return row
        rollback = self.context.limits.tx_override and request.preferences.tx == "rollback"
        only = check if check.is_needed else None
        write = Write(statement, [arguments], self.context.entity.table, (), only, rollback=rollback, timezone=zone)
        (row,), _ = await request.outcome(backend.write(write, timeout))
        return row

    def whole(self, layout: Layout, body: str) -> bytes:
        if self.is_one and layout.form != "csv":
            return b"null" if body == "[]" else layout.rows([body[1:-1]])
        return super().whole(layout, body)


class Check:
    """What a function's result is held against, before it is committed."""

    def __init__(self, request: Request) -> None:
        preferences = request.preferences
        self.most = preferences.max_affected if preferences.handling == "strict" else None
        self.is_singular = request.singular() is not None

    @property
    def is_needed(self) -> bool:
        return self.is_singular or self.most is not None

    def __call__(self, returned: Returned) -> None:
        rows = returned.rows[0][0]
        if self.is_singular and rows != 1:
            raise not_singular(rows)
        if self.most is not None and rows > self.most:
            raise ApiError(
                400,
                "PGRST124",
                "Query result exceeds max-affected preference constraint",
                details=f"The query affects {rows} rows",
            )


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
            method = scope["method"]
            if method == "OPTIONS":
                return self.options(schema, name)
            if method not in (*READING, "POST"):
                raise ApiError(
                    405,
                    "PGRST101",
                    f"Cannot use the {method} method on RPC",
                    headers={"Allow": "OPTIONS,GET,HEAD,POST"},
                )
            request = CallRequest(scope, receive, None)
            given = await self.given(request)
            function = find_function(self._functions, schema, name, given.names, body=given.types)
            form: Form = "body" if given.types and is_whole_body(function) else given.form
            request.argument = given.argument(function, form)
            return await self.calls(function, given.names, form).answer(request)

        return await answered(scope, run)

    async def given(self, request: CallRequest) -> Given:
        """What the function is called with; the request gets its query, which narrows the result."""
        if request.method in READING:
            request.parsed, pairs = parse_call(request.query_string)
            return Given(frozenset(name for name, _ in pairs), "texts", pairs=pairs)
        request.parsed = self._parse(request.query_string)
        body = bytes(await read_body(request.receive, request.headers, self.limits.max_body))
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


def given_json(body: bytes, columns: Collection[str] | None) -> Given:
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


def decoded(body: bytes) -> str:
    """The text of a body.

    Raises:
        ApiError: 400 PGRST102 where it is no UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "PGRST102", "The body is no UTF-8", details=str(error)) from None
