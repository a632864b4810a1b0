"""A database of the tests' own: in memory, unless ``$DATABASE_URL`` names another one, which is left as it was."""

from __future__ import annotations

import os

os.environ.setdefault("DATABASE_URL", "sqlite://")

pytest_plugins = ["rowserve.testing"]
