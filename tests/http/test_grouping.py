"""Groups of rows by what databases do not compare of themselves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from tests.helpers import application, client_of

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    """The models of this module."""


class Event(Base):
    """What happened, and all that is known of it."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    details: Mapped[Any] = mapped_column(JSON)


async def test_rows_are_grouped_by_json(database_url: str) -> None:
    async with client_of(application(Database(database_url), Base, Resource(Event))) as client:
        rows = [{"details": {"by": "Ada"}}, {"details": {"by": "Ada"}}, {"details": [1, None]}]
        assert (await client.post("/events", json=rows)).status_code == 201
        answer = await client.get("/events", params={"select": "details,count()", "order": "details"})
        assert answer.status_code == 200, answer.text
        groups = sorted(answer.json(), key=lambda group: group["count"])
        assert groups == [{"details": [1, None], "count": 1}, {"details": {"by": "Ada"}, "count": 2}]
