"""The pages beside one are ordinary requests: everything that comes after its last row, or before its first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowserve.query import (
    Condition,
    Field,
    Is,
    JsonStep,
    Logic,
    Order,
    Parsed,
    came_by_link,
    has_keyset,
    next_offset,
    next_page,
    parse,
    previous_offset,
    previous_page,
    unparse,
)
from rowserve.query.keyset import JsonScalar

BY_ID = [Order(Field("id"))]
BY_NAME = [Order(Field("name")), Order(Field("id"))]


def nullables(order: list[Order], nullable: int) -> list[bool]:
    return [index < nullable for index in range(len(order))]


def after(query_string: str, order: list[Order], last: list[JsonScalar], nullable: int = 0) -> str:
    """The query string of the page after one that ends with ``last``; the first ``nullable`` terms may be NULL."""
    return unparse(next_page(parse(query_string), order, last, nullables(order, nullable)))


def before(query_string: str, order: list[Order], first: list[JsonScalar], nullable: int = 0) -> str:
    """The query string of the page before one that begins with ``first``."""
    return unparse(previous_page(parse(query_string), order, first, nullables(order, nullable)))


def test_the_page_after_a_key() -> None:
    assert after("limit=2", BY_ID, [7]) == "limit=2&and=(and(id.gt.7))"


def test_the_page_before_a_key() -> None:
    assert before("limit=2", BY_ID, [7]) == "limit=2.last&and=(and(id.lt.7))"


def test_a_link_takes_the_place_of_the_one_before_whichever_way_it_goes() -> None:
    there = after("limit=2&order=name", BY_NAME, ["Ada", 7], nullable=1)
    further = after(there, BY_NAME, [None, 9], nullable=1)
    assert further == "limit=2&and=(and(name.is.null,id.gt.9))&order=name"
    back = before(further, BY_NAME, ["Bob", 8], nullable=1)
    assert back == "limit=2.last&and=(and(name.lte.Bob,or(name.lt.Bob,id.lt.8)))&order=name"
    assert before(back, BY_NAME, ["Ada", 7]) == back.replace("Bob", "Ada").replace("8", "7")
    assert after(back, BY_NAME, ["Ada", 7], nullable=1) == there


def test_an_offset_is_left_out() -> None:
    assert after("limit=2&offset=10", BY_ID, [7]) == "limit=2&and=(and(id.gt.7))"
    assert before("limit=2&offset=10", BY_ID, [7]) == "limit=2.last&and=(and(id.lt.7))"


def test_descending() -> None:
    order = [Order(Field("id"), descending=True)]
    assert after("", order, [7]) == "and=(and(id.lt.7))"
    assert before("limit=1", order, [7]) == "limit=1.last&and=(and(id.gt.7))"


def test_ties_are_told_apart_by_the_key() -> None:
    assert after("order=name", BY_NAME, ["Ada", 7]) == "and=(and(name.gte.Ada,or(name.gt.Ada,id.gt.7)))&order=name"


def test_nulls_come_last_unless_said_otherwise() -> None:
    assert (
        after("", BY_NAME, ["Ada", 7], nullable=1)
        == "and=(and(or(and(name.gte.Ada,or(name.gt.Ada,id.gt.7)),name.is.null)))"
    )
    assert after("", BY_NAME, [None, 7], nullable=1) == "and=(and(name.is.null,id.gt.7))"
    assert (
        before("limit=1", BY_NAME, [None, 7], nullable=1)
        == "limit=1.last&and=(and(or(name.is.not_null,and(name.is.null,id.lt.7))))"
    )


def test_nulls_first() -> None:
    order = [Order(Field("name"), nulls="first"), Order(Field("id"))]
    assert after("", order, [None, 7], nullable=1) == "and=(and(or(name.is.not_null,and(name.is.null,id.gt.7))))"
    assert after("", order, ["Ada", 7], nullable=1) == "and=(and(name.gte.Ada,or(name.gt.Ada,id.gt.7)))"


def test_nothing_comes_after_the_last_null_of_an_order_without_a_key() -> None:
    assert after("", [Order(Field("name"))], [None], nullable=1) == "and=(and(name.is.null,name.is.not_null))"


def test_the_size_of_a_page_whose_request_has_no_limit_has_to_be_given() -> None:
    with pytest.raises(ValueError, match="pass size="):
        before("", BY_ID, [7])
    parsed = previous_page(parse(""), BY_ID, [7], [False], size=100)
    assert unparse(parsed) == "limit=100.last&and=(and(id.lt.7))"
    assert unparse(previous_page(parse("limit=5000"), BY_ID, [7], [False], size=100)) == unparse(parsed)


def test_values_of_any_kind_survive_the_way_through_a_link() -> None:
    for value in ("a,b", 'quote"d', "back\\slash", "(x)", "ü&=", " ", "", "null"):
        assert value in parse(after("order=name", BY_NAME, [value, 7])).values
        assert value in parse(before("order=name&limit=1", BY_NAME, [value, 7])).values


@pytest.mark.parametrize(
    "own",
    ["id=gt.5", "and=(id.gt.5)", "and=(and(id.eq.5))", "and=(and(age.gt.5))", "not.and=(and(id.gt.5))", "or=(id.gt.5)"],
)
def test_filters_of_ones_own_stay(own: str) -> None:
    there = after(f"{own}&limit=1", BY_ID, [7])
    assert there == f"{own}&limit=1&and=(and(id.gt.7))"
    assert before(there, BY_ID, [7]) == f"{own}&limit=1.last&and=(and(id.lt.7))"


def test_whether_a_request_came_by_a_link() -> None:
    assert came_by_link(parse(after("order=name", BY_NAME, ["Ada", 7])), BY_NAME)
    assert came_by_link(parse(before("limit=1", BY_NAME, [None, 7], nullable=1)), BY_NAME)
    assert not came_by_link(parse("id=gt.7&limit=1&order=name"), BY_NAME)


def test_what_no_filter_can_say_has_no_keyset() -> None:
    assert has_keyset(BY_NAME)
    assert has_keyset([Order(Field("a", (JsonStep("->", "b"), JsonStep("->>", "c")))), *BY_ID])
    assert not has_keyset([Order(Field("a", (JsonStep("->", "b"),))), *BY_ID])
    assert not has_keyset([Order(Field("name"), embed="director"), *BY_ID])


def test_json_paths_are_paged_by_their_text() -> None:
    order = [Order(Field("a", (JsonStep("->>", "b c"),))), *BY_ID]
    link = unquote(after("limit=1", order, ["x", 7], nullable=1))
    column = 'a->>"b c"'
    assert link == f"limit=1&and=(and(or(and({column}.gte.x,or({column}.gt.x,id.gt.7)),{column}.is.null)))"


def test_pages_by_counting() -> None:
    order = "select=director(name)&order=director(name)"
    first = parse(f"{order}&limit=20")
    second = next_offset(first, 20)
    assert unparse(second) == f"{order}&limit=20&offset=20"
    assert unparse(next_offset(parse(unparse(second)), 20)) == f"{order}&limit=20&offset=40"
    assert previous_offset(first, 20) is None
    assert previous_offset(parse("offset=0"), 20) is None
    back = previous_offset(parse(f"{order}&limit=20&offset=15"), 20)
    assert back is not None
    assert back.offset == 0
    assert unparse(back) == f"{order}&limit=20&offset=0"


# What a database does with such requests, in a few lines: rows of texts, None for NULL.

Row = dict[str, str | None]


def holds(condition: Condition, row: Row, values: Sequence[object]) -> bool | None:
    if isinstance(condition, Logic):
        truths = [holds(inner, row, values) for inner in condition.conditions]
        decisive = condition.operator == "or"
        return decisive if decisive in truths else None if None in truths else not decisive
    value = row[condition.field.name]
    if isinstance(condition, Is):
        return (value is None) == (condition.value == "null")
    other = values[condition.parameter]
    assert isinstance(other, str)
    if value is None:
        return None
    return {"gt": value > other, "gte": value >= other, "lt": value < other, "lte": value <= other}[condition.operator]


def compared(order: Sequence[Order], one: Row, other: Row) -> int:
    for term in order:
        a, b = one[term.field.name], other[term.field.name]
        if a == b:
            continue
        if a is None or b is None:
            nulls = term.nulls or ("first" if term.descending else "last")
            return -1 if (a is None) == (nulls == "first") else 1
        return -1 if (a < b) != term.descending else 1
    return 0


def in_order(rows: list[Row], order: Sequence[Order]) -> list[Row]:
    def compare(one: Row, other: Row) -> int:
        return compared(order, one, other)

    return sorted(rows, key=cmp_to_key(compare))


def answer(parsed: Parsed, order: Sequence[Order], rows: list[Row]) -> list[Row]:
    found = [row for row in rows if all(holds(item, row, parsed.values) for item in parsed.query.modifiers.where)]
    found = in_order(found, order)
    limit = parsed.limit
    assert limit is not None
    return found[-limit:] if parsed.query.modifiers.backward else found[:limit]


some_rows = st.lists(st.tuples(st.sampled_from([None, "x", "y"]), st.sampled_from([None, "p", "q"])), max_size=12).map(
    lambda pairs: [{"a": a, "b": b, "id": f"{index:02}"} for index, (a, b) in enumerate(pairs)]
)
some_orders = st.tuples(
    *(
        st.builds(Order, st.just(Field(name)), st.booleans(), st.sampled_from([None, "first", "last"]))
        for name in ("a", "b", "id")
    )
)


@given(some_rows, some_orders, st.integers(1, 4))
def test_all_pages_forth_and_back_are_the_whole_list(rows: list[Row], order: tuple[Order, ...], limit: int) -> None:
    """Every row comes once, in the order, whichever way one walks; and no link is longer than the one before."""
    nullable = [True, True, False]
    whole = in_order(rows, order)
    parsed = parse(f"limit={limit}")
    forth: list[list[Row]] = []
    while page := answer(parsed, order, rows):
        forth.append(page)
        last = [page[-1][term.field.name] for term in order]
        parsed = parse(unparse(next_page(parsed, order, last, nullable)))
        assert len(parsed.query.modifiers.where) == 1
    assert [row for page in forth for row in page] == whole
    if not forth:
        return
    for page in reversed(forth[:-1]):
        first = [forth[forth.index(page) + 1][0][term.field.name] for term in order]
        parsed = parse(unparse(previous_page(parsed, order, first, nullable)))
        assert len(parsed.query.modifiers.where) == 1
        assert answer(parsed, order, rows) == page
    first = [forth[0][0][term.field.name] for term in order]
    assert answer(parse(unparse(previous_page(parsed, order, first, nullable))), order, rows) == []
