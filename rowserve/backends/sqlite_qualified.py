"""Names of columns in SQLite's statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.sql.selectable import Select


class QualifyingCompiler(SQLiteCompiler):
    """Names the table of each column in a subquery, behind RETURNING too.

    There SQLAlchemy leaves the tables out of all that follows, subqueries included. A column of a query around them
    would become one of the innermost that has a column of that name: a rule would be about another row.
    """

    def visit_select(self, select_stmt: Select[Any], *args: Any, **options: Any) -> str:
        options.pop("include_table", None)
        text: str = super().visit_select(select_stmt, *args, **options)  # type: ignore[no-untyped-call]
        return text
