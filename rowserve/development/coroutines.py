"""Queries that nobody awaits: Python says so, but not on which line they were made."""

from __future__ import annotations

import os
import sys
import warnings
from types import CoroutineType
from typing import Any, TypeAlias

from .places import ROWSERVE, Place, is_users
from .reports import Reports

HOOK = "_warn_unawaited_coroutine"
"""What Python calls, in the module ``warnings``, when it throws away a coroutine that was never awaited."""
DEPTH = 12
"""Frames that are kept of where a coroutine was made."""
SESSIONS = os.path.join("sqlalchemy", "ext", "asyncio") + os.sep

Made: TypeAlias = "CoroutineType[Any, Any, Any]"


class Coroutines:
    """Watches for coroutines of the database that are made on this thread, and never awaited.

    Args:
        reports: told of them.
    """

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._depth = sys.get_coroutine_origin_tracking_depth()
        self._hook = getattr(warnings, HOOK)
        sys.set_coroutine_origin_tracking_depth(max(DEPTH, self._depth))
        setattr(warnings, HOOK, self._thrown_away)

    def stop(self) -> None:
        """Watches no more."""
        setattr(warnings, HOOK, self._hook)
        sys.set_coroutine_origin_tracking_depth(self._depth)

    def _thrown_away(self, coroutine: Made) -> None:
        file = coroutine.cr_code.co_filename
        if SESSIONS not in file and not file.startswith(ROWSERVE):
            self._hook(coroutine)
            return
        name = coroutine.__qualname__
        self._reports.tell(
            "unawaited",
            made_at(coroutine),
            f"{name}() was never awaited, so nothing was asked of the database: write "
            f"`await session.{name.rpartition('.')[2]}(…)`.",
        )


def made_at(coroutine: Made) -> Place | None:
    """The line of the application where a coroutine was made."""
    origin = coroutine.cr_origin or ()
    return next((Place(*frame) for frame in origin if is_users(frame[0])), None)
