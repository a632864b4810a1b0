"""Which method answers a request, and what its errors become."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import Any, TypeAlias

from starlette.types import Receive, Scope

from ..backends import Backend, is_nobody
from ..context import Context as Asking
from ..errors import ApiError, internal_error, of_nobody
from ..query import wants_problem_json
from ..sql.access import ANYTHING, Access
from ..sql.catalog import Catalog
from ..sql.entity import Entity
from .context import Context
from .context import Limits as Limits
from .discretion import discreet
from .explained import ExplainedOrRun, explained_writers
from .hooks import Hooks
from .idempotency import HEADER
from .inserts import Inserts
from .reads import Reads
from .request import ClientGone, Request
from .responses import Answer, StreamedAnswer, error_answer
from .timing import Timing
from .transactions import (
    TransactedInserts,
    TransactedVersionedInserts,
    TransactedVersionedWrites,
    TransactedWrites,
)
from .versioned import VersionedInserts, VersionedWrites
from .writes import Writes

log = logging.getLogger("rowserve")

AnyAnswer: TypeAlias = Answer | StreamedAnswer
Method: TypeAlias = Callable[[Request], Coroutine[Any, Any, AnyAnswer]]

QUERY_KEY = "_query"
"""In the place of a key: ``POST /users/_query`` asks for a list by a query string in its body. A row whose key is that
is reached with a filter."""

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that went away: nobody reads it but a log."""


class Handler:
    """Answers the requests for one entity of an open database.

    Args:
        entity: the table, view or model.
        catalog: what else there is to embed.
        backend: the database's backend.
        limits: what bounds requests.
        access: what those who ask may do.
        hooks: what is done around writes.
    """

    def __init__(
        self,
        entity: Entity,
        catalog: Catalog,
        backend: Backend,
        limits: Limits,
        access: Access = ANYTHING,
        *,
        hooks: Hooks | None = None,
    ) -> None:
        self.entity = entity
        self.context = Context(entity, catalog, backend, limits, access)
        reads = Reads(self.context)
        inserts, writes = writers(self.context, reads, hooks)
        self.inserts = inserts
        self.hooks = hooks
        self.collection: dict[str, Method] = {
            "GET": reads.list_rows,
            "HEAD": reads.list_rows,
            "POST": inserts.insert if hooks is None or hooks.any else self.insert,
            "PATCH": writes.update,
            "PUT": writes.put,
            "DELETE": writes.delete,
            "QUERY": reads.query,
        }
        self.item: dict[str, Method] = {
            "GET": reads.get,
            "HEAD": reads.get,
            "PATCH": writes.update,
            "PUT": writes.replace,
            "DELETE": writes.delete,
        }
        self.server_timing = limits.server_timing
        if limits.explain:
            # With a context of their own: the statements of what has hooks give back more.
            self._explain_writes(Context(entity, catalog, backend, limits, access))

    def _explain_writes(self, context: Context) -> None:
        """Has writes answered with their plans where that is asked for."""
        inserts, writes = explained_writers(context, Reads(context), self.entity.version)
        explained: dict[str, Method] = {"POST": inserts.insert, "PATCH": writes.update, "DELETE": writes.delete}
        for methods, put in ((self.collection, writes.put), (self.item, writes.replace)):
            for verb, explain in (*explained.items(), ("PUT", put)):
                if verb in methods:
                    methods[verb] = ExplainedOrRun(context, methods[verb], explain)

    @cached_property
    def transacted(self) -> TransactedInserts:
        """What inserts in a transaction that it shares: with hooks, with others inside of rows, or with what a request
        is known by that is to be done once."""
        if isinstance(self.inserts, TransactedInserts):
            return self.inserts
        assert self.hooks is not None
        version = self.entity.version
        if version is None:
            return TransactedInserts(self.hooks, self.context)
        return TransactedVersionedInserts(self.hooks, self.context, version)

    def insert(self, request: Request) -> Coroutine[Any, Any, AnyAnswer]:
        """POST, without hooks: in a transaction of its own where it is to be done once."""
        return (self.transacted if HEADER in request.headers else self.inserts).insert(request)

    async def __call__(
        self, scope: Scope, receive: Receive, key: str | None, caller: Asking | None = None
    ) -> AnyAnswer:
        """The answer to a request; an error is an answer too.

        Args:
            scope: the ASGI scope.
            receive: the ASGI channel of the body.
            key: the primary key in the path; None for the collection.
            caller: who asks, where that decides over what is answered.
        """
        methods = self.collection if key is None else self.item
        method = methods.get(scope["method"])
        if method is None:
            if key != QUERY_KEY or scope["method"] != "POST":
                return no_such_method(scope["method"], methods)
            method, key = self.collection["QUERY"], None
        # Not by ``answered``: that costs a function and a coroutine in each request.
        try:
            request = Request(scope, receive, None if key is None else self.context.keys(key), caller)
            if self.server_timing:
                return await timed(method, request)
            return await method(request)
        except Exception as error:
            return failed(scope, discreet(error, self.entity.name, self.entity.exposure))


def writers(context: Context, reads: Reads, hooks: Hooks | None) -> tuple[Inserts, Writes]:
    """What inserts, and what changes rows that are there: no more of it than the resource has use for."""
    version = context.entity.version
    if hooks is None or not hooks.any:
        if version is None:
            return Inserts(context), Writes(context, reads)
        return VersionedInserts(context, version), VersionedWrites(context, reads, version)
    if version is None:
        return TransactedInserts(hooks, context), TransactedWrites(hooks, context, reads)
    inserts = TransactedVersionedInserts(hooks, context, version)
    return inserts, TransactedVersionedWrites(hooks, context, reads, version)


async def answered(scope: Scope, run: Callable[[], Awaitable[AnyAnswer]]) -> AnyAnswer:
    """The answer, or what becomes of an error on the way to it."""
    try:
        return await run()
    except Exception as error:
        return failed(scope, error)


def failed(scope: Scope, error: Exception) -> Answer:
    """What becomes of an error."""
    if isinstance(error, ApiError):
        if error.code == "42501" and error.status == 403 and is_nobody():
            error = of_nobody(error)
        accept = dict(scope["headers"]).get(b"accept", b"")
        return error_answer(error, problem=wants_problem_json(accept.decode("latin-1")))
    if isinstance(error, ClientGone):
        return Answer(CLIENT_CLOSED_REQUEST, [])
    # Whatever it is, its client gets an answer of the usual shape, and the log gets the cause.
    log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    return error_answer(internal_error())


async def timed(method: Method, request: Request) -> AnyAnswer:
    """The answer, with a header that says where the time went."""
    request.timing = Timing()
    answer = await method(request)
    answer.raw_headers.append(request.timing.header())
    return answer


def no_such_method(method: str, methods: dict[str, Method]) -> Answer:
    allow = ", ".join(["OPTIONS", *methods])
    if method == "OPTIONS":
        return Answer(200, [(b"allow", allow.encode())])
    return error_answer(ApiError(405, "PGRST117", f"Unsupported HTTP method: {method}", headers={"Allow": allow}))
