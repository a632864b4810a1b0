"""The blog: its own tests on both databases, and what its README says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.reader import Reader
from tests.processes import inherited

ROOT = Path(__file__).parents[2]
BLOG = ROOT / "examples" / "blog"


def test_its_tests_pass(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(BLOG)],
        cwd=ROOT,
        env={**inherited(), "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout


def test_its_readme_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("DATABASE_URL", "BLOG_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    readme = BLOG / "README.md"
    asyncio.run(Reader(tmp_path, {}).read(readme, readme.read_text()))
