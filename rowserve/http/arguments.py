"""What a function is called with: in the query string, in a form, as JSON, or as a body that is one argument whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from ..errors import ApiError
from ..query import ParseCache, Parsed, parse_call
from ..rows import Body
from ..sql.call import Form
from ..sql.catalog import Function
from .bodies import read_body
from .inserts import body_kind, fields
from .request import Request

READING = ("GET", "HEAD")
RAW = {"text/plain": "text", "text/xml": "xml", "application/octet-stream": "bytea"}
"""The type of the parameter that takes a body of each media type as it came."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a function is called with.

    Args:
        names: of the arguments.
        form: how they come.
        body: as it came; the arguments of the form ``texts`` are in ``pairs``.
        pairs: names and texts; a variadic parameter's name stands there for each of its values.
        types: what types an unnamed parameter may have to take the body; None where there is no body.
        values: of a JSON body, by name.
    """

    names: frozenset[str]
    form: Form
    body: Body = b""
    pairs: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    def argument(self, function: Function, form: Form) -> Any:
        """What the statement is given for all arguments of the function."""
        if form == "texts":
            variadic = {parameter.name for parameter in function.parameters if parameter.variadic}
            texts: dict[str, Any] = {}
            for name, text in self.pairs:
                if name in variadic:
                    texts.setdefault(name, []).append(text)
                else:
                    texts[name] = text
            return to_json(texts).decode()
        if form == "body" and function.parameters[0].type == "bytea":
            return bytes(self.body)
        return decoded(self.body)


async def read_given(request: Request, parse: ParseCache, max_body: int) -> tuple[Given, Parsed]:
    """What a function is called with, and what its result is narrowed to.

    Args:
        request: by GET or HEAD all is in the query string, by POST the arguments are the body.
        parse: reads the query string of a POST.
        max_body: the most bytes of a body.

    Raises:
        ApiError: 400 PGRST100 or PGRST102 for what cannot be read, 413 for a body that is too large.
    """
    if request.method in READING:
        parsed, pairs = parse_call(request.query_string)
        return Given(frozenset(name for name, _ in pairs), "texts", pairs=pairs), parsed
    parsed = parse(request.query_string)
    body = await read_body(request.receive, request.headers, max_body)
    sent_as = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    if sent_as in RAW:
        return Given(frozenset(), "object", body, types=(RAW[sent_as],)), parsed
    kind = body_kind(request.headers, body)
    if kind == "form":
        pairs = tuple(fields(body.decode("utf-8", "surrogateescape")))
        return Given(frozenset(name for name, _ in pairs), "texts", pairs=pairs, types=()), parsed
    if kind == "csv" or not (sent_as in ("", "application/x-www-form-urlencoded") or sent_as.endswith("json")):
        raise ApiError(400, "PGRST102", f"Content-Type not acceptable: {sent_as}", hint="Send application/json.")
    return given_json(body or b"{}", parsed.query.columns), parsed


def given_json(body: Body, columns: Collection[str] | None) -> Given:
    """The arguments of a JSON body: an object, or an array of objects that all have the same keys.

    Raises:
        ApiError: 400 PGRST102 for what is no JSON, and for an array of objects with different keys.
    """
    try:
        value = from_json(body)
    except ValueError:
        raise ApiError(400, "PGRST102", "Empty or invalid json") from None
    values: dict[str, Any] = {}
    form: Form = "object"
    if isinstance(value, dict):
        values = value
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        form, values = "array", value[0]
        if not all(isinstance(item, dict) and item.keys() == values.keys() for item in value):
            raise ApiError(400, "PGRST102", "All object keys must match")
    if columns is not None:
        # A name that the body does not have is one that the database finds no value for.
        values = {name: values.get(name) for name in columns}
    return Given(frozenset(values), form, body, types=("json", "jsonb"), values=values)


def decoded(body: Body) -> str:
    """The text of a body.

    Raises:
        ApiError: 400 PGRST102 where it is no UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "PGRST102", "The body is no UTF-8", details=str(error)) from None
