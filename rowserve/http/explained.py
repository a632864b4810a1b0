"""The plans of what writes. Nothing of it is written: what has to be run for its plan is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from ..backends import Returned, Write
from ..errors import ApiError
from ..query import MediaType, Parsed, Preferences
from ..slices import Rows
from ..sql.versions import Version
from ..sql.write import Change
from .checks import RowCount
from .context import Context
from .inserts import Inserts
from .plans import plan_of
from .reads import Reads
from .request import PLAIN_JSON, Request
from .responses import Answer, StreamedAnswer
from .versioned import VersionedInserts, VersionedWrites
from .writer import Writer
from .writes import Writes

Method: TypeAlias = Callable[[Request], Coroutine[Any, Any, Answer | StreamedAnswer]]


class Explained(Exception):  # noqa: N818 - it is no error of anybody's
    """Ends a write where it would be run."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self.write = write


class Explaining(Writer):
    """Has what writes explained instead of run."""

    async def run(
        self,
        request: Request,
        change: Change,
        rows: Rows,
        parsed: Parsed,
        preferences: Preferences,
        check: RowCount | None = None,
    ) -> Returned:
        raise Explained(self.write(request, change, rows, parsed, preferences, None))


class ExplainedInserts(Explaining, Inserts):
    """Answers with the plans of what inserts."""


class ExplainedWrites(Explaining, Writes):
    """Answers with the plans of what changes rows that are there."""


class ExplainedVersionedInserts(Explaining, VersionedInserts):
    """Answers with the plans of what inserts rows that have a version."""


class ExplainedVersionedWrites(Explaining, VersionedWrites):
    """Answers with the plans of what changes rows that have a version."""


def explained_writers(context: Context, reads: Reads, version: Version | None) -> tuple[Inserts, Writes]:
    """What answers with the plans of writes. It knows nothing of hooks, so that none is called."""
    if version is None:
        return ExplainedInserts(context), ExplainedWrites(context, reads)
    return ExplainedVersionedInserts(context, version), ExplainedVersionedWrites(context, reads, version)


class ExplainedOrRun:
    """Answers a write: with its plan, where ``Accept`` asks for that.

    Args:
        context: of the resource.
        run: what answers else.
        explain: what raises ``Explained``.
    """

    def __init__(self, context: Context, run: Method, explain: Method) -> None:
        self.context = context
        self.run = run
        self.explain = explain

    def __call__(self, request: Request) -> Coroutine[Any, Any, Answer | StreamedAnswer]:
        if request.headers.get(b"accept", b"*/*") in PLAIN_JSON:
            return self.run(request)
        media = request.media_type(explain=True)
        return self.answer(request, media) if media.kind == "plan" else self.run(request)

    async def answer(self, request: Request, media: MediaType) -> Answer:
        """How the database would write, as the plan of what would be answered to the media type it is the plan of."""
        request.headers[b"accept"] = media.planned.encode("latin-1")
        try:
            await self.explain(request)
        except Explained as explained:
            return await plan_of(self.context, request, explained.write, media)
        raise ApiError(
            406,
            "PGRST107",
            "There is no plan: nothing would be written",
            hint="The body has no rows, or nothing to set.",
        )
