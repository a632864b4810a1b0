"""What reading and writing share: the model, the database, what was compiled for them, and the limits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any, TypeVar

from ..backends import Backend
from ..errors import ApiError
from ..query import Comparison, Field, ParseCache, Parsed, Query
from ..schemas import Schemas, schemas_for
from ..sql.access import ANYTHING, Access
from ..sql.catalog import Catalog
from ..sql.entity import Entity
from ..sql.plan import Node, Planner
from .request import Request

SHAPES = 1_024
"""Compiled statements, and the like, kept for each resource."""

Compiled = TypeVar("Compiled")


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds requests to a resource, and what they may ask for; see :class:`rowserve.Resource` for each."""

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
    version_required: bool = False


class Shapes(dict[Hashable, Any]):
    """What was made for each shape of a request; the oldest goes when there are too many."""

    def get_or_make(self, shape: Hashable, make: Callable[[], Compiled]) -> Compiled:
        made: Compiled | None = self.get(shape)
        if made is None:
            made = make()
            if len(self) >= SHAPES:
                del self[next(iter(self))]
            self[shape] = made
        return made


class Context:
    """An entity on an open database.

    Args:
        entity: the table, view or model.
        catalog: what else there is to embed.
        backend: the database's backend.
        limits: what bounds requests.
        access: what those who ask may do.
    """

    def __init__(
        self, entity: Entity, catalog: Catalog, backend: Backend, limits: Limits, access: Access = ANYTHING
    ) -> None:
        self.backend = backend
        self.limits = limits
        self.timeout = limits.timeout or backend.settings.timeout
        self.entity = entity
        self.access = access
        self.planner = Planner(catalog, aggregates=limits.aggregates, max_depth=limits.max_embed_depth, access=access)
        self.parse = ParseCache()
        self.shapes = Shapes()

    @cached_property
    def schemas(self) -> Schemas:
        """What the entity's rows look like as JSON."""
        return schemas_for(self.entity)

    def plan(self, query: Query) -> Node:
        """The plan of a query."""
        return self.planner.plan(self.entity, query)

    def keys(self, text: str) -> list[str]:
        """The primary key's values in a path: ``7``, or ``7,de`` where it has two columns."""
        parts = [text] if len(self.entity.primary_key) == 1 else text.split(",")
        if len(parts) != len(self.entity.primary_key):
            names = ",".join(item.name for item in self.entity.primary_key)
            raise ApiError(
                404, "PGRST125", "Invalid path specified in request URL", hint=f"Write /{self.entity.name}/{{{names}}}."
            )
        return parts

    def parse_request(self, request: Request) -> Parsed:
        """The request's query; for a row of its own, with the key in the path as a filter."""
        parsed = self.parse(request.query_string)
        if request.timing is not None:
            request.timing.parsed = perf_counter()
        return parsed if request.key is None else self.for_key(parsed, request.key)

    def for_key(self, parsed: Parsed, key: Sequence[str]) -> Parsed:
        """A query, with a primary key as one more filter."""

        def make() -> Query:
            first = len(parsed.values)
            where = tuple(
                Comparison(Field(item.name), "eq", first + index) for index, item in enumerate(self.entity.primary_key)
            )
            modifiers = parsed.query.modifiers
            return replace(parsed.query, modifiers=replace(modifiers, where=(*modifiers.where, *where)))

        query = self.shapes.get_or_make(("item", parsed.query), make)
        return Parsed(query, (*parsed.values, *key))

    def not_found(self, request: Request) -> ApiError:
        """The answer to the key of a row that is not there."""
        names = ", ".join(item.name for item in self.entity.primary_key)
        return ApiError(
            404, "PGRST116", f"There is no row in {self.entity.name} with {names} = {', '.join(request.key or ())}"
        )


def not_singular(rows: int) -> ApiError:
    """The answer to who wants exactly one row, where there is not exactly one."""
    return ApiError(
        406,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        details=f"The result contains {rows} rows",
    )
