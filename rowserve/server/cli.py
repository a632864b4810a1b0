"""The command line."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
from errno import EADDRINUSE
from pathlib import Path
from typing import Literal

import click
from click.core import ParameterSource

from ..database import known
from .application import Options, TargetError, application

SHUTDOWN_TIMEOUT = 4
"""Seconds for what is in flight, once the server is told to stop."""


@click.group()
@click.version_option(package_name="rowserve")
def main() -> None:
    """Async database queries in FastAPI that stay fast when everyone arrives at once."""


@main.command()
@click.argument("target", required=False)
@click.option("--database", metavar="URL", envvar="DATABASE_URL", show_envvar=True, help="Default: sqlite:///./app.db")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes that serve.")
@click.option("--reload", is_flag=True, help="Start again when a file changes, while developing.")
@click.option("--log-sql", is_flag=True, help="Log each statement.")
@click.option("--prefix", default="", metavar="PATH", help="A path before all resources, such as /rest/v1.")
@click.option("--max-rows", type=click.IntRange(1), metavar="N", help="The most rows of a list. Default: 1000")
@click.option(
    "--default-return",
    type=click.Choice(["representation", "minimal"]),
    default="representation",
    show_default=True,
    help="What a write answers that does not say.",
)
def serve(
    target: str | None,
    database: str | None,
    host: str,
    port: int,
    workers: int,
    reload: bool,
    log_sql: bool,
    prefix: str,
    max_rows: int | None,
    default_return: Literal["representation", "minimal"],
) -> None:
    """Serve a database over HTTP, with docs at /docs.

    TARGET is an application (module:app) or a file of SQLAlchemy models (models.py). Without one, the users app is
    served.
    """
    if database:
        os.environ["DATABASE_URL"] = database
    if log_sql:
        os.environ["ROWSERVE_LOG_SQL"] = "1"
    if target and not target.endswith(".py"):
        for name in ("prefix", "max_rows", "default_return"):
            if click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.replace('_', '-')} is for models: {target} has routes of its own.")
    options = Options(target, "/" + prefix.strip("/") if prefix.strip("/") else "", max_rows, default_return)
    try:
        check_address(host, port)
        asyncio.run(check(options))
    except (TargetError, ConnectionError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    options.save()
    run(host, port, workers, reload)


def check_address(host: str, port: int) -> None:
    """Finds out whether the address can be listened on.

    Raises:
        TargetError: it cannot.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        advice = "Choose another --host or --port."
        if error.errno == EADDRINUSE:
            advice = "Stop what listens there, or choose another --port."
        raise TargetError(f"Cannot listen on {host}:{port}: {error.strerror}. {advice}") from None


async def check(options: Options) -> None:
    """Finds out before anything is served what cannot work: the target, or the URL of the database."""
    front = application(options)
    for database in list(known):
        async with database:
            pass
    assert front is not None  # it holds on to its databases until here


def run(host: str, port: int, workers: int, reload: bool) -> None:
    """Serves until it is told to stop."""
    if reload:
        # A forked worker would have its code from here, where it was imported before it changed.
        multiprocessing.set_start_method("spawn")
    from granian import Granian
    from granian.constants import Interfaces, Loops, RuntimeModes
    from granian.log import LogLevels
    from watchfiles import PythonFilter

    server = Granian(
        "rowserve.server.worker:create",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.auto,
        runtime_mode=RuntimeModes.mt,
        workers=workers,
        reload=reload,
        reload_paths=[Path.cwd()] if reload else None,
        reload_filter=PythonFilter,
        workers_kill_timeout=SHUTDOWN_TIMEOUT,
        log_level=LogLevels.warning,
    )
    click.echo(f"Serving on http://{host}:{port}, docs at http://{host}:{port}/docs")
    server.serve()
