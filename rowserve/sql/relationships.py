"""How the rows of one entity find those of another, and which of these ways a request means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import Table

from ..errors import ApiError
from .similarity import closest

if TYPE_CHECKING:
    from .catalog import ForeignKey, Function
    from .entity import Entity

Pairs: TypeAlias = tuple[tuple[str, str], ...]
Cardinality: TypeAlias = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]


@dataclass(frozen=True, slots=True, eq=False)
class Junction:
    """The table between the two sides of a many-to-many relationship.

    Args:
        table: the table.
        constraint: the foreign key to the source, whose columns stand in the relationship's pairs.
        target_constraint: the foreign key to the target.
        pairs: columns of the junction, each with the column of the target that it refers to.
        hidden: columns of the junction that no client is told of.
    """

    table: Table
    constraint: str
    target_constraint: str
    pairs: Pairs
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Relationship:
    """A way from the rows of one entity to those of another.

    Args:
        source: where it starts.
        target: where it leads.
        cardinality: as seen from the source.
        name: the constraint behind it, or what its model or function calls it.
        pairs: columns of the source, each with the column of the target (of the junction, where there is one) that
            is equal to it.
        junction: the table between, for many-to-many.
        function: the function that makes the target's rows of a row of the source, instead of columns.
        is_named: whether ``name`` is what it is embedded by, as a model's or a function's is.
    """

    source: Entity
    target: Entity
    cardinality: Cardinality
    name: str
    pairs: Pairs = ()
    junction: Junction | None = None
    function: Function | None = None
    is_named: bool = False

    @property
    def is_to_one(self) -> bool:
        return self.cardinality in ("one-to-one", "many-to-one")

    @property
    def is_shown(self) -> bool:
        """Whether clients know of the columns that it goes by."""
        hidden, there = self.source.exposure.hidden, self.target.exposure.hidden
        if self.junction is not None:
            between = self.junction.hidden
            here = [*(column for _, column in self.pairs), *(column for column, _ in self.junction.pairs)]
            return between.isdisjoint(here) and all(column not in hidden for column, _ in self.pairs)
        return all(here not in hidden and column not in there for here, column in self.pairs)

    def hint(self) -> str:
        """What tells this relationship from others to the same target."""
        return self.name if self.junction is None else self.junction.table.name

    def described(self) -> dict[str, str]:
        """How the error for an ambiguous request lists it."""
        source, target, junction = self.source.name, self.target.name, self.junction
        if junction is None:
            there = f"{source}({', '.join(column for column, _ in self.pairs)})"
            here = f"{target}({', '.join(column for _, column in self.pairs)})"
            text = f"{self.name} using {there} and {here}"
        else:
            first = f"{junction.constraint}({', '.join(column for _, column in self.pairs)})"
            second = f"{junction.target_constraint}({', '.join(column for column, _ in junction.pairs)})"
            text = f"{junction.table.name} using {first} and {second}"
        return {"cardinality": self.cardinality, "embedding": f"{source} with {target}", "relationship": text}


def direct(key: ForeignKey, source: Entity, target: Entity) -> Iterator[Relationship]:
    """Both ways along a foreign key: from the entity that refers, and back."""
    pairs = tuple(zip(key.columns, key.referred_columns, strict=True))
    back = tuple((there, here) for here, there in pairs)
    one = frozenset(key.columns) in source.unique
    yield Relationship(source, target, "one-to-one" if one else "many-to-one", key.name, pairs)
    yield Relationship(target, source, "one-to-one" if one else "one-to-many", key.name, back)


def across(
    junction: Table, keys: Sequence[tuple[ForeignKey, Entity]], hidden: frozenset[str]
) -> Iterator[Relationship]:
    """The many-to-many relationships through a table whose primary key holds two of its foreign keys.

    Args:
        junction: the table.
        keys: its foreign keys, each with what it refers to.
        hidden: its columns that no client is told of.
    """
    primary = {column.name for column in junction.primary_key.columns}
    for (first, source), (second, target) in permutations(keys, 2):
        if primary.issuperset({*first.columns, *second.columns}):
            here = tuple(zip(first.referred_columns, first.columns, strict=True))
            there = tuple(zip(second.columns, second.referred_columns, strict=True))
            through = Junction(junction, first.name, second.name, there, hidden)
            yield Relationship(source, target, "many-to-many", first.name, here, through)


def find(source: Entity, ways: Sequence[Relationship], target: str, hint: str | None) -> Relationship:
    """The relationship that ``target!hint`` means.

    Raises:
        ApiError: 400 PGRST200 where there is none, 300 PGRST201 where there are several.
    """
    found = meant(ways, target, hint)
    if len(found) == 1:
        return found[0]
    if found:
        raise ambiguous(source, target, sorted(found, key=lambda way: way.name))
    raise unrelated(source, ways, target, hint)


def meant(ways: Sequence[Relationship], target: str, hint: str | None) -> list[Relationship]:
    """All that ``target!hint`` may mean; what a model or a function has given a name goes by that alone. Those by
    columns that clients do not know of are told apart by such names only."""
    named = [way for way in ways if way.is_named and way.name == target]
    found = named[:1] or [way for way in ways if not way.is_named and is_meant(way, target, hint)]
    return found if len(found) <= 1 else [way for way in found if way.is_shown]


def is_meant(way: Relationship, target: str, hint: str | None) -> bool:
    """Whether a relationship may be called so: by its target, with a hint that tells it from others; or, without a
    hint, by its constraint or by its own column."""
    own, referred = shown_pair(way) if len(way.pairs) == 1 and way.junction is None else (None, None)
    constraint = way.name if way.junction is None else None
    named = target == way.target.name
    if way.source is way.target and way.junction is None:
        # One foreign key, two ways: the table's name means the many, the column's name the one.
        if hint is None:
            return (named and way.cardinality == "one-to-many") or (
                target == (own or constraint) and way.cardinality == "many-to-one"
            )
        return named and way.cardinality == "one-to-many" and hint == referred
    if hint is None:
        return named or (not way.target.is_view and target in (constraint, own))
    return named and (hint in (constraint, own, referred) or hint == way.hint())


def shown_pair(way: Relationship) -> tuple[str | None, str | None]:
    """The one column at each end, where clients may know of it."""
    own, referred = way.pairs[0]
    return own if own in way.source.columns else None, referred if referred in way.target.columns else None


def ambiguous(source: Entity, target: str, found: Sequence[Relationship]) -> ApiError:
    names = ", ".join(f"'{way.target.name}!{way.hint()}'" for way in found)
    return ApiError(
        300,
        "PGRST201",
        f"Could not embed because more than one relationship was found for '{source.name}' and '{target}'",
        details=[way.described() for way in found],
        hint=f"Try changing '{target}' to one of the following: {names}. "
        "Find the desired relationship in the 'details' key.",
    )


def unrelated(source: Entity, ways: Sequence[Relationship], target: str, hint: str | None) -> ApiError:
    known = {way.target.name for way in ways}
    close = None if target in known else closest(target, known)
    using = "" if hint is None else f" using the hint '{hint}'"
    return ApiError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{source.name}' and '{target}' in the schema cache",
        details=f"Searched for a foreign key relationship between '{source.name}' and '{target}'{using} "
        f"in the schema '{source.schema}', but no matches were found.",
        hint=None if close is None else f"Perhaps you meant '{close}' instead of '{target}'.",
    )
