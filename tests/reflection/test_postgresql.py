from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Table, UniqueConstraint, create_engine, insert, inspect, select, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from rowserve.reflection import Reflected, reflect
from rowserve.reflection.model import DELETABLE, DOMAIN, INSERTABLE, KIND, UPDATABLE, VIEW
from rowserve.sql.reflected_types import NamedType, TextualArray, TextualType
from rowserve.sql.types import wire_type

DIALECT = create_engine("postgresql+asyncpg://").dialect


def table_of(library: Reflected, name: str) -> Table:
    return library.metadata.tables[f"api.{name}"]


def key_of(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def unique_keys(table: Table) -> dict[Any, list[str]]:
    return {
        constraint.name: [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


def references(library: Reflected, name: str) -> set[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
    """Those of the constraint of a name, as table, columns, table, columns."""
    found = [
        (key.table.name, key.columns, key.referred.name, key.referred_columns)
        for key in library.foreign_keys
        if key.name == name
    ]
    assert len(found) == len(set(found))
    return set(found)


def functions_of(library: Reflected, name: str) -> list[Any]:
    return [function for function in library.functions if function.name == name]


def test_the_tables_and_views_of_the_schemas_are_read_and_those_elsewhere_that_they_refer_to(
    library: Reflected,
) -> None:
    assert library.schemas == ("api", "Odd Schema")
    there = {table.fullname for table in library.metadata.tables.values()}
    assert {"api.authors", "api.writers", "api.stored", "api.sales", 'Odd Schema.Odd "Table'} <= there
    assert {name for name in there if name.startswith("hidden")} == {"hidden.countries"}
    assert "api.sales_2024" not in there  # its rows are those of the table that it is a part of


def test_a_schema_that_is_not_there_is_told_with_those_that_are(library_url: str) -> None:
    with pytest.raises(ValueError, match=r"no schema nowhere in .* are: Odd Schema, api, ext, hidden, public"):
        asyncio.run(reflect(library_url, ["api", "nowhere"]))


def test_comments(library: Reflected) -> None:
    authors = table_of(library, "authors")
    assert authors.comment == "Those who write."
    assert authors.c.name.comment == "As on the cover."
    assert authors.c.id.comment is None
    assert table_of(library, "writers").comment == "Authors, in brief."


def test_columns_that_the_database_fills_in(library: Reflected) -> None:
    authors = table_of(library, "authors")
    assert authors.c.id.identity is not None
    assert authors.c.id.identity.always
    assert authors.autoincrement_column is authors.c.id
    editions = table_of(library, "editions")
    assert editions.c.id.identity is not None
    assert not editions.c.id.identity.always
    assert authors.c.label.computed is not None
    assert authors.c.label.computed.persisted
    assert authors.c.mood.server_default is not None
    assert authors.c.mail.server_default is not None  # the domain's
    assert authors.c.country.server_default is None
    odd = library.metadata.tables['Odd Schema.Odd "Table']
    assert odd.c["Odd, Column"].server_default is not None
    assert table_of(library, "biographies").autoincrement_column is None
    title: Any = table_of(library, "books").c.title.server_default
    assert str(title.arg.compile(dialect=DIALECT)) == "'un:titled'::text"


def test_what_may_be_null(library: Reflected) -> None:
    authors = table_of(library, "authors")
    refused = {column.name for column in authors.c if not column.nullable}
    assert refused == {"id", "name", "mood", "mail"}  # the last by the domain that its domain is based on


def test_primary_and_unique_keys_and_indexes(library: Reflected) -> None:
    assert [column.name for column in table_of(library, "books").primary_key.columns] == ["number", "publisher"]
    assert table_of(library, "books").primary_key.name == "books_pkey"
    assert key_of(table_of(library, "editions")) == []
    authors = table_of(library, "authors")
    assert unique_keys(authors) == {"authors_nickname_key": ["nickname"], "name and country": ["name", "country"]}
    # Neither the one of some rows only, nor the one on an expression.
    assert {index.name: [column.name for column in index.columns] for index in authors.indexes} == {
        "authors_label": ["label"]
    }


def test_foreign_keys_of_tables(library: Reflected) -> None:
    own = {
        (key.name, key.table.name, key.columns, key.referred.name, key.referred_columns)
        for key in library.foreign_keys
        if not key.table.info[VIEW] and not key.referred.info[VIEW]
    }
    assert own == {
        ("authors_country", "authors", ("country",), "countries", ("code",)),
        ("authors_mentor", "authors", ("mentor",), "authors", ("id",)),
        ("biographies_author", "biographies", ("author",), "authors", ("id",)),
        ("books_author", "books", ("author",), "authors", ("id",)),
        ("editions_book", "editions", ("book", "publisher"), "books", ("number", "publisher")),
        ("odd author", 'Odd "Table', ("author {)",), "authors", ("id",)),
        ("sales_author", "sales", ("author",), "authors", ("id",)),
        ("refunds_sale", "refunds", ("day", "sale"), "sales", ("day", "id")),
    }
    constraints = {constraint.name: constraint for constraint in table_of(library, "authors").foreign_key_constraints}
    assert constraints["authors_mentor"].initially == "DEFERRED"
    assert constraints["authors_country"].referred_table is library.metadata.tables["hidden.countries"]


def test_views_have_the_primary_key_of_the_tables_that_they_show_it_of(library: Reflected) -> None:
    keys = {
        name: key_of(table_of(library, name)) for name in ("writers", "twice", "over", "lives", "stored", "secrets")
    }
    assert keys == {
        "writers": ["key"],
        "twice": ["first"],
        "over": ["key"],
        "lives": ["author"],
        "stored": ["id"],
        "secrets": ["id"],
    }
    assert [column.name for column in table_of(library, "book_authors").primary_key.columns] == ["number", "publisher"]
    assert not any(key_of(table_of(library, name)) for name in ("half", "both", "counted"))


def test_views_refer_and_are_referred_to_as_the_tables_behind_them(library: Reflected) -> None:
    assert references(library, "books_author") == {
        (table, ("author",), referred, columns)
        for table in ("books", "book_authors", "counted")
        for referred, columns in (
            ("authors", ("id",)),
            ("writers", ("key",)),
            ("twice", ("first",)),
            ("twice", ("second",)),
            ("over", ("key",)),
            ("stored", ("id",)),
        )
    }
    assert ("writers", ("mentor",), "writers", ("key",)) in references(library, "authors_mentor")
    assert references(library, "editions_book") == {
        ("editions", ("book", "publisher"), referred, ("number", "publisher")) for referred in ("books", "book_authors")
    }


def test_views_of_hidden_tables_refer_to_each_other(library: Reflected) -> None:
    found = [
        (key.table.fullname, key.referred.fullname) for key in library.foreign_keys if key.name == "secrets_country"
    ]
    assert sorted(found) == [("api.secrets", "api.countries"), ("api.secrets", "hidden.countries")]


def test_a_view_of_a_one_to_one_is_one(library: Reflected) -> None:
    lives = table_of(library, "lives")
    assert ("lives", ("author",), "authors", ("id",)) in references(library, "biographies_author")
    assert key_of(lives) == ["author"]
    assert unique_keys(lives) == {}


def test_what_can_be_written_to(library: Reflected) -> None:
    writable = {
        table.name: (table.info[KIND], table.info[INSERTABLE], table.info[UPDATABLE], table.info[DELETABLE])
        for table in library.metadata.tables.values()
        if table.schema == "api"
    }
    assert writable["authors"] == ("table", True, True, True)
    assert writable["sales"] == ("partitioned table", True, True, True)
    assert writable["writers"] == ("view", True, True, True)
    assert writable["both"] == ("view", False, False, False)
    assert writable["counted"] == ("view", False, True, False)  # by its INSTEAD OF trigger
    assert writable["stored"] == ("materialized view", False, False, False)
    assert {name for name, (kind, *_) in writable.items() if "view" in kind} == {
        table.name for table in library.metadata.tables.values() if table.info[VIEW]
    }


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("a_bool", "BOOLEAN"),
        ("a_int2", "SMALLINT"),
        ("a_int4", "INTEGER"),
        ("a_int8", "BIGINT"),
        ("a_float4", "REAL"),
        ("a_float8", "DOUBLE PRECISION"),
        ("a_numeric", "NUMERIC(10, 2)"),
        ("a_bare_numeric", "NUMERIC"),
        ("a_text", "TEXT"),
        ("a_varchar", "VARCHAR(7)"),
        ("a_char", "CHAR(3)"),
        ("a_bytea", "BYTEA"),
        ("a_date", "DATE"),
        ("a_time", "TIME(3) WITHOUT TIME ZONE"),
        ("a_timetz", "TIME WITH TIME ZONE"),
        ("a_timestamp", "TIMESTAMP WITHOUT TIME ZONE"),
        ("a_timestamptz", "TIMESTAMP(0) WITH TIME ZONE"),
        ("a_interval", "INTERVAL"),
        ("a_uuid", "UUID"),
        ("a_json", "JSON"),
        ("a_jsonb", "JSONB"),
        ("a_range", "INT4RANGE"),
        ("a_tsrange", "TSTZRANGE"),
        ("a_tsvector", "TSVECTOR"),
        ("a_array", "INTEGER[]"),
        ("a_matrix", "NUMERIC(4, 1)[]"),
        ("a_moods", "api.mood[]"),
        ("a_tags", "VARCHAR(5)[]"),
        ("a_emails", "api.email[]"),
        ("a_place", "api.place"),
        ("a_places", "api.place[]"),
        ("a_inet", "inet"),
        ("a_bit", "bit(3)"),
        ("a_point", "point"),
        ("a_nick", "ext.citext"),
        ("a_nicks", "ext.citext[]"),
        ("a_multirange", "int4multirange"),
        ("a_money", "money"),
        ("a_char_internal", '"char"'),
    ],
)
def test_types(library: Reflected, column: str, expected: str) -> None:
    assert table_of(library, "types").c[column].type.compile(dialect=DIALECT) == expected


def test_what_sqlalchemy_has_no_class_for_is_known_by_its_name(library: Reflected) -> None:
    columns = table_of(library, "types").c
    assert isinstance(columns.a_nick.type, NamedType)
    assert columns.a_nick.type.spelling == "ext.citext"
    assert isinstance(columns.a_nicks.type, TextualArray)
    assert not any(isinstance(column.type, types.NullType) for column in columns)


def test_an_enum_has_its_labels_name_and_schema_and_a_domain_its_name(library: Reflected) -> None:
    authors = table_of(library, "authors")
    mood = authors.c.mood.type
    assert isinstance(mood, postgresql.ENUM)
    assert (mood.enums, mood.name, mood.schema) == (["sad", "it's ok"], "mood", "api")
    assert isinstance(authors.c.mail.type, types.TEXT)
    assert authors.c.mail.info[DOMAIN] == "api.work_email"
    assert DOMAIN not in authors.c.name.info


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection whose changes are not kept."""
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


VALUES: dict[str, tuple[Any, str]] = {
    "a_place": ("(Elm,3)", "(Elm,3)"),
    "a_places": (["(Elm,3)"], '{"(Elm,3)"}'),
    "a_inet": ("10.0.0.1/8", "10.0.0.1/8"),
    "a_bit": ("101", "101"),
    "a_point": ("(1,2)", "(1,2)"),
    "a_nick": ("Ada", "Ada"),
    "a_nicks": (["Ada", None], "{Ada,NULL}"),
    "a_multirange": ("{[1,3)}", "{[1,3)}"),
    "a_money": (2.5, "$2.50"),
    "a_char_internal": ("x", "x"),
    "a_tags": (["a", "b"], "{a,b}"),
    "a_emails": (["a@b"], "{a@b}"),
}


@pytest.mark.anyio
async def test_values_of_any_type_go_in_as_text_and_are_found_again(library: Reflected, library_url: str) -> None:
    table = table_of(library, "types")
    async with connected(library_url) as connection:
        for number, (name, (sent, stored)) in enumerate(VALUES.items()):
            column = table.c[name]
            wire = wire_type(column.type, connection.dialect)
            value = TypeAdapter(wire.annotation).validate_python(sent)
            bound = value if wire.bind is None else wire.bind(value)
            await connection.execute(insert(table).values({"id": number, name: bound}))
            found = select(column.cast(types.Text)).where(column.is_not(None))
            if name != "a_point":  # which has no equality
                found = found.where(column == bound)
            assert (await connection.execute(found)).scalars().all() == [stored]


@pytest.mark.anyio
async def test_a_comparison_does_not_cut_the_value_to_the_column(library: Reflected, library_url: str) -> None:
    table = table_of(library, "types")
    async with connected(library_url) as connection:
        await connection.execute(insert(table).values(id=1, a_bit="101"))
        found = await connection.execute(select(table.c.a_bit).where(table.c.a_bit == "10111"))
        assert found.all() == []


def test_every_function_that_a_client_could_call_is_there(library: Reflected) -> None:
    names = sorted({function.name for function in library.functions})
    assert names == [
        "Odd (f)",
        "a_secret",
        "a_writer",
        "add",
        "all_authors",
        "echo",
        "home",
        "initials",
        "mails",
        "mentor_of",
        "moods",
        "nothing",
        "pairs",
        "singles",
        "split",
        "total",
    ]
    assert {function.schema for function in library.functions} == {"api"}


def test_overloads_defaults_volatility_and_comments(library: Reflected) -> None:
    numbers, words = functions_of(library, "add")
    assert [(one.name, one.type, one.required) for one in numbers.parameters] == [
        ("a", "integer", True),
        ("b", "integer", False),
    ]
    assert (numbers.volatility, words.volatility) == ("immutable", "stable")
    assert (numbers.description, words.description) == (None, "Nothing is added.")
    assert functions_of(library, "total")[0].volatility == "volatile"
    assert isinstance(numbers.returns, types.INTEGER)
    assert numbers.return_name == "integer"
    assert numbers.is_single
    assert not numbers.is_set


def test_parameters_of_every_kind(library: Reflected) -> None:
    (total,) = functions_of(library, "total")
    assert [(one.name, one.type, one.variadic) for one in total.parameters] == [("numbers", "integer[]", True)]
    (echo,) = functions_of(library, "echo")
    assert [(one.name, one.type) for one in echo.parameters] == [("", "json")]
    (mentor_of,) = functions_of(library, "mentor_of")
    assert mentor_of.parameters[0].table is table_of(library, "authors")
    assert mentor_of.parameters[0].type == "api.authors"
    (initials,) = functions_of(library, "initials")
    assert initials.parameters[0].table is table_of(library, "writers")
    (odd,) = functions_of(library, "Odd (f)")
    assert [(one.name, one.type) for one in odd.parameters] == [("p x", "ext.citext")]
    (mails,) = functions_of(library, "mails")
    # A cast to character or to bit would leave one of them.
    assert [one.type for one in mails.parameters] == ["bpchar", '"bit"']


def test_results_that_are_rows_of_a_table_or_view(library: Reflected) -> None:
    (all_authors,) = functions_of(library, "all_authors")
    assert all_authors.returns is table_of(library, "authors")
    assert (all_authors.is_set, all_authors.is_single) == (True, False)
    (mentor_of,) = functions_of(library, "mentor_of")
    assert (mentor_of.is_set, mentor_of.is_single) == (True, True)
    (a_writer,) = functions_of(library, "a_writer")
    assert a_writer.returns is table_of(library, "writers")
    assert (a_writer.is_set, a_writer.is_single) == (False, True)


def columns_of(function: Any) -> list[tuple[str, str]]:
    assert isinstance(function.returns, Table)
    return [(column.name, column.type.compile(dialect=DIALECT)) for column in function.returns.c]


def test_results_that_have_columns_of_their_own(library: Reflected) -> None:
    (pairs,) = functions_of(library, "pairs")
    assert columns_of(pairs) == [("x", "INTEGER"), ("y", "api.mood")]
    assert pairs.returns.metadata is not library.metadata
    assert [one.name for one in pairs.parameters] == ["n"]
    (singles,) = functions_of(library, "singles")
    assert columns_of(singles) == [("x", "INTEGER")]
    (split,) = functions_of(library, "split")
    assert columns_of(split) == [("a", "TEXT"), ("b", "TEXT")]
    assert [one.name for one in split.parameters] == ["a", "at"]
    assert not split.is_set
    (home,) = functions_of(library, "home")
    assert columns_of(home) == [("street", "TEXT"), ("number", "INTEGER")]
    (a_secret,) = functions_of(library, "a_secret")
    assert columns_of(a_secret) == [("id", "INTEGER")]
    assert inspect(a_secret.returns).metadata is not library.metadata


def test_results_that_are_scalars_or_nothing(library: Reflected) -> None:
    (nothing,) = functions_of(library, "nothing")
    assert (nothing.returns, nothing.return_name) == (None, "void")
    (moods,) = functions_of(library, "moods")
    assert isinstance(moods.returns, postgresql.ENUM)
    assert (moods.is_set, moods.return_name) == (True, "api.mood")
    (mails,) = functions_of(library, "mails")
    assert isinstance(mails.returns, types.TEXT)
    assert mails.return_name == "api.work_email"
    (odd,) = functions_of(library, "Odd (f)")
    assert isinstance(odd.returns, TextualType)
    assert odd.return_name == "record"
