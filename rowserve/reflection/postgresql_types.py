"""PostgreSQL's types as SQLAlchemy's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from ..sql.reflected_types import TextualType, array_of

Row = Mapping[str, Any]

_LIMITS = re.compile(r"\(([-\d,]+)\)")


def _clock(kind: Any, *, timezone: bool) -> Callable[..., TypeEngine[Any]]:
    return lambda precision=None: kind(timezone=timezone, precision=precision)


_KNOWN: dict[str, Callable[..., TypeEngine[Any]]] = {
    "bool": types.BOOLEAN,
    "int2": types.SMALLINT,
    "int4": types.INTEGER,
    "int8": types.BIGINT,
    "float4": types.REAL,
    "float8": types.DOUBLE_PRECISION,
    "numeric": types.NUMERIC,
    "text": types.TEXT,
    "varchar": types.VARCHAR,
    "bpchar": types.CHAR,
    "bytea": postgresql.BYTEA,
    "date": types.DATE,
    "time": _clock(postgresql.TIME, timezone=False),
    "timetz": _clock(postgresql.TIME, timezone=True),
    "timestamp": _clock(postgresql.TIMESTAMP, timezone=False),
    "timestamptz": _clock(postgresql.TIMESTAMP, timezone=True),
    "interval": lambda precision=None: postgresql.INTERVAL(precision=precision),
    "uuid": types.UUID,
    "json": postgresql.JSON,
    "jsonb": postgresql.JSONB,
    "oid": postgresql.OID,
    "int4range": postgresql.INT4RANGE,
    "int8range": postgresql.INT8RANGE,
    "numrange": postgresql.NUMRANGE,
    "daterange": postgresql.DATERANGE,
    "tsrange": postgresql.TSRANGE,
    "tstzrange": postgresql.TSTZRANGE,
    "tsvector": postgresql.TSVECTOR,
}
"""Of the types of pg_catalog those whose values the wire knows; all others cross as text."""


class PostgreSQLTypes:
    """SQLAlchemy types for rows of pg_type.

    Args:
        rows: all types that are asked for, and those that they are made of.
    """

    def __init__(self, rows: list[Row]) -> None:
        self._rows: dict[int, Row] = {row["oid"]: row for row in rows}

    def __getitem__(self, oid: int) -> Row:
        return self._rows[oid]

    def base(self, oid: int) -> Row:
        """The type behind a domain; of another, itself."""
        row = self._rows[oid]
        while row["kind"] == "d":
            row = self._rows[row["base"]]
        return row

    def domain(self, oid: int) -> str | None:
        """The domain's name as SQL spells it; None for what is no domain."""
        row = self._rows[oid]
        return row["spelling"] if row["kind"] == "d" else None

    def not_null(self, oid: int) -> bool:
        """Whether a domain, or one that it is based on, refuses NULL."""
        row = self._rows[oid]
        return row["kind"] == "d" and (row["not_null"] or self.not_null(row["base"]))

    def default(self, oid: int) -> str | None:
        """The default that a domain brings along, as SQL."""
        row = self._rows[oid]
        if row["kind"] != "d":
            return None
        return row["expression"] or self.default(row["base"])

    def type(self, oid: int, spelling: str | None = None) -> TypeEngine[Any]:
        """The SQLAlchemy type; of a domain, that of the type behind it.

        Args:
            spelling: as ``format_type`` gives it, with the limits of a column; None for no limits.
        """
        row = self._rows[oid]
        spelling = spelling or row["spelling"]
        if row["kind"] == "d":
            return self.type(row["base"], row["base_spelling"])
        if row["category"] == "A" and row["element"]:
            element = spelling.removesuffix("[]")
            if self.domain(row["element"]) is not None:
                # An array of a domain is not comparable with one of the type behind it.
                return array_of(TextualType(element))
            return array_of(self.type(row["element"], element))
        if row["kind"] == "e":
            return postgresql.ENUM(*row["labels"], name=row["name"], schema=row["schema"], create_type=False)
        if row["schema"] == "pg_catalog" and row["name"] in _KNOWN:
            limits = _LIMITS.search(spelling)
            arguments = [int(limit) for limit in limits[1].split(",")] if limits else []
            return _KNOWN[row["name"]](*arguments)
        return TextualType(spelling, row["spelling"])
