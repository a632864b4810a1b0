"""The door: who may wait, in which order, how long, and what is answered when there is no more room.

A :class:`Door` stands before a few lanes, each a connection that runs one batch at a time. While all lanes are busy
requests wait, and what waits is gathered: requests of the same statement leave as one batch, and identical reads
as one. So the busier it is, the less each request costs. A :class:`Gate` is the same bound for those that hold a
connection of their own for a while: sessions and streams.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future
from collections import deque
from math import ceil
from typing import Any, Generic, Protocol, TypeVar

from ..errors import ApiError

TICK = 0.05
"""Seconds between two looks at the deadlines."""

Work = TypeVar("Work")


class Job(Generic[Work]):
    """A piece of work that waits or runs, and the futures of all who asked for it."""

    __slots__ = ("deadline", "futures", "key", "work")

    def __init__(self, key: object, work: Work, deadline: float, future: Future[Any]) -> None:
        self.key = key
        self.work = work
        self.deadline = deadline
        self.futures = [future]

    def resolve(self, result: object) -> None:
        for future in self.futures:
            if not future.done():
                future.set_result(result)

    def fail(self, error: Exception) -> None:
        for future in self.futures:
            if not future.done():
                future.set_exception(error)

    def abandoned(self) -> bool:
        """Whether nobody waits for it any more."""
        return all(future.done() for future in self.futures)

    def over(self, now: float) -> bool:
        """Whether it is past its deadline, or nobody waits for it any more."""
        return self.deadline < now or self.abandoned()


class Lane(Protocol[Work]):
    """A connection that runs one batch at a time; it tells its door when it is idle again."""

    def run(self, batch: list[Job[Work]]) -> None: ...

    def cancel(self) -> None:
        """Stops what is running; its jobs fail. It is called again and again until the lane is idle."""

    def waiting(self) -> bool:
        """Whether its batch has yet to begin, so that jobs past their deadline may leave it."""


class Door(Generic[Work]):
    """Lets work into lanes, first come first served, what is alike together.

    Args:
        max_waiting: how many jobs may wait.
        batch: how many jobs leave together at the most.
    """

    def __init__(self, *, max_waiting: int, batch: int) -> None:
        self.max_waiting = max_waiting
        self.batch = batch
        self._groups: dict[object, deque[Job[Work]]] = {}
        self._same: dict[object, Job[Work]] = {}
        self._waiting = 0
        self._idle: list[Lane[Work]] = []
        self._running: dict[Lane[Work], list[Job[Work]]] = {}
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._ticking = False
        self._pumping = False
        self._served = 0
        self._rate = 0.0

    def enter(self, work: Work, timeout: float, *, group: object, together: bool, same: object = None) -> Future[Any]:
        """Queues work; the future is that of its result.

        Args:
            work: what a lane is given.
            timeout: seconds until it has to be done.
            group: what is alike: only work of one group shares a batch.
            together: whether it may share a batch at all.
            same: equal for work whose result may be shared; None for work that may not.

        Raises:
            ApiError: 503 with ``Retry-After``: too many wait, or the wait would be longer than the timeout.
        """
        loop = self._loop
        future: Future[Any] = loop.create_future()
        if same is not None:
            job = self._same.get(same)
            if job is not None:
                job.futures.append(future)
                job.deadline = max(job.deadline, loop.time() + timeout)
                return future
        if self._waiting:
            self._check_wait(timeout)
        key = group if together else object()
        job = Job(same, work, loop.time() + timeout, future)
        if same is not None:
            self._same[same] = job
        waiting = self._groups.get(key)
        if waiting is None:
            waiting = self._groups[key] = deque()
        waiting.append(job)
        self._waiting += 1
        if self._idle and not self._pumping:
            # At the end of this turn of the loop: what arrived in the same turn then leaves in one batch.
            self._pumping = True
            loop.call_soon(self._pump)
        if not self._ticking:
            self._ticking = True
            loop.call_later(TICK, self._tick)
        return future

    def open(self, lane: Lane[Work]) -> None:
        """Tells that a lane is idle: a new one, or one whose batch is done."""
        self._served += len(self._running.pop(lane, ()))
        self._idle.append(lane)
        if self._waiting:
            self._pump()

    def shut(self, lane: Lane[Work]) -> None:
        """Takes an idle lane away."""
        if lane in self._idle:
            self._idle.remove(lane)

    async def drained(self) -> None:
        """Returns when nothing waits and nothing runs."""
        while self._waiting or self._running:  # noqa: ASYNC110 - at the end of a life, simple will do
            await asyncio.sleep(TICK / 5)

    def _check_wait(self, timeout: float) -> None:
        expected = self._waiting / self._rate if self._rate else 0.0
        if self._waiting >= self.max_waiting or expected > timeout:
            raise overloaded(expected)

    def _pump(self) -> None:
        self._pumping = False
        while self._idle and self._waiting:
            batch = self._take()
            if batch:
                lane = self._idle.pop()
                self._running[lane] = batch
                lane.run(batch)

    def _take(self) -> list[Job[Work]]:
        """The next batch: of the group that waits longest. Drops jobs that nobody waits for any more."""
        key, waiting = next(iter(self._groups.items()))
        taken = [waiting.popleft() for _ in range(min(len(waiting), self.batch))]
        del self._groups[key]
        if waiting:
            # To the end of the line, so that one busy group cannot keep the others waiting.
            self._groups[key] = waiting
        self._waiting -= len(taken)
        for job in taken:
            if job.key is not None:
                del self._same[job.key]
        return [job for job in taken if not job.abandoned()]

    def _tick(self) -> None:
        """Looks at the deadlines, and at how fast work is being done."""
        if not self._waiting and not self._running:
            self._ticking = False
            self._rate = 0.0
            self._served = 0
            return
        self._loop.call_later(TICK, self._tick)
        if self._waiting and self._served:
            rate = self._served / TICK
            self._rate = rate if not self._rate else 0.8 * self._rate + 0.2 * rate
        self._served = 0
        now = self._loop.time()
        late = overloaded(self._waiting / self._rate if self._rate else 1.0)
        for key, waiting in list(self._groups.items()):
            if any(job.over(now) for job in waiting):
                self._drop_those_over(key, waiting, now, late)
        for lane, batch in list(self._running.items()):
            if lane.waiting():
                for job in batch:
                    if job.deadline < now:
                        job.fail(late)
            if all(job.over(now) for job in batch):
                lane.cancel()

    def _drop_those_over(self, key: object, waiting: deque[Job[Work]], now: float, late: ApiError) -> None:
        """Takes out of a line who came too late or went away: they are not to count as waiting any more."""
        kept = deque(job for job in waiting if not job.over(now))
        for job in waiting:
            if job.over(now):
                job.fail(late)
                if job.key is not None:
                    del self._same[job.key]
        self._waiting -= len(waiting) - len(kept)
        if kept:
            self._groups[key] = kept
        else:
            del self._groups[key]


class Gate:
    """Lets at most ``size`` holders in at a time, first come first served.

    Args:
        size: how many may be inside.
        max_waiting: how many may wait outside.
        timeout: seconds each may wait.
    """

    def __init__(self, size: int, *, max_waiting: int, timeout: float) -> None:
        self._free = size
        self._waiters: deque[Future[None]] = deque()
        self._max_waiting = max_waiting
        self._timeout = timeout

    async def enter(self) -> None:
        """Returns when there is room; :meth:`leave` has to follow.

        Raises:
            ApiError: 503 with ``Retry-After``: too many wait, or there was no room in time.
        """
        if self._free and not self._waiters:
            self._free -= 1
            return
        if len(self._waiters) >= self._max_waiting:
            raise overloaded(self._timeout)
        waiter: Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._timeout):
                await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                self.leave()  # the place was given in the very moment of giving up
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            if isinstance(error, TimeoutError):
                raise overloaded(self._timeout) from None
            raise

    def leave(self) -> None:
        """Gives the place to the next in line."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1


def overloaded(wait: float) -> ApiError:
    """The answer when there is no room: 503, and when to come back."""
    return ApiError(
        503,
        "PGRST003",
        "Timed out acquiring connection from connection pool.",
        hint="The server is busy. Try again after the seconds in Retry-After.",
        headers={"Retry-After": str(max(1, ceil(wait)))},
    )
