"""What one type means on the wire, and the pieces that all types are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import to_json
from sqlalchemy import ColumnElement, Dialect
from sqlalchemy.types import TypeEngine

from . import literals
from .literals import RefusedError

Bind: TypeAlias = Callable[[Any], Any]
Read: TypeAlias = Callable[[str], Any]
Output: TypeAlias = Callable[[ColumnElement[Any]], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class WireType:
    """What one SQLAlchemy type means on the wire, over one database.

    Attributes:
        name: PostgreSQL's name for it, as its error messages spell it.
        annotation: what Pydantic validates a JSON value that is not null with.
        read_annotation: what the JSON that comes out looks like, for OpenAPI.
        read: the text of a value to store -> the Python value; raises `RefusedError`.
        literal: the text of a value to compare with -> the Python value. Unlike ``read`` it knows no lengths and
            scales: ``price=eq.1.005`` on a ``numeric(10,2)`` finds nothing, it does not round.
        bind: Python value -> the driver's value; None where they are the same.
        render: column -> the expression that the database's JSON functions get; None where they are the same.
        is_open: whether ``annotation`` lets any JSON through, numbers that are not finite among it.
        result: decoded JSON value -> the value to encode again, for a `TypeDecorator` with a
            ``process_result_value`` of its own; None for all others, which need no Python on the way out.
    """

    name: str
    annotation: Any
    read_annotation: Any
    read: Read
    literal: Read
    bind: Bind | None = None
    render: Output | None = None
    is_open: bool = False
    result: Bind | None = None

    def parse(self, text: str) -> Any:
        """The driver's value for a filter's text.

        Raises:
            ApiError: 400 with PostgreSQL's SQLSTATE and words, if the text is no value of this type.
        """
        try:
            value = self.literal(text)
        except RefusedError as refused:
            raise refused.error() from None
        return value if self.bind is None else self.bind(value)

    def output(self, expression: ColumnElement[Any]) -> ColumnElement[Any]:
        """What ``json_object`` gets for a column or expression of this type.

        On SQLite it belongs directly inside ``json_object``: carried through a subquery, a value forgets it is JSON.
        """
        return expression if self.render is None else self.render(expression)

    def refusal(self, value: Any) -> RefusedError:
        """Why ``annotation`` does not take the JSON value ``value``."""
        text = json_text(value)
        try:
            self.read(text)
        except RefusedError as refused:
            return refused
        return literals.invalid(self.name, text)


class ExactNumber(float):
    """A JSON number that remembers its digits, for columns that hold more of them than a float does."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> ExactNumber:
        """The number that ``text`` spells."""
        number = float.__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


def json_text(value: Any) -> str:
    """The text of a JSON value, as PostgreSQL would hand it to a type's input function."""
    if isinstance(value, str | float):
        return str(value)
    return to_json(value, inf_nan_mode="constants").decode()


def annotate(native: Any, read: Read, schema: dict[str, Any]) -> Any:
    """An annotation that tries ``native`` (None: nothing) inside Pydantic, and then ``read`` on the value's text."""

    def from_json(value: Any) -> Any:
        if value is None or (isinstance(value, float) and not isfinite(value)):
            raise ValueError("neither null nor a number that is not finite has a text")
        return read(json_text(value))

    by_text = Annotated[Any, AfterValidator(from_json)]
    if native is None:
        return Annotated[by_text, WithJsonSchema(schema)]
    return Annotated[native | by_text, Field(union_mode="left_to_right"), WithJsonSchema(schema)]


def processor(type_: TypeEngine[Any], dialect: Dialect) -> Bind | None:
    """SQLAlchemy's own conversion of a Python value for the driver; none for a dialect that has no driver, whose types
    are but described."""
    if dialect.dbapi is None:
        return None
    return type_.dialect_impl(dialect).bind_processor(dialect)


def simple(
    type_: TypeEngine[Any],
    dialect: Dialect,
    *,
    name: str,
    schema: dict[str, Any],
    read: Read,
    native: Any = None,
    literal: Read | None = None,
    render: Output | None = None,
    sqlite: Output | None = None,
) -> WireType:
    """A wire type whose Python values come from ``native`` or ``read`` and go through SQLAlchemy's conversion.

    Args:
        render: the output on PostgreSQL.
        sqlite: the output on SQLite.
    """
    return WireType(
        name=name,
        annotation=annotate(native, read, schema),
        read_annotation=Annotated[Any, WithJsonSchema(schema)],
        read=read,
        literal=literal or read,
        bind=processor(type_, dialect),
        render=sqlite if dialect.name == "sqlite" else render,
    )
