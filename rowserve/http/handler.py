"""Which method answers a request, and what its errors become."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from starlette.types import Receive, Scope

from ..backends import Backend
from ..context import Context as Asking
from ..errors import ApiError, internal_error
from ..query import wants_problem_json
from ..sql.access import ANYTHING, Access
from ..sql.catalog import Catalog
from ..sql.entity import Entity
from .context import Context
from .context import Limits as Limits
from .discretion import discreet
from .explained import explainable
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
        self.collection: dict[str, Method] = {
            "GET": reads.list_rows,
            "HEAD": reads.list_rows,
            "POST": inserts.insert if hooks is None else once(inserts, hooks),
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
        if limits.explain:
            explainable(Context(entity, catalog, backend, limits, access), self.collection, self.item)
        self.server_timing = limits.server_timing

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


def once(inserts: Inserts, hooks: Hooks) -> Method:
    """What inserts, in a transaction of its own with its key where it has one."""
    context, version = inserts.context, inserts.context.entity.version
    if isinstance(inserts, TransactedInserts):
        return inserts.insert
    keyed: TransactedInserts = (
        TransactedInserts(hooks, context) if version is None else TransactedVersionedInserts(hooks, context, version)
    )

    def insert(request: Request) -> Coroutine[Any, Any, AnyAnswer]:
        return (keyed if HEADER in request.headers else inserts).insert(request)

    return insert


async def answered(scope: Scope, run: Callable[[], Awaitable[AnyAnswer]]) -> AnyAnswer:
    """The answer, or what becomes of an error on the way to it."""
    try:
        return await run()
    except Exception as error:
        return failed(scope, error)


def failed(scope: Scope, error: Exception) -> Answer:
    """What becomes of an error."""
    if isinstance(error, ApiError):
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
