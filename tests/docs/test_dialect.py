"""Every example of docs/dialect.md is answered, on both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from httpx import AsyncClient

from .films import films

DIALECT = Path(__file__).parents[2] / "docs" / "dialect.md"
CELLS = re.compile(r"(?<!\\)\|")
SPAN = re.compile(r"`([^`]+)`")
REQUEST = re.compile(r"(GET|HEAD|POST|PATCH|PUT|DELETE|OPTIONS|QUERY) (\S+)")
HEADER = re.compile(r"([A-Z][A-Za-z-]+): (.+)")
HEADING = "| | example | |"


@dataclass(frozen=True, slots=True)
class Example:
    """A request of the document.

    Args:
        line: where it stands.
        method: its method, ``path`` and ``body`` likewise.
        remark: what is said of it.
    """

    line: int
    method: str
    path: str
    remark: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


def examples_of(text: str) -> list[Example]:
    examples = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        inside = line == HEADING or (inside and line.startswith("|"))
        if inside and line != HEADING and not line.startswith("| ---"):
            _, _, example, remark, _ = CELLS.split(line)
            examples.append(read(number, SPAN.findall(example), remark))
    return examples


def read(line: int, spans: list[str], remark: str) -> Example:
    request = REQUEST.fullmatch(spans[0])
    method, path = request.groups() if request else ("GET", f"/films?{spans[0]}")
    headers: dict[str, str] = {}
    body = None
    for span in spans[1:]:
        header = HEADER.fullmatch(span)
        if header:
            headers[header[1]] = header[2]
        else:
            assert body is None, line
            body = span.replace("\\n", "\n")
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    return Example(line, method, path, remark, headers, body)


EXAMPLES = examples_of(DIALECT.read_text())


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncClient]:
    async with films(database_url) as client:
        yield client


@pytest.mark.anyio
async def test_every_example_is_answered(client: AsyncClient, database_url: str) -> None:
    on_sqlite = database_url.startswith("sqlite")
    wrong = []
    for example in EXAMPLES:
        headers = dict(example.headers)
        if example.method not in ("GET", "HEAD", "OPTIONS", "QUERY"):
            # So that every example finds what the document says is there.
            headers["Prefer"] = ", ".join([*filter(None, [headers.get("Prefer")]), "tx=rollback"])
        answer = await client.request(example.method, example.path, headers=headers, content=example.body)
        refused = on_sqlite and ("PostgreSQL only" in example.remark or "FTS5" in example.remark)
        if answer.is_success == refused:
            wrong.append(f"dialect.md:{example.line}: {example.method} {example.path}: {answer.text}")
    assert not wrong, "\n".join(wrong)


def test_there_are_examples_in_every_section() -> None:
    sections = DIALECT.read_text().split("\n## ")[1:]
    named = {section.partition("\n")[0] for section in sections if HEADING in section}
    assert {
        "Filters",
        "select",
        "Embedding",
        "Order and pages",
        "Counts",
        "Writes",
        "Preferences",
        "Functions",
    } <= named
    assert len(EXAMPLES) > 60
