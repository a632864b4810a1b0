"""The Range header: what it asks for, and what is left of it beside limit and offset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowserve.errors import ApiError
from rowserve.query import parse, read_range, unparse, with_range

INVERTED = "The lower boundary must be lower than or equal to the upper boundary in the Range header."


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("0-19", (0, 20)),
        ("0-0", (0, 1)),
        ("10-", (10, None)),
        ("010-0019", (10, 10)),
        (f"{'9' * 5_000}-", (2**63 - 1, None)),
        ("", None),
        ("-5", None),
        ("items=0-9", None),
        ("bytes=0-", None),
        ("0-9,20-29", None),
        (" 0-9", None),
        ("0-9\n", None),
        ("a-b", None),
        ("\u0660-\u0669", None),
    ],
)
def test_reads(header: str, wanted: tuple[int, int | None] | None) -> None:
    assert read_range(header) == wanted


def test_a_range_that_ends_before_it_begins_is_not_satisfiable() -> None:
    with pytest.raises(ApiError) as caught:
        read_range("1-0")
    assert (caught.value.status, caught.value.code, caught.value.details) == (416, "PGRST103", INVERTED)
    assert caught.value.message == "Requested range not satisfiable"


@pytest.mark.parametrize(
    ("query_string", "header", "narrowed"),
    [
        ("", "0-19", "offset=0&limit=20"),
        ("", "10-", "offset=10"),
        ("limit=3", "0-1", "limit=2&offset=0"),
        ("limit=3", "0-9", "limit=3&offset=0"),
        ("limit=3&offset=5", "0-6", "limit=2&offset=5"),
        ("offset=5&limit=10", "8-", "offset=8&limit=7"),
        ("offset=5", "2-", "offset=5"),
        ("id=eq.1&limit=3", "bytes=0-1", "id=eq.1&limit=3"),
        ("limit=0", "5-9", "limit=0"),
        ("limit=5.last", "0-1", "limit=5.last"),
    ],
)
def test_what_both_ask_for_is_answered(query_string: str, header: str, narrowed: str) -> None:
    parsed = with_range(parse(query_string), read_range(header))
    assert sorted(unparse(parsed).split("&")) == sorted(narrowed.split("&"))


def test_ranges_that_have_nothing_in_common_are_not_satisfiable() -> None:
    with pytest.raises(ApiError) as caught:
        with_range(parse("limit=3"), read_range("5-9"))
    assert (caught.value.status, caught.value.code) == (416, "PGRST103")


@given(st.none() | st.integers(1, 9), st.none() | st.integers(0, 9), st.integers(0, 9), st.none() | st.integers(0, 9))
def test_the_rows_are_those_of_both(limit: int | None, offset: int | None, first: int, more: int | None) -> None:
    pairs = [f"{word}={number}" for word, number in (("limit", limit), ("offset", offset)) if number is not None]
    parsed = parse("&".join(pairs))
    rows = range(30)
    both = sorted(
        set(rows[offset or 0 :][:limit]) & set(rows[first : None if more is None else first + more + 1]),
    )
    try:
        narrowed = with_range(parsed, read_range(f"{first}-{'' if more is None else first + more}"))
    except ApiError:
        assert not both
        return
    assert list(rows[narrowed.offset or 0 :][: narrowed.limit]) == both
    assert parse(unparse(narrowed)).limit == narrowed.limit


def test_ranges_that_differ_in_numbers_alone_have_one_shape() -> None:
    queries = {with_range(parse("limit=50&name=eq.Ada"), read_range(header)).query for header in ("0-9", "10-19")}
    assert len(queries) == 1
    assert {with_range(parse(""), (0, 10)).query} == {with_range(parse(""), (10, 10)).query}
