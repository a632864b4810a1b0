"""What a resource shows of its model, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel


@dataclass(frozen=True, slots=True, eq=False)
class RowModel:
    """A Pydantic model of rows that the application has written, and where its fields are in the table.

    Args:
        model: the model.
        given: for each key that it reads a value from, the column it is about.
        dumped: for each name that ``model_dump`` has, the column that it is a value of.
        embeds: for each key that it reads related rows from, the relationship, by the name that ``select=`` has for it.
        texts: the keys that it reads exact numbers from, which Pydantic would take for floats if they were no texts.
    """

    model: type[BaseModel]
    given: Mapping[str, str]
    dumped: Mapping[str, str]
    embeds: Mapping[str, str] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """What a resource shows of its model, and what it takes; see :class:`rowserve.Resource` for each.

    Args:
        hidden: names of columns that to a client do not exist.
        readonly: those of columns that are read and not written.
        embed: names of relationships that may be embedded; None for all.
        create: the model of rows to insert, ``update`` of changes, ``read`` of rows that are answered with.
    """

    hidden: frozenset[str] = frozenset()
    readonly: frozenset[str] = frozenset()
    embed: frozenset[str] | None = None
    create: RowModel | None = None
    update: RowModel | None = None
    read: RowModel | None = None


EVERYTHING: Final = Exposure()
"""Where a resource says nothing of it."""
