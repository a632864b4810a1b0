"""Requests for what is under rules: who asks decides which handler answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import get_args

from sqlalchemy import Table
from starlette.types import Receive, Scope

from ..backends import Backend
from ..context import Context as Asking
from ..permissions import Rule, granted
from ..sql.access import ANYTHING, Access, Action
from ..sql.catalog import Catalog
from ..sql.entity import Entity
from .context import Limits, Shapes
from .handler import QUERY_KEY, AnyAnswer, Handler, failed
from .hooks import Hooks

ACTIONS: Mapping[str, Action] = {"POST": "insert", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


class Rules:
    """The rules of all that a request may reach.

    What is known of them before the database is asked, as that somebody is an administrator, is a part of the shape of
    statements. It turns out in few ways, and for each there is one ``Access``.

    Args:
        rules: by table.
    """

    def __init__(self, rules: Mapping[Table, Rule]) -> None:
        self.rules = rules
        self._parts = list(dict.fromkeys(part for rule in rules.values() for part in rule.parts()))
        self._accesses = Shapes()

    def access(self, caller: Asking) -> Access:
        """What who asks may do: the same object for all of whom the same is known."""
        if not self.rules:
            return ANYTHING
        decided = (caller.user is None, *[part.decide(caller) for part in self._parts])
        return self._accesses.get_or_make(decided, lambda: self._access(decided))

    def _access(self, decided: tuple[bool | None, ...]) -> Access:
        is_anonymous, *known = decided
        parts = dict(zip(self._parts, known, strict=True))
        conditions = {
            (table, action): granted(rule.condition(action, parts))
            for table, rule in self.rules.items()
            for action in get_args(Action)
        }
        return Access(conditions, is_anonymous=bool(is_anonymous))


class Guarded:
    """Answers the requests for one entity of an open database, as far as rules allow: by a handler for each access
    that there is.

    Args:
        entity: the model.
        catalog: what else there is to embed.
        backend: the database's backend.
        limits: what bounds requests.
        rules: those of the entity and of all that may be embedded.
        hooks: what is done around writes.
    """

    def __init__(
        self,
        entity: Entity,
        catalog: Catalog,
        backend: Backend,
        limits: Limits,
        rules: Rules,
        *,
        hooks: Hooks | None = None,
    ) -> None:
        self.entity = entity
        self.rules = rules
        self.hooks = hooks
        self._make = partial(Handler, entity, catalog, backend, limits, hooks=hooks)
        self._handlers = Shapes()

    def handler(self, access: Access) -> Handler:
        """What answers those who may do that."""
        return self._handlers.get_or_make(access, lambda: self._make(access))

    async def __call__(self, scope: Scope, receive: Receive, key: str | None) -> AnyAnswer:
        """The answer to a request; see ``Handler``."""
        caller = Asking(scope)
        try:
            handler = self.handler(self.rules.access(caller))
            action = None if key == QUERY_KEY else ACTIONS.get(scope["method"])
            if action is not None:
                # Before the body is read, which may be long.
                handler.context.access.check(self.entity, action)
        except Exception as error:
            return failed(scope, error)
        return await handler(scope, receive, key, caller)
