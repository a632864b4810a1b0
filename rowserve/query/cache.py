"""A parser that has seen the shape before: only the literals of a request are read anew."""

from __future__ import annotations

from rowserve.errors import ApiError

from .filters import COMPARISONS, read_list
from .model import Parsed, Query, Value
from .parser import EMPTY, RESERVED, RESERVED_WORDS, parse
from .scanner import decode

_LITERAL = COMPARISONS | {"in"}


class ParseCache:
    """``parse``, remembering the query of each *skeleton*: what is left of a query string without its literals.

    Literals are what stands behind the operator in ``key=operator.literal`` and ``key=in.(…)``, and the numbers of
    ``limit`` and ``offset`` (of ``limit=20.last`` too). A request whose values stand elsewhere too, as inside
    ``or=(…)``, is parsed in full each time and not remembered, so that random values cannot push the shapes of other
    requests out.

    Args:
        size: how many skeletons are remembered; past it the oldest is dropped.
        longest: how many characters a skeleton may have to be remembered.
    """

    __slots__ = ("_longest", "_queries", "_size")

    def __init__(self, *, size: int = 1_024, longest: int = 2_000) -> None:
        self._size = size
        self._longest = longest
        self._queries: dict[tuple[str, ...], Query] = {}

    def __len__(self) -> int:
        return len(self._queries)

    def __call__(self, query_string: str) -> Parsed:
        """What ``parse`` answers.

        Raises:
            ApiError: whatever ``parse`` raises.
        """
        if not query_string:
            return EMPTY
        if not query_string.isascii():
            return parse(query_string)
        encoded = "%" in query_string or "+" in query_string
        skeleton: list[str] = []
        values: list[Value] = []
        for pair in query_string.split("&"):
            key, _, value = pair.partition("=")
            operator, dot, literal = value.partition(".")
            # A "&" marks where a literal was taken out: no pair contains one.
            if dot and operator in _LITERAL:
                skeleton.append(f"{key}&{operator}")
                try:
                    if encoded:
                        literal = decode(literal)
                    values.append(read_list(literal) if operator == "in" else literal)
                except ApiError:
                    return parse(query_string)
            elif (key == "limit" or key == "offset") and value.isdecimal() and len(value) < 19:
                skeleton.append(f"{key}&")
                values.append(int(value))
            elif key == "limit" and literal == "last" and operator.isdecimal() and len(operator) < 19:
                skeleton.append("&last")
                values.append(int(operator))
            else:
                skeleton.append(pair)
        shape = tuple(skeleton)
        query = self._queries.get(shape)
        if query is not None:
            return Parsed(query, tuple(values))
        parsed = parse(query_string)
        if parsed.values == tuple(values) and sum(map(len, shape)) <= self._longest and all(map(_is_plain, shape)):
            self._remember(shape, parsed.query)
        return parsed

    parse = __call__

    def _remember(self, shape: tuple[str, ...], query: Query) -> None:
        if len(self._queries) >= self._size:
            self._queries.pop(next(iter(self._queries)), None)
        self._queries[shape] = query


def _is_plain(piece: str) -> bool:
    """Whether a literal taken out behind this key is a value for certain, and not the text of an ``order`` or such.

    An encoded key would have to be decoded to know, and is not worth it.
    """
    key, taken, operator = piece.partition("&")
    if not taken or not operator:
        return True
    return "%" not in key and "+" not in key and key not in RESERVED and key.rpartition(".")[2] not in RESERVED_WORDS
