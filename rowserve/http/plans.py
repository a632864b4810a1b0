"""The plan of a statement that writes, as an answer. Nothing of it is written: what has to be run is rolled back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..backends import Returned, Write
from ..query import MediaType
from ..sql.explain import as_run, explaining, explanation, is_run
from .context import Context
from .request import Request
from .responses import VARY, Answer, content_type


async def plan_of(context: Context, request: Request, write: Write, media: MediaType) -> Answer:
    """How the database would write.

    Args:
        context: of what is written to.
        request: the request.
        write: what would be run.
        media: the plan's media type, with its options.

    Raises:
        ApiError: what the database refuses; with ``analyze`` also what it would have refused to write.
    """
    dialect = context.entity.dialect
    statement, arguments = as_run(dialect, write)
    statement = explaining(dialect, statement, media)
    rows: Any
    if is_run(dialect, media):
        write = replace(write, statement=statement, sets=[arguments], check=None, later=(), gathered=(), rollback=True)
        returned: Returned = await request.outcome(context.backend.write(write, context.timeout))
        rows = returned.rows
    else:
        # On a connection that could not write if it wanted to.
        read = context.backend.read(statement, arguments, context.timeout, timezone=write.timezone)
        rows = await request.outcome(read)
    return Answer(200, [content_type(media), VARY], explanation(dialect, rows, media))
