"""Injection through every place that takes a name, a cast, a path, a hint or an alias.

At this level nothing is escaped or stripped: what comes through comes out as a plain text in its own place, which those
who build statements look up in a catalog or bind, and what could be more than that is refused.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from rowserve.errors import ApiError
from rowserve.query import (
    Column,
    Comparison,
    Embed,
    Field,
    JsonStep,
    Logic,
    Order,
    Parsed,
    Star,
    negotiate,
    parse,
    parse_call,
    parse_preferences,
    unparse,
)

PAYLOADS = [
    "x'; DROP TABLE users; --",
    'x"; DROP TABLE users; --',
    "x) UNION SELECT password FROM users --",
    "id) or 1=1 --",
    "' OR ''='",
    "\\'; SELECT 1 --",
    "a\x00b",
    "$$; SELECT pg_sleep(10); $$",
    "%s",
    ":v0",
    "{0}",
    "/* */",
    "x\ny",
    "pg_sleep(10)",
    "\u0251\u2019; \uff24\uff32\uff2f\uff30",
    "../../etc/passwd",
]


def quoted(payload: str) -> str:
    escaped = payload.replace("\\", "\\\\").replace('"', '\\"')
    return quote(f'"{escaped}"')


def field(parsed: Parsed) -> Field:
    condition = parsed.query.modifiers.where[0]
    assert isinstance(condition, Comparison)
    return condition.field


@pytest.mark.parametrize("payload", PAYLOADS)
def test_in_double_quotes_it_is_a_name_like_any(payload: str) -> None:
    text = quoted(payload)
    inside = (Star(),)
    assert parse(f"select={text}").query.select == (Column(Field(payload)),)
    assert parse(f"select={text}:id").query.select == (Column(Field("id"), payload),)
    assert parse(f"select=id->{text}").query.select == (Column(Field("id", (JsonStep("->", payload),))),)
    assert parse(f"select=id->>{text}").query.select == (Column(Field("id", (JsonStep("->>", payload),))),)
    assert parse(f"select={text}.sum()").query.select == (Column(Field(payload), aggregate="sum"),)
    assert parse(f"select={text}(*)").query.select == (Embed(payload, inside),)
    assert parse(f"select={text}:films(*)").query.select == (Embed("films", inside, payload),)
    assert parse(f"select=films!{text}(*)").query.select == (Embed("films", inside, hint=payload),)
    assert parse(f"select=...{text}(*)").query.select == (Embed(payload, inside, spread=True),)
    assert field(parse(f"{text}=eq.1")) == Field(payload)
    assert field(parse(f"id->>{text}=eq.1")) == Field("id", (JsonStep("->>", payload),))
    assert parse(f"order={text}").query.modifiers.order == (Order(Field(payload)),)
    assert parse(f"select={text}(*)&order={text}(id)").query.modifiers.order == (Order(Field("id"), embed=payload),)
    assert parse(f"select={text}(*)&{text}.limit=1").query.embedded[0][0] == (payload,)
    assert parse(f"columns={text}").query.columns == (payload,)
    assert parse(f"on_conflict={text}").query.on_conflict == (payload,)
    tree = parse(f"or=({text}.eq.{text})")
    assert tree.query.modifiers.where == (Logic("or", (Comparison(Field(payload), "eq", 0),)),)
    assert tree.values == (payload,)
    assert parse_call(f"{text}=1").arguments == ((payload, "1"),)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_as_a_value_it_is_a_value(payload: str) -> None:
    text = quote(payload)
    for query_string in (f"a=eq.{text}", f"a=fts(english).{text}", f"a=like.{text}", f"a=cs.{text}"):
        parsed = parse(query_string)
        assert parsed.values == (payload,)
        assert parsed.query == parse(query_string.replace(text, "1")).query
    assert parse(f"a=in.({quoted(payload)})").values == ((payload,),)
    assert parse(f"a=eq(any).{{{quoted(payload)}}}").values == ((payload,),)
    assert parse_call(f"a={text}").arguments == (("a", payload),)


NOT_A_NAME = re.compile(r"[^\w $-]")


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    "place",
    [
        "select={}", "select={}:id", "select=id::{}", "select=id.{}()", "select=id.sum()::{}", "select=count()::{}",
        "select=id->{}", "select={}(*)", "select=films!{}(*)", "select=...{}(*)", "select=films({})",
        "{}=eq.1", "id->>{}=eq.1", "id={}.1", "id=is.{}", "id=fts({}).x", "id=eq({}).x", "id=not.{}",
        "order={}", "order=id.{}", "order=films({})&select=films(*)", "columns={}", "on_conflict={}",
        "limit={}", "offset={}", "limit={}.last", "or=({}.eq.1)", "or={}", "and=(id.{}.1)", "{}.or=(id.eq.1)",
    ],
)  # fmt: skip
def test_without_quotes_it_is_a_name_or_refused(place: str, payload: str) -> None:
    """What is read has no character that a bare name has not, but in JSON keys and in values, which are bound."""
    parsed, code = None, None
    try:
        parsed = parse(place.format(quote(payload)))
    except ApiError as error:
        code = error.code
    if parsed is None:
        assert code in {"PGRST100", "PGRST108"}
        return
    for name in names_in(parsed):
        assert not NOT_A_NAME.search(name), name
    assert parse(unparse(parsed)) == parsed


def names_in(parsed: Parsed) -> list[str]:
    query = parsed.query
    names = [*(query.columns or ()), *(query.on_conflict or ()), *(step for path, _ in query.embedded for step in path)]
    for item in query.select:
        if isinstance(item, Embed):
            names += [name for name in (item.target, item.alias, item.hint) if name is not None]
        elif isinstance(item, Column):
            names += [name for name in (item.alias, item.cast, item.aggregate_cast) if name is not None]
            names += [] if item.field is None else [item.field.name]
    for term in query.modifiers.order:
        names += [term.field.name, term.embed or ""]
    for condition in query.modifiers.where:
        inner = condition.conditions if isinstance(condition, Logic) else (condition,)
        for leaf in inner:
            if not isinstance(leaf, Logic):
                names.append(leaf.field.name)
            if isinstance(leaf, Comparison):
                names += [leaf.operator, leaf.language or ""]
    return names


@pytest.mark.parametrize("payload", PAYLOADS)
def test_headers_take_no_more_than_they_offer(payload: str) -> None:
    zone = parse_preferences(f"timezone={payload}").timezone
    assert zone is None
    with pytest.raises(ApiError):
        negotiate(f"application/{payload}")
    plan = negotiate(f"application/vnd.pgrst.plan; options=analyze|{payload.replace(',', '')}", explain=True)
    assert plan.plan_options in {(), ("analyze",)}
