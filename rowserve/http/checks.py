"""What may be wrong with what a write has done, so that it is rolled back."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends import Returned
from ..errors import ApiError
from ..query import Preferences
from .context import not_singular


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows a write may touch; called with what came back.

    Args:
        singular: exactly one.
        most: no more than that; None for any number.
    """

    singular: bool = False
    most: int | None = None

    def __call__(self, returned: Returned) -> None:
        self.check(returned.shown)

    def check(self, rows: int) -> None:
        """Raises ApiError: 406 PGRST116 where there is not exactly one, 400 PGRST124 where there are too many."""
        if self.singular and rows != 1:
            raise not_singular(rows)
        if self.most is not None and rows > self.most:
            raise ApiError(
                400,
                "PGRST124",
                "Query result exceeds max-affected preference constraint",
                details=f"The query affects {rows} rows",
            )


EXACTLY_ONE = RowCount(singular=True)


def row_count(preferences: Preferences, *, singular: bool = False) -> RowCount | None:
    """What ``max-affected``, which counts under strict handling only, and the wish for one object ask for; None for
    nothing."""
    most = preferences.max_affected if preferences.handling == "strict" else None
    return RowCount(singular, most) if singular or most is not None else None
