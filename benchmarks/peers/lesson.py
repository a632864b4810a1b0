"""The lesson's program: FastAPI with an `AsyncSession` dependency, as tutorials write it.

Two things were added to measure it: the list takes a filter, so that no two requests are alike, and there is a
health endpoint and a slow one. Echo, which the lesson turns on to show the SQL, is off: it is for trying out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"], echo=False)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The models."""


class User(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    name: Mapped[str] = mapped_column(index=True)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the tables at startup."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def get_db() -> AsyncIterator[AsyncSession]:
    """A session for the request."""
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI(lifespan=lifespan)


@app.post("/users/")
async def create_user(name: str, db: Db):  # type: ignore[no-untyped-def]  # the lesson annotates no answers
    """Add a user."""
    user = User(name=name)
    db.add(user)
    await db.commit()
    await db.refresh(user)
    return {"id": user.id, "name": user.name}


@app.get("/users/")
async def read_users(db: Db, above: int = 0):  # type: ignore[no-untyped-def]
    """List the users."""
    users: Sequence[User] = (await db.execute(select(User).where(User.id > above))).scalars().all()
    return users


@app.get("/users/{user_id}")
async def read_user(user_id: int, db: Db):  # type: ignore[no-untyped-def]
    """One user."""
    user = (await db.execute(select(User).where(User.id == user_id))).scalars().first()
    if user is None:
        raise HTTPException(404, "User not found")
    return user


@app.get("/slow")
async def slow(db: Db) -> None:
    """A query of one second (PostgreSQL)."""
    await db.execute(select(func.pg_sleep(1)))


@app.get("/health")
async def health() -> str:
    """Is the server there?"""
    return "ok"
