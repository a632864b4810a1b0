"""SQLite does not count its memory, which threads would wait for each other for."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, importlib.util
{first}
import sqlite3
connection = sqlite3.connect(":memory:")
connection.execute("CREATE TABLE numbers AS SELECT 1 AS number")
print(ctypes.CDLL(importlib.util.find_spec("_sqlite3").origin).sqlite3_memory_used() > 0)
"""


@pytest.mark.skipif(
    not getattr(importlib.util.find_spec("_sqlite3"), "has_location", False), reason="SQLite is built into this Python"
)
@pytest.mark.parametrize(
    ("first", "counts"), [("import rowserve", False), ("", True), ("import sqlite3\nimport rowserve", True)]
)
def test_memory_is_not_counted_once_rowserve_is_imported(first: str, counts: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"{counts}\n"
