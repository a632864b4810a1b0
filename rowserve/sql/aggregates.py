"""What can be aggregated, by the names that PostgreSQL has for types."""

from __future__ import annotations

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
