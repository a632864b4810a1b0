"""Operators: what both databases share of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..errors import ApiError
from ..query import Comparison
from . import literals
from .database_types import Family, database_type, family
from .literals import RefusedError
from .scope import Parameters, Reader, Scope, Target

ORDERING: dict[str, str] = {
    "eq": "__eq__",
    "neq": "__ne__",
    "gt": "__gt__",
    "gte": "__ge__",
    "lt": "__lt__",
    "lte": "__le__",
    "isdistinct": "is_distinct_from",
}
"""The operators that every type with an order has, as SQLAlchemy names them."""

SYMBOLS: dict[str, str] = {
    "eq": "=",
    "neq": "<>",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "isdistinct": "=",
    "in": "=",
    "like": "~~",
    "ilike": "~~*",
    "match": "~",
    "imatch": "~*",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
}
"""The operators as PostgreSQL writes them."""

CONTAINMENT = frozenset({"cs", "cd", "ov"})
"""Those that arrays and ranges have; what is left of ranges alone has the others."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The left side of a comparison, and the comparison.

    Args:
        target: what is compared.
        name: the field as the client writes it.
        condition: how, and with which of the request's values.
    """

    target: Target
    name: str
    condition: Comparison

    @property
    def operator(self) -> str:
        return self.condition.operator


class Operators(ABC):
    """The operators of one database, over the rows of a scope. Each method raises ApiError for what cannot be."""

    def __init__(self, scope: Scope, parameters: Parameters) -> None:
        self.scope = scope
        self.parameters = parameters
        self.dialect = scope.entity.dialect

    @abstractmethod
    def ordering(self, compared: Compared) -> ColumnElement[bool]:
        """``eq``, ``neq``, ``gt``, ``gte``, ``lt``, ``lte``, with or without a quantifier, and ``isdistinct``."""

    @abstractmethod
    def pattern(self, compared: Compared) -> ColumnElement[bool]:
        """``like``, ``ilike``, ``match`` and ``imatch``, with or without a quantifier."""

    @abstractmethod
    def contained(self, compared: Compared) -> ColumnElement[bool]:
        """``in``."""

    @abstractmethod
    def overlap(self, compared: Compared) -> ColumnElement[bool]:
        """``cs``, ``cd``, ``ov``, ``sl``, ``sr``, ``nxl``, ``nxr`` and ``adj``."""

    @abstractmethod
    def search(self, compared: Compared) -> ColumnElement[bool]:
        """``fts``, ``plfts``, ``phfts`` and ``wfts``."""

    def type_of(self, compared: Compared) -> TypeEngine[Any]:
        """The type of the left side in the database."""
        return database_type(compared.target.expression.type, self.dialect)

    def family_of(self, compared: Compared) -> Family:
        return family(self.type_of(compared))

    def value(self, compared: Compared, type_: TypeEngine[Any], read: Reader) -> ColumnElement[Any]:
        """The parameter for the right side."""
        return self.parameters.value(compared.condition.parameter, type_, read)

    def values(self, compared: Compared, type_: TypeEngine[Any], read: Reader) -> ColumnElement[Any]:
        """The parameter for a right side of several values, each of which ``read`` reads, as a tuple."""

        def read_all(items: tuple[str, ...]) -> tuple[Any, ...]:
            return tuple([read(item) for item in items])

        return self.value(compared, type_, read_all)

    def reader(self, compared: Compared) -> Reader:
        """What reads a value of the left side's type."""
        wire = compared.target.wire
        if self.family_of(compared) == "array":
            return hashable(wire.parse)
        if self.family_of(compared) == "json" and not isinstance(compared.target.expression.type, TypeDecorator):
            return document_text
        return wire.parse

    def require_text(self, compared: Compared) -> None:
        """Refuses patterns for what is no text.

        Raises:
            ApiError: 42883.
        """
        if self.family_of(compared) not in ("text", "other"):
            raise no_operator(
                compared,
                details=f"{compared.operator} compares text, and {self.scope.entity.name}.{compared.name} "
                "is no text column",
            )

    def require_searchable(self, compared: Compared) -> None:
        """Refuses full-text search in what has no words.

        Raises:
            ApiError: 42883.
        """
        if self.family_of(compared) in ("plain", "array", "range"):
            language = "" if compared.condition.language is None else "unknown, "
            raise ApiError(
                404,
                "42883",
                f"function to_tsvector({language}{compared.target.wire.name}) does not exist",
                details=f"{compared.operator} searches text, and {self.scope.entity.name}.{compared.name} is none",
            )


def no_operator(compared: Compared, details: str | None = None) -> ApiError:
    """42883, as PostgreSQL tells that there is no such operator for a type."""
    symbol = SYMBOLS[compared.operator]
    return ApiError(
        404, "42883", f"operator does not exist: {compared.target.wire.name} {symbol} unknown", details=details
    )


def refused(read: Callable[[str], Any]) -> Reader:
    """The same reader, with the answer to the client for an error."""

    def reader(text: str) -> Any:
        try:
            return read(text)
        except RefusedError as error:
            raise error.error() from None

    return reader


def hashable(parse: Reader) -> Reader:
    """The same, with tuples for lists: identical reads are found by their arguments."""

    def frozen(value: Any) -> Any:
        return tuple([frozen(item) for item in value]) if isinstance(value, list) else value

    return lambda text: frozen(parse(text))


def _document(text: str) -> str:
    literals.document(text)
    return text


document_text = refused(_document)
"""A reader of JSON that leaves it as it is."""

plain_text = refused(literals.no_nul)
"""A reader of text, for what the database itself reads."""


def like_pattern(text: str) -> str:
    """The pattern for SQL: ``*`` stands for ``%``, which a URL would have to escape."""
    return text.replace("*", "%")
