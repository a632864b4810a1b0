"""What OpenAPI says of the functions of a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from ..documentation import ERRORS
from ..http.responses import Answer
from ..sql.catalog import Function

NUMBERS = {"smallint": "integer", "integer": "integer", "bigint": "integer", "boolean": "boolean"} | dict.fromkeys(
    ("numeric", "real", "double precision"), "number"
)


def add_function_routes(router: APIRouter, functions: Sequence[Function]) -> None:
    """Adds the documented routes of the functions of one name.

    Args:
        router: at ``/rpc``.
        functions: those that have the name.
    """
    name = functions[0].name
    bodies = [body_of(function) for function in functions]
    comments = "\n\n".join(function.description for function in functions if function.description)
    shared: dict[str, Any] = {"summary": f"Call {name}", "description": comments, "responses": ERRORS}
    schema = bodies[0] if len(bodies) == 1 else {"anyOf": bodies}
    body = {"content": {"application/json": {"schema": schema}}}
    router.add_api_route(f"/{name}", unreachable, methods=["POST"], openapi_extra={"requestBody": body}, **shared)
    reading = [function for function in functions if function.volatility != "volatile"]
    if reading:
        parameters = {
            parameter.name: {
                "name": parameter.name,
                "in": "query",
                "required": parameter.required and len(reading) == 1,
                "schema": schema_of(parameter.type),
            }
            for function in reading
            for parameter in function.parameters
            if parameter.name
        }
        extra = {"parameters": list(parameters.values())}
        router.add_api_route(f"/{name}", unreachable, methods=["GET"], openapi_extra=extra, **shared)


def body_of(function: Function) -> dict[str, Any]:
    """The JSON that a function is called with."""
    parameters = function.parameters
    if len(parameters) == 1 and not parameters[0].name:
        return schema_of(parameters[0].type)
    return {
        "type": "object",
        "properties": {parameter.name: schema_of(parameter.type) for parameter in parameters},
        "required": [parameter.name for parameter in parameters if parameter.required],
    }


def schema_of(type_: str) -> dict[str, Any]:
    """The JSON schema of a type of PostgreSQL; whatever else there is can be said in many ways."""
    if type_.endswith("[]"):
        return {"type": "array", "items": schema_of(type_.removesuffix("[]")), "format": type_}
    if type_ in NUMBERS:
        return {"type": NUMBERS[type_], "format": type_}
    return {"format": type_}


async def unreachable(request: Request) -> Answer:
    """Stands behind routes that are documented here and answered in front of them."""
    raise AssertionError(request.url.path)
