"""An existing database, read into SQLAlchemy Tables and what SQLAlchemy has no place for.

The system catalogs are read in a few statements for all tables at once, not table by table, so that a server over
hundreds of tables starts in an instant.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import URL

from ..backends import Backend, Settings, backend_for
from ..database import parsed_url
from .model import Reflected as Reflected


async def reflect(database: str | URL | Backend, schemas: Sequence[str] = ()) -> Reflected:
    """Reads the tables, views, foreign keys and functions of a database.

    Args:
        database: its URL, or what runs statements on it.
        schemas: those to serve, the default one first. None named: ``public``.

    Raises:
        ConnectionError: the database does not answer.
        ValueError: there is no schema of that name; the message names those there are.
    """
    wanted = tuple(dict.fromkeys(schemas)) or ("public",)
    if isinstance(database, Backend):
        return await _reflect(database, wanted)
    backend = backend_for(parsed_url(database), Settings(pool_size=1))
    await backend.ping()
    try:
        return await _reflect(backend, wanted)
    finally:
        await backend.engine.dispose()


async def _reflect(backend: Backend, schemas: tuple[str, ...]) -> Reflected:
    async with backend.engine.connect() as plain:
        connection = await plain.execution_options(rowserve_reading=True)
        if backend.dialect.name == "sqlite":
            from .sqlite import reflect_sqlite

            return await reflect_sqlite(connection, schemas)
        from .postgresql import reflect_postgresql

        return await reflect_postgresql(connection, schemas)
