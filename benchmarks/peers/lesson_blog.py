"""The lesson's style with relationships: `selectinload` for each level, Pydantic models for what is answered.

The list takes a filter, so that no two requests are alike.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

from ..blog_models import Author, Post

engine = create_async_engine(os.environ["DATABASE_URL"], echo=False)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class CommentRead(BaseModel):
    """A comment as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    text: str


class PostRead(BaseModel):
    """A post as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    comments: list[CommentRead]


class AuthorRead(BaseModel):
    """An author as they are answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    posts: list[PostRead]


async def get_db() -> AsyncIterator[AsyncSession]:
    """A session for the request."""
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI()


@app.get("/authors/", response_model=list[AuthorRead])
async def read_authors(db: Db, above: int = 0) -> Sequence[Author]:
    """List the authors, with their posts and the comments on them."""
    everything = selectinload(Author.posts).selectinload(Post.comments)
    query = select(Author).where(Author.id > above).order_by(Author.id).options(everything)
    return (await db.execute(query)).scalars().all()


@app.get("/health")
async def health() -> str:
    """Is the server there?"""
    return "ok"
