"""Packages of npm for tests: installed once, in a cache outside of the repository."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

CACHE = Path.home() / ".cache" / "rowserve-tests"
INSTALLING = 600
"""Seconds that npm may take."""


def node_modules(dependencies: Mapping[str, str]) -> Path:
    """The folder ``node_modules`` that has some packages; a link to it makes them importable anywhere.

    Args:
        dependencies: exact versions by name.
    """
    assert shutil.which("npm"), "There is no npm: these tests need Node"
    manifest = json.dumps({"private": True, "dependencies": dict(sorted(dependencies.items()))})
    folder = CACHE / f"node-{hashlib.sha256(manifest.encode()).hexdigest()[:12]}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            fresh = Path(name) / "installed"
            fresh.mkdir()
            (fresh / "package.json").write_text(manifest)
            quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(
                ["npm", "install", *quiet], cwd=fresh, capture_output=True, text=True, timeout=INSTALLING, check=False
            )
            assert done.returncode == 0, done.stderr
            with suppress(OSError):  # another run was first
                os.rename(fresh, folder)
    return folder / "node_modules"
