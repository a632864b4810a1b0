"""What OpenAPI says of answers: rows of a model, in which media types, with which headers; and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field

Schema: TypeAlias = dict[str, Any]
JSON = "application/json"
TEXT: Schema = {"type": "string"}
OBJECT: dict[str, Schema] = {"application/vnd.pgrst.object+json": {"type": "object"}}
LISTS: dict[str, Schema] = {**OBJECT, "text/csv": TEXT, "application/x-ndjson": TEXT}
"""What a list may be answered as, besides JSON."""


class Error(BaseModel):
    """An error, as every one of them looks."""

    code: str = Field(description="A PostgREST code such as PGRST100, or a SQLSTATE such as 23505.")
    message: str = Field(description="What happened, to which name.")
    details: Any = Field(None, description="More about it.")
    hint: str | None = Field(None, description="What to do next.")


@dataclass(frozen=True, slots=True)
class Rows:
    """What a body holds.

    Args:
        model: the model of a row.
        shape: one row, an array of them, or either.
    """

    model: type[BaseModel]
    shape: Literal["one", "many", "either"] = "one"

    @property
    def annotation(self) -> Any:
        """It as a type, for FastAPI."""
        many = list[self.model]  # type: ignore[name-defined]
        if self.shape == "one":
            return self.model
        return many if self.shape == "many" else self.model | many

    def schema(self, of: Callable[[type[BaseModel]], Schema]) -> Schema:
        """It as a JSON schema, where ``of`` gives that of the model."""
        one = of(self.model)
        many = {"type": "array", "items": one}
        if self.shape == "one":
            return one
        return many if self.shape == "many" else {"anyOf": [one, many]}


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """An answer of some status.

    Args:
        description: when it is given.
        rows: what its JSON holds; None for an answer without a body.
        media: by media type, the schemas of what it may be besides.
        headers: by name, what its headers say.
    """

    description: str
    rows: Rows | None = None
    media: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def other(self) -> dict[str, Any]:
        """It in OpenAPI's words, but for its JSON."""
        made: dict[str, Any] = {"description": self.description}
        if self.headers:
            made["headers"] = {
                name: {"description": text, "schema": {"type": "string"}} for name, text in self.headers.items()
            }
        if self.media:
            made["content"] = {name: {"schema": schema} for name, schema in self.media.items()}
        return made


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema without references, which would lead nowhere from inside another document; what holds itself is
    left open."""
    definitions = schema.get("$defs", {})

    def put(value: Any, inside: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [put(item, inside) for item in value]
        if not isinstance(value, dict):
            return value
        name = str(value.get("$ref", "")).removeprefix("#/$defs/")
        if name in definitions:
            return {} if name in inside else put(definitions[name], (*inside, name))
        return {key: put(item, inside) for key, item in value.items() if key != "$defs"}

    made: dict[str, Any] = put(schema, ())
    return made


def error(description: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(description, Rows(Error), headers=headers or {})


APPLIED = {"Preference-Applied": "Which preferences were followed."}
RANGED = {"Content-Range": "Which rows these are, of how many: `0-9/42`, `*` for what is not known.", **APPLIED}
LINKED = {**RANGED, "Link": "The pages beside this one, `next` and `prev` (RFC 8288)."}
LOCATED = {"Location": "Where the new row is.", **RANGED}

BAD_REQUEST = error("Something is wrong with the request; the error says what")
NOT_FOUND = error("There is no such row")
NO_FUNCTION = error("There is no function that takes these arguments")
NOT_ACCEPTABLE = error("None of the media types can be answered with, or one object was asked for and there is not one")
TAGGED = {"ETag": "Which version of the row this is; none where other rows are embedded in it."}
NOT_MODIFIED = Response("The client has this version already", headers=TAGGED)
UNMATCHED = error("The row has another version than If-Match names")
UNCONDITIONAL = error("If-Match has to say which version is to be changed")
KEY_IN_USE = error("The Idempotency-Key was used for another request, or a row is none that can be taken")
CONFLICT = error("A unique or a foreign key is in the way")
OUT_OF_RANGE = error("There are fewer rows than the offset, and they were to be counted")
TOO_LARGE = error("The body is too large")
UNAVAILABLE = error(
    "The server is full, or the database is away: try again after the seconds in Retry-After",
    {"Retry-After": "Seconds to wait."},
)
READING = {400: BAD_REQUEST, 406: NOT_ACCEPTABLE, 503: UNAVAILABLE}
WRITING = {400: BAD_REQUEST, 406: NOT_ACCEPTABLE, 409: CONFLICT, 413: TOO_LARGE, 503: UNAVAILABLE}

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Error, "description": response.description}
    for status, response in ((400, BAD_REQUEST), (503, UNAVAILABLE))
}
"""Those that any operation may answer with, for FastAPI."""
