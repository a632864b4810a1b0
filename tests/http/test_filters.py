"""Filters: which rows a request is about."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import names, refusal

pytestmark = pytest.mark.anyio

SCORES = [
    {"name": "ada", "points": 10, "rank": 1.5, "played": True},
    {"name": "Bob", "points": 20, "rank": None, "played": False},
    {"name": "Zoë", "points": None, "rank": -2.25, "played": None},
    {"name": "ÉMILE", "points": 20, "rank": 1e300, "played": True},
    {"name": "a_b%c*d", "points": -5, "rank": 0.1, "played": False},
    {"name": 'x,"y" (z)\\', "points": 0, "rank": 3.0, "played": None},
]


async def found(client: AsyncClient, query: str) -> list[int]:
    """The numbers of the rows that a filter selects."""
    answer = await client.get(f"/scores?select=id&{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


@pytest.fixture
async def scores(library: AsyncClient) -> AsyncClient:
    assert (await library.post("/scores", json=SCORES)).status_code == 201
    return library


async def test_operators_compare_numbers(scores: AsyncClient) -> None:
    assert await found(scores, "points=eq.20") == [2, 4]
    assert await found(scores, "points=neq.20") == [1, 5, 6]
    assert await found(scores, "points=gt.10") == [2, 4]
    assert await found(scores, "points=gte.10") == [1, 2, 4]
    assert await found(scores, "points=lt.0") == [5]
    assert await found(scores, "points=lte.0") == [5, 6]
    assert await found(scores, "rank=eq.0.1") == [5]
    assert await found(scores, "rank=gte.1e300") == [4]
    assert await found(scores, "rank=lt.-2") == [3]


async def test_operators_compare_text(scores: AsyncClient) -> None:
    assert await found(scores, "name=eq.Bob") == [2]
    assert await found(scores, "name=eq.bob") == []
    assert await found(scores, "name=eq.Zo%C3%AB") == [3]
    assert await found(scores, "name=eq.a_b%25c*d") == [5]
    assert await found(scores, 'name=eq.x,"y"+(z)\\') == [6]


async def test_in_finds_any_of_several(scores: AsyncClient) -> None:
    assert await found(scores, "points=in.(10,-5)") == [1, 5]
    assert await found(scores, 'name=in.(Bob,"Zo%C3%AB")') == [2, 3]
    assert await found(scores, 'name=in.("x,\\"y\\" (z)\\\\")') == [6]
    assert await found(scores, "rank=in.(0.1,1e300)") == [4, 5]
    assert await found(scores, "played=in.(true)") == [1, 4]
    assert await found(scores, "points=in.()") == []
    assert await found(scores, "points=not.in.(20)") == [1, 5, 6]
    assert await found(scores, "points=not.in.()") == [1, 2, 3, 4, 5, 6]


async def test_is_finds_null_and_truth(scores: AsyncClient) -> None:
    assert await found(scores, "points=is.null") == [3]
    assert await found(scores, "points=is.not_null") == [1, 2, 4, 5, 6]
    assert await found(scores, "points=not.is.null") == [1, 2, 4, 5, 6]
    assert await found(scores, "played=is.true") == [1, 4]
    assert await found(scores, "played=is.false") == [2, 5]
    assert await found(scores, "played=is.unknown") == [3, 6]
    assert await found(scores, "played=not.is.true") == [2, 3, 5, 6]
    assert await found(scores, "played=eq.true") == [1, 4]
    assert await found(scores, "played=eq.f") == [2, 5]


async def test_null_is_unlike_everything(scores: AsyncClient) -> None:
    assert 3 not in await found(scores, "points=neq.1")
    assert 3 not in await found(scores, "points=not.eq.1")
    assert 3 not in await found(scores, "not.or=(points.eq.1,points.eq.2)")


async def test_like_knows_case_and_ilike_does_not(scores: AsyncClient) -> None:
    assert await found(scores, "name=like.B*") == [2]
    assert await found(scores, "name=like.b*") == []
    assert await found(scores, "name=ilike.b*") == [2]
    assert await found(scores, "name=like.*o*") == [2, 3]
    assert await found(scores, "name=like.%25o%25") == [2, 3]
    assert await found(scores, "name=like._ob") == [2]
    assert await found(scores, "name=ilike.ADA") == [1]
    assert await found(scores, "name=not.ilike.*o*") == [1, 4, 5, 6]


async def test_ilike_knows_more_letters_than_those_of_english(scores: AsyncClient) -> None:
    assert await found(scores, "name=ilike.zoË") == [3]
    assert await found(scores, "name=ilike.émile") == [4]


async def test_a_backslash_takes_the_meaning_from_a_wildcard(scores: AsyncClient) -> None:
    assert await found(scores, "name=like.a\\_b\\%25*") == [5]
    assert await found(scores, "name=like.a\\%25*") == []


async def test_filters_all_have_to_hold(scores: AsyncClient) -> None:
    assert await found(scores, "points=gte.10&points=lt.20") == [1]
    assert await found(scores, "points=eq.20&played=is.true") == [4]


async def test_or_and_and_nest(scores: AsyncClient) -> None:
    assert await found(scores, "or=(points.eq.10,points.is.null)") == [1, 3]
    assert await found(scores, "and=(points.gt.0,points.lt.15)") == [1]
    assert await found(scores, "or=(points.lt.0,and(points.eq.20,not.and(played.is.true,rank.gt.1)))") == [2, 5]
    assert await found(scores, "not.or=(points.eq.20,points.lt.0)") == [1, 6]
    assert await found(scores, "or=(name.in.(ada,Bob),rank.eq.3)") == [1, 2, 6]
    assert await found(scores, 'or=(name.eq."x,\\"y\\" (z)\\\\",name.not.neq.ada)') == [1, 6]
    assert await found(scores, "or=(name.ilike.*E*,points.eq.0)&played=is.true") == [4]


async def test_isdistinct_compares_null_too(scores: AsyncClient) -> None:
    assert await found(scores, "points=isdistinct.20") == [1, 3, 5, 6]


async def test_dates_are_compared_as_dates(library: AsyncClient) -> None:
    assert names(await library.get("/authors?born=lt.1900-01-01")) == ["Ada"]
    assert names(await library.get("/authors?born=eq.1906-12-09")) == ["Grace"]
    assert names(await library.get("/authors?born=in.(1906-12-09,1815-12-10)")) == ["Ada", "Grace"]


async def test_the_same_filter_with_another_value_finds_other_rows(scores: AsyncClient) -> None:
    for points, expected in ((10, [1]), (20, [2, 4]), (0, [6]), (99, [])):
        assert await found(scores, f"points=eq.{points}") == expected


async def test_values_are_checked_by_the_columns_type(scores: AsyncClient) -> None:
    for query, message in (
        ("points=eq.abc", 'invalid input syntax for type integer: "abc"'),
        ("points=in.(1,two)", 'invalid input syntax for type integer: "two"'),
        ("or=(id.eq.1,points.gt.x)", 'invalid input syntax for type integer: "x"'),
        ("rank=gt.high", 'invalid input syntax for type double precision: "high"'),
        ("played=eq.maybe", 'invalid input syntax for type boolean: "maybe"'),
    ):
        answer = await scores.get(f"/scores?{query}")
        assert refusal(answer) == (400, "22P02"), query
        assert answer.json()["message"] == message


async def test_only_truth_is_true(scores: AsyncClient) -> None:
    assert refusal(await scores.get("/scores?points=is.true")) == (400, "42804")


async def test_only_text_is_like(scores: AsyncClient) -> None:
    assert refusal(await scores.get("/scores?points=like.1*")) == (404, "42883")


async def test_sql_in_a_value_is_a_value(scores: AsyncClient) -> None:
    for text in ("'; DROP TABLE scores; --", '" OR 1=1', "%s", ":v0", "$1", "?"):
        answer = await scores.get("/scores", params={"name": f"eq.{text}"})
        assert (answer.status_code, answer.json()) == (200, []), text
