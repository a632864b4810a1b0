"""The cache of shapes answers what the parser answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given

from rowserve.errors import ApiError
from rowserve.query import ParseCache, Parsed, parse, unparse

from .strategies import query_strings, requests

SHARED = ParseCache()


def outcome(read: Callable[[str], Parsed], text: str) -> object:
    try:
        return read(text)
    except ApiError as error:
        return error.status, error.members()


@given(query_strings)
def test_the_same_as_parsing(text: str) -> None:
    expected = outcome(parse, text)
    assert outcome(SHARED, text) == expected
    assert outcome(SHARED, text) == expected


@given(requests())
def test_the_same_for_every_request(parsed: Parsed) -> None:
    text = unparse(parsed)
    expected = parse(text)
    assert SHARED(text) == expected
    assert SHARED.parse(text) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("id=eq.1", "id=eq.2"),
        ("id=eq.", "id=eq.a%20b+c"),
        ("limit=1&offset=2", "limit=30&offset=4"),
        ("limit=1.last&order=id", "limit=30.last&order=id"),
        ("select=id,name&id=in.(1,2)&order=id&limit=5", 'select=id,name&id=in.("a,b")&order=id&limit=6'),
        ("select=films(*)&films.a=like.x*&a=is.null", "select=films(*)&films.a=like.y*&a=is.null"),
    ],
)
def test_other_values_share_the_query(first: str, second: str) -> None:
    cache = ParseCache()
    one, two = cache(first), cache(second)
    assert one == parse(first)
    assert two == parse(second)
    assert one.query is two.query
    assert len(cache) == 1


@pytest.mark.parametrize(
    "text",
    [
        "or=(a.eq.1)",
        "a=not.eq.1",
        "a=like(any).{a}",
        "limit=1&limit=2",
        "%61=eq.1",
        "a=eq.%C3%A9&é=eq.1",
        f"select={'a' * 3_000}",
    ],
)
def test_values_in_the_shape_are_not_remembered(text: str) -> None:
    cache = ParseCache()
    assert cache(text) == parse(text)
    assert len(cache) == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("limit=5&order=a", "limit&&order=a"),
        ("limit=5", "limit="),
        ("limit=5", "limit=5.last"),
        ("limit=5.last", "limit=5"),
        ("limit=5.last", "&last"),
        ("limit=5.last", "offset=5.last"),
        ("select=order(*)&%6Frder=eq.asc&or=(a.eq.asc)", "select=order(*)&%6Frder=eq.desc&or=(a.eq.asc)"),
        ("id=eq.1", "id&eq"),
        ("id=in.(1)", "id=in.(1"),
        ("id=eq.1", "id=eq.%FF"),
    ],
)
def test_one_shape_is_not_taken_for_another(first: str, second: str) -> None:
    cache = ParseCache()
    outcome(cache, first)
    assert outcome(cache, second) == outcome(parse, second)


def test_the_oldest_shape_is_dropped() -> None:
    cache = ParseCache(size=2)
    queries = [cache(f"{name}=eq.1").query for name in "abc"]
    assert len(cache) == 2
    assert cache("c=eq.2").query is queries[2]
    assert cache("b=eq.2").query is queries[1]
    assert cache("a=eq.2").query is not queries[0]
