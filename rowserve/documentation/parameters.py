"""What OpenAPI says of parameters: those of the query string, and headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from ..query import OPERATORS, spelled
from ..sql.entity import Entity, EntityColumn
from ..sql.relationships import Relationship

Parameter: TypeAlias = dict[str, Any]

NUMBER = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
FILTERS = (
    "Filters are `column=operator.value`. The operators are "
    + ", ".join(f"`{operator}`" for operator in OPERATORS)
    + "; each also behind `not.`, and many with `(any)` or `(all)`: `like(any).{a*,b*}`."
)

_COUNTED = ("count=exact", "count=planned", "count=estimated")
_ALWAYS = ("handling=strict", "timezone=Europe/Paris")
_RETURNED = ("return=minimal", "return=representation")
_TX = "tx=rollback"
PREFERENCES: dict[str, tuple[str, ...]] = {
    "list": (*_COUNTED, *_ALWAYS),
    "get": _ALWAYS,
    "insert": (
        "return=minimal", "return=headers-only", "return=representation", "resolution=merge-duplicates",
        "resolution=ignore-duplicates", "missing=default", "count=exact", _TX, *_ALWAYS,
    ),
    "update": (*_RETURNED, "missing=default", "max-affected=10", "count=exact", _TX, *_ALWAYS),
    "put": (*_RETURNED, "count=exact", _TX, *_ALWAYS),
    "delete": (*_RETURNED, "max-affected=10", "count=exact", _TX, *_ALWAYS),
}  # fmt: skip
"""The preferences that each kind of operation may follow."""


def parameter(name: str, where: str, description: str, schema: dict[str, Any], *, required: bool = False) -> Parameter:
    return {"name": name, "in": where, "required": required, "description": description, "schema": schema}


def query_parameter(name: str, description: str, schema: dict[str, Any] | None = None) -> Parameter:
    """A parameter of the query string."""
    return parameter(name, "query", description, schema or TEXT)


LIMIT = query_parameter("limit", "The most rows to answer with.", NUMBER)
OFFSET = query_parameter("offset", "How many rows to leave out first.", NUMBER)
RANGE = parameter(
    "Range", "header", "The rows to answer with, as `0-9` or `10-`: another way to say limit and offset.", TEXT
)
IF_MATCH = parameter(
    "If-Match", "header", "The `ETag` of the row as it has been read: in any other version it is not changed.", TEXT
)
IF_NONE_MATCH = parameter(
    "If-None-Match", "header", "An `ETag` that is known: answered 304 where it still holds.", TEXT
)
IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "header",
    "What this request is known by: sent again, it is answered as before, and nothing is done twice.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
OR = query_parameter("or", "Filters of which one has to hold, such as `(id.eq.1,id.eq.2)`.")
AND = query_parameter("and", "Filters that all have to hold, such as `(id.gt.1,or(id.lt.9,id.eq.99))`.")
COLUMNS = query_parameter(
    "columns", "Which columns to take from the body, such as `id,name`; with it objects may have different keys."
)
ON_CONFLICT = query_parameter(
    "on_conflict", "With `Prefer: resolution=…`, the unique columns by which a row is known; default: the primary key."
)


def preferences(kind: str, *, tx: bool) -> Parameter:
    """The ``Prefer`` header of a kind of operation.

    Args:
        kind: one of :data:`PREFERENCES`.
        tx: whether ``tx=rollback`` is followed.
    """
    stated = [f"`{preference}`" for preference in PREFERENCES[kind] if tx or preference != _TX]
    text = f"Any of {', '.join(stated)}, with commas between."
    if "max-affected=10" in PREFERENCES[kind]:
        text += " `max-affected` counts with `handling=strict` only."
    return parameter("Prefer", "header", text, TEXT)


def profile_parameter(schema: str, schemas: Sequence[str], method: str) -> Parameter:
    """The header that chooses a schema.

    Args:
        schema: the schema.
        schemas: all of them, the default one first.
        method: of the request.
    """
    name = "Accept-Profile" if method == "GET" else "Content-Profile"
    described = f"The schema; `{schemas[0]}` where it is not given."
    chosen = {"type": "string", "enum": [schema]}
    return parameter(name, "header", described, chosen, required=schema != schemas[0])


def select_parameter(entity: Entity | None = None, ways: Sequence[Relationship] = ()) -> Parameter:
    """What rows are answered with.

    Args:
        entity: whose rows.
        ways: the relationships by which others may be embedded in them.
    """
    text = (
        "What to answer with, such as `id,name`. `called:name` renames, `name::text` casts, `data->a->>b` looks into "
        "JSON; `count()`, `price.sum()` and the like aggregate, by whatever else is selected."
    )
    if entity is not None and entity.computed:
        text += f" Computed, and not part of `*`: {listed(entity.computed)}."
    ways = told_of(ways)
    names = list(dict.fromkeys(calling(way, ways) for way in ways))
    if names:
        one = min(names, key=lambda name: "!" in name)
        narrowed = one.partition("!")[0]
        text += (
            f" Related rows, embedded as `{one}(*)`: {listed(names)}. `!inner` leaves out rows that have none, "
            f"`...{one}(*)` lifts what is in them; `{narrowed}.limit=3` and the like narrow them."
        )
    return query_parameter("select", text)


def calling(way: Relationship, ways: Sequence[Relationship]) -> str:
    """How a relationship is named in ``select``: with a hint where the name of its target says too little."""
    if way.is_named:
        return way.name
    if is_to_itself(way):
        own = way.pairs[0][0]
        return own if own in way.source.columns else way.name
    return way.target.name if len(alike(way, ways)) == 1 else f"{way.target.name}!{way.hint()}"


def alike(way: Relationship, ways: Sequence[Relationship]) -> list[Relationship]:
    """The relationships that go by the same target."""
    return [other for other in ways if other.target is way.target and not (other.is_named or is_to_itself(other))]


def told_of(ways: Sequence[Relationship]) -> list[Relationship]:
    """Those that have a name which says nothing of hidden columns."""
    return [way for way in ways if way.is_named or way.is_shown or len(alike(way, ways)) == 1]


def is_to_itself(way: Relationship) -> bool:
    """Whether a row refers to another of its own table: the column's name says so, the table's means the other way."""
    return way.source is way.target and way.junction is None and way.is_to_one and len(way.pairs) == 1


def order_parameter(entity: Entity, ways: Sequence[Relationship] = ()) -> Parameter:
    """What a list is ordered by."""
    text = (
        f"Columns to order by, such as `{next(iter(entity.columns), 'id')}.desc`; `.nullsfirst` and `.nullslast` may "
        f"follow. Columns: {', '.join(entity.columns)}."
    )
    ways = told_of(ways)
    one = next((calling(way, ways).partition("!")[0] for way in ways if way.is_to_one), None)
    if one is not None:
        text += f" Or a column of an embedded row: `{one}(id)`."
    return query_parameter("order", text)


def filter_parameter(item: EntityColumn) -> Parameter:
    """A filter on a column."""
    about = f" {item.column.comment}" if item.column.comment else ""
    return query_parameter(spelled(item.name), f"`operator.value`, such as `eq.…`; of type {item.wire.name}.{about}")


def key_parameter(item: EntityColumn) -> Parameter:
    """The filter by which PUT says which row it is about."""
    return parameter(spelled(item.name), "query", "`eq.` and the key of the row.", TEXT, required=True)


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
