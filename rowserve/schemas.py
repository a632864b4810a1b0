"""Mapped classes as Pydantic models: what can be read, inserted and updated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Column, Dialect, inspect
from sqlalchemy.orm import ColumnProperty, Mapper
from sqlalchemy.sql.elements import KeyedColumnElement

from rowserve.rows import InputColumn, RowReader
from rowserve.sql.literals import RefusedError
from rowserve.sql.types import WireType, wire_type


@dataclass(frozen=True, slots=True)
class Schemas:
    """The wire forms of a mapped class.

    On the wire a column has the name it has in the database, and a ``column_property`` that of its attribute.

    Attributes:
        read: the model of a row that is read.
        insert: the model of a row to insert; only what has no default of any kind is required.
        update: the model of changes to a row; nothing is required.
        inserts: reads rows to insert out of requests.
        updates: reads changes out of requests.
        types: wire name -> how its values cross the wire.
        attributes: wire name -> the name of the mapped attribute.
    """

    read: type[BaseModel]
    insert: type[BaseModel]
    update: type[BaseModel]
    inserts: RowReader
    updates: RowReader
    types: Mapping[str, WireType]
    attributes: Mapping[str, str]


def schemas_for(
    model: type[Any],
    dialect: Dialect,
    *,
    hidden: Collection[str] = (),
    readonly: Collection[str] = (),
    optional: Collection[str] = (),
) -> Schemas:
    """The schemas of a mapped class over a database's dialect.

    Args:
        hidden: wire names that clients never learn of: as input they are unknown columns.
        readonly: wire names that are read, but refused as input (428C9), and not required.
        optional: wire names that are not required on insert, whatever the table says, for a hook fills them in.

    Raises:
        ValueError: if one of those names is no column of the model.
    """
    mapper: Mapper[Any] = inspect(model)
    elements = {name: (prop, element) for name, prop, element in _elements(mapper)}
    for name in (*hidden, *readonly, *optional):
        if name not in elements:
            raise ValueError(f"{model.__name__} has no column {name!r}; it has {', '.join(elements)}")
    types = {name: wire_type(element.type, dialect) for name, (_, element) in elements.items() if name not in hidden}
    columns = {
        name: element
        for name, (_, element) in elements.items()
        if isinstance(element, Column) and element.table is not None
    }
    visible = {name: column for name, column in columns.items() if name not in hidden}
    filled = {column.name for column in (mapper.version_id_col, mapper.polymorphic_on) if isinstance(column, Column)}

    def inputs(*, insert: bool) -> Iterator[InputColumn]:
        for name, column in columns.items():
            required = insert and name not in (*readonly, *optional, *filled) and _is_required(column)
            if name in visible:
                refused = _refusal(column, insert=insert, readonly=name in readonly)
                yield InputColumn(name, types[name], bool(column.nullable), required, refused)

    inserted, updated = list(inputs(insert=True)), list(inputs(insert=False))
    table = str(getattr(mapper.local_table, "name", model.__name__))
    return Schemas(
        read=_read_model(model, types, elements),
        insert=_input_model(f"{model.__name__}Insert", inserted, visible),
        update=_input_model(f"{model.__name__}Update", updated, visible),
        inserts=RowReader(table, inserted),
        updates=RowReader(table, updated),
        types=types,
        attributes={name: elements[name][0].key for name in types},
    )


def _elements(mapper: Mapper[Any]) -> Iterator[tuple[str, ColumnProperty[Any], KeyedColumnElement[Any]]]:
    for prop in mapper.column_attrs:
        element = prop.columns[0]
        is_column = isinstance(element, Column) and element.table is not None
        yield str(element.name) if is_column else prop.key, prop, element


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


def _read_model(
    model: type[Any], types: Mapping[str, WireType], elements: Mapping[str, tuple[ColumnProperty[Any], Any]]
) -> type[BaseModel]:
    fields: dict[str, tuple[Any, Any]] = {}
    for name, wire in types.items():
        prop, element = elements[name]
        annotation = wire.read_annotation
        if getattr(element, "nullable", True):
            annotation = annotation | None
        fields[name] = (annotation, Field(alias=name, description=_description(element) or prop.doc))
    return _model(model.__name__, model.__doc__, fields)


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
