"""Large bodies are read a slice at a time, and that shows nowhere: rows and errors are those of the whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import slices
from rowserve.csv_rows import rows_of_csv
from rowserve.errors import ApiError
from rowserve.rows import RowReader
from rowserve.schemas import schemas_for
from rowserve.slices import Rows, rows_of_json
from rowserve.sql.models import model_entity


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    size: Mapped[int | None]
    price: Mapped[float | None] = mapped_column(sa.Numeric(30, 10))
    data: Mapped[Any | None] = mapped_column(sa.JSON)
    kind: Mapped[str] = mapped_column(default="note")


READER = schemas_for(model_entity(Note, sa.create_engine("postgresql+asyncpg://").dialect)).inserts


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of about two rows, so that a small body is a large one."""
    monkeypatch.setattr(slices, "SLICE", 60)
    monkeypatch.setattr(slices, "FIRST", 30)


def everything(rows: Rows) -> list[dict[str, Any]]:
    """All rows; they can be gone through twice."""
    later = [row for part in rows.later for row in part]
    assert [row for part in rows.later for row in part] == later
    return rows.first + later


def read(text: bytes | bytearray | str, reader: RowReader = READER) -> list[dict[str, Any]]:
    return everything(rows_of_json(reader, text.encode() if isinstance(text, str) else text))


def read_csv(text: bytes | str, reader: RowReader = READER) -> list[dict[str, Any]]:
    return everything(rows_of_csv(reader, text.encode() if isinstance(text, str) else text))


def refusal(rows: Any) -> dict[str, Any]:
    with pytest.raises(ApiError) as error:
        rows()
    assert error.value.status == 400
    return error.value.members()


