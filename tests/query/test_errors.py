"""Query strings that cannot be read, and what their senders are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rowserve.errors import ApiError
from rowserve.query import parse, unparse

OPERATORS = (
    "eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, in, is, isdistinct, fts, plfts, phfts, wfts, "
    "cs, cd, ov, sl, sr, nxl, nxr, adj"
)
NAME = 'a name (letters, digits, "_", "$", " ", "-", or anything in double quotes)'
ARRAY = 'an array in braces, such as {1,2} or {"a,b",c}'
UNKNOWN = f'unknown operator "foo", expecting one of {OPERATORS}'


def failure(query_string: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse(query_string)
    return caught.value


@pytest.mark.parametrize(
    ("query_string", "what", "column", "details"),
    [
        ("age=foo.3", "filter (foo.3)", 1, UNKNOWN),
        ("age=not.noop.0", "filter (not.noop.0)", 5, f'unknown operator "noop", expecting one of {OPERATORS}'),
        ("age=foo(any).3", "filter (foo(any).3)", 1, UNKNOWN),
        ("age=eq", "filter (eq)", 3, 'unexpected end of input, expecting "." and a value'),
        ("age=eq(some).1", "filter (eq(some).1)", 3, 'unexpected "(", expecting (any) or (all)'),
        ("age=neq(any).1", "filter (neq(any).1)", 4, 'unexpected "(", expecting "." behind "neq"'),
        ("age=in(any).1", "filter (in(any).1)", 3, 'unexpected "(", expecting "." behind "in"'),
        ("age=fts().a", "filter (fts().a)", 4, 'unexpected "(", expecting the name of a language in parentheses'),
        ("age=is.nul", "filter (is.nul)", 4, 'unexpected "n", expecting null, not_null, true, false or unknown'),
        ("age=is.null!", "filter (is.null!)", 8, 'unexpected "!", expecting end of input'),
        ("age=in.1", "filter (in.1)", 4, 'unexpected "1", expecting "("'),
        ("age=in.(1", "filter (in.(1)", 6, 'unexpected end of input, expecting "," or ")"'),
        ("age=in.(1)2", "filter (in.(1)2)", 7, 'unexpected "2", expecting end of input'),
        ("age=eq(any).1", "filter (eq(any).1)", 9, 'unexpected "1", expecting ' + ARRAY),
        ("age=eq(any).{1,}", "filter (eq(any).{1,})", 9, 'unexpected "{", expecting ' + ARRAY),
        ("age=eq(any).{{1}}", "filter (eq(any).{{1}})", 9, 'unexpected "{", expecting ' + ARRAY),
        ("a:b=eq.1", "tree path (a:b)", 2, 'unexpected ":", expecting ".", "->", "->>" or end of input'),
        ("or=()", "logic tree (())", 4, f'unexpected ")", expecting {NAME}'),
        ("or=a.eq.1", "logic tree (a.eq.1)", 3, 'unexpected "a", expecting "("'),
        ("or=(a.eq.1", "logic tree ((a.eq.1)", 10, 'unexpected end of input, expecting "," or ")"'),
        ("or=(a.eq.1)b", "logic tree ((a.eq.1)b)", 11, 'unexpected "b", expecting end of input'),
        (
            "or=(a)",
            "logic tree ((a))",
            5,
            'unexpected ")", expecting "." and an operator behind the name, or "and(", "or(", "not.and(", "not.or("',
        ),
        ("or=(a.foo.1)", "logic tree ((a.foo.1))", 6, UNKNOWN),
        ("select=a,", "select parameter (a,)", 3, f"unexpected end of input, expecting {NAME}"),
        ("select=a(", "select parameter (a()", 3, f"unexpected end of input, expecting {NAME}"),
        ("select=a(b", "select parameter (a(b)", 4, 'unexpected end of input, expecting "," or ")"'),
        ("select=a)", "select parameter (a))", 2, 'unexpected ")", expecting "," or end of input'),
        (
            "select=a!b!c(d)",
            "select parameter (a!b!c(d))",
            4,
            'unexpected "!", expecting "(" (one hint and one of "!inner", "!left" at most)',
        ),
        ("select=a!b", "select parameter (a!b)", 4, 'unexpected end of input, expecting "!" or "("'),
        (
            "select=a.foo()",
            "select parameter (a.foo())",
            2,
            'unexpected ".", expecting ".avg()", ".count()", ".max()", ".min()" or ".sum()"',
        ),
        (
            "select=a::",
            "select parameter (a::)",
            4,
            'unexpected end of input, expecting the name of a type (letters, digits, "_", "$", " ")',
        ),
        (
            "select=a->",
            "select parameter (a->)",
            4,
            "unexpected end of input, expecting "
            'a JSON key (any characters but "(-:.,>)", or anything in double quotes)',
        ),
        (
            "select=a->99999999999",
            "select parameter (a->99999999999)",
            4,
            'unexpected "9", expecting an array index of four bytes',
        ),
        ("order=", "order ()", 1, f"unexpected end of input, expecting {NAME}"),
        (
            "order=id.ac",
            "order (id.ac)",
            3,
            'unexpected ".", expecting ".asc", ".desc", ".nullsfirst", ".nullslast", "," or end of input behind "id"',
        ),
        (
            "order=id.asc.x",
            "order (id.asc.x)",
            7,
            'unexpected ".", expecting ".nullsfirst", ".nullslast", "," or end of input',
        ),
        ("order=id.nullslast.asc", "order (id.nullslast.asc)", 13, 'unexpected ".", expecting "," or end of input'),
        ("columns=", "columns parameter ()", 1, f"unexpected end of input, expecting {NAME}"),
        ("on_conflict=a)", "on_conflict parameter (a))", 2, 'unexpected ")", expecting "," or end of input'),
        ("limit=ten", "limit (ten)", 1, 'unexpected "t", expecting a whole number'),
        ("offset=", "offset ()", 1, "unexpected end of input, expecting a whole number"),
        (
            "limit=9223372036854775808",
            "limit (9223372036854775808)",
            1,
            "expecting a whole number up to 9223372036854775807",
        ),
        (f"limit={'9' * 5000}", f"limit ({'9' * 200}…)", 1, "expecting a whole number up to 9223372036854775807"),
        (".limit=1", "tree path ()", 1, f"unexpected end of input, expecting {NAME}"),
        ("a=eq.%FF", "percent-encoding (eq.%FF)", 1, "expecting percent-encoded UTF-8"),
        ("a=eq.\udcff", "query string ()", 1, "expecting UTF-8"),
    ],
)
def test_says_what_it_cannot_read(query_string: str, what: str, column: int, details: str) -> None:
    error = failure(query_string)
    assert (error.status, error.code, error.hint) == (400, "PGRST100", None)
    assert error.message == f'"failed to parse {what}" (line 1, column {column})'
    assert error.details == details


@pytest.mark.parametrize(
    ("query_string", "hint"),
    [
        ("id=5", "To compare with the value itself, write id=eq.5"),
        ("id=3.5", "To compare with the value itself, write id=eq.3.5"),
        ("films.id=", "To compare with the value itself, write films.id=eq."),
        ("name=Ada", "To compare with the value itself, write name=eq.Ada"),
        ("or=(id.5,a.eq.1)", "To compare with the value itself, write id.eq.5"),
    ],
)
def test_a_value_without_an_operator_is_told_how_to_write_one(query_string: str, hint: str) -> None:
    error = failure(f"select=*,films(*)&{query_string}")
    assert error.hint == hint
    assert str(error.details).endswith(f"expecting an operator and a dot before the value, one of {OPERATORS}")


@pytest.mark.parametrize("word", ["limit", "offset", "films.limit"])
def test_a_negative_range_is_not_satisfiable(word: str) -> None:
    error = failure(f"select=films(*)&{word}=-1")
    assert (error.status, error.code) == (416, "PGRST103")
    assert error.message == "Requested range not satisfiable"
    assert error.details == f"{word.removeprefix('films.').capitalize()} should be greater than or equal to zero."


@pytest.mark.parametrize(
    "query_string",
    [
        "films.id=eq.1",
        "films.limit=1",
        "films.order=a",
        "films.or=(a.eq.1)",
        "order=films(a)",
        "select=a(*)&a.films.b.id=eq.1",
    ],
)
def test_what_is_not_embedded_cannot_be_arranged(query_string: str) -> None:
    error = failure(query_string)
    assert (error.status, error.code, error.details) == (400, "PGRST108", None)
    assert error.message == "'films' is not an embedded resource in this request"
    assert error.hint == "Verify that 'films' is included in the 'select' query parameter."


def nested_trees(depth: int) -> str:
    return f"or={'(and' * (depth - 1)}(a.eq.1{')' * depth}"


def nested_embeds(depth: int) -> str:
    return f"select={'a(' * (depth - 1)}a{')' * (depth - 1)}"


def json_steps(depth: int) -> str:
    return f"select=a{'->b' * depth}"


@pytest.mark.parametrize("nested", [nested_trees, nested_embeds, json_steps])
def test_nesting_is_bounded(nested: Callable[[int], str]) -> None:
    parsed = parse(nested(64))
    assert parse(unparse(parsed)) == parsed
    for depth in (65, 5_000):
        error = failure(nested(depth))
        assert error.code == "PGRST100"
        assert "expecting at most 64" in str(error.details)
