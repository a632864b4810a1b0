"""POST, PATCH, PUT and DELETE: a 2xx means that it is committed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote

from pydantic_core import from_json

from ..backends import Returned
from ..errors import ApiError
from ..query import (
    Column,
    Comparison,
    Field,
    Modifiers,
    Parsed,
    Preferences,
    Query,
    SelectItem,
    Star,
    unparse,
)
from ..rows import Body
from ..slices import Rows, rows_of_json
from ..sql.conditions import not_supported
from ..sql.entity import Entity
from ..sql.wire import json_text
from ..sql.write import Change, compile_delete, compile_insert, compile_update
from .bodies import read_body
from .context import Context, not_singular
from .reads import Reads
from .request import Request
from .responses import Answer, Headers, StreamedAnswer, add_applied, content_type

Compile: TypeAlias = Callable[[bool], Change]

NOT_COLUMNS = frozenset({"select", "columns", "on_conflict", "order", "limit", "offset", "and", "or"})
"""Parameters of a query string that mean something else than a column's value."""

UNPATHLIKE = re.compile(r"^\.{0,2}$|[/,]")
"""A key that cannot be a segment of a path, or that could not be told from two."""


class Writes:
    """Answers what writes."""

    def __init__(self, context: Context, reads: Reads) -> None:
        self.context = context
        self.reads = reads
        self.key: tuple[SelectItem, ...] = tuple(Column(Field(item.name)) for item in context.entity.primary_key)

    async def insert(self, request: Request) -> Answer:
        context = self.context
        refuse_unsupported(request.preferences)
        singular = request.singular()
        parsed, given = await self.rows(request)
        many = given.is_array
        return_ = request.preferences.return_
        if return_ is None and context.limits.default_return == "minimal":
            return_ = "minimal"
        returned = Returned([], 0)
        if given.first:
            names = tuple(given.first[0])
            if return_ == "headers-only":
                parsed = parsed._replace(query=replace(parsed.query, select=self.key))
            returning = return_ != "minimal"
            change = context.shapes.get_or_make(
                ("insert", names, parsed.query, returning),
                lambda: compile_insert(context.plan(parsed.query), names, returning=returning),
            )
            returned = await self.run(request, change, given, parsed, singular=singular is not None)
        headers: Headers = []
        if request.preferences.return_ is not None:
            add_applied(headers, request.preferences, "return", "count")
            total = str(returned.touched) if request.preferences.count == "exact" else "*"
            headers.append((b"content-range", f"*/{total}".encode()))
        texts = [row[0] for row in returned.rows if row[0] is not None]
        if return_ == "headers-only" and len(texts) == 1:
            headers += self.location(request, parsed, texts[0], as_filter=True)
        if return_ in ("minimal", "headers-only"):
            return Answer(201, headers)
        headers.append(content_type(singular))
        if len(texts) == 1 and not many:
            headers += self.location(request, parsed, texts[0], as_filter=False)
        single = singular is not None or (return_ is None and not many and len(texts) == 1)
        return Answer(201, headers, self.finish(parsed.query, joined(texts, single=single)))

    async def rows(self, request: Request) -> tuple[Parsed, Rows]:
        """The query of an insert, and its rows: from the body, or, where there is none, from the query string as in
        ``POST /users/?name=Ada``."""
        context = self.context
        body = await read_body(request.receive, request.headers, context.limits.max_body)
        if not body and request.query_string:
            columns = [pair for pair in fields(request.query_string) if pair[0] not in NOT_COLUMNS]
            if columns:
                return context.parse(""), Rows([context.schemas.inserts.from_strings(columns)], False)
        parsed = context.parse(request.query_string)
        if parsed.query.columns is not None or parsed.query.on_conflict is not None:
            raise not_supported("columns= and on_conflict=")
        if is_form(request.headers, body):
            form = fields(body.decode("utf-8", "surrogateescape"))
            return parsed, Rows([context.schemas.inserts.from_strings(form)], False)
        return parsed, rows_of_json(context.schemas.inserts, body)

    async def update(self, request: Request) -> Answer | StreamedAnswer:
        context = self.context
        row = await self.changes(request)
        parsed = self.target(request, "UPDATE")
        if not row:
            return await self.unchanged(request, parsed)

        def compile_(returning: bool) -> Change:
            return compile_update(context.plan(parsed.query), names, returning=returning)

        names = tuple(row)
        return await self.change(request, parsed, row, ("update", names), compile_)

    async def replace(self, request: Request) -> Answer:
        context = self.context
        row = await self.changes(request)
        self.check_key(request, row)
        parsed = self.target(request, "UPDATE")
        names = tuple(row)

        def compile_(returning: bool) -> Change:
            return compile_update(context.plan(parsed.query), names, returning=returning, replacing=True)

        return await self.change(request, parsed, row, ("replace", names), compile_)

    async def delete(self, request: Request) -> Answer:
        context = self.context
        parsed = self.target(request, "DELETE")

        def compile_(returning: bool) -> Change:
            return compile_delete(context.plan(parsed.query), returning=returning)

        return await self.change(request, parsed, {}, ("delete",), compile_)

    async def change(
        self, request: Request, parsed: Parsed, row: dict[str, Any], kind: tuple[object, ...], compile_: Compile
    ) -> Answer:
        """Runs a change and answers with the rows as they are then, or with nothing but that it is done."""
        refuse_unsupported(request.preferences)
        singular = request.singular() is not None
        returning = self.wants_rows(request)
        change = self.context.shapes.get_or_make((*kind, parsed.query, returning), lambda: compile_(returning))
        returned = await self.run(request, change, Rows([row], False), parsed, singular=singular)
        return self.changed(request, parsed, returned)

    async def run(self, request: Request, change: Change, rows: Rows, parsed: Parsed, *, singular: bool) -> Returned:
        context = self.context
        write = change.write(rows.first, parsed.values, later=rows.later)
        if singular:
            write = replace(write, check=check_singular)
        returned: Returned = await request.outcome(context.backend.write(write, context.timeout))
        return returned

    async def changes(self, request: Request) -> dict[str, Any]:
        """The body of a PATCH or PUT: an object, or an array of just one."""
        body = await read_body(request.receive, request.headers, self.context.limits.max_body)
        rows, _ = self.context.schemas.updates.one_or_many(body)
        if len(rows) != 1:
            raise ApiError(
                400, "PGRST102", "Empty or invalid json", details=f"The body holds {len(rows)} objects, not one."
            )
        return rows[0]

    def target(self, request: Request, verb: str) -> Parsed:
        """The query that says which rows are to be changed; without any filter, the request is refused."""
        parsed = self.context.parse_request(request)
        if not parsed.query.modifiers.where and not self.context.limits.allow_unfiltered_writes:
            raise ApiError(
                400,
                "21000",
                f"{verb} requires a WHERE clause",
                hint="Name the rows with a filter, such as ?id=eq.1.",
            )
        return parsed

    def check_key(self, request: Request, row: dict[str, Any]) -> None:
        """A row that is replaced keeps its key."""
        for item, text in zip(self.context.entity.primary_key, request.key or (), strict=True):
            if item.name in row:
                given = row[item.name] if item.wire.bind is None else item.wire.bind(row[item.name])
                if given != item.wire.parse(text):
                    raise ApiError(
                        400,
                        "PGRST115",
                        "Payload values do not match URL in primary key column(s)",
                        details=f"The path says that {item.name} is {text}.",
                    )

    def wants_rows(self, request: Request) -> bool:
        """Whether a change is answered with the rows: if asked for, and for a row of its own unless asked not to."""
        return_ = request.preferences.return_
        if return_ is not None:
            return return_ == "representation"
        if request.singular() is not None:
            return True
        is_item = request.key is not None and request.method != "DELETE"
        return is_item and self.context.limits.default_return == "representation"

    async def unchanged(self, request: Request, parsed: Parsed) -> Answer | StreamedAnswer:
        """PATCH with ``{}``: there is nothing to set, so nothing is written."""
        if request.key is not None:
            return await self.reads.get(request)
        if request.singular() is not None:
            raise not_singular(0)
        return self.changed(request, parsed, Returned([], 0))

    def changed(self, request: Request, parsed: Parsed, returned: Returned) -> Answer:
        preferences = request.preferences
        if request.key is not None and not returned.touched:
            raise self.context.not_found(request)
        headers: Headers = []
        add_applied(headers, preferences, "return", "count")
        if request.key is None:
            span = f"0-{returned.touched - 1}" if returned.touched and request.method == "PATCH" else "*"
            total = str(returned.touched) if preferences.count == "exact" else "*"
            headers.append((b"content-range", f"{span}/{total}".encode()))
        if not self.wants_rows(request):
            return Answer(204, headers)
        singular = request.singular()
        headers.append(content_type(singular))
        single = singular is not None or (request.key is not None and preferences.return_ is None)
        text = joined([row[0] for row in returned.rows if row[0] is not None], single=single)
        return Answer(200, headers, self.finish(parsed.query, text))

    def finish(self, query: Query, text: str) -> bytes:
        """A body, out of the database's text."""
        context = self.context
        return context.shapes.get_or_make(("finish", query.select), lambda: context.finisher(context.plan(query)))(text)

    def location(self, request: Request, parsed: Parsed, text: str, *, as_filter: bool) -> Headers:
        """Where the new row is: ``/users/7``, or ``/users?id=eq.7`` as PostgREST has it. No header at all where
        what comes back does not have the key."""
        entity = self.context.entity
        select = parsed.query.select
        if not self.context.shapes.get_or_make(("has key", select), lambda: has_key(entity, select)):
            return []
        row = from_json(text)
        keys = [json_text(row[item.name]) for item in entity.primary_key]
        path = request.path.rstrip("/")
        if not as_filter and all(UNPATHLIKE.search(key) is None for key in keys):
            return [(b"location", f"{path}/{','.join(map(quote, keys))}".encode())]
        where = tuple(Comparison(Field(item.name), "eq", index) for index, item in enumerate(entity.primary_key))
        filters = unparse(Parsed(Query(modifiers=Modifiers(where)), tuple(keys)))
        return [(b"location", f"{path}?{filters}".encode())]


