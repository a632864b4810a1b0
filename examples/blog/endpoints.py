"""Endpoints of the blog's own: to sign up and in, and to publish."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select

from rowserve import ReadSession, Session

from . import mails
from .database import db
from .models import Post, Role, User, now
from .security import NOBODYS, SignedIn, hashed, is_password, token_for

router = APIRouter()

Password = Annotated[str, Field(min_length=8, max_length=200)]


class SignUp(BaseModel):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=40)]
    email: Annotated[str, Field(pattern=r"^\S+@\S+$", max_length=200)]
    password: Password


class SignIn(BaseModel):
    name: str
    password: Password


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"  # noqa: S105


class Me(BaseModel, from_attributes=True):
    id: int
    name: str
    email: str
    role: Role
    about: str


class Published(BaseModel, from_attributes=True):
    id: int
    slug: str
    revision: int


@router.post("/signup", status_code=201, tags=["accounts"])
async def sign_up(data: SignUp, session: Session) -> Me:
    user = User(name=data.name, email=data.email, password_hash=await hashed(data.password))
    session.add(user)
    await session.flush()  # the id is needed now; returning commits, and a name that is taken is a 409
    db.after_commit(session, mails.send, user.email, f"Welcome, {user.name}")
    return Me.model_validate(user)


@router.post("/login", tags=["accounts"])
async def log_in(data: SignIn, session: ReadSession) -> Token:
    user = await session.scalar(select(User).where(User.name == data.name))
    if not await is_password(data.password, NOBODYS if user is None else user.password_hash) or user is None:
        raise HTTPException(401, "There is no user of that name and password")
    return Token(access_token=token_for(user))


@router.get("/me", tags=["accounts"])
async def me(user: SignedIn, session: ReadSession) -> Me:
    found = await session.scalar(select(User).where(User.id == user.id))
    if found is None:
        raise HTTPException(404, "You are no longer a user")
    return Me.model_validate(found)


@router.post("/posts/{id}/publish", tags=["posts"])
async def publish(id: int, user: SignedIn, session: Session, response: Response) -> Published:
    """Shows a draft to everybody."""
    post = await session.scalar(select(Post).where(Post.id == id, Post.author_id == user.id).with_for_update())
    if post is None:
        raise HTTPException(404, f"You have no post {id}")
    if post.is_published:
        raise HTTPException(409, "It is published already")
    post.published_at = now()
    await session.flush()  # counts the revision
    author = await session.get_one(User, post.author_id)
    db.after_commit(session, mails.send, author.email, f"“{post.title}” is published")
    response.headers["ETag"] = f'"{post.revision}"'
    return Published.model_validate(post)
