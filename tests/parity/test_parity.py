"""The same requests have the same answers on SQLite as on PostgreSQL, and they are the right ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .answers import ANSWERS
from .calls import CALLS
from .case import Answer, Case
from .club import WRITTEN
from .conftest import Both
from .embeds import EMBEDS
from .filters import FILTERS
from .pages import ORDERS, PAGES
from .selects import SELECTS
from .writes import STORIES

pytestmark = pytest.mark.anyio

COMPATIBILITY = Path(__file__).parents[2] / "docs" / "compatibility.md"
READS: list[Case] = [
    case for group in (FILTERS, SELECTS, EMBEDS, PAGES, ANSWERS, CALLS) for cases in group.values() for case in cases
]
LISTS = [case for case in ORDERS if case.facts.status == 200 and "limit=" not in case.target]


@pytest.mark.parametrize("case", READS, ids=str)
async def test_a_read_has_the_same_answer_on_both(both: Both, case: Case) -> None:
    assert wrongs(case, await both.sqlite.ask(case), await both.postgresql.ask(case)) == []


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
async def test_a_story_of_writes_goes_the_same_way_on_both(both: Both, story: list[Case]) -> None:
    for club in both:
        await club.fill(only=WRITTEN)
    found = [
        f"{case}: {wrong}"
        for case in story
        for wrong in wrongs(case, await both.sqlite.ask(case), await both.postgresql.ask(case))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", LISTS, ids=str)
async def test_pages_that_link_to_the_next_hold_every_row_once(both: Both, case: Case) -> None:
    for club in both:
        found: list[object] = []
        url: str | None = f"{case.url}&limit=3"
        while url is not None:
            response = await club.client.get(url)
            found += [next(iter(row.values())) for row in response.json()]
            url = response.links.get("next", {}).get("url")
        assert found == case.facts.firsts


def wrongs(case: Case, sqlite: Answer, postgresql: Answer) -> list[str]:
    """What is wrong with two answers: what is known to be otherwise, and where they differ without a reason."""
    found = [f"PostgreSQL: {wrong}" for wrong in postgresql.wrong(case.facts)]
    if case.facts.differs is not None:
        # A mark that has become needless is taken away, and so is its entry in the documentation.
        return [*found, "SQLite: no longer differs"] if sqlite.is_like(postgresql) else found
    found += [f"SQLite: {wrong}" for wrong in sqlite.wrong(case.facts)]
    if not sqlite.is_like(postgresql):
        found.append(f"SQLite answers {sqlite}, PostgreSQL {postgresql}")
    return found


def test_every_difference_is_documented_and_every_documented_one_is_there() -> None:
    cases = [*READS, *(case for story in STORIES.values() for case in story)]
    marks = {case.facts.differs for case in cases} - {None}
    section = COMPATIBILITY.read_text().partition("## SQLite and PostgreSQL")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- `([a-z-]+)`", section, re.MULTILINE)) == marks
