"""The statements that reached the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

NO_QUERIES = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"})


class Queries(list[str]):
    """The SQL of each statement that reached the database, in order; several requests may have shared one.

    What begins and ends transactions is left out, and rowserve's own settings.
    """

    def note(self, text: str) -> None:
        if first_word(text) not in NO_QUERIES:
            self.append(text)


queries = Queries()
"""Those of the test that is running."""


@contextmanager
def assert_queries(number: int) -> Iterator[Queries]:
    """Has the test fail unless the block makes a number of queries, of sessions and resources alike.

    Yields:
        those that it has made, once the block has ended.

    Raises:
        AssertionError: there were more or fewer; the message shows them.
    """
    __tracebackhide__ = True
    before = len(queries)
    made = Queries()
    yield made
    made += queries[before:]
    if len(made) != number:
        shown = "".join(f"\n{place:>3}. {text}" for place, text in zip(count(1), made, strict=False))
        raise AssertionError(f"{len(made)} queries instead of {number}{':' if made else ''}{shown}")


def first_word(text: str) -> str:
    """The first word of a statement, in capitals."""
    words = text.split(None, 1)
    return words[0].upper().rstrip(";") if words else ""
