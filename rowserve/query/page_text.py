"""The text of a page's request, ready but for the values of the row that it comes after.

Each answer with a page names the next one in its ``Link`` header. Of the filter that says where that begins only a
row's values change: all around them is built and written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_hex

from .keyset import JsonScalar, text_of
from .model import Parsed
from .unparse import nested_value, unparse


class PageText:
    """What ``unparse(page(row))`` is for every row that has its NULLs in the same places.

    Args:
        page: makes the request of a row's values, as ``next_page`` and ``previous_page`` do.
        nulls: for each value, whether it is None.
    """

    def __init__(self, page: Callable[[Sequence[JsonScalar]], Parsed], nulls: Sequence[bool]) -> None:
        # Nobody who sends a request can know the mark, so none of its own texts is taken for it.
        mark = token_hex(16)
        marked = [None if null else f"{mark}{index}{mark}" for index, null in enumerate(nulls)]
        pieces = unparse(page(marked)).split(mark)
        self._texts = pieces[::2]
        self._places = list(map(int, pieces[1::2]))

    def of(self, row: Sequence[JsonScalar]) -> str:
        """The query string for a row's values."""
        written = [None if value is None else nested_value(text_of(value)) for value in row]
        text = self._texts[0]
        for place, after in zip(self._places, self._texts[1:], strict=True):
            text += f"{written[place]}{after}"
        return text
