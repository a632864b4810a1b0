"""What `/openapi.json` says of a resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from rowserve import Resource
from rowserve.users import User

from .models import Author, Book, Loan

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI()
    app.include_router(Resource(User))
    app.include_router(Resource(Author))
    app.include_router(Resource(Book), prefix="/v1")
    app.include_router(Resource(Loan))
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    for path, method, operation in operations(document):
        assert method in METHODS
        assert path.startswith("/")
        for status, response in operation["responses"].items():
            assert status == "default" or 100 <= int(status) < 600
            assert response["description"]


def test_every_operation_is_there_once(document: dict[str, Any]) -> None:
    found = {path: set(item) for path, item in document["paths"].items()}
    assert found["/users/"] == {"get", "post", "patch", "delete"}
    assert found["/users/{id}"] == {"get", "patch", "put", "delete"}
    assert found["/loans/{book_id_reader}"] == {"get", "patch", "put", "delete"}
    assert set(found) == {
        *("/users/", "/users/{id}", "/authors/", "/authors/{id}", "/v1/books/", "/v1/books/{id}"),
        *("/loans/", "/loans/{book_id_reader}"),
    }


def test_no_operation_id_is_used_twice(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert {"list_users", "insert_users", "get_one_of_users"} <= set(ids)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        target: Any = document
        assert reference.startswith("#/")
        for step in reference[2:].split("/"):
            target = target[step]
        assert target


def test_every_parameter_is_described_and_named_once(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        parameters = operation.get("parameters", [])
        for parameter in parameters:
            assert parameter["description"], (path, method, parameter)
            assert parameter["schema"]
            assert parameter["in"] in ("query", "header", "path")
            assert parameter["in"] != "path" or parameter["required"] is True
        keys = [(parameter["in"], parameter["name"]) for parameter in parameters]
        assert len(keys) == len(set(keys)), (path, method)
        assert [name for place, name in keys if place == "path"] == (
            [path.partition("{")[2].rstrip("}")] if "{" in path else []
        )


def test_lists_take_filters_for_each_column(document: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in document["paths"]["/authors/"]["get"]["parameters"]}
    assert names == {"select", "order", "limit", "offset", "id", "name", "born", "or", "and", "Prefer"}
    (about_name,) = [item for item in document["paths"]["/authors/"]["get"]["parameters"] if item["name"] == "name"]
    assert "As it is printed on the cover." in about_name["description"]


def test_rows_are_typed(document: dict[str, Any]) -> None:
    author = document["components"]["schemas"]["Author"]
    assert author["properties"]["id"]["type"] == "integer"
    assert author["properties"]["name"]["type"] == "string"
    assert author["properties"]["name"]["description"] == "As it is printed on the cover."
    assert {"type": "null"} in author["properties"]["born"]["anyOf"]
    assert sorted(author["required"]) == ["born", "id", "name"]
    listed = document["paths"]["/authors/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert listed["type"] == "array"
    assert listed["items"] == {"$ref": "#/components/schemas/Author"}
    one = document["paths"]["/authors/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert one == {"$ref": "#/components/schemas/Author"}


def test_bodies_require_what_has_no_default(document: dict[str, Any]) -> None:
    insert = document["paths"]["/authors/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    one, many = insert["anyOf"]
    assert one["required"] == ["name"]
    assert many["type"] == "array"
    update = document["paths"]["/authors/{id}"]["patch"]["requestBody"]
    assert update["required"] is True
    assert "required" not in update["content"]["application/json"]["schema"]


def test_errors_are_typed_with_their_four_members(document: dict[str, Any]) -> None:
    error = document["components"]["schemas"]["Error"]
    assert list(error["properties"]) == ["code", "message", "details", "hint"]
    statuses = {path: set(item["get"]["responses"]) for path, item in document["paths"].items()}
    assert {"200", "206", "400", "503"} <= statuses["/users/"]
    assert {"200", "400", "404", "503"} <= statuses["/users/{id}"]
    assert "409" in document["paths"]["/users/"]["post"]["responses"]


def test_a_resource_describes_itself() -> None:
    class Members(Resource[User]):
        """Who pays."""

        prefix = "/members"

    app = FastAPI()
    app.include_router(Members())
    assert "Who pays." in app.openapi()["paths"]["/members/"]["get"]["description"]


def test_two_resources_of_one_model_have_different_operation_ids() -> None:
    app = FastAPI()
    app.include_router(Resource(User))
    app.include_router(Resource(User, prefix="/people"))
    ids = [operation["operationId"] for _, _, operation in operations(app.openapi())]
    assert len(ids) == len(set(ids))
