"""The command line."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from errno import EADDRINUSE
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ..database import known
from .application import Options, TargetError, application, normal_prefix
from .credentials import Credentials
from .explain import explain as explain
from .explain import json_object
from .front import FrontDoor
from .routes import Place, places

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
@click.option("--reload", is_flag=True, help="While developing: start again when a file changes, with guard rails.")
@click.option("--log-sql", is_flag=True, help="Log each statement.")
@click.option("--prefix", default="", metavar="PATH", help="A path before all resources, such as /rest/v1.")
@click.option(
    "--schema", "schemas", multiple=True, metavar="NAME", help="A schema of the database; the first is the default."
)
@click.option("--extra-search-path", multiple=True, metavar="NAME", help="A schema that functions may leave unsaid.")
@click.option(
    "--cors-origin", "cors_origins", multiple=True, metavar="ORIGIN", help="Whose pages may use it; * for all."
)
@click.option(
    "--jwt-secret", metavar="KEY", envvar="ROWSERVE_JWT_SECRET", show_envvar=True, help="What JWTs are signed with."
)
@click.option("--jwks-url", metavar="URL", help="Where the public keys are that JWTs are signed with.")
@click.option("--jwt-audience", metavar="NAME", help="Whom JWTs have to be for.")
@click.option("--jwt-issuer", metavar="NAME", help="Whom JWTs have to be from.")
@click.option("--tokens", metavar="FILE", help="Tokens that rowserve token has made.")
@click.option("--allow-anonymous", is_flag=True, help="Who has no token may use it too.")
@click.option("--anonymous-role", metavar="ROLE", help="The PostgreSQL role of who has no token, or none in it.")
@click.option("--role-claim", metavar="NAME", help="The claim that says the PostgreSQL role. Default: role")
@click.option("--max-rows", type=click.IntRange(1), metavar="N", help="The most rows of a list. Default: 1000")
@click.option("--max-embed-depth", type=click.IntRange(0), metavar="N", help="How deep resources nest. Default: 8")
@click.option(
    "--default-return",
    type=click.Choice(["representation", "minimal"]),
    help="What a write answers that does not say. Default: representation",
)
@click.option(
    "--default-order/--no-default-order", "ordered", default=None, help="Lists are in the primary key's order."
)
@click.option(
    "--aggregates/--no-aggregates", default=None, help="Whether select may count, sum and so on. Default: yes"
)
@click.option("--allow-unfiltered-writes", is_flag=True, default=None, help="PATCH and DELETE may do without a filter.")
@click.option("--tx-override", is_flag=True, default=None, help="Prefer: tx=rollback has a write undone.")
@click.option("--explain", is_flag=True, default=None, help="Plans are answered, where Accept asks for them.")
@click.option("--server-timing", is_flag=True, default=None, help="Answers say where the time went.")
def serve(
    target: str | None,
    database: str | None,
    host: str,
    port: int,
    workers: int,
    reload: bool,
    log_sql: bool,
    prefix: str,
    schemas: tuple[str, ...],
    extra_search_path: tuple[str, ...],
    cors_origins: tuple[str, ...],
    jwt_secret: str | None,
    jwks_url: str | None,
    jwt_audience: str | None,
    jwt_issuer: str | None,
    tokens: str | None,
    allow_anonymous: bool,
    anonymous_role: str | None,
    role_claim: str | None,
    **limits: Any,
) -> None:
    """Serve a database over HTTP, with docs at /docs.

    TARGET is an application (module:app), a file of SQLAlchemy models (models.py), or the URL of an existing database
    (sqlite:///shop.db, postgresql://user@host/shop). Without one, the users app is served.
    """
    if database:
        os.environ["DATABASE_URL"] = database
    if log_sql:
        os.environ["ROWSERVE_LOG_SQL"] = "1"
    given = {name: value for name, value in limits.items() if value is not None}
    # What somebody unknown may do, the database says then.
    allowed = allow_anonymous or anonymous_role is not None
    credentials = Credentials(jwt_secret, jwks_url, jwt_audience, jwt_issuer, tokens, allowed)
    said = {"anonymous": anonymous_role, "claim": role_claim}
    roles = {name: value for name, value in said.items() if value is not None}
    options = Options(
        target, normal_prefix(prefix), schemas, extra_search_path, cors_origins, given, credentials, roles, reload
    )
    if not options.is_database:
        named = {"schema": schemas, "extra-search-path": extra_search_path}
        acting = {"anonymous-role": anonymous_role, "role-claim": role_claim}
        refuse(target or "the users app", {**named, **acting}, "an existing database")
    if target and not options.makes_resources:
        shown = {name: value for name, value in asdict(credentials).items() if value}
        if click.get_current_context().get_parameter_source("jwt_secret") is ParameterSource.ENVIRONMENT:
            shown.pop("jwt_secret", None)  # the application reads it itself
        unused = {"prefix": prefix, "cors-origin": cors_origins, **shown, **given}
        refuse(target, unused, "what rowserve makes resources for")
    try:
        check_address(host, port)
        check_credentials(options, host)
        unguarded = asyncio.run(check(options))
    except (TargetError, ConnectionError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if unguarded and not is_loopback(host):
        click.echo(warning(unguarded, host), err=True)
    options.save()
    run(host, port, workers, reload)


@main.command()
@click.argument("name")
@click.option("--claims", default="{}", metavar="JSON", help='What else is said of it, such as {"role": "editor"}.')
@click.option("--file", default="tokens.json", show_default=True, type=Path, help="Where its hash is added.")
def token(name: str, claims: str, file: Path) -> None:
    """Make a token, for rowserve serve --tokens.

    NAME is whom it stands for: its claim sub. It is printed once; the file has nothing but its hash.
    """
    from ..identity import tokens as token_files  # with cryptography, for this command alone

    more = json_object("--claims", claims, '{"role": "editor"}')
    try:
        made = token_files.add(file, {"sub": name, **more})
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Its hash is in {file}. This is the token, which will not be shown again:", err=True)
    click.echo(made)


main.add_command(explain)


def refuse(target: str, options: Mapping[str, object], what: str) -> None:
    """Refuses options that the target has no use for."""
    for name, value in options.items():
        if value or value is False:
            raise click.UsageError(f"--{name.replace('_', '-')} is for {what}, not for {target}.")


def check_credentials(options: Options, host: str) -> None:
    """Finds out whether what is served is open to more people than was said.

    Raises:
        TargetError: it is.
        UsageError: options are missing; the message says which.
    """
    credentials = options.credentials
    if not options.makes_resources:
        return
    jwts = credentials.jwt_secret or credentials.jwks_url
    if (credentials.jwt_audience or credentials.jwt_issuer) and not jwts:
        raise click.UsageError("--jwt-audience and --jwt-issuer go with --jwt-secret or --jwks-url.")
    if not (jwts or credentials.tokens or credentials.allow_anonymous or is_loopback(host)):
        raise TargetError(
            f"Whoever reaches {host} could read and change everything. Say who may, with --jwt-secret, --jwks-url or "
            "--tokens; or --allow-anonymous, if everybody is meant."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; one that is none is refused later."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return True
    return all(ip_address(address[0]).is_loopback for *_, address in found)


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


async def check(options: Options) -> list[Place]:
    """Finds out before anything is served what cannot work: the target, or the URL of the database; and which of an
    application's resources are under no rule and behind no dependency."""
    front = application(options)
    for database in list(known):
        async with database:
            pass
    # What rowserve makes resources for is seen to by check_credentials.
    return [place for place in places(front.app) if not place.is_guarded] if isinstance(front, FrontDoor) else []


def warning(unguarded: Sequence[Place], host: str) -> str:
    """What is said of resources that are open to everybody."""
    shown = ", ".join(f"{place.path} ({place.resource._model.__name__})" for place in unguarded)
    return (
        f"Warning: whoever reaches {host} can read and change everything at {shown}: no permissions, no user and no "
        "dependencies. Say who may, with permissions=; it is AllowAny(), if everybody is meant."
    )


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
