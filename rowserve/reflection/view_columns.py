"""Which columns of tables the columns of PostgreSQL's views are, and the keys that views have from them.

A view's definition is kept as a tree of nodes, written out as text. Each column of it says which column of which
table or view it is, if it is one and no expression (``resorigtbl``, ``resorigcol``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import product

Origin = tuple[int, int]
"""The oid of a table or view, and the number of a column of it."""

# Whatever a backslash is before belongs to a name. Of all else only brackets and four fields matter, which spares
# most of the text a look: it can be long.
_MARKS = re.compile(r"\\.|([(){}])| :(targetList|resno|resorigtbl|resorigcol)(?: (\d+))?(?=[ )}])", re.DOTALL)
_ENTRY = 4
"""How deep a column of the outermost query is: the list of queries, the query, the list of columns, the column."""


def view_columns(tree: str) -> dict[int, Origin]:
    """For the numbers of a view's columns what each is, as far as it is a column of a table or view.

    Args:
        tree: ``pg_rewrite.ev_action`` of the view.
    """
    origins: dict[int, Origin] = {}
    depth = 0
    inside = False
    fields: dict[str, int] = {}
    for mark in _MARKS.finditer(tree):
        bracket, field, value = mark.groups()
        if bracket is None:
            if field == "targetList":
                inside = inside or depth == _ENTRY - 2
            elif field is not None and inside and depth == _ENTRY:
                fields[field] = int(value)
        elif bracket in "({":
            depth += 1
            if inside and depth == _ENTRY:
                fields = {}
        else:
            if inside and depth == _ENTRY and fields.get("resorigtbl"):
                origins[fields["resno"]] = (fields["resorigtbl"], fields["resorigcol"])
            depth -= 1
            if inside and depth == _ENTRY - 2:
                break  # the end of the outermost list
    return origins


class ViewColumns:
    """The columns of views, traced to the tables behind them, through as many views as there are between.

    Args:
        origins: for each view what its columns are, as `view_columns` gives it.
    """

    def __init__(self, origins: Mapping[int, Mapping[int, Origin]]) -> None:
        self._origins = origins
        self._shown: dict[int, dict[Origin, list[int]]] = {}
        for view, columns in origins.items():
            shown: dict[Origin, list[int]] = defaultdict(list)
            for number, origin in sorted(columns.items()):
                shown[self._table_column(origin)].append(number)
            self._shown[view] = dict(shown)

    def _table_column(self, origin: Origin) -> Origin:
        while (behind := self._origins.get(origin[0], {}).get(origin[1])) is not None:
            origin = behind
        return origin

    def tables(self, view: int) -> list[int]:
        """The tables that columns of the view come from."""
        return list(dict.fromkeys(table for table, _ in self._shown.get(view, {})))

    def keys(self, view: int, table: int, columns: Iterable[int]) -> list[tuple[int, ...]]:
        """The columns of a view that are those columns of a table, in their order: none unless the view shows all of
        them, and several where it shows one more than once."""
        shown = self._shown.get(view, {})
        return list(product(*(shown.get((table, column), []) for column in columns)))
