"""Casts: both databases make the same of each value."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from rowserve.errors import ApiError
from rowserve.sql.fields import cast_target
from rowserve.sql.scope import Parameters, Target
from rowserve.sql.types import wire_type

from .sample import PostgreSQLSample, Sample, things

CASTS: list[tuple[str, list[Any]]] = [
    ("id::text", ["1", "2", "3", "4", "5"]),
    ("name::varchar", ["Ada", "Émile", "a_b%c*d", "line one\nline two", None]),
    ("age::int8", [36, 7, -5, 12, None]),
    ("age::bool", [True, True, True, True, None]),
    ("age::numeric", [36, 7, -5, 12, None]),
    ("age::double precision", [36, 7, -5, 12, None]),
    ("done::text", ["true", "false", None, "true", None]),
    ("done::int", [1, 0, None, 1, None]),
    ("price::text", ["1.50", "-2.50", "0.00", "12345.67", None]),
    ("price::int", [2, -3, 0, 12346, None]),
    ("price::smallint", [2, -3, 0, 12346, None]),
    ("price::float8", [1.5, -2.5, 0, 12345.67, None]),
    ("price::numeric", [1.5, -2.5, 0, 12345.67, None]),
    ("single::text", ["0.1", "1e+10", "1.5", "-2.25", None]),
    ("single::numeric", [0.1, 1e10, 1.5, -2.25, None]),
    ("born::text", ["1815-12-10", "2019-06-01", None, "1970-01-01", None]),
    ("born::timestamp", ["1815-12-10T00:00:00", "2019-06-01T00:00:00", None, "1970-01-01T00:00:00", None]),
    (
        "born::timestamptz",
        ["1815-12-10T00:00:00+00:00", "2019-06-01T00:00:00+00:00", None, "1970-01-01T00:00:00+00:00", None],
    ),
    ("made::text", ["2026-01-02 03:04:05.12", "2019-06-01 00:00:00", None, "1970-01-01 00:00:00", None]),
    ("made::date", ["2026-01-02", "2019-06-01", None, "1970-01-01", None]),
    ("made::time", ["03:04:05.12", "00:00:00", None, "00:00:00", None]),
    ("seen::text", ["2026-01-02 03:04:05+00", "2019-06-01 12:30:00+00", None, "1970-01-01 00:00:00+00", None]),
    ("seen::date", ["2026-01-02", "2019-06-01", None, "1970-01-01", None]),
    ("seen::time", ["03:04:05", "12:30:00", None, "00:00:00", None]),
    ("seen::timetz", ["03:04:05+00", "12:30:00+00", None, "00:00:00+00", None]),
    (
        "seen::timestamp without time zone",
        ["2026-01-02T03:04:05", "2019-06-01T12:30:00", None, "1970-01-01T00:00:00", None],
    ),
    ("clock::text", ["13:04:05.5", "00:00:00", None, "23:59:59.999999", None]),
    ("clock::interval", ["13:04:05.5", "00:00:00", None, "23:59:59.999999", None]),
    ("took::text", ["1 day 02:00:00", "-1 days +23:00:00", "00:00:00", "-3 days +00:00:01.25", None]),
    ("took::time", ["02:00:00", "23:00:00", "00:00:00", "00:00:01.25", None]),
    (
        "code::text",
        [
            "00000000-0000-0000-0000-0000000000aa",
            "00000000-0000-0000-0000-0000000000bb",
            None,
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            None,
        ],
    ),
    ("mood::text", ["sad", "glad", "ok", None, None]),
    ("raw::text", ["\\x01ff", "\\x", None, "\\x74657874", None]),
    ("data->a::text", ["1", "10", None, '"2"', None]),
    ("data->>a::int", [1, 10, None, 2, None]),
    ("data->>a::numeric", [1, 10, None, 2, None]),
    ("data->t::boolean", [True, False, None, None, None]),
    ("data->>t::bool", [True, False, None, None, None]),
    ("docs->b->d::text", ['[1, 2.5, "three", null]', None, None, None, None]),
]


@pytest.mark.parametrize(("select", "expected"), CASTS, ids=[select for select, _ in CASTS])
def test_a_cast_gives_these_values(sample: Sample, select: str, expected: list[Any]) -> None:
    assert sample.values(select) == expected


TEXTS: list[tuple[str, str, Any]] = [
    ("12", "int", 12),
    (" 12 ", "int4", 12),
    ("1.005", "numeric", 1.005),
    ("1e3", "float8", 1000),
    ("0.1", "real", 0.1),
    ("yes", "boolean", True),
    ("2026-01-02", "date", "2026-01-02"),
    ("2026-01-02 3:04", "timestamp", "2026-01-02T03:04:00"),
    ("2026-01-02 3:04+02", "timestamp with time zone", "2026-01-02T01:04:00+00:00"),
    ("3:04", "time", "03:04:00"),
    ("3:04+00", "time with time zone", "03:04:00+00"),
    ("1 day", "interval", "1 day"),
    ("{00000000-0000-0000-0000-0000000000AA}", "uuid", "00000000-0000-0000-0000-0000000000aa"),
    ('{"b": 1, "a": [1.5]}', "json", {"b": 1, "a": [1.5]}),
    ("[1, 2]", "jsonb", [1, 2]),
    ("\\x0a", "bytea", "\\x0a"),
]


@pytest.mark.parametrize(("text", "type_name", "expected"), TEXTS)
def test_text_is_read_by_the_type_it_is_cast_to(sample: Sample, text: str, type_name: str, expected: Any) -> None:
    assert cast_text(sample, text, type_name) == [expected]


def cast_text(sample: Sample, text: str, type_name: str) -> list[Any]:
    """What is selected of a row whose name is the text, cast."""
    if isinstance(sample, PostgreSQLSample):
        sample.script("BEGIN")
        update = "UPDATE things SET body = $1 WHERE id = 1"
    else:
        sample.run("BEGIN", [])
        update = "UPDATE things SET body = ? WHERE id = 1"
    try:
        sample.run(update, [text])
        return sample.values(f"body::{type_name}", "id=eq.1")
    finally:
        if isinstance(sample, PostgreSQLSample):
            sample.script("ROLLBACK")
        else:
            sample.run("ROLLBACK", [])


@pytest.mark.parametrize(
    ("text", "type_name", "code", "message"),
    [
        ("x", "int", "22P02", 'invalid input syntax for type integer: "x"'),
        ("1.5", "int", "22P02", 'invalid input syntax for type integer: "1.5"'),
        ("99999999999", "int4", "22003", 'value "99999999999" is out of range for type integer'),
        ("x", "numeric", "22P02", 'invalid input syntax for type numeric: "x"'),
        ("1e400", "float8", "22003", '"1e400" is out of range for type double precision'),
        ("maybe", "bool", "22P02", 'invalid input syntax for type boolean: "maybe"'),
        ("2026-02-30", "date", "22008", 'date/time field value out of range: "2026-02-30"'),
        ("soon", "timestamp", "22007", 'invalid input syntax for type timestamp: "soon"'),
        ("x", "uuid", "22P02", 'invalid input syntax for type uuid: "x"'),
        ("x", "json", "22P02", "invalid input syntax for type json"),
    ],
)
def test_a_value_that_cannot_be_cast_is_told(
    sample: Sample, text: str, type_name: str, code: str, message: str
) -> None:
    with pytest.raises(ApiError) as raised:
        cast_text(sample, text, type_name)
    assert (raised.value.status, raised.value.code, raised.value.message) == (400, code, message)


@pytest.mark.parametrize(
    ("select", "query", "code", "message"),
    [
        ("ratio::int", "id=eq.4", "22003", "integer out of range"),
        ("ratio::bigint", "id=eq.2", "22003", "bigint out of range"),
        ("data->a::int", "id=eq.4", "22023", "cannot cast jsonb string to type integer"),
        ("data->b::numeric", "id=eq.1", "22023", "cannot cast jsonb object to type numeric"),
        ("data->t::int", "id=eq.1", "22023", "cannot cast jsonb boolean to type integer"),
        ("data->a::bool", "id=eq.1", "22023", "cannot cast jsonb numeric to type boolean"),
        ("born::int", "id=eq.1", "42846", "cannot cast type date to integer"),
        ("made::bool", "id=eq.1", "42846", "cannot cast type timestamp without time zone to boolean"),
        ("done::bigint", "id=eq.1", "42846", "cannot cast type boolean to bigint"),
        ("mood::int", "id=eq.1", "42846", "cannot cast type mood to integer"),
        ("id::nonsense", "id=eq.1", "42704", 'type "nonsense" does not exist'),
        ("id::pg_class", "id=eq.1", "42704", 'type "pg_class" does not exist'),
    ],
)
def test_a_cast_that_there_is_none_of_is_told(sample: Sample, select: str, query: str, code: str, message: str) -> None:
    with pytest.raises(ApiError) as raised:
        sample.values(select, query)
    assert (raised.value.status, raised.value.code, raised.value.message) == (400, code, message)


def test_binary_numbers_are_rounded_to_even_and_decimals_away_from_zero(sample: Sample) -> None:
    assert sample.values("ratio::int", "id=eq.1") == [2]
    assert sample.values("price::int", "id=eq.2") == [-3]


def test_floats_are_written_as_postgresql_does(on_sqlite: Sample, on_postgresql: Sample) -> None:
    floats = [0.0, 1.0, -1.5, 0.1, 1e14, 123456789012345.0, 1e15, 1.5e16, 1e-4, 1e-5, 1.25e-7, 1e300, 1 / 3, -123.456]
    expected = on_postgresql.run("SELECT v::text FROM unnest($1::float8[]) AS t(v)", [floats])
    statement = "SELECT cast_value(value, 'double precision', 'text', NULL) FROM json_each(?)"
    assert on_sqlite.run(statement, [str(floats)]) == expected


def test_an_unknown_type_is_answered_with_those_there_are(sample: Sample) -> None:
    with pytest.raises(ApiError) as raised:
        sample.values("id::int3")
    assert raised.value.hint is not None
    assert "int4, int8, integer" in raised.value.hint


@pytest.mark.parametrize(("type_name", "expected"), [("int", 12347), ("text", "12347.17"), ("numeric", 12347.17)])
def test_what_has_no_type_of_its_own_is_cast_by_how_it_crosses(sample: Sample, type_name: str, expected: Any) -> None:
    # As the aggregates of the compiler are: a function, of which only the wire knows what it yields.
    total = Target(sa.func.sum(things.c.price, type_=sa.types.NullType()), wire_type(sa.Numeric(), sample.dialect))
    target = cast_target(total, type_name, things.metadata, sample.dialect)
    array = sa.func.json_array if sample.name == "sqlite" else sa.func.json_build_array
    statement = sa.select(array(target.wire.output(target.expression))).where(things.c.price > sa.literal_column("0"))
    found = sample.execute(statement, Parameters(), ())
    assert [json.loads(text)[0] for text in found] == [expected]
