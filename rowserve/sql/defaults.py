"""What a model fills in by itself: ``default=`` and ``onupdate=``, in Python or in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Sequence

from .entity import EntityColumn


class DefaultContext:
    """What a default that takes a context is called with: the part of SQLAlchemy's that does not need a connection."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.current_parameters = row

    def get_current_parameters(self, isolate_multiinsert_params: bool = True) -> Mapping[str, Any]:
        """The values of the row being written, by column."""
        return self.current_parameters


@dataclass(frozen=True, slots=True)
class Default:
    """A column's default: a value, or what makes one in Python, or an SQL expression.

    Args:
        expression: the SQL expression; None for a default that is made in Python.
        argument: the value, or the function that makes it.
        is_callable: whether it is a function.
    """

    expression: ColumnElement[Any] | None = None
    argument: Any = None
    is_callable: bool = False

    def value(self, row: Mapping[str, Any]) -> Any:
        """The value for a row."""
        return self.argument(DefaultContext(row)) if self.is_callable else self.argument


def default_of(item: EntityColumn, *, update: bool = False) -> Default | None:
    """What the model gives the column on insert, or on ``update``; None where it leaves that to the database."""
    default: Any = item.column.onupdate if update else item.column.default
    if default is None:
        return None
    if isinstance(default, Sequence):
        return Default(expression=default.next_value())
    if default.is_clause_element:
        return Default(expression=default.arg)
    return Default(argument=default.arg, is_callable=default.is_callable)
