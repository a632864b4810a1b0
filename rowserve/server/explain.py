"""``rowserve explain``: which statement a request would run, under which rule, for whom."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import click
from pydantic_core import from_json

from ..claims import Claims
from .application import Options, TargetError, normal_prefix
from .explanation import Asked, explained


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[TARGET] PATH")
@click.option("--as", "user", metavar="JSON", help='Who asks, as ctx.user: {"id": 7}. Default: nobody known')
@click.option(
    "--method",
    default="GET",
    show_default=True,
    type=click.Choice(["GET", "POST", "PATCH", "PUT", "DELETE"], case_sensitive=False),
)
@click.option("--data", metavar="JSON", help="The body of a request that writes.")
@click.option("--database", metavar="URL", envvar="DATABASE_URL", show_envvar=True, help="Default: sqlite:///./app.db")
@click.option("--prefix", default="", metavar="PATH", help="A path before all resources, such as /rest/v1.")
@click.option("--schema", "schemas", multiple=True, metavar="NAME", help="A schema of an existing database.")
def explain(
    words: tuple[str, ...],
    user: str | None,
    method: str,
    data: str | None,
    database: str | None,
    prefix: str,
    schemas: tuple[str, ...],
) -> None:
    """Show which rule governs a request, and the SQL that it becomes.

    TARGET is what rowserve serve takes; PATH has the query string with it: '/posts?select=title'. The statement is not
    run, and no hook is called.
    """
    target, path = target_and_path(words)
    if database:
        os.environ["DATABASE_URL"] = database
    claims = None if user is None else Claims(json_object("--as", user, '{"id": 7}'))
    asked = Asked(method.upper(), path, claims, (data or "").encode())
    options = Options(target, normal_prefix(prefix), schemas)
    try:
        click.echo(asyncio.run(explained(options, asked)))
    except (TargetError, ConnectionError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def target_and_path(words: tuple[str, ...]) -> tuple[str | None, str]:
    """The target, if there is one, and the path.

    Raises:
        UsageError: they are not that.
    """
    *before, path = words
    if len(before) > 1 or not path.startswith("/"):
        raise click.UsageError("Which path? Write rowserve explain app:app '/posts?select=title'.")
    return (before[0] if before else None), path


def json_object(option: str, text: str, example: str) -> dict[str, Any]:
    """The object that an option is given.

    Raises:
        UsageError: it is none.
    """
    try:
        value = from_json(text)
        if not isinstance(value, dict):
            raise ValueError("it is none")
    except ValueError as error:
        raise click.UsageError(f"{option} takes a JSON object, such as {example}: {error}") from None
    return value
