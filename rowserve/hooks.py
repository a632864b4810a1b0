"""What an application does around the writes of a resource, and what of it a resource has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .context import Context
from .database import Database
from .http import Hooks, Nested
from .served import resource_of
from .sql.catalog import Catalog, name_and_hint
from .sql.entity import Entity
from .sql.relationships import meant

if TYPE_CHECKING:
    from .resource import Resource

HOOKS = ("before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete")


class Hooked:
    """The hooks of a resource, each of which does nothing until a subclass says what."""

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        """Is given the rows that a request brings, checked, and may change them. Whatever a hook raises refuses the
        request: nothing of it is written, nor of what the hook has done by ``ctx.session``.

        Args:
            ctx: who asks, and the session whose transaction this is.
            rows: values by column; all rows have to have the same columns in the end.
        """

    async def after_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        """Is given the rows as they are stored; see :meth:`before_insert`."""

    async def before_update(self, ctx: Context, rows: list[dict[str, Any]], changes: dict[str, Any]) -> None:
        """Is given the rows that are going to be changed, as they are, locked; not called where there are none.

        Args:
            ctx: see :meth:`before_insert`.
            rows: all columns.
            changes: the new values by column, which may be changed. Where each row has changes of its own, the hook
                is called for each of them.
        """

    async def after_update(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        """Is given the rows as they have become; see :meth:`before_insert`."""

    async def before_delete(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        """Is given the rows that are going to be deleted, locked; not called where there are none."""

    async def after_delete(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        """Is given the rows as they were."""


def written_hooks(resource: Hooked) -> list[str]:
    """The names of the hooks that a subclass has written."""
    return [name for name in HOOKS if getattr(type(resource), name) is not getattr(Hooked, name)]


def hooks_of(resource: Resource[Any], entity: Entity, catalog: Catalog, database: Database) -> Hooks:
    """The hooks that a resource has.

    Raises:
        TypeError: what is to be nested has no resource, or there is no such relationship.
    """
    written = {name: getattr(resource, name) for name in written_hooks(resource)}
    nested = nested_of(resource, entity, catalog)
    return Hooks(database.begin, nested=nested, is_replayable=resource.retry, **written)


def nested_of(resource: Resource[Any], entity: Entity, catalog: Catalog) -> Mapping[str, Nested]:
    """What may be inserted inside of a row, each by the resource that it would be sent to by itself."""
    found: dict[str, Nested] = {}
    for name in resource.nested:
        ways = meant(catalog.ways(entity), *name_and_hint(name))
        if len(ways) != 1:
            what = "several of that name" if ways else "none"
            raise TypeError(
                f"nested: {name!r} is to be a relationship of {entity.name} to a model with a resource: {what}"
            )
        (way,) = ways
        database = resource._database
        other = resource_of(way.target.table, database)
        between = None if way.junction is None else resource_of(way.junction.table, database)
        if other is None:
            raise TypeError(f"nested: {name!r} of {entity.name} is of a model that has no Resource")
        found[name] = Nested(way, other.inserts, partial(inside, other), None if between is None else between.inserts)
    return found


def inside(resource: Resource[Any]) -> Mapping[str, Nested]:
    """What may be nested in the rows of a resource, which is served."""
    hooks = resource.handler.hooks
    return {} if hooks is None else hooks.nested
