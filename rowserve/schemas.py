"""Entities as Pydantic models: what can be read, inserted and updated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Column, inspect
from sqlalchemy.orm import Mapper

from rowserve.rows import InputColumn, RowReader
from rowserve.sql.entity import Entity
from rowserve.sql.literals import RefusedError


@dataclass(frozen=True, slots=True)
class Schemas:
    """The wire forms of an entity.

    On the wire a column has the name it has in the database, and a computed one that of its attribute.

    Attributes:
        read: the model of a row that is read.
        insert: the model of a row to insert; only what has no default of any kind is required.
        update: the model of changes to a row; nothing is required.
        inserts: reads rows to insert out of requests.
        updates: reads changes out of requests.
    """

    read: type[BaseModel]
    insert: type[BaseModel]
    update: type[BaseModel]
    inserts: RowReader
    updates: RowReader


def schemas_for(
    entity: Entity,
    *,
    hidden: Collection[str] = (),
    readonly: Collection[str] = (),
    optional: Collection[str] = (),
) -> Schemas:
    """The schemas of an entity.

    Args:
        hidden: wire names that clients never learn of: as input they are unknown columns.
        readonly: wire names that are read, but refused as input (428C9), and not required.
        optional: wire names that are not required on insert, whatever the table says, for a hook fills them in.

    Raises:
        ValueError: if one of those names is no column of the entity.
    """
    types = {name: item.wire for name, item in entity.columns.items()}
    types |= {name: computed.wire for name, computed in entity.computed.items()}
    for name in (*hidden, *readonly, *optional):
        if name not in types:
            raise ValueError(f"{entity.name} has no column {name!r}; it has {', '.join(types)}")
    columns = {name: item.column for name, item in entity.columns.items()}
    visible = {name: column for name, column in columns.items() if name not in hidden}
    filled = filled_columns(entity)

    def inputs(*, insert: bool) -> Iterator[InputColumn]:
        for name, column in columns.items():
            required = insert and name not in (*readonly, *optional, *filled) and _is_required(column)
            if name in visible:
                refused = _refusal(column, insert=insert, readonly=name in readonly)
                yield InputColumn(name, types[name], bool(column.nullable), required, refused)

    inserted, updated = list(inputs(insert=True)), list(inputs(insert=False))
    name = entity.name if entity.model is None else entity.model.__name__
    return Schemas(
        read=_read_model(entity, name, [name for name in types if name not in hidden]),
        insert=_input_model(f"{name}Insert", inserted, visible),
        update=_input_model(f"{name}Update", updated, visible),
        inserts=RowReader(entity.name, inserted),
        updates=RowReader(entity.name, updated),
    )


def filled_columns(entity: Entity) -> set[str]:
    """The columns that a mapper gives a value by itself."""
    if entity.model is None:
        return set()
    mapper: Mapper[Any] = inspect(entity.model)
    return {column.name for column in (mapper.version_id_col, mapper.polymorphic_on) if isinstance(column, Column)}


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


def _input_model(name: str, inputs: list[InputColumn], columns: Mapping[str, Column[Any]]) -> type[BaseModel]:
    fields: dict[str, tuple[Any, Any]] = {}
    for given in inputs:
        if given.refused is not None:
            continue
        column = columns[given.name]
        annotation = given.wire.annotation | None if given.nullable else given.wire.annotation
        extra: dict[str, Any] = {}
        # A default that is a factory stays out of the schema: what the column would get is not for us to say.
        if not given.required:
            extra["default_factory"] = type(None)
        fields[given.name] = (annotation, Field(alias=given.name, description=_description(column), **extra))
    return _model(name, None, fields)
