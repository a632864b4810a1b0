"""The next page is an ordinary request: everything that comes after the last row."""

from __future__ import annotations

from rowserve.query import Field, Order, Parsed, next_page, parse, unparse

BY_ID = [Order(Field("id"))]
BY_NAME = [Order(Field("name")), Order(Field("id"))]


def after(query_string: str, order: list[Order], last: list[str | int | float | bool | None], nullable: int = 0) -> str:
    """The query string of the page after one that ends with ``last``; the first ``nullable`` terms may be NULL."""
    nullables = [index < nullable for index in range(len(order))]
    return unparse(next_page(parse(query_string), order, last, nullables))


def test_the_page_after_a_key() -> None:
    assert after("limit=2", BY_ID, [7]) == "limit=2&id=gt.7"


def test_the_next_link_takes_the_place_of_the_one_before() -> None:
    first = after("limit=2", BY_ID, [7])
    assert after(first, BY_ID, [9]) == "limit=2&id=gt.9"


def test_an_offset_is_left_out() -> None:
    assert after("limit=2&offset=10", BY_ID, [7]) == "limit=2&id=gt.7"


def test_descending() -> None:
    assert after("", [Order(Field("id"), descending=True)], [7]) == "id=lt.7"


def test_ties_are_told_apart_by_the_key() -> None:
    assert after("order=name", BY_NAME, ["Ada", 7]) == "or=(name.gt.Ada,and(name.eq.Ada,id.gt.7))&order=name"


def test_nulls_come_last_unless_said_otherwise() -> None:
    assert (
        after("order=name", BY_NAME, ["Ada", 7], nullable=1)
        == "or=(name.gt.Ada,name.is.null,and(name.eq.Ada,id.gt.7))&order=name"
    )
    assert after("order=name", BY_NAME, [None, 7], nullable=1) == "and=(name.is.null,id.gt.7)&order=name"


def test_nulls_first() -> None:
    order = [Order(Field("name"), nulls="first"), Order(Field("id"))]
    assert after("", order, [None, 7], nullable=1) == "or=(name.is.not_null,and(name.is.null,id.gt.7))"
    assert after("", order, ["Ada", 7], nullable=1) == "or=(name.gt.Ada,and(name.eq.Ada,id.gt.7))"


def test_values_of_any_kind_survive_the_way_through_a_link() -> None:
    for value in ("a,b", 'quote"d', "back\\slash", "(x)", "ü&=", " ", "", "null"):
        link = after("order=name", BY_NAME, [value, 7])
        assert value in parse(link).values


def test_filters_of_ones_own_stay() -> None:
    assert after("name=eq.Ada&limit=1", BY_ID, [7]) == "name=eq.Ada&limit=1&id=gt.7"


def test_the_order_of_the_values_does_not_matter() -> None:
    parsed = next_page(parse("name=eq.Ada"), BY_ID, [7], [False])
    assert isinstance(parsed, Parsed)
    assert parse(unparse(parsed)).query.modifiers.where != ()
