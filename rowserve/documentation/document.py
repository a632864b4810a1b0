"""A whole OpenAPI document, without FastAPI, which would take seconds for a hundred tables: what is said more than once
is said in ``components``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Literal

from fastapi.security.base import SecurityBase
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

from .operations import Operation
from .responses import JSON, Response, Schema

UNNAMEABLE = re.compile(r"[^A-Za-z0-9._-]")
"""What the name of a component may not have."""
REFERENCE = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that belong together: those of a table.

    Args:
        path: where they are.
        name: what they are called together.
        operations: the operations.
        description: what is said of them.
    """

    path: str
    name: str
    operations: Sequence[Operation]
    description: str | None = None


def document(groups: Iterable[Group], security: SecurityBase | None = None) -> dict[str, Any]:
    """The document of some groups of operations.

    Args:
        groups: the operations.
        security: what those who ask for them have to show.
    """
    made = Document(groups)
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "rowserve", "version": version("rowserve")},
        "tags": made.tags,
        "paths": made.paths,
        "components": {
            "schemas": made.schemas,
            "parameters": made.parameters.components,
            "responses": made.responses.components,
        },
    }
    if security is not None:
        scheme = security.model.model_dump(mode="json", by_alias=True, exclude_none=True)
        whole["components"]["securitySchemes"] = {security.scheme_name: scheme}
        whole["security"] = [{security.scheme_name: []}]
    return whole


class Shared:
    """Says what is said more than once in one place, and refers to it from the others.

    Args:
        kind: ``parameters`` or ``responses``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.components: dict[str, Any] = {}
        self._places: dict[bytes, list[tuple[Any, Any, str, str]]] = {}

    def note(self, container: Any, key: Any, name: str, group: str) -> None:
        """Takes note of a value: where it stands, what it may be called, and what that of its group is."""
        self._places.setdefault(to_json(container[key]), []).append((container, key, name, group))

    def refer(self) -> None:
        """Puts references in the place of values that stand in several."""
        for places in self._places.values():
            if len(places) > 1:
                first, position, name, group = places[0]
                chosen = self._chosen(name, group)
                self.components[chosen] = first[position]
                for container, key, _, _ in places:
                    container[key] = {"$ref": f"#/components/{self.kind}/{chosen}"}

    def _chosen(self, name: str, group: str) -> str:
        plain, full = (UNNAMEABLE.sub("_", text) for text in (name, f"{group}.{name}"))
        chosen, number = plain if plain not in self.components else full, 2
        while chosen in self.components:
            chosen, number = f"{full}_{number}", number + 1
        return chosen


class Document:
    """Puts a document together.

    Args:
        groups: what it is about.

    Attributes:
        tags: the groups.
        paths: their operations.
        schemas: the models of rows, ``parameters`` and ``responses`` likewise.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self.parameters = Shared("parameters")
        self.responses = Shared("responses")
        groups = list(groups)
        models = {model: None for group in groups for model in models_of(group.operations)}
        inputs: list[tuple[type[BaseModel], Literal["validation"]]] = [(model, "validation") for model in models]
        references, definitions = models_json_schema(inputs, ref_template=REFERENCE)
        self._references = {model: schema for (model, _), schema in references.items()}
        self.schemas: dict[str, Schema] = definitions.get("$defs", {})
        self.tags = [
            {"name": group.name} | ({"description": group.description} if group.description else {}) for group in groups
        ]
        self.paths: dict[str, dict[str, Any]] = {}
        for group in groups:
            for operation in group.operations:
                path = self.paths.setdefault(group.path + operation.path, {})
                path[operation.method.lower()] = self.operation(group, operation)
        self.parameters.refer()
        self.responses.refer()

    def operation(self, group: Group, operation: Operation) -> dict[str, Any]:
        """An operation in OpenAPI's words."""
        parameters = list(operation.parameters)
        responses = {str(status): self.response(response) for status, response in operation.responses.items()}
        for index, parameter in enumerate(operation.parameters):
            self.parameters.note(parameters, index, parameter["name"], group.name)
        for status in responses:
            self.responses.note(responses, status, HTTPStatus(int(status)).phrase.replace(" ", ""), group.name)
        made: dict[str, Any] = {
            "tags": [group.name],
            "summary": operation.summary,
            "operationId": operation.name,
            "parameters": parameters,
            "responses": responses,
        }
        if operation.description:
            made["description"] = operation.description
        body = operation.request_body(self._references.__getitem__)
        if body is not None:
            made["requestBody"] = body
        return made

    def response(self, response: Response) -> dict[str, Any]:
        made = response.other()
        if response.rows is not None:
            json = {JSON: {"schema": response.rows.schema(self._references.__getitem__)}}
            made["content"] = json | made.get("content", {})
        return made


def models_of(operations: Iterable[Operation]) -> Iterable[type[BaseModel]]:
    for operation in operations:
        if operation.body is not None:
            yield operation.body.model
        for response in operation.responses.values():
            if response.rows is not None:
                yield response.rows.model
