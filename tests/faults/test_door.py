"""The door and the gate by themselves, with lanes that do nothing until they are told."""

from __future__ import annotations

import asyncio
from asyncio import Future
from typing import Any

import pytest

from rowserve.backends.admission import Door, Gate, Job
from rowserve.errors import ApiError

pytestmark = pytest.mark.anyio


class FakeLane:
    """A lane that keeps its batch until it is told to be done."""

    def __init__(self, door: Door[str], *, holding: bool = False) -> None:
        self.door = door
        self.batches: list[list[str]] = []
        self.batch: list[Job[str]] = []
        self.cancelled = asyncio.Event()
        self.holding = holding
        door.open(self)

    def run(self, batch: list[Job[str]]) -> None:
        assert not self.batch, "one batch at a time"
        self.batch = batch
        self.batches.append([job.work for job in batch])

    def cancel(self) -> None:
        self.cancelled.set()

    def waiting(self) -> bool:
        return self.holding

    def done(self) -> None:
        batch, self.batch = self.batch, []
        for job in batch:
            job.resolve(job.work.upper())
        self.door.open(self)


def a_door(*, max_waiting: int = 100, batch: int = 4) -> Door[str]:
    return Door(max_waiting=max_waiting, batch=batch)


def enter(door: Door[str], work: str, *, group: str = "g", timeout: float = 5.0, **options: Any) -> Future[Any]:
    return door.enter(work, timeout, group=group, together=options.pop("together", True), **options)


async def test_first_come_first_served() -> None:
    door = a_door()
    lane = FakeLane(door)
    futures = [enter(door, work, together=False) for work in "abc"]
    for _ in futures:
        await asyncio.sleep(0)
        lane.done()
    assert await asyncio.gather(*futures) == ["A", "B", "C"]
    assert lane.batches == [["a"], ["b"], ["c"]]


async def test_what_is_alike_leaves_together_and_no_group_starves() -> None:
    door = a_door(batch=3)
    lane = FakeLane(door)
    futures = [enter(door, f"x{n}", group="x") for n in range(5)] + [enter(door, "y0", group="y")]
    await asyncio.sleep(0)
    for _ in range(3):
        lane.done()
    await asyncio.gather(*futures)
    assert lane.batches == [["x0", "x1", "x2"], ["y0"], ["x3", "x4"]]


async def test_identical_reads_share_one_execution() -> None:
    door = a_door()
    lane = FakeLane(door)
    futures = [enter(door, "a", same="a"), enter(door, "a", same="a"), enter(door, "b", same="b")]
    await asyncio.sleep(0)
    futures.append(enter(door, "a", same="a"))
    lane.done()
    lane.done()
    assert await asyncio.gather(*futures) == ["A", "A", "B", "A"]
    assert lane.batches == [["a", "b"], ["a"]], "what has begun to run is not joined any more"


async def test_one_of_those_who_share_may_go_away() -> None:
    door = a_door()
    lane = FakeLane(door)
    first, second = enter(door, "a", same="a"), enter(door, "a", same="a")
    first.cancel()
    await asyncio.sleep(0)
    lane.done()
    assert await second == "A"


async def test_full_line_is_refused_at_once() -> None:
    door = a_door(max_waiting=3, batch=1)
    lane = FakeLane(door)
    futures = [enter(door, "running")]
    await asyncio.sleep(0)
    futures += [enter(door, "waiting") for _ in range(3)]
    with pytest.raises(ApiError) as refused:
        enter(door, "one too many")
    assert refused.value.status == 503
    assert int((refused.value.headers or {})["Retry-After"]) >= 1
    for _ in futures:
        lane.done()
    await asyncio.gather(*futures)


