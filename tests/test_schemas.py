"""What clients send becomes rows, or an error that PostgREST or PostgreSQL would give; models tell OpenAPI so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column

from rowserve.errors import ApiError
from rowserve.rows import RowReader
from rowserve.schemas import Schemas, schemas_for
from rowserve.sql.exposure import Exposure
from rowserve.sql.models import model_entity

SQLITE = sa.create_engine("sqlite+aiosqlite://").dialect
POSTGRESQL = sa.create_engine("postgresql+asyncpg://").dialect


class Base(DeclarativeBase):
    pass


class User(Base):
    """People who sign in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by the database")
    name: Mapped[str] = mapped_column(sa.String(20), doc="What others see")
    age: Mapped[int | None]
    balance: Mapped[Decimal | None] = mapped_column(sa.Numeric(30, 10))
    score: Mapped[float | None]
    born: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    role: Mapped[str] = mapped_column(default="reader")
    joined: Mapped[str] = mapped_column(server_default="today")
    nick: Mapped[str | None] = mapped_column("nick name")
    upper: Mapped[str] = mapped_column(sa.Computed("upper(name)"))
    data: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    schema: Mapped[str | None]
    name_length: Mapped[int] = column_property(sa.func.length(sa.literal_column("name"), type_=sa.Integer))


class Invoice(Base):
    __tablename__ = "invoices"

    number: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    secret: Mapped[str]
    status: Mapped[str]
    revision: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012


@pytest.fixture(params=[SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
def users(request: pytest.FixtureRequest) -> Schemas:
    return schemas_for(model_entity(User, request.param))


def refused(reader: RowReader, body: bytes) -> dict[str, Any]:
    with pytest.raises(ApiError) as error:
        reader.one_or_many(body)
    assert error.value.status == 400
    return error.value.members()


def test_an_object_is_one_row_with_the_keys_it_has(users: Schemas) -> None:
    assert users.inserts.one_or_many(b'{"name": "Ada"}') == ([{"name": "Ada"}], False)
    assert users.inserts.one_or_many(b' \n{"name": "Ada", "age": null, "nick name": ""}')[0] == [
        {"name": "Ada", "age": None, "nick name": ""}
    ]


def test_an_array_is_many_rows(users: Schemas) -> None:
    assert users.inserts.one_or_many(b'[{"name": "Ada"}, {"name": "Bob"}]') == (
        [{"name": "Ada"}, {"name": "Bob"}],
        True,
    )
    assert users.inserts.one_or_many(b"\r\n\t []") == ([], True)


def test_values_are_python_values(users: Schemas) -> None:
    body = b'{"name": 7, "age": "41", "born": "2026-01-02T03:04:05+02:00", "data": {"a": [1.5]}, "balance": "1.10"}'
    [row], _ = users.inserts.one_or_many(body)
    assert row == {
        "name": "7",
        "age": 41,
        "born": datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC),
        "data": {"a": [1.5]},
        "balance": Decimal("1.1"),
    }


@pytest.mark.parametrize("shape", [b"%s", b"[%s]"])
def test_a_numeric_keeps_all_its_digits(users: Schemas, shape: bytes) -> None:
    body = shape % b'{"name": "Ada", "balance": 12345678901234567890.1234567891, "score": 0.12345678901234567890}'
    rows, _ = users.inserts.one_or_many(body)
    assert rows == [
        {"name": "Ada", "balance": Decimal("12345678901234567890.1234567891"), "score": 0.12345678901234567890}
    ]
    assert type(rows[0]["score"]) is float


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[", b"nonsense", b"5", b"null", b'"name"', b"[1]", b"[[]]", b'[{"name": "a"}, 1]', b"[,]"],
)
def test_what_is_no_json_of_rows(users: Schemas, body: bytes) -> None:
    error = refused(users.inserts, body)
    assert (error["code"], error["message"]) == ("PGRST102", "Empty or invalid json")


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "a", "data": {"x": NaN}}',
        b'{"name": "a", "data": -Infinity}',
        b'{"name": "a", "score": NaN}',
        b'{"name": NaN}',
        b"[" * 100_000,
        b'{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b'{"name": "a", "balance": 1.1111111111111111111111111, "x": }',
    ],
)
def test_what_is_nearly_json(users: Schemas, body: bytes) -> None:
    assert refused(users.inserts, body)["code"] == "PGRST102"


