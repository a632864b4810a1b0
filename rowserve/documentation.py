"""What OpenAPI says of a resource: each operation, with typed models and every parameter described."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from .schemas import schemas_for
from .sql.entity import Entity, EntityColumn


class Error(BaseModel):
    """An error, as every one of them looks."""

    code: str = Field(description="A PostgREST code such as PGRST100, or a SQLSTATE such as 23505.")
    message: str = Field(description="What happened, to which name.")
    details: Any = Field(None, description="More about it.")
    hint: str | None = Field(None, description="What to do next.")


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "Something is wrong with the request; the error says what"},
    503: {
        "model": Error,
        "description": "The server is full, or the database is away: try again after the seconds in Retry-After",
    },
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "There is no such row"}}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "A unique or a foreign key is in the way"}
}
OPERATORS = "eq, neq, gt, gte, lt, lte, like, ilike, in, is"


@dataclass(frozen=True, slots=True)
class Operation:
    """A documented route.

    Args:
        method: the HTTP method.
        item: whether it is about one row, by its key in the path.
        options: what ``APIRouter.add_api_route`` is told of it.
    """

    method: str
    item: bool
    options: dict[str, Any] = field(default_factory=dict)


class Documentation:
    """Describes the routes of a resource.

    Args:
        entity: what is served.
        max_rows: the most rows of a list.
        description: what the resource is, where it says so itself.
        name: what the operations are called by; default: the name of the table.
    """

    def __init__(
        self, entity: Entity, *, max_rows: int | None, description: str | None, name: str | None = None
    ) -> None:
        self.entity = entity
        self.name = name or self.entity.name
        self.max_rows = max_rows
        self.description = description
        self.schemas = schemas_for(entity)
        self.item_path = "/{" + "_".join(item.name for item in self.entity.primary_key) + "}"

    def operations(self) -> Iterator[Operation]:
        """The operations, in the order in which they are shown."""
        name = self.name
        read = self.schemas.read
        yield self._operation(
            "GET",
            f"List {name}",
            parameters=[*self._shape(), *self._page(), *self._filters(), prefer("count=exact")],
            response_model=list[read],  # type: ignore[valid-type]
            responses={206: {"model": list[read], "description": "Part of the rows, with count=exact"}, **ERRORS},  # type: ignore[valid-type]
            description="All rows that the filters select, by primary key unless `order` says otherwise."
            + ("" if self.max_rows is None else f" At most {self.max_rows} at a time; the `Link` header leads on."),
        )
        yield self._operation(
            "POST",
            f"Insert rows into {name}",
            status_code=201,
            parameters=[prefer("return=representation | minimal | headers-only"), select_parameter()],
            body=one_or_many(self.schemas.insert),
            response_model=read | list[read],  # type: ignore[valid-type]
            responses={**ERRORS, **CONFLICT},
            description="One row for an object, or all rows of an array, or none of them. "
            "Without a body the columns are taken from the query string.",
        )
        yield self._operation(
            "PATCH",
            f"Update rows of {name}",
            parameters=[*self._filters(), prefer("return=minimal | representation"), select_parameter()],
            body=schema_of(self.schemas.update),
            status_code=204,
            responses={200: {"model": list[read], "description": "The rows, if asked for"}, **ERRORS, **CONFLICT},  # type: ignore[valid-type]
            description="Changes all rows that the filters select.",
        )
        yield self._operation(
            "DELETE",
            f"Delete rows of {name}",
            parameters=[*self._filters(), prefer("return=minimal | representation"), select_parameter()],
            status_code=204,
            responses={200: {"model": list[read], "description": "The rows, if asked for"}, **ERRORS, **CONFLICT},  # type: ignore[valid-type]
            description="Deletes all rows that the filters select.",
        )
        if self.entity.primary_key:
            yield from self._item_operations()

    def _item_operations(self) -> Iterator[Operation]:
        """The operations on one row, by its key."""
        name = self.name
        read = self.schemas.read
        yield self._operation(
            "GET",
            f"Get one of {name}",
            item=True,
            parameters=[select_parameter()],
            response_model=read,
            responses={**ERRORS, **NOT_FOUND},
        )
        yield self._operation(
            "PATCH",
            f"Update one of {name}",
            item=True,
            parameters=[prefer("return=minimal | representation"), select_parameter()],
            body=schema_of(self.schemas.update),
            response_model=read,
            responses={**ERRORS, **NOT_FOUND, **CONFLICT},
            description="Sets the columns that are given.",
        )
        yield self._operation(
            "PUT",
            f"Replace one of {name}",
            item=True,
            parameters=[prefer("return=minimal | representation"), select_parameter()],
            body=schema_of(self.schemas.update),
            response_model=read,
            responses={**ERRORS, **NOT_FOUND, **CONFLICT},
            description="Sets the columns that are given, and all others to their defaults.",
        )
        yield self._operation(
            "DELETE",
            f"Delete one of {name}",
            item=True,
            parameters=[prefer("return=minimal | representation")],
            status_code=204,
            responses={**ERRORS, **NOT_FOUND, **CONFLICT},
        )

    def _operation(
        self,
        method: str,
        summary: str,
        *,
        parameters: list[dict[str, Any]],
        item: bool = False,
        body: dict[str, Any] | None = None,
        description: str | None = None,
        **options: Any,
    ) -> Operation:
        verb = {"GET": "get" if item else "list", "POST": "insert", "PATCH": "update", "PUT": "replace"}
        extra: dict[str, Any] = {"parameters": [*(self._key() if item else []), *parameters]}
        if body is not None:
            extra["requestBody"] = {"content": {"application/json": {"schema": body}}, "required": method != "POST"}
        name = f"{verb.get(method, 'delete')}_{'one_of_' if item else ''}{self.name}"
        text = "\n\n".join(part for part in (self.description_of(item), description) if part)
        return Operation(
            method,
            item,
            {"summary": summary, "description": text, "operation_id": name, "openapi_extra": extra, **options},
        )

    def description_of(self, item: bool) -> str | None:
        """What the resource says of itself, for the operations on the collection."""
        return None if item else self.description

    def _key(self) -> list[dict[str, Any]]:
        keys = self.entity.primary_key
        described = " and ".join(f"{key.name} ({key.wire.name})" for key in keys)
        comma = ", with commas between" if len(keys) > 1 else ""
        return [
            {
                "name": self.item_path[2:-1],
                "in": "path",
                "required": True,
                "description": f"The primary key: {described}{comma}.",
                "schema": TypeAdapter(keys[0].wire.read_annotation).json_schema()
                if len(keys) == 1
                else {"type": "string"},
            }
        ]

    def _shape(self) -> list[dict[str, Any]]:
        columns = ", ".join(self.entity.columns)
        return [
            select_parameter(),
            query_parameter(
                "order",
                f"Columns to order by, such as `{next(iter(self.entity.columns), 'id')}.desc`; "
                f"`.nullsfirst` and `.nullslast` may follow. Columns: {columns}.",
            ),
        ]

    def _page(self) -> list[dict[str, Any]]:
        return [
            query_parameter("limit", "The most rows to answer with.", {"type": "integer", "minimum": 0}),
            query_parameter("offset", "How many rows to leave out first.", {"type": "integer", "minimum": 0}),
        ]

    def _filters(self) -> list[dict[str, Any]]:
        both = [
            query_parameter("or", "Filters of which one has to hold, such as `(id.eq.1,id.eq.2)`."),
            query_parameter("and", "Filters that all have to hold, such as `(id.gt.1,id.lt.9)`."),
        ]
        return [*(self._filter(item) for item in self.entity.columns.values()), *both]

    def _filter(self, item: EntityColumn) -> dict[str, Any]:
        about = f" {item.column.comment}" if item.column.comment else ""
        return query_parameter(
            item.name, f"`operator.value`, such as `eq.…`. Operators: {OPERATORS}, each also after `not.`.{about}"
        )


def query_parameter(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """A parameter of the query string."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema or {"type": "string"},
    }


def select_parameter() -> dict[str, Any]:
    return query_parameter("select", "Columns to answer with, such as `id,name`; `alias:name` renames one.")


def prefer(values: str) -> dict[str, Any]:
    return {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": f"`{values}`",
        "schema": {"type": "string"},
    }


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def one_or_many(model: type[BaseModel]) -> dict[str, Any]:
    schema = schema_of(model)
    return {"anyOf": [schema, {"type": "array", "items": schema}]}
