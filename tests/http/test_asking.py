"""What else a read may be asked for: guesses of a count, a time zone, its plan, and where the time went."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

from .diary import diary_of

pytestmark = pytest.mark.anyio

ZONE = {"Prefer": "timezone=America/Los_Angeles"}
PLAN = "application/vnd.pgrst.plan"


@pytest.fixture
async def diary(database_url: str) -> AsyncIterator[AsyncClient]:
    async with diary_of(database_url) as client:
        yield client


async def test_a_count_is_said_to_be_what_it_was_asked_to_be(diary: AsyncClient) -> None:
    for way in ("exact", "planned", "estimated"):
        answer = await diary.get("/days?id=lt.3", headers={"Prefer": f"count={way}"})
        assert answer.headers["preference-applied"] == f"count={way}"
        assert answer.headers["content-range"].startswith("0-1/")


async def test_the_planner_guesses_on_postgresql(postgresql_url: str) -> None:
    async with diary_of(postgresql_url, max_rows=2) as diary:
        guess = (await diary.get("/days?id=lt.3", headers={"Prefer": "count=planned"})).headers["content-range"]
        # Of a table without statistics PostgreSQL expects far more rows than there are.
        assert int(guess.rpartition("/")[2]) > 3
        few = await diary.get("/days?id=lt.3", headers={"Prefer": "count=estimated"})
        assert (few.status_code, few.headers["content-range"]) == (200, "0-1/2")
        many = await diary.get("/days", headers={"Prefer": "count=estimated"})
        assert (many.status_code, int(many.headers["content-range"].rpartition("/")[2]) > 3) == (206, True)
        groups = await diary.get("/notes?select=day_id,count()", headers={"Prefer": "count=planned"})
        assert groups.headers["content-range"].startswith("0-1/")


async def test_sqlite_counts_every_way(sqlite_url: str) -> None:
    async with diary_of(sqlite_url, max_rows=2) as diary:
        for way in ("planned", "estimated"):
            answer = await diary.get("/days", headers={"Prefer": f"count={way}"})
            assert (answer.status_code, answer.headers["content-range"]) == (206, "0-1/3")


async def test_groups_are_counted_as_groups(diary: AsyncClient) -> None:
    answer = await diary.get("/notes?select=day_id,count()&limit=1", headers={"Prefer": "count=exact"})

    assert (answer.status_code, answer.headers["content-range"]) == (206, "0-0/2")


async def test_moments_are_shown_in_the_time_zone_that_is_asked_for(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=at", headers=ZONE)
    assert answer.headers["preference-applied"] == "timezone=America/Los_Angeles"
    assert answer.json() == [
        {"at": "2026-01-01T19:04:05.25-08:00"},
        {"at": "2026-07-01T05:00:00-07:00"},
        {"at": None},
    ]
    assert (await diary.get("/days/2?select=at", headers=ZONE)).json() == {"at": "2026-07-01T05:00:00-07:00"}
    csv = await diary.get("/days?select=at", headers={**ZONE, "Accept": "text/csv"})
    assert csv.text == 'at\n"2026-01-01 19:04:05.25-08"\n"2026-07-01 05:00:00-07"\n'
    half = await diary.get("/days?select=at&id=eq.2", headers={"Prefer": "timezone=Asia/Kolkata", "Accept": "text/csv"})
    assert half.text == 'at\n"2026-07-01 17:30:00+05:30"'
    lines = await diary.get("/days?select=at&id=eq.2", headers={**ZONE, "Accept": "application/x-ndjson"})
    assert lines.json() == {"at": "2026-07-01T05:00:00-07:00"}


async def test_in_a_time_zone_too_pages_are_found(diary: AsyncClient) -> None:
    first = await diary.get("/days?select=id&order=at.desc&limit=2", headers=ZONE)
    assert first.json() == [{"id": 3}, {"id": 2}]

    assert (await diary.get(first.links["next"]["url"], headers=ZONE)).json() == [{"id": 1}]


async def test_a_time_zone_is_that_of_one_request(diary: AsyncClient) -> None:
    zones = ("America/Los_Angeles", "Asia/Tokyo", None)
    seen = {"America/Los_Angeles": "05:00:00-07:00", "Asia/Tokyo": "21:00:00+09:00", None: "12:00:00+00:00"}

    async def shown(number: int) -> None:
        zone = zones[number % 3]
        headers = {} if zone is None else {"Prefer": f"timezone={zone}"}
        answer = await diary.get("/days?select=at&id=eq.2", headers=headers)
        assert answer.json() == [{"at": f"2026-07-01T{seen[zone]}"}]

    await asyncio.gather(*(shown(number) for number in range(90)))


async def test_a_read_that_fails_leaves_no_time_zone_behind(diary: AsyncClient) -> None:
    for _ in range(8):
        answer = await diary.get("/days?select=at&more->>a=eq.1&id=eq.99999999999999999999", headers=ZONE)
        assert answer.status_code == 400
    for _ in range(8):
        assert (await diary.get("/days?select=at&id=eq.2")).json() == [{"at": "2026-07-01T12:00:00+00:00"}]


async def test_a_time_zone_that_there_is_not_is_passed_over_unless_handled_strictly(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=at&id=eq.2", headers={"Prefer": "timezone=Mars/Olympus"})
    assert answer.json() == [{"at": "2026-07-01T12:00:00+00:00"}]
    assert "preference-applied" not in answer.headers

    answer = await diary.get("/days", headers={"Prefer": "handling=strict, timezone=Mars/Olympus"})
    assert refusal(answer) == (400, "PGRST122")
    assert answer.json()["details"] == "Invalid preferences: timezone=Mars/Olympus"


async def test_reads_may_be_handled_strictly(diary: AsyncClient) -> None:
    answer = await diary.get("/days", headers={"Prefer": "handling=strict, colour=blue"})
    assert refusal(answer) == (400, "PGRST122")

    answer = await diary.get("/days", headers={"Prefer": "handling=strict, count=exact"})
    assert answer.headers["preference-applied"] == "count=exact, handling=strict"


async def test_where_the_time_went_is_told_if_the_server_is_to_tell(database_url: str) -> None:
    async with diary_of(database_url, server_timing=True) as diary:
        for path in ("/days", "/days/1", "/days?id=eq.1"):
            timing = (await diary.get(path)).headers["server-timing"]
            assert re.fullmatch(
                r"parse;dur=\d+\.\d+, plan;dur=\d+\.\d+, transaction;dur=\d+\.\d+, response;dur=\d+\.\d+", timing
            )
        written = await diary.patch("/days?id=eq.1", json={"title": "x"})
        assert "transaction;dur=" in written.headers["server-timing"]


async def test_where_the_time_went_is_not_told_unasked(diary: AsyncClient) -> None:
    assert "server-timing" not in (await diary.get("/days")).headers


async def test_the_plan_is_told_if_that_is_allowed(postgresql_url: str) -> None:
    async with diary_of(postgresql_url, explain=True) as diary:
        answer = await diary.get("/days?title=eq.x", headers={"Accept": f"{PLAN}+json"})
        assert answer.headers["content-type"] == f'{PLAN}+json; for="application/json"; charset=utf-8'
        assert answer.json()[0]["Plan"]["Total Cost"] > 0

        answer = await diary.get("/days?title=eq.x", headers={"Accept": f"{PLAN}; options=analyze|verbose"})
        assert answer.headers["content-type"] == (
            f'{PLAN}+text; for="application/json"; options=analyze|verbose; charset=utf-8'
        )
        assert "actual time=" in answer.text
        assert "Seq Scan on public.days" in answer.text
        assert answer.text.count("\n") > 2
        one = await diary.get("/days/1", headers={"Accept": PLAN})
        assert "Index" in one.text
        assert refusal(await diary.get("/days", headers={"Accept": f"{PLAN}; options=wal"})) == (400, "22023")


async def test_sqlite_tells_its_plan_too(sqlite_url: str) -> None:
    async with diary_of(sqlite_url, explain=True) as diary:
        answer = await diary.get("/days/1", headers={"Accept": PLAN})
        assert answer.text.startswith("QUERY PLAN\n")
        assert "SEARCH days" in answer.text

        answer = await diary.get("/days?title=eq.x", headers={"Accept": f"{PLAN}+json"})
        assert any("SCAN days" in step["detail"] for step in json.loads(answer.content))
