"""The routes of a function of the program: FastAPI gives it its dependencies, the client its arguments."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, GetJsonSchemaHandler
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from . import identifiers
from .backends import Backend, acting
from .context import USER, Context
from .database import Database, default_database
from .documentation import ERRORS, Error, inlined, query_parameter, select_parameter
from .errors import ApiError, internal_error
from .http import AnyAnswer, Limits, Rules
from .http.discretion import discreet
from .http.profiles import profile
from .http.programs import ProgramFunction
from .http.request import ClientGone
from .http.responses import Answer, error_answer
from .http.results import CallRequest
from .query import wants_problem_json
from .schemas import schemas_for
from .served import METHODS, embeddable, exposures, rules, served
from .sessions import driver_error
from .signatures import Signature, is_request
from .sql.entity import mapped_table
from .sql.exposure import EVERYTHING
from .sql.models import model_catalog, model_entity

log = logging.getLogger("rowserve")

PREFIX = "/rpc"
SCHEMAS = ["public"]
"""What clients may call the schema that functions are in."""


def add_function(
    router: APIRouter,
    prefix: str,
    signature: Signature,
    settings: Callable[[], tuple[Database | None, Limits]],
    *,
    user: Any = None,
) -> None:
    """Adds the routes of a function: those that call it, and one that refuses every other method."""
    server = FunctionServer(signature, settings, user)
    path = f"{prefix}/{signature.name}"
    calling = ["POST"] if signature.writes else ["POST", "GET", "HEAD"]
    documented = {operation.pop("method"): operation for operation in operations(signature, settings()[0])}
    for method in calling:
        options = documented.get(method, {"include_in_schema": False})
        depending: dict[str, Any] = {"dependencies": list(router.dependencies), "tags": list(router.tags)}
        router.routes.append(FunctionRoute(path, server.endpoint, methods=[method], **depending, **options))
    others = [method for method in METHODS if method not in calling]
    router.routes.append(FunctionRoute(path, server.refuse, methods=others, include_in_schema=False))


class FunctionServer:
    """Serves a function, on the database that is open now.

    Args:
        signature: the function.
        settings: gives its database, None for the default one, and its limits.
        user: the dependency that finds out who asks, if there is one.
    """

    def __init__(self, signature: Signature, settings: Callable[[], tuple[Database | None, Limits]], user: Any) -> None:
        self.signature = signature
        self.settings = settings
        self._backend: Backend | None = None
        self._function: ProgramFunction | None = None

        # FastAPI gives the request to but one parameter: the function's own, where it has one.
        theirs = next((item.name for item in signature.dependencies if is_request(item.annotation)), None)

        async def endpoint(**dependencies: Any) -> Response:
            request: Request = dependencies[theirs] if theirs else dependencies.pop("request_")
            if user is not None:
                request.scope[USER] = dependencies.pop("user_")
            return await self._call(request, dependencies)

        # FastAPI is to see, and to give, what the function depends on, and nothing that clients give.
        keyword = inspect.Parameter.KEYWORD_ONLY
        own = [] if theirs else [inspect.Parameter("request_", keyword, annotation=Request)]
        known = [] if user is None else [inspect.Parameter("user_", keyword, default=user)]
        seen = inspect.Signature([*own, *known, *signature.dependencies])
        endpoint.__signature__ = seen  # type: ignore[attr-defined]
        endpoint.__name__ = signature.name
        self.endpoint = endpoint

    @property
    def function(self) -> ProgramFunction:
        """What answers calls."""
        database, limits = self.settings()
        backend = (database or default_database()).backend
        if self._function is None or self._backend is not backend:
            model = self.signature.returned.model
            models = [] if model is None else embeddable(model, database)
            catalog = model_catalog(models, backend.dialect, exposures(models, database))
            under = Rules(rules(models, database))
            self._function = ProgramFunction(self.signature, catalog, backend, limits, under)
            self._backend = backend
        return self._function

    async def _call(self, request: Request, dependencies: dict[str, Any]) -> Response:
        try:
            profile(request.scope, SCHEMAS)
            function = self.function
            caller = Context(request.scope)
            with acting(function.backend, request.scope):
                return await function(CallRequest(request.scope, request.receive, None, caller), dependencies)
        except Exception as error:
            # Through the dependencies, so that they roll back; the route makes an answer of it.
            raise FunctionFailed(self._told(request, error)) from error

    def _told(self, request: Request, error: Exception) -> AnyAnswer:
        """The answer to what a function has raised."""
        if isinstance(error, ClientGone):
            return Answer(499, [])
        told: ApiError | None = None
        if isinstance(error, ApiError):
            told = error
        elif isinstance(error, HTTPException):
            told = ApiError(error.status_code, "P0001", str(error.detail), headers=error.headers)
        elif isinstance(error, DBAPIError) and self._backend is not None:
            driven = driver_error(error)
            told = None if driven is None else self._backend.translate(driven)
        if told is None:
            log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
            told = internal_error()
        for resource in served(self.settings()[0]):
            told = discreet(told, mapped_table(resource._model).name, resource.exposure)
        accept = request.headers.get("accept", "")
        return error_answer(told, problem=wants_problem_json(accept))

    async def refuse(self, request: Request) -> Response:
        """The answer to a method that a function is not called by."""
        allow = "OPTIONS,POST" if self.signature.writes else "OPTIONS,GET,HEAD,POST"
        if request.method == "OPTIONS":
            return Answer(200, [(b"allow", allow.encode())])
        hint = f"{self.signature.name} writes: call it by POST." if request.method in ("GET", "HEAD") else None
        message = f"Cannot use the {request.method} method on RPC"
        return error_answer(ApiError(405, "PGRST101", message, hint=hint, headers={"Allow": allow}))


class FunctionFailed(Exception):  # noqa: N818 - it is an answer
    """Carries an answer past the dependencies of a function, which are to know that it has failed."""

    def __init__(self, answer: AnyAnswer) -> None:
        super().__init__()
        self.answer = answer


class FunctionRoute(APIRoute):
    """A route whose failures have been made into answers already."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().handle(scope, receive, send)
        except FunctionFailed as failed:
            await failed.answer(scope, receive, send)


