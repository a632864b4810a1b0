"""Sessions: held while something else is awaited, asked the same again and again, made to load where nobody waits."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import Task
from collections import Counter
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import async_session
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.util.concurrency import in_greenlet

from .places import ROWSERVE, Place, across_greenlets, innermost, is_users, outwards, place_of, place_of_function
from .places import awaiting as frames_of
from .reports import Reports

HELD = 3
"""Looks at the loop in a row, 0.05 s from one to the next, at which a session was held."""
SAME = 10
"""Times that a session may run the same SELECT from the same line."""
DATABASES = tuple(os.sep + name + os.sep for name in ("sqlalchemy", "asyncpg", "aiosqlite"))
FRAMEWORK = tuple(os.path.join("starlette", name) for name in ("routing.py", "responses.py", "middleware"))
"""What waits here is not what the application waits for: a client that takes its time, or an endpoint."""
ENDPOINTS = os.path.join("fastapi", "routing.py")
ATTRIBUTES = os.path.join("sqlalchemy", "orm", "attributes.py")


@dataclass
class Held:
    """A connection that a session holds: by which task, and how often in a row it was seen waiting for other things."""

    task: Task[Any]
    seen: int = 0


class Statements:
    """Watches the sessions of this process.

    Args:
        reports: told of what they do.
    """

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._held: WeakKeyDictionary[Connection, Held] = WeakKeyDictionary()
        self._counts: WeakKeyDictionary[object, Counter[tuple[str, Place]]] = WeakKeyDictionary()
        self._listeners: list[tuple[Any, str, Any]] = [
            (Session, "do_orm_execute", self._lazy),
            (Session, "after_begin", self._begun),
            (Engine, "before_cursor_execute", self._executing),
        ]
        for target, name, listener in self._listeners:
            event.listen(target, name, listener)

    def stop(self) -> None:
        """Watches no more."""
        for target, name, listener in self._listeners:
            event.remove(target, name, listener)

    def look(self) -> None:
        """Looks for sessions that are held while their task waits for something else than the database."""
        for connection, held in list(self._held.items()):
            if connection.closed or held.task.done():
                del self._held[connection]
                continue
            waiter = getattr(held.task, "_fut_waiter", None)
            place = None if waiter is None or waiter.done() else waiting_for_others(held.task)
            held.seen = 0 if place is None else held.seen + 1
            if held.seen >= HELD:
                self._reports.tell(
                    "held",
                    place,
                    "a session is in its transaction, with a connection that others may be waiting for, while this "
                    "awaits something else than the database. Await it before the first query or after "
                    "`await session.commit()`, or hand it to after_commit().",
                )

    def _begun(self, session: Session, transaction: Any, connection: Connection) -> None:
        task = current_task()
        if task is not None and async_session(session) is not None:
            self._held[connection] = Held(task)

    def _executing(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        task = current_task()
        if task is None:
            return
        held = self._held.get(connection)
        if held is not None:
            held.task, held.seen = task, 0
        if not statement.lstrip()[:6].upper().startswith(("SELECT", "WITH")):
            return
        place = innermost(across_greenlets(sys._getframe()))
        if place is None:
            return
        whose: object = connection.get_execution_options().get("rowserve_running") or task
        counts = self._counts.setdefault(whose, Counter())
        counts[statement, place] += 1
        if counts[statement, place] > SAME:
            self._reports.tell(
                "repeated",
                place,
                f"this line has run the same query more than {SAME} times, once for each of many rows. Ask for all of "
                "them at once: with a join, `where(….in_(…))`, or `selectinload(…)`.",
            )

    def _lazy(self, state: ORMExecuteState) -> None:
        if not (state.is_relationship_load or state.is_column_load) or in_greenlet():
            return
        if async_session(state.session) is not None:
            self._refuse(sys._getframe(), is_relationship=state.is_relationship_load)

    def _refuse(self, frame: FrameType, *, is_relationship: bool) -> NoReturn:
        """Says which attribute is loaded where nobody can wait for it, instead of SQLAlchemy's own words."""
        owner, name = attribute_of(frame)
        place = reading(frame)
        option = f"selectinload({owner}.{name})" if is_relationship else f"undefer({owner}.{name})"
        what = (
            f"{owner}.{name} is not loaded, and reading an attribute cannot wait for the database. Load it with the "
            f'query, `.options({option})`, or `await session.refresh(…, ["{name}"])` before.'
        )
        self._reports.tell("lazy", place, what)
        raise MissingGreenlet(what if place is None else f"{place}: {what}")


def current_task() -> Task[Any] | None:
    """The task that runs; None on a thread without a loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def waiting_for_others(task: Task[Any]) -> Place | None:
    """The line of the application at which a task waits; None where it is for the database, or not the application."""
    for frame in frames_of(task):
        file = frame.f_code.co_filename
        if is_users(file):
            return place_of(frame)
        if file.startswith(ROWSERVE) or any(name in file for name in DATABASES + FRAMEWORK):
            return None
    return None


def reading(frame: FrameType) -> Place | None:
    """The line of the application that reads an attribute: the endpoint, where FastAPI makes an answer of an object."""
    for outer in outwards(frame):
        code = outer.f_code
        if is_users(code.co_filename):
            return place_of(outer)
        if code.co_filename.endswith(ENDPOINTS) and "dependant" in outer.f_locals:
            return place_of_function(getattr(outer.f_locals["dependant"], "call", None))
    return None


def attribute_of(frame: FrameType) -> tuple[str, str]:
    """The class and the name of the attribute that is being read."""
    for outer in outwards(frame):
        if outer.f_code.co_name == "__get__" and outer.f_code.co_filename.endswith(ATTRIBUTES):
            attribute, instance = outer.f_locals.get("self"), outer.f_locals.get("instance")
            return type(instance).__name__, str(getattr(attribute, "key", "?"))
    return "object", "?"
