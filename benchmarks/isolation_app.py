"""A rowserve app with a slow endpoint of its own, for `isolation`."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource, Session


class Base(DeclarativeBase):
    """The models."""


class User(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    name: Mapped[str] = mapped_column(index=True)


db = Database()
app = FastAPI(lifespan=db.lifespan)
app.include_router(Resource(User))


@app.get("/slow")
async def slow(session: Session) -> None:
    """A query of one second."""
    await session.execute(select(func.pg_sleep(1)))