texts = st.text() | st.sampled_from(["},{", '"},{"', "\\", '\\"},', "} ,", "]", "[{", "\\u0000", "NaN"])
documents = st.recursive(
    st.none() | st.integers(-9, 9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rows = st.lists(st.fixed_dictionaries({"name": texts, "data": documents, "size": st.integers(-9, 9)}), max_size=20)
layouts = st.sampled_from([{}, {"indent": 1}, {"separators": (" ,\r\n", ":")}, {"ensure_ascii": False}])


@given(rows, layouts)
def test_the_rows_are_those_of_the_whole(rows: list[dict[str, Any]], layout: dict[str, Any]) -> None:
    body = bytearray(json.dumps(rows, **layout).encode("utf-8", "surrogatepass"))
    try:
        whole, _ = READER.one_or_many(body)
    except ApiError as error:
        assert refusal(lambda: read(body))["code"] == error.code  # noqa: PT017
    else:
        assert read(body) == whole


@given(rows, st.data())
def test_what_is_refused_as_a_whole_is_refused(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    body = json.dumps(rows).encode()
    at = data.draw(st.integers(0, len(body)))
    put = data.draw(st.sampled_from([b'"', b",", b"{", b"}", b"[", b"]", b"\\", b"\xff", b" null ", b""]))
    body = body[:at] + put + body[at + data.draw(st.integers(0, 2)) :]
    try:
        whole, _ = READER.one_or_many(body)
    except ApiError:
        refusal(lambda: read(body))
    else:
        assert read(body) == whole


def test_a_large_body_comes_in_parts() -> None:
    body = json.dumps([{"name": f"user {number}"} for number in range(100)]).encode()

    read = rows_of_json(READER, body)

    assert read.is_array
    assert 1 <= len(read.first) <= 3
    assert all(1 <= len(part) <= 5 for part in read.later)


def test_only_what_is_reached_is_checked() -> None:
    body = json.dumps([{"size": number} for number in range(50)] + [{"size": "x"}]).encode()

    read = rows_of_json(READER, body)

    assert read.first[0] == {"size": 0}
    assert refusal(lambda: list(read.later))["code"] == "22P02"


def test_a_row_is_named_by_its_number_in_the_body() -> None:
    body = json.dumps([{"name": "a", "size": number} for number in range(50)] + [{"name": "b", "size": "x"}])
    assert refusal(lambda: read(body))["details"] == 'row 51, column "size"'

    body = json.dumps([{"name": "a", "kind": "b"}] * 50 + [{"name": "a", "kind": None}])
    assert refusal(lambda: read(body))["details"] == 'row 51, column "kind"'


def test_all_slices_have_the_keys_of_the_first_row() -> None:
    error = refusal(lambda: read(json.dumps([{"name": "a"}] * 50 + [{"size": 1}] * 50)))

    assert (error["code"], error["message"]) == ("PGRST102", "All object keys must match")


@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_no_json_is_shown_where_it_is(indent: int | None) -> None:
    text = json.dumps([{"name": f"user {number}"} for number in range(50)], indent=indent)
    body = text.replace('"user 40"', "user 40").encode()

    with pytest.raises(ApiError) as whole:
        READER.one_or_many(body)
    assert refusal(lambda: read(body)) == whole.value.members()


@pytest.mark.parametrize("end", ["", ",", ",]", "}]", "]]", "] 1", ", 1]", ", null]"])
def test_a_body_that_ends_otherwise_is_refused(end: str) -> None:
    body = json.dumps([{"name": f"user {number}"} for number in range(50)])[:-1] + end

    assert refusal(lambda: read(body))["message"] == "Empty or invalid json"


@pytest.mark.parametrize(
    "body",
    [
        b'[{"name":"' + rb"\"" * 500_000,
        b"[" + b'{"name":' * 100_000,
        b"[" + b"}," * 500_000,
        b'[{"data":[' + b'{"a":1},' * 100_000,
        b"[{" + b"}" + b" " * 1_000_000,
        b'[{"name":"' + b"}  " * 300_000 + b'"},]',
    ],
)
def test_a_hostile_body_is_refused_in_no_time(body: bytes) -> None:
    # What takes time quadratic in these would not end before the suite is stopped.
    assert refusal(lambda: read(body))["code"] == "PGRST102"


def test_one_row_may_be_larger_than_a_slice() -> None:
    large = {"name": "},{" * 1_000, "data": [{"a": {"b": "]"}}] * 1_000}

    assert read(json.dumps([large] * 3)) == [large] * 3


def test_long_numbers_keep_their_digits_in_each_slice() -> None:
    text = ",".join(['{"price": 12345678901234567890.1234567891}'] * 10)

    assert {str(row["price"]) for row in read(f"[{text}]")} == {"12345678901234567890.1234567891"}


def test_only_some_columns_and_null_for_what_is_missing() -> None:
    reader = READER.only(["name", "size"], nulls=True)
    given = [{"name": "a", "x": 1}, {"size": 2}, {"size": 3, "name": "c"}] * 9

    assert (
        read(json.dumps(given), reader)
        == [
            {"name": "a", "size": None},
            {"name": None, "size": 2},
            {"name": "c", "size": 3},
        ]
        * 9
    )
    assert reader.from_strings([("size", "1")]) == {"name": None, "size": 1}
    with_kind = READER.only(["name", "kind"], nulls=True)
    error = refusal(lambda: read(json.dumps([{"name": "a", "kind": "b"}] * 20 + [{"name": "a"}]), with_kind))
    assert (error["code"], error["details"]) == ("23502", 'row 21, column "kind"')


def test_csv() -> None:
    assert read_csv('name,size\nAda,1\r\n"Say ""hi"",\nAda",2\n\n,NULL\nNULL,3\n"",4') == [
        {"name": "Ada", "size": 1},
        {"name": 'Say "hi",\nAda', "size": 2},
        {"name": "", "size": None},
        {"name": None, "size": 3},
        {"name": "", "size": 4},
    ]


def test_csv_from_a_spreadsheet() -> None:
    assert read_csv("\ufeffname,size\r\nZoë,1\r\n") == [{"name": "Zoë", "size": 1}]


def test_csv_of_names_alone_has_no_rows() -> None:
    assert read_csv("name,size\n") == []
    assert read_csv("name") == []


def test_a_field_of_csv_may_be_long() -> None:
    assert read_csv(f"name\n{'x' * 1_000_000}\n") == [{"name": "x" * 1_000_000}]


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\0")), st.integers(-9, 9)), max_size=20))
def test_csv_in_slices(rows: list[tuple[str, int]]) -> None:
    lines = [f'"{name.replace(chr(34), chr(34) * 2)}",{size}\n' for name, size in rows]
    body = ("name,size\n" + "".join(lines)).encode("utf-8", "surrogatepass")
    if any(0xD800 <= ord(character) <= 0xDFFF for name, _ in rows for character in name):
        assert refusal(lambda: read_csv(body))["message"] == "Empty or invalid csv"
    else:
        expected = [{"name": None if name == "NULL" else name, "size": size} for name, size in rows]
        assert read_csv(body) == expected


@pytest.mark.parametrize(
    ("body", "code", "message", "details"),
    [
        (b"", "PGRST102", "Empty or invalid csv", "There is no line with the names of the columns."),
        (b"\n\n", "PGRST102", "Empty or invalid csv", "There is no line with the names of the columns."),
        (b"name,size\na\n", "PGRST102", "All lines must have same number of fields", "line 2 has 1 fields, not 2."),
        (b"name\na\nb,c\n", "PGRST102", "All lines must have same number of fields", "line 3 has 2 fields, not 1."),
        (b'name\na\n"b\n', "PGRST102", "Empty or invalid csv", "line 3: unexpected end of data"),
        (b'name\n"a"b\n', "PGRST102", "Empty or invalid csv", "line 2: ',' expected after '\"'"),
        (b"name\n\xff\n", "PGRST102", "Empty or invalid csv", "line 2 is no UTF-8"),
        (b"size\n1\nx\n", "22P02", 'invalid input syntax for type integer: "x"', 'row 2, column "size"'),
        (
            b"size\n1\n\n\n\n ,\n",
            "PGRST102",
            "All lines must have same number of fields",
            "line 6 has 2 fields, not 1.",
        ),
    ],
)
def test_csv_that_is_refused(body: bytes, code: str, message: str, details: str) -> None:
    error = refusal(lambda: read_csv(body))

    assert (error["code"], error["message"], error["details"]) == (code, message, details)


def test_csv_with_a_column_that_there_is_not() -> None:
    assert refusal(lambda: read_csv("name,foo\na,1\n"))["code"] == "PGRST204"
    assert read_csv("name,foo\na,1\n", READER.only(["name"])) == [{"name": "a"}]


def test_a_row_of_csv_is_named_by_its_number() -> None:
    body = "name,size\n" + "".join(f"user {number},{number}\n" for number in range(50)) + "b,x\n"

    assert refusal(lambda: read_csv(body))["details"] == 'row 51, column "size"'
