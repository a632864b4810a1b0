"""What `/openapi.json` says of a resource."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI

from rowserve import Resource
from rowserve.query import OPERATORS
from rowserve.users import User
from tests.openapi import check_document, operations, parameters

from .blog import blog
from .models import Author, Book, Loan


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI()
    app.include_router(Resource(User))
    app.include_router(Resource(Author))
    app.include_router(Resource(Book), prefix="/v1")
    app.include_router(Resource(Loan))
    return app.openapi()


def test_it_is_sound(document: dict[str, Any]) -> None:
    check_document(document)


def test_every_operation_is_there_once(document: dict[str, Any]) -> None:
    found = {path: set(item) for path, item in document["paths"].items()}
    assert found["/users/"] == {"get", "post", "patch", "put", "delete"}
    assert found["/users/_query"] == {"post"}
    assert found["/users/{id}"] == {"get", "patch", "put", "delete"}
    assert found["/loans/{book_id_reader}"] == {"get", "patch", "put", "delete"}
    keys = {"/users": "id", "/authors": "id", "/v1/books": "id", "/loans": "book_id_reader"}
    assert set(found) == {f"{path}{rest}" for path, key in keys.items() for rest in ("/", "/_query", f"/{{{key}}}")}


def test_operations_have_ids(document: dict[str, Any]) -> None:
    ids = {operation["operationId"] for _, _, operation in operations(document)}
    assert {"list_users", "insert_users", "put_users", "query_users", "get_one_of_users"} <= ids


def test_lists_take_filters_for_each_column(document: dict[str, Any]) -> None:
    taken = parameters(document, "/authors/", "get")
    assert list(taken) == [
        *("select", "order", "limit", "offset", "id", "name", "born", "or", "and", "Range", "Prefer"),
    ]
    assert taken["name"]["description"].endswith("of type text. As it is printed on the cover.")
    described = document["paths"]["/authors/"]["get"]["description"]
    assert all(f"`{operator}`" in described for operator in OPERATORS)


def test_what_may_be_preferred_depends_on_what_is_done(document: dict[str, Any]) -> None:
    def preferred(path: str, method: str) -> str:
        text: str = parameters(document, path, method)["Prefer"]["description"]
        return text

    assert "`count=planned`" in preferred("/authors/", "get")
    assert "`return=" not in preferred("/authors/", "get")
    assert "`resolution=merge-duplicates`" in preferred("/authors/", "post")
    assert "`max-affected=10`" in preferred("/authors/", "patch")
    assert "`max-affected=10`" in preferred("/authors/", "delete")
    assert "`max-affected=10`" not in preferred("/authors/", "put")
    assert "`count=" not in preferred("/authors/{id}", "get")
    assert not any("tx=" in preferred(path, method) for path, method, _ in operations(document))

    app = FastAPI()
    app.include_router(Resource(User, tx_override=True))
    assert "`tx=rollback`" in parameters(app.openapi(), "/users/", "post")["Prefer"]["description"]


def test_lists_have_several_media_types(document: dict[str, Any]) -> None:
    media = ["application/json", "application/vnd.pgrst.object+json", "application/x-ndjson", "text/csv"]
    listed = document["paths"]["/authors/"]["get"]["responses"]["200"]
    assert sorted(listed["content"]) == media
    for method, status in (("post", "201"), ("patch", "200"), ("put", "201"), ("delete", "200")):
        assert sorted(document["paths"]["/authors/"][method]["responses"][status]["content"]) == media
    assert list(listed["headers"]) == ["Content-Range", "Preference-Applied", "Link"]
    taken = document["paths"]["/authors/"]["post"]["requestBody"]["content"]
    assert list(taken) == ["application/json", "text/csv", "application/x-www-form-urlencoded"]


def test_upserts_are_documented(document: dict[str, Any]) -> None:
    assert {"columns", "on_conflict"} <= set(parameters(document, "/loans/", "post"))
    put = parameters(document, "/loans/", "put")
    assert [name for name, parameter in put.items() if parameter["required"]] == ["book_id", "reader"]
    assert set(document["paths"]["/loans/"]["put"]["responses"]) >= {"200", "201", "204", "409"}


@pytest.mark.anyio
async def test_what_select_is_said_to_embed_can_be_embedded(sqlite_url: str) -> None:
    async with blog(sqlite_url) as client:
        document = (await client.get("/openapi.json")).json()
        check_document(document)
        for name, least in {"authors": 4, "posts": 7, "tags": 1, "comments": 1, "profiles": 1}.items():
            described = parameters(document, f"/{name}/", "get")["select"]["description"]
            embeds = re.findall("`([^`]+)`", described.partition("embedded as")[2].partition("`!inner`")[0])[1:]
            assert len(embeds) >= least, described
            for embed in embeds:
                answer = await client.get(f"/{name}", params={"select": f"a:{embed}(*)"})
                assert answer.status_code == 200, (embed, answer.text)
        assert "`full_name`" in parameters(document, "/authors/", "get")["select"]["description"]


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
    statuses = {path: set(item["get"]["responses"]) for path, item in document["paths"].items() if "get" in item}
    assert {"200", "206", "400", "406", "416", "503"} <= statuses["/users/"]
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
    check_document(app.openapi())
