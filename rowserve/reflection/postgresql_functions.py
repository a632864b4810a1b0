"""PostgreSQL's functions, as the catalog describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import TypeEngine

from ..sql.catalog import Function, FunctionParameter
from .postgresql_types import PostgreSQLTypes, Row

_VOLATILITY: dict[str, Literal["immutable", "stable", "volatile"]] = {"i": "immutable", "s": "stable", "v": "volatile"}
_WHOLE_BODY = {"json", "jsonb", "text", "bytea", "xml"}
"""Types of a parameter without a name that is given all that was sent."""


def read_functions(
    rows: Sequence[Row], columns: Mapping[int, Sequence[Row]], types: PostgreSQLTypes, tables: Mapping[int, Table]
) -> Iterator[Function]:
    """The functions that a client can call by the names of their parameters, or that are computed columns.

    Args:
        rows: of pg_proc.
        columns: by relation, those of composite types too.
        types: of all parameters and results.
        tables: by relation.
    """
    for row in rows:
        arguments = [
            (name, type_, mode)
            for name, type_, mode in zip(
                row["names"] or [""] * len(row["types"]),
                row["types"],
                row["modes"] or ["i"] * len(row["types"]),
                strict=True,
            )
        ]
        inputs = [(name, type_, mode) for name, type_, mode in arguments if mode in "ibv"]
        required = row["inputs"] - row["defaults"]
        parameters = tuple(
            [
                FunctionParameter(
                    name=name,
                    type=types[type_]["spelling"],
                    table=tables.get(types.base(type_)["relation"]),
                    required=index < required,
                    variadic=mode == "v",
                )
                for index, (name, type_, mode) in enumerate(inputs)
            ]
        )
        if not is_callable(parameters, [types[type_] for _, type_, _ in inputs]):
            continue
        yield Function(
            schema=row["schema"],
            name=row["name"],
            parameters=parameters,
            returns=returned(row, [item for item in arguments if item[2] in "obt"], columns, types, tables),
            return_name=types[row["returns"]]["spelling"],
            is_set=row["is_set"],
            is_single=not row["is_set"] or row["has_one_row"],
            volatility=_VOLATILITY[row["volatility"]],
            description=row["comment"],
        )


def is_callable(parameters: Sequence[FunctionParameter], types: Sequence[Row]) -> bool:
    """Whether all have names, or the only one takes the whole body or a row."""
    unnamed = [(parameter, type_) for parameter, type_ in zip(parameters, types, strict=True) if not parameter.name]
    if not unnamed:
        return True
    parameter, type_ = unnamed[0]
    takes_body = type_["schema"] == "pg_catalog" and type_["name"] in _WHOLE_BODY
    return len(parameters) == 1 and (takes_body or parameter.table is not None)


def returned(
    row: Row,
    outputs: Sequence[tuple[str, int, str]],
    columns: Mapping[int, Sequence[Row]],
    types: PostgreSQLTypes,
    tables: Mapping[int, Table],
) -> Table | TypeEngine[Any] | None:
    """What a row of the function's result is."""
    if outputs:
        fields = [
            Column(name or f"column{index}", types.type(type_)) for index, (name, type_, _) in enumerate(outputs, 1)
        ]
        return Table(row["name"], MetaData(), *fields)
    type_ = types.base(row["returns"])
    if type_["kind"] == "c":
        table = tables.get(type_["relation"])
        if table is not None:
            return table
        fields = [
            Column(column["name"], types.type(column["type"], column["spelling"]), comment=column["comment"])
            for column in columns[type_["relation"]]
        ]
        return Table(type_["name"], MetaData(), *fields)
    if type_["spelling"] == "void":
        return None
    return types.type(row["returns"])
