"""Writes to rows that have a version: whoever has seen another than there is changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..backends import Returned
from ..errors import ApiError
from ..query import MediaType, Parsed, Preferences
from ..rows import RowReader
from ..sql.literals import RefusedError
from ..sql.versions import Version
from .context import Context
from .entity_tags import entity_tag, tags_of, unconditional, unmatchable, unmatched
from .formats import Layout
from .inserts import Inserts
from .reads import ITEM, Reads
from .request import Request
from .responses import Answer, StreamedAnswer
from .writer import Compile
from .writes import Row, Writes

GENERATED = "Its versions are made of those before: change rows one by one, each at its own path and with If-Match."
UNSEEN = "Change rows one by one, each at its own path and with If-Match: others may have changed unseen."
MISSING = "Send the ETag of the row in If-Match, or * for whatever version it has."


class VersionedWrites(Writes):
    """Answers what changes rows that are there and have a version.

    Args:
        context: of the resource.
        reads: reads its rows.
        version: what their version is.
    """

    def __init__(self, context: Context, reads: Reads, version: Version) -> None:
        super().__init__(context, reads)
        self.version = version

    async def change(
        self,
        request: Request,
        parsed: Parsed,
        preferences: Preferences,
        rows: Sequence[Row],
        kind: tuple[object, ...],
        compile_: Compile,
    ) -> Answer:
        if request.key is None:
            self.check_many(request, rows[0])
            return await super().change(request, parsed, preferences, rows, kind, compile_)
        expected = self.expected(request, rows[0])
        narrowed = parsed
        options: dict[str, Any] = {} if request.method == "DELETE" else {"tagged": True}
        if options and self.version.generator is not None:
            rows = [{**rows[0], self.version.name: await self.generated(request, expected)}]
        if expected is not None:
            narrowed = Parsed(parsed.query, (*parsed.values, tuple(expected)))
            options["matched"] = len(parsed.values)
        kind, compile_ = (*kind, *options.items()), partial(compile_, **options)
        try:
            return await super().change(request, narrowed, preferences, rows, kind, compile_)
        except ApiError as error:
            if error.code != "PGRST116" or expected is None:
                raise
            # Nothing was changed. Was it the version?
            await self.check_current(request, expected)
            raise

    def check_match(self, request: Request) -> None:
        """The statement itself looks at the version."""

    def expected(self, request: Request, row: Mapping[str, Any]) -> Sequence[str] | None:
        """The versions that a row may have to be changed; None for any.

        Raises:
            ApiError: 428 where that has to be said, and is not.
        """
        if b"if-match" in request.headers:
            tags = tags_of(request, b"if-match")
            return None if tags is None else tags.strong
        given = row.get(self.version.name)
        if isinstance(given, int | str):
            return [str(given)]
        if self.context.limits.version_required:
            raise unconditional(self.context.entity, MISSING)
        return None

    async def generated(self, request: Request, expected: Sequence[str] | None) -> Any:
        """The version that a row gets, of a function of the one before."""
        version = self.version
        assert version.item is not None
        assert version.generator is not None
        if expected is None or len(expected) != 1:
            raise unconditional(self.context.entity, GENERATED)
        try:
            before = version.item.wire.read(expected[0])
        except RefusedError:
            await self.check_current(request, ())
            raise self.context.not_found(request) from None
        return version.generator(before)

    async def check_current(self, request: Request, expected: Sequence[str]) -> None:
        """Finds out whether a row is there in another version than is expected.

        Raises:
            ApiError: 412 where it is, 404 where there is no row.
        """
        context = self.context
        assert request.key is not None
        parsed = context.for_key(context.parse(""), request.key)
        read = self.reads.shape(parsed, ITEM).read
        rows, _, version, _ = await self.reads.row(request, read, self.reads.bind(request, read, parsed))
        if not rows:
            raise context.not_found(request)
        if version is None or version not in expected:
            raise unmatched(context.entity, version)

    def check_many(self, request: Request, row: Mapping[str, Any]) -> None:
        """Refuses what cannot be done by version with any number of rows.

        Raises:
            ApiError: 412 for ``If-Match``, which is about one; 428 where each has to be named with its version; 400
                428C9 for a version to be set.
        """
        entity, version = self.context.entity, self.version
        if b"if-match" in request.headers and tags_of(request, b"if-match") is not None:
            raise unmatchable(entity)
        if self.context.limits.version_required:
            raise unconditional(entity, UNSEEN)
        if version.generator is not None and request.method != "DELETE":
            raise unconditional(entity, GENERATED)
        if request.method == "PATCH" and version.name in row:
            raise unsettable(version)

    def reader_of(self, reader: RowReader, columns: tuple[str, ...], preferences: Preferences) -> RowReader:
        if self.version.name in columns and self.version.name in self.context.entity.columns:
            raise unsettable(self.version)
        return super().reader_of(reader, columns, preferences)

    async def put(self, request: Request) -> Answer:
        self.check_many(request, {})
        return await super().put(request)

    async def unchanged(self, request: Request, parsed: Parsed, preferences: Preferences) -> Answer | StreamedAnswer:
        if request.key is not None:
            expected = self.expected(request, {})
            if expected is not None:
                await self.check_current(request, expected)
        return await super().unchanged(request, parsed, preferences)

    def changed(
        self,
        request: Request,
        preferences: Preferences,
        media: MediaType,
        layout: Layout,
        returned: Returned,
        status: int = 200,
    ) -> Answer:
        answer = super().changed(request, preferences, media, layout, returned, status)
        if request.key is not None and returned.rows and preferences.tx != "rollback":
            row = returned.rows[0]
            if len(row) > 1 and row[1] is not None:
                answer.raw_headers.append((b"etag", entity_tag(row[1])))
        return answer


class VersionedInserts(Inserts):
    """Answers what inserts rows that have a version.

    Args:
        context: of the resource.
        version: what their version is.
    """

    def __init__(self, context: Context, version: Version) -> None:
        super().__init__(context)
        self.version = version

    async def insert(self, request: Request) -> Answer:
        entity, limits = self.context.entity, self.context.limits
        preferences = request.preferences
        merges = preferences.resolution == "merge-duplicates"
        if merges and limits.version_required:
            raise unconditional(entity, UNSEEN)
        if merges and self.version.generator is not None:
            raise unconditional(entity, GENERATED)
        answer = await super().insert(request)
        lasts = not (limits.tx_override and preferences.tx == "rollback")
        is_one = any(name == b"location" for name, _ in answer.raw_headers)
        if is_one and lasts and not merges and self.version.made == "counted":
            answer.raw_headers.append((b"etag", entity_tag("1")))
        return answer


def unsettable(version: Version) -> ApiError:
    """The answer to who wants to set a version."""
    return ApiError(
        400,
        "428C9",
        f'column "{version.name}" can only be updated to DEFAULT',
        details=f'Column "{version.name}" is the version of its row.',
        hint="Leave it out; on a row of its own, at its path, it says which version is expected.",
    )
