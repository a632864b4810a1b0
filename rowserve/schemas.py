"""Entities as Pydantic models: what can be read, inserted and updated."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Column, inspect
from sqlalchemy.orm import Mapper

from rowserve.modelled_rows import ModelledReader
from rowserve.rows import InputColumn, RowReader
from rowserve.sql.entity import Entity
from rowserve.sql.exposure import RowModel
from rowserve.sql.literals import RefusedError


class Schemas:
    """The wire forms of an entity, each made when it is first asked for.

    On the wire a column has the name it has in the database, and a computed one that of its attribute.

    Args:
        entity: the entity.
        optional: see :func:`schemas_for`.
    """

    def __init__(self, entity: Entity, *, optional: Collection[str]) -> None:
        self._entity = entity
        self._name = entity.name if entity.model is None else entity.model.__name__
        self._exposure = entity.exposure
        self._optional = optional

    @cached_property
    def read(self) -> type[BaseModel]:
        """The model of a row that is read."""
        if self._exposure.read is not None:
            return self._exposure.read.model
        return _read_model(self._entity, self._name, [*self._entity.columns, *self._entity.computed])

    @cached_property
    def insert(self) -> type[BaseModel]:
        """The model of a row to insert; only what has no default of any kind is required."""
        if self._exposure.create is not None:
            return self._exposure.create.model
        return _input_model(f"{self._name}Insert", self._inputs(insert=True), self._entity)

    @cached_property
    def update(self) -> type[BaseModel]:
        """The model of changes to a row; nothing is required."""
        if self._exposure.update is not None:
            return self._exposure.update.model
        return _input_model(f"{self._name}Update", self._inputs(insert=False), self._entity)

    @cached_property
    def inserts(self) -> RowReader:
        """Reads rows to insert out of requests."""
        if self._exposure.create is not None:
            return self._modelled(self._exposure.create, insert=True)
        return RowReader(self._entity.name, self._inputs(insert=True))

    @cached_property
    def updates(self) -> RowReader:
        """Reads changes out of requests."""
        if self._exposure.update is not None:
            return self._modelled(self._exposure.update, insert=False)
        return RowReader(self._entity.name, self._inputs(insert=False))

    def _modelled(self, model: RowModel, *, insert: bool) -> RowReader:
        refused = {given.name: given.refused for given in self._inputs(insert=insert) if given.refused is not None}
        return ModelledReader(self._entity, model, sparse=not insert, refused=refused)

    def _inputs(self, *, insert: bool) -> list[InputColumn]:
        readonly = self._exposure.readonly
        given = {*readonly, *self._optional, *filled_columns(self._entity)}
        return [
            InputColumn(
                name,
                item.wire,
                bool(item.column.nullable),
                insert and name not in given and _is_required(item.column),
                _refusal(item.column, insert=insert, readonly=name in readonly),
            )
            for name, item in self._entity.columns.items()
        ]


def schemas_for(entity: Entity, *, optional: Collection[str] = ()) -> Schemas:
    """The schemas of an entity, as far as clients may know of it.

    Args:
        optional: wire names that are not required on insert, whatever the table says, for a hook fills them in.

    Raises:
        ValueError: if one of those names is no column of the entity.
    """
    names = (*entity.columns, *entity.computed)
    for name in optional:
        if name not in names:
            raise ValueError(f"{entity.name} has no column {name!r}; it has {', '.join(names)}")
    return Schemas(entity, optional=optional)


def filled_columns(entity: Entity) -> set[str]:
    """The columns that a mapper gives a value by itself, and the version of rows."""
    filled = set() if entity.version is None else {entity.version.name}
    if entity.model is not None:
        mapper: Mapper[Any] = inspect(entity.model)
        own = (mapper.version_id_col, mapper.polymorphic_on)
        filled |= {column.name for column in own if isinstance(column, Column)}
    return filled


def _is_required(column: Column[Any]) -> bool:
    return not (
        column.nullable
        or column.default is not None
        or column.server_default is not None
        or column.identity is not None
        or column.computed is not None
        or column.table.autoincrement_column is column
    )


def _refusal(column: Column[Any], *, insert: bool, readonly: bool) -> RefusedError | None:
    """PostgreSQL's error for a value of a column that makes its own."""
    if column.computed is not None:
        reason = "is a generated column."
    elif column.identity is not None and column.identity.always:
        reason = "is an identity column defined as GENERATED ALWAYS."
    elif readonly:
        reason = "is read-only."
    else:
        return None
    message = (
        f'cannot insert a non-DEFAULT value into column "{column.name}"'
        if insert
        else f'column "{column.name}" can only be updated to DEFAULT'
    )
    return RefusedError("428C9", message, details=f'Column "{column.name}" {reason}')


def _field_name(name: str, position: int) -> str:
    """A name that Pydantic takes for a field; the column's own where that is one."""
    if name.isidentifier() and not name.startswith("_") and not hasattr(BaseModel, name):
        return name
    return f"column_{position}"


def _model(name: str, doc: str | None, fields: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    definitions: dict[str, Any] = {
        _field_name(alias, position): (annotation, field)
        for position, (alias, (annotation, field)) in enumerate(fields.items(), 1)
    }
    config = ConfigDict(protected_namespaces=(), populate_by_name=True)
    return create_model(name, __config__=config, __doc__=doc, **definitions)


def _description(element: Any) -> str | None:
    return getattr(element, "comment", None) or getattr(element, "doc", None)


def _read_model(entity: Entity, name: str, names: list[str]) -> type[BaseModel]:
    fields: dict[str, tuple[Any, Any]] = {}
    for column_name in names:
        item = entity.columns.get(column_name)
        if item is None:
            computed = entity.computed[column_name]
            # Not part of ``*``: it is there if it is selected.
            field = Field(alias=column_name, description=computed.description, default_factory=type(None))
            fields[column_name] = (computed.wire.read_annotation | None, field)
            continue
        annotation = item.wire.read_annotation
        if item.column.nullable:
            annotation = annotation | None
        fields[column_name] = (annotation, Field(alias=column_name, description=_description(item.column)))
    doc = entity.table.comment if entity.model is None else entity.model.__doc__
    return _model(name, doc, fields)


def _input_model(name: str, inputs: list[InputColumn], entity: Entity) -> type[BaseModel]:
    fields: dict[str, tuple[Any, Any]] = {}
    for given in inputs:
        if given.refused is not None:
            continue
        column = entity.columns[given.name].column
        annotation = given.wire.annotation | None if given.nullable else given.wire.annotation
        extra: dict[str, Any] = {}
        # A default that is a factory stays out of the schema: what the column would get is not for us to say.
        if not given.required:
            extra["default_factory"] = type(None)
        fields[given.name] = (annotation, Field(alias=given.name, description=_description(column), **extra))
    return _model(name, None, fields)
