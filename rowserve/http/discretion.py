"""Errors of the database, without what they say of columns that clients are not to know of."""

from __future__ import annotations

import logging
import re
from typing import TypeVar

from ..errors import ApiError
from ..sql.exposure import Exposure

log = logging.getLogger("rowserve")

Failure = TypeVar("Failure", bound=Exception)

WHOLE_ROW = "Failing row contains"
MESSAGES = {
    "23502": 'null value in a column of relation "{table}" violates not-null constraint',
    "23503": 'a foreign key constraint of table "{table}" is violated',
    "23505": "duplicate key value violates a unique constraint",
    "23514": 'new row for relation "{table}" violates a check constraint',
}


def discreet(error: Failure, table: str, exposure: Exposure) -> Failure | ApiError:
    """What a client may be told of an error: a broken constraint names columns, often in its own name too, and
    PostgreSQL shows the whole row. The log has what is left out."""
    if not exposure.hidden or not isinstance(error, ApiError) or not error.code.startswith("23"):
        return error
    taken = {name for model in (exposure.create, exposure.update) if model for name in model.dumped.values()}
    names = "|".join(map(re.escape, sorted(exposure.hidden - taken)))
    hidden = re.compile(rf"(?<![^\W_])(?:{names})(?![^\W_])") if names else None

    def tells(text: object) -> bool:
        return text is not None and (WHOLE_ROW in str(text) or bool(hidden and hidden.search(str(text))))

    told = [tells(error.message), tells(error.details), tells(error.hint)]
    if not any(told):
        return error
    log.warning("%s: %s (%s)", table, error.message, error.details)
    message = MESSAGES.get(error.code, 'a constraint of relation "{table}" is violated').format(table=table)
    return ApiError(
        error.status,
        error.code,
        message if told[0] else error.message,
        details=None if told[1] else error.details,
        hint=None if told[2] else error.hint,
        headers=error.headers,
    )
