"""What can be aggregated, by the names that PostgreSQL has for types."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Dialect, func, types

from ..errors import ApiError
from .scope import Target
from .types import WireType, wire_type

NOT_ORDERED = frozenset({"boolean", "json", "jsonb", "uuid"})
"""Types that have no greatest and no least value."""
NOT_SUMMED = NOT_ORDERED | {
    "text", "character", "character varying", "bytea", "date", "timestamp", "timestamp without time zone",
    "timestamp with time zone", "time", "time without time zone", "time with time zone",
}  # fmt: skip
"""Types that cannot be added up."""


def is_aggregated_by(aggregate: str, name: str) -> bool:
    """Whether values of a type, by the name that PostgreSQL has for it, can be aggregated so."""
    if aggregate in ("sum", "avg"):
        return name not in NOT_SUMMED
    return aggregate == "count" or name not in NOT_ORDERED


def aggregated(aggregate: str, column: ColumnElement[Any], wire: WireType, dialect: Dialect) -> Target:
    """An aggregate of a column.

    Raises:
        ApiError: 42883 for a type that has no such aggregate.
    """
    if not is_aggregated_by(aggregate, wire.name):
        raise ApiError(
            404,
            "42883",
            f"function {aggregate}({wire.name}) does not exist",
            hint="No function matches the given name and argument type. You might need to cast it.",
        )
    if aggregate == "count":
        wire = wire_type(types.BigInteger(), dialect)
    elif aggregate == "avg" or (aggregate == "sum" and "numeric" not in wire.name):
        wire = wire if wire.name == "interval" else wire_type(types.Numeric(), dialect)
    # As many decimals as the column has, for a cast to text; of an average there are as many as it takes.
    keeps_scale = aggregate in ("sum", "max", "min") and isinstance(column.type, types.Numeric)
    call = getattr(func, aggregate)
    return Target(call(column, type_=column.type if keeps_scale else types.NullType()), wire)
