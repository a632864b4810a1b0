"""What the blog serves of its tables, to whom, and what happens then."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from fastapi import HTTPException
from pydantic import BaseModel, Field, StringConstraints, model_validator
from sqlalchemy import select

from rowserve import Context, Resource
from rowserve.permissions import IsAuthenticated, ReadOnly, When, Where

from . import mails
from .models import Comment, Post, PostTag, Tag, User
from .security import anybody

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Rows = list[dict[str, Any]]

is_admin = IsAuthenticated() & When(lambda ctx: ctx.user.role == "admin")
is_author = IsAuthenticated() & When(lambda ctx: ctx.user.role == "author")
is_published = Where(lambda ctx: Post.published_at.is_not(None))
is_on_a_published_post = Where(
    lambda ctx: select(Post.id).where(Post.id == Comment.post_id, Post.published_at.is_not(None)).exists()
)
is_about_an_own_post = Where(
    lambda ctx: select(Post.id).where(Post.id == PostTag.post_id, Post.author_id == ctx.user.id).exists()
)


class Users(Resource[User]):
    """Everybody sees who is there; only admins change what somebody may do."""

    user = anybody
    permissions = is_admin | ReadOnly()
    hidden = ("email", "password_hash")
    readonly = ("id", "name")


class PostCreate(BaseModel):
    """A new post. Without a slug it gets one of its title."""

    title: str = Field(min_length=1, max_length=200)
    body: str = ""
    slug: Slug | None = None

    @model_validator(mode="after")
    def named(self) -> Self:
        if self.slug is None:
            self.slug = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-") or "post"
        return self


class PostUpdate(BaseModel):
    """Changes to a post."""

    title: str | None = Field(None, min_length=1, max_length=200)
    body: str | None = None
    slug: Slug | None = None


class Posts(Resource[Post]):
    """Drafts are their authors' own. What is published everybody reads, and it keeps its slug."""

    user = anybody
    permissions = is_admin | ReadOnly() & is_published | is_author & Where(lambda ctx: Post.author_id == ctx.user.id)
    hidden = ("moderation_note",)
    create = PostCreate
    update = PostUpdate
    nested = ("comments",)

    async def before_insert(self, ctx: Context, rows: Rows) -> None:
        for row in rows:
            row["author_id"] = int(ctx.user.id)

    async def before_update(self, ctx: Context, rows: Rows, changes: dict[str, Any]) -> None:
        if "slug" in changes and any(row["published_at"] and row["slug"] != changes["slug"] for row in rows):
            raise HTTPException(409, "What is published keeps its slug: others link to it")


class Comments(Resource[Comment]):
    """Whoever is known may comment on what is published."""

    user = anybody
    permissions = is_admin | is_on_a_published_post & (
        ReadOnly() | IsAuthenticated() & Where(lambda ctx: Comment.author_id == ctx.user.id)
    )
    readonly = ("id", "author_id", "written_at")

    async def before_insert(self, ctx: Context, rows: Rows) -> None:
        for row in rows:
            row["author_id"] = int(ctx.user.id)

    async def after_insert(self, ctx: Context, rows: Rows) -> None:
        about = {row["post_id"] for row in rows}
        posts = await ctx.session.execute(
            select(User.email, Post.title).join(Post.author).where(Post.id.in_(about), User.id != int(ctx.user.id))
        )
        for email, title in posts:
            ctx.after_commit(mails.send, email, f"A comment on {title}")


class Tags(Resource[Tag]):
    """What posts may be about: for admins to say."""

    user = anybody
    permissions = is_admin | ReadOnly()


class PostTags(Resource[PostTag]):
    """Authors say what their posts are about."""

    user = anybody
    permissions = is_admin | ReadOnly() | is_author & is_about_an_own_post
