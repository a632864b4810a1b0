"""``/rpc/name``: functions of the database, called by POST, or by GET where they only read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from starlette.types import Receive, Scope

from ..backends import Arguments, Backend, Returned, Write
from ..errors import ApiError
from ..query import MediaType, ParseCache, Parsed
from ..sql.call import Form, FunctionRows, callable_functions, entity_of, find_function, is_whole_body
from ..sql.catalog import Catalog, Function
from ..sql.read import Read
from .arguments import READING, read_given
from .checks import RowCount, row_count
from .context import Limits, Shapes
from .handler import AnyAnswer, answered, timed
from .plans import plan_of
from .reads import Shape, Wanted
from .request import Request
from .responses import Answer, Headers
from .results import CallRequest, ResultContext, Results
from .writer import Writer


class Calls(Results):
    """Answers with what a function returns.

    Args:
        context: of the function.
        function: the function.
        search_path: the schemas for names that stand without one in it, if those of the connection will not do.
    """

    applied = ("count", "tx", "handling", "timezone", "max-affected")

    def __init__(self, context: ResultContext, function: Function, search_path: tuple[str, ...]) -> None:
        super().__init__(context, is_set=function.is_set)
        self.writer = Writer(context)
        self.function = function
        self.search_path = search_path

    async def answer(self, request: Request) -> AnyAnswer:
        request.preferences = await self.writer.preferences(request)
        preferences = request.preferences
        if preferences.max_affected is not None and preferences.handling == "strict" and not self.is_set:
            raise ApiError(
                400,
                "PGRST128",
                "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
            )
        answer = await self.list_rows(request)
        if self.function.returns is None and not self.is_explained(request):
            return Answer(204, [header for header in answer.raw_headers if not header[0].startswith(b"content-")])
        return answer

    def is_explained(self, request: Request) -> bool:
        """Whether the answer is a plan."""
        return not request.is_plain and request.media_type(explain=self.context.limits.explain).kind == "plan"

    def make_shape(self, parsed: Parsed, wanted: Wanted) -> Shape:
        shape = super().make_shape(parsed, wanted)
        statement = replace(shape.read.statement, search_path=self.search_path)
        return replace(shape, read=replace(shape.read, statement=statement))

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

    async def explain(self, request: Request, read: Read, arguments: Arguments, media: MediaType) -> Answer:
        if not self.writes(request):
            return await super().explain(request, read, arguments, media)
        return await plan_of(self.context, request, self.write(request, read, arguments, None, None), media)

    async def written(
        self,
        request: Request,
        read: Read,
        arguments: Arguments,
        zone: str | None,
        check: Callable[[Returned], None] | None,
    ) -> Sequence[Any]:
        """What the statement yields, once what it has done is committed."""
        write = self.write(request, read, arguments, zone, check)
        returned: Returned = await request.outcome(self.context.backend.write(write, self.context.timeout))
        return returned.rows

    def write(
        self,
        request: Request,
        read: Read,
        arguments: Arguments,
        zone: str | None,
        check: Callable[[Returned], None] | None,
    ) -> Write:
        """The call, as what writes."""
        return Write(
            read.statement,
            [arguments],
            self.context.entity.table,
            (),
            check,
            rollback=request.preferences.tx == "rollback",
            timezone=zone,
        )

    def expected(self, request: Request) -> RowCount | None:
        """How many rows it is to return, or what it has done does not last."""
        return row_count(request.preferences, singular=not request.is_plain and request.media_type().singular)


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
            given, request.parsed = await read_given(request, self._parse, self.limits.max_body)
            function = find_function(self._functions, schema, name, given.names, body=given.types)
            form: Form = "body" if given.types and is_whole_body(function) else given.form
            request.argument = given.argument(function, form)
            method = self.calls(function, given.names, form).answer
            return await (timed(method, request) if self.limits.server_timing else method(request))

        return await answered(scope, run)

    def calls(self, function: Function, names: Collection[str], form: Form) -> Calls:
        """What answers calls of a function with these arguments."""

        def make() -> Calls:
            entity = entity_of(function, self.catalog, self.backend.dialect)
            rows = FunctionRows(function, entity, names, form)
            context = ResultContext(rows, entity, self.catalog, self.backend, self.limits)
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
