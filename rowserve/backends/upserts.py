"""What holds for the rows of one upsert, where a database is given them one by one."""

from __future__ import annotations

from ..errors import database_error
from .base import Arguments, Statement


class Keys:
    """The keys of the rows of one upsert.

    Args:
        statement: the upsert.
    """

    def __init__(self, statement: Statement) -> None:
        self._positions = statement.key
        self._seen: set[Arguments] = set()

    def add(self, arguments: Arguments) -> Arguments:
        """The key in a set of arguments.

        Raises:
            ApiError: 21000 for one that a set before it had; PostgreSQL says so of rows that it is given together.
        """
        key = tuple([arguments[position] for position in self._positions])
        if key and key in self._seen and None not in key:
            raise database_error(
                "21000",
                "ON CONFLICT DO UPDATE command cannot affect row a second time",
                hint="Ensure that no rows proposed for insertion within the same command have duplicate constrained "
                "values.",
            )
        self._seen.add(key)
        return key
