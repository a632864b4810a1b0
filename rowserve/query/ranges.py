"""The ``Range`` header, where rows are what it counts (``Range-Unit: items``), and the pages that it asks for.

https://docs.postgrest.org/en/v14/references/api/pagination_count.html
"""

from __future__ import annotations

import re

from rowserve.errors import ApiError

from .model import Parsed
from .parser import MAX_RANGE

_RANGE = re.compile(r"([0-9]+)-([0-9]*)")


def read_range(header: str) -> tuple[int, int | None] | None:
    """The offset and the limit of ``0-19`` or ``10-``; None for a header that asks for anything else, which is ignored.

    Only a GET may have one (RFC 9110, section 14.2): of other methods, HEAD among them, the header is not to be read.

    Raises:
        ApiError: 416 PGRST103, for a range that ends before it begins.
    """
    match = _RANGE.fullmatch(header)
    if match is None:
        return None
    first = _bounded(match[1])
    if not match[2]:
        return first, None
    last = _bounded(match[2])
    if last < first:
        raise _not_satisfiable(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        )
    return first, last - first + 1


def with_range(parsed: Parsed, wanted: tuple[int, int | None] | None) -> Parsed:
    """The request for what both its query string and its ``Range`` header ask for.

    Args:
        parsed: what the query string asks for, whose positions both are counted from.
        wanted: what ``read_range`` has read.

    Returns:
        the request with a limit and an offset that lie in both; unchanged where no row is asked for anyway, or the
        last rows are, which a range cannot count.

    Raises:
        ApiError: 416 PGRST103, where the two have no row in common.
    """
    limit, offset = parsed.limit, parsed.offset or 0
    if wanted is None or limit == 0 or parsed.query.modifiers.backward:
        return parsed
    first = max(offset, wanted[0])
    end = min((start + rows for start, rows in ((offset, limit), wanted) if rows is not None), default=None)
    if end is not None and end <= first:
        raise _not_satisfiable("The Range header and the limit and offset of the query string have no row in common.")
    return parsed.paged(limit=None if end is None else end - first, offset=first)


def _bounded(digits: str) -> int:
    significant = digits.lstrip("0")
    return MAX_RANGE if len(significant) > 19 else min(int(significant or "0"), MAX_RANGE)


def _not_satisfiable(details: str) -> ApiError:
    return ApiError(416, "PGRST103", "Requested range not satisfiable", details=details)
