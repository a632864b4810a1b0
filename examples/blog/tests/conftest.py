"""The blog in each test, with somebody of every kind in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from examples.blog import mails
from examples.blog.models import Comment, Post, Role, Tag, User
from examples.blog.security import token_for

pytest_plugins = ["rowserve.testing"]


def pytest_configure() -> None:
    """A database of the tests' own, unless there is one: before the application asks for it."""
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{tempfile.mkdtemp(prefix='blog-')}/test.db")


@pytest.fixture
def app() -> FastAPI:
    from examples.blog.app import app

    return app


@pytest.fixture(autouse=True)
def outbox() -> Iterator[list[mails.Mail]]:
    """The mails that a test has sent."""
    mails.sent.clear()
    yield mails.sent
    mails.sent.clear()


@dataclass
class World:
    """Who there is, and what they have written: a post each of Ada's and Bob's, and a draft each."""

    admin: User
    ada: User
    bob: User
    reader: User
    published: Post
    draft: Post
    other_draft: Post
    comment: Comment


@pytest.fixture
async def world(session: AsyncSession, client: AsyncClient) -> World:
    def user(name: str, role: Role) -> User:
        return User(name=name, email=f"{name}@example.org", password_hash="", role=role)

    admin, ada, bob = user("root", Role.admin), user("ada", Role.author), user("bob", Role.author)
    reader = user("eve", Role.reader)
    session.add_all([admin, ada, bob, reader])
    await session.flush()
    published = Post(author_id=ada.id, slug="hello", title="Hello", body="x" * 2_500, published_at=datetime.now(UTC))
    draft = Post(author_id=ada.id, slug="a-draft", title="A draft")
    other_draft = Post(author_id=bob.id, slug="bobs-draft", title="Bob's draft")
    session.add_all([published, draft, other_draft, Tag(name="python")])
    await session.flush()
    comment = Comment(post_id=published.id, author_id=reader.id, text="I have read it")
    session.add_all([comment, Comment(post_id=draft.id, author_id=ada.id, text="To be done")])
    await session.flush()
    return World(admin, ada, bob, reader, published, draft, other_draft, comment)


def of(user: User) -> dict[str, str]:
    """The headers of somebody who has logged in."""
    return {"authorization": f"Bearer {token_for(user)}"}
