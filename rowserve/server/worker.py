"""A worker of ``rowserve serve``: a process that Granian starts, and that ends with the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

from starlette.types import ASGIApp

from . import application


def create() -> ASGIApp:
    """The application of this worker."""
    # Forked, it has its parent's handlers, with which a signal that comes before Granian's own are set would be lost.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=follow_parent, name="rowserve-parent", daemon=True).start()
    return application.create()


def follow_parent() -> None:
    """Stops when the parent is gone, however it went: a worker of its own would hold on to the port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
