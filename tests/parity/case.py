"""A request, and what is known of its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote

from httpx import AsyncClient, Response

INTERESTING = ("content-type", "content-range", "preference-applied", "location", "allow")
"""Headers that have to be equal over both databases."""


class Unstated(Enum):
    """The type of what is not known of an answer."""

    UNSTATED = "unstated"


UNSTATED = Unstated.UNSTATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an answer; what is not stated only has to be the same on both databases.

    Args:
        status: the HTTP status.
        code: the error's code, ``message``, ``details`` and ``hint`` likewise.
        body: the whole body: JSON, or a text.
        firsts: the value of the first member of each row.
        rows: how many rows there are.
        has: headers, by their lower-case names; None for one that must not be there.
        differs: the name of the entry of docs/compatibility.md that says why SQLite's answer is another one. What is
            known then holds for PostgreSQL's.
    """

    status: int
    code: object = UNSTATED
    message: object = UNSTATED
    details: object = UNSTATED
    hint: object = UNSTATED
    body: object = UNSTATED
    firsts: object = UNSTATED
    rows: object = UNSTATED
    has: Mapping[str, str | None] = field(default_factory=dict)
    differs: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request. ``target`` is written as a person reads it: it is percent-encoded when it is sent."""

    method: str
    target: str
    facts: Facts
    headers: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None

    def __str__(self) -> str:
        words = [self.method, self.target, *(f"{name}: {value}" for name, value in self.headers.items())]
        return " ".join([*words, self.content or ""]).strip()[:160]

    @property
    def url(self) -> str:
        """The target, percent-encoded."""
        return quote(self.target, safe="/?&=!$'()*+,;:@%-._~")

    async def ask(self, client: AsyncClient) -> Answer:
        """Sends it."""
        content = None if self.content is None else self.content.encode()
        return Answer.of(await client.request(self.method, self.url, headers=dict(self.headers), content=content))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it has to be the same: status, interesting headers, the body after parsing."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, response: Response) -> Answer:
        headers = {name: response.headers[name] for name in INTERESTING if name in response.headers}
        body: Any = response.text
        if "json" in headers.get("content-type", "") and body:
            body = (
                [json.loads(line) for line in body.splitlines()]
                if "ndjson" in headers["content-type"]
                else response.json()
            )
        return cls(response.status_code, headers, body)

    def wrong(self, facts: Facts) -> list[str]:
        """What is otherwise than it is known to be; nothing where all is right."""
        members = self.body if isinstance(self.body, dict) else {}
        rows = self.body if isinstance(self.body, list) and all(isinstance(row, dict) for row in self.body) else None
        found: list[tuple[str, object, object]] = [
            ("status", self.status, facts.status),
            ("code", members.get("code"), facts.code),
            ("message", members.get("message"), facts.message),
            ("details", members.get("details"), facts.details),
            ("hint", members.get("hint"), facts.hint),
            ("body", self.body, facts.body),
            ("firsts", None if rows is None else [next(iter(row.values()), None) for row in rows], facts.firsts),
            ("rows", None if rows is None else len(rows), facts.rows),
            *((name, self.headers.get(name), value) for name, value in facts.has.items()),
        ]
        return [
            f"{what} is {is_!r}, not {known!r}"
            for what, is_, known in found
            if known is not UNSTATED and not alike(is_, known)
        ]

    def is_like(self, other: Answer) -> bool:
        """Whether it says the same."""
        return self.status == other.status and self.headers == other.headers and alike(self.body, other.body)


def alike(one: object, other: object) -> bool:
    """Whether two JSON values are equal. Unlike Python's own ``==`` it tells true from 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def case(
    method: str,
    target: str,
    *,
    status: int,
    content: Any = None,
    prefer: str | None = None,
    accept: str | None = None,
    headers: Mapping[str, str] | None = None,
    **facts: Any,
) -> Case:
    """A request, and what is known of its answer.

    Args:
        method: the HTTP method.
        target: path and query.
        status: the answer's status.
        content: the body: a text as it is, anything else as JSON.
        prefer: the ``Prefer`` header, ``accept`` likewise.
        headers: further headers.
        **facts: what else is known; see :class:`Facts`.
    """
    sent = dict(headers or {})
    if prefer is not None:
        sent["Prefer"] = prefer
    if accept is not None:
        sent["Accept"] = accept
    if content is not None and not isinstance(content, str):
        content = json.dumps(content)
        sent["Content-Type"] = "application/json"
    return Case(method, target, Facts(status=status, **facts), sent, content)


def get(target: str, *, status: int = 200, **sent: Any) -> Case:
    """GET; ``sent`` is as for :func:`case`."""
    return case("GET", target, status=status, **sent)


def refused(target: str, status: int, code: str, **sent: Any) -> Case:
    """GET, answered with an error."""
    return case("GET", target, status=status, code=code, **sent)
