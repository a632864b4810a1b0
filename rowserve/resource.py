"""A model as a router: ``app.include_router(Resource(User))`` serves it at ``/users``."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import fields
from functools import cached_property
from inspect import Parameter, Signature
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, get_args

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute, _effective_route_context_var
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, Table, true
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from . import identifiers
from .authentication import Authenticator
from .backends import Backend, Roles
from .context import USER, Context
from .database import Database, default_database
from .documentation import QUERY_PATH, Documentation
from .errors import ApiError
from .exposure import check_names, exposure_of
from .function_routes import PREFIX, add_function
from .hooks import Hooked, hooks_of
from .http import QUERY_KEY, AnyAnswer, Guarded, Handler, Limits, Rules, TransactedInserts
from .http.handler import failed
from .http.profiles import profile
from .http.responses import error_answer
from .permissions import Rule, Where
from .served import METHODS, embeddable, exposures, resources, rules
from .signatures import signature_of
from .sql.entity import mapped_table
from .sql.exposure import EVERYTHING, Exposure
from .sql.models import model_catalog, neighbours
from .sql.versions import version_of

Model = TypeVar("Model")
Registered = TypeVar("Registered", bound=Callable[..., Any])
Endpoint: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]


EXPOSED = tuple(field.name for field in fields(Exposure))
"""The attributes of a resource that say what it shows and takes."""


class ResourceRoute(APIRoute):
    """A route that hands its requests straight to the resource, past what it has no use for.

    FastAPI reads the body, solves dependencies and validates what comes back, for 60 to 90 microseconds a request;
    a route of a resource is validated by its model, and answers with bytes. Where it was given dependencies, here or
    by the application that includes it, FastAPI solves them first as always.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        context = _effective_route_context_var.get()
        dependencies = self.dependencies if context is None else context.dependencies
        if not dependencies and not self.dependant.dependencies:
            endpoint: Endpoint = self.endpoint
            return endpoint
        solving = super().get_route_handler()
        directly: Endpoint | None = getattr(self.endpoint, "directly", None)
        if directly is None or dependencies:
            return solving
        provider = (self if context is None else context).dependency_overrides_provider

        async def handler(request: Request) -> Response:
            # Tests have FastAPI put something in the place of a dependency.
            overridden = getattr(provider, "dependency_overrides", None)
            return await (solving if overridden else directly)(request)

        return handler


