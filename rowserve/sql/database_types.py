"""What a column's type is in the database, and what can be done with it there."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from sqlalchemy import Dialect, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from .postgresql_types import RANGED
from .reflected_types import TextualType, array_of

Family: TypeAlias = Literal["text", "json", "array", "range", "tsvector", "plain", "other"]
"""Types that have the same operators: ``plain`` are numbers, times and whatever else has but an order; what is not
known here is ``other``, and the database decides."""

_PLAIN = (
    types.Boolean, types.Integer, types.Numeric, types.Float, types.DateTime, types.Date, types.Time, types.Interval,
    types.Uuid, types.LargeBinary, types.BINARY, types.VARBINARY, types.PickleType, types.Enum, postgresql.INTERVAL,
    postgresql.OID,
)  # fmt: skip
_RANGES = postgresql.ranges.AbstractSingleRange


def database_type(type_: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """The type without variants for other databases and without decorators."""
    # SQLAlchemy has no public way to ask for a variant undressed of its dialect implementation.
    type_ = type_._variant_mapping.get(dialect.name, type_)
    while isinstance(type_, TypeDecorator) and not isinstance(type_, types.Interval | types.PickleType):
        type_ = type_.load_dialect_impl(dialect)
        type_ = type_._variant_mapping.get(dialect.name, type_)
    return type_


def family(type_: TypeEngine[Any]) -> Family:
    """The family of what `database_type` gave."""
    if isinstance(type_, types.JSON):
        return "json"
    if isinstance(type_, types.ARRAY):
        return "array"
    if isinstance(type_, _RANGES):
        return "range" if str(type_.__visit_name__).lower() in RANGED else "other"
    if isinstance(type_, postgresql.TSVECTOR):
        return "tsvector"
    if isinstance(type_, types.Enum) and not type_.native_enum:
        return "text"
    if isinstance(type_, _PLAIN):
        return "plain"
    return "text" if isinstance(type_, types.String) else "other"


def compared(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type that a value is compared as: without a length or a scale, to which it would be cut and rounded."""
    if isinstance(type_, types.ARRAY):
        return array_of(_element(type_.item_type), dimensions=type_.dimensions)
    if isinstance(type_, postgresql.CITEXT):
        return type_
    if isinstance(type_, types.String) and not isinstance(type_, types.Enum):
        return types.String()
    return _without_scale(type_)


def _element(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    # An array of text is no array of varchar: there is no operator between the two.
    if isinstance(type_, types.CHAR | types.NCHAR | types.Enum):
        return type_
    if isinstance(type_, types.String):
        return types.Text() if isinstance(type_, types.Text) else types.String()
    return _without_scale(type_)


def _without_scale(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(type_, types.Numeric) and not isinstance(type_, types.Float):
        return types.Numeric()
    return type_.without_limits() if isinstance(type_, TextualType) else type_


def is_read_by_database(type_: TypeEngine[Any], dialect: Dialect) -> bool:
    """Whether a value has to be sent as text, for the database to read it as this type."""
    return dialect.name == "postgresql" and family(type_) in ("other", "tsvector") and not isinstance(type_, NullType)
