"""The example application's own tests pass, on both databases."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.processes import inherited

ROOT = Path(__file__).parents[2]


def test_the_blogs_tests_pass(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "examples/blog"],
        cwd=ROOT,
        env={**inherited(), "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed in", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 20
