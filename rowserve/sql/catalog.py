"""What there is to be served: entities, how they relate, and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Table
from sqlalchemy.types import TypeEngine


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference from the columns of one table or view to those of another.

    Args:
        name: of the constraint; of a view's, the one that it has from the table behind it.
        table: which refers.
        columns: of ``table``.
        referred: what is referred to.
        referred_columns: of ``referred``, in the order of ``columns``.
    """

    name: str
    table: Table
    columns: tuple[str, ...]
    referred: Table
    referred_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionParameter:
    """A parameter of a function of the database.

    Args:
        name: as it is declared; empty where it has none.
        type: as SQL spells it, ready to stand in a statement: ``integer``, ``public.user_status``, ``uuid[]``.
        table: the table or view of a composite type, else None.
        required: whether it has no default.
        variadic: whether it takes any number of values.
    """

    name: str
    type: str
    table: Table | None = None
    required: bool = True
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the database.

    Args:
        schema: where it is.
        name: what it is called; several may have one name.
        parameters: those that take values, in their order.
        returns: what one row of it is: the table or view whose rows it gives, or its own columns as a Table of no
            database (RETURNS TABLE, OUT parameters), or a scalar type, or None for ``void``.
        return_name: the type as SQL spells it.
        is_set: whether it gives any number of rows (SETOF, TABLE).
        is_single: whether it gives one row at the most: no set, or one that says ROWS 1.
        volatility: as PostgreSQL has it.
        description: its comment.
    """

    schema: str
    name: str
    parameters: tuple[FunctionParameter, ...]
    returns: Table | TypeEngine[object] | None
    return_name: str
    is_set: bool
    is_single: bool
    volatility: Literal["immutable", "stable", "volatile"]
    description: str | None = None
