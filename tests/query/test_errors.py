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
NAME = "field name (* or [a..z0..9_$])"
OPERATOR = "operator (eq, gt, ...)"
BEHIND_NAME = 'letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input'


def failure(query_string: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse(query_string)
    return caught.value


@pytest.mark.parametrize(
    ("query_string", "what", "column", "details"),
    [
        ("age=eq", "filter (eq)", 3, f"unexpected end of input expecting {OPERATOR}"),
        ("age=eq(some).1", "filter (eq(some).1)", 4, f'unexpected "s" expecting {OPERATOR}'),
        ("age=neq(any).1", "filter (neq(any).1)", 4, f'unexpected "(" expecting {OPERATOR}'),
        ("age=in(any).1", "filter (in(any).1)", 3, f'unexpected "(" expecting {OPERATOR}'),
        ("age=fts().a", "filter (fts().a)", 5, f'unexpected ")" expecting {OPERATOR}'),
        (
            "age=is.nul",
            "filter (is.nul)",
            7,
            "unexpected end of input expecting isVal: (null, not_null, true, false, unknown)",
        ),
        ("age=in.1", "filter (in.1)", 4, 'unexpected "1" expecting "("'),
        ("age=in.(1", "filter (in.(1)", 6, 'unexpected end of input expecting "," or ")"'),
        (
            "or=()",
            "logic tree (())",
            4,
            f'unexpected ")" expecting {NAME}, negation operator (not) or logic operator (and, or)',
        ),
        ("or=a.eq.1", "logic tree (a.eq.1)", 3, 'unexpected "a" expecting "("'),
        ("or=(a.eq.1", "logic tree ((a.eq.1)", 10, 'unexpected end of input expecting "," or ")"'),
        (
            "or=(a)",
            "logic tree ((a))",
            5,
            'unexpected ")" expecting letter, digit, "-", "->>", "->" or delimiter (.)',
        ),
        (
            "select=a,",
            "select parameter (a,)",
            3,
            f'unexpected end of input expecting "...", {NAME}, "*" or "count()"',
        ),
        (
            "select=a(",
            "select parameter (a()",
            3,
            f'unexpected end of input expecting "...", {NAME}, "*", "count()" or ")"',
        ),
        ("select=a(b", "select parameter (a(b)", 4, f"unexpected end of input expecting {BEHIND_NAME}"),
        ("select=id,f(a[])", "select parameter (id,f(a[]))", 7, f"unexpected '[' expecting {BEHIND_NAME}"),
        ("select=count(*)", "select parameter (count(*))", 6, f"unexpected '(' expecting {BEHIND_NAME}"),
        ("select=a!b", "select parameter (a!b)", 2, f"unexpected '!' expecting {BEHIND_NAME}"),
        (
            "select=a.foo()",
            "select parameter (a.foo())",
            3,
            'unexpected "f" expecting "sum", "avg", "count", "max" or "min"',
        ),
        ("select=a::", "select parameter (a::)", 4, "unexpected end of input expecting letter or digit"),
        ("select=data->>--34", "select parameter (data->>--34)", 9, 'unexpected "-" expecting digit'),
        (
            "select=data->(!@#$%^%26*_d->>!@#$%^%26*_e::integer",
            "select parameter (data->(!@#$%^&*_d->>!@#$%^&*_e::integer)",
            7,
            'unexpected "(" expecting "-", digit or any non reserved character different from: .,>()',
        ),
        ("order=", "order ()", 1, f"unexpected end of input expecting {NAME}"),
        ("order=id.ac", "order (id.ac)", 4, 'unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast"'),
        ("order=id.asc.x", "order (id.asc.x)", 8, 'unexpected "x" expecting "nullsfirst" or "nullslast"'),
        (
            "order=id.asc.nullslasttt",
            "order (id.asc.nullslasttt)",
            17,
            "unexpected 't' expecting \",\" or end of input",
        ),
        (
            "order=films(a,b)",
            "order (films(a,b))",
            6,
            'unexpected \'(\' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input',
        ),
        ("columns=", "columns parameter ()", 1, f"unexpected end of input expecting {NAME}"),
        (".a=eq.1", "tree path (.a)", 1, f'unexpected "." expecting {NAME}'),
        (".limit=1", "tree path (.limit)", 1, f'unexpected "." expecting {NAME}'),
        (".or=(a.eq.1)", "logic path (.or)", 1, f'unexpected "." expecting {NAME}'),
        ('a.b="', 'filter (")', 1, 'unexpected "\\"" expecting "not" or operator (eq, gt, ...)'),
    ],
)
def test_mistakes_are_named_as_postgrest_names_them(query_string: str, what: str, column: int, details: str) -> None:
    error = failure(query_string)
    assert (error.status, error.code) == (400, "PGRST100")
    assert error.message == f'"failed to parse {what}" (line 1, column {column})'
    assert error.details == details


@pytest.mark.parametrize(
    ("query_string", "what", "column", "details"),
    [
        ("age=is.null!", "filter (is.null!)", 8, 'unexpected "!" expecting end of input'),
        ("age=in.(1)2", "filter (in.(1)2)", 7, 'unexpected "2" expecting end of input'),
        ("a:b=eq.1", "tree path (a:b)", 2, 'unexpected ":" expecting ".", "->", "->>" or end of input'),
        ("a->b.order=a", "tree path (a->b.order)", 2, 'unexpected "-" expecting "." or end of input'),
        ("or=(a.eq.1)b", "logic tree ((a.eq.1)b)", 11, 'unexpected "b" expecting end of input'),
        ("a:b.or=(a.eq.1)", "logic path (a:b.or)", 2, 'unexpected ":" expecting "." or end of input'),
        ("select=a)", "select parameter (a))", 2, 'unexpected ")" expecting "," or end of input'),
        (
            "select=a!b!c(d)",
            "select parameter (a!b!c(d))",
            4,
            'unexpected "!" expecting "(" (one hint and one of "!inner", "!left" at most)',
        ),
        (
            "select=a!inner!left(d)",
            "select parameter (a!inner!left(d))",
            8,
            'unexpected "!" expecting "(" (one hint and one of "!inner", "!left" at most)',
        ),
        (
            "select=a->99999999999",
            "select parameter (a->99999999999)",
            4,
            'unexpected "9" expecting an array index of four bytes',
        ),
        ("on_conflict=a)", "on_conflict parameter (a))", 2, 'unexpected ")" expecting "," or end of input'),
        ("limit=ten", "limit (ten)", 1, 'unexpected "t" expecting a whole number'),
        ("offset=", "offset ()", 1, "unexpected end of input expecting a whole number"),
        ("limit=ten.last", "limit (ten.last)", 1, 'unexpected "t" expecting a whole number'),
        ("offset=1.last", "offset (1.last)", 1, 'unexpected "1" expecting a whole number'),
        (
            "offset=1&limit=20.last",
            "limit (20.last)",
            1,
            "the last rows are counted from the end, and take no offset",
        ),
        (
            "select=films(*)&films.limit=3.last",
            "limit (3.last)",
            1,
            "the last rows of an embedded resource cannot be asked for",
        ),
        (
            "limit=9223372036854775808",
            "limit (9223372036854775808)",
            1,
            "expecting a whole number up to 9223372036854775807",
        ),
        (f"limit={'9' * 5000}", f"limit ({'9' * 200}…)", 1, "expecting a whole number up to 9223372036854775807"),
        ("a=eq.%FF", "percent-encoding (eq.%FF)", 1, "expecting percent-encoded UTF-8"),
        ("a=eq.\udcff", "query string ()", 1, "expecting UTF-8"),
    ],
)
def test_what_postgrest_passes_over_is_refused(query_string: str, what: str, column: int, details: str) -> None:
    error = failure(query_string)
    assert (error.status, error.code, error.hint) == (400, "PGRST100", None)
    assert error.message == f'"failed to parse {what}" (line 1, column {column})'
    assert error.details == details


def test_columns_are_counted_as_in_parsec() -> None:
    assert failure("or=(%0A%0A").message == '"failed to parse logic tree ((\n\n)" (line 1, column 4)'
    assert failure("or=(a.eq.1%0A").message == '"failed to parse logic tree ((a.eq.1\n)" (line 2, column 1)'
    assert failure("or=(%09a!").message.endswith("(line 1, column 10)")


@pytest.mark.parametrize("text", ["a," * 1_000 + "!", "a(" * 60 + "!", '"' + "a" * 5_000])
def test_long_texts_are_explained_in_few_words(text: str) -> None:
    assert "expecting" in str(failure(f"select={text}").details)


@pytest.mark.parametrize(
    ("array", "details"),
    [
        ("1", 'Array value must start with "{" or dimension information.'),
        ("{1", "Unexpected end of input."),
        ("{1,}", 'Unexpected "}" character.'),
        ("{,1}", 'Unexpected "," character.'),
        ("{{1}}", "Unexpected array element."),
        ('{a"b"}', "Unexpected array element."),
    ],
)
def test_an_array_that_is_none_is_what_it_is_to_the_database(array: str, details: str) -> None:
    error = failure(f"age=eq(any).{array}")
    assert (error.status, error.code, error.details) == (400, "22P02", details)
    assert error.message == f'malformed array literal: "{array}"'


MISTAKES = {
    "order": "order=id.x",
    "logic tree": "or=(",
    "columns parameter": "columns=",
    "select parameter": "select=a(",
    "filter": "id=5",
    "on_conflict parameter": "on_conflict=",
    "PGRST103": "limit=-1",
    "PGRST108": "films.id=eq.1",
}


@pytest.mark.parametrize("query_string", ["&".join(MISTAKES.values()), "&".join(reversed(MISTAKES.values()))])
def test_the_mistake_that_postgrest_comes_upon_first_is_named(query_string: str) -> None:
    mistakes = query_string.split("&")
    named = []
    while mistakes:
        error = failure("&".join(mistakes))
        what = error.message.removeprefix('"failed to parse ').split(" (")[0]
        named.append(what if error.code == "PGRST100" else error.code)
        mistakes.remove(MISTAKES[named[-1]])
    assert named == list(MISTAKES)


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
    assert error.hint == f"{hint}. The operators are {OPERATORS}."
    assert str(error.details).endswith('expecting "not" or operator (eq, gt, ...)')


@pytest.mark.parametrize(
    ("query_string", "operator", "column"),
    [("age=foo.3", "foo", 1), ("age=not.foo.3", "foo", 5), ("or=(age.foo(any).3)", "foo", 8)],
)
def test_an_unknown_operator_is_told_which_there_are(query_string: str, operator: str, column: int) -> None:
    error = failure(query_string)
    assert error.message.endswith(f"(line 1, column {column})")
    assert str(error.hint).startswith(f'There is no operator "{operator}". To compare with the value itself, write ')
    assert str(error.hint).endswith(f"The operators are {OPERATORS}.")


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
