"""Transactions that were in each other's way: what is told of it, and when to try again."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..errors import ApiError

ATTEMPTS = 8
"""How often something is tried again."""
SHORTEST = 0.002
"""Seconds that the first pause takes at the most; each may be twice as long as the one before it."""
CODES = frozenset({"40001", "40P01"})
"""Serialization failures and deadlocks."""
LOCKED = "the database is locked by another writer"
"""What is told of SQLite's SQLITE_BUSY."""


def is_conflict(error: BaseException) -> bool:
    """Whether it would go well now that another transaction has ended."""
    return isinstance(error, ApiError) and (error.code in CODES or error.message == LOCKED)


def pauses() -> Iterator[float]:
    """Seconds to wait before each new attempt: of two that met, chance decides which comes first."""
    return (random.uniform(0, SHORTEST * 2**attempt) for attempt in range(ATTEMPTS))  # noqa: S311 - no secret
