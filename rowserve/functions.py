"""Functions of the program as a router: ``app.include_router(Functions())`` serves them at ``/rpc/name``."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from .database import Database
from .errors import ApiError
from .function_routes import PREFIX, add_function
from .http import Limits
from .http.responses import Answer, error_answer
from .served import METHODS
from .signatures import signature_of
from .sql.call import find_function

Registered = TypeVar("Registered", bound=Callable[..., Any])


class Functions(APIRouter):
    """Functions of the program, called as those of a database are.

    A function is typed and async. What clients give it are its parameters, by name; sessions and other dependencies
    come from FastAPI as in an endpoint. By POST it takes JSON or a form, and by GET, unless it has a session that
    writes, the query string. What its session has done is committed before the answer; an exception rolls it back.
    A list of a mapped class, of a Pydantic model, a dataclass or a ``TypedDict`` is answered as any list: selected,
    filtered, ordered, paged, and of a mapped class with what is embedded.

    ::

        rpc = Functions()

        @rpc.function
        async def popular(session: ReadSession, least: int = 100) -> list[Post]: ...

        app.include_router(rpc)

    Args:
        database: which finds, filters and orders; default: the one that was opened first.
        prefix: where the functions are served.
        tags: how OpenAPI groups them.
        **options: what a :class:`rowserve.Resource` bounds its requests by (``max_rows``, ``timeout``, …), and whatever
            ``APIRouter`` takes.
    """

    def __init__(
        self,
        database: Database | None = None,
        *,
        prefix: str = PREFIX,
        tags: list[str | enum.Enum] | None = None,
        **options: Any,
    ) -> None:
        limits = {limit.name: options.pop(limit.name) for limit in fields(Limits) if limit.name in options}
        super().__init__(prefix=prefix, tags=tags or ["rpc"], **options)
        self.limits = Limits(**limits)
        self._database = database
        self.names: list[str] = []
        self.routes.append(
            UnknownFunction(f"{prefix}/{{name}}", self._unknown, methods=list(METHODS), include_in_schema=False)
        )

    def function(self, function: Registered) -> Registered:
        """Serves a function at its name. Returns it as it is, to be called from the program too.

        Raises:
            TypeError: it is not async, or is not annotated; the message says what to write.
        """
        signature = signature_of(function)
        add_function(self, self.prefix, signature, lambda: (self._database, self.limits))
        self.names.append(signature.name)
        return function

    async def _unknown(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            if request.method == "OPTIONS":
                return Answer(200, [(b"allow", b"OPTIONS,GET,HEAD,POST")])
            find_function({("public", known): [] for known in self.names}, "public", name, (), body=None)
        except ApiError as error:
            return error_answer(error)
        raise AssertionError(name)


class UnknownFunction(APIRoute):
    """Matches what nothing else does, of this router or another."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (Match.PARTIAL if match is Match.FULL else match), child
