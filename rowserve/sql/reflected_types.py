"""Types that SQLAlchemy has no class for, as an existing database has them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, func, literal, literal_column, type_coerce, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.operators import OperatorType, in_op, not_in_op
from sqlalchemy.sql.selectable import ReturnsRows
from sqlalchemy.types import TypeEngine, UserDefinedType


class NamedType(UserDefinedType[Any]):
    """A type that is known by its name alone; its values cross as text.

    Args:
        spelling: what the database calls it, ready to stand in a statement: ``extensions.geometry(Point,4326)``.
    """

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **_: Any) -> str:
        return self.spelling


class TextualType(NamedType):
    """A type of PostgreSQL whose values go in as text, with a cast in the statement.

    Args:
        spelling: as of `NamedType`.
        unlimited: the same without what limits a column: a cast to ``bit(3)`` would cut values that do not fit.
    """

    cache_ok = True

    def __init__(self, spelling: str, unlimited: str | None = None) -> None:
        super().__init__(spelling)
        self.unlimited = unlimited or spelling

    def without_limits(self) -> TextualType:
        return TextualType(self.unlimited)

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        return cast(type_coerce(bindvalue, Text()), self.without_limits())


class TextualArray(postgresql.ARRAY[Any]):
    """An array of a `TextualType`, which goes in as an array of texts."""

    cache_ok = True

    def adapt(self, cls: Any, **_: Any) -> Any:
        """The same for a dialect, whose own class of arrays would take no texts."""
        return TextualArray(self.item_type, dimensions=self.dimensions)

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        assert isinstance(self.item_type, TextualType)
        texts = type_coerce(bindvalue, postgresql.ARRAY(Text(), dimensions=self.dimensions))
        return cast(texts, TextualArray(self.item_type.without_limits(), dimensions=self.dimensions))


def array_of(item: TypeEngine[Any], *, dimensions: int | None = None) -> postgresql.ARRAY[Any]:
    """PostgreSQL's array of a type, whose parameters a driver takes whatever the type."""
    kind = TextualArray if isinstance(item, TextualType) else postgresql.ARRAY
    return kind(item, dimensions=dimensions)


class WideInteger(types.INTEGER):
    """An integer of SQLite, which has 64 bits whatever it is called."""


class UntypedType(NamedType):
    """A column of SQLite without a type, such as an expression in a view: each value has a type of its own.

    SQLite puts any text after any number, so what a column is compared with has to be what the row's value is.
    """

    cache_ok = True

    def __init__(self) -> None:
        super().__init__("")

    class Comparator(UserDefinedType.Comparator[Any]):
        def operate(self, op: OperatorType, *other: Any, **options: Any) -> Any:
            if op in (in_op, not_in_op) and isinstance(other[0], ReturnsRows):
                return cast(self.expr, Text()).operate(op, *other, **options)
            return super().operate(op, *[self._alike(value) for value in other], **options)

        def _alike(self, value: Any) -> Any:
            if not isinstance(value, str | BindParameter):
                return value
            is_number = func.typeof(self.expr).in_([literal_column("'integer'"), literal_column("'real'")])
            text = literal(value, Text()) if isinstance(value, str) else type_coerce(value, Text())
            return case((is_number, cast(text, types.NUMERIC())), else_=text)

    comparator_factory = Comparator
