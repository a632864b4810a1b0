"""The databases: the only rooms that await a driver.

A backend runs compiled statements for resources on connections of its own, and keeps the SQLAlchemy engine that
sessions use. :mod:`.admission` guards the door of both: what may wait, for how long, and what is answered when full.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from sqlalchemy import URL
from starlette.types import Scope

from .base import Arguments as Arguments
from .base import Backend as Backend
from .base import Returned as Returned
from .base import Settings as Settings
from .base import SharedSessionError as SharedSessionError
from .base import Statement as Statement
from .base import Write as Write
from .conflicts import is_conflict as is_conflict
from .conflicts import pauses as pauses
from .roles import Roles as Roles
from .roles import is_nobody as is_nobody
from .sqlite_memory import turn_off_statistics

# Here, for nothing of rowserve loads SQLite before it comes by.
turn_off_statistics()


def acting(backend: Backend, scope: Scope) -> AbstractContextManager[None]:
    """Has all statements meanwhile run for who asks, where the database is to know that.

    Raises:
        ApiError: 401, it is to be known who asks, and is not.
    """
    roles = backend.settings.roles
    return nullcontext() if roles is None else roles.acting(scope)


def backend_for(url: URL, settings: Settings) -> Backend:
    """The backend of a database URL.

    Raises:
        ValueError: there is no backend for the URL's scheme.
    """
    match url.get_backend_name():
        case "sqlite" if settings.roles is not None:
            raise ValueError("roles= is for PostgreSQL: SQLite has no roles, so say who may do what by permissions=")
        case "sqlite":
            from .sqlite import SQLiteBackend

            return SQLiteBackend(url, settings)
        case "postgresql":
            from .postgresql import PostgreSQLBackend

            return PostgreSQLBackend(url, settings)
        case name:
            raise ValueError(
                f"rowserve speaks to SQLite and PostgreSQL, not to {name}: use sqlite:/// or postgresql://"
            )
