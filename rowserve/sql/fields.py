"""Fields and casts (minimal; to be replaced)."""

from __future__ import annotations

from sqlalchemy import Dialect

from ..query import Field
from .conditions import not_supported
from .scope import Parameters, Scope, Target


def field_target(scope: Scope, field: Field, parameters: Parameters) -> Target:
    if field.path:
        raise not_supported("a JSON path")
    return scope.column(field.name)


def cast_target(target: Target, type_name: str, parameters: Parameters, dialect: Dialect) -> Target:
    raise not_supported(f"a cast (::{type_name})")
