"""The report: docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable

from .machine import describe
from .tables import Settings, Table

HOW_TO_READ = """\
## How to read it

Every figure was measured from outside, on the same machine, against one server process (Granian and `rowserve serve`
add a parent that answers no requests). Rates are the median of {rounds} rounds of {seconds} s, each after a second of
warm-up. All the servers are up, and the peers take turns, so that what else the machine does falls on all of them;
`range` is the slowest and the fastest round. Server, database and load share the machine's cores, so that ratios say
more than rates, and a ratio whose range spans 1 says nothing. `MB` is the resident memory of all the server's
processes after its loads, without PostgreSQL's.

Equal for all: the rows (100 users, a new database for each program), the table and its indexes, PostgreSQL's default
settings and its unix socket, durability (a commit waits for the disk on both databases), no SQL echo, no access log,
and a different filter value in every list request, which every program applies.

Not equal, because people write them so:

- the answer: FastCRUD wraps its list in an object and counts the rows too;
- the pool: the lesson and FastCRUD have SQLAlchemy's five connections and ten in overflow, hand-written and Node ten,
  tuned ten to read and ten to write, rowserve its own;
- SQLite's journal: the lesson and FastCRUD leave it as it is, tuned and rowserve set WAL;
- the HTTP server: uvicorn with uvloop and httptools for the lesson, tuned and FastCRUD, Granian for hand-written and
  rowserve, Node's own;
- what is left out: hand-written and Node know one table, check little and bound nothing.
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
