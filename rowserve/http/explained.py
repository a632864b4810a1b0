"""Plans of what writes: asked of the database, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ..backends import Returned, Write
from ..errors import ApiError
from ..query import MediaType, Parsed, Preferences, Query
from ..slices import Rows
from ..sql.explain import explaining, explanation
from ..sql.write import Change
from .checks import RowCount
from .context import Context
from .formats import Layout
from .inserts import Inserts
from .reads import Reads
from .request import Request
from .responses import VARY, Answer, StreamedAnswer, content_type
from .versioned import VersionedInserts, VersionedWrites
from .writer import Writer
from .writes import Writes

Method: TypeAlias = Callable[[Request], Coroutine[Any, Any, Answer | StreamedAnswer]]


class PlanRequest(Request):
    """A request for the plan of a write.

    Args:
        request: the request.
        plan: what the plan is to look like.
    """

    __slots__ = ("_of", "plan")

    def __init__(self, request: Request, plan: MediaType) -> None:
        super().__init__(request.scope, request.receive, request.key, request.caller)
        self.timing = request.timing
        self.plan = plan
        # What would be answered without a plan: the statement depends on it.
        self._of = replace(plan, kind="csv" if 'for="text/csv"' in plan.name else "json")

    def media_type(self, *, explain: bool = False) -> MediaType:
        return self.plan if explain else self._of


class Planned(Exception):  # noqa: N818 - it is no error of anybody's
    """Ends a write where its plan is known."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Explained(Writer):
    """Has what writes explained instead."""

    async def run(
        self,
        request: Request,
        change: Change,
        rows: Rows,
        parsed: Parsed,
        preferences: Preferences,
        check: RowCount | None = None,
    ) -> Returned:
        assert isinstance(request, PlanRequest)
        write = self.write(request, change, replace(rows, later=()), parsed, preferences, None)
        raise Planned(await explain_write(self.context, request, write, request.plan))

    def layout(self, media: MediaType, query: Query) -> Layout:
        raise ApiError(
            400,
            "PGRST102",
            "There is no plan: the request changes nothing",
            hint="Send the rows or the values that are to be written.",
        )


class ExplainedInserts(Explained, Inserts):
    """Has what inserts explained."""


class ExplainedWrites(Explained, Writes):
    """Has what changes rows explained."""


class ExplainedVersionedInserts(Explained, VersionedInserts):
    """Has what inserts rows that have a version explained."""


class ExplainedVersionedWrites(Explained, VersionedWrites):
    """Has what changes rows that have a version explained."""


async def explain_write(context: Context, request: Request, write: Write, media: MediaType) -> Answer:
    """How the database would run a write. Where PostgreSQL is to analyze it, which takes running it, that is undone;
    all else is asked on a connection that cannot write."""
    dialect = context.entity.dialect
    is_together = len(write.sets) > 1 and write.statement.joined is not None
    if not is_together:  # one plan is like another
        write = replace(write, sets=write.sets[:1], statement=replace(write.statement, joined=None))
    statement = explaining(dialect, write.statement, media)
    if dialect.name == "postgresql" and "analyze" in media.plan_options:
        if is_together:
            joined = explaining(dialect, replace(write.statement, text=write.statement.joined or ""), media)
            statement = replace(statement, joined=joined.text)
        undone = replace(write, statement=statement, check=None, rollback=True)
        returned: Returned = await request.outcome(context.backend.write(undone, context.timeout))
        rows: Sequence[Any] = returned.rows
    else:
        (arguments, *_) = write.sets
        rows = await request.outcome(
            context.backend.read(statement, arguments, context.timeout, timezone=write.timezone)
        )
    return Answer(200, [content_type(media), VARY], explanation(dialect, rows, media))


def explainable(context: Context, collection: dict[str, Method], item: dict[str, Method]) -> None:
    """Has methods that write answer with a plan where one is asked for. No hook is called then: it would not know that
    nothing comes of it.

    Args:
        context: of what is written to, for this alone.
        collection: by verb, what answers requests for a collection; likewise ``item`` for a row of its own.
    """
    version, reads = context.entity.version, Reads(context)
    if version is None:
        inserts: Inserts = ExplainedInserts(context)
        writes: Writes = ExplainedWrites(context, reads)
    else:
        inserts = ExplainedVersionedInserts(context, version)
        writes = ExplainedVersionedWrites(context, reads, version)
    explained: dict[str, Method] = {
        "POST": inserts.insert,
        "PATCH": writes.update,
        "PUT": writes.put,
        "DELETE": writes.delete,
    }
    for verb, method in explained.items():
        collection[verb] = either(collection[verb], method)
    for verb, method in {**explained, "PUT": writes.replace}.items():
        if verb in item:
            item[verb] = either(item[verb], method)


def either(plain: Method, explained: Method) -> Method:
    """A method, or the one that tells its plan, by what the client accepts."""

    async def method(request: Request) -> Answer | StreamedAnswer:
        media = request.media_type(explain=True)
        if media.kind != "plan":
            return await plain(request)
        try:
            return await explained(PlanRequest(request, media))
        except Planned as planned:
            return planned.answer

    return method
