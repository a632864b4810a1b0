"""Fields: a column, or a place inside its JSON, as an expression."""

from __future__ import annotations

import re
from json import dumps
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Integer, Text, case, cast, func, literal_column, null, type_coerce, types
from sqlalchemy.dialects import postgresql

from ..errors import ApiError
from ..query import Field, JsonStep
from .casts import cast_target as cast_target
from .database_types import database_type, family
from .output import literal_text
from .scope import Parameters, Scope, Target
from .types import wire_type

_PLAIN_KEY = re.compile(r"[ !#-\[\]-~]*")
"""Keys that SQLite's own paths can name: it compares them as they are written, escapes and all."""


def field_name(field: Field) -> str:
    """The field as a client writes it."""
    return field.name + "".join(f"{step.arrow}{step.key}" for step in field.path)


def field_target(scope: Scope, field: Field, parameters: Parameters) -> Target:
    """What a field stands for.

    ``->`` yields JSON and ``->>`` text, as PostgreSQL writes it. In a column that holds no JSON there are no places,
    except that SQLite, which has no type for JSON, may hold it in a column of text.

    Raises:
        ApiError: 42703 for an unknown column, 42883 for a step behind ``->>``, which yields text.
    """
    target = scope.column(field.name)
    if not field.path:
        return target
    for step, after in zip(field.path, field.path[1:], strict=False):
        if step.arrow == "->>":
            key = "integer" if isinstance(after.key, int) else "unknown"
            raise ApiError(
                404,
                "42883",
                f"operator does not exist: text {after.arrow} {key}",
                hint=f"->> yields text, in which there is no {after.key}: write -> before it.",
            )
    dialect = scope.entity.dialect
    if dialect.name == "postgresql":
        return _postgresql_place(target, field.path, parameters, dialect)
    return _sqlite_place(target, field.path, parameters, dialect)


def _postgresql_place(target: Target, path: tuple[JsonStep, ...], parameters: Parameters, dialect: Dialect) -> Target:
    type_ = database_type(target.expression.type, dialect)
    place = target.expression
    document: types.JSON = postgresql.JSONB()
    if family(type_) != "json":
        place = func.to_jsonb(place, type_=document)
    elif not isinstance(type_, postgresql.JSONB):
        document = postgresql.JSON()
    for step in path:
        key = parameters.constant(step.key, Integer() if isinstance(step.key, int) else Text())
        place = place.op(step.arrow, return_type=document if step.arrow == "->" else Text())(key)
    return Target(place, wire_type(place.type, dialect))


def _sqlite_place(target: Target, path: tuple[JsonStep, ...], parameters: Parameters, dialect: Dialect) -> Target:
    keys = [step.key for step in path]
    column: ColumnElement[Any] = target.expression
    # What is no JSON has no places, and must not fail the whole answer.
    document: ColumnElement[Any] = case((func.json_valid(column), column), else_=null())
    if all(isinstance(key, int) or _PLAIN_KEY.fullmatch(key) for key in keys):
        where = parameters.constant("$" + "".join(_path_step(key) for key in keys), Text())
    else:
        document = func.json_place(document, parameters.constant(dumps(keys), Text()))
        where = literal_text("$")
    place = document.op("->", return_type=types.JSON())(where)
    if path[-1].arrow == "->":
        return Target(place, wire_type(place.type, dialect))
    text = case(
        (literal_text("text"), document.op("->>")(where)),
        (literal_text("null"), null()),
        (literal_text("object"), func.json_text(place)),
        (literal_text("array"), func.json_text(place)),
        value=func.json_type(document, where),
        # What `->` yields is JSON to SQLite's other functions, until something is done with it.
        else_=place.op("||")(literal_text("")),
    )
    return Target(type_coerce(text, Text()), wire_type(Text(), dialect))


def _path_step(key: str | int) -> str:
    if isinstance(key, str):
        return f'."{key}"'
    return f"[{key}]" if key >= 0 else f"[#{key}]"


def comparable(target: Target, dialect: Dialect) -> ColumnElement[Any]:
    """The expression for ``=``: JSON is compared by its value, as ``jsonb`` is, not by how it is written."""
    type_ = database_type(target.expression.type, dialect)
    if family(type_) != "json":
        return target.expression
    if dialect.name == "sqlite":
        return func.json_order(target.expression, type_=types.LargeBinary())
    if isinstance(type_, postgresql.JSONB):
        return target.expression
    return cast(target.expression, postgresql.JSONB())


def sortable(target: Target, dialect: Dialect) -> ColumnElement[Any]:
    """The expression for ``<``, ``>`` and ORDER BY: besides JSON, an enum is in the order of its labels."""
    type_ = database_type(target.expression.type, dialect)
    if dialect.name == "sqlite" and isinstance(type_, types.Enum) and type_.native_enum and type_.enums:
        return label_order(target.expression, type_)
    return comparable(target, dialect)


def label_order(expression: ColumnElement[Any], type_: types.Enum) -> ColumnElement[Any]:
    """The number of an enum's label, for SQLite, which holds it as text."""
    ranks = [(literal_text(str(label)), literal_column(str(rank), Integer())) for rank, label in enumerate(type_.enums)]
    return case(*ranks, value=type_coerce(expression, Text()))
