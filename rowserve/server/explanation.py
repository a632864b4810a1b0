"""Which statement a request would run, under which rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, Dialect, literal_column
from sqlalchemy.exc import CompileError
from sqlalchemy.sql import visitors
from starlette.types import Message, Receive, Scope, Send

from ..backends import backend_for
from ..claims import Claims
from ..context import USER, Context
from ..database import Database, known
from ..documentation import QUERY_PATH
from ..errors import ApiError
from ..hooks import written_hooks
from ..http import QUERY_KEY, Guarded, Handler, Limits, Rules
from ..http.guarded import ACTIONS
from ..http.responses import error_answer
from ..permissions import Rule, Where
from ..reflection import reflect
from ..resource import Resource
from ..sql.access import Access, Action, Granted, reader
from ..sql.claims import ClaimParameter
from ..sql.entity import Entity
from ..sql.plan import Node
from .application import Options, TargetError, front_of
from .front import FrontDoor
from .gateway import Gateway
from .recorder import Recorded, Recorder
from .routes import found_at, places, resource_of


class Asked:
    """A request that nobody has sent.

    Args:
        method: its method.
        url: the path, and the query string if there is one.
        user: who asks; None for nobody known.
        body: JSON, if there is a body.
    """

    def __init__(self, method: str, url: str, user: Claims | None, body: bytes) -> None:
        path, _, query = url.partition("?")
        self.user = user
        self.body = body
        self.scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"content-type", b"application/json")] if body else [],
            USER: user,
        }

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self.body, "more_body": False}

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path

    @property
    def action(self) -> Action:
        return ACTIONS.get(self.scope["method"], "select")

    @property
    def caller(self) -> str:
        return "nobody known" if self.user is None else to_json(dict(self.user), fallback=dict).decode()


async def explained(options: Options, asked: Asked) -> str:
    """What there is to say of a request.

    Raises:
        TargetError: the target cannot be served, or has no resource at the path; the message says what it has.
        ConnectionError: an existing database does not answer.
    """
    if options.is_database:
        return await of_database(options, asked)
    front = front_of(options)
    resource, key = resource_at(front.app, asked)
    recorder = recorder_of(resource)
    handler = resource.handler_on(recorder, None)
    lines = [f"{asked.path} is served by the resource of {handler.entity.name}."]
    if isinstance(handler, Guarded):
        rules, caller = handler.rules, Context(asked.scope)
        access = rules.access(caller)
        lines += rule_lines(rules, handler.entity, access, asked, recorder.dialect, caller)
        for entity in embedded_in(handler.handler(access), asked):
            lines += [
                "",
                f"Embedded: {entity.name}.",
                *rule_lines(rules, entity, access, asked, recorder.dialect, caller),
            ]
    else:
        lines.append("No rule: everybody may do everything with it.")
    hooks = written_hooks(resource)
    if hooks and asked.action != "select":
        lines.append(f"Hooks, which are not called here: {', '.join(hooks)}.")
    try:
        answer: Any = await handler(asked.scope, asked.receive, key)
    except Recorded as recorded:
        lines += statement_lines(recorded, recorder.dialect)
    else:
        lines += answer_lines(answer.status_code, answer.body)
    return "\n".join(lines)


async def of_database(options: Options, asked: Asked) -> str:
    """What there is to say of a request for an existing database, which has no rules."""
    schemas = options.schemas or ("public",)
    database = Database(options.target, search_path=(*schemas, *options.extra_search_path))
    check_there(database)
    async with database:
        backend = database.backend
        reflected = await reflect(backend, schemas)
        recorder = Recorder(backend.dialect, backend.settings)
        gateway = Gateway(reflected, recorder, Limits(), options.prefix, options.extra_search_path)
        front = FrontDoor(not_found, gateway.resources)
        front.gateway = gateway
        lines = [f"{asked.path} is served as it is in the database: its own rules hold, and no others."]
        told: list[Message] = []

        async def send(message: Message) -> None:
            told.append(message)

        try:
            await front(asked.scope, asked.receive, send)
        except Recorded as recorded:
            return "\n".join([*lines, *statement_lines(recorded, recorder.dialect)])
    status, body = told[0]["status"], b"".join(message.get("body", b"") for message in told)
    if status == 404:
        raise nothing_at(asked, sorted(gateway.resources), error=from_json(body))
    return "\n".join([*lines, *answer_lines(status, body)])


def check_there(database: Database) -> None:
    """Finds out whether SQLite would have to make the file; there is nothing to explain then."""
    path = database.url.database
    if database.url.get_backend_name() == "sqlite" and path and not Path(path).exists():
        raise TargetError(f"There is no file {path}")


def resource_at(app: Any, asked: Asked) -> tuple[Resource[Any], str | None]:
    """The resource that answers a request, and the key in its path.

    Raises:
        TargetError: there is none.
    """
    if not isinstance(app, FastAPI):
        raise TargetError(f"It is no FastAPI application, so nobody knows what it serves: it is {app!r}")
    found = found_at(app.routes, asked.scope)
    if found is None:
        raise nothing_at(asked, sorted(place.path for place in places(app)))
    route, scope = found
    resource = resource_of(route)
    if resource is None:
        raise TargetError(
            f"{asked.path} is no resource's, but a function of the application: what that asks of the database, "
            "rowserve serve --log-sql shows when it is called."
        )
    if (route.path or "").endswith(QUERY_PATH):
        return resource, QUERY_KEY
    return resource, next(iter(scope["path_params"].values()), None)


def nothing_at(asked: Asked, paths: Sequence[str], error: Mapping[str, Any] | None = None) -> TargetError:
    """What is said of a path at which there is nothing."""
    there = f"There are: {', '.join(paths)}." if paths else "There are none at all."
    hint = f" {error['hint']}" if error is not None and error["hint"] else ""
    return TargetError(f"No resource serves {asked.path}.{hint} {there}")


def recorder_of(resource: Resource[Any]) -> Recorder:
    """What stands in for the database of a resource, which need not be there.

    Raises:
        TargetError: it depends on which database is opened first.
    """
    databases = list(known) if resource._database is None else [resource._database]
    if len({database.url.get_backend_name() for database in databases}) > 1:
        raise TargetError(
            f"There are several databases, and Resource({resource._model.__name__}) does not say which is its own: "
            "give it database="
        )
    database = databases[0] if databases else Database()
    # Not opened, a SQLite database needs no file; one in memory would make a folder for it.
    is_sqlite = database.url.get_backend_name() == "sqlite"
    backend = backend_for(database.url.set(database="any.db") if is_sqlite else database.url, database.settings)
    return Recorder(backend.dialect, backend.settings)


def embedded_in(handler: Handler, asked: Asked) -> list[Entity]:
    """What the query string embeds, once each."""
    context = handler.context
    try:
        node = context.plan(context.parse(asked.scope["query_string"].decode()).query)
    except ApiError:
        return []  # the answer says what is wrong with it
    return list(dict.fromkeys(nodes.entity for nodes in below(node)))


def below(node: Node) -> Iterator[Node]:
    for embedded in node.embedded.values():
        yield embedded.node
        yield from below(embedded.node)


def rule_lines(
    rules: Rules, entity: Entity, access: Access, asked: Asked, dialect: Dialect, caller: Context
) -> list[str]:
    """The rule of a table, and what it comes to for who asks."""
    rule = rules.rules.get(entity.table)
    if rule is None:
        return ["No rule: everybody may do everything with it."]
    lines = [f"Rule: {rule!r}", f"For {asked.caller}:"]
    words = {True: "true", False: "false", None: "it cannot be told"}
    lines += [f"  {part!r}: {words[part.decide(caller)]}" for part in decided(rule)]
    for action in dict.fromkeys(("select", asked.action)):
        lines.append(f"  may {action} {granted_words(access.granted(entity.table, action), caller, dialect)}")
    return lines


def decided(rule: Rule) -> list[Rule]:
    """The parts of a rule that are true or not whatever the rows are."""
    return [part for part in dict.fromkeys(rule.parts()) if not isinstance(part, Where)]


def granted_words(granted: Granted, caller: Context, dialect: Dialect) -> str:
    """What is granted, with the values that who asks brings along."""
    if isinstance(granted, bool):
        return "every row" if granted else "no row"
    if granted is None:
        return "no row, as it cannot be told which"

    def known_value(part: Any, **_: Any) -> Any:
        if isinstance(part, ClaimParameter):
            return literal_column(sql_words(reader(part, dialect)(caller)))
        return None

    replace: Any = known_value
    condition: ColumnElement[bool] = visitors.replacement_traverse(granted, {}, replace)
    try:
        text = str(condition.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    except CompileError:  # of a type that has no literals
        text = str(condition.compile(dialect=dialect))
    return f"the rows where {' '.join(text.split())}"


def sql_words(value: Any) -> str:
    """A value as SQL would have it."""
    if value is None:
        return "NULL"
    if isinstance(value, tuple):
        return f"({', '.join(map(sql_words, value))})"
    return str(value) if isinstance(value, int | float) else f"'{value}'"


def statement_lines(recorded: Recorded, dialect: Dialect) -> list[str]:
    """A statement, and what is bound in it."""
    sign = "$" if dialect.name == "postgresql" else "?"
    lines = ["", recorded.statement.text, ""]
    lines += [f"{sign}{number} = {value!r}" for number, value in enumerate(recorded.arguments, 1)]
    if recorded.sets > 1 and recorded.statement.text.count(sign):
        lines.append(f"It writes {recorded.sets} rows.")
    return lines


def answer_lines(status: int, body: bytes) -> list[str]:
    """What is answered without a statement."""
    lines = ["", f"No statement: the answer is {status}."]
    if status >= 400:
        error = from_json(body)
        said = [f"{error['code']}: {error['message']}", error["details"], error["hint"]]
        lines[-1] = f"No statement: the answer is {status} {'. '.join(text for text in said if text)}"
    return lines


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """What is neither a table nor a function."""
    error = ApiError(404, "PGRST125", "Invalid path specified in request URL")
    await error_answer(error)(scope, receive, send)
