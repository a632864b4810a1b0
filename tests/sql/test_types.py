"""Every type, in and out through the real drivers: both databases give the JSON that PostgreSQL gives by itself."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy.orm import DeclarativeBase

from rowserve.errors import ApiError
from rowserve.sql.types import WireType, wire_type

from .typed_models import ArrayBase, Base, Types

SQLITE = sa.create_engine("sqlite+aiosqlite://").dialect
POSTGRESQL = sa.create_engine("postgresql+asyncpg://").dialect


# A column, a JSON value to store in it, and the JSON that comes out, with -0.0 the only equal that is not the same.
CASES: list[tuple[str, Any, Any]] = [
    ("small", -32768, -32768),
    ("small", "32767", 32767),
    ("whole", " 5 ", 5),
    ("whole", 2**31 - 1, 2**31 - 1),
    ("big", 2**63 - 1, 2**63 - 1),
    ("big", -(2**63), -(2**63)),
    ("double", 0.1, 0.1),
    ("double", 5, 5.0),
    ("double", -0.0, 0.0),
    ("double", 5e-324, 5e-324),
    ("double", 1.7976931348623157e308, 1.7976931348623157e308),
    ("double", 9624448.322752539, 9624448.322752539),
    ("double", "1e-7", 1e-7),
    ("floating", 123456789.123456789, 123456789.123456789),
    ("single", 0.1, 0.1),
    ("single", 16777217, 16777216.0),
    ("single", 1.23456789, 1.2345679),
    ("price", 12.5, 12.5),
    ("price", "12.345", 12.35),
    ("price", -0.005, -0.01),
    ("price", "99999999.99", 99999999.99),
    ("units", 2.5, 3),
    ("exact", 1.25, 1.25),
    ("exact", "1e3", 1000),
    ("exact", 0, 0),
    ("inexact", 1.005, 1.01),
    ("flag", True, True),
    ("flag", "off", False),
    ("flag", 1, True),
    ("text", "", ""),
    ("text", 'naïve 👩🏽‍🚀 "quoted" \\ \n\t', 'naïve 👩🏽‍🚀 "quoted" \\ \n\t'),
    ("text", 12, "12"),
    ("text", True, "true"),
    ("text", "NaN", "NaN"),
    ("text", {"a": [1]}, '{"a":[1]}'),
    ("short", "éèà👍🏽", "éèà👍🏽"),
    ("short", "abc       ", "abc  "),
    ("code", "ab", "ab "),
    ("wide", "ж", "ж"),
    ("day", "2026-01-02", "2026-01-02"),
    ("day", "20260102", "2026-01-02"),
    ("day", "2026-1-2", "2026-01-02"),
    ("day", "0001-01-02", "0001-01-02"),
    ("day", "9999-12-30", "9999-12-30"),
    ("clock", "03:04", "03:04:00"),
    ("clock", "03:04:05.120", "03:04:05.12"),
    ("clock", "23:59:59.999999", "23:59:59.999999"),
    ("clock", "10:20:30", "10:20:30"),
    ("clock_utc", "03:04:05+00", "03:04:05+00"),
    ("clock_utc", "10:20:30.500+00", "10:20:30.5+00"),
    ("local", "2026-01-02T03:04:05.123", "2026-01-02T03:04:05.123"),
    ("local", "2026-01-02 03:04:50+02:00", "2026-01-02T03:04:50"),
    ("local", "2026-10-20", "2026-10-20T00:00:00"),
    ("local", "2026-01-02T03:04:05.1234567", "2026-01-02T03:04:05.123457"),
    ("local", "0001-01-02T00:00:00", "0001-01-02T00:00:00"),
    ("local", "9999-12-31T23:59:59", "9999-12-31T23:59:59"),
    ("moment", "2026-01-02T03:04:05.120000+02:00", "2026-01-02T01:04:05.12+00:00"),
    ("moment", "2026-01-02 03:04:05 +0530", "2026-01-01T21:34:05+00:00"),
    ("moment", "2026-01-02T03:04:00", "2026-01-02T03:04:00+00:00"),
    ("moment", "epoch", "1970-01-01T00:00:00+00:00"),
    ("moment", "2026-01-02T03:04:05z", "2026-01-02T03:04:05+00:00"),
    ("span", "1 day 02:00:00", "1 day 02:00:00"),
    ("span", "-1 days +23:00:00", "-1 days +23:00:00"),
    ("span", "P1DT2H", "1 day 02:00:00"),
    ("span", "1.5 hours", "01:30:00"),
    ("span", "2 weeks 00:00:00.000001", "14 days 00:00:00.000001"),
    ("span", "0", "00:00:00"),
    ("span", "1 day ago", "-1 days"),
    ("span", "-1 02:03:04", "-1 days +02:03:04"),
    ("span", "-700000 days", "-700000 days"),
    ("span", "2000000 days 10:20:30.500", "2000000 days 10:20:30.5"),
    ("key", "6F1D8F0EA7A44F0B9C0A52F3C3C1D9A1", "6f1d8f0e-a7a4-4f0b-9c0a-52f3c3c1d9a1"),
    ("key_text", "6f1d8f0e-a7a4-4f0b-9c0a-52f3c3c1d9a1", "6f1d8f0e-a7a4-4f0b-9c0a-52f3c3c1d9a1"),
    ("mood", "sad", "sad"),
    ("size", "large size", "large size"),
    ("word", "no", "no"),
    ("data", {"a": [1, 2.5, None, "é", {"b": True}]}, {"a": [1, 2.5, None, "é", {"b": True}]}),
    ("data", [], []),
    ("data", "Infinity", "Infinity"),
    ("data", [12345678901234567890123], [12345678901234567890123]),
    ("data", 0.30000000000000004, 0.30000000000000004),
    ("data", 5, 5),
    ("dataset", {"list": list(range(2000)), "deep": [[[[["x" * 5000]]]]]}, ...),
    ("blob", "\\x48656c6C6f00", "\\x48656c6c6f00"),
    ("blob", "\\x", "\\x"),
    ("blob", "a\\\\b\\001", "\\x615c6201"),
]
# What PostgreSQL by itself does not do, or does with a column's storage where a Python type stands between.
OURS: list[tuple[str, Any, Any]] = [
    ("key_char", "6f1d8f0ea7a44f0b9c0a52f3c3c1d9a1", "6f1d8f0e-a7a4-4f0b-9c0a-52f3c3c1d9a1"),
    ("clock_utc", "03:04:05+02", "01:04:05+00"),
    ("clock_utc", "01:04:05+02", "23:04:05+00"),
    ("span", "-01:00:00", "-1 days +23:00:00"),
    ("span", "36:00:00", "1 day 12:00:00"),
    ("span", 90, "00:01:30"),
    ("tags", ["a", "b"], ["a", "b"]),
    ("cents", 12.34, 12.34),
    ("cents", "0.07", 0.07),
    ("tomorrow", "2026-01-02T03:04:05.5", "2026-01-02T03:04:05.500000"),
    ("never", None, "nothing"),
]
NULLS = [(column.name, None, None) for column in Types.__table__.c if column.name not in ("id", "never")]
REFUSED: list[tuple[str, Any, str, str]] = [
    ("small", 32768, "22003", 'value "32768" is out of range for type smallint'),
    ("whole", "abc", "22P02", 'invalid input syntax for type integer: "abc"'),
    ("whole", 5.0, "22P02", 'invalid input syntax for type integer: "5.0"'),
    ("whole", True, "22P02", 'invalid input syntax for type integer: "true"'),
    ("whole", "99999999999", "22003", 'value "99999999999" is out of range for type integer'),
    ("big", 2**63, "22003", 'value "9223372036854775808" is out of range for type bigint'),
    ("double", "abc", "22P02", 'invalid input syntax for type double precision: "abc"'),
    ("double", "1e400", "22003", '"1e400" is out of range for type double precision'),
    ("single", "1e39", "22003", '"1e39" is out of range for type real'),
    ("price", 123456789, "22003", "numeric field overflow"),
    ("price", "x", "22P02", 'invalid input syntax for type numeric: "x"'),
    ("flag", "maybe", "22P02", 'invalid input syntax for type boolean: "maybe"'),
    ("flag", "o", "22P02", 'invalid input syntax for type boolean: "o"'),
    ("short", "123456", "22001", "value too long for type character varying(5)"),
    ("code", "1234", "22001", "value too long for type character(3)"),
    ("day", "abc", "22007", 'invalid input syntax for type date: "abc"'),
    ("day", 5, "22007", 'invalid input syntax for type date: "5"'),
    ("day", "2026-02-30", "22008", 'date/time field value out of range: "2026-02-30"'),
    ("clock", "abc", "22007", 'invalid input syntax for type time: "abc"'),
    ("clock", "25:00", "22008", 'date/time field value out of range: "25:00"'),
    ("clock_utc", "abc", "22007", 'invalid input syntax for type time with time zone: "abc"'),
    ("local", "", "22007", 'invalid input syntax for type timestamp: ""'),
    ("local", "2026-13-01T00:00:00", "22008", 'date/time field value out of range: "2026-13-01T00:00:00"'),
    ("moment", "abc", "22007", 'invalid input syntax for type timestamp with time zone: "abc"'),
    ("moment", 1700000000, "22008", 'date/time field value out of range: "1700000000"'),
    ("span", "abc", "22007", 'invalid input syntax for type interval: "abc"'),
    ("span", "100000000000 days", "22015", 'interval field value out of range: "100000000000 days"'),
    ("key", "abc", "22P02", 'invalid input syntax for type uuid: "abc"'),
    ("mood", "x", "22P02", 'invalid input value for enum mood: "x"'),
    ("blob", "\\xzz", "22023", 'invalid hexadecimal digit: "z"'),
    ("blob", "\\x123", "22023", "invalid hexadecimal data: odd number of digits"),
    ("blob", "a\\b", "22P02", "invalid input syntax for type bytea"),
]


def wire_of(table: sa.Table, name: str, dialect: sa.Dialect) -> WireType:
    return wire_type(table.c[name].type, dialect)


def validated(wire: WireType, value: Any) -> Any:
    annotation: Any = wire.annotation | None
    return TypeAdapter(annotation).validate_json(json.dumps(value))


def bound(wire: WireType, value: Any) -> Any:
    python = validated(wire, value)
    return python if wire.bind is None else wire.bind(python)


def schema(base: type[DeclarativeBase], dialect: sa.Dialect, url: str) -> list[str]:
    statements: list[str] = []

    def collect(statement: Any, *_: Any, **__: Any) -> None:
        statements.append(str(statement.compile(dialect=dialect)))

    base.metadata.create_all(sa.create_mock_engine(url, collect), checkfirst=False)
    return statements


def insertion(table: sa.Table, name: str, dialect: sa.Dialect) -> str:
    return str(sa.insert(table).values({name: sa.bindparam("value")}).compile(dialect=dialect))


def selection(table: sa.Table, name: str, dialect: sa.Dialect) -> str:
    build = sa.func.json_object if dialect is SQLITE else sa.func.json_build_object
    output = wire_of(table, name, dialect).output(table.c[name])
    last = sa.select(sa.func.max(table.alias().c.id)).scalar_subquery()
    statement = sa.select(build(sa.literal_column("'it'"), output)).where(table.c.id == last)
    compiled = statement.compile(dialect=dialect)
    assert not compiled.params
    return str(compiled)


def received(wire: WireType, answer: str) -> Any:
    value = json.loads(answer)["it"]
    if wire.result is None:
        return value
    return json.loads(to_json(wire.result(value)))


TABLE: sa.Table = Base.metadata.tables["types"]
ARRAYS: sa.Table = ArrayBase.metadata.tables["arrays"]


@pytest.fixture(scope="module")
def lite() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in schema(Base, SQLITE, "sqlite://"):
            connection.execute(statement)
        yield connection


@pytest.fixture
async def elephant(postgresql_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(postgresql_url)
    try:
        await connection.execute("set timezone = 'UTC'")
        for statement in schema(Base, POSTGRESQL, "postgresql+asyncpg://"):
            await connection.execute(statement)
        yield connection
    finally:
        await connection.close()


def through_sqlite(connection: sqlite3.Connection, name: str, value: Any) -> Any:
    wire = wire_of(TABLE, name, SQLITE)
    connection.execute(insertion(TABLE, name, SQLITE), (bound(wire, value),))
    return received(wire, connection.execute(selection(TABLE, name, SQLITE)).fetchone()[0])


@pytest.mark.parametrize(("name", "value", "expected"), [*CASES, *OURS, *NULLS])
def test_a_value_comes_back_from_sqlite(lite: sqlite3.Connection, name: str, value: Any, expected: Any) -> None:
    assert through_sqlite(lite, name, value) == (value if expected is ... else expected)


@pytest.mark.anyio
async def test_values_come_back_from_postgresql(elephant: asyncpg.Connection[asyncpg.Record]) -> None:
    for name, value, expected in [*CASES, *OURS, *NULLS]:
        wire = wire_of(TABLE, name, POSTGRESQL)
        await elephant.execute(insertion(TABLE, name, POSTGRESQL), bound(wire, value))
        answer = await elephant.fetchval(selection(TABLE, name, POSTGRESQL))
        assert received(wire, answer) == (value if expected is ... else expected), (name, value)


@pytest.mark.anyio
async def test_the_reference_is_what_postgresql_does_by_itself(elephant: asyncpg.Connection[asyncpg.Record]) -> None:
    for name, value, expected in CASES:
        given = json.dumps({name: value}, separators=(",", ":"))
        await elephant.execute(
            f'insert into types("{name}") select "{name}" from json_populate_record(null::types, $1::json)', given
        )
        answer = await elephant.fetchval("select row_to_json(types) from types order by id desc limit 1")
        assert json.loads(answer)[name] == (value if expected is ... else expected), (name, value)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize(("name", "value", "code", "message"), REFUSED)
def test_a_wrong_value_is_refused(dialect: sa.Dialect, name: str, value: Any, code: str, message: str) -> None:
    wire = wire_of(TABLE, name, dialect)
    with pytest.raises(ValidationError):
        validated(wire, value)
    refused = wire.refusal(value)
    assert (refused.code, refused.message) == (code, message)


@pytest.mark.anyio
async def test_postgresql_refuses_it_in_the_same_words(elephant: asyncpg.Connection[asyncpg.Record]) -> None:
    for name, value, code, message in REFUSED:
        given = json.dumps({name: value})
        insert = f'insert into types("{name}") select "{name}" from json_populate_record(null::types, $1::json)'
        with pytest.raises(asyncpg.PostgresError) as refused:
            await elephant.execute(insert, given)
        assert (refused.value.sqlstate, refused.value.args[0]) == (code, message), (name, value)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["double", "single", "price", "text", "day"])
def test_what_is_no_number_is_refused(dialect: sa.Dialect, name: str, value: float) -> None:
    wire = wire_of(TABLE, name, dialect)
    with pytest.raises(ValidationError):
        validated(wire, value)
    if name in ("double", "single", "price"):
        with pytest.raises(ApiError, match="invalid input syntax"):
            wire.parse(str(value))


def test_a_filter_is_read_by_type() -> None:
    def parse(name: str, text: str) -> Any:
        return wire_of(TABLE, name, SQLITE).parse(text)

    assert parse("whole", "5") == 5
    assert parse("flag", "T") == 1
    assert parse("price", "1.005") == 1.005
    assert parse("short", "longer than five") == "longer than five"
    assert parse("code", "ab ") == "ab"
    assert parse("moment", "2026-01-02T03:04:05+02:00") == "2026-01-02 01:04:05.000000"
    assert parse("key", "6f1d8f0e-a7a4-4f0b-9c0a-52f3c3c1d9a1") == "6f1d8f0ea7a44f0b9c0a52f3c3c1d9a1"
    assert parse("mood", "ok") == "ok"
    assert parse("data", '{"a":1}') == '{"a": 1}'
    assert parse("span", "1 day") == "1970-01-02 00:00:00.000000"
    assert parse("tags", '["a","b"]') == "a,b"
    assert parse("cents", "1.50") == 150
    for name, text, code in [
        ("whole", "abc", "22P02"),
        ("data", "{a", "22P02"),
        ("text", "a\x00", "22P05"),
        ("cents", "much", "22P02"),
        ("span", "3000000 days", "22015"),
    ]:
        with pytest.raises(ApiError) as refused:
            parse(name, text)
        assert (refused.value.status, refused.value.code) == (400, code)


def test_a_document_with_a_number_too_large_for_a_float_is_refused() -> None:
    wire = wire_of(TABLE, "data", SQLITE)
    assert wire.bind is not None
    with pytest.raises(ApiError, match="invalid input syntax for type json"):
        wire.bind(TypeAdapter(wire.annotation).validate_json('{"a": 1e400}'))


def test_defaults_in_any_time_zone_are_stored_in_utc(lite: sqlite3.Connection) -> None:
    bind = wire_of(TABLE, "moment", SQLITE).bind
    assert bind is not None
    assert bind(datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02 01:00:00.000000"
    assert bind(datetime(2026, 1, 2, 3, tzinfo=UTC)) == bind(datetime(2026, 1, 2, 3))


@pytest.mark.parametrize(
    ("name", "stored", "expected"),
    [
        ("local", "'2026-10-20 10:20:30'", "2026-10-20T10:20:30"),
        ("local", "'2026-10-20T10:20:30.100'", "2026-10-20T10:20:30.1"),
        ("local", "'2026-10-20'", "2026-10-20T00:00:00"),
        ("local", "1700000000", 1700000000),
        ("moment", "'2026-10-20 10:20:30'", "2026-10-20T10:20:30+00:00"),
        ("moment", "'2026-10-20T10:20:30Z'", "2026-10-20T10:20:30Z"),
        ("moment", "'2026-10-20 10:20:30.000-05:00'", "2026-10-20T10:20:30.000-05:00"),
        ("clock", "'10:20'", "10:20"),
        ("span", "'soon'", "soon"),
        ("double", "'abc'", "abc"),
        ("double", "9e999", "Infinity"),
        ("double", "-9e999", "-Infinity"),
        ("price", "12", 12.0),
        ("price", "'abc'", "abc"),
        ("price", "9e999", "Infinity"),
        ("flag", "'perhaps'", "perhaps"),
        ("data", "'{not json'", "{not json"),
        ("data", "'null'", None),
        ("key", "'6F1D8F0E-a7a4-4f0b-9c0a-52f3c3c1d9a1'", "6F1D8F0E-a7a4-4f0b-9c0a-52f3c3c1d9a1"),
        ("blob", "'text'", "\\x74657874"),
    ],
)
def test_rows_of_other_programs_can_be_read(lite: sqlite3.Connection, name: str, stored: str, expected: Any) -> None:
    lite.execute(f"insert into types({name}) values ({stored})")
    answer = json.loads(lite.execute(selection(TABLE, name, SQLITE)).fetchone()[0])["it"]
    assert answer == expected


@pytest.mark.anyio
async def test_arrays_and_ranges(postgresql_url: str) -> None:
    connection = await asyncpg.connect(postgresql_url)
    try:
        await connection.execute("set timezone = 'UTC'")
        for statement in schema(ArrayBase, POSTGRESQL, "postgresql+asyncpg://"):
            await connection.execute(statement)
        for name, value, expected in [
            ("whole", [1, None, "3"], [1, None, 3]),
            ("whole", "{1,NULL,3}", [1, None, 3]),
            ("whole", [], []),
            ("grid", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
            ("grid", "{{1,2},{3,4}}", [[1, 2], [3, 4]]),
            ("texts", '{"a\\"b",null,"NULL",c d, }', None),
            ("texts", '{"a\\"b",null,"NULL", c d }', ['a"b', None, "NULL", "c d"]),
            ("texts", ["é", "", "{}"], ["é", "", "{}"]),
            ("moods", ["sad", "ok"], ["sad", "ok"]),
            ("moments", ["2026-01-02T03:04:05+02:00"], ["2026-01-02T01:04:05+00:00"]),
            ("span", "[1,5]", "[1,6)"),
            ("span", "empty", "empty"),
            ("span", "(,5)", "(,5)"),
            ("moment_span", '["2026-01-01 00:00+00",)', '["2026-01-01 00:00:00+00",)'),
            ("address", "10.0.0.1", "10.0.0.1"),
            ("whole", None, None),
        ]:
            wire = wire_of(ARRAYS, name, POSTGRESQL)
            if expected is None and value is not None:
                assert wire.refusal(value).message == f'malformed array literal: "{value}"'
                continue
            await connection.execute(insertion(ARRAYS, name, POSTGRESQL), bound(wire, value))
            assert received(wire, await connection.fetchval(selection(ARRAYS, name, POSTGRESQL))) == expected
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("whole", "{1,x}", 'invalid input syntax for type integer: "x"'),
        ("whole", ["x"], 'invalid input syntax for type integer: "x"'),
        ("whole", "abc", 'malformed array literal: "abc"'),
        ("whole", "{1,2", 'malformed array literal: "{1,2"'),
        ("whole", "{1}2", 'malformed array literal: "{1}2"'),
        ("texts", '{"a', 'malformed array literal: "{"a"'),
        ("span", "abc", 'malformed range literal: "abc"'),
        ("span", "[5,1]", "range lower bound must be less than or equal to range upper bound"),
    ],
)
def test_wrong_arrays_and_ranges(name: str, value: Any, message: str) -> None:
    wire = wire_of(ARRAYS, name, POSTGRESQL)
    with pytest.raises(ValidationError):
        validated(wire, value)
    assert wire.refusal(value).message == message


lasting = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
doubles = st.binary(min_size=8, max_size=8).map(lambda raw: float(struct.unpack("d", raw)[0]))


@lasting
@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), doubles.filter(lambda x: abs(x) < 1e309)))
@example(-5011.7649083427405)
def test_every_float_comes_back_from_sqlite(lite: sqlite3.Connection, value: float) -> None:
    assert through_sqlite(lite, "double", value) == value


@lasting
@given(st.decimals(min_value=-(10**8) + 1, max_value=10**8 - 1, places=2))
def test_every_price_comes_back_from_sqlite(lite: sqlite3.Connection, value: Decimal) -> None:
    wire = wire_of(TABLE, "price", SQLITE)
    lite.execute(insertion(TABLE, "price", SQLITE), (bound(wire, str(value)),))
    answer = lite.execute(selection(TABLE, "price", SQLITE)).fetchone()[0]
    assert json.loads(answer, parse_float=Decimal)["it"] == value


@lasting
@given(st.datetimes())
def test_every_datetime_comes_back_from_sqlite(lite: sqlite3.Connection, value: datetime) -> None:
    answer = through_sqlite(lite, "local", value.isoformat())
    assert datetime.fromisoformat(answer.ljust(26, "0") if "." in answer else answer) == value
    assert not answer.endswith(".")
    assert "." not in answer or not answer.endswith("0")


@lasting
@given(st.timedeltas(min_value=timedelta(days=-700_000), max_value=timedelta(days=2_000_000)))
def test_every_interval_comes_back_from_sqlite(lite: sqlite3.Connection, value: timedelta) -> None:
    answer = through_sqlite(lite, "span", f"{value.days} days {value.seconds}.{value.microseconds:06} seconds")
    assert validated(wire_of(TABLE, "span", SQLITE), answer) == value
