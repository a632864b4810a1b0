"""A rowserve app whose list has no end, for `stream`."""

from __future__ import annotations

from fastapi import FastAPI

from rowserve import Database, Resource

from .isolation_app import User


class Users(Resource[User]):
    """Users, all of them."""

    max_rows = None


db = Database()
app = FastAPI(lifespan=db.lifespan)
app.include_router(Users())
