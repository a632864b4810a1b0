"""What OpenAPI says of the functions of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ..documentation import Operation, Parameter, Response, parameters, responses, select_parameter
from ..sql.catalog import Function

NUMBERS = {"smallint": "integer", "integer": "integer", "bigint": "integer", "boolean": "boolean"} | dict.fromkeys(
    ("numeric", "real", "double precision"), "number"
)
ORDER = parameters.query_parameter(
    "order", "Columns to order by, such as `id.desc`; default: as the function has them."
)
RESULT = Response("What the function returns", media={responses.JSON: {}, **responses.LISTS})
DONE = Response("It is done")


def function_operations(
    functions: Sequence[Function], profile: Callable[[str], Parameter] | None = None
) -> Iterator[Operation]:
    """The operations that call the functions of one name.

    Args:
        functions: those that have the name.
        profile: by method, the parameter that chooses the schema; None where there is but one.
    """
    name = functions[0].name
    comments = "\n\n".join(function.description for function in functions if function.description)

    def profiled(method: str) -> list[Parameter]:
        return [] if profile is None else [profile(method)]

    bodies = [body_of(function) for function in functions]
    yield Operation(
        "POST",
        f"/{quote(name)}",
        f"call_{name}",
        f"Call {name}",
        comments,
        [*narrowing(functions), *profiled("POST")],
        answers(functions, writing=True),
        media={responses.JSON: bodies[0] if len(bodies) == 1 else {"anyOf": bodies}},
        requires_body=all(parameter.required for function in functions for parameter in function.parameters[:1]),
    )
    reading = [function for function in functions if function.volatility != "volatile"]
    if reading:
        yield Operation(
            "GET",
            f"/{quote(name)}",
            f"call_{name}_by_get",
            f"Call {name}, which only reads",
            comments,
            [*arguments(reading), *narrowing(reading), *profiled("GET")],
            answers(reading, writing=False),
        )


def arguments(functions: Sequence[Function]) -> list[Parameter]:
    """The arguments as they stand in a query string."""
    found = {
        parameter.name: parameters.parameter(
            parameter.name,
            "query",
            f"An argument of type {parameter.type}.",
            schema_of(parameter.type),
            required=parameter.required and len(functions) == 1,
        )
        for function in functions
        for parameter in function.parameters
        if parameter.name
    }
    return list(found.values())


def narrowing(functions: Sequence[Function]) -> list[Parameter]:
    """What is done to rows that are returned."""
    taken = {parameter.name for function in functions for parameter in function.parameters}
    if not any(function.is_set for function in functions):
        return []
    narrowing = (select_parameter(), ORDER, parameters.LIMIT, parameters.OFFSET)
    return [parameter for parameter in narrowing if parameter["name"] not in taken]


def answers(functions: Sequence[Function], *, writing: bool) -> dict[int, Response]:
    """How calls are answered."""
    made: dict[int, Response] = {}
    if any(function.returns is not None for function in functions):
        made[200] = RESULT
    if any(function.returns is None for function in functions):
        made[204] = DONE
    return {**made, **(responses.WRITING if writing else responses.READING), 404: responses.NO_FUNCTION}


def body_of(function: Function) -> dict[str, Any]:
    """The JSON that a function is called with."""
    takes = function.parameters
    if len(takes) == 1 and not takes[0].name:
        return schema_of(takes[0].type)
    return {
        "type": "object",
        "properties": {parameter.name: schema_of(parameter.type) for parameter in takes},
        "required": [parameter.name for parameter in takes if parameter.required],
    }


def schema_of(type_: str) -> dict[str, Any]:
    """The JSON schema of a type of PostgreSQL; whatever else there is can be said in many ways."""
    if type_.endswith("[]"):
        return {"type": "array", "items": schema_of(type_.removesuffix("[]")), "format": type_}
    if type_ in NUMBERS:
        return {"type": NUMBERS[type_], "format": type_}
    return {"format": type_}