def operations(signature: Signature, database: Database | None) -> Iterator[dict[str, Any]]:
    """What OpenAPI says of a function."""
    model = response_of(signature, database)
    responses: dict[int | str, dict[str, Any]] = {
        **ERRORS,
        404: {"model": Error, "description": "The arguments are not those of the function"},
    }
    shared: dict[str, Any] = {
        "summary": signature.name.replace("_", " ").capitalize(),
        "description": signature.description or "",
        "responses": responses,
        "status_code": 204 if signature.returned.kind == "nothing" else 200,
        **({} if signature.returned.kind == "nothing" else {"response_model": model}),
    }
    schemas = {name: inlined(argument.adapter.json_schema()) for name, argument in signature.arguments.items()}
    required = [name for name, argument in signature.arguments.items() if argument.required]
    body = {"type": "object", "properties": schemas, "required": required}
    rows = [select_parameter(), *page()] if signature.returned.is_set and signature.returned.kind == "rows" else []
    content = {"application/json": {"schema": body}}
    yield {
        "method": "POST",
        "operation_id": f"call_{signature.name}",
        "openapi_extra": {"requestBody": {"content": content, "required": bool(required)}, "parameters": rows},
        **shared,
    }
    if not signature.writes:
        given = [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in schemas.items()
        ]
        yield {
            "method": "GET",
            "operation_id": f"call_{signature.name}_by_get",
            "openapi_extra": {"parameters": [*given, *rows]},
            **shared,
        }


def page() -> list[dict[str, Any]]:
    return [
        query_parameter("order", "Columns to order by, such as `id.desc`; else the rows are in the function's order."),
        query_parameter("limit", "The most rows to answer with.", {"type": "integer", "minimum": 0}),
        query_parameter("offset", "How many rows to leave out first.", {"type": "integer", "minimum": 0}),
    ]


def response_of(signature: Signature, database: Database | None) -> Any:
    """The Pydantic form of what a function returns."""
    returned = signature.returned
    if returned.model is None:
        return returned.annotation
    read = shown(returned.model, database)
    return list[read] if returned.is_set else read | None  # type: ignore[valid-type]


def shown(model: type[Any], database: Database | None) -> type[BaseModel]:
    """The Pydantic form of a mapped class as far as clients may know of it, which is settled when the document is made:
    its resource may come after the function."""
    read = schemas_for(model_entity(model, identifiers.POSTGRESQL.dialect)).read

    def described(cls: type[BaseModel], core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        exposure = exposures([model], database).get(model, EVERYTHING)
        members = handler.resolve_ref_schema(schema)
        for name in exposure.hidden:
            members["properties"].pop(name, None)
        members["required"] = [name for name in members.get("required", []) if name not in exposure.hidden]
        return schema

    members = {"__doc__": read.__doc__, "__get_pydantic_json_schema__": classmethod(described)}
    made: Any = type(read)
    narrowed: type[BaseModel] = made(read.__name__, (read,), members)
    return narrowed
