"""Rows that are written in one order and given back in another, or as groups."""

from __future__ import annotations

import asyncio

import pytest
from httpx import AsyncClient

from tests.helpers import names

pytestmark = pytest.mark.anyio

ROWS = {"Prefer": "return=representation"}


async def test_each_of_many_callers_gets_its_own_rows(users: AsyncClient) -> None:
    async def create(number: int) -> tuple[list[str], list[str]]:
        name = f"user {(number * 37) % 60:02}"
        ordered = await users.post("/users?order=name.desc", json=[{"name": f"{name} a"}, {"name": f"{name} b"}])
        one = await users.post("/users?select=name,count()", json=[{"name": name}])
        assert ordered.status_code == one.status_code == 201
        assert (names(await users.get(f"/users?name=like.{name} *&order=id")), one.json()[0]["name"]) == (
            [f"{name} a", f"{name} b"],
            name,
        )
        return [row["name"] for row in ordered.json()], [f"{name} b", f"{name} a"]

    for given, expected in await asyncio.gather(*(create(number) for number in range(60))):
        assert given == expected


async def test_rows_that_came_in_many_parts_are_ordered_as_a_whole(users: AsyncClient) -> None:
    rows = [{"name": f"{(number * 7_919) % 30_000:05} {'x' * 60}"} for number in range(30_000)]

    answer = await users.post("/users?select=name&order=name.desc", json=rows)

    assert [row["name"] for row in answer.json()] == sorted((row["name"] for row in rows), reverse=True)
    answer = await users.patch(
        "/users?select=count()&id=gt.0", json={"name": "y"}, headers={"Prefer": "return=representation"}
    )
    assert answer.json() == [{"count": 30_000}]


async def test_rows_that_came_in_many_parts_are_grouped_as_a_whole(users: AsyncClient) -> None:
    rows = [{"name": f"{number % 3} {'x' * 60}"} for number in range(30_000)]

    answer = await users.post("/users?select=count(),name&order=name", json=rows)

    assert [row["count"] for row in answer.json()] == [10_000] * 3


async def test_what_failed_leaves_no_row_behind_for_the_next(users: AsyncClient) -> None:
    await users.post("/users", json=[{"name": "a"}, {"name": "b"}])
    path, headers = (
        "/users?order=name.desc&id=gt.0",
        {"Prefer": "return=representation, handling=strict, max-affected=1"},
    )

    refused = await users.patch(path, json={"name": "x"}, headers=headers)
    answer = await users.delete(path, headers={"Prefer": "return=representation"})

    assert refused.status_code == 400
    assert names(answer) == ["b", "a"]
