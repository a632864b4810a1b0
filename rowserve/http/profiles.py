"""Which schema a request is about, and what is said where there is no such schema or table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.types import Scope

from ..errors import ApiError
from ..sql.similarity import closest

ACCEPT, CONTENT = b"accept-profile", b"content-profile"
LIKELY = 0.75
"""How alike a name has to be to be named in a hint."""


def profile(scope: Scope, schemas: Sequence[str]) -> str:
    """The schema that a request is about: what its header names, else the first.

    Args:
        scope: the ASGI scope.
        schemas: those that are served, the default one first.

    Raises:
        ApiError: 406 PGRST106 for one that is not served.
    """
    wanted = ACCEPT if scope["method"] in ("GET", "HEAD") else CONTENT
    for name, value in scope["headers"]:
        if name == wanted:
            schema: str = value.decode("latin-1")
            if schema not in schemas:
                raise ApiError(
                    406,
                    "PGRST106",
                    f"Invalid schema: {schema}",
                    hint=f"Only the following schemas are exposed: {', '.join(schemas)}",
                )
            return schema
    return schemas[0]


def unknown_table(schema: str, name: str, known: Iterable[str]) -> ApiError:
    """404 PGRST205, with the table of the schema that was probably meant."""
    close = closest(name, known, least=LIKELY)
    return ApiError(
        404,
        "PGRST205",
        f"Could not find the table '{schema}.{name}' in the schema cache",
        hint=None if close is None else f"Perhaps you meant the table '{schema}.{close}'",
    )
