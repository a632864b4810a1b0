"""The application: ``rowserve serve examples.blog.app:app``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from rowserve import Database, Session
from rowserve.identity import Claims

from . import mails
from .models import Base, Post, Role, User
from .resources import Comments, Posts, PostTags, Tags, Users
from .security import hashed, is_right, somebody, token_for

db = Database()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with db:
        await db.create_tables(Base)
        yield


app = FastAPI(title="A blog", lifespan=lifespan)


class SignUp(BaseModel):
    """Somebody new."""

    name: str = Field(min_length=1, max_length=80)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    password: str = Field(min_length=8)


class Login(BaseModel):
    """Who somebody says they are."""

    name: str
    password: str


class Token(BaseModel):
    """What to send in ``Authorization: Bearer …``."""

    token: str


@app.post("/signup", status_code=201)
async def sign_up(data: SignUp, session: Session) -> Token:
    """Whoever comes first is the admin."""
    is_first = not await session.scalar(select(func.count()).select_from(User))
    role = Role.admin if is_first else Role.reader
    user = User(name=data.name, email=data.email, password_hash=hashed(data.password), role=role)
    session.add(user)
    await session.flush()
    db.after_commit(session, mails.send, user.email, f"Welcome, {user.name}")
    return Token(token=token_for(user))


@app.post("/login")
async def log_in(data: Login, session: Session) -> Token:
    user = await session.scalar(select(User).where(User.name == data.name))
    if user is None or not is_right(data.password, user.password_hash):
        raise HTTPException(401, "There is no such user, or that is not the password")
    return Token(token=token_for(user))


@app.post("/posts/{post_id}/publish", status_code=204)
async def publish(post_id: int, session: Session, user: Annotated[Claims, somebody]) -> None:
    """Publishes a draft: its author does, or an admin."""
    post = await session.get(Post, post_id)
    if post is None or (post.author_id != int(user.id) and user.role != "admin"):
        raise HTTPException(404, "There is no such draft")
    if post.published_at is None:
        post.published_at = datetime.now(UTC)
        readers = await session.scalars(select(User.email).where(User.id != post.author_id))
        for email in readers:
            db.after_commit(session, mails.send, email, f"Published: {post.title}")


RESOURCES: tuple[Any, ...] = (Users(), Posts(), Comments(), Tags(), PostTags())
for resource in RESOURCES:
    app.include_router(resource)
