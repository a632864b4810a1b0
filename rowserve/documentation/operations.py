"""The operations of a resource: what each takes, and how it may be answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter

from ..schemas import schemas_for
from ..sql.entity import Entity
from ..sql.relationships import Relationship
from . import parameters as named
from .parameters import Parameter, filter_parameter, key_parameter, order_parameter, select_parameter
from .responses import (
    APPLIED,
    CONFLICT,
    JSON,
    KEY_IN_USE,
    LINKED,
    LISTS,
    LOCATED,
    NOT_FOUND,
    NOT_MODIFIED,
    OBJECT,
    OUT_OF_RANGE,
    RANGED,
    READING,
    TAGGED,
    TEXT,
    UNCONDITIONAL,
    UNMATCHED,
    WRITING,
    Response,
    Rows,
    Schema,
    inlined,
)

Responses: TypeAlias = Mapping[int, Response]
QUERY_PATH = "/_query"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A documented operation.

    Args:
        method: the HTTP method.
        path: behind the resource's own: ``/`` for the collection.
        name: the operation's id.
        summary: what it does, in a few words.
        description: the same in more.
        parameters: what it takes besides a body.
        responses: how it may be answered, first what is answered if nothing goes wrong.
        body: the rows it takes as JSON.
        media: by media type, the schemas of what else it takes.
        requires_body: whether it cannot do without.
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    parameters: Sequence[Parameter]
    responses: Responses
    body: Rows | None = None
    media: Mapping[str, Schema] = field(default_factory=dict)
    requires_body: bool = True

    def request_body(self, of: Callable[[type[BaseModel]], Schema]) -> dict[str, Any] | None:
        """Its body in OpenAPI's words, where ``of`` gives the JSON schema of a model; None where it has none."""
        content = {} if self.body is None else {JSON: {"schema": self.body.schema(of)}}
        content |= {name: {"schema": schema} for name, schema in self.media.items()}
        return {"content": content, "required": self.requires_body} if content else None

    def route(self) -> dict[str, Any]:
        """What ``APIRouter.add_api_route`` is told of it."""
        extra: dict[str, Any] = {"parameters": list(self.parameters)}
        body = self.request_body(lambda model: inlined(model.model_json_schema()))
        if body is not None:
            extra["requestBody"] = body
        status, answer = next(iter(self.responses.items()))
        responses: dict[int | str, dict[str, Any]] = {
            status: other.other() | ({"model": other.rows.annotation} if other.rows else {})
            for status, other in self.responses.items()
        }
        responses[status].pop("model", None)
        return {
            "summary": self.summary,
            "description": self.description,
            "operation_id": self.name,
            "status_code": status,
            "response_model": None if answer.rows is None else answer.rows.annotation,
            "responses": responses,
            "openapi_extra": extra,
        }


