"""JavaScript's clients: each script of ``node/`` is a suite of its own, run on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = sorted(path.name for path in (Path(__file__).parent / "node").glob("*.mjs"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_client_does_what_its_users_do(script: str, node: Callable[[str], None]) -> None:
    node(script)
