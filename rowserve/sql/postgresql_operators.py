"""PostgreSQL's operators."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from ..errors import ApiError
from .database_types import compared as compared_type
from .database_types import is_read_by_database
from .fields import comparable
from .operators import (
    CONTAINMENT,
    ORDERING,
    SYMBOLS,
    Compared,
    Operators,
    like_pattern,
    no_operator,
    plain_text,
)
from .reflected_types import array_of

_SEARCHES = {
    "fts": func.to_tsquery,
    "plfts": func.plainto_tsquery,
    "phfts": func.phraseto_tsquery,
    "wfts": func.websearch_to_tsquery,
}


class PostgreSQLOperators(Operators):
    """Values are read by the type of the column; PostgreSQL reads those of types that are not known here."""

    def ordering(self, compared: Compared) -> ColumnElement[bool]:
        left = comparable(compared.target, self.dialect)
        if compared.condition.quantifier is not None:
            return self._quantified(compared, left, SYMBOLS[compared.operator], self._items(compared))
        expression: ColumnElement[bool] = getattr(left, ORDERING[compared.operator])(self._item(compared))
        return expression

    def pattern(self, compared: Compared) -> ColumnElement[bool]:
        self.require_text(compared)
        left, operator = compared.target.expression, compared.operator
        is_like = operator in ("like", "ilike")
        read = like_pattern if is_like else str
        if compared.condition.quantifier is not None:
            items = self.values(compared, postgresql.ARRAY(Text()), read)
            return self._quantified(compared, left, operator.upper() if is_like else SYMBOLS[operator], items)
        pattern = self.value(compared, Text(), read)
        if is_like:
            return left.like(pattern) if operator == "like" else left.ilike(pattern)
        return left.op(SYMBOLS[operator], is_comparison=True)(pattern)

    def contained(self, compared: Compared) -> ColumnElement[bool]:
        return comparable(compared.target, self.dialect) == func.any(self._items(compared))

    def overlap(self, compared: Compared) -> ColumnElement[bool]:
        kind, operator = self.family_of(compared), compared.operator
        has_operator = {
            "array": operator in CONTAINMENT,
            "json": operator in ("cs", "cd"),
            "range": True,
            "other": True,
            "tsvector": True,
        }
        if not has_operator.get(kind, False):
            raise no_operator(compared)
        left = comparable(compared.target, self.dialect)
        return left.op(SYMBOLS[operator], is_comparison=True)(self._item(compared))

    def search(self, compared: Compared) -> ColumnElement[bool]:
        self.require_searchable(compared)
        language: list[ColumnElement[Any]] = []
        if compared.condition.language is not None:
            language = [self.parameters.constant(compared.condition.language, postgresql.REGCONFIG())]
        left = compared.target.expression
        if self.family_of(compared) != "tsvector":
            left = func.to_tsvector(*language, left)
        query = _SEARCHES[compared.operator](*language, self.value(compared, Text(), plain_text))
        return left.op("@@", is_comparison=True)(query)

    def _quantified(
        self, compared: Compared, left: ColumnElement[Any], symbol: str, items: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        some = func.any(items) if compared.condition.quantifier == "any" else func.all(items)
        return left.op(symbol, is_comparison=True)(some)

    def _type(self, compared: Compared) -> TypeEngine[Any]:
        """The type that a value of the column is compared as."""
        if self.family_of(compared) == "json":
            return postgresql.JSONB()
        return compared_type(self.type_of(compared))

    def _item(self, compared: Compared) -> ColumnElement[Any]:
        type_ = self._type(compared)
        if is_read_by_database(type_, self.dialect):
            return cast(self.value(compared, Text(), plain_text), type_)
        return self.value(compared, type_, self.reader(compared))

    def _items(self, compared: Compared) -> ColumnElement[Any]:
        """The array of all values on the right side."""
        type_ = self._type(compared)
        if self.family_of(compared) == "array":
            name = compared.target.wire.name
            raise ApiError(400, "42704", f"could not find array type for data type {name}")
        if is_read_by_database(type_, self.dialect):
            return cast(self.values(compared, postgresql.ARRAY(Text()), plain_text), array_of(type_))
        return self.values(compared, array_of(type_), self.reader(compared))
