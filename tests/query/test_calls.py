"""The query string of a function: arguments, and what its rows are narrowed to."""

from __future__ import annotations

import pytest

from rowserve.errors import ApiError
from rowserve.query import Comparison, Field, Is, parse, parse_call, unparse_call


@pytest.mark.parametrize(
    ("query_string", "arguments"),
    [
        ("", ()),
        ("a=1&b=2", (("a", "1"), ("b", "2"))),
        ("v=1&v=2&v=", (("v", "1"), ("v", "2"), ("v", ""))),
        ("a=%7B1,2%7D&b=x+y", (("a", "{1,2}"), ("b", "x y"))),
        ('"select"=1&"a.b"=2&a-b=3', (("select", "1"), ("a.b", "2"), ("a-b", "3"))),
        ("a=eq&b=equal.5&c=not&d=eq(some).1&e=fts().x&f=is", (
            ("a", "eq"), ("b", "equal.5"), ("c", "not"), ("d", "eq(some).1"), ("e", "fts().x"), ("f", "is"),
        )),
        ("a", ()),
    ],
)  # fmt: skip
def test_what_is_no_filter_is_an_argument(query_string: str, arguments: tuple[tuple[str, str], ...]) -> None:
    call = parse_call(query_string)
    assert call.arguments == arguments
    assert call.parsed == parse("")
    assert parse_call(unparse_call(call)) == call


def test_filters_and_the_rest_are_as_on_a_list() -> None:
    rest = "col=eq.3&select=id&order=id.desc&limit=5&c=not.is.null&or=(x.eq.1,y.eq.2)&d=like(any).{a}"
    call = parse_call(f"a=1&{rest}&b=2")
    assert call.arguments == (("a", "1"), ("b", "2"))
    assert call.parsed == parse(rest)
    assert call.parsed.query.modifiers.where[:2] == (
        Comparison(Field("col"), "eq", 0),
        Is(Field("c"), "null", negated=True),
    )


@pytest.mark.parametrize("query_string", ["a=in.5", "a=is.x", "a=not.x", "a=1&order=a.x", "a:b=1"])
def test_what_means_to_be_a_filter_is_refused_as_one(query_string: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_call(query_string)
    assert caught.value.code == "PGRST100"


def test_a_list_has_no_arguments() -> None:
    with pytest.raises(ApiError):
        parse("a=1")
