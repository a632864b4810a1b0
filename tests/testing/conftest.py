"""Runs a user's suite."""

from __future__ import annotations

collect_ignore = ["project"]  # it is a project of its own
