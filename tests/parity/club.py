"""The club on one database, served in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import Table, delete, insert, text

from rowserve import Database, Resource
from tests.helpers import application, client_of

from .case import Answer, Case
from .data import DATA
from .functions import functions_of
from .models import MODELS, Base, Booking, Gear, Person, Rental

WRITTEN: tuple[type[Base], ...] = (Gear, Rental, Booking)
"""The tables that are written to, in an order in which their rows may be inserted."""
BOUNDED: tuple[type[Base], ...] = (Person, Booking)
"""The tables that are served a second time, under ``/few``, with less allowed."""


@dataclass(frozen=True, slots=True)
class Club:
    """The club's rows in a database, and a client of an application over it."""

    database: Database
    client: AsyncClient

    async def ask(self, case: Case) -> Answer:
        """The answer to a request."""
        return await case.ask(self.client)

    async def fill(self, *, only: tuple[type[Base], ...] = MODELS) -> None:
        """Puts the rows back as they were, and the numbers that are given out next."""
        async with self.database.begin() as session:
            for model in reversed(only):
                await session.execute(delete(model))
                if self.is_sqlite and model in (Gear, Booking):
                    await session.execute(
                        text("delete from sqlite_sequence where name = :name"), {"name": table(model).name}
                    )
            for model, rows in DATA:
                if model in only:
                    await session.execute(insert(table(model)), rows)
            if not self.is_sqlite:
                for name in (table(model).name for model, _ in DATA if model in only and "id" in table(model).c):
                    statement = f"select setval(pg_get_serial_sequence('{name}', 'id'), (select max(id) from {name}))"
                    await session.execute(text(statement))
                await session.execute(text("analyze"))

    @property
    def is_sqlite(self) -> bool:
        return self.database.url.get_backend_name() == "sqlite"


def table(model: type[Base]) -> Table:
    found: Any = model.__table__
    assert isinstance(found, Table)
    return found


@asynccontextmanager
async def club(url: str) -> AsyncIterator[Club]:
    """A club in a new database, with all its rows."""
    database = Database(url)
    resources: list[Resource[Any]] = [
        Resource(model, database=database, allow_unfiltered_writes=True, tx_override=True) for model in MODELS
    ]
    bounds: dict[str, Any] = {"max_rows": 2, "max_embed_depth": 1, "aggregates": False, "default_return": "minimal"}
    resources += [Resource(model, database=database, prefix=f"/few/{table(model).name}", **bounds) for model in BOUNDED]
    app: FastAPI = application(database, Base, *resources)
    app.include_router(functions_of(database))
    async with client_of(app, raising=False) as client:
        made = Club(database, client)
        await made.fill()
        yield made
