"""Injection through every place that takes a name or a value. What comes through is bound or quoted, or it is refused;
nothing else is read, and nothing is changed."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote
from zlib import crc32

import pytest

from .odd import ARGUMENT, COLUMNS, FUNCTION, PAYLOADS, Odd
from .test_odd_names import named, segment

pytestmark = pytest.mark.anyio

NUL = "a\x00b; DROP TABLE sentinel"
UNDONE = {"prefer": "tx=rollback, return=representation"}
NOT_FOUND = {"42703", "PGRST108", "PGRST200", "PGRST204", "42P10", "PGRST100", "42601", "42622"}
"""What is said of a name that nothing has: a column, something embedded, a relation, a column to write, a conflict; of
one that no text may be, of an empty one, and of one that is too long."""
UNKNOWN = [payload for payload in PAYLOADS if payload not in {*COLUMNS, "x"}]


def some_of(payloads: Sequence[str], place: str) -> list[str]:
    """A third of the payloads, each place its own, and the one that no text may hold: what a payload does in one place
    of a kind it would do in the next."""
    return [*payloads[crc32(place.encode()) % 3 :: 3], NUL]


@pytest.fixture(autouse=True, scope="module")
async def unchanged(odd: Odd) -> AsyncIterator[None]:
    """Every row of every table, and the schema, is after all of these tests as it was before."""
    before = await odd.contents()
    yield
    assert await odd.contents() == before


@pytest.mark.parametrize(
    "place",
    [
        "select={}", "select=id,a:{}", "select={}::text", "select={}->a", "select={}.max()", "select={}(*)",
        "select=a:{}(*)",
        "select=...{}(id)", "select=order!{}(*)", "select={}!inner(id)", "select=%22$1%22!{}!left(*)",
        "select=order({})",
        "select=order(a:{}(*))", "{}=eq.1", "{}=is.null", "{}=not.in.(1,2)", "{}->>a=eq.1", "{}=fts.x",
        "{}=like(any).%7Ba%7D",
        "order={}", "order={}.desc.nullslast", "order={}->a", "order={}(id)", "order=id,{}", "or=({}.eq.1,id.eq.1)",
        "and=(id.eq.1,or({}.is.null))", "{}.id=eq.1", "{}.limit=1", "{}.order=id", "{}.or=(id.eq.1)",
        "select=order(*)&order.{}=eq.1",
        "select=order(*)&order.order={}", "select=count(),{}.sum()", "select={}&{}=eq.1&order={}",
        "or=(order.{}.is.null)",
    ],
)  # fmt: skip
async def test_a_name_that_nothing_has_is_refused(odd: Odd, place: str) -> None:
    for payload in some_of(UNKNOWN, place):
        answer = await odd.ask("GET", "/odd?" + place.replace("{}", named(payload)))
        assert 400 <= answer.status_code < 404, (payload, answer.text)
        assert answer.json()["code"] in NOT_FOUND, (payload, answer.text)


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("POST", "columns={}", {"id": 9}),
        ("POST", "columns=id,{}", [{"id": 9}]),
        ("PATCH", "id=eq.1&columns={}", {"id": 9}),
        ("POST", "on_conflict={}", [{"id": 1}]),
        ("POST", "select={}", [{"id": 9}]),
        ("PATCH", "{}=eq.1", {"id": 9}),
        ("PATCH", "id=eq.1&order={}&limit=1", {"order": "new"}),
        ("DELETE", "{}=is.null", None),
        ("DELETE", "id=eq.1&select=order({})", None),
        ("PUT", "{}=eq.1", {"id": 1}),
    ],
)
async def test_a_write_by_a_name_that_nothing_has_is_refused(odd: Odd, method: str, query: str, body: Any) -> None:
    headers = {"prefer": "tx=rollback, return=representation, resolution=merge-duplicates"}
    for payload in some_of(UNKNOWN, method + query):
        url = "/odd?" + query.replace("{}", named(payload))
        answer = await odd.ask(method, url, json=body, headers=headers)
        assert 400 <= answer.status_code < 406, (payload, answer.text)
        assert answer.json()["code"] in NOT_FOUND | {"PGRST105"}, (payload, answer.text)


async def test_the_keys_of_a_body_are_names(odd: Odd) -> None:
    for payload in (*UNKNOWN, NUL):
        sent: list[tuple[str, dict[str, Any]]] = [
            ("POST", {"json": {"id": 9, payload: 1}}),
            ("POST", {"json": [{"id": 9, payload: 1}, {"id": 10, payload: 1}]}),
            ("PATCH", {"json": {payload: payload}}),
            ("PUT", {"json": {"id": 1, payload: 1}}),
            ("POST", {"content": f"id={9}&{segment(payload)}=1", "headers": form()}),
            ("POST", {"content": f"id,{quoted_csv(payload)}\n9,1\n", "headers": {"content-type": "text/csv"}}),
        ]
        for method, options in sent:
            headers = {**UNDONE, **options.pop("headers", {})}
            answer = await odd.ask(method, "/odd?id=eq.1", headers=headers, **options)
            assert (answer.status_code, answer.json()["code"]) in {
                (400, "PGRST204"), (400, "PGRST102"), (400, "22P05"), (400, "PGRST100")
            }, (method, options, answer.text)  # fmt: skip


def form() -> dict[str, str]:
    return {"content-type": "application/x-www-form-urlencoded"}


def quoted_csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
async def test_an_alias_a_key_of_json_and_a_value_are_taken_as_they_are(odd: Odd, number: int) -> None:
    payload = PAYLOADS[number]
    name, text = named(payload), quote(payload, safe="")
    found = [{"id": number}]
    for query in (
        f"payload=eq.{text}", f"payload=in.({name},{name})", f"payload=eq(any).{{{name}}}", f"or=(payload.eq.{name})",
        f"payload=gte.{text}&payload=lte.{text}", f"payload=isdistinct.{text}x&payload=eq.{text}",
    ):  # fmt: skip
        answer = await odd.ask("GET", f"/payloads?select=id&{query}")
        assert (answer.status_code, answer.json()) == (200, found), query
    for query in (f"payload=like.{text}", f"payload=ilike.{text}", f"payload=match.{text}", f"payload=fts.{text}"):
        answer = await odd.ask("GET", f"/payloads?select=id&{query}")
        assert answer.status_code in (200, 400), query
    if 0 < len(payload.encode()) < 64:
        for query, rows in (
            (f"select={name}:id", [{payload: 1}]),
            (f"select={name}:order(%22nothing%22)&order.order=%22nothing%22", [{payload: [{"nothing": "first"}]}]),
            (f"select={name}:order!inner(n:count())", [{payload: [{"n": 1}]}]),
            (f"select={name}:id.sum()", [{payload: 1}]),
            (f"select=a:json->{name}", [{"a": None}]),
            (f"select=a:json->%22it's%22->>{name}&json->{name}=is.null&order=json->{name}", [{"a": None}]),
            (f"select=id&json->%22it's%22->>{name}=is.null", [{"id": 1}]),
            (f"select=id&json->>{name}=eq.{text}", []),
        ):
            answer = await odd.ask("GET", f"/odd?id=eq.1&{query}")
            assert (answer.status_code, answer.json()) == (200, rows), query
    stored = await odd.ask("POST", "/payloads", json=[{"id": 99, "payload": f"{payload}!"}], headers=UNDONE)
    assert stored.json() == [{"id": 99, "payload": f"{payload}!"}]
    table = f"id,payload\n99,{quoted_csv(payload + '!')}\n"
    stored = await odd.ask("POST", "/payloads", content=table, headers={**UNDONE, "content-type": "text/csv"})
    assert stored.json() == [{"id": 99, "payload": f"{payload}!"}]
    stored = await odd.ask("PATCH", f"/payloads?payload=eq.{text}", json={"payload": f"{payload}!"}, headers=UNDONE)
    assert stored.json() == [{"id": number, "payload": f"{payload}!"}]


ANYWHERE = [
    "select={}", "select={}:id", "select=id::{}", "select=id.{}()", "select=id.sum()::{}", "select=json->{}",
    "select=json->>{}",
    "select=json->>{}::{}", "select={}(*)", "select=order!{}(*)", "select=...{}(*)", "select=order({})",
    "select=count(){}",
    "{}=eq.1", "{}=1", "json->>{}=eq.1", "json->{}=eq.1", "id={}", "id={}.1", "id=is.{}", "id=not.{}", "id=not.{}.1",
    "payload=fts({}).x", "payload=eq({}).x", "payload=in.{}", "payload=in.({})", "payload=in.(%22{}%22)",
    "payload=eq(any).{}",
    "payload=eq(all).%7B{}%7D", "payload=cs.{}", "id=eq.{}", "id=gt.{}", "payload=wfts(english).{}", "payload=match.{}",
    "order={}", "order=id.{}", "order=id.desc.{}", "order=json->>{}", "order=order({})&select=order(*)", "order={}(id)",
    "columns={}", "on_conflict={}", "limit={}", "offset={}", "limit={}.last", "limit=1&offset={}", "or={}", "or=({})",
    "or=(id.eq.1,{})", "or=(id.{}.1)", "and=(id.eq.1){}", "not.or=({}.eq.1)", "{}.or=(id.eq.1)",
    "order.{}=1&select=order(*)",
    "{}", "{}={}", "select=*{}", "select=order{}(*)", "select=order(*){}", "select=*&{}=is.null",
]  # fmt: skip
"""Places of a query string, right ones and wrong ones, without quotes."""


@pytest.mark.parametrize("place", ANYWHERE)
async def test_without_quotes_there_is_an_answer_to_anything(odd: Odd, place: str) -> None:
    headers = {"prefer": "tx=rollback, return=representation, resolution=merge-duplicates, count=exact"}
    writes = itertools.cycle(
        [
            ("POST", "/payloads?", '[{"id": 1, "payload": "new"}]'),
            ("PATCH", "/payloads?id=lt.9&", '{"payload": "new"}'),
            ("DELETE", "/payloads?id=lt.9&", ""),
        ]
    )
    for payload, (method, path, content) in zip(some_of(PAYLOADS, place), writes, strict=False):
        query = place.replace("{}", quote(payload, safe=""))
        await odd.ask("GET", f"/{'payloads' if 'payload' in place else 'odd'}?{query}")
        await odd.ask(method, path + query, content=content, headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "QUERY", "OPTIONS"])
async def test_paths(odd: Odd, method: str) -> None:
    content = None if method in ("GET", "HEAD") else b"{}"
    for payload in (*PAYLOADS, NUL):
        text = quote(payload, safe="")
        for path in (f"/{text}", f"/{text}/{text}", f"/rpc/{text}", f"/rpc/{text}?{text}={text}", f"/odd/1{text}/"):
            answer = await odd.ask(method, path, content=content, headers=UNDONE)
            assert answer.status_code >= 400 or method in ("OPTIONS", "QUERY", "GET", "HEAD"), (path, answer.text)


async def test_the_key_in_a_path(odd: Odd) -> None:
    for payload in (*PAYLOADS, NUL):
        text = quote(payload, safe="")
        if payload in ("", "."):
            continue  # nothing that a client sends as a segment of a path
        for method, body in (
            ("GET", None),
            ("PATCH", {"nothing": "new"}),
            ("PUT", {"nothing": "new"}),
            ("DELETE", None),
        ):
            for table in ("order", "odd"):
                answer = await odd.ask(method, f"/{table}/{text}", json=body, headers={"prefer": "tx=rollback"})
                assert 400 <= answer.status_code < 406, (payload, answer.text)


HEADERS = {
    "prefer": (
        "{}", "timezone={}", "timezone=Europe/{}", "count={}", "return={}", "resolution={}", "missing={}", "tx={}",
        "handling={}", "handling=strict, max-affected={}", "handling=strict, timezone={}",
    ),
    "accept": (
        "{}", "application/{}", "application/json;q={}", "application/vnd.pgrst.object+json;nulls={}", "text/csv, {}",
        'application/vnd.pgrst.plan+json; for="{}"; options={}', "application/vnd.pgrst.plan+text; options=analyze|{}",
    ),
    "content-type": ("{}", "application/{}", "text/csv; {}"),
    "range": ("{}", "0-{}", "{}-1"),
    "range-unit": ("{}",),
    "accept-profile": ("{}",),
    "content-profile": ("{}",),
    "authorization": ("Bearer {}",),
    "if-match": ("{}",),
    "origin": ("{}",),
}  # fmt: skip


@pytest.mark.parametrize(("header", "value"), [(name, value) for name, values in HEADERS.items() for value in values])
async def test_headers(odd: Odd, header: str, value: str) -> None:
    others = itertools.cycle([("GET", "/"), ("POST", "/odd"), ("PATCH", "/odd?id=eq.2"), ("DELETE", "/odd?id=eq.2")])
    for payload, (method, path) in zip(some_of(PAYLOADS, header + value), others, strict=False):
        # A server does not let line breaks and the like into a header; the bytes of UTF-8 it does.
        text = value.replace("{}", payload.replace("\r", "").replace("\n", "").replace("\x00", ""))
        headers = [(header.encode(), text.encode())]
        await odd.ask("GET", "/odd?order=id", headers=headers)
        content = b'{"id": 9}' if method in ("POST", "PATCH") else b""
        await odd.ask(method, path, content=content, headers=[(b"prefer", b"tx=rollback"), *headers])


async def test_functions(odd: Odd) -> None:
    path = f"/rpc/{segment(FUNCTION)}"
    for payload in (*PAYLOADS, NUL):
        text = quote(payload, safe="")
        urls = [f"/rpc/{text}", f"{path}?{named(payload)}={text}", f"{path}?{text}={text}", f"{path}?select={text}"]
        for url in urls:
            for method, body in (("GET", None), ("POST", {payload: payload})):
                answer = await odd.ask(method, url, json=body)
                assert 400 <= answer.status_code <= 404, (url, answer.text)
        if not odd.is_sqlite and payload != NUL:
            answer = await odd.ask("POST", path, json={ARGUMENT: payload})
            assert answer.json() == f"{payload}7"
            answer = await odd.ask("GET", f"{path}?{named(ARGUMENT)}={text}")
            assert answer.json() == f"{payload}7"