class Documentation:
    """Describes the operations of a resource.

    Args:
        entity: what is served.
        max_rows: the most rows of a list.
        description: what the resource is, where it says so itself.
        name: what the operations are called by; default: the name of the table.
        ways: the relationships by which others may be embedded.
        tx: whether ``Prefer: tx=rollback`` is followed.
        version_required: whether rows are changed by their version alone.
        idempotent: whether an ``Idempotency-Key`` has a request done once.
        profile: by method, the parameter that chooses the schema; None where there is but one.
    """

    def __init__(
        self,
        entity: Entity,
        *,
        max_rows: int | None,
        description: str | None = None,
        name: str | None = None,
        ways: Sequence[Relationship] = (),
        tx: bool = False,
        version_required: bool = False,
        idempotent: bool = False,
        profile: Callable[[str], Parameter] | None = None,
    ) -> None:
        self.entity = entity
        self.name = name or entity.name
        self.max_rows = max_rows
        self.description = description
        self.tx = tx
        self.is_versioned = entity.version is not None
        self.version_required = version_required
        self.idempotent = idempotent
        self.item_path = "/{" + "_".join(item.name for item in entity.primary_key) + "}"
        self._profile = profile
        self._select = select_parameter(entity, ways)
        self._order = order_parameter(entity, ways)
        self._filters = [*map(filter_parameter, entity.columns.values()), named.OR, named.AND]
        schemas = schemas_for(entity)
        self._one, self._many = Rows(schemas.read), Rows(schemas.read, "many")
        self._either = Rows(schemas.read, "either")
        self._insert, self._inserts = Rows(schemas.insert), Rows(schemas.insert, "either")
        self._update, self._updates = Rows(schemas.update), Rows(schemas.update, "either")

    def operations(self) -> Iterator[Operation]:
        """The operations, in the order in which they are shown."""
        info = self.entity.table.info
        yield self._list()
        if info.get("insertable", True):
            yield self._post()
        if info.get("updatable", True):
            yield self._patch()
            if self.entity.primary_key and info.get("insertable", True):
                yield self._put()
        if info.get("deletable", True):
            yield self._delete()
        yield self._query()
        if self.entity.primary_key:
            yield self._get()
            if info.get("updatable", True):
                yield from self._item_changes()
            if info.get("deletable", True):
                yield self._delete_item()

    # The collection.

    def _list(self) -> Operation:
        name, most = self.name, self.max_rows
        bounded = "" if most is None else f" At most {most} at a time; the `Link` header leads on."
        return self._operation(
            "GET",
            f"list_{name}",
            f"List {name}",
            "All rows that the filters select, by primary key unless `order` says otherwise."
            f"{bounded}\n\n{named.FILTERS}",
            [self._select, self._order, named.LIMIT, named.OFFSET, *self._filters, named.RANGE, self._prefer("list")],
            self._lists(),
        )

    def _lists(self) -> Responses:
        return {
            200: Response("The rows", self._many, LISTS, LINKED),
            206: Response("Part of the rows, where they are counted", self._many, LISTS, LINKED),
            **READING,
            416: OUT_OF_RANGE,
        }

    def _query(self) -> Operation:
        return self._operation(
            "POST",
            f"query_{self.name}",
            f"List {self.name} by a query in the body",
            "What `GET` answers, for a query string that is too long for a URL. The method `QUERY` does the same.",
            [self._prefer("list")],
            self._lists(),
            path=QUERY_PATH,
            media={FORM: {"type": "object", "additionalProperties": TEXT}},
            requires_body=False,
        )

    def _post(self) -> Operation:
        name = self.name
        return self._operation(
            "POST",
            f"insert_{name}",
            f"Insert rows into {name}",
            "One row for an object, or all rows of an array, or none of them. Without a body the columns are taken "
            "from the query string. With `Prefer: resolution=…`, rows that are there already are changed, or left as "
            "they are.",
            [self._select, named.COLUMNS, named.ON_CONFLICT, self._prefer("insert"), *self._once()],
            {
                201: Response("The rows, unless `return=minimal`", self._either, LISTS, {**LOCATED, **self._tagged()}),
                200: Response("The rows, of which all were there already", self._many, LISTS, RANGED),
                **WRITING,
                **self._refusals(),
                **({422: KEY_IN_USE} if self.idempotent else {}),
            },
            body=self._inserts,
            media={"text/csv": TEXT, FORM: {"type": "object"}},
            requires_body=False,
        )

    def _patch(self) -> Operation:
        return self._operation(
            "PATCH",
            f"update_{self.name}",
            f"Update rows of {self.name}",
            "Changes all rows that the filters select; they are those of the list. An array of objects that have the "
            "primary key changes, without a filter, the row of each.",
            [*self._filters, self._select, named.COLUMNS, self._prefer("update")],
            self._changes(),
            body=self._updates,
        )

    def _put(self) -> Operation:
        keys = [key_parameter(item) for item in self.entity.primary_key]
        return self._operation(
            "PUT",
            f"put_{self.name}",
            f"Create or replace one of {self.name}",
            "Stores the row whose primary key the filters name, whether it was there or not.",
            [*keys, self._select, self._prefer("put")],
            {201: Response("The row, which was not there", self._many, LISTS, APPLIED), **self._changes()},
            body=self._insert,
        )

    def _delete(self) -> Operation:
        return self._operation(
            "DELETE",
            f"delete_{self.name}",
            f"Delete rows of {self.name}",
            "Deletes all rows that the filters select; they are those of the list.",
            [*self._filters, self._select, self._prefer("delete")],
            self._changes(),
        )

    def _changes(self) -> Responses:
        asked = Response("The rows, if asked for", self._many, LISTS, RANGED)
        return {204: Response("It is done", headers=RANGED), 200: asked, **WRITING, **self._refusals()}

    def _once(self) -> list[Parameter]:
        return [named.IDEMPOTENCY_KEY] if self.idempotent else []

    # Versions.

    def _tagged(self) -> Mapping[str, str]:
        return TAGGED if self.is_versioned else {}

    def _refusals(self, *, of_one: bool = False) -> Responses:
        """What becomes of a change of what has another version, or of one that does not say which."""
        refused = {412: UNMATCHED} if self.is_versioned and of_one else {}
        return {**refused, 428: UNCONDITIONAL} if self.version_required else refused

    def _if_match(self) -> list[Parameter]:
        return [{**named.IF_MATCH, "required": self.version_required}] if self.is_versioned else []

    # One row.

    def _get(self) -> Operation:
        return self._operation(
            "GET",
            f"get_one_of_{self.name}",
            f"Get one of {self.name}",
            "",
            [self._select, self._prefer("get"), *([named.IF_NONE_MATCH] if self.is_versioned else [])],
            {
                200: Response("The row", self._one, OBJECT, self._tagged()),
                **({304: NOT_MODIFIED} if self.is_versioned else {}),
                **READING,
                404: NOT_FOUND,
            },
            path=self.item_path,
        )

    def _item_changes(self) -> Iterator[Operation]:
        for method, verb, says in (
            ("PATCH", "update", "Sets the columns that are given."),
            ("PUT", "replace", "Sets the columns that are given, and all others to their defaults."),
        ):
            yield self._operation(
                method,
                f"{verb}_one_of_{self.name}",
                f"{verb.capitalize()} one of {self.name}",
                says,
                [self._select, self._prefer("put"), *self._if_match()],
                {
                    200: Response("The row", self._one, OBJECT, {**APPLIED, **self._tagged()}),
                    204: Response("It is done, where no row was asked for", headers={**APPLIED, **self._tagged()}),
                    **WRITING,
                    404: NOT_FOUND,
                    **self._refusals(of_one=True),
                },
                path=self.item_path,
                body=self._update,
            )

    def _delete_item(self) -> Operation:
        return self._operation(
            "DELETE",
            f"delete_one_of_{self.name}",
            f"Delete one of {self.name}",
            "",
            [self._prefer("put"), *self._if_match()],
            {
                204: Response("It is gone", headers=APPLIED),
                400: WRITING[400],
                404: NOT_FOUND,
                409: CONFLICT,
                **self._refusals(of_one=True),
            },
            path=self.item_path,
        )

    # What all have.

    def _operation(
        self,
        method: str,
        name: str,
        summary: str,
        description: str,
        parameters: Sequence[Parameter],
        responses: Responses,
        *,
        path: str = "/",
        **options: Any,
    ) -> Operation:
        own = self.description if path == "/" else None
        text = "\n\n".join(part for part in (own, description) if part)
        key = [self._key()] if path == self.item_path else []
        profile = [] if self._profile is None else [self._profile(method)]
        return Operation(method, path, name, summary, text, [*key, *parameters, *profile], responses, **options)

    def _prefer(self, kind: str) -> Parameter:
        return named.preferences(kind, tx=self.tx)

    def _key(self) -> Parameter:
        keys = self.entity.primary_key
        described = " and ".join(f"{key.name} ({key.wire.name})" for key in keys)
        comma = ", with commas between" if len(keys) > 1 else ""
        schema = TypeAdapter(keys[0].wire.read_annotation).json_schema() if len(keys) == 1 else TEXT
        text = f"The primary key: {described}{comma}."
        return named.parameter(self.item_path[2:-1], "path", text, schema, required=True)