class Resource(Hooked, APIRouter, Generic[Model]):
    """The routes of a model: select, insert, update and delete, in PostgREST's dialect.

    Use it as it is, ``Resource(User)``, or as a base class: ``class Users(Resource[User])`` with the attributes below,
    then ``app.include_router(Users())``.

    Args:
        model: the mapped class; from the base class where that names it.
        database: the database; default: the one that was opened first.
        prefix: where it is served; default: a slash and the name of the table.
        tags: how OpenAPI groups it; default: the name of the table.
        **options: any of the attributes below, and whatever ``APIRouter`` takes.

    Attributes:
        prefix: see above.
        max_rows: the most rows a list has, embedded ones too; a client pages through more. None streams all there
            are, and so does ``application/x-ndjson``, whose rows nobody has to hold: there it bounds what is embedded.
        max_embed_depth: how deep resources may be embedded in each other.
        timeout: seconds a request may take; None for the database's own.
        max_body: the most bytes a request's body may have.
        default_return: what a write answers that does not say: ``representation``, the row that was stored, or
            ``minimal``, as PostgREST does.
        allow_unfiltered_writes: whether ``PATCH`` and ``DELETE`` without a filter change the whole table.
        tx_override: whether ``Prefer: tx=rollback`` has a write undone when it is answered.
        aggregates: whether ``select`` may count, sum and so on.
        ordered: whether lists that are given no order are in that of the primary key, embedded ones too; else they
            come as the database has them, as in PostgREST.
        explain: whether the database's plan is answered where ``Accept`` asks for it, of writes too, which are then not
            done: it tells of the tables.
        server_timing: whether answers say where the time went, in ``Server-Timing``.
        version: the column of whole numbers that says which version of itself a row is: 1 when it is inserted, one more
            with each update. Rows have an ``ETag`` then, and ``If-Match`` is followed. A model's ``version_id_col`` is
            one by itself; ``"xmin"`` is PostgreSQL's own, for a table that has none.
        version_required: whether rows are changed by their version alone: PATCH, PUT and DELETE want ``If-Match``, and
            whatever changes rows that nobody need have seen is refused, 428.
        user: ``Depends(...)`` of what finds out who asks; it is ``ctx.user`` for the rules.
        permissions: who may read and write which rows; see :mod:`rowserve.permissions`. Rules hold however a row is
            reached, embedded in others too; for a model with several resources, what is embedded is under the rules of
            the first of them.
        nested: names of relationships whose rows may be inserted along, inside of a row: as if they were sent to the
            resource of their model.
        retry: whether a write is done again, hooks and all, when it got into the way of another transaction.
        hidden: names of columns, stored or computed, that to a client do not exist: in no answer, filter, order, embed
            or input, nor in OpenAPI. Rules, hooks and defaults have them as before. As with permissions, what the first
            resource of a model hides is hidden where its rows are embedded too; ``embed`` likewise.
        readonly: names of columns that are read, and refused as input.
        embed: names of relationships, as ``select=`` has them, that may be embedded; ``"*"`` for all.
        create: the Pydantic model that rows to insert are validated by, with its defaults and validators.
        update: the one that changes to a row are validated by; what was not given is left alone.
        read: the one that rows are answered as where nothing is selected. Columns that it has no field for are hidden.
    """

    prefix: str = ""
    max_rows: int | None = 1_000
    max_embed_depth: int = 8
    timeout: float | None = None
    max_body: int = 10_000_000
    default_return: str = "representation"
    allow_unfiltered_writes: bool = False
    tx_override: bool = False
    aggregates: bool = True
    ordered: bool = True
    explain: bool = False
    server_timing: bool = False
    version: str | None = None
    version_required: bool = False
    user: Any = None
    permissions: Rule | None = None
    nested: Collection[str] = frozenset()
    retry: bool = True
    hidden: Collection[str] = frozenset()
    readonly: Collection[str] = frozenset()
    embed: Collection[str] = "*"
    create: type[BaseModel] | None = None
    update: type[BaseModel] | None = None
    read: type[BaseModel] | None = None

    model: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(base)
            if arguments and isinstance(arguments[0], type):
                cls.model = arguments[0]

    def __init__(
        self,
        model: type[Model] | None = None,
        *,
        database: Database | None = None,
        prefix: str | None = None,
        tags: list[str | enum.Enum] | None = None,
        **options: Any,
    ) -> None:
        for limit in fields(Limits):
            if limit.name in options:
                setattr(self, limit.name, options.pop(limit.name))
        for name in EXPOSED:
            if name in options:
                setattr(self, name, options.pop(name))
        self.user = options.pop("user", self.user)
        self.nested = options.pop("nested", self.nested)
        self.retry = options.pop("retry", self.retry)
        self.version = options.pop("version", self.version)
        self.permissions = options.pop("permissions", self.permissions)
        if not isinstance(self.permissions, Rule | None):
            raise TypeError(f"permissions is {self.permissions!r}: it is a rule, such as IsAuthenticated()")
        self._model = model or type(self).model
        if self._model is None:
            raise TypeError("Which model? Write Resource(User), or class Users(Resource[User])")
        if self.default_return not in ("representation", "minimal"):
            raise ValueError(f"default_return is {self.default_return!r}: it is 'representation' or 'minimal'")
        self._database = database
        self._backend: Backend | None = None
        self._handler: Handler | Guarded | None = None
        self._roles: Roles | None = None
        prefix = prefix or type(self).prefix
        # The wire is the same whichever the database, so PostgreSQL's names will do.
        dialect = identifiers.POSTGRESQL.dialect
        catalog, table = neighbours(self._model, dialect), mapped_table(self._model)
        said = {name: getattr(self, name) for name in EXPOSED}
        self.exposure = exposure_of(catalog.by_table[table], catalog, **said)
        if self.exposure is not EVERYTHING:
            catalog = neighbours(self._model, dialect, self.exposure)
        entity = catalog.by_table[table]
        check_names(entity, catalog, nested=self.nested)
        entity.version = version_of(entity, self.version)
        if self.version_required and entity.version is None:
            raise ValueError(f"version_required is set, but rows of {entity.name} have no version: say version=")
        documentation = Documentation(
            entity,
            max_rows=self.max_rows,
            description=self._description(),
            name=prefix.strip("/").replace("/", "_"),
            ways=catalog.ways(entity),
            tx=self.tx_override,
            version_required=self.version_required,
            idempotent=True,
        )
        super().__init__(
            prefix=prefix or f"/{documentation.name}",
            tags=tags or [documentation.entity.name],
            route_class=ResourceRoute,
            **options,
        )
        self._beginnings: tuple[int, list[str]] = (0, [])
        self._add_routes(documentation)
        resources[id(self)] = self

    @classmethod
    def _description(cls) -> str | None:
        """What a subclass says of itself; ``Resource``'s own words are for whom reads the code."""
        return None if cls is Resource or cls.__doc__ == Resource.__doc__ else cls.__doc__

    def _add_routes(self, documentation: Documentation) -> None:
        collection, item = self._identified(self._collection), self._identified(self._item)
        endpoints = {"/": collection, QUERY_PATH: self._identified(self._query), documentation.item_path: item}
        # FastAPI tries one route after the other, twice for each request. So a few come first that take all methods,
        # undocumented ones too; the routes behind are for OpenAPI.
        for path, endpoint in {"": collection, **endpoints}.items():
            methods = ["POST"] if path == QUERY_PATH else list(METHODS)
            self.add_api_route(path, endpoint, methods=methods, include_in_schema=False)
        for operation in documentation.operations():
            self.add_api_route(
                operation.path, endpoints[operation.path], methods=[operation.method], **operation.route()
            )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # An application may have many resources: a look at the path, instead of all routes of each.
        known, beginnings = self._beginnings
        if known != len(self.routes):
            beginnings = beginnings_of(self.routes)
            self._beginnings = len(self.routes), beginnings
        path = scope["path"]
        for beginning in beginnings:
            if beginning in path:
                return super().matches(scope)
        return Match.NONE, {}

    def _identified(self, endpoint: Endpoint) -> Endpoint:
        """An endpoint that FastAPI tells who asks."""
        if self.user is None:
            return endpoint

        async def identified(request: Request, user: Any = None) -> Response:
            request.scope[USER] = user
            return await endpoint(request)

        identified.resource = self  # type: ignore[attr-defined]
        parameters = [
            Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=Request),
            Parameter("user", Parameter.POSITIONAL_OR_KEYWORD, default=self.user),
        ]
        identified.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        authenticator = self.user.dependency
        if isinstance(authenticator, Authenticator):

            async def directly(request: Request) -> Response:
                try:
                    user = await authenticator.identify(dict(request.scope["headers"]))
                except ApiError as error:
                    return failed(request.scope, error)
                return await identified(request, user)

            # FastAPI knows of the dependency, for OpenAPI, and need not solve it.
            identified.directly = directly  # type: ignore[attr-defined]
        return identified

    def query(self, ctx: Context) -> Select[Any] | None:
        """The rows that there are for who asks: ``select(Post).where(Post.tenant_id == ctx.user.tenant_id)``.

        All others can neither be seen nor written, whatever the permissions say. Like the function of a
        :class:`rowserve.permissions.Where` it is called once, with a stand-in for the context.
        """
        return None

    @cached_property
    def rule(self) -> Rule | None:
        """What is granted on which rows; None where all is."""
        if type(self).query is Resource.query:
            return self.permissions
        table = mapped_table(self._model)

        def query(context: Any) -> ColumnElement[bool]:
            return condition_of(self.query(context), table)

        query.__qualname__ = f"{type(self).__qualname__}.query"
        within = Where(query)
        return within if self.permissions is None else within & self.permissions

    async def _collection(self, request: Request) -> Response:
        return await self._answer(request.scope, request.receive, None)

    async def _query(self, request: Request) -> Response:
        return await self._answer(request.scope, request.receive, QUERY_KEY)

    async def _item(self, request: Request) -> Response:
        *_, key = request.path_params.values()  # behind those of the prefixes
        return await self._answer(request.scope, request.receive, key)

    async def serve(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None:
        """Answers a request that is known to be for this resource, as an ASGI application.

        Args:
            scope: the ASGI scope; likewise ``receive`` and ``send``.
            key: the primary key in the path; None for the collection.
        """
        answer = await self._answer(scope, receive, key)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, key: str | None) -> AnyAnswer:
        try:
            handler = self.handler
            profile(scope, [handler.entity.schema])
            if self._roles is not None:
                with self._roles.acting(scope):
                    return await handler(scope, receive, key)
        except ApiError as error:
            return error_answer(error)
        return await handler(scope, receive, key)

    def function(self, function: Registered) -> Registered:
        """Serves a typed async function at ``/rpc/`` and its name, within the limits of this resource and with its
        dependencies. Returns it as it is; see :class:`rowserve.Functions`.

        Raises:
            TypeError: it is not async, or is not annotated; the message says what to write.
        """
        add_function(self, PREFIX, signature_of(function), lambda: (self._database, self.limits), user=self.user)
        return function

    @property
    def limits(self) -> Limits:
        """What bounds requests."""
        return Limits(**{limit.name: getattr(self, limit.name) for limit in fields(Limits)})

    @property
    def handler(self) -> Handler | Guarded:
        """What answers requests, for the database that is open now.

        Raises:
            ApiError: 500 0A000 for a version that the database does not have.
        """
        backend = (self._database or default_database()).backend
        if self._handler is None or self._backend is not backend:
            self._backend = backend
            self._handler = self.handler_on(backend, self._database or default_database())
            self._roles = backend.settings.roles
        return self._handler

    def handler_on(self, backend: Backend, database: Database | None) -> Handler | Guarded:
        """What answers requests with a backend, and with hooks where a database is there for them. Raises as
        ``handler`` does."""
        models = embeddable(self._model, self._database)
        known = {**exposures(models, self._database), self._model: self.exposure}
        catalog = model_catalog(models, backend.dialect, known)
        table = mapped_table(self._model)
        under = rules(models, self._database)
        under.pop(table, None)
        if self.rule is not None:
            under[table] = self.rule
        entity, limits = catalog.by_table[table], self.limits
        entity.version = version_of(entity, self.version)
        hooks = None if database is None else hooks_of(self, entity, catalog, database)
        if under:
            return Guarded(entity, catalog, backend, limits, Rules(under), hooks=hooks)
        return Handler(entity, catalog, backend, limits, hooks=hooks)

    def inserts(self, caller: Context) -> TransactedInserts:
        """What inserts rows of this resource for who asks, in a transaction that is there."""
        handler = self.handler
        if isinstance(handler, Guarded):
            handler = handler.handler(handler.rules.access(caller))
        return handler.transacted


def beginnings_of(routes: Iterable[BaseRoute]) -> list[str]:
    """What the paths of routes begin with, before any parameter; of two that begin alike the shorter."""
    found: list[str] = []
    for beginning in sorted(getattr(route, "path", "").partition("{")[0] for route in routes):
        if not found or not beginning.startswith(found[-1]):
            found.append(beginning)
    return found


def condition_of(query: Select[Any] | None, table: Table) -> ColumnElement[bool]:
    """The condition of a query that narrows a table.

    Raises:
        TypeError: it does more than that.
    """
    if query is None:
        return true()
    if query.get_final_froms() != [table]:
        raise TypeError(f"query() narrows {table.name} by where(): put other tables into a subquery of the condition")
    return true() if query.whereclause is None else query.whereclause
