"""Filters as SQL: one boolean expression for each condition of a query, values left as bind parameters."""

from __future__ import annotations

from collections.abc import Callable
from json import dumps
from typing import Any

from sqlalchemy import ColumnElement, and_, column, false, func, not_, or_, select, true, types
from sqlalchemy.dialects import postgresql

from ..errors import ApiError
from ..query import Comparison, Condition, Is, Logic

ORDERING = {
    "eq": "__eq__",
    "neq": "__ne__",
    "gt": "__gt__",
    "gte": "__ge__",
    "lt": "__lt__",
    "lte": "__le__",
    "isdistinct": "is_distinct_from",
}
Reader = Callable[[Any], Any]


class Conditions:
    """Compiles conditions over one scope."""

    def __init__(self, scope, parameters, null_embed) -> None:
        self.scope = scope
        self.entity = scope.entity
        self.parameters = parameters
        self.null_embed = null_embed

    def all_of(self, conditions: tuple[Condition, ...]) -> list[ColumnElement[bool]]:
        return [self.compile(condition) for condition in conditions]

    def compile(self, condition: Condition) -> ColumnElement[bool]:
        if isinstance(condition, Comparison):
            expression = self.comparison(condition)
        elif isinstance(condition, Is):
            expression = self.truth(condition)
        else:
            expression = self.logic(condition)
        return not_(expression) if condition.negated else expression

    def parameter(self, index: int, type_: types.TypeEngine[Any], read: Reader) -> ColumnElement[Any]:
        """The bind parameter for a value of the request; its name carries the value's index."""
        return self.parameters.value(index, type_, read)

    def compared(self, type_: types.TypeEngine[Any]) -> types.TypeEngine[Any]:
        """The type that a value is compared as: without a length or a scale, to which it would be cut and rounded."""
        while isinstance(type_, types.TypeDecorator):
            type_ = type_.load_dialect_impl(self.entity.dialect)
        if isinstance(type_, types.String) and not isinstance(type_, types.Enum):
            return types.String()
        if isinstance(type_, types.Numeric) and not isinstance(type_, types.Float):
            return types.Numeric()
        return type_

    def logic(self, condition: Logic) -> ColumnElement[bool]:
        join = and_ if condition.operator == "and" else or_
        return join(*self.all_of(condition.conditions))

    def truth(self, condition: Is) -> ColumnElement[bool]:
        related = None if condition.field.path else self.null_embed(condition.field.name)
        if related is not None and condition.value == "null":
            return not_(related)
        if related is not None and condition.value == "not_null":
            return related
        target = self.field(condition)
        if condition.value in ("null", "unknown"):
            return target.expression.is_(None)
        if condition.value == "not_null":
            return target.expression.is_not(None)
        if not isinstance(target.expression.type, types.Boolean):
            raise ApiError(
                400,
                "42804",
                f"argument of IS {condition.value.upper()} must be type boolean, not type {target.wire.name}",
            )
        # IS, not =: a row whose value is NULL is not true and not false, negated or not.
        return target.expression.is_(true() if condition.value == "true" else false())

    def comparison(self, condition: Comparison) -> ColumnElement[bool]:
        target = self.field(condition)
        if condition.quantifier is None:
            if condition.operator in ORDERING:
                parse = hashable(target.wire.parse) if is_array(target) else target.wire.parse
                value = self.parameter(condition.parameter, self.compared(target.expression.type), parse)
                expression: ColumnElement[bool] = getattr(target.expression, ORDERING[condition.operator])(value)
                return expression
            if condition.operator in ("like", "ilike"):
                return self.like(condition, target)
            if condition.operator == "in":
                return self.contained(condition, target)
        raise not_supported(f"the operator {condition.operator}" + ("" if condition.quantifier is None else "()"))

    def like(self, condition: Comparison, target: Any) -> ColumnElement[bool]:
        if not isinstance(target.expression.type.dialect_impl(self.entity.dialect), types.String):
            symbol = "~~" if condition.operator == "like" else "~~*"
            raise ApiError(
                404,
                "42883",
                f"operator does not exist: {target.wire.name} {symbol} unknown",
                details=f"{condition.operator} compares text, and {self.entity.name}.{condition.field.name} is no text column",
            )
        pattern = self.parameter(condition.parameter, types.Text(), like_pattern)
        if self.entity.dialect.name == "postgresql":
            return target.expression.like(pattern) if condition.operator == "like" else target.expression.ilike(pattern)
        # SQLite has no default escape character, and its LIKE is told to mind case when a connection is opened.
        if condition.operator == "like":
            return target.expression.like(pattern, escape="\\")
        return func.unicode_lower(target.expression).like(func.unicode_lower(pattern), escape="\\")

    def contained(self, condition: Comparison, target: Any) -> ColumnElement[bool]:
        parse = target.wire.parse
        if self.entity.dialect.name == "postgresql":

            def read_array(items: tuple[str, ...]) -> tuple[Any, ...]:
                return tuple([parse(item) for item in items])

            array = self.parameter(
                condition.parameter, postgresql.ARRAY(self.compared(target.expression.type)), read_array
            )
            return target.expression == func.any(array)

        def read_json(items: tuple[str, ...]) -> str:
            return dumps([parse(item) for item in items])

        items = func.json_each(self.parameter(condition.parameter, types.Text(), read_json)).table_valued("value")
        return target.expression.in_(select(column("value")).select_from(items))

    def field(self, condition: Comparison | Is) -> Any:
        if condition.field.path:
            raise not_supported("a JSON path in a filter")
        return self.scope.column(condition.field.name)


def is_array(target: Any) -> bool:
    return isinstance(target.expression.type, types.ARRAY)


def hashable(parse: Reader) -> Reader:
    """The same, with tuples for lists: identical reads are found by their arguments."""

    def frozen(value: Any) -> Any:
        return tuple([frozen(item) for item in value]) if isinstance(value, list) else value

    return lambda text: frozen(parse(text))


def like_pattern(text: str) -> str:
    """The pattern for SQL: ``*`` stands for ``%``, which a URL would have to escape."""
    return text.replace("*", "%")


def not_supported(what: str) -> ApiError:
    """The answer to a part of the dialect that this version reads but does not run."""
    return ApiError(400, "PGRST127", "Feature not implemented", details=f"{what} is not supported by this version")
