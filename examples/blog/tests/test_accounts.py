"""Signing up, and in."""

from __future__ import annotations

from collections import deque

import pytest
from httpx import AsyncClient

from rowserve.testing import Faults

from ..mails import Mail

pytestmark = pytest.mark.anyio

ADA = {"name": "Ada", "email": "ada@blog.example", "password": "analytical"}


async def test_who_signs_up_can_log_in_and_write(client: AsyncClient, sent: deque[Mail]) -> None:
    signed_up = await client.post("/signup", json=ADA)
    assert signed_up.status_code == 201
    assert signed_up.json().keys() == {"id", "name", "email", "role", "about"}
    assert list(sent) == [Mail("ada@blog.example", "Welcome, Ada")]

    logged_in = await client.post("/login", json={"name": "Ada", "password": "analytical"})
    ada = {"Authorization": f"Bearer {logged_in.json()['access_token']}"}
    assert (await client.get("/me", headers=ada)).json() == signed_up.json()
    written = await client.post("/posts", json={"title": "Notes", "body": "…"}, headers=ada)
    assert written.json()["author_id"] == signed_up.json()["id"]


async def test_a_wrong_password_and_a_wrong_name_are_answered_alike(client: AsyncClient) -> None:
    await client.post("/signup", json=ADA)
    wrong = [
        await client.post("/login", json={"name": "Ada", "password": "synthetical"}),
        await client.post("/login", json={"name": "Adam", "password": "analytical"}),
    ]
    assert [answer.status_code for answer in wrong] == [401, 401]
    assert wrong[0].json() == wrong[1].json()


async def test_a_name_is_taken_once(client: AsyncClient, sent: deque[Mail]) -> None:
    await client.post("/signup", json=ADA)
    refused = await client.post("/signup", json={**ADA, "email": "other@blog.example"})
    assert (refused.status_code, refused.json()["detail"]["code"]) == (409, "23505")
    assert len(sent) == 1


async def test_nobody_is_welcomed_who_is_not_stored(client: AsyncClient, sent: deque[Mail], faults: Faults) -> None:
    faults.next_commit_fails()
    assert (await client.post("/signup", json=ADA)).status_code == 503
    assert not sent
    assert (await client.get("/users")).json() == []
