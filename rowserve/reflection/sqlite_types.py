"""SQLite's declared types as SQLAlchemy's: https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from ..sql.reflected_types import NamedType, UntypedType, WideInteger

_KNOWN: dict[str, Any] = {
    "BIGINT": types.BIGINT,
    "BLOB": types.BLOB,
    "BOOL": types.BOOLEAN,
    "BOOLEAN": types.BOOLEAN,
    "CHAR": types.CHAR,
    "CLOB": types.TEXT,
    "DATE": sqlite.DATE,
    "DATETIME": sqlite.DATETIME,
    "DEC": types.DECIMAL,
    "DECIMAL": types.DECIMAL,
    "INT": WideInteger,
    "INTEGER": WideInteger,
    "JSON": sqlite.JSON,
    "JSONB": sqlite.JSON,
    "NCHAR": types.NCHAR,
    "NUM": types.NUMERIC,
    "NUMERIC": types.NUMERIC,
    "NVARCHAR": types.NVARCHAR,
    "SMALLINT": types.SMALLINT,
    "TEXT": types.TEXT,
    "TIME": sqlite.TIME,
    "TIMESTAMP": sqlite.TIMESTAMP,
    "VARCHAR": types.VARCHAR,
}
_LIMITED = (types.CHAR, types.NCHAR, types.VARCHAR, types.NVARCHAR, types.DECIMAL, types.NUMERIC)
_LIMITS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_GENERATED = re.compile(r"\s*\b(GENERATED\s+ALWAYS|GENERATED|ALWAYS)\s*$", re.IGNORECASE)


def sqlite_type(declared: str) -> TypeEngine[Any]:
    """The SQLAlchemy type of a column.

    What SQLAlchemy does not know is what SQLite makes of it: an integer, a text, a real number of 8 bytes. What is
    left keeps its name, and its values cross as text.
    """
    # SQLite takes the words before AS in a generated column for part of its type.
    declared = _GENERATED.sub("", declared).strip()
    name = " ".join(declared.partition("(")[0].upper().split())
    limits = _LIMITS.search(declared)
    if name in ("", "ANY"):
        return UntypedType()
    if (known := _KNOWN.get(name)) is not None:
        arguments = [int(limit) for limit in limits.groups() if limit] if limits and issubclass(known, _LIMITED) else []
        made: TypeEngine[Any] = known(*arguments[: 1 if issubclass(known, types.String) else 2])
        return made
    if "INT" in name and "POINT" not in name:  # SQLite itself sees the one in the other
        return WideInteger()
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return types.TEXT()
    if "BLOB" in name:
        return types.BLOB()
    if any(part in name for part in ("REAL", "FLOA", "DOUB")):
        return types.DOUBLE()
    return NamedType(declared)
