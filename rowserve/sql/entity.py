"""What the compiler needs to know of a mapped class, looked up once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Dialect, FromClause, Table, inspect
from sqlalchemy.orm import Mapper

from ..errors import ApiError
from .types import WireType, wire_type


@dataclass(frozen=True, slots=True)
class EntityColumn:
    """A column as the wire names it, and how its values cross."""

    column: Column[Any]
    wire: WireType

    @property
    def name(self) -> str:
        return self.column.name


class Entity:
    """A mapped class seen as a resource: its table, its columns by wire name, its primary key.

    Raises:
        TypeError: the class is not mapped to a table, or its table has no primary key.
    """

    def __init__(self, model: type[Any], dialect: Dialect) -> None:
        mapper = inspect(model, raiseerr=False)
        if not isinstance(mapper, Mapper):
            raise TypeError(f"{model!r} is not a mapped class: a Resource takes a SQLAlchemy model")
        local: FromClause = mapper.local_table
        if not isinstance(local, Table):
            raise TypeError(f"{model.__name__} is mapped to {type(local).__name__}, not to a table")
        self.model = model
        self.dialect = dialect
        self.table: Table = local
        self.name: str = local.name
        self.columns = {column.name: EntityColumn(column, wire_type(column.type, dialect)) for column in local.columns}
        self.primary_key = tuple(self.columns[column.name] for column in local.primary_key.columns)
        if not self.primary_key:
            raise TypeError(f"{model.__name__} has no primary key: a Resource needs one to tell rows apart")

    def column(self, name: str) -> EntityColumn:
        """The column of that name.

        Raises:
            ApiError: 42703, with the columns there are.
        """
        try:
            return self.columns[name]
        except KeyError:
            raise ApiError(
                400,
                "42703",
                f"column {self.name}.{name} does not exist",
                hint=f"The columns of {self.name} are: {', '.join(self.columns)}.",
            ) from None
