"""Who the tests are about, and what they have written."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from .. import mails
from ..mails import Mail
from ..models import Comment, Post, Role, Tag, User, now
from ..security import token_for

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Blog:
    """Ada has a draft, and a post that Bob has said something of. Both are authors, Root is an admin.

    ``ada``, ``bob`` and ``root`` are what each of them sends along.
    """

    ada: Headers
    bob: Headers
    root: Headers
    ids: dict[str, int]
    draft: str
    post: str
    comment: str


def shown_by(user: User) -> Headers:
    return {"Authorization": f"Bearer {token_for(user)}"}


@pytest.fixture
async def blog(session: AsyncSession) -> Blog:
    ada, bob, root = (
        User(name=name, email=f"{name.lower()}@blog.example", password_hash="none: nobody can log in")
        for name in ("Ada", "Bob", "Root")
    )
    root.role = Role.admin
    draft = Post(author=ada, title="A draft", slug="a-draft", body="…")
    post = Post(
        author=ada, title="A post", slug="a-post", body="Read on.", published_at=now(), tags=[Tag(name="maths")]
    )
    comment = Comment(author=bob, post=post, text="I have.")
    session.add_all([root, draft, post, comment])
    await session.commit()
    return Blog(
        ada=shown_by(ada),
        bob=shown_by(bob),
        root=shown_by(root),
        ids={user.name: user.id for user in (ada, bob, root)},
        draft=f"/posts/{draft.id}",
        post=f"/posts/{post.id}",
        comment=f"/comments/{comment.id}",
    )


@pytest.fixture
def sent() -> deque[Mail]:
    """The mails that a test has had sent."""
    mails.sent.clear()
    return mails.sent
