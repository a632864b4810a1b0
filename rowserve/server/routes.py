"""The resources of an application, at the paths at which it serves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Scope

from ..resource import Resource, ResourceRoute


@dataclass(frozen=True, slots=True)
class Place:
    """Where an application serves a resource.

    Args:
        resource: the resource.
        path: where.
        has_dependencies: whether FastAPI solves something before a request gets there.
    """

    resource: Resource[Any]
    path: str
    has_dependencies: bool

    @property
    def is_guarded(self) -> bool:
        """Whether anything stands between the resource and everybody, as far as can be told: not middleware."""
        return self.has_dependencies or self.resource.user is not None or self.resource.rule is not None


def places(app: ASGIApp) -> list[Place]:
    """Where an application, and what is mounted in it, serves resources; of what is no FastAPI app nobody knows."""
    if not isinstance(app, FastAPI):
        return []
    found: dict[tuple[int, str], Place] = {}
    for path, route in routes_of(app.routes):
        resource = resource_of(route)
        if resource is not None:
            where = path.rstrip("/")
            found.setdefault((id(resource), where), Place(resource, where, bool(route.dependencies)))
    # Those of its single rows, and of queries in bodies, are below a resource.
    return [place for (known, path), place in found.items() if (known, path.rpartition("/")[0]) not in found]


def routes_of(routes: Sequence[BaseRoute], before: str = "") -> Iterator[tuple[str, RouteContext]]:
    for route in iter_route_contexts(routes):
        mounted = route.original_route
        if isinstance(mounted, Mount):
            yield from routes_of(mounted.routes, f"{before}{route.path or ''}")
        elif route.path is not None:
            yield f"{before}{route.path}", route


def resource_of(route: RouteContext) -> Resource[Any] | None:
    """The resource that a route belongs to."""
    if not isinstance(route.original_route, ResourceRoute):
        return None
    resource = getattr(route.endpoint, "resource", None) or getattr(route.endpoint, "__self__", None)
    return resource if isinstance(resource, Resource) else None


def found_at(routes: Sequence[BaseRoute], scope: Scope) -> tuple[RouteContext, Scope] | None:
    """The route that answers a request, and what is in its scope besides; None where none does."""
    partial: tuple[RouteContext, Scope] | None = None
    for route in iter_route_contexts(routes):
        match, child = route.matches(scope)
        if match is Match.NONE:
            continue
        if isinstance(route.original_route, Mount):
            return found_at(route.original_route.routes, {**scope, **child})
        if match is Match.FULL:
            return route, child
        partial = partial or (route, child)
    return partial
