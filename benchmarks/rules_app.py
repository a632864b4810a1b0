"""A rowserve app whose users are served three times: under no rule, and under one for who has a token or a header."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Header
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from rowserve.identity import JWT
from rowserve.permissions import IsAuthenticated, Where

SECRET = "a secret of thirty-two bytes, or more"


class Base(DeclarativeBase):
    """The models."""


class User(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    name: Mapped[str] = mapped_column(index=True)


class Caller:
    """Who asks, as the application's own dependency has found out."""

    def __init__(self, least: int) -> None:
        self.least = least


async def current_user(authorization: Annotated[str, Header()]) -> Caller:
    """Whoever has a header."""
    return Caller(len(authorization) - len(authorization))


rule = IsAuthenticated() & Where(lambda ctx: User.id > ctx.user.least)
db = Database()
app = FastAPI(lifespan=db.lifespan)
app.include_router(Resource(User, prefix="/plain"))
app.include_router(Resource(User, prefix="/token", user=Depends(JWT(key=SECRET)), permissions=rule))
app.include_router(Resource(User, prefix="/depends", user=Depends(current_user), permissions=rule))
