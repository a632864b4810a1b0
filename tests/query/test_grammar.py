"""What holds for every request, whatever it asks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowserve.errors import ApiError
from rowserve.query import Call, Parsed, parse, parse_call, unparse, unparse_call
from rowserve.query.complaints import explain

from .strategies import almost, calls, query_strings, requests


@given(requests())
def test_a_request_survives_the_wire(parsed: Parsed) -> None:
    wire = unparse(parsed)
    assert wire.isascii()
    assert parse(wire) == parsed


@given(calls())
def test_a_call_survives_the_wire(call: Call) -> None:
    wire = unparse_call(call)
    assert wire.isascii()
    assert parse_call(wire) == call


@given(almost | query_strings | st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    parsed, code = None, None
    try:
        parsed = parse(text)
    except ApiError as error:
        code = error.code
    if parsed is None:
        assert code in {"PGRST100", "PGRST103", "PGRST108", "22P02"}
    else:
        assert parse(unparse(parsed)) == parsed
        assert hash(parsed.query) == hash(parse(text).query)


@given(almost | query_strings | st.text())
def test_any_call_is_read_or_refused(text: str) -> None:
    call, code = None, None
    try:
        call = parse_call(text)
    except ApiError as error:
        code = error.code
    if call is None:
        assert code in {"PGRST100", "PGRST103", "PGRST108", "22P02"}
    else:
        assert parse_call(unparse_call(call)) == call


def steps(work: Callable[[], object]) -> int:
    """How many functions, of Python and of C, the work calls."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "build",
    [
        lambda n: "&".join(["id=eq.1"] * n),
        lambda n: f"select={','.join(['a'] * n)}",
        lambda n: f"select={','.join(['a(b)'] * n)}&{'&'.join(['a.b=is.null'] * n)}",
        lambda n: f"select={','.join(f'a{i}(b)' for i in range(n))}&{'&'.join(f'a{i}.b=eq.1' for i in range(n))}",
        lambda n: f"or=({','.join(['a.eq.1'] * n)})",
        lambda n: f"or=({','.join(['a.in.(1)'] * n)})",
        lambda n: f"or=({','.join(['a.eq.{'] * n)})",
        lambda n: f"id=in.({','.join([chr(34)] * n)})",
        lambda n: f"id=eq(any).{{{','.join(['x'] * n)}}}",
        lambda n: f"order={','.join(['a'] * n)}",
        lambda n: f"columns={','.join(f'a{i}' for i in range(n))}",
    ],
)
def test_twice_the_text_takes_twice_the_steps(build: Callable[[int], str]) -> None:
    parse(build(10))
    once, twice = steps(partial(parse, build(200))), steps(partial(parse, build(400)))
    assert twice < 2.2 * once


@pytest.mark.parametrize("mistake", ["a=5", "order=a.x", "or=(", "films.a=eq.1", "limit=-1", "a:b=eq.1"])
def test_twice_the_mistakes_take_no_more_than_twice_the_steps(mistake: str) -> None:
    def refused(count: int) -> None:
        with pytest.raises(ApiError):
            parse("&".join([mistake] * count))

    refused(10)
    once, twice = steps(partial(refused, 200)), steps(partial(refused, 400))
    assert twice < 2.2 * once


def test_explaining_a_mistake_is_given_up_in_time() -> None:
    once, twice = (steps(partial(explain, "select parameter", "a," * count + "!")) for count in (200, 400))
    assert once == twice


@pytest.mark.parametrize(
    "text",
    [
        "a=" + "a" * 200_000,
        "a=" + "a" * 200_000 + "(",
        "a=fts(" + "a" * 200_000 + "-).x",
        "a=eq(any).{" + '"' * 200_000 + "}",
        "a=eq(any).{" + "\\" * 200_001 + "}",
        "a=in.(" + '"' * 200_000,
        "or=(a.eq." + '"\\"' * 100_000,
        "or=(a.eq." + "{" * 200_000,
        "select=" + "a-" * 100_000 + "!",
        "select=a::" + " " * 200_000 + "!",
        "select=a->" + "0" * 200_000 + "x)",
        '"' + "\\" * 200_001 + "=eq.1",
        " " * 200_000 + "=eq.1",
    ],
    ids=lambda text: text[:12],
)
def test_no_text_makes_a_pattern_backtrack_without_end(text: str) -> None:
    """Were one of the patterns quadratic, the suite would stand still here."""
    with pytest.raises(ApiError) as caught:
        parse(text)
    assert len(caught.value.message) < 300
