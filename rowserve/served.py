"""What is served in this process, so that one thing may show another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from sqlalchemy import Table

from .database import Database
from .permissions import Rule
from .sql.entity import mapped_table
from .sql.exposure import EVERYTHING, Exposure

if TYPE_CHECKING:
    from .resource import Resource

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")

resources: WeakValueDictionary[int, Resource[Any]] = WeakValueDictionary()
"""All resources that there are in this process: what has one may be embedded in others."""


def served(database: Database | None) -> list[Resource[Any]]:
    """The resources of a database, in the order in which they were made."""
    return [resource for resource in list(resources.values()) if resource._database in (None, database)]


def embeddable(model: type[Any], database: Database | None) -> list[type[Any]]:
    """A model, and those that may be embedded in it: those that have a resource of their own."""
    metadata = mapped_table(model).metadata
    models = [model, *(resource._model for resource in served(database))]
    return list(dict.fromkeys(model for model in models if mapped_table(model).metadata is metadata))


def exposures(models: Iterable[type[Any]], database: Database | None) -> dict[type[Any], Exposure]:
    """What clients may know of models, where that is not everything. Where a model has several resources, what the
    first of them says."""
    wanted = set(models)
    found: dict[type[Any], Exposure] = {}
    for resource in served(database):
        if resource._model in wanted:
            found.setdefault(resource._model, resource.exposure)
    return {model: exposure for model, exposure in found.items() if exposure is not EVERYTHING}


def rules(models: Iterable[type[Any]], database: Database | None) -> dict[Table, Rule]:
    """The rules of models, by their tables. Where a model has several resources, that of the first of them."""
    found: dict[Table, Rule] = {}
    known: set[type[Any]] = set()
    wanted = set(models)
    for resource in served(database):
        model = resource._model
        if model in wanted and model not in known:
            known.add(model)
            if resource.rule is not None:
                found[mapped_table(model)] = resource.rule
    return found


def resource_of(table: Table, database: Database | None) -> Resource[Any] | None:
    """The resource of a table, the first of them; None where it has none."""
    return next((resource for resource in served(database) if mapped_table(resource._model) is table), None)
