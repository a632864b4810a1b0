"""Rules for who has a token."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from fastapi import Depends
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from rowserve.identity import JWT
from rowserve.permissions import IsAuthenticated, ReadOnly, When, Where
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


class Page(Base):
    """What a team has written, which has a text for a name."""

    __tablename__ = "pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    team: Mapped[str]


async def test_a_claim_is_read_as_what_it_is_compared_with(database_url: str) -> None:
    rule = When(lambda ctx: ctx.user.role == "admin") | Where(lambda ctx: Page.team.in_(ctx.user.teams))
    one = When(lambda ctx: ctx.user.role == "admin") | Where(lambda ctx: Note.owner.in_(ctx.user.teams))
    user = Depends(JWT(key=SECRET))
    pages, notes = Resource(Page, user=user, permissions=rule), Resource(Note, user=user, permissions=one)
    async with client_of(application(Database(database_url), Base, pages, notes)) as client:
        teams = [{"id": 1, "team": "a"}, {"id": 2, "team": "b"}, {"id": 3, "team": "7"}]
        assert (await client.post("/pages", json=teams, headers=bearer(role="admin"))).status_code == 201
        owners = [{"id": 1, "owner": 7}, {"id": 2, "owner": 8}]
        assert (await client.post("/notes", json=owners, headers=bearer(role="admin"))).status_code == 201
        cases: list[tuple[Any, list[int]]]
        cases = [
            (["a", "b"], [1, 2]), ([7], [3]), ("a", [1]), ("ab", []), (7, [3]), ([], []), ({"a": 1}, []), ([None], []),
        ]  # fmt: skip
        for claimed, seen in cases:
            answer = await client.get("/pages?select=id", headers=bearer(teams=claimed))
            assert [row["id"] for row in answer.json()] == seen, claimed
        for claimed, seen in [(["7", "x", 8], [1, 2]), ("8", [2]), (True, []), (["x"], [])]:
            answer = await client.get("/notes?select=id", headers=bearer(teams=claimed))
            assert [row["id"] for row in answer.json()] == seen, claimed


async def test_a_test_may_say_who_asks(sqlite_url: str) -> None:
    authenticator = JWT(key=SECRET)
    notes = Resource(Note, user=Depends(authenticator), permissions=When(lambda ctx: ctx.user["role"] == "admin"))
    app = application(Database(sqlite_url), Base, notes)
    async with client_of(app) as client:
        assert (await client.post("/notes", json={"owner": 1})).status_code == 401
        app.dependency_overrides[authenticator] = lambda: {"role": "admin"}
        assert (await client.post("/notes", json={"owner": 1})).status_code == 201


def test_what_is_no_rule_is_refused_at_once() -> None:
    for compose in (lambda: ReadOnly() | IsAuthenticated, lambda: Resource(Note, permissions=IsAuthenticated)):
        with pytest.raises(TypeError, match="such as IsAuthenticated"):
            compose()
