"""A table with the same rows on both databases, and what finds them by a query string."""

from __future__ import annotations

import asyncio
import enum
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from rowserve.backends.sqlite_errors import translated
from rowserve.backends.sqlite_functions import register
from rowserve.errors import ApiError, database_error
from rowserve.query import Column, parse
from rowserve.sql.conditions import Conditions
from rowserve.sql.entity import Entity
from rowserve.sql.fields import cast_target, field_target, sortable
from rowserve.sql.scope import CONSTANT, Parameters, Scope

SQLITE = sa.create_engine("sqlite+aiosqlite://").dialect
POSTGRESQL = sa.create_engine("postgresql+asyncpg://").dialect


class Mood(enum.Enum):
    """In an order that is not that of the alphabet."""

    sad = 1
    ok = 2
    glad = 3


metadata = sa.MetaData()
things = sa.Table(
    "things",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30)),
    sa.Column("age", sa.Integer),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("ratio", sa.Double),
    sa.Column("single", sa.REAL),
    sa.Column("done", sa.Boolean),
    sa.Column("born", sa.Date),
    sa.Column("made", sa.DateTime),
    sa.Column("seen", sa.DateTime(timezone=True)),
    sa.Column("clock", sa.Time),
    sa.Column("took", sa.Interval),
    sa.Column("code", sa.Uuid),
    sa.Column("mood", sa.Enum(Mood)),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("data", sa.JSON),
    sa.Column("docs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
    sa.Column("tags", sa.JSON().with_variant(postgresql.ARRAY(sa.Text), "postgresql")),
    sa.Column("body", sa.Text),
    info={"fts": ("things_fts", ("name", "body"))},
)

