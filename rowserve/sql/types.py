"""How a column's values cross the wire: from JSON or a filter's text to the driver, from the database to JSON.

Nothing here runs per value on the way out: the database writes the JSON, from the expressions that `WireType.output`
gives. PostgreSQL's own JSON (with ``TimeZone=UTC``) is the reference, and SQLite is made to write the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from . import generic_types
from .decorated_types import decorated
from .postgresql_types import RANGED, array, span
from .reflected_types import NamedType, UntypedType, WideInteger
from .wire import WireType as WireType

_KINDS: tuple[tuple[Any, Callable[[Any, Dialect], WireType]], ...] = (
    (UntypedType, generic_types.untyped),
    (NamedType, generic_types.named),
    (types.Enum, generic_types.enumeration),
    (types.Boolean, generic_types.boolean),
    (types.SmallInteger, generic_types.integer("smallint", 16)),
    (types.BigInteger, generic_types.integer("bigint", 64)),
    (WideInteger, generic_types.integer("integer", 64)),
    (types.Integer, generic_types.integer("integer", 32)),
    (postgresql.OID, generic_types.integer("oid", 32, low=0)),
    (types.Float, generic_types.floating),
    (types.Numeric, generic_types.numeric),
    (types.DateTime, generic_types.moment),
    (types.Date, generic_types.day),
    (types.Time, generic_types.clock),
    (types.Interval | postgresql.INTERVAL, generic_types.interval),
    (types.Uuid, generic_types.uuid),
    (types.JSON, generic_types.document),
    (types.LargeBinary | types.BINARY | types.VARBINARY | types.PickleType, generic_types.binary),
    (types.String, generic_types.text),
)


def wire_type(type_: TypeEngine[Any], dialect: Dialect) -> WireType:
    """The wire form of a column's type over a database's dialect.

    Args:
        type_: any type: generic, a dialect's own, with variants, or a `TypeDecorator`. A type that is not known here
            crosses as text.
        dialect: the dialect of an engine, asyncpg's or SQLite's.
    """
    # SQLAlchemy has no public way to ask for a variant undressed of its dialect implementation.
    type_ = type_._variant_mapping.get(dialect.name, type_)
    if isinstance(type_, TypeDecorator) and not isinstance(type_, types.Interval | types.PickleType):
        impl = type_.load_dialect_impl(dialect)
        return decorated(type_, impl, wire_type(impl, dialect), dialect)
    if isinstance(type_, types.ARRAY):
        return array(type_, wire_type(type_.item_type, dialect), dialect)
    if isinstance(type_, postgresql.ranges.AbstractSingleRange):
        return span(type_, wire_type(RANGED[type_.__visit_name__.lower()], dialect), dialect)
    for kind, make in _KINDS:
        if isinstance(type_, kind):
            return make(type_, dialect)
    return generic_types.unknown(type_, dialect)
