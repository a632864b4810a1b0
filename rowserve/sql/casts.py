"""Casts: ``column::type``, by PostgreSQL's rules on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Dialect, MetaData, Text, cast, func, literal_column, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from ..errors import ApiError
from .database_types import database_type, family
from .output import literal_text
from .reflected_types import array_of
from .scope import Target
from .types import wire_type

_TYPES: dict[str, TypeEngine[Any]] = {
    "text": types.Text(),
    "character varying": types.String(),
    "smallint": types.SmallInteger(),
    "integer": types.Integer(),
    "bigint": types.BigInteger(),
    "numeric": types.Numeric(),
    "real": types.REAL(),
    "double precision": types.Double(),
    "boolean": types.Boolean(),
    "date": types.Date(),
    "time": types.Time(),
    "time with time zone": types.Time(timezone=True),
    "timestamp": types.DateTime(),
    "timestamp with time zone": types.DateTime(timezone=True),
    "interval": types.Interval().with_variant(postgresql.INTERVAL(), "postgresql"),
    "uuid": types.Uuid(),
    "json": types.JSON(),
    "jsonb": types.JSON().with_variant(postgresql.JSONB(), "postgresql"),
    "bytea": types.LargeBinary(),
}
"""What can be cast to, by the names that `WireType` has for them."""

_ALIASES = {
    "varchar": "character varying",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "decimal": "numeric",
    "dec": "numeric",
    "float": "double precision",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "time without time zone": "time",
    "timetz": "time with time zone",
    "timestamp without time zone": "timestamp",
    "timestamptz": "timestamp with time zone",
}

TEXTS = frozenset({"text", "character varying", "character"})
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_NUMBERS = frozenset({*_INTEGERS, "numeric", "real", "double precision"})
_CASTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    "integer": _NUMBERS | {"boolean"},
    "boolean": frozenset({"boolean", "integer"}),
    "date": frozenset({"date", "timestamp", "timestamp with time zone"}),
    "timestamp": frozenset({"timestamp", "date", "time", "timestamp with time zone"}),
    "timestamp with time zone": frozenset(
        {"timestamp with time zone", "timestamp", "date", "time", "time with time zone"}
    ),
    "time": frozenset({"time", "time with time zone", "interval"}),
    "time with time zone": frozenset({"time with time zone", "time"}),
    "interval": frozenset({"interval", "time"}),
    "json": frozenset({"json", "jsonb", "boolean", *_NUMBERS}),
    "jsonb": frozenset({"json", "jsonb", "boolean", *_NUMBERS}),
    "uuid": frozenset({"uuid"}),
    "bytea": frozenset({"bytea"}),
}
"""What can be cast to what, besides that text can be cast to everything and everything to text."""

_FULL_NAMES = {"time": "time without time zone", "timestamp": "timestamp without time zone"}


def cast_target(target: Target, type_name: str, tables: MetaData, dialect: Dialect) -> Target:
    """The target as another type.

    Args:
        type_name: PostgreSQL's name of it, or an alias of that; on PostgreSQL also an enum's, or, with ``_`` before it,
            that of an array of any of those.
        tables: whose columns have the enums that are known.

    Raises:
        ApiError: 42704 for a type that is not known, 42846 where the one cannot be cast to the other.
    """
    name = " ".join(type_name.lower().split())
    is_array = name.startswith("_") and dialect.name == "postgresql"
    name = name[1:] if is_array else name
    name = _ALIASES.get(name, name)
    type_ = _TYPES.get(name)
    is_enum = type_ is None and dialect.name == "postgresql"
    if is_enum:
        type_ = enums_of(tables, dialect).get(name)
    if type_ is None:
        raise _unknown_type(type_name)
    if is_array or is_enum:
        # What can be cast to it, PostgreSQL says by itself.
        type_ = array_of(type_) if is_array else type_
        return Target(cast(target.expression, type_), wire_type(type_, dialect), target.nullable)
    _check(target, name, dialect)
    expression = (_postgresql_cast if dialect.name == "postgresql" else _sqlite_cast)(target, name, type_, dialect)
    return Target(expression, wire_type(type_, dialect), target.nullable)


def enums_of(tables: MetaData, dialect: Dialect) -> dict[str, types.Enum]:
    """The enums of a database that columns have, by name."""
    found: dict[str, types.Enum] = {}
    for table in tables.tables.values():
        for column in table.columns:
            type_ = database_type(column.type, dialect)
            element = database_type(type_.item_type, dialect) if isinstance(type_, types.ARRAY) else type_
            if isinstance(element, types.Enum) and element.native_enum and element.name is not None:
                found[element.name] = element
    return found


def _unknown_type(type_name: str) -> ApiError:
    known = ", ".join(sorted({*_TYPES, *_ALIASES}))
    return ApiError(400, "42704", f'type "{type_name}" does not exist', hint=f"What can be cast to: {known}.")


def _check(target: Target, name: str, dialect: Dialect) -> None:
    """Refuses what PostgreSQL has no cast for."""
    source = target.wire.name
    is_enum = family(database_type(target.expression.type, dialect)) == "plain" and source not in _CASTS
    if name not in TEXTS and (is_enum or name not in _CASTS.get(source, _TYPES)):
        names = (_FULL_NAMES.get(each, each) for each in (source, name))
        raise ApiError(400, "42846", "cannot cast type {} to {}".format(*names))


def _postgresql_cast(target: Target, name: str, type_: TypeEngine[Any], dialect: Dialect) -> ColumnElement[Any]:
    expression = target.expression
    if target.wire.name == "json" and name in _CASTS["json"] - {"json"}:
        expression = cast(expression, postgresql.JSONB())
    return cast(expression, type_)


def _sqlite_cast(target: Target, name: str, type_: TypeEngine[Any], dialect: Dialect) -> ColumnElement[Any]:
    expression, source = target.expression, target.wire.name
    if name in TEXTS and source in _INTEGERS | TEXTS:
        return cast(expression, Text())
    stored = database_type(expression.type, dialect)
    if source not in _CASTS or isinstance(stored, types.Enum):
        source = "text"
    scale = stored.scale if isinstance(stored, types.Numeric) and stored.precision is not None else None
    digits = literal_column("NULL" if scale is None else str(int(scale)), types.Integer())
    return func.cast_value(expression, literal_text(source), literal_text(name), digits, type_=type_)
