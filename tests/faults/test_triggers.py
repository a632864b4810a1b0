"""PostgreSQL: a trigger that swallows rows. What is left has to be told apart, whoever sent it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from rowserve import Database, Resource
from rowserve.users import Base, User
from tests.helpers import application, client_of

pytestmark = pytest.mark.anyio

SWALLOW = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name LIKE 'swallowed%' THEN RETURN NULL; END IF;
    RETURN NEW;
END $$
"""
TRIGGER = "CREATE TRIGGER swallow BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION swallow()"


async def test_a_swallowed_row_is_nobody_elses(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    async with client_of(application(database, Base, Resource(User))) as client:
        async with database.begin() as session:
            await session.execute(text(SWALLOW))
            await session.execute(text(TRIGGER))

        many = await client.post("/users", json=[{"name": "a"}, {"name": "swallowed"}, {"name": "b"}])
        names = [f"{'swallowed' if n % 3 == 0 else 'kept'}{n}" for n in range(30)]
        answers = await asyncio.gather(*(client.post("/users", json={"name": name}) for name in names))

        assert (many.status_code, [row["name"] for row in many.json()]) == (201, ["a", "b"])
        for name, answer in zip(names, answers, strict=True):
            assert answer.status_code == 201
            assert answer.json() == [] if name.startswith("swallowed") else answer.json()["name"] == name
