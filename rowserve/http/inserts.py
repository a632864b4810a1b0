"""POST: rows are inserted, or merged with those that are there; a 2xx means that it is committed."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Literal
from urllib.parse import parse_qsl, quote

from ..backends import Returned
from ..csv_rows import rows_of_csv
from ..errors import ApiError
from ..query import (
    Column,
    Comparison,
    Field,
    MediaType,
    Modifiers,
    Parsed,
    Preferences,
    Query,
    SelectItem,
    unparse,
)
from ..rows import Body
from ..slices import Rows, rows_of_json
from ..sql.entity import Entity
from ..sql.upsert import Conflict
from ..sql.wire import json_text
from ..sql.write import compile_insert
from .bodies import read_body
from .checks import EXACTLY_ONE
from .context import Context
from .formats import Kind, Layout, kind_of
from .request import NO_PREFERENCES, Request
from .responses import Answer, Headers, add_applied, content_type
from .writer import Writer, add_range

NOT_COLUMNS = frozenset({"select", "columns", "on_conflict", "order", "limit", "offset", "and", "or"})
"""Parameters of a query string that mean something else than a column's value."""
APPLIED = ("resolution", "missing", "return", "count", "tx", "handling", "timezone")

UNPATHLIKE = re.compile(r"^\.{0,2}$|[/,]")
"""A key that cannot be a segment of a path, or that could not be told from two."""


class Inserts(Writer):
    """Answers what inserts."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.key: tuple[SelectItem, ...] = tuple(Column(Field(item.name)) for item in context.entity.primary_key)

    async def insert(self, request: Request) -> Answer:
        context = self.context
        preferences = await self.preferences(request)
        media = request.media_type()
        parsed, given = await self.rows(request)
        many = given.is_array
        return_ = preferences.return_
        if return_ is None and context.limits.default_return == "minimal":
            return_ = "minimal"
        conflict: Conflict | None = None
        if preferences.resolution is not None:
            conflict = conflict_of(context.entity, preferences, parsed.query)
            if conflict is None:
                preferences = replace(preferences, resolution=None)
        returned = Returned([], 0)
        if given.first:
            columns = parsed.query.columns
            names = tuple(given.first[0] if columns is None else dict.fromkeys(columns))
            sparse = columns is not None and preferences.missing == "default"
            kind: Kind | None = None if return_ == "minimal" else kind_of(media)
            if return_ == "headers-only":
                kind = "json" if self.key else None
                parsed = parsed._replace(query=replace(parsed.query, select=self.key, embedded=()))
            parsed, zone = self.zoned(parsed, preferences)
            shape = self.shape(
                ("insert", names, conflict, sparse),
                parsed.query,
                kind,
                zone,
                partial(compile_insert, names=names, conflict=conflict, sparse=sparse),
            )
            layout, has_key = shape.layout, shape.has_key
            check = EXACTLY_ONE if media.singular else None
            returned = await self.run(request, shape.change, given, parsed, preferences, check)
        else:
            layout, has_key = self.layout(media, parsed.query), False
            if media.singular:
                EXACTLY_ONE.check(0)
        status = 200 if conflict is not None and conflict.changes and not is_any_new(returned) else 201
        return self.inserted(request, preferences, media, layout, returned, status, return_, has_key, many)

    def inserted(
        self,
        request: Request,
        preferences: Preferences,
        media: MediaType,
        layout: Layout,
        returned: Returned,
        status: int,
        return_: str | None,
        has_key: bool,
        many: bool,
    ) -> Answer:
        """The answer to an insert.

        Args:
            return_: what is to be answered with; None where nobody says.
            has_key: whether the rows have the primary key in them.
            many: whether they came as an array.
        """
        headers: Headers = []
        if return_ is not None or preferences is not NO_PREFERENCES:
            add_applied(headers, preferences, *APPLIED)
            add_range(headers, "*", returned.shown, preferences)
        texts = [row[0] for row in returned.rows if row[0] is not None]
        if return_ == "headers-only" and has_key and len(texts) == 1:
            headers.append(self.location(request, layout, texts[0], as_filter=True))
        if return_ in ("minimal", "headers-only"):
            return Answer(status, headers)
        headers.append(content_type(media))
        if has_key and len(texts) == 1 and not many:
            headers.append(self.location(request, layout, texts[0], as_filter=False))
        single = media.singular or (return_ is None and not many and len(texts) == 1)
        return Answer(status, headers, layout.single(texts[0]) if single else layout.body(texts))

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
        reader = context.schemas.inserts
        if parsed.query.columns is not None:
            parsed, reader = self.narrowed(parsed, reader, request.preferences)
        match body_kind(request.headers, body):
            case "csv":
                return parsed, rows_of_csv(reader, body)
            case "form":
                form = fields(body.decode("utf-8", "surrogateescape"))
                return parsed, Rows([reader.from_strings(form)], False)
            case _:
                return parsed, rows_of_json(reader, body)

    def location(self, request: Request, layout: Layout, text: str, *, as_filter: bool) -> tuple[bytes, bytes]:
        """Where the new row is: ``/users/7``, or ``/users?id=eq.7`` as PostgREST has it."""
        entity = self.context.entity
        row = layout.members(text)
        keys = [json_text(row[item.name]) for item in entity.primary_key]
        path = request.path.rstrip("/")
        if not as_filter and all(UNPATHLIKE.search(key) is None for key in keys):
            return b"location", f"{path}/{','.join(map(quote, keys))}".encode()
        where = tuple(Comparison(Field(item.name), "eq", index) for index, item in enumerate(entity.primary_key))
        filters = unparse(Parsed(Query(modifiers=Modifiers(where)), tuple(keys)))
        return b"location", f"{path}?{filters}".encode()


REFUSED = frozenset({b"text/xml", b"application/xml", b"application/octet-stream", b"multipart/form-data"})
"""What a body is that has no rows in it."""


def body_kind(headers: dict[bytes, bytes], body: Body) -> Literal["csv", "form", "json"]:
    """What a body is. JSON that says it is a form, as what curl sends by default does, is JSON.

    Raises:
        ApiError: 400 PGRST102 for what is neither JSON nor CSV nor a form.
    """
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type == b"text/csv":
        return "csv"
    if content_type == b"application/x-www-form-urlencoded" and not body.lstrip().startswith((b"{", b"[")):
        return "form"
    if content_type in REFUSED:
        raise ApiError(
            400,
            "PGRST102",
            f"Content-Type not acceptable: {content_type.decode('latin-1')}",
            hint="Send application/json, text/csv or application/x-www-form-urlencoded.",
        )
    return "json"


def fields(text: str) -> list[tuple[str, str]]:
    """The pairs of a query string or of a form."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeError as error:
        raise ApiError(400, "PGRST100", "The fields are no UTF-8", details=str(error)) from None


def conflict_of(entity: Entity, preferences: Preferences, query: Query) -> Conflict | None:
    """What becomes of rows that are there; None for an error, as in a table that has no key to know them by."""
    key = query.on_conflict or tuple(item.name for item in entity.primary_key)
    if not key:
        return None
    return Conflict(key, "merge" if preferences.resolution == "merge-duplicates" else "ignore")


def is_any_new(returned: Returned) -> bool:
    """Whether any row of an upsert was not there before."""
    return any(row[1] for row in returned.rows)
