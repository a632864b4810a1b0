"""SQL that a database gives of itself: defaults and generated columns."""

from __future__ import annotations

from sqlalchemy import TextClause, text


def sql_text(expression: str) -> TextClause:
    """An expression of the database as SQLAlchemy's text, which would take a ``:name`` in it for a parameter."""
    return text(expression.replace(":", "\\:"))
