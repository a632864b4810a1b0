"""A page's text that is kept says what the request of the page would."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rowserve.query import Field, Order, PageText, Parsed, next_page, parse, previous_page, unparse
from rowserve.query.keyset import JsonScalar

ORDER = (Order(Field("name"), descending=True), Order(Field("born"), nulls="first"), Order(Field("id")))
NULLABLE = (True, True, False)
ASKED = "limit=20&name=in.(Ada,%22B,b%22)&or=(born.lt.1900,born.is.null)"

scalars = st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans()
rows = st.tuples(st.none() | scalars, st.none() | scalars, scalars)


def after(row: Sequence[JsonScalar]) -> Parsed:
    return next_page(parse(ASKED), ORDER, row, NULLABLE)


def before(row: Sequence[JsonScalar]) -> Parsed:
    return previous_page(parse(ASKED), ORDER, row, NULLABLE)


@given(rows)
def test_it_is_what_the_page_is_unparsed_to(row: tuple[JsonScalar, ...]) -> None:
    nulls = [value is None for value in row]
    assert PageText(after, nulls).of(row) == unparse(after(row))
    assert PageText(before, nulls).of(row) == unparse(before(row))


@given(rows, rows)
def test_it_keeps_nothing_of_the_row_before(one: tuple[JsonScalar, ...], other: tuple[JsonScalar, ...]) -> None:
    nulls = [value is None for value in one]
    other = tuple(None if null else 0 if value is None else value for value, null in zip(other, nulls, strict=True))
    text = PageText(after, nulls)
    text.of(one)
    assert text.of(other) == unparse(after(other))
