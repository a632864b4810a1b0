"""What all writes have in common: which preferences count, how they are run, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from ..backends import Returned, Write
from ..query import Column, MediaType, Parsed, Preferences, Query, SelectItem, Star
from ..rows import RowReader
from ..slices import Rows
from ..sql.entity import Entity
from ..sql.output import Form
from ..sql.plan import Node
from ..sql.write import Change
from .checks import RowCount
from .context import Context
from .formats import Kind, Layout, kind_of, layout_of
from .request import NO_PREFERENCES, Request
from .responses import Headers
from .timezones import followed_timezone


class Compile(Protocol):
    """Makes the statement of a write.

    Args:
        node: its plan.
        returning: what is made of each row that is given back; None where none are.
        zone: which of the request's values is the time zone that moments are shown in, if any.
    """

    def __call__(self, node: Node, /, *, returning: Form | None, zone: int | None) -> Change: ...


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is made once for each shape of a write.

    Args:
        change: its statement.
        layout: how the rows are laid out that it gives back.
        has_key: whether they have the primary key in them.
    """

    change: Change
    layout: Layout
    has_key: bool


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
        write = self.write(request, change, rows, parsed, preferences, check)
        returned: Returned = await request.outcome(self.context.backend.write(write, self.context.timeout))
        return returned

    def write(
        self,
        request: Request,
        change: Change,
        rows: Rows,
        parsed: Parsed,
        preferences: Preferences,
        check: RowCount | None,
    ) -> Write:
        """What is to be run."""
        write: Write = change.write(rows.first, parsed.values, caller=request.caller, later=rows.later)
        if check is not None or preferences.tx is not None or preferences.timezone is not None:
            write = replace(write, check=check, rollback=preferences.tx == "rollback", timezone=preferences.timezone)
        return write

    def reader_of(self, reader: RowReader, columns: tuple[str, ...], preferences: Preferences) -> RowReader:
        """A reader that takes ``columns`` alone; one that a row does not have is null, unless it is to be its default.

        Raises:
            ApiError: 400 PGRST204 for a name that is no column.
        """
        nulls = preferences.missing != "default"
        return self.context.shapes.get_or_make(
            ("reader", reader, columns, nulls), lambda: reader.only(columns, nulls=nulls)
        )

    def narrowed(self, parsed: Parsed, reader: RowReader, preferences: Preferences) -> tuple[Parsed, RowReader]:
        """What takes the columns alone that the query names, and the query. Where a model says what a row lacks
        of them, and more than them, the rows themselves tell which columns are written."""
        columns = parsed.query.columns
        if columns is None:
            return parsed, reader
        narrowed = self.reader_of(reader, columns, preferences)
        return parsed._replace(query=replace(parsed.query, columns=None)) if reader.is_modelled else parsed, narrowed

    def shape(
        self, kind: tuple[object, ...], query: Query, rows: Kind | None, zone: int | None, compile_: Compile
    ) -> Shape:
        """What is made once for each shape of a write.

        Args:
            kind: what the statement depends on besides the query.
            query: the request's.
            rows: what rows look like that are answered with; None where none are.
            zone: which of the request's values is the time zone that moments are shown in, if any.
            compile_: makes the statement.
        """
        shapes, key = self.context.shapes, (*kind, query, rows, zone)
        shape: Shape | None = shapes.get(key)
        if shape is None:
            shape = shapes.get_or_make(key, lambda: self.make_shape(kind, query, rows, zone, compile_))
        return shape

    def plan(self, kind: tuple[object, ...], query: Query) -> Node:
        """What is written, and what is shown of it."""
        return self.context.plan(query)

    def make_shape(
        self, kind: tuple[object, ...], query: Query, rows: Kind | None, zone: int | None, compile_: Compile
    ) -> Shape:
        node = self.plan(kind, query)
        layout = layout_of(node, rows or "json")
        change = compile_(node, returning=layout.form if rows else None, zone=zone)
        return Shape(change, layout, rows is not None and has_key(self.context.entity, query.select))

    def layout(self, media: MediaType, query: Query) -> Layout:
        """How a body is laid out of rows that no statement has given back, as there are none."""
        return layout_of(self.context.plan(query), kind_of(media))


def has_key(entity: Entity, select: tuple[SelectItem, ...]) -> bool:
    """Whether a select has the primary key in it, under its own name."""
    keys: dict[str, str] = {}
    for item in select:
        if isinstance(item, Star):
            keys.update((name, name) for name in entity.columns)
        elif isinstance(item, Column) and item.field is not None and not item.field.path and not item.aggregate:
            keys[item.alias or item.field.name] = item.field.name
    return bool(entity.primary_key) and all(keys.get(item.name) == item.name for item in entity.primary_key)


def add_range(headers: Headers, span: str, rows: int, preferences: Preferences) -> None:
    """Says which rows there are, and how many, if they are to be counted: a plan is not asked what it expects."""
    total = str(rows) if preferences.count in ("exact", "estimated") else "*"
    headers.append((b"content-range", f"{span}/{total}".encode()))