async def test_deadline_while_waiting() -> None:
    door = a_door(batch=1)
    lane = FakeLane(door)
    running = enter(door, "running")
    await asyncio.sleep(0)
    waiting = enter(door, "waiting", timeout=0.05)
    with pytest.raises(ApiError) as late:
        await asyncio.wait_for(waiting, 2)
    assert late.value.status == 503
    lane.done()
    assert await running == "RUNNING"
    assert lane.batches == [["running"]], "what came too late is not run"


async def test_those_who_gave_up_make_room() -> None:
    door = a_door(max_waiting=2, batch=1)
    lane = FakeLane(door)
    running = enter(door, "running")
    await asyncio.sleep(0)
    for future in [enter(door, "gone", same="gone") for _ in range(2)] + [enter(door, "gone too")]:
        future.cancel()
    async with asyncio.timeout(2):
        while door._waiting:  # noqa: ASYNC110 - what it looks at is nobody's event
            await asyncio.sleep(0.01)
    again = enter(door, "gone", same="gone")
    lane.done()
    lane.done()
    assert await running == "RUNNING"
    assert await again == "GONE"
    assert lane.batches == [["running"], ["gone"]]


async def test_deadline_while_running_cancels_the_lane() -> None:
    door = a_door()
    lane = FakeLane(door)
    future = enter(door, "slow", timeout=0.05)
    await asyncio.wait_for(lane.cancelled.wait(), 2)
    assert not future.done(), "the lane says what became of it"
    lane.done()
    assert await future == "SLOW"


async def test_a_batch_is_cancelled_when_the_last_of_it_is_over() -> None:
    door = a_door()
    lane = FakeLane(door)
    short, long = enter(door, "short", timeout=0.02), enter(door, "long", timeout=5)
    await asyncio.sleep(0.2)
    assert not lane.cancelled.is_set()
    long.cancel()
    await asyncio.wait_for(lane.cancelled.wait(), 2)
    lane.done()
    assert await short == "SHORT"


async def test_who_waits_in_a_batch_that_has_not_begun_is_answered_at_its_deadline() -> None:
    door = a_door()
    lane = FakeLane(door, holding=True)
    short, long = enter(door, "short", timeout=0.02), enter(door, "long", timeout=5)
    with pytest.raises(ApiError):
        await asyncio.wait_for(short, 2)
    assert not lane.cancelled.is_set()
    lane.done()
    assert await long == "LONG"


async def test_abandoned_work_is_not_run() -> None:
    door = a_door(batch=1)
    lane = FakeLane(door)
    futures = [enter(door, work) for work in ("a", "b", "c")]
    futures[1].cancel()
    for _ in range(2):
        await asyncio.sleep(0)
        lane.done()
    assert lane.batches == [["a"], ["c"]]
    await door.drained()


async def test_gate_lets_in_so_many_in_order() -> None:
    gate = Gate(1, max_waiting=10, timeout=5)
    await gate.enter()
    order: list[int] = []

    async def holder(number: int) -> None:
        await gate.enter()
        order.append(number)
        gate.leave()

    tasks = [asyncio.create_task(holder(number)) for number in range(3)]
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2]


async def test_gate_refuses_when_the_line_is_full() -> None:
    gate = Gate(1, max_waiting=0, timeout=5)
    await gate.enter()
    with pytest.raises(ApiError) as refused:
        await gate.enter()
    assert refused.value.status == 503
    gate.leave()
    await gate.enter()


async def test_gate_does_not_wait_for_ever() -> None:
    gate = Gate(1, max_waiting=1, timeout=0.02)
    await gate.enter()
    for _ in range(2):
        with pytest.raises(ApiError):
            await gate.enter()
    gate.leave()
    await gate.enter()


@pytest.mark.parametrize("first", ["leave", "cancel"])
async def test_gate_loses_no_place_to_who_is_cancelled(first: str) -> None:
    gate = Gate(1, max_waiting=10, timeout=5)
    await gate.enter()
    task = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    if first == "leave":
        gate.leave()
        task.cancel()
    else:
        task.cancel()
        gate.leave()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(gate.enter(), 1)
