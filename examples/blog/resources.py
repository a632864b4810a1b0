"""What is served of the models, to whom, and what the blog does when it is written."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from sqlalchemy import select

from rowserve import Context, Resource
from rowserve.permissions import IsAuthenticated, ReadOnly, Where

from . import mails
from .models import Comment, Post, PostTag, Role, Tag, User
from .security import anybody, is_admin
from .shapes import CommentCreate, CommentUpdate, PostCreate, PostUpdate, UserUpdate

Row = dict[str, Any]


class Users(Resource[User]):
    """Who writes here. Everybody may be read of; one may change oneself, but for the role."""

    user = anybody
    hidden = {"email", "password_hash"}
    readonly = {"id", "name"}
    update = UserUpdate
    permissions = is_admin | ReadOnly() | Where(lambda ctx: User.id == ctx.user.id)

    async def before_insert(self, ctx: Context, rows: list[Row]) -> None:
        raise HTTPException(403, "Users sign up, at /signup")

    async def before_update(self, ctx: Context, rows: list[Row], changes: Row) -> None:
        for row in rows:
            if ctx.user.role != Role.admin and changes.get("role", row["role"]) != row["role"]:
                raise HTTPException(403, "Only admins give roles")


class Posts(Resource[Post]):
    """What is written. Drafts are seen by their authors and admins only."""

    user = anybody
    hidden = {"moderation_note"}
    readonly = {"id", "author_id", "created_at", "published_at"}
    embed = {"author", "comments", "tags"}
    create, update = PostCreate, PostUpdate
    permissions = (
        is_admin
        | IsAuthenticated() & Where(lambda ctx: Post.author_id == ctx.user.id)
        | ReadOnly() & Where(lambda ctx: Post.is_published)
    )

    async def before_insert(self, ctx: Context, rows: list[Row]) -> None:
        for row in rows:
            row["author_id"] = ctx.user.id

    async def before_update(self, ctx: Context, rows: list[Row], changes: Row) -> None:
        for row in rows:
            if row["published_at"] is not None and changes.get("slug", row["slug"]) != row["slug"]:
                raise HTTPException(409, "The slug of what is published stays: others have linked to it")


class Moderation(Resource[Post]):
    """Posts as admins see them, with a note that nobody else does."""

    prefix = "/moderation"
    user = anybody
    readonly = {column.name for column in Post.__table__.columns} - {"moderation_note"}
    permissions = is_admin


seen_post = Where(lambda ctx: Comment.post.has(Post.is_published)) | Where(
    lambda ctx: Comment.post.has(Post.author_id == ctx.user.id)
)


class Comments(Resource[Comment]):
    """What is said of posts. Comments are seen where their post is, and changed by who has written them."""

    user = anybody
    readonly = {"id", "author_id", "created_at"}
    create, update = CommentCreate, CommentUpdate
    permissions = is_admin | seen_post & (ReadOnly() | Where(lambda ctx: Comment.author_id == ctx.user.id))

    async def before_insert(self, ctx: Context, rows: list[Row]) -> None:
        for row in rows:
            row["author_id"] = ctx.user.id

    async def after_insert(self, ctx: Context, rows: list[Row]) -> None:
        """Tells authors of what others say."""
        told = (
            select(User.email, Post.title)
            .join(Post, Post.author_id == User.id)
            .join(Comment, Comment.post_id == Post.id)
            .where(Comment.id.in_([row["id"] for row in rows]), Comment.author_id != User.id)
            .order_by(Comment.id)
        )
        for email, title in await ctx.session.execute(told):
            ctx.after_commit(mails.send, email, f"A comment on “{title}”")


class Tags(Resource[Tag]):
    """Words that posts are found by. Admins choose them."""

    user = anybody
    readonly = {"id"}
    permissions = is_admin | ReadOnly()


class PostTags(Resource[PostTag]):
    """Which posts have which tags: for their authors to say."""

    user = anybody
    permissions = (
        is_admin
        | Where(lambda ctx: PostTag.post.has(Post.author_id == ctx.user.id))
        | ReadOnly() & Where(lambda ctx: PostTag.post.has(Post.is_published))
    )


# Where a model is embedded, its first resource says how: Posts stands before Moderation.
resources: list[Resource[Any]] = [Users(), Posts(), Moderation(), Comments(), Tags(), PostTags()]
