"""What is served in this process, so that one thing may show another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from .database import Database
from .sql.entity import mapped_table

if TYPE_CHECKING:
    from .resource import Resource

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")

resources: WeakValueDictionary[int, Resource[Any]] = WeakValueDictionary()
"""All resources that there are in this process: what has one may be embedded in others."""


def embeddable(model: type[Any], database: Database | None) -> list[type[Any]]:
    """A model, and those that may be embedded in it: those that have a resource of their own."""
    served = [resource for resource in resources.values() if resource._database in (None, database)]
    metadata = mapped_table(model).metadata
    models = [model, *(resource._model for resource in served)]
    return list(dict.fromkeys(model for model in models if mapped_table(model).metadata is metadata))
