"""Faults on demand: what goes wrong in production, when a test wants it to."""

from __future__ import annotations

from collections.abc import Callable

from .. import database
from ..backends.admission import Gate, overloaded


class Faults:
    """What is to go wrong. The application is told what it would be told in production; the test's own ``session`` is
    spared.

    Attributes:
        delay: seconds that every statement takes longer.
        full: whether nobody is let in.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self.full = False
        self._commit_fails = False
        self._connection_is_lost = False
        self._gates: list[tuple[database.Database, Gate]] = []

    def next_commit_fails(self) -> None:
        """Has the next commit of something written fail, and what it was to commit rolled back.

        The database says that its disk is full (503, 53100).
        """
        self._commit_fails = True

    def connection_lost(self) -> None:
        """Has the next statement find its connection lost, and what it had not committed rolled back.

        On PostgreSQL, what a resource reads is read again on another connection, and anything else is answered 503,
        PGRST000. SQLite has no connection to lose: there, the disk fails (503, 53100).
        """
        self._connection_is_lost = True

    def pool_is_full(self) -> Lasting:
        """Has every request that needs the database be turned away: 503, PGRST003, with ``Retry-After``.

        Until the end of the test, or of a block: ``with faults.pool_is_full():``.
        """
        self.full = True
        for opened in database.opened:
            self._gates.append((opened, opened._gate))
            opened._gate = FullGate()
        return Lasting(self._let_in)

    def _let_in(self) -> None:
        self.full = False
        while self._gates:
            opened, gate = self._gates.pop()
            opened._gate = gate

    def slow(self, seconds: float) -> Lasting:
        """Has every statement take so many seconds longer; past its deadline it is canceled: 500, 57014.

        Until the end of the test, or of a block: ``with faults.slow(0.5):``.
        """
        self.delay = seconds
        return Lasting(self._hurry)

    def _hurry(self) -> None:
        self.delay = 0.0

    def end(self) -> None:
        """Ends all of them."""
        self._let_in()
        self._hurry()
        self._commit_fails = self._connection_is_lost = False

    def commit_fails(self) -> bool:
        """Whether this commit is the one that is to fail."""
        fails, self._commit_fails = self._commit_fails, False
        return fails

    def connection_is_lost(self) -> bool:
        """Whether this statement is the one that is to find its connection lost."""
        lost, self._connection_is_lost = self._connection_is_lost, False
        return lost

    def turn_away(self) -> None:
        """Raises ApiError, 503, if nobody is let in."""
        if self.full:
            raise overloaded(1.0)


faults = Faults()
"""Those of the test that is running."""


class Lasting:
    """A fault that lasts until the end of the test, or of the block that it is the context of."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._end()


class FullGate(Gate):
    """A gate that is full, and has no room to wait before it."""

    def __init__(self) -> None:
        super().__init__(0, max_waiting=0, timeout=1.0)