def test_a_name_may_say_nan_or_infinity_or_a_backslash(users: Schemas) -> None:
    for name in ("NaN", "Infinity", "\\u0000"):
        body = json.dumps({"name": name, "data": {"name": name}}).encode()
        assert users.inserts.one_or_many(body)[0] == [{"name": name, "data": {"name": name}}]


def test_nul_is_refused_as_postgresql_does(users: Schemas) -> None:
    for body in (b'{"name": "a\\u0000b"}', b'{"name": "a", "data": ["\\\\\\u0000"]}'):
        error = refused(users.inserts, body)
        assert (error["code"], error["message"]) == ("22P05", "unsupported Unicode escape sequence")


def test_an_unknown_column(users: Schemas) -> None:
    error = refused(users.inserts, b'{"name": "Ada", "foo": 1}')
    assert error["code"] == "PGRST204"
    assert error["message"] == "Could not find the 'foo' column of 'users' in the schema cache"
    assert "name, age, balance" in error["hint"]
    assert refused(users.inserts, b'{"name": "Ada", "name_length": 1}')["code"] == "PGRST204"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b'{"age": 1}', 'column "name"'),
        (b'{"name": null}', 'column "name"'),
        (b'[{"name": "a"}, {"name": null}]', 'row 2, column "name"'),
        (b'[{"age": 1}, {"age": 2}]', 'row 1, column "name"'),
    ],
)
def test_a_null_that_may_not_be(users: Schemas, body: bytes, details: str) -> None:
    error = refused(users.inserts, body)
    assert error["code"] == "23502"
    assert error["message"] == 'null value in column "name" of relation "users" violates not-null constraint'
    assert error["details"] == details


def test_a_column_with_a_default_may_be_absent_but_not_null(users: Schemas) -> None:
    assert refused(users.inserts, b'{"name": "a", "role": null}')["code"] == "23502"
    assert refused(users.inserts, b'{"name": "a", "joined": null}')["code"] == "23502"


def test_keys_must_match(users: Schemas) -> None:
    for body in (
        b'[{"name": "a"}, {"name": "b", "age": 1}]',
        b'[{"name": "a"}, {"age": 1}]',
        b'[{"name": "a"}, {"x": 1}]',
    ):
        error = refused(users.inserts, body)
        assert (error["code"], error["message"]) == ("PGRST102", "All object keys must match")


def test_a_wrong_value_names_its_row_and_column(users: Schemas) -> None:
    error = refused(users.inserts, b'[{"name": "a", "age": 1}, {"name": "b", "age": 2}, {"name": "c", "age": "x"}]')
    assert error == {
        "code": "22P02",
        "message": 'invalid input syntax for type integer: "x"',
        "details": 'row 3, column "age"',
        "hint": None,
    }
    error = refused(users.inserts, b'{"name": "a", "age": 99999999999}')
    assert (error["code"], error["details"]) == ("22003", 'column "age"')
    assert refused(users.inserts, b'{"name": "123456789012345678901"}')["code"] == "22001"
    error = refused(users.inserts, b'{"name": "a", "age": 5.00}')
    assert error["message"] == 'invalid input syntax for type integer: "5.00"'
    error = refused(users.inserts, b'{"name": "a", "balance": 1234567890123456789012.50}')
    assert error["message"] == "numeric field overflow"


def test_a_generated_column_takes_no_value() -> None:
    users = schemas_for(model_entity(User, SQLITE))
    error = refused(users.inserts, b'{"name": "a", "upper": "A"}')
    assert (error["code"], error["message"]) == ("428C9", 'cannot insert a non-DEFAULT value into column "upper"')
    assert error["details"] == 'Column "upper" is a generated column.'
    error = refused(users.updates, b'{"upper": "A"}')
    assert (error["code"], error["message"]) == ("428C9", 'column "upper" can only be updated to DEFAULT')
    invoices = schemas_for(model_entity(Invoice, SQLITE))
    error = refused(invoices.inserts, b'{"number": 1, "user_id": 1, "secret": "s", "status": "new"}')
    assert error["details"] == 'Column "number" is an identity column defined as GENERATED ALWAYS.'


def test_an_update_requires_nothing(users: Schemas) -> None:
    assert users.updates.one_or_many(b"{}") == ([{}], False)
    assert users.updates.one_or_many(b'{"age": 3}') == ([{"age": 3}], False)
    assert refused(users.updates, b'{"name": null}')["code"] == "23502"


