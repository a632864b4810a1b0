"""JSON paths: what stands at the end of one, selected, compared and ordered by."""

from __future__ import annotations

from typing import Any

import pytest

from rowserve.errors import ApiError

from .sample import PostgreSQLSample, Sample, SQLiteSample, refusal

VALUES: list[tuple[str, list[Any]]] = [
    ("data->a", [1, 10, None, "2", None]),
    ("data->>a", ["1", "10", None, "2", None]),
    ("data->b->c", ["x", "yy", None, None, None]),
    ("data->b->>c", ["x", "yy", None, None, None]),
    ("data->b->d", [[1, 2.5, "three", None], None, None, None, None]),
    ("data->b->>d", ['[1, 2.5, "three", null]', None, None, None, None]),
    ("data->b->d->1", [2.5, None, None, None, None]),
    ("data->b->d->>1", ["2.5", None, None, None, None]),
    ("data->b->d->-2", ["three", None, None, None, None]),
    ("data->b->d->>-2", ["three", None, None, None, None]),
    ("data->b->d->9", [None, None, None, None, None]),
    ("data->1", [None, None, 20, None, None]),
    ("data->2->1->>z", [None, None, "deep", None, None]),
    ("data->2->>1", [None, None, '{"z": "deep"}', None, None]),
    ("data->t", [True, False, None, None, None]),
    ("data->>t", ["true", "false", None, None, None]),
    ("data->n", [None, None, None, None, None]),
    ("data->>n", [None, None, None, None, None]),
    ('data->"a.b"', [None, "dot", None, None, None]),
    ('data->>"q\\"uote"', [None, "1", None, None, None]),
    ("data->>sp ace", [None, "2", None, None, None]),
    ("data->>ключ", [None, "да", None, None, None]),
    ("data->ключ", [None, "да", None, None, None]),
    ("docs->a", [1, None, None, 1, None]),
    ("docs->2->>k", [None, "[1, 2]", None, None, None]),
    ("tags->0", ["red", None, "green", None, None]),
    ("tags->>-1", ["green", None, "NULL", None, None]),
    ("age->a", [None, None, None, None, None]),
    ("name->>a", [None, None, None, None, None]),
    ("made->a", [None, None, None, None, None]),
]


@pytest.mark.parametrize(("path", "expected"), VALUES, ids=[path for path, _ in VALUES])
def test_a_path_yields_these_values(sample: Sample, path: str, expected: list[Any]) -> None:
    assert sample.values(path) == expected


FOUND: list[tuple[str, list[int]]] = [
    ("data->a=eq.1", [1]),
    ("data->a=eq.1.0", [1]),
    ('data->a=eq."2"', [4]),
    ("data->a=gt.1", [2]),
    ("data->a=in.(1,10)", [1, 2]),
    ("data->a=neq.1", [2, 4]),
    ("data->>a=eq.1", [1]),
    ("data->>a=gt.1", [2, 4]),
    ("data->>a=in.(1,2)", [1, 4]),
    ("data->>a=eq(any).{1,10}", [1, 2]),
    ("data->>t=eq.true", [1]),
    ("data->t=eq.false", [2]),
    ("data->n=is.null", [2, 3, 4, 5]),
    ("data->n=eq.null", [1]),
    ("data->>n=is.null", [1, 2, 3, 4, 5]),
    ("data->b->>c=like.y*", [2]),
    ("data->b->>c=imatch.^Y", [2]),
    ('data->b=cs.{"c":"x"}', [1]),
    ('data->b->d=cs.["three"]', [1]),
    ('data->b->d=eq.[1.0,2.50,"three",null]', [1]),
    ("data->2->1->>z=eq.deep", [3]),
    ("tags->>0=eq.red", [1]),
    ("or=(data->>a.eq.1,data->1.eq.20)", [1, 3]),
    ("data->a=not.is.null", [1, 2, 4]),
]


@pytest.mark.parametrize(("query", "ids"), FOUND, ids=[query for query, _ in FOUND])
def test_a_path_in_a_filter_finds_these_rows(sample: Sample, query: str, ids: list[int]) -> None:
    assert sample.find(query) == ids


@pytest.mark.parametrize(
    ("field", "ids"),
    [
        ("data->a", [4, 1, 2, 3, 5]),
        ("data->>a", [1, 2, 4, 3, 5]),
        ("docs", [3, 2, 4, 1, 5]),
        ("data->b", [4, 2, 1, 3, 5]),
        ("mood", [1, 3, 2, 4, 5]),
    ],
)
def test_rows_are_ordered_by_the_value_not_by_how_it_is_written(sample: Sample, field: str, ids: list[int]) -> None:
    assert sample.ordered(field) == ids


def test_text_has_no_places(sample: Sample) -> None:
    assert refusal(sample, "data->>a->b=eq.1") == (404, "42883", "operator does not exist: text -> unknown")
    assert refusal(sample, "data->>a->>0=eq.1") == (404, "42883", "operator does not exist: text ->> integer")


def test_json_is_no_text_and_no_truth(sample: Sample) -> None:
    assert refusal(sample, "data->a=like.1*") == (404, "42883", "operator does not exist: json ~~ unknown")
    assert refusal(sample, "data->t=is.true") == (
        400,
        "42804",
        "argument of IS TRUE must be type boolean, not type json",
    )
    assert refusal(sample, "data->a=eq.x")[:2] == (400, "22P02")


def test_on_sqlite_what_is_no_json_has_no_places(on_sqlite: SQLiteSample) -> None:
    on_sqlite.connection.execute("BEGIN")
    try:
        on_sqlite.connection.execute("""UPDATE things SET data = '{"a": broken', body = '{"a": 5}' WHERE id = 1""")
        assert on_sqlite.values("data->a", "id=eq.1") == [None]
        assert on_sqlite.values("data->>ключ", "id=eq.1") == [None]
        assert on_sqlite.values("body->a", "id=eq.1") == [5]
    finally:
        on_sqlite.connection.execute("ROLLBACK")


SCALARS = [
    "null", '""', '"a"', '"ab"', '"b"', "-1e3", "-2", "-1.5", "0", "1e-3", "0.5", "1", "1.5", "15", "1e300", "false",
    "true",
]  # fmt: skip


def test_json_has_the_order_of_jsonb(on_postgresql: PostgreSQLSample, on_sqlite: Sample) -> None:
    documents = [*SCALARS, *(f"[{scalar}]" for scalar in SCALARS), "[]", "{}", "[1,2]", "[2,1]", '{"b":1}', '{"aa":0}']
    documents += ['{"b":1,"aa":0}', '{"b":0,"aa":1}', "[[]]", "[{}]", '[{"a":1}]']
    statement = "SELECT v FROM unnest($1::text[]) WITH ORDINALITY AS t(v, n) ORDER BY v::jsonb, n"
    ordered = on_postgresql.run(statement, [documents])
    keyed = [(on_sqlite.run("SELECT json_order(?)", [text])[0], n, text) for n, text in enumerate(documents)]
    assert [text for _, _, text in sorted(keyed)] == ordered


def test_a_deep_document_is_an_error_not_a_crash(on_sqlite: Sample) -> None:
    with pytest.raises(ApiError) as raised:
        on_sqlite.run("SELECT json_contains(?, ?)", ["[" * 100_000 + "]" * 100_000, "[]"])
    assert raised.value.code == "54001"
