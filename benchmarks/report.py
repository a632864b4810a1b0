"""The report: docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable

from .machine import describe
from .tables import Settings, Table

HOW_TO_READ = """\
## How to read it

Every figure was measured from outside, by wrk on the same machine, against one server process (Granian and
`rowserve serve` add a parent that does not answer requests). Rates are the median of {rounds} rounds of {seconds} s after a
second of warm-up, the peers taking turns; `range` is the slowest and the fastest round. Server, database and load share the
machine's cores, so the ratios say more than the rates, and a ratio inside the ranges says nothing.

Equal for all: the rows (100 users, a new database for every turn), the table and its indexes, PostgreSQL's default
settings over its unix socket, SQLite's and PostgreSQL's durability (never switched off), no SQL echo, no access log, a
different filter value in every list request, which every program applies.

Not equal, because these are the programs as people write them: the answers' layouts (FastCRUD wraps its list in an
object with a count), pools (the lesson and FastCRUD have SQLAlchemy's five and ten in overflow; tuned, hand-written and
Node have ten), SQLite's journal (the lesson and FastCRUD leave it as it is; tuned and rowserve set WAL), the HTTP server
(uvicorn with uvloop and httptools for the lesson, tuned and FastCRUD; Granian for hand-written and rowserve; Node's own),
and what is left out: the hand-written and Node programs know one table, check little and bound nothing.
"""


def document(tables: Iterable[Table], settings: Settings, command: str) -> str:
    """The tables with the machine, the versions and how to read them, as Markdown."""
    machine = "\n".join(f"- {name}: {value}" for name, value in describe(settings.databases))
    commands = "\n".join(
        f"- {peer.name}: `{' '.join(_relative(part) for part in peer.command('$DATABASE_URL', 8000))}`"
        for peer in settings.peers
    )
    parts = [
        "# Benchmarks",
        f"Written by `{command}`.",
        machine,
        "## Figures",
        *(table.markdown() for table in tables),
        HOW_TO_READ.format(rounds=settings.rounds, seconds=settings.seconds),
        "## The commands",
        commands,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _relative(part: str) -> str:
    return part.rpartition("/")[2] if part.startswith("/") else part
