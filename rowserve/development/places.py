"""Where in the application something comes from: its own lines, not those of libraries."""

from __future__ import annotations

import linecache
import os
import sysconfig
from asyncio import Task
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

PATHS = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
ROWSERVE = str(Path(__file__).parents[1]) + os.sep
OTHERS = (ROWSERVE, *{os.path.realpath(sysconfig.get_path(name)) + os.sep for name in PATHS})
LOOP = tuple(os.path.join("asyncio", name) for name in ("runners.py", "base_events.py", "events.py"))
"""Where the event loop itself is: what is below it on the stack is not what it is running."""


class Place(NamedTuple):
    """A line of the application."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        inside = self.file.startswith(os.getcwd() + os.sep)
        return f"{os.path.relpath(self.file) if inside else self.file}:{self.line}"

    @property
    def source(self) -> str:
        """What stands there."""
        return linecache.getline(self.file, self.line).strip()


@lru_cache(maxsize=4_096)
def is_users(file: str) -> bool:
    """Whether a file is a part of the application, rather than of a library."""
    if file.startswith("<"):
        return False
    path = os.path.realpath(file)
    return not path.startswith(OTHERS) and "site-packages" not in path and "dist-packages" not in path


def place_of(frame: FrameType) -> Place:
    """The line that a frame is at."""
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def place_of_function(function: object) -> Place | None:
    """The first line of a function of the application, behind its decorators."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or not is_users(code.co_filename):
        return None
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    decorators = next((n for n, line in enumerate(lines) if line.lstrip().startswith(("def ", "async def "))), 0)
    return Place(code.co_filename, code.co_firstlineno + decorators, code.co_name)


def innermost(frames: Iterable[FrameType]) -> Place | None:
    """The first line of the application among some frames, the innermost of which comes first."""
    for frame in frames:
        file = frame.f_code.co_filename
        if file.endswith(LOOP):
            return None
        if is_users(file):
            return place_of(frame)
    return None


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def across_greenlets(frame: FrameType | None) -> Iterator[FrameType]:
    """The same, and on in the greenlet that has started this one: SQLAlchemy runs what it does in one of its own."""
    from greenlet import getcurrent  # type: ignore[import-untyped]

    yield from outwards(frame)
    greenlet = getcurrent().parent
    while greenlet is not None:
        yield from outwards(greenlet.gr_frame)
        greenlet = greenlet.parent


def awaiting(task: Task[Any]) -> list[FrameType]:
    """Where a task that waits stands: the innermost frame comes first."""
    found: list[FrameType] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        for frame, awaited in (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await")):
            if getattr(waiting, frame, None) is not None:
                found.append(getattr(waiting, frame))
                waiting = getattr(waiting, awaited)
                break
        else:
            break
    return found[::-1]
