"""What all writes have in common: which preferences count, how they are run, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

from ..backends import Returned, Write
from ..query import Parsed, Preferences, Query
from ..rows import RowReader
from ..slices import Rows
from ..sql.write import Change
from .checks import RowCount
from .context import Context
from .request import NO_PREFERENCES, Request
from .responses import Headers
from .timezones import followed_timezone


class Writer:
    """Runs what writes."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def preferences(self, request: Request) -> Preferences:
        """The request's preferences, but for those that this server does not follow.

        Raises:
            ApiError: 400 PGRST122, for a time zone that there is not, with ``handling=strict``.
        """
        preferences = request.preferences
        if preferences is NO_PREFERENCES:
            return preferences
        if preferences.tx is not None and not self.context.limits.tx_override:
            preferences = replace(preferences, tx=None)
        if preferences.timezone is not None:
            preferences = replace(preferences, timezone=await followed_timezone(preferences))
        return preferences

    def zoned(self, parsed: Parsed, preferences: Preferences) -> tuple[Parsed, int | None]:
        """A query with the time zone as one more value, and which of its values that is, if there is one."""
        zone = preferences.timezone
        if zone is None:
            return parsed, None
        return Parsed(parsed.query, (*parsed.values, zone)), len(parsed.values)

    async def run(
        self,
        request: Request,
        change: Change,
        rows: Rows,
        parsed: Parsed,
        preferences: Preferences,
        check: RowCount | None = None,
    ) -> Returned:
        """Runs a change for each of some rows; when it returns, they are committed."""
        context = self.context
        write: Write = change.write(rows.first, parsed.values, later=rows.later)
        if check is not None or preferences.tx is not None or preferences.timezone is not None:
            write = replace(write, check=check, rollback=preferences.tx == "rollback", timezone=preferences.timezone)
        returned: Returned = await request.outcome(context.backend.write(write, context.timeout))
        return returned

    def reader_of(self, reader: RowReader, columns: tuple[str, ...], preferences: Preferences) -> RowReader:
        """A reader that takes ``columns`` alone; one that a row does not have is null, unless it is to be its default.

        Raises:
            ApiError: 400 PGRST204 for a name that is no column.
        """
        nulls = preferences.missing != "default"
        return self.context.shapes.get_or_make(
            ("reader", reader, columns, nulls), lambda: reader.only(columns, nulls=nulls)
        )

    def finish(self, query: Query, text: str) -> bytes:
        """A body, out of the database's text."""
        context = self.context
        return context.shapes.get_or_make(("finish", query.select), lambda: context.finisher(context.plan(query)))(text)


def add_range(headers: Headers, span: str, rows: int, preferences: Preferences) -> None:
    """Says which rows there are, and how many, if they are to be counted: a plan is not asked what it expects."""
    total = str(rows) if preferences.count in ("exact", "estimated") else "*"
    headers.append((b"content-range", f"{span}/{total}".encode()))


def joined(texts: list[str], *, single: bool) -> str:
    """Rows as one JSON text."""
    return texts[0] if single else f"[{','.join(texts)}]"
