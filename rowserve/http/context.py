"""What reading and writing share: the model, the database, what was compiled for them, and the limits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic_core import from_json, to_json

from ..backends import Backend
from ..errors import ApiError
from ..query import Comparison, Field, ParseCache, Parsed, Query, SelectItem
from ..schemas import schemas_for
from ..sql.entity import Entity
from ..sql.read import selected
from .request import Request

SHAPES = 1_024
"""Compiled statements, and the like, kept for each resource."""

Compiled = TypeVar("Compiled")


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds requests to a resource; see :class:`rowserve.Resource` for each."""

    max_rows: int | None
    timeout: float
    max_body: int
    default_return: str
    allow_unfiltered_writes: bool


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
    """A model on an open database.

    Args:
        model: the mapped class.
        backend: the database's backend.
        limits: what bounds requests.
    """

    def __init__(self, model: type[Any], backend: Backend, limits: Limits) -> None:
        self.backend = backend
        self.limits = limits
        self.entity = Entity(model, backend.dialect)
        self.schemas = schemas_for(model, backend.dialect)
        self.parse = ParseCache()
        self.shapes = Shapes()

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
        return parsed if request.key is None else self._for_key(parsed, request.key)

    def _for_key(self, parsed: Parsed, key: Sequence[str]) -> Parsed:
        def make() -> Query:
            first = len(parsed.values)
            where = tuple(
                Comparison(Field(item.name), "eq", first + index) for index, item in enumerate(self.entity.primary_key)
            )
            modifiers = parsed.query.modifiers
            return replace(parsed.query, modifiers=replace(modifiers, where=(*modifiers.where, *where)))

        query = self.shapes.get_or_make(("item", parsed.query), make)
        return Parsed(query, (*parsed.values, *key))

    def finished(self, select: tuple[SelectItem, ...], text: str) -> bytes:
        """A body, out of the database's text."""
        return self.finisher(select)(text)

    def finisher(self, select: tuple[SelectItem, ...]) -> Callable[[str], bytes]:
        """What makes bytes of the database's text. Nothing more than that, usually: only columns whose
        ``TypeDecorator`` has a say in Python are passed through it."""

        def make() -> Callable[[str], bytes]:
            chosen = selected(self.entity, select)
            results = {key: item.wire.result for key, item in chosen.items() if item.wire.result is not None}
            return decorated(results) if results else str.encode

        return self.shapes.get_or_make(("finisher", select), make)

    def not_found(self, request: Request) -> ApiError:
        """The answer to the key of a row that is not there."""
        names = ", ".join(item.name for item in self.entity.primary_key)
        return ApiError(
            404, "PGRST116", f"There is no row in {self.entity.name} with {names} = {', '.join(request.key or ())}"
        )


def decorated(results: dict[str, Callable[[Any], Any]]) -> Callable[[str], bytes]:
    """A finisher that passes some keys of each row through Python."""

    def finish(text: str) -> bytes:
        decoded = from_json(text)
        for row in decoded if isinstance(decoded, list) else [decoded]:
            for key, result in results.items():
                row[key] = result(row[key])
        return to_json(decoded)

    return finish


def not_singular(rows: int) -> ApiError:
    """The answer to who wants exactly one row, where there is not exactly one."""
    return ApiError(
        406,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        details=f"The result contains {rows} rows",
    )