def is_form(headers: dict[bytes, bytes], body: Body) -> bool:
    """Whether a body is an HTML form's. JSON that only says so, as what curl sends by default does, is JSON.

    Raises:
        ApiError: 400 for CSV, which would otherwise be told that it is no JSON.
    """
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type == b"text/csv":
        raise ApiError(400, "PGRST102", "Content-Type not acceptable: text/csv", hint="Send application/json.")
    return content_type == b"application/x-www-form-urlencoded" and not body.lstrip().startswith((b"{", b"["))


def fields(text: str) -> list[tuple[str, str]]:
    """The pairs of a query string or of a form."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeError as error:
        raise ApiError(400, "PGRST100", "The fields are no UTF-8", details=str(error)) from None


def has_key(entity: Entity, select: tuple[SelectItem, ...]) -> bool:
    """Whether a select has the primary key in it, under its own name."""
    keys: dict[str, str] = {}
    for item in select:
        if isinstance(item, Star):
            keys.update((name, name) for name in entity.columns)
        elif isinstance(item, Column) and item.field is not None and not item.field.path and not item.aggregate:
            keys[item.alias or item.field.name] = item.field.name
    return all(keys.get(item.name) == item.name for item in entity.primary_key)


def refuse_unsupported(preferences: Preferences) -> None:
    """Refuses preferences that would change what is written, rather than write something else than was meant."""
    for name, value in (("resolution", preferences.resolution), ("missing", preferences.missing)):
        if value is not None:
            raise not_supported(f"Prefer: {name}={value}")
    if preferences.tx == "rollback":
        raise not_supported("Prefer: tx=rollback")
    if preferences.max_affected is not None and preferences.handling == "strict":
        raise not_supported("Prefer: max-affected")


def joined(texts: list[str], *, single: bool) -> str:
    return texts[0] if single else f"[{','.join(texts)}]"


def check_singular(returned: Returned) -> None:
    if returned.touched != 1:
        raise not_singular(returned.touched)
