"""``rowserve explain``: which rule governs a request, and what statement it becomes. The statement is not run."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import click
from pydantic_core import from_json
from sqlalchemy import Table
from starlette.types import Message, Scope

from ..backends import backend_for
from ..backends.recording import Recorder
from ..claims import Claims
from ..context import USER, Context
from ..database import Database, known
from ..errors import ApiError
from ..http import QUERY_KEY, Guarded, Limits
from ..http.guarded import ACTIONS
from ..reflection import reflect
from ..resource import Resource
from ..served import label, served
from ..sql.access import Action, Granted
from ..sql.claims import spelled
from ..sql.entity import mapped_table
from ..sql.similarity import closest
from .application import Options, TargetError, application
from .front import FrontDoor
from .gateway import Gateway

VERBS = ("GET", "POST", "PATCH", "PUT", "DELETE")


@click.command()
@click.argument("places", metavar="[TARGET] PATH", nargs=-1, required=True)
@click.option("--as", "user", metavar="JSON", help='Who asks, such as {"id": 7}: ctx.user. Default: nobody known.')
@click.option("--method", default="GET", show_default=True, type=click.Choice(VERBS, case_sensitive=False))
@click.option("--data", metavar="JSON", help="The body of the request.")
@click.option("--database", metavar="URL", envvar="DATABASE_URL", show_envvar=True, help="Default: sqlite:///./app.db")
@click.option(
    "--schema", "schemas", multiple=True, metavar="NAME", help="A schema of the database; the first is the default."
)
def explain(
    places: tuple[str, ...], user: str | None, method: str, data: str | None, database: str | None, schemas: Any
) -> None:
    """Say which rule governs a request, and what SQL it becomes, for somebody.

    TARGET is what rowserve serve takes: module:app, models.py, or the URL of a database. PATH is that of the request,
    such as '/posts?select=title'. The SQL is not run: an application is imported, but not started, and only an
    existing database is opened, to be read what is in it.
    """
    *target, path = places
    if len(target) > 1 or not path.startswith("/"):
        raise click.UsageError("Name a path, such as '/users?id=eq.1', and before it what is served, such as app:app.")
    if database:
        os.environ["DATABASE_URL"] = database
    options = Options(target[0] if target else None, schemas=schemas)
    scope = scope_of(method.upper(), path, caller_of(user))
    try:
        lines = asyncio.run(explained(options, scope, (data or "").encode()))
    except (TargetError, ConnectionError, ValueError, ApiError) as error:
        raise click.ClickException(str(error)) from None
    click.echo("\n".join(lines))


def caller_of(text: str | None) -> Claims | None:
    """Who asks, by their claims as JSON."""
    if text is None:
        return None
    try:
        claims = from_json(text)
        if not isinstance(claims, dict):
            raise ValueError("it is not an object")
    except ValueError as error:
        raise click.UsageError(f'--as is a JSON object, such as {{"id": 7}}: {error}') from None
    return Claims(claims)


def scope_of(method: str, path: str, user: Claims | None) -> Scope:
    """The ASGI scope of a request."""
    bare, _, query = path.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": unquote(bare),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"content-type", b"application/json")],
        USER: user,
    }


async def explained(options: Options, scope: Scope, body: bytes) -> list[str]:
    """What there is to say of a request."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    answered = Answered()
    if options.is_database:
        schemas = options.schemas or ("public",)
        async with Database(options.target, search_path=schemas) as database:
            recorder = Recorder(database.backend)
            gateway = Gateway(await reflect(database.backend, schemas), recorder, Limits(), "")
            front = FrontDoor(answered.missing, gateway.resources)
            front.gateway = gateway
            await front(scope, receive, answered)
        return [*said_of_rules(None, scope, []), *outcome(recorder, answered)]
    app = application(options)
    resource, key = resource_at(scope["path"])
    recorder = recorder_for(resource)
    handler = resource.handler_for(recorder)
    tables = [mapped_table(resource._model)]
    answer = await handler(scope, receive, key)
    await answer(scope, receive, answered)
    if isinstance(handler, Guarded):
        texts = " ".join(asked.text for asked in recorder.asked)
        tables += [table for table in handler.rules.rules if table not in tables and named_in(table, texts)]
    assert app is not None  # it holds on to its resources until here
    lines = [f"Resource   {label(resource)}, {resource.prefix}, of the table {tables[0].name}"]
    rules = handler if isinstance(handler, Guarded) else None
    return [*lines, *said_of_rules(rules, scope, tables), *outcome(recorder, answered)]


