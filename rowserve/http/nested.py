"""Rows that are inserted with others inside them: ``{"name": "Ada", "posts": [{"title": "Notes"}]}``.

What is nested is inserted as if it were sent to its own resource, by the same caller: its permissions, its input models
and its hooks hold. All of it is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import to_json, to_jsonable_python
from sqlalchemy import insert

from ..context import Context as Asking
from ..errors import ApiError
from ..query import Query
from ..rows import Body, InvalidJSONError, RowReader
from ..sql.entity import Entity
from ..sql.relationships import Relationship
from ..sql.wire import ExactNumber
from ..sql.write import compile_insert
from .hooks import Row
from .units import Unit

if TYPE_CHECKING:
    from .transactions import TransactedInserts

Tree: TypeAlias = "dict[str, Tree]"
"""Names of what is nested, and of what is nested in that."""
NOTHING = Query(select=())


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """What may be nested in the rows of a resource.

    Args:
        way: the relationship.
        inserts: what inserts rows at its other end for who asks.
        inside: what may be nested in those.
        between: what inserts rows of the table between the two, where that has a resource of its own.
    """

    way: Relationship
    inserts: Callable[[Asking], TransactedInserts]
    inside: Callable[[], Mapping[str, Nested]]
    between: Callable[[Asking], TransactedInserts] | None = None

    @property
    def refers(self) -> bool:
        """Whether it is the row that refers to what is nested in it, rather than the other way round."""
        columns = self.way.source.table.columns
        return self.way.junction is None and all(
            any(key.column.table is self.way.target.table for key in columns[here].foreign_keys)
            for here, _ in self.way.pairs
        )


def nested_rows(inserts: TransactedInserts, body: Body) -> tuple[list[Row], bool] | None:
    """The rows of a body in which others are nested, and whether they are an array; None for a body that has none.

    Raises:
        ApiError: 400 PGRST102 for what is no JSON.
    """
    names = inserts.hooks.nested
    if not any(name.encode() in body for name in names):
        return None
    try:
        value = json.loads(body, parse_float=ExactNumber, parse_constant=refused_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidJSONError(str(error)) from None
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, dict) for row in rows):
        raise InvalidJSONError("The body must be an object or an array of objects")
    return (rows, isinstance(value, list)) if any(name in row for row in rows for name in names) else None


def refused_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def tree_of(names: Mapping[str, Nested], rows: Sequence[Row], most: int) -> Tree:
    """The names of what is nested in some rows.

    Raises:
        ApiError: 400 PGRST100 for what is nested deeper than ``most`` levels.
    """
    tree: Tree = {}
    for name, nested in names.items():
        if any(name in row for row in rows):
            if not most:
                raise ApiError(400, "PGRST100", f"'{name}' is nested too deep", hint="Send it by itself.")
            inside = [one for row in rows for one in listed(row.get(name)) if isinstance(one, dict)]
            tree[name] = tree_of(nested.inside(), inside, most - 1)
    return tree


def selected(tree: Tree) -> str:
    """What shows rows with all that was nested in them, as ``select=`` has it."""
    return ",".join(["*", *(f"{name}({selected(inside)})" for name, inside in tree.items())])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


async def add(
    inserts: TransactedInserts, unit: Unit, rows: Sequence[Row], fixed: Sequence[Row] | None = None
) -> list[Row]:
    """Inserts rows with all that is nested in them.

    Args:
        inserts: what inserts rows of this resource.
        unit: the transaction.
        rows: as JSON has them.
        fixed: values for each of them that are not for the client to say, as Python has them.

    Returns:
        the rows as they are stored, in the same order.
    """
    if not rows:
        return []
    context = await unit.context()
    inside = {name: [row.pop(name, None) for row in rows] for name in inserts.hooks.nested}
    set_here: list[Row] = [dict(values) for values in fixed or [{}] * len(rows)]
    ways = inserts.hooks.nested.items()
    for name, nested in [(name, nested) for name, nested in ways if nested.refers]:
        places = [index for index, value in enumerate(inside[name]) if value is not None]
        one = [checked(name, inside[name][index]) for index in places]
        for index, stored in zip(places, await add(nested.inserts(context), unit, one), strict=True):
            set_here[index].update((here, stored[there]) for here, there in nested.way.pairs)
    parents = await insert_rows(inserts, unit, rows, set_here)
    for name, nested in [(name, nested) for name, nested in ways if not nested.refers]:
        pairs = [
            (parent, checked(name, child))
            for parent, value in zip(parents, inside[name], strict=True)
            for child in (listed(value) if nested.way.is_to_one else several(name, value))
        ]
        over = [parent for parent, _ in pairs]
        children = [child for _, child in pairs]
        if nested.way.junction is None:
            keys = [{there: parent[here] for here, there in nested.way.pairs} for parent in over]
            await add(nested.inserts(context), unit, children, keys)
        else:
            await link(unit, nested, over, await add(nested.inserts(context), unit, children))
    return parents


def several(name: str, value: Any) -> list[Any]:
    """The rows of a relationship to many."""
    if value is not None and not isinstance(value, list):
        raise InvalidJSONError(f"{name} has to be an array of objects")
    return value or []


def checked(name: str, value: Any) -> Row:
    """A nested row."""
    if not isinstance(value, dict):
        raise InvalidJSONError(f"{name} has to be an object, or an array of objects where it may be several")
    return value


async def link(unit: Unit, nested: Nested, sources: Sequence[Row], targets: Sequence[Row]) -> None:
    """Relates rows by the table between them: by its resource, for whose rules these are rows as any others."""
    way, junction = nested.way, nested.way.junction
    assert junction is not None
    rows = [
        {
            **{between: source[here] for here, between in way.pairs},
            **{between: target[there] for between, there in junction.pairs},
        }
        for source, target in zip(sources, targets, strict=True)
    ]
    context = await unit.context()
    if rows and nested.between is not None:
        await insert_rows(nested.between(context), unit, [{} for _ in rows], rows)
    elif rows:
        await context.session.execute(insert(junction.table), rows)


async def insert_rows(inserts: TransactedInserts, unit: Unit, rows: Sequence[Row], fixed: Sequence[Row]) -> list[Row]:
    """Inserts rows of one resource, those with the same columns together; as they are stored."""
    context, hooks, caller = inserts.context, inserts.hooks, await unit.context()
    context.access.check(context.entity, "insert")
    reader = context.schemas.inserts
    read = inserts.pythonic([validated(reader, row, more) for row, more in zip(rows, fixed, strict=True)])
    if hooks.before_insert is not None:
        await hooks.before_insert(caller, read)
    stored: list[Row] = [{} for _ in read]
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, row in enumerate(read):
        groups.setdefault(tuple(row), []).append(index)
    for names, places in groups.items():
        change = inserts.shape(("nested", names), NOTHING, None, None, partial(compile_insert, names=names)).change
        write = change.write([read[index] for index in places], caller=caller)
        returned = await context.backend.write_in(caller.session, write)
        if len(returned.rows) != len(places):
            raise swallowed(context.entity)
        for index, row in zip(places, inserts.stored([row[-1] for row in returned.rows]), strict=True):
            stored[index] = row
    if hooks.after_insert is not None:
        await hooks.after_insert(caller, [dict(row) for row in stored])
    return stored


def validated(reader: RowReader, row: Row, fixed: Row) -> Row:
    """A row as its resource takes it, with the values that are not for the client to say: one that its resource does
    not take is set all the same."""
    own = dict(fixed)
    given = exact(reader, row)
    for name in fixed:
        key = reader.key_of(name)
        if key is not None:
            given[key] = to_jsonable_python(own.pop(name))
    (read,), _ = reader.one_or_many(to_json(given))
    return {**read, **own}


def exact(reader: RowReader, row: Row) -> Row:
    """A row with its exact numbers as texts: they would be floats otherwise."""
    numeric = {reader.key_of(name) for name, column in reader.columns.items() if column.wire.name == "numeric"}
    return {
        key: value.text if key in numeric and isinstance(value, ExactNumber) else value for key, value in row.items()
    }


def swallowed(entity: Entity) -> ApiError:
    return ApiError(
        500,
        "09000",
        f"A row of {entity.name} that others were to refer to was not inserted",
        hint="A trigger has taken it: such rows cannot be nested.",
    )
