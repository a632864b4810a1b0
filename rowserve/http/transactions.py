"""Writes in a transaction that they share with what the application does around them."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain
from typing import Any, TypeAlias

from pydantic_core import to_json, to_jsonable_python
from sqlalchemy import Enum
from starlette.exceptions import HTTPException

from ..backends import Returned, is_conflict, pauses
from ..errors import ApiError, database_error, timed_out
from ..query import Parsed, Preferences, Query
from ..rows import Body, InputColumn, RowReader
from ..slices import Rows
from ..sql.plan import Node
from ..sql.read import Read, all_columns, compile_matched, compile_rows
from ..sql.wire import json_text
from ..sql.write import Change
from .bodies import read_body
from .checks import EXACTLY_ONE, RowCount
from .formats import Kind, Layout, kind_of, layout_of
from .hooks import Hook, Hooks, Row
from .idempotency import HEADER, Replay, key_of, make_table
from .inserts import Inserts, body_kind
from .nested import add, nested_rows, selected, tree_of
from .request import Request
from .responses import Answer, StreamedAnswer
from .units import Undone, Unit, UnitRequest, unit_of
from .versioned import VersionedInserts, VersionedWrites
from .writer import Compile, Writer, has_key
from .writes import Writes

Method: TypeAlias = Callable[[Request], Awaitable[Answer | StreamedAnswer]]


class Transacted(Writer):
    """Runs what writes on the connection of a session.

    Args:
        hooks: what is done around it.
        arguments: for the class that runs it otherwise.
    """

    def __init__(self, hooks: Hooks, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hooks = hooks
        self.after: dict[str, Hook | None] = {
            "POST": hooks.after_insert,
            "PATCH": hooks.after_update,
            "PUT": hooks.after_update,
            "DELETE": hooks.after_delete,
        }

    async def within(self, request: Request, method: Method) -> Answer | StreamedAnswer:
        """Answers a request in one transaction, which ends with its client."""
        body: Body = b""
        if request.method != "DELETE":
            body = await read_body(request.receive, request.headers, self.context.limits.max_body)
        answer: Answer | StreamedAnswer = await request.outcome(
            asyncio.ensure_future(self._in_time(request, method, body))
        )
        return answer

    async def _in_time(self, request: Request, method: Method, body: Body) -> Answer | StreamedAnswer:
        try:
            async with asyncio.timeout(self.context.timeout):
                return await self._attempts(request, method, body)
        except TimeoutError:
            raise timed_out() from None

    async def _attempts(self, request: Request, method: Method, body: Body) -> Answer | StreamedAnswer:
        """Tries again where another transaction was in the way: all there is to do is done anew then."""
        for pause in pauses():
            try:
                return await self._attempt(request, method, body)
            except ApiError as error:
                if not self.hooks.is_replayable or not is_conflict(error):
                    raise
            await asyncio.sleep(pause)
        return await self._attempt(request, method, body)

    async def _attempt(self, request: Request, method: Method, body: Body) -> Answer | StreamedAnswer:
        try:
            async with Unit(self.hooks.begin, request) as unit:
                answer = await method(UnitRequest(request, body, unit))
                if unit.undone:
                    raise Undone
        except Undone:
            pass
        except ApiError:
            raise
        except HTTPException as error:
            raise refused(error) from error
        return answer

    async def run(
        self,
        request: Request,
        change: Change,
        rows: Rows,
        parsed: Parsed,
        preferences: Preferences,
        check: RowCount | None = None,
    ) -> Returned:
        """Runs a change for each of some rows, and the hook that comes after it."""
        unit = unit_of(request)
        write = self.write(request, change, rows, parsed, preferences, check)
        if write.rollback:
            unit.undone = True
            write = replace(write, rollback=False)
        returned = await self.context.backend.write_in(await unit.session(), write)
        if unit.matched is not None and unit.matched != returned.touched and request.key is None:
            # What the hook was shown is not what has been changed. Of a row of its own that is a matter of its version.
            raise database_error("40001", "could not serialize access: rows have come or gone meanwhile")
        after = self.after[request.method]
        if after is None or not change.is_whole:
            return returned
        if returned.rows:
            await after(await unit.context(), self.stored([row[-1] for row in returned.rows]))
        return Returned([tuple(row)[:-1] for row in returned.rows], returned.touched)

    def check_columns(self, hook: str, rows: Sequence[Row]) -> None:
        """Tells the application of a hook that has given rows of one statement different columns."""
        if any(row.keys() != rows[0].keys() for row in rows):
            raise TypeError(f"{hook} of {self.context.entity.name} has to give all rows the same columns")

    def plan(self, kind: tuple[object, ...], query: Query) -> Node:
        node = super().plan(kind, query)
        if kind[0] == "nested":
            return replace(node, whole=True)
        method = {"insert": "POST", "delete": "DELETE"}.get(str(kind[0]), "PATCH")
        if self.after[method] is None:
            return node
        if node.is_rearranged or any(node.inner()):
            raise not_told("What is written here cannot be answered with in another order, in groups, or without some")
        return replace(node, whole=True)

    @cached_property
    def whole(self) -> tuple[Layout, RowReader]:
        """How all columns of a row are laid out, and what reads them."""
        entity = self.context.entity
        node = replace(self.context.plan(Query()), items=all_columns(entity), model=None)
        columns = [InputColumn(name, item.wire) for name, item in entity.stored.items()]
        return layout_of(node, "json"), RowReader(entity.name, columns)

    def stored(self, texts: Sequence[str]) -> list[Row]:
        """Rows as they are stored, by column."""
        layout, reader = self.whole
        return self.pythonic(reader.one_or_many(layout.body(texts))[0])

    @cached_property
    def enums(self) -> dict[str, type[enum.Enum]]:
        """The classes of columns whose values are members of one: by name on the wire, as themselves in hooks."""
        types = {name: item.column.type for name, item in self.context.entity.stored.items()}
        return {name: type_.enum_class for name, type_ in types.items() if isinstance(type_, Enum) and type_.enum_class}

    def pythonic(self, rows: list[Row]) -> list[Row]:
        """The same rows, with the values that a session would have."""
        for name, members in self.enums.items():
            for row in rows:
                if isinstance(row.get(name), str):
                    row[name] = members[row[name]]
        return rows


class TransactedInserts(Transacted, Inserts):
    """Answers what inserts, with hooks."""

    _has_table = False

    async def insert(self, request: Request) -> Answer:
        insert = super().insert
        if self.hooks.nested:
            insert = partial(self.insert_nested, insert)
        if HEADER in request.headers:
            if not self._has_table:
                await make_table(self.context.backend)
                self._has_table = True
            insert = partial(self.insert_once, insert)
        answer = await self.within(request, insert)
        assert isinstance(answer, Answer)
        return answer

    async def insert_once(self, insert: Callable[[Request], Awaitable[Answer]], request: Request) -> Answer:
        """Inserts, unless that was done before; then the answer is that of then."""
        assert isinstance(request, UnitRequest)
        request.once = key_of(request, request.body)
        try:
            answer = await insert(request)
        except Replay as replay:
            return replay.answer
        await request.once.keep(await request.unit.session(), answer)
        return answer

    async def insert_nested(self, insert: Callable[[Request], Awaitable[Answer]], request: Request) -> Answer:
        """Inserts rows with others inside them, and answers as if each had been sent by itself and then asked for."""
        assert isinstance(request, UnitRequest)
        found = None
        if body_kind(request.headers, request.body) == "json":
            found = nested_rows(self, request.body)
        if found is None:
            return await insert(request)
        rows, is_array = found
        parsed, preferences = self.context.parse(request.query_string), await self.preferences(request)
        if parsed.query.columns is not None or preferences.resolution is not None:
            raise not_told("Rows with others inside them can neither be merged nor be taken apart by columns=")
        tree = tree_of(self.hooks.nested, rows, self.context.limits.max_embed_depth)
        if parsed.query.select == Query().select and self.context.entity.exposure.read is None:
            parsed = self.context.parse(f"select={selected(tree)}")
        self.context.plan(parsed.query)  # so that what cannot be shown is not inserted first
        await self.claim(request)
        if request.media_type().singular:
            EXACTLY_ONE.check(len(rows))
        stored = await add(self, request.unit, rows)
        request.unit.undone = preferences.tx == "rollback"
        return await self.shown(request, parsed, preferences, stored, is_array)

    async def shown(
        self, request: UnitRequest, parsed: Parsed, preferences: Preferences, stored: Sequence[Row], many: bool
    ) -> Answer:
        """The answer to rows that were inserted with others inside them: they are asked for, as they are now."""
        context, return_ = self.context, preferences.return_
        if return_ is None and context.limits.default_return == "minimal":
            return_ = "minimal"
        media = request.media_type()
        kind, query = kind_of(media), parsed.query
        if return_ == "headers-only":
            query = replace(query, select=self.key, embedded=())
        parsed, zone = self.zoned(parsed._replace(query=query), preferences)
        texts: list[Any] = []
        for row in stored if return_ != "minimal" else ():
            key = [json_text(to_jsonable_python(row[item.name])) for item in context.entity.primary_key]
            one = context.for_key(parsed, key)
            read: Read = context.shapes.get_or_make(
                ("shown", one.query, kind, zone), partial(self.compile_shown, one.query, kind, zone)
            )
            caller = await request.unit.context()
            found = await context.backend.read_in(
                caller.session, read.statement, read.bind(one.values, caller), timezone=preferences.timezone
            )
            if not found:
                raise context.access.refusal(context.entity)
            texts.append(found[0])
        layout = layout_of(context.plan(query), kind)
        shown = has_key(context.entity, query.select)
        returned = Returned(texts, len(stored))
        return self.inserted(request, preferences, media, layout, returned, 201, return_, shown, many)

    def compile_shown(self, query: Query, kind: Kind, zone: int | None) -> Read:
        """The statement for a row, as its kind has it."""
        node, limits = self.context.plan(query), self.context.limits
        form = layout_of(node, kind).form
        return compile_rows(node, max_rows=limits.max_rows, ordered=limits.ordered, form=form, zone=zone)

    async def claim(self, request: UnitRequest) -> None:
        """Notes what is to be done once. Raises ``Replay`` if it was done."""
        if request.once is not None:
            await request.once.claim(await request.unit.session())

    async def rows(self, request: Request) -> tuple[Parsed, Rows]:
        parsed, given = await super().rows(request)
        assert isinstance(request, UnitRequest)
        await self.claim(request)
        hooks = self.hooks
        if request.preferences.resolution == "merge-duplicates":
            check_merging(hooks)
        if hooks.before_insert is None or not given.first:
            return parsed, given
        rows = self.pythonic(list(chain(given.first, *given.later)))
        await hooks.before_insert(await unit_of(request).context(), rows)
        if parsed.query.columns is None:
            self.check_columns("before_insert", rows)
        else:
            added = dict.fromkeys(chain(parsed.query.columns, *rows))
            parsed = parsed._replace(query=replace(parsed.query, columns=tuple(added)))
        return parsed, Rows(rows, given.is_array)


class TransactedWrites(Transacted, Writes):
    """Answers what changes rows that are there, with hooks."""

    async def update(self, request: Request) -> Answer | StreamedAnswer:
        return await self.within(request, super().update)

    async def replace(self, request: Request) -> Answer:
        answer = await self.within(request, super().replace)
        assert isinstance(answer, Answer)
        return answer

    async def put(self, request: Request) -> Answer:
        check_merging(self.hooks)
        answer = await self.within(request, super().put)
        assert isinstance(answer, Answer)
        return answer

    async def delete(self, request: Request) -> Answer:
        answer = await self.within(request, super().delete)
        assert isinstance(answer, Answer)
        return answer

    async def body(self, request: Request, reader: RowReader) -> tuple[list[Row], bool]:
        rows, is_array = await super().body(request, reader)
        unit, hooks = unit_of(request), self.hooks
        self.pythonic(rows)
        if request.method == "PUT" and request.key is None:
            if hooks.before_insert is not None:
                await hooks.before_insert(await unit.context(), rows)
            return rows, is_array
        if hooks.before_update is None:
            return rows, is_array
        parsed = self.context.parse_request(request)
        if is_array and not parsed.query.modifiers.where and self.are_keyed(rows):
            keys = [item.name for item in self.context.entity.primary_key]
            there = [
                row
                for row in rows
                if await self.before_update(unit, self.context.for_key(parsed, [str(row[key]) for key in keys]), row)
            ]
            self.check_columns("before_update", there)
            return there or rows, is_array
        if len(rows) == 1:
            self.check_filtered(parsed, "UPDATE")
            await self.before_update(unit, parsed, rows[0])
        return rows, is_array

    async def before_update(self, unit: Unit, parsed: Parsed, changes: Row) -> bool:
        """Shows the hook the rows that are going to be changed, and what to; whether there are any."""
        assert self.hooks.before_update is not None
        rows = await self.matched(unit, parsed)
        if rows:
            await self.hooks.before_update(await unit.context(), rows, changes)
        return bool(rows)

    async def change(
        self,
        request: Request,
        parsed: Parsed,
        preferences: Preferences,
        rows: Sequence[Row],
        kind: tuple[object, ...],
        compile_: Compile,
    ) -> Answer:
        if request.method == "DELETE" and self.hooks.before_delete is not None:
            unit = unit_of(request)
            deleted = await self.matched(unit, parsed)
            if deleted:
                await self.hooks.before_delete(await unit.context(), deleted)
        return await super().change(request, parsed, preferences, rows, kind, compile_)

    async def matched(self, unit: Unit, parsed: Parsed) -> list[Row]:
        """The rows that are going to be changed, locked until they are."""
        context = self.context
        read: Read = context.shapes.get_or_make(
            ("matched", parsed.query), lambda: compile_matched(context.plan(parsed.query))
        )
        asking = await unit.context()
        found = await context.backend.read_in(asking.session, read.statement, read.bind(parsed.values, asking))
        unit.matched = (unit.matched or 0) + len(found)
        return self.stored([row[0] for row in found])


class TransactedVersionedInserts(TransactedInserts, VersionedInserts):
    """Answers what inserts rows that have a version, with hooks."""


class TransactedVersionedWrites(TransactedWrites, VersionedWrites):
    """Answers what changes rows that have a version, with hooks."""


def check_merging(hooks: Hooks) -> None:
    """Refuses to insert what may turn out to be an update, where there are hooks that have to know which it is."""
    if hooks.after_insert or hooks.before_update or hooks.after_update:
        raise not_told("Rows cannot be inserted or updated, whichever it is, where either is to be told of")


def not_told(details: str) -> ApiError:
    return ApiError(
        400,
        "PGRST127",
        "Feature not implemented",
        details=f"{details}.",
        hint="Insert with POST, update with PATCH.",
    )


def refused(error: HTTPException) -> ApiError:
    """What an application raises to refuse a request, in the usual shape; the code is as PostgREST has it for what a
    function of the database refuses with a status of its own."""
    detail = error.detail if isinstance(error.detail, str) else to_json(error.detail).decode()
    return ApiError(error.status_code, f"PT{error.status_code}", detail, headers=error.headers)
