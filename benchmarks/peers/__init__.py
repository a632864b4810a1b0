"""The programs that are measured, each as people write it, and how each is started and asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..load import Request

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "rowserve-bench"
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}

LIST = Request("GET", "/users/?above=-%d")
GET = Request("GET", "/users/%d", spread=100)
INSERT_JSON = Request("POST", "/users/", '{"name": "new%d"}')
INSERT_QUERY = Request("POST", "/users/?name=new%d")


@dataclass(frozen=True, slots=True)
class Peer:
    """A program: how it is started, on which databases, and how its routes are asked.

    Args:
        command: the command line for a database URL and a port.
        driver: whether its ``$DATABASE_URL`` names SQLAlchemy's driver.
        rows: the key of the list in its answer; None where the answer is the list.
    """

    name: str
    command: Callable[[str, int], list[str]]
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    list_users: Request = LIST
    get_user: Request = GET
    add_user: Request = INSERT_JSON
    health: str = "/health"
    driver: bool = True
    rows: str | None = None

    def environment(self, url: str) -> dict[str, str]:
        """The environment that tells it its database: ``$DATABASE_URL``, and libpq's variables for PostgreSQL."""
        parts = urlsplit(url)
        if self.driver:
            url = url.replace(parts.scheme, DRIVERS[parts.scheme], 1)
        if parts.scheme == "sqlite":
            return {"DATABASE_URL": url}
        (host,) = parse_qs(parts.query)["host"]
        return {"DATABASE_URL": url, "PGHOST": host, "PGUSER": parts.username or "", "PGDATABASE": parts.path[1:]}


def rowserve(*target: str) -> Callable[[str, int], list[str]]:
    """The command of ``rowserve serve``, with the app to serve or none."""
    program = str(Path(sys.executable).parent / "rowserve")
    return lambda url, port: [program, "serve", *target, "--database", url, "--port", str(port)]


def uvicorn(module: str) -> Callable[[str, int], list[str]]:
    """The command of one uvicorn process, with uvloop and httptools and no access log."""
    fast = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    app = f"benchmarks.peers.{module}:app"
    return lambda url, port: [sys.executable, "-m", "uvicorn", app, *fast, "--port", str(port)]


def granian(module: str) -> Callable[[str, int], list[str]]:
    """The command of one Granian worker, with the options that ``rowserve serve`` gives it."""
    options = ["--interface", "asgi", "--loop", "uvloop", "--workers", "1", "--no-ws", "--log-level", "warning"]
    app = f"benchmarks.peers.{module}:app"
    return lambda url, port: [sys.executable, "-m", "granian", app, *options, "--port", str(port)]


@cache
def node_folder() -> Path:
    """The Node program in a folder of its own outside the repository, with its packages installed."""
    folder = CACHE / "node"
    shutil.copytree(HERE / "node", folder, dirs_exist_ok=True)
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", *quiet], cwd=folder, check=True, stdout=sys.stderr, timeout=300)
    return folder


def node(url: str, port: int) -> list[str]:
    """The command of the Node program: one process."""
    return ["node", str(node_folder() / "server.mjs"), str(port)]


ROWSERVE = Peer(
    "rowserve",
    rowserve(),
    list_users=Request("GET", "/users/?id=gt.-%d"),
    health="/_rowserve/health",
    driver=False,
)
LESSON = Peer("lesson", uvicorn("lesson"), add_user=INSERT_QUERY)
PEERS = (
    ROWSERVE,
    LESSON,
    Peer("tuned", uvicorn("tuned")),
    Peer(
        "fastcrud",
        uvicorn("fastcrud_app"),
        list_users=Request("GET", "/users?id__gt=-%d"),
        add_user=Request("POST", "/users", INSERT_JSON.body),
        rows="data",
    ),
    Peer("handwritten", granian("handwritten"), databases=("postgresql",), driver=False),
    Peer("node", node, databases=("postgresql",), driver=False),
)