def named_in(table: Table, text: str) -> bool:
    """Whether a statement has a table in it."""
    return table.name in text.replace('"', " ").replace(".", " ").replace("(", " ").replace(")", " ").split()


class Answered:
    """Keeps an answer: an ASGI channel."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""

    async def __call__(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    async def missing(self, *_: object) -> None:
        self.status = 404


def resource_at(path: str) -> tuple[Resource[Any], str | None]:
    """The resource that is served at a path, and the key of the row. An application may have put something in front of
    the resource's own path.

    Raises:
        TargetError: there is none; the message says which there are.
    """
    bare = path.removesuffix("/")
    before, _, key = bare.rpartition("/")
    resources = sorted(served(None), key=lambda resource: -len(resource.prefix))
    for exactly in (True, False):
        for place, found in ((bare, None), (before, key)):
            for resource in resources:
                if place == resource.prefix or (not exactly and place.endswith(resource.prefix)):
                    return resource, found
    prefixes = sorted({resource.prefix for resource in resources})
    if not prefixes:
        raise TargetError("Nothing is served: the application has no Resource")
    close = closest(path, prefixes, least=0.5)
    meant = f" Did you mean {close}?" if close else ""
    raise TargetError(f"No resource serves {path}. There are {', '.join(prefixes)}.{meant}")


def recorder_for(resource: Resource[Any]) -> Recorder:
    """What stands for the resource's database, which need not be opened.

    Raises:
        TargetError: there are several, and it is not known which it is.
    """
    databases = [resource._database] if resource._database is not None else list(known)
    if len({database.url.get_backend_name() for database in databases}) > 1:
        raise TargetError(
            f"There are several databases, and {resource.prefix} has the one that is opened first. Say which, by "
            "database=, to have it explained"
        )
    if not databases:
        raise TargetError("There is no Database: make one in the application, db = Database()")
    return Recorder(backend_for(databases[0].url, databases[0].settings))


def said_of_rules(guarded: Guarded | None, scope: Scope, tables: list[Table]) -> Iterator[str]:
    """The rules of some tables, in words, and what they come to for who asks."""
    user = scope[USER]
    yield f"For        {'nobody known' if user is None else json.dumps(dict(user), default=list)}"
    if guarded is None:
        yield "Rule       none: who is let in may do everything"
        return
    context = Context(scope)
    access = guarded.rules.access(context)
    is_query = scope["path"].endswith(f"/{QUERY_KEY}")
    action = "select" if is_query else ACTIONS.get(scope["method"], "select")
    for table in tables:
        rule = guarded.rules.rules.get(table)
        yield f"Rule       {table.name}: {'none' if rule is None else repr(rule)}"
        # What is written is read too, to be answered with; what is embedded is only read.
        actions: dict[Action, None] = dict.fromkeys([action, "select"] if table is tables[0] else ["select"])
        for each in actions:
            yield f"           {each}: {said_of(access.granted(table, each), context)}"


def said_of(granted: Granted, context: Context) -> str:
    """What is granted, in words."""
    if granted is None:
        return "no rows, for it is not known who asks or what the rule wants to know"
    if isinstance(granted, bool):
        return "all rows" if granted else "no rows"
    return f"rows where {spelled(granted, context)}"


def outcome(recorder: Recorder, answered: Answered) -> Iterator[str]:
    """The statement with its values; or why there is none."""
    for asked in recorder.asked:
        yield f"SQL        {asked.text}"
        for number, arguments in enumerate(asked.sets):
            row = "" if len(asked.sets) == 1 else f" of row {number + 1}"
            shown = ", ".join(f"{place} = {value!r}" for place, value in enumerate(arguments, 1))
            yield f"Values{row}     {shown or 'none'}"
    if not recorder.asked:
        said = answered.body.decode() or "no body"
        yield f"Answer     {answered.status}, and no statement is run: {said}"
