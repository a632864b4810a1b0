"""FastCRUD's `crud_router`, as its README shows it (https://benavlabs.github.io/fastcrud/), with a filter on ``id``."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastcrud import FilterConfig, crud_router
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
async_session = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


class Base(DeclarativeBase):
    """The models."""


class User(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    name: Mapped[str] = mapped_column(index=True)


class UserCreate(BaseModel):
    """What a new user needs."""

    name: str


class UserUpdate(BaseModel):
    """What may change."""

    name: str


class UserRead(BaseModel):
    """A user as it is answered."""

    id: int
    name: str


async def get_session() -> AsyncIterator[AsyncSession]:
    """A session for the request."""
    async with async_session() as session:
        yield session


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the tables at startup."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
app.include_router(
    crud_router(
        session=get_session,
        model=User,
        create_schema=UserCreate,
        update_schema=UserUpdate,
        select_schema=UserRead,
        filter_config=FilterConfig(id__gt=None),
        path="/users",
        tags=["Users"],
    )
)


@app.get("/health")
async def health() -> str:
    """Is the server there?"""
    return "ok"
