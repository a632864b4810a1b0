"""The database: ``$DATABASE_URL``, else the file ``./app.db``. Tables that are missing are made at the start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rowserve import Database

from .models import Base

db = Database()


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    async with db:
        await db.create_tables(Base)
        yield