def test_only_some_columns_are_read(users: Schemas) -> None:
    reader = users.inserts.only(["name", "age"])
    assert reader.one_or_many(b'[{"name": "a", "foo": 1}, {"name": "b", "age": 2}]') == (
        [{"name": "a"}, {"name": "b", "age": 2}],
        True,
    )
    assert reader.from_strings([("name", "a"), ("foo", "1")]) == {"name": "a"}
    assert refused(users.inserts.only(["age"]), b'[{"name": "a", "age": 1}]')["code"] == "23502"
    with pytest.raises(ApiError, match="Could not find the 'foo' column"):
        users.inserts.only(["foo"])


def test_a_row_of_strings(users: Schemas) -> None:
    row = users.inserts.from_strings([("name", "Bob"), ("name", "Ada"), ("age", "41"), ("nick name", None)])
    assert row == {"name": "Ada", "age": 41, "nick name": None}
    for pairs, code in (
        ([("name", "Ada"), ("age", "x")], "22P02"),
        ([("name", "Ada"), ("foo", "x")], "PGRST204"),
        ([("name", "Ada"), ("upper", "x")], "428C9"),
        ([("name", None)], "23502"),
        ([("age", "1")], "23502"),
        ([("name", "a\x00")], "22P05"),
    ):
        with pytest.raises(ApiError) as error:
            users.inserts.from_strings(pairs)
        assert error.value.code == code


def test_hidden_readonly_and_optional_columns() -> None:
    exposure = Exposure(hidden=frozenset({"secret"}), readonly=frozenset({"user_id"}))
    invoices = schemas_for(model_entity(Invoice, SQLITE, exposure), optional={"status"})
    assert invoices.inserts.one_or_many(b"{}") == ([{}], False)
    assert refused(invoices.inserts, b'{"secret": "s"}')["code"] == "PGRST204"
    assert "secret" not in refused(invoices.inserts, b'{"x": "s"}')["hint"]
    error = refused(invoices.inserts, b'{"user_id": 1}')
    assert (error["code"], error["details"]) == ("428C9", 'Column "user_id" is read-only.')
    assert set(invoices.read.model_json_schema()["properties"]) == {"number", "user_id", "status", "revision"}
    assert set(invoices.insert.model_json_schema()["properties"]) == {"status", "revision"}
    with pytest.raises(ValueError, match="invoices has no column 'nothing'"):
        schemas_for(model_entity(Invoice, SQLITE), optional={"nothing"})


def test_the_models_describe_the_rows(users: Schemas) -> None:
    read, insert, update = (model.model_json_schema() for model in (users.read, users.insert, users.update))
    assert [read["title"], insert["title"], update["title"]] == ["User", "UserInsert", "UserUpdate"]
    assert read["description"] == "People who sign in."
    assert set(read["properties"]) == {column.name for column in User.__table__.c} | {"name_length"}
    assert read["properties"]["id"]["description"] == "Given by the database"
    assert read["properties"]["name"]["description"] == "What others see"
    assert read["properties"]["name_length"]["anyOf"][0]["type"] == "integer"
    assert insert["required"] == ["name"]
    assert "required" not in update
    assert "upper" not in insert["properties"]
    assert insert["properties"]["name"]["maxLength"] == 20
    assert insert["properties"]["born"]["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "null"}]


def test_the_models_validate_too(users: Schemas) -> None:
    model: BaseModel = users.insert.model_validate_json(b'{"name": "Ada", "nick name": "Countess", "schema": "x"}')
    assert model.model_dump(by_alias=True, exclude_unset=True) == {
        "name": "Ada",
        "nick name": "Countess",
        "schema": "x",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from([column.name for column in User.__table__.c]), json_values)
USERS = schemas_for(model_entity(User, SQLITE))


@given(bodies | st.lists(bodies, max_size=4) | json_values)
def test_any_json_is_read_or_refused(body: Any) -> None:
    try:
        rows, is_array = USERS.inserts.one_or_many(json.dumps(body).encode())
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
    else:
        assert [row.keys() for row in rows] == [row.keys() for row in (body if is_array else [body])]


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for start in (b"", b"{", b"[{"):
        with pytest.raises(ApiError):
            USERS.inserts.one_or_many(start + body + b"\xff")
