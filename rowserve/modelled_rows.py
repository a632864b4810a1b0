"""Rows that a request brings, validated by a Pydantic model of the application's own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr, TypeAdapter
from pydantic_core import ValidationError, from_json, to_json
from sqlalchemy import types

from rowserve.errors import ApiError
from rowserve.rows import Body, InputColumn, InvalidJSONError, RowReader, has_long_number, is_array
from rowserve.sql.entity import Entity, EntityColumn
from rowserve.sql.exposure import RowModel
from rowserve.sql.literals import RefusedError
from rowserve.sql.wire import ExactNumber

Problem = Mapping[str, Any]
INVALID = "22023"
"""PostgreSQL's code for a value that a parameter may not have."""


class ModelledReader(RowReader):
    """Reads the rows of one table as a model has them: what the model dumps is then read as its columns take it.

    Args:
        entity: the table.
        model: the model.
        sparse: whether keys that were not given stay absent; else the model's defaults stand for them.
        refused: the errors for keys of columns that take no value.
        taken: takes these keys alone and ignores all others; None for all.
    """

    is_modelled = True

    def __init__(
        self,
        entity: Entity,
        model: RowModel,
        *,
        sparse: bool,
        refused: Mapping[str, RefusedError],
        taken: Collection[str] | None = None,
    ) -> None:
        names = dict.fromkeys(model.dumped.values())
        super().__init__(entity.name, [InputColumn(name, entity.stored[name].wire) for name in names])
        self._entity = entity
        self._row = model
        self._sparse = sparse
        self._refused = refused
        self._taken = taken
        known = {key: entity.stored[column].wire.name for key, column in model.given.items() if column}
        self._numeric = {key for key, name in known.items() if name == "numeric"}
        closed = closed_model(model.model)
        self._instance: TypeAdapter[BaseModel] = TypeAdapter(closed)
        self._instances: TypeAdapter[list[BaseModel]] = TypeAdapter(list[closed])  # type: ignore[valid-type]

    def only(self, columns: Collection[str], *, nulls: bool = False) -> ModelledReader:
        """A reader that takes ``columns`` alone. What else there is, the model says: ``nulls`` does not matter."""
        for name in columns:
            if name not in self._row.given:
                raise self._unknown(name, None)
        return ModelledReader(
            self._entity, self._row, sparse=self._sparse, refused=self._refused, taken=frozenset(columns)
        )

    def key_of(self, name: str) -> str | None:
        if name in self._refused:
            return None
        return next((key for key, column in self._row.given.items() if column == name), None)

    def check_taken(self, name: str) -> None:
        """Raises ApiError: 428C9 or PGRST204 for a column that the model does not take."""
        if name in self._refused or name not in self.columns:
            raise self._unknown(name, None)

    def _read(self, body: Body, row: int | None, keys: Collection[str] | None) -> list[dict[str, Any]]:
        if self._taken is not None:
            body = self._narrowed(body)
        if self._numeric and has_long_number(body):
            body = self._exact(body)
        try:
            if row is None:
                instances = [self._instance.validate_json(body)]
            else:
                instances = self._instances.validate_json(body)
        except ValidationError as error:
            raise self._invalid(error, row) from None
        dumped = [self._values(instance) for instance in instances]
        return super()._read(to_json(dumped[0] if row is None else dumped), row, keys)

    def from_strings(self, pairs: Iterable[tuple[str, str | None]], *, row: int | None = None) -> dict[str, Any]:
        texts = {name: text for name, text in pairs if self._taken is None or name in self._taken}
        try:
            instance = self._instance.validate_python(texts)
        except ValidationError as error:
            raise self._invalid(error, row, is_alone=True) from None
        values = [self._values(instance)]
        return super()._read(to_json(values[0] if row is None else values), row, None)[0]

    def _narrowed(self, body: Body) -> Body:
        """The body without the keys that are not to be taken."""
        assert self._taken is not None
        try:
            value = from_json(body)
        except ValueError as error:
            raise InvalidJSONError(str(error)) from None
        rows = [
            {key: item for key, item in row.items() if key in self._taken} if isinstance(row, dict) else row
            for row in (value if is_array(body) else [value])
        ]
        return to_json(rows if is_array(body) else rows[0])

    def _exact(self, body: Body) -> Body:
        """The body with its exact numbers as texts: Pydantic would make floats of numbers first."""
        try:
            value = json.loads(body, parse_float=ExactNumber)
        except (ValueError, RecursionError) as error:
            raise InvalidJSONError(str(error)) from None
        for row in value if isinstance(value, list) else [value]:
            for key in self._numeric.intersection(row) if isinstance(row, dict) else ():
                if isinstance(row[key], ExactNumber):
                    row[key] = row[key].text
        return to_json(value)

    def _values(self, instance: BaseModel) -> dict[str, Any]:
        """What a row sets, by column, as JSON."""
        dumped = instance.model_dump(exclude_unset=self._sparse, warnings=False)
        stored = self._entity.stored
        values: dict[str, Any] = {}
        for name, value in dumped.items():
            column = self._row.dumped.get(name)
            if column is None:
                continue
            item = stored[column]
            if value is None and not item.column.nullable and name not in instance.model_fields_set:
                continue  # the model's way to say that there is a default elsewhere
            values[column] = plain(value, item)
        return values

    def _invalid(self, error: ValidationError, row: int | None, *, is_alone: bool = False) -> ApiError:
        """The answer to what the model does not take: what the dialect says of it where that has words, else 422.

        Args:
            row: the number of the first row; None where there is no other.
            is_alone: whether the error is about that row, rather than about an array that begins with it.
        """
        problems: list[tuple[int | None, tuple[Any, ...], Problem]] = []
        for problem in error.errors(include_url=False, include_context=True, include_input=False):
            if problem["type"] == "json_invalid":
                return InvalidJSONError(problem["ctx"]["error"])
            place = tuple(problem["loc"])
            number = row
            if row is not None and not is_alone and place:
                number, place = row + int(place[0]), place[1:]
            if not place and problem["type"] in ("model_type", "model_attributes_type", "list_type"):
                return InvalidJSONError("The body must be an object or an array of objects")
            problems.append((number, place, problem))
        for number, place, found in problems:
            if found["type"] == "extra_forbidden" and len(place) == 1:
                return self._unknown(str(place[0]), number)
        told = [described(*each) for each in problems]
        first = told[0]
        where = "".join(
            [f"row {first['row']}, " if "row" in first else "", f"{first['field']}: " if first["field"] else ""]
        )
        return ApiError(422, INVALID, f"{where}{first['message']}", details=told)

    def _unknown(self, name: str, row: int | None) -> ApiError:
        """The answer to a key that the model has no field for."""
        refused = self._refused.get(name)
        if refused is not None:
            return refused.error(None if row is None else f'row {row + 1}, column "{name}"')
        return ApiError(
            400,
            "PGRST204",
            f"Could not find the '{name}' column of '{self.table}' in the schema cache",
            hint=f"The columns of '{self.table}' are: {', '.join(self._row.given)}.",
        )


def described(row: int | None, place: tuple[Any, ...], problem: Problem) -> dict[str, Any]:
    """A problem of a row's, as details list it."""
    told = {"field": ".".join(map(str, place)) or None, "message": problem["msg"], "type": problem["type"]}
    return told if row is None else {"row": row + 1, **told}


def closed_model(model: type[BaseModel]) -> type[BaseModel]:
    """The model, refusing keys that it has no field for, unless it says itself what becomes of them."""
    if "extra" in model.model_config:
        return model
    members = {"__module__": model.__module__, "__doc__": model.__doc__, "model_config": ConfigDict(extra="forbid")}
    make: Any = type(model)
    closed: type[BaseModel] = make(model.__name__, (model,), members)
    return closed


def plain(value: Any, item: EntityColumn) -> Any:
    """A value as JSON has it that the column takes."""
    if isinstance(value, SecretStr | SecretBytes):
        value = value.get_secret_value()
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    type_ = item.column.type
    if isinstance(value, Enum) and isinstance(type_, types.Enum) and type_.enum_class is not None:
        # By its name, which is its label there; elsewhere by its value.
        return item.wire.bind(value) if item.wire.bind is not None else value.name
    return value
