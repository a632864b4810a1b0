"""Rules for who has a token."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from fastapi import Depends
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from rowserve.identity import JWT
from rowserve.permissions import When, Where
from tests.helpers import application, client_of, refusal

pytestmark = pytest.mark.anyio

SECRET = "a secret of thirty-two bytes, or more"


class Base(DeclarativeBase):
    """The models of this module."""


class Note(Base):
    """What somebody has written for himself."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int]


def bearer(**claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}


async def test_a_token_says_whose_rows_are_seen(database_url: str) -> None:
    # Numbers are texts in a token's sub.
    rule = When(lambda ctx: ctx.user.role == "admin") | Where(lambda ctx: Note.owner == ctx.user.id)
    notes = Resource(Note, user=Depends(JWT(key=SECRET)), permissions=rule)
    async with client_of(application(Database(database_url), Base, notes)) as client:
        rows = [{"id": 1, "owner": 1}, {"id": 2, "owner": 2}]
        assert (await client.post("/notes", json=rows, headers=bearer(role="admin"))).status_code == 201
        assert (await client.get("/notes", headers=bearer(sub="1"))).json() == rows[:1]
        assert (await client.get("/notes", headers=bearer(id=2))).json() == rows[1:]
        for other in ({}, bearer(sub="Ada"), bearer(role="reader"), bearer(sub=None)):
            assert (await client.get("/notes", headers=other)).json() == []
        assert refusal(await client.post("/notes", json={"id": 3, "owner": 1})) == (401, "42501")
        assert refusal(await client.post("/notes", json={"id": 3, "owner": 1}, headers=bearer(sub="2"))) == (
            403,
            "42501",
        )
        wrong = await client.get("/notes", headers={"authorization": "Bearer no"})
        assert refusal(wrong) == (401, "PGRST301")
        document = (await client.get("/openapi.json")).json()
        assert document["paths"]["/notes/"]["get"]["security"] == [{"bearer": []}]