ROWS: list[dict[str, Any]] = [
    {
        "id": 1,
        "name": "Ada",
        "age": 36,
        "price": Decimal("1.50"),
        "ratio": 2.5,
        "single": 0.1,
        "done": True,
        "born": date(1815, 12, 10),
        "made": datetime(2026, 1, 2, 3, 4, 5, 120_000),
        "seen": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "clock": datetime(2026, 1, 2, 13, 4, 5, 500_000).time(),
        "took": timedelta(days=1, hours=2),
        "code": UUID("00000000-0000-0000-0000-0000000000aa"),
        "mood": Mood.sad,
        "raw": b"\x01\xff",
        "data": {"a": 1, "b": {"c": "x", "d": [1, 2.5, "three", None]}, "t": True, "n": None},
        "docs": {"a": 1, "b": {"c": "x", "d": [1, 2.5, "three", None]}, "t": True, "n": None},
        "tags": ["red", "green"],
        "body": "the fat cat sat on a mat",
    },
    {
        "id": 2,
        "name": "Émile",
        "age": 7,
        "price": Decimal("-2.50"),
        "ratio": -1e300,
        "single": 1e10,
        "done": False,
        "born": date(2019, 6, 1),
        "made": datetime(2019, 6, 1),
        "seen": datetime(2019, 6, 1, 12, 30, tzinfo=UTC),
        "clock": datetime(2026, 1, 2).time(),
        "took": timedelta(hours=-1),
        "code": UUID("00000000-0000-0000-0000-0000000000bb"),
        "mood": Mood.glad,
        "raw": b"",
        "data": {"a": 10, "b": {"c": "yy"}, "a.b": "dot", 'q"uote': 1, "sp ace": 2, "ключ": "да", "t": False},
        "docs": [1, 2, {"k": [1, 2]}, "str"],
        "tags": [],
        "body": "a thin rat ran from the cat",
    },
    {
        "id": 3,
        "name": "a_b%c*d",
        "age": -5,
        "price": Decimal("0.00"),
        "ratio": 0.1,
        "single": 1.5,
        "done": None,
        "born": None,
        "made": None,
        "seen": None,
        "clock": None,
        "took": timedelta(0),
        "code": None,
        "mood": Mood.ok,
        "raw": None,
        "data": [10, 20, [30, {"z": "deep"}]],
        "docs": "str",
        "tags": ["green", "with,comma", 'q"uote', "NULL"],
        "body": "rats and mice",
    },
    {
        "id": 4,
        "name": "line one\nline two",
        "age": 12,
        "price": Decimal("12345.67"),
        "ratio": 1e15,
        "single": -2.25,
        "done": True,
        "born": date(1970, 1, 1),
        "made": datetime(1970, 1, 1),
        "seen": datetime(1970, 1, 1, tzinfo=UTC),
        "clock": datetime(2026, 1, 2, 23, 59, 59, 999_999).time(),
        "took": timedelta(days=-3, seconds=1, microseconds=250_000),
        "code": UUID("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        "mood": None,
        "raw": b"text",
        "data": {"a": "2", "b": {"c": None}},
        "docs": {"a": 1.0, "x": []},
        "tags": sa.null(),
        "body": "fat mat, fat cat",
    },
    {"id": 5},
]


class Sample(ABC):
    """The rows in one of the databases."""

    def __init__(self, dialect: sa.Dialect) -> None:
        self.dialect = dialect
        self.name: str = dialect.name

    @abstractmethod
    def run(self, text: str, arguments: Sequence[Any]) -> list[Any]:
        """The first column of what a statement yields; raises ApiError."""

    def scope(self, table: sa.Table) -> Scope:
        """The rows of a table under a name of their own."""
        return Scope(Entity(table, self.dialect), table.alias(f"{table.name}_1"), table.name)

    def find(self, query_string: str, table: sa.Table = things) -> list[Any]:
        """The ids of the rows that a filter selects."""
        query, values = parse(query_string)
        scope, parameters = self.scope(table), Parameters()
        conditions = Conditions(scope, parameters, lambda name: None)
        statement = sa.select(scope.rows.c.id).select_from(scope.rows)
        statement = statement.where(*conditions.all_of(query.modifiers.where)).order_by(scope.rows.c.id)
        return self.execute(statement, parameters, values)

    def values(self, select: str, query_string: str = "", table: sa.Table = things) -> list[Any]:
        """What a selected column holds, row by row, as the JSON of the answer has it."""
        query, values = parse(f"select={select}&{query_string}")
        column = query.select[0]
        assert isinstance(column, Column)
        assert column.field is not None
        scope, parameters = self.scope(table), Parameters()
        target = field_target(scope, column.field, parameters)
        if column.cast is not None:
            target = cast_target(target, column.cast, things.metadata, self.dialect)
        conditions = Conditions(scope, parameters, lambda name: None)
        pair = sa.func.json_array if self.name == "sqlite" else sa.func.json_build_array
        statement = sa.select(pair(target.wire.output(target.expression))).select_from(scope.rows)
        statement = statement.where(*conditions.all_of(query.modifiers.where)).order_by(scope.rows.c.id)
        return [json.loads(text)[0] for text in self.execute(statement, parameters, values)]

    def ordered(self, field: str, table: sa.Table = things) -> list[int]:
        """The ids in the order of a field, NULL last."""
        query, values = parse(f"order={field}")
        scope, parameters = self.scope(table), Parameters()
        target = field_target(scope, query.modifiers.order[0].field, parameters)
        statement = sa.select(scope.rows.c.id).select_from(scope.rows)
        statement = statement.order_by(sortable(target, self.dialect).nulls_last(), scope.rows.c.id)
        return self.execute(statement, parameters, values)

    def execute(self, statement: sa.Select[Any], parameters: Parameters, values: Sequence[Any]) -> list[Any]:
        """Binds and runs a statement. All of its arguments have to be hashable: equal reads are found by them."""
        compiled: Any = statement.compile(dialect=self.dialect)
        arguments = tuple(
            read if index == CONSTANT else read(values[index])
            for index, read in parameters.arguments(compiled.positiontup or ())
        )
        hash(arguments)
        return self.run(compiled.string, arguments)


class SQLiteSample(Sample):
    """In memory."""

    def __init__(self) -> None:
        super().__init__(SQLITE)
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("PRAGMA case_sensitive_like=ON")
        register(self.connection)
        engine = sa.create_engine("sqlite://", creator=lambda: self.connection, poolclass=sa.pool.StaticPool)
        metadata.create_all(engine)
        with engine.begin() as connection:
            for row in ROWS:
                connection.execute(things.insert().values(row))
        self.connection.execute(
            "CREATE VIRTUAL TABLE things_fts USING fts5(name, body, content='things', content_rowid='id')"
        )
        self.connection.execute("INSERT INTO things_fts(things_fts) VALUES ('rebuild')")

    def run(self, text: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            return [row[0] for row in self.connection.execute(text, tuple(arguments))]
        except sqlite3.Error as error:
            raise translated(error) from error


class PostgreSQLSample(Sample):
    """In a database of its own, by one connection."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        super().__init__(POSTGRESQL)
        self.runner = runner
        self.connection: asyncpg.Connection[Any] = runner.run(self._connected(url))

    async def _connected(self, url: str) -> asyncpg.Connection[Any]:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
        await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad')")
        await connection.execute(str(CreateTable(things).compile(dialect=self.dialect)))
        for row in ROWS:
            compiled: Any = things.insert().values(row).compile(dialect=self.dialect)
            processors = compiled._bind_processors
            arguments = [
                processors[name](compiled.params[name]) if name in processors else compiled.params[name]
                for name in compiled.positiontup
            ]
            await connection.execute(compiled.string, *arguments)
        return connection

    def run(self, text: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            return [row[0] for row in self.runner.run(self.connection.fetch(text, *arguments))]
        except asyncpg.PostgresError as error:
            raise database_error(error.sqlstate or "", error.message or "", details=error.detail) from error

    def script(self, text: str) -> None:
        """Runs statements."""
        self.runner.run(self.connection.execute(text))

    def close(self) -> None:
        self.runner.run(self.connection.close())


def refusal(sample: Sample, query_string: str) -> tuple[int, str, str]:
    """Status, code and message of the error that a filter is answered with."""
    try:
        found = sample.find(query_string)
    except ApiError as error:
        return error.status, error.code, error.message
    raise AssertionError(f"{query_string} found {found}")
