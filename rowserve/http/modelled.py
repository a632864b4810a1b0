"""Rows that are answered with as a Pydantic model of the application's own has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic_core import ValidationError, from_json, to_json
from sqlalchemy import types

from ..backends.sqlite_output import csv_field
from ..errors import ApiError
from ..sql.entity import Entity
from ..sql.exposure import RowModel
from ..sql.plan import Node
from ..sql.wire import json_text


class ModelledRows:
    """Passes rows through a model.

    Args:
        node: the plan of the rows, which says which model.
        pass_values: passes decoded rows through their columns' types, where those have a say in Python.
        strip: whether members that are null are left out.
    """

    def __init__(self, node: Node, pass_values: Callable[[Any], Any] | None, *, strip: bool) -> None:
        assert node.model is not None
        self.names: Mapping[str, str] = node.model.given
        self._model = node.model.model
        self._table = node.entity.name
        self._members = members_of(node.entity, node.model)
        self._pass_values = pass_values
        self._strip = strip
        self._rows: TypeAdapter[list[BaseModel]] = TypeAdapter(list[self._model])  # type: ignore[name-defined]

    def validated(self, text: str) -> list[BaseModel]:
        """The rows in a JSON array.

        Raises:
            ApiError: 500 PGRSTX00 for a row that is stored and that the model does not take.
        """
        if self._pass_values is not None or self._members:
            value = from_json(text)
            if self._pass_values is not None:
                value = self._pass_values(value)
            for row in value:
                for key, members in self._members.items():
                    row[key] = members.get(row[key], row[key])
            text = to_json(value).decode()
        try:
            return self._rows.validate_json(text)
        except ValidationError as error:
            raise self._unfit(error) from error

    def _unfit(self, error: ValidationError) -> ApiError:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = problem["loc"][1:]
        return ApiError(
            500,
            "PGRSTX00",
            f"A row of {self._table} is not as {self._model.__name__} has it",
            details=f"{'.'.join(map(str, place))}: {problem['msg']}",
            hint="The model in read= has to take every row that is stored.",
        )

    def array(self, text: str) -> bytes:
        """The JSON array of the rows in one."""
        return self._rows.dump_json(self.validated(text), by_alias=True, exclude_none=self._strip)

    def objects(self, texts: Sequence[str]) -> bytes:
        """The rows with commas between."""
        return self.array(f"[{','.join(texts)}]")[1:-1]

    def lines(self, texts: Sequence[str]) -> bytes:
        """A line of JSON for each row."""
        rows = self._rows.dump_python(self.validated(f"[{','.join(texts)}]"), mode="json", by_alias=True)
        return b"".join(to_json(row) + b"\n" for row in rows)

    def csv_head(self) -> bytes:
        """The names in the first line of CSV."""
        return (",".join(map(csv_field, self._columns())) + "\n").encode()

    def csv(self, text: str) -> bytes:
        """The lines of CSV for the rows in a JSON array."""
        rows = self._rows.dump_python(self.validated(text), mode="json", by_alias=True)
        columns = self._columns()
        return "\n".join(",".join(csv_value(row.get(name)) for name in columns) for row in rows).encode()

    def _columns(self) -> list[str]:
        fields = self._model.model_fields.items()
        names = [field.serialization_alias or field.alias or name for name, field in fields if not field.exclude]
        return names + [field.alias or name for name, field in self._model.model_computed_fields.items()]


def csv_value(value: Any) -> str:
    """A value of JSON as PostgreSQL's CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    return csv_field(value if isinstance(value, str) else json_text(value))


def members_of(entity: Entity, model: RowModel) -> dict[str, dict[str, Any]]:
    """By key, what the labels of an enum are to a field that is one: the database has the names of its members, and
    Pydantic the values."""
    members: dict[str, dict[str, Any]] = {}
    for name, field in model.model.model_fields.items():
        key = next((key for key in (field.alias, name) if key in model.given), None)
        item = None if key is None else entity.columns.get(model.given[key])
        type_ = None if item is None else item.column.type
        if key is None or not isinstance(type_, types.Enum) or type_.enum_class is None:
            continue
        if type_.enum_class in (field.annotation, *get_args(field.annotation)):
            labels = [str(label) for label in type_.enums]
            found = [type_._object_value_for_elem(label) for label in labels]
            members[key] = {
                label: member.value for label, member in zip(labels, found, strict=True) if isinstance(member, Enum)
            }
    return members
