"""PATCH, PUT and DELETE: a 2xx means that it is committed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

from ..backends import Returned
from ..errors import ApiError
from ..query import Comparison, MediaType, Parsed, Preferences
from ..rows import RowReader, check_keys
from ..slices import Rows
from ..sql.entity import Entity, EntityColumn
from ..sql.keyed_update import compile_keyed_update
from ..sql.literals import RefusedError
from ..sql.output import Form
from ..sql.plan import Node
from ..sql.upsert import Conflict
from ..sql.write import Change, compile_delete, compile_insert, compile_update
from .bodies import read_body
from .checks import EXACTLY_ONE, row_count
from .context import Context
from .entity_tags import tags_of, unmatchable
from .formats import Kind, Layout, kind_of
from .inserts import is_any_new
from .reads import Reads
from .request import Request
from .responses import Answer, Headers, StreamedAnswer, add_applied, content_type
from .writer import Compile, Writer, add_range

Row: TypeAlias = dict[str, Any]

APPLIED = {
    "PATCH": ("missing", "return", "count", "tx", "handling", "timezone", "max-affected"),
    "PUT": ("return", "count", "tx", "handling", "timezone"),
    "DELETE": ("return", "count", "tx", "handling", "timezone", "max-affected"),
}


class Writes(Writer):
    """Answers what changes rows that are there."""

    def __init__(self, context: Context, reads: Reads) -> None:
        super().__init__(context)
        self.reads = reads

    async def update(self, request: Request) -> Answer | StreamedAnswer:
        """PATCH: sets columns of the rows that filters select, to the values of one object.

        Without a filter, an array of objects that all have the primary key updates the row of each by that key, to
        the object's own values. An object whose row is not there changes nothing.
        """
        context = self.context
        parsed = context.parse_request(request)
        preferences = await self.preferences(request)
        reader = context.schemas.updates
        if parsed.query.columns is not None:
            parsed, reader = self.narrowed(parsed, reader, preferences)
        rows, is_array = await self.body(request, reader)
        if is_array and not parsed.query.modifiers.where and self.are_keyed(rows):
            return await self.update_each(request, parsed, preferences, rows)
        self.check_filtered(parsed, "UPDATE")
        row = one_of(rows) if rows else {}
        resetting: tuple[str, ...] = ()
        if parsed.query.columns is not None:
            resetting = tuple(name for name in parsed.query.columns if name not in row)
        if not row and not resetting:
            return await self.unchanged(request, parsed, preferences)
        names = tuple(row)

        compile_ = partial(compile_update, names=names, resetting=resetting)
        return await self.change(request, parsed, preferences, [row], ("update", names, resetting), compile_)

    def are_keyed(self, rows: Sequence[Row]) -> bool:
        """Whether each row says by its primary key which it is."""
        keys = self.context.entity.primary_key
        return bool(rows and keys) and all(item.name in row for row in rows for item in keys)

    async def update_each(
        self, request: Request, parsed: Parsed, preferences: Preferences, rows: Sequence[Row]
    ) -> Answer | StreamedAnswer:
        """Sets columns of many rows, each by its own key."""
        context = self.context
        keys = [item.name for item in context.entity.primary_key]
        check_keys(rows)
        if len({tuple([str(row[name]) for name in keys]) for row in rows}) < len(rows):
            raise ApiError(
                400,
                "21000",
                "UPDATE command cannot affect row a second time",
                hint=f"Each {', '.join(keys)} may be there but once.",
            )
        names = tuple(rows[0])
        if len(names) == len(keys):
            return await self.unchanged(request, parsed, preferences)

        compile_ = partial(compile_keyed_update, names=names)
        return await self.change(request, parsed, preferences, rows, ("update each", names), compile_)

    async def replace(self, request: Request) -> Answer:
        """PUT on a row of its own, which has to be there: sets every column but the key."""
        context = self.context
        parsed = context.parse_request(request)
        preferences = await self.preferences(request)
        rows, _ = await self.body(request, context.schemas.updates)
        row = one_of(rows)
        self.check_key(row, request.key or ())
        names = tuple(row)

        def compile_(node: Node, *, returning: Form | None, zone: int | None, **of_version: Any) -> Change:
            resetting = context.entity.replaceable(names, insert=False)
            return compile_update(node, names, returning=returning, resetting=resetting, zone=zone, **of_version)

        return await self.change(request, parsed, preferences, [row], ("replace", names), compile_)

    async def put(self, request: Request) -> Answer:
        """PUT on the collection: creates the row whose primary key the filters name, or replaces it.

        Raises:
            ApiError: 400 PGRST114 for a limit or an offset, 405 PGRST105 where the filters are anything else than the
                primary key, 400 PGRST115 where the body has another key.
        """
        context = self.context
        entity = context.entity
        parsed = context.parse(request.query_string)
        preferences = await self.preferences(request)
        key = key_of(entity, parsed)
        rows, _ = await self.body(request, context.schemas.inserts)
        row = one_of(rows)
        self.check_key(row, key)
        for item, text in zip(entity.primary_key, key, strict=True):
            if item.name not in row:
                context.schemas.inserts.check_taken(item.name)
                row[item.name] = value_of(item, text)
        names = tuple(row)
        conflict = Conflict(tuple(item.name for item in entity.primary_key), "replace")
        media = request.media_type()
        parsed, zone = self.zoned(parsed, preferences)
        shape = self.shape(
            ("put", names),
            parsed.query,
            self.kind(request, preferences, media),
            zone,
            partial(compile_insert, names=names, conflict=conflict),
        )
        check = EXACTLY_ONE if media.singular else None
        returned = await self.run(request, shape.change, Rows([row], False), parsed, preferences, check)
        status = 201 if is_any_new(returned) else 200
        return self.changed(request, preferences, media, shape.layout, returned, status)

    async def delete(self, request: Request) -> Answer:
        """DELETE of the rows that filters select. A body is not looked at."""
        context = self.context
        parsed = context.parse_request(request)
        preferences = await self.preferences(request)
        self.check_filtered(parsed, "DELETE")
        return await self.change(request, parsed, preferences, [{}], ("delete",), compile_delete)

    async def change(
        self,
        request: Request,
        parsed: Parsed,
        preferences: Preferences,
        rows: Sequence[Row],
        kind: tuple[object, ...],
        compile_: Compile,
    ) -> Answer:
        """Runs a change and answers with the rows as they are then, or with nothing but that it is done."""
        if b"if-match" in request.headers:
            self.check_match(request)
        media = request.media_type()
        parsed, zone = self.zoned(parsed, preferences)
        shape = self.shape(kind, parsed.query, self.kind(request, preferences, media), zone, compile_)
        check = row_count(preferences, singular=media.singular)
        returned = await self.run(request, shape.change, Rows(list(rows), False), parsed, preferences, check)
        return self.changed(request, preferences, media, shape.layout, returned)

    def check_match(self, request: Request) -> None:
        """Refuses to change what is meant to be changed in one version only, which nobody can tell."""
        if request.key is not None and tags_of(request, b"if-match") is not None:
            raise unmatchable(self.context.entity)

    async def body(self, request: Request, reader: RowReader) -> tuple[list[Row], bool]:
        """The objects in a body, and whether they came as an array."""
        body = await read_body(request.receive, request.headers, self.context.limits.max_body)
        return reader.one_or_many(body)

    def check_filtered(self, parsed: Parsed, verb: str) -> None:
        """Refuses to change a whole table, unless that is allowed."""
        if not parsed.query.modifiers.where and not self.context.limits.allow_unfiltered_writes:
            raise ApiError(
                400,
                "21000",
                f"{verb} requires a WHERE clause",
                hint="Name the rows with a filter, such as ?id=eq.1.",
            )

    def check_key(self, row: Row, key: Sequence[str]) -> None:
        """A row that is replaced keeps its key."""
        for item, text in zip(self.context.entity.primary_key, key, strict=True):
            if item.name in row:
                given = row[item.name] if item.wire.bind is None else item.wire.bind(row[item.name])
                if given != item.wire.parse(text):
                    raise ApiError(
                        400,
                        "PGRST115",
                        "Payload values do not match URL in primary key column(s)",
                        details=f"The URL says that {item.name} is {text}.",
                    )

    def kind(self, request: Request, preferences: Preferences, media: MediaType) -> Kind | None:
        """What the rows look like that a change is answered with; None for no rows."""
        return kind_of(media) if self.wants_rows(request, preferences, media) else None

    def wants_rows(self, request: Request, preferences: Preferences, media: MediaType) -> bool:
        """Whether a change is answered with the rows: if asked for, and for a row of its own unless asked not to."""
        return_ = preferences.return_
        if return_ is not None:
            return return_ == "representation"
        if media.singular:
            return True
        is_item = request.key is not None and request.method != "DELETE"
        return is_item and self.context.limits.default_return == "representation"

    async def unchanged(self, request: Request, parsed: Parsed, preferences: Preferences) -> Answer | StreamedAnswer:
        """PATCH with ``{}``: there is nothing to set, so nothing is written."""
        if request.key is not None:
            return await self.reads.get(request)
        media = request.media_type()
        check = row_count(preferences, singular=media.singular)
        if check is not None:
            check.check(0)
        return self.changed(request, preferences, media, self.layout(media, parsed.query), Returned([], 0))

    def changed(
        self,
        request: Request,
        preferences: Preferences,
        media: MediaType,
        layout: Layout,
        returned: Returned,
        status: int = 200,
    ) -> Answer:
        if request.key is not None and not returned.touched:
            raise self.context.not_found(request)
        headers: Headers = []
        add_applied(headers, preferences, *APPLIED[request.method])
        rows = returned.shown
        if request.key is None and request.method != "PUT":
            span = f"0-{rows - 1}" if rows and request.method == "PATCH" else "*"
            add_range(headers, span, rows, preferences)
        if not self.wants_rows(request, preferences, media):
            return Answer(204, headers)
        headers.append(content_type(media))
        single = media.singular or (request.key is not None and preferences.return_ is None)
        texts = [row[0] for row in returned.rows if row[0] is not None]
        return Answer(status, headers, layout.single(texts[0]) if single else layout.body(texts))


def one_of(rows: Sequence[Row]) -> Row:
    """The one object of a body."""
    if len(rows) != 1:
        raise ApiError(
            400,
            "PGRST102",
            "Empty or invalid json",
            details=f"The body holds {len(rows)} objects, not one.",
            hint="An array of objects that have the primary key, with no filter, updates each row by its key.",
        )
    return rows[0]


def value_of(item: EntityColumn, text: str) -> Any:
    """The value to store that a text spells."""
    try:
        return item.wire.read(text)
    except RefusedError as refused:
        raise refused.error() from None


def key_of(entity: Entity, parsed: Parsed) -> list[str]:
    """The primary key that filters spell, one text for each of its columns."""
    modifiers = parsed.query.modifiers
    if modifiers.limit is not None or modifiers.offset is not None:
        raise ApiError(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")
    texts: dict[str, str] = {}
    for condition in modifiers.where:
        if (
            isinstance(condition, Comparison)
            and condition.operator == "eq"
            and not (condition.negated or condition.quantifier or condition.field.path)
        ):
            texts[condition.field.name] = str(parsed.values[condition.parameter])
    names = [item.name for item in entity.primary_key]
    if not names or len(modifiers.where) != len(names) or set(texts) != set(names):
        raise ApiError(405, "PGRST105", "Filters must include all and only primary key columns with 'eq' operators")
    return [texts[name] for name in names]
