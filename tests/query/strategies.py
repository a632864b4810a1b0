"""Requests at random, as hypothesis strategies."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import strategies as st

from rowserve.query import (
    Call,
    Column,
    Comparison,
    Condition,
    Embed,
    Field,
    Is,
    JsonStep,
    Logic,
    Modifiers,
    Order,
    Parsed,
    Query,
    SelectItem,
    Star,
    Value,
)
from rowserve.query.filters import COMPARISONS, QUANTIFIABLE, TEXT_SEARCH, is_operation

plain = st.sampled_from(["a", "id", "full name", "a-b", "a - b", "Größe"]) | st.sampled_from(
    ["order", "not", "and", "count", "inner", "$1", "_"]
)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
names = plain | texts
indices = st.integers(-(2**31), 2**31 - 1)
steps = st.builds(JsonStep, st.sampled_from(["->", "->>"]), names | indices)
fields = st.builds(Field, names, st.lists(steps, max_size=3).map(tuple))
types = st.sampled_from(["int", "double precision", "_text", "timestamp with time zone"])
columns = st.builds(Column, fields, st.none() | names, st.none() | types) | st.builds(
    Column,
    fields,
    st.none() | names,
    st.none() | types,
    st.sampled_from(["avg", "count", "max", "min", "sum"]),
    st.none() | types,
)
counts = st.builds(Column, st.none(), st.none() | names, st.none(), st.just("count"), st.none() | types)


def embeds(select: st.SearchStrategy[list[SelectItem]]) -> st.SearchStrategy[Embed]:
    inside, hint, join = select.map(tuple), st.none() | names, st.sampled_from([None, "inner", "left"])
    plain_embeds = st.builds(Embed, names, inside, st.none() | names.filter(bool), hint, join)
    return plain_embeds | st.builds(Embed, names, inside, st.none(), hint, join, st.just(True))


selects = st.recursive(
    st.lists(st.just(Star()) | columns | counts, max_size=3),
    lambda inner: st.lists(columns | embeds(inner), max_size=3),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> Parsed:
    """Any request, its values numbered in the order in which they stand."""
    values: list[Value] = []

    def comparison() -> Comparison:
        values.append("")
        index, field, negated = len(values) - 1, draw(fields), draw(st.booleans())
        kind = draw(st.sampled_from(["one", "in", "quantified", "search"]))
        if kind == "in":
            values[index] = tuple(draw(st.lists(texts, max_size=3)))
            return Comparison(field, "in", index, negated)
        if kind == "quantified":
            values[index] = tuple(draw(st.lists(texts, max_size=3)))
            operator, quantifier = draw(st.sampled_from(sorted(QUANTIFIABLE))), draw(st.sampled_from(["any", "all"]))
            return Comparison(field, operator, index, negated, "any" if quantifier == "any" else "all")
        values[index] = draw(texts)
        if kind == "search":
            return Comparison(field, draw(st.sampled_from(sorted(TEXT_SEARCH))), index, negated, None, "english")
        return Comparison(field, draw(st.sampled_from(sorted(COMPARISONS))), index, negated)

    def condition(depth: int) -> Condition:
        kind = draw(st.sampled_from(["comparison", "is", "logic"] if depth < 3 else ["comparison", "is"]))
        if kind == "comparison":
            return comparison()
        if kind == "is":
            return Is(draw(fields), draw(st.sampled_from(["null", "not_null", "true", "false", "unknown"])))
        inner = tuple(condition(depth + 1) for _ in range(draw(st.integers(1, 3))))
        return Logic(draw(st.sampled_from(["and", "or"])), inner, draw(st.booleans()))

    def modifiers(select: tuple[SelectItem, ...], *, root: bool = False) -> Modifiers:
        where = tuple(condition(0) for _ in range(draw(st.integers(0, 3))))
        known = [item.alias or item.target for item in select if isinstance(item, Embed)]
        embed = st.sampled_from([None, *known])
        order = draw(
            st.lists(
                st.builds(Order, fields, st.booleans(), st.sampled_from([None, "first", "last"]), embed), max_size=3
            )
        )
        limit = number() if draw(st.booleans()) else None
        offset = number() if draw(st.booleans()) else None
        backward = root and limit is not None and offset is None and draw(st.booleans())
        return Modifiers(where, tuple(order), limit, offset, backward)

    def number() -> int:
        values.append(draw(st.integers(0, 2**63 - 1)))
        return len(values) - 1

    def inside(select: tuple[SelectItem, ...], path: tuple[str, ...]) -> None:
        for item in select:
            if isinstance(item, Embed):
                known_as = (*path, item.alias or item.target)
                if known_as not in seen:
                    seen.add(known_as)
                    arrangement = modifiers(item.select)
                    if arrangement != Modifiers():
                        embedded.append((known_as, arrangement))
                    inside(item.select, known_as)

    seen: set[tuple[str, ...]] = set()
    embedded: list[tuple[tuple[str, ...], Modifiers]] = []
    select = tuple(draw(selects)) or (Star(),)
    top = modifiers(select, root=True)
    inside(select, ())
    name_lists = st.none() | st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
    query = Query(select, top, tuple(sorted(embedded)), draw(name_lists), draw(name_lists))
    return Parsed(query, tuple(values))


_words = st.sampled_from(
    [
        *(
            "eq",
            "in",
            "is",
            "not",
            "like",
            "fts",
            "and",
            "or",
            "select",
            "order",
            "limit",
            "offset",
            "any",
            "null",
            "last",
        ),
        *("a", "films", "5", "é", "%20", "%2", "%FF", "+", ".", "(", ")", ",", "=", "&", '"', "\\", "{", "}"),
        *("->", "->>", "*", ":", "::", "!", "-", " "),
    ]
)
almost = st.lists(_words, max_size=20).map("".join)
"""Texts of the dialect's own tokens in any order."""

_pairs = st.one_of(
    st.builds(
        "{}={}.{}".format,
        st.sampled_from(["id", "a", "a->b", "x.a", "%6Frder", "select", "a.or", '"b"']),
        st.sampled_from(["eq", "gt", "not.eq", "in", "cs", "like(any)"]),
        st.sampled_from(["1", "", "(1,2)", "(", "{a}", "desc", "%FF"]) | texts.map(quote),
    ),
    st.builds(
        "{}={}".format,
        st.sampled_from(["limit", "offset", "x.limit"]),
        st.sampled_from(
            ["1", "02", "-1", "", "ten", "9" * 19, "5.last", "0.last", "9" * 19 + ".last", "1.lasts", ".last"]
        ),
    ),
    st.sampled_from(["select=*,x(*)", "order=a", "or=(a.eq.1,b.eq.2)", "a=is.null", "limit", "", "columns=a"]),
    almost,
)
query_strings = st.lists(_pairs, max_size=5).map("&".join)
"""Query strings as clients send them, and worse."""


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Any call of a function."""
    values = texts.filter(lambda text: not is_operation(text))
    arguments = draw(st.lists(st.tuples(names, values), max_size=4))
    return Call(draw(requests()), tuple(arguments))
