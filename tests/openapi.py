"""What has to hold for any OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """A value, or what it refers to."""
    reference = value.get("$ref")
    if reference is None:
        return value
    target: Any = document
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        target = target[step]
    assert target
    found: dict[str, Any] = target
    return found


def parameters(document: dict[str, Any], path: str, method: str) -> dict[str, dict[str, Any]]:
    """The parameters of an operation, by name."""
    listed = document["paths"][path][method].get("parameters", [])
    found = [resolved(document, parameter) for parameter in listed]
    return {parameter["name"]: parameter for parameter in found}


def references(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def check_document(document: dict[str, Any]) -> None:
    """Asserts that a document is sound: nothing is named twice, described nowhere, or refers to what is not there."""
    assert document["openapi"].startswith("3.1.")
    for reference in references(document):
        resolved(document, reference)
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(document):
        assert method in METHODS
        assert path.startswith("/")
        check_responses(document, operation)
        check_parameters(document, path, operation)


def check_responses(document: dict[str, Any], operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        assert 200 <= int(status) < 600
        answer = resolved(document, response)
        assert answer["description"]
        assert status != "204" or "content" not in answer
        for media in answer.get("content", {}).values():
            assert "schema" in media


def check_parameters(document: dict[str, Any], path: str, operation: dict[str, Any]) -> None:
    found = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    for parameter in found:
        assert parameter["description"], (path, parameter)
        assert parameter["schema"]
        assert parameter["in"] in ("query", "header", "path")
        assert parameter["in"] != "path" or parameter["required"] is True
    keys = [(parameter["in"], parameter["name"]) for parameter in found]
    assert len(keys) == len(set(keys)), (path, keys)
    assert [name for place, name in keys if place == "path"] == (
        [path.partition("{")[2].rstrip("}")] if "{" in path else []
    )
