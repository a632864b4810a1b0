"""SQLite without statistics of its memory.

SQLite counts each piece of memory that it takes, for all connections of a process together and one thread at a time.
JSON is made of many small pieces, so two threads that make it wait for each other at every one: measured here, two
threads made fewer lists of embedded rows in a second (200) than one alone (290), and without the statistics 500 to 670.
Nothing in Python can ask for those statistics.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys

SQLITE_CONFIG_MEMSTATUS = 9
EXTENSION = "_sqlite3"


def turn_off_statistics() -> None:
    """Turns them off, unless SQLite has been loaded: it takes its configuration only before it is first used. Where its
    library is not found, as in a Python that has it built in, all stays as it is."""
    if EXTENSION in sys.modules:
        return
    found = importlib.util.find_spec(EXTENSION)
    if found is None or not found.has_location or found.origin is None:
        return
    try:
        ctypes.CDLL(found.origin).sqlite3_config(SQLITE_CONFIG_MEMSTATUS, ctypes.c_int(0))
    except (OSError, AttributeError):
        return
