"""Rules say what they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Context, Resource
from rowserve.permissions import AllowAny, IsAuthenticated, ReadOnly, When, Where


class Base(DeclarativeBase):
    """The models of this module."""


class Post(Base):
    """Anything."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int]
    published: Mapped[bool]


def is_admin(ctx: Context) -> bool:
    """Whether somebody is."""
    return bool(ctx.user.role == "admin")


def test_rules_say_what_they_are() -> None:
    mine, other = Where(lambda ctx: Post.author_id == ctx.user.id), When(lambda ctx: ctx.user.name == "é" or ctx.user.x)
    assert repr(AllowAny()) == "AllowAny()"
    assert repr(mine) == "Where(lambda ctx: Post.author_id == ctx.user.id)"
    assert repr(other) == 'When(lambda ctx: ctx.user.name == "é" or ctx.user.x)'
    made = (lambda role: lambda ctx: ctx.user.role == role)("admin")
    assert repr(When(made)) == "When(lambda ctx: ctx.user.role == role)"
    assert repr(When(is_admin) | ReadOnly() & (IsAuthenticated() | ~mine)) == (
        "When(is_admin) | ReadOnly() & (IsAuthenticated() | ~Where(lambda ctx: Post.author_id == ctx.user.id))"
    )
    assert repr(~(ReadOnly() & AllowAny())) == "~(ReadOnly() & AllowAny())"


def test_a_rule_whose_source_is_nowhere() -> None:
    assert repr(When(eval("lambda ctx: ctx.user"))) == "When(lambda …)"


def test_query_is_named() -> None:
    class Posts(Resource[Post]):
        def query(self, ctx: Context) -> Select[Any]:
            return select(Post).where(Post.published)

    assert repr(Posts(permissions=ReadOnly()).rule) == f"Where({Posts.__qualname__}.query) & ReadOnly()"
