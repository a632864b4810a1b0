"""An existing database as an API: each table and view at its name, by schema, and functions under ``/rpc``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from .. import identifiers
from ..authentication import Authenticator
from ..backends import Backend, acting
from ..documentation import Documentation, Group, document, profile_parameter
from ..errors import ApiError
from ..http import AnyAnswer, CallHandler, Handler, Limits
from ..http.profiles import profile, unknown_table
from ..http.responses import Answer, error_answer
from ..query import negotiate_root
from ..reflection import Reflected
from ..sql.call import callable_functions
from ..sql.catalog import Catalog
from ..sql.entity import Entity
from .function_docs import function_operations

OPENAPI = (b"content-type", b"application/openapi+json; charset=utf-8")
RPC = "rpc/"


class Gateway:
    """Serves what was read of a database.

    Args:
        reflected: the database's tables and functions.
        backend: what runs statements on it.
        limits: what bounds requests.
        prefix: the path before all resources.
        extra_search_path: schemas, besides a function's own, for names that stand without one in it.
        authenticator: what requests have been looked at by; the document says so.
    """

    def __init__(
        self,
        reflected: Reflected,
        backend: Backend,
        limits: Limits,
        prefix: str,
        extra_search_path: Sequence[str] = (),
        authenticator: Authenticator | None = None,
    ) -> None:
        self.reflected = reflected
        self.schemas = reflected.schemas
        self.prefix = prefix
        self.backend = backend
        self.limits = limits
        self.authenticator = authenticator
        entities = list(entities_of(reflected, backend.dialect))
        self.catalog = Catalog(entities, reflected.foreign_keys, reflected.functions)
        names = dict.fromkeys(entity.name for entity in entities)
        self.resources = {f"{prefix}/{name}": TableResource(self, name) for name in names}
        self._documents: dict[str, asyncio.Task[bytes]] = {}
        self.calls = CallHandler(self.catalog, backend, limits, extra_search_path=extra_search_path)

    def profile(self, scope: Scope) -> str:
        """The schema that a request is about; raises ApiError, 406 PGRST106, for one that is not served."""
        return profile(scope, self.schemas)

    def entity(self, schema: str, name: str) -> Entity:
        """The table or view of that name.

        Raises:
            ApiError: 404 PGRST205 where there is none.
        """
        entity = self.catalog.entities.get((schema, name))
        if entity is None:
            raise unknown_table(schema, name, (known for where, known in self.catalog.entities if where == schema))
        return entity

    async def answer(self, scope: Scope, receive: Receive) -> AnyAnswer:
        """The answer to a path under the prefix at which there is no table."""
        try:
            _, _, rest = scope["path"].removeprefix(self.prefix).partition("/")
            if not rest and scope["method"] in ("GET", "HEAD"):
                accept = dict(scope["headers"]).get(b"accept", b"")
                negotiate_root(accept.decode("latin-1"))
                return Answer(200, [OPENAPI], await self.document(self.profile(scope)))
            name = rest.removeprefix(RPC).removesuffix("/")
            if rest.startswith(RPC) and name and "/" not in name:
                return await self.call(scope, receive, name)
            if rest and "/" not in rest.removesuffix("/"):
                self.entity(self.profile(scope), rest.removesuffix("/"))
            raise ApiError(404, "PGRST125", "Invalid path specified in request URL")
        except ApiError as error:
            return error_answer(error)

    async def call(self, scope: Scope, receive: Receive, name: str) -> AnyAnswer:
        """The answer to a call of a function."""
        schema = self.profile(scope)
        with acting(self.backend, scope):
            answer = await self.calls(scope, receive, schema, name)
        if len(self.schemas) > 1:
            answer.raw_headers.append((b"content-profile", schema.encode("latin-1")))
        return answer

    async def document(self, schema: str) -> bytes:
        """The OpenAPI document of a schema. It is made when it is first asked for, on a thread: there may be many
        tables."""
        made = self._documents.get(schema)
        if made is None or (made.done() and made.exception() is not None):
            made = self._documents[schema] = asyncio.create_task(asyncio.to_thread(self._document, schema))
        return await asyncio.shield(made)

    def _document(self, schema: str) -> bytes:
        return to_json(document(self.groups(schema), self.authenticator))

    def groups(self, schema: str) -> Iterator[Group]:
        """The documented operations of a schema: of each table, and of its functions."""
        dialect = identifiers.POSTGRESQL.dialect
        profiled = partial(profile_parameter, schema, self.schemas) if len(self.schemas) > 1 else None
        for entity in self.catalog.entities.values():
            if entity.schema == schema:
                documented = Entity(entity.table, dialect, schema=schema, computed=entity.computed.values())
                documentation = Documentation(
                    documented,
                    max_rows=self.limits.max_rows,
                    ways=self.catalog.ways(entity),
                    tx=self.limits.tx_override,
                    profile=profiled,
                )
                operations = list(documentation.operations())
                yield Group(f"{self.prefix}/{quote(entity.name)}", entity.name, operations, entity.table.comment)
        functions = [some for (where, _), some in callable_functions(self.catalog).items() if where == schema]
        if functions:
            calls = [call for some in functions for call in function_operations(some, profiled)]
            yield Group(f"{self.prefix}/rpc", "rpc", calls, "Functions of the database.")


class TableResource:
    """What is at one name: a table or view for each schema that has one.

    Args:
        gateway: what it belongs to.
        name: its name.
    """

    def __init__(self, gateway: Gateway, name: str) -> None:
        self.gateway = gateway
        self.name = name
        self._handlers: dict[str, Handler] = {}

    async def serve(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None:
        """Answers a request for it; see ``Resource.serve``."""
        gateway = self.gateway
        try:
            schema = gateway.profile(scope)
            handler = self._handlers.get(schema)
            if handler is None:
                entity = gateway.entity(schema, self.name)
                handler = self._handlers[schema] = Handler(entity, gateway.catalog, gateway.backend, gateway.limits)
        except ApiError as error:
            await error_answer(error)(scope, receive, send)
            return
        try:
            with acting(gateway.backend, scope):
                answer = await handler(scope, receive, key)
        except ApiError as error:
            answer = error_answer(error)
        if len(gateway.schemas) > 1:
            answer.raw_headers.append((b"content-profile", schema.encode("latin-1")))
        await answer(scope, receive, send)


def entities_of(reflected: Reflected, dialect: Any) -> Iterator[Entity]:
    for table in reflected.metadata.tables.values():
        schema = table.schema or reflected.schemas[0]
        if schema in reflected.schemas:
            yield Entity(table, dialect, schema=schema)
