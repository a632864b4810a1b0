from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Table, UniqueConstraint, create_engine, func, insert, select, types
from sqlalchemy.dialects import sqlite

from rowserve.reflection import Reflected, reflect
from rowserve.reflection.model import DELETABLE, FTS, FTS5, INSERTABLE, KIND, UPDATABLE, VIEW
from rowserve.reflection.sqlite_ddl import definition
from rowserve.reflection.sqlite_types import sqlite_type
from rowserve.sql.reflected_types import NamedType, UntypedType
from rowserve.sql.types import wire_type

DIALECT = sqlite.dialect()
Make = Callable[[str], Reflected]

BLOG = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name VARCHAR(20) NOT NULL UNIQUE,
    email TEXT,
    label TEXT GENERATED ALWAYS AS (name || ' :x, ' || (email)) VIRTUAL,
    twice INT AS (id * 2) STORED,
    joined DATETIME DEFAULT CURRENT_TIMESTAMP,
    note TEXT DEFAULT 'a:b', -- ) CONSTRAINT not_one UNIQUE (note)
    CONSTRAINT "email, once" UNIQUE ([email])
);
CREATE TABLE posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    author INT NOT NULL REFERENCES Users,
    editor INT /* , CONSTRAINT x */ CONSTRAINT posts_edited_by REFERENCES users (ID),
    title TEXT CHECK (title <> ')'),
    body TEXT,
    UNIQUE (author, title)
);
CREATE UNIQUE INDEX posts_body ON posts (body, title);
CREATE UNIQUE INDEX posts_without_body ON posts (title) WHERE body IS NULL;
CREATE UNIQUE INDEX posts_lower ON posts (lower(title));
CREATE TABLE profiles (user_id INTEGER PRIMARY KEY REFERENCES users, bio TEXT);
CREATE TABLE memberships (a INT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE roles (
    x INT, y INT, parent INT REFERENCES roles (x),
    CONSTRAINT "a member's" FOREIGN KEY (x, y) REFERENCES memberships,
    FOREIGN KEY (x) REFERENCES users, FOREIGN KEY (x) REFERENCES posts, FOREIGN KEY (y) REFERENCES nowhere (z)
);
CREATE TABLE codes (code TEXT PRIMARY KEY, big BIGINT);
"""


def key_of(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def unique_keys(table: Table) -> dict[Any, list[str]]:
    return {
        constraint.name: [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


def test_tables_and_columns(sqlite_of: Make) -> None:
    blog = sqlite_of(BLOG)
    tables = blog.metadata.tables
    assert blog.schemas == ("public",)
    assert set(tables) == {"users", "posts", "profiles", "memberships", "roles", "codes"}
    users = tables["users"]
    assert [column.name for column in users.c] == ["id", "name", "email", "label", "twice", "joined", "note"]
    assert {column.name for column in users.c if not column.nullable} == {"id", "name"}
    assert users.info == {KIND: "table", VIEW: False, INSERTABLE: True, UPDATABLE: True, DELETABLE: True}


def test_columns_that_the_database_fills_in(sqlite_of: Make) -> None:
    tables = sqlite_of(BLOG).metadata.tables
    users = tables["users"]
    assert users.c.label.computed is not None
    assert str(users.c.label.computed.sqltext.compile(dialect=DIALECT)) == "name || ' :x, ' || (email)"
    assert not users.c.label.computed.persisted
    assert users.c.twice.computed is not None
    assert users.c.twice.computed.persisted
    note: Any = users.c.note.server_default
    assert str(note.arg.compile(dialect=DIALECT)) == "'a:b'"
    assert users.c.email.server_default is None
    assert users.autoincrement_column is users.c.id
    assert tables["codes"].autoincrement_column is None
    assert tables["memberships"].autoincrement_column is None


def test_keys_and_indexes(sqlite_of: Make) -> None:
    tables = sqlite_of(BLOG).metadata.tables
    assert key_of(tables["users"]) == ["id"]
    assert tables["users"].primary_key.name == "users_pkey"
    assert key_of(tables["memberships"]) == ["b", "a"]
    assert key_of(tables["roles"]) == []
    assert unique_keys(tables["users"]) == {"users_name_key": ["name"], "email, once": ["email"]}
    assert unique_keys(tables["posts"]) == {"posts_author_title_key": ["author", "title"]}
    assert {index.name: [column.name for column in index.columns] for index in tables["posts"].indexes} == {
        "posts_body": ["body", "title"]
    }


def test_foreign_keys_have_the_names_that_they_were_given_or_those_of_postgresql(sqlite_of: Make) -> None:
    blog = sqlite_of(BLOG)
    found = {
        (key.name, key.table.name, key.columns, key.referred.name, key.referred_columns) for key in blog.foreign_keys
    }
    assert found == {
        ("posts_author_fkey", "posts", ("author",), "users", ("id",)),
        ("posts_edited_by", "posts", ("editor",), "users", ("id",)),
        ("profiles_user_id_fkey", "profiles", ("user_id",), "users", ("id",)),
        ("a member's", "roles", ("x", "y"), "memberships", ("b", "a")),
        ("roles_parent_fkey", "roles", ("parent",), "roles", ("x",)),
        ("roles_x_fkey", "roles", ("x",), "users", ("id",)),
        ("roles_x_fkey1", "roles", ("x",), "posts", ("id",)),
    }
    names = {constraint.name for constraint in blog.metadata.tables["posts"].foreign_key_constraints}
    assert names == {"posts_author_fkey", "posts_edited_by"}


def test_views_and_what_can_be_written_through_them(sqlite_of: Make, caplog: pytest.LogCaptureFixture) -> None:
    tables = sqlite_of(
        BLOG
        + """
        CREATE VIEW names AS SELECT name FROM users;
        CREATE TRIGGER names_update INSTEAD OF UPDATE OF name ON Names BEGIN SELECT 1; END;
        CREATE TRIGGER names_insert instead OF insert ON names BEGIN SELECT 1; END;
        CREATE TABLE gone (a); CREATE VIEW of_gone AS SELECT * FROM gone; DROP TABLE gone;
        """
    ).metadata.tables
    assert tables["names"].info == {KIND: "view", VIEW: True, INSERTABLE: True, UPDATABLE: True, DELETABLE: False}
    assert "of_gone" not in tables
    assert "of_gone is left out" in caplog.text


@pytest.mark.parametrize(
    ("select_", "key", "references"),
    [
        ("SELECT * FROM posts", ["id"], {("author", "users"), ("editor", "users")}),
        ("SELECT p.title, p.author AS writer, p.id FROM posts AS p WHERE p.id > 1", ["id"], {("writer", "users")}),
        (
            "SELECT p.*, u.name FROM posts p LEFT JOIN users u ON u.id = p.author",
            ["id"],
            {("author", "users"), ("editor", "users")},
        ),
        ("SELECT title, name, author FROM users, main.posts", [], {("author", "users")}),
        ("SELECT DISTINCT author who, count(*) FROM posts GROUP BY 1", [], {("who", "users")}),
        ('SELECT (SELECT max(id) FROM posts) AS id, "author" FROM posts', [], {("author", "users")}),
        ("SELECT author + 1 AS author, 'id', abs(id) FROM posts", [], set()),
        ("SELECT author FROM (SELECT 1 AS author, 2 AS id)", [], set()),
        ("SELECT x.author, p.editor FROM posts p, (SELECT 1 AS author) AS x", [], {("editor", "users")}),
        ("SELECT id, author FROM posts UNION SELECT 1, 2", [], set()),
        ("WITH posts AS (SELECT 1 AS id, 2 AS author) SELECT id, author FROM posts", [], set()),
        (
            "SELECT * FROM posts JOIN profiles ON id = user_id",
            ["id", "user_id"],
            {("author", "users"), ("editor", "users"), ("user_id", "users")},
        ),
        ("SELECT * FROM (SELECT id, name AS author FROM users) JOIN posts USING (id)", [], set()),
        ("VALUES (1, 2)", [], set()),
    ],
)
def test_a_view_has_the_keys_of_columns_that_it_shows_as_they_are(
    sqlite_of: Make, select_: str, key: list[str], references: set[tuple[str, str]]
) -> None:
    blog = sqlite_of(f"{BLOG} CREATE VIEW shown AS {select_};")
    assert key_of(blog.metadata.tables["shown"]) == key
    found = {(*key.columns, key.referred.name) for key in blog.foreign_keys if key.table.name == "shown"}
    assert found - {("author", "shown"), ("editor", "shown")} == references


def test_views_over_views_refer_and_are_referred_to(sqlite_of: Make) -> None:
    blog = sqlite_of(
        BLOG
        + """
        CREATE VIEW people (key, called) AS SELECT id, name FROM users;
        CREATE VIEW lives AS SELECT user_id AS person, bio FROM profiles;
        CREATE VIEW all_lives AS SELECT * FROM lives;
        """
    )
    found = {
        (key.table.name, key.columns, key.referred.name, key.referred_columns)
        for key in blog.foreign_keys
        if key.name == "profiles_user_id_fkey"
    }
    assert found == {
        (table, columns, referred, referred_columns)
        for table, columns in (("profiles", ("user_id",)), ("lives", ("person",)), ("all_lives", ("person",)))
        for referred, referred_columns in (("users", ("id",)), ("people", ("key",)))
    }
    assert key_of(blog.metadata.tables["all_lives"]) == ["person"]


def test_full_text_tables_are_told_from_what_they_are_made_of(sqlite_of: Make) -> None:
    tables = sqlite_of(
        BLOG
        + """
        CREATE VIRTUAL TABLE posts_text USING fts5(title, body, content='posts', content_rowid='id');
        CREATE VIRTUAL TABLE notes USING fts5(words, tokenize = 'porter ascii');
        CREATE VIRTUAL TABLE elsewhere USING fts5(code, content=codes, content_rowid=big);
        """
    ).metadata.tables
    assert {"posts_text", "notes", "elsewhere"} <= set(tables)
    assert not any(name.endswith(("_data", "_idx", "_docsize", "_config", "_content")) for name in tables)
    assert tables["notes"].info[FTS5] is True
    assert tables["notes"].info[KIND] == "virtual table"
    assert [column.name for column in tables["notes"].c] == ["words"]
    assert isinstance(tables["notes"].c.words.type, types.TEXT)
    assert tables["posts"].info[FTS] == ("posts_text", ("title", "body"))
    assert FTS not in tables["codes"].info  # which has its rows by another number than the rowid


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("INTEGER", "INTEGER"),
        ("tinyint(1)", "INTEGER"),
        ("UNSIGNED BIG INT", "INTEGER"),
        ("BIGINT", "BIGINT"),
        ("varchar ( 20 )", "VARCHAR(20)"),
        ("VARCHAR(20, 3)", "VARCHAR(20)"),
        ("CHAR(2)", "CHAR(2)"),
        ("NATIVE CHARACTER(70)", "TEXT"),
        ("CLOB", "TEXT"),
        ("DECIMAL(10,2)", "DECIMAL(10, 2)"),
        ("NUMERIC", "NUMERIC"),
        ("DOUBLE  PRECISION", "DOUBLE"),
        ("float(5)", "DOUBLE"),
        ("REAL", "DOUBLE"),
        ("BOOLEAN", "BOOLEAN"),
        ("DATETIME", "DATETIME"),
        ("TIMESTAMP(3)", "TIMESTAMP"),
        ("DATE", "DATE"),
        ("JSON", "JSON"),
        ("BLOB", "BLOB"),
        ("LONGBLOB", "BLOB"),
        ("INT GENERATED ALWAYS", "INTEGER"),
        ("MONEY", "MONEY"),
        ("geometry(Point, 4326)", "geometry(Point, 4326)"),
        ("odd (", "odd ("),
        ("", ""),
        ("ANY", ""),
    ],
)
def test_declared_types(declared: str, expected: str) -> None:
    assert sqlite_type(declared).compile(dialect=DIALECT) == expected


def test_every_number_that_sqlite_holds_can_be_asked_for() -> None:
    wire = wire_type(sqlite_type("INT"), DIALECT)
    assert wire.name == "integer"
    assert wire.parse("1700000000000") == 1_700_000_000_000
    assert wire_type(sqlite_type("REAL"), DIALECT).parse("0.1") == 0.1


@pytest.mark.parametrize(
    ("declared", "sent", "stored", "asked"),
    [
        ("MONEY", 12.5, 12.5, "12.5"),
        ("MONEY", "a lot", "a lot", "a lot"),
        ("", 5, 5, "5"),
        ("", "5", "5", "5"),
        ("", "word", "word", "word"),
        ("", 2.5, 2.5, "2.50"),
    ],
)
def test_values_of_unknown_types(sqlite_of: Make, declared: str, sent: object, stored: object, asked: str) -> None:
    blog = sqlite_of(f"CREATE TABLE things (value {declared})")
    table = blog.metadata.tables["things"]
    wire = wire_type(table.c.value.type, DIALECT)
    assert isinstance(table.c.value.type, UntypedType if declared == "" else NamedType)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.metadata.create_all(connection)
        connection.execute(insert(table).values(value=TypeAdapter(wire.annotation).validate_python(sent)))
        object_ = select(func.json_object("value", wire.output(table.c.value)))
        assert json.loads(connection.scalar(object_.where(table.c.value == wire.parse(asked))) or "{}") == {
            "value": stored
        }
        assert connection.scalar(object_.where(table.c.value > wire.parse(asked))) is None
        assert connection.scalar(object_.where(table.c.value < wire.parse(asked))) is None
    engine.dispose()


def test_an_expression_in_a_view_is_compared_as_what_it_is(sqlite_of: Make) -> None:
    blog = sqlite_of("CREATE TABLE a (x INT); CREATE VIEW counted AS SELECT x, count(*) AS n FROM a GROUP BY x")
    column = blog.metadata.tables["counted"].c.n
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counted (x, n)")
        connection.exec_driver_sql("INSERT INTO counted VALUES (1, 9), (1, 10), (1, 11)")
        found = connection.execute(select(column).where(column > wire_type(column.type, DIALECT).parse("9")))
        assert sorted(found.scalars()) == [10, 11]
        listed = select(func.json_each('["9", "12"]').table_valued("value").c.value)
        assert connection.execute(select(column).where(column.in_(listed))).scalars().all() == [9]
    engine.dispose()


def test_names_and_expressions_are_found_in_any_spelling() -> None:
    found = definition(
        """CREATE TABLE "a (b" (
            [x y] INT CONSTRAINT `one` PRIMARY KEY CONSTRAINT two UNIQUE CONSTRAINT three CHECK (1) REFERENCES b,
            "z" TEXT CONSTRAINT nn NOT NULL DEFAULT (')') AS (substr(z, 1)),
            constraint 'four' FOREIGN KEY ("z", [x y]) REFERENCES c (d, e) ON DELETE CASCADE,
            CONSTRAINT five UNIQUE (z COLLATE NOCASE, "x y" DESC)
        ) STRICT"""
    )
    assert found.names == {
        ("primary", ("x y",)): "one",
        ("unique", ("x y",)): "two",
        ("foreign", ("z", "x y")): "four",
        ("unique", ("z", "x y")): "five",
    }
    assert found.computed == {"z": "substr(z, 1)"}


def test_there_is_one_schema(sqlite_url: str) -> None:
    with pytest.raises(ValueError, match="no schema private in the database: SQLite has one, which is called public"):
        asyncio.run(reflect(sqlite_url, ["public", "private"]))
