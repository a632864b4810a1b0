"""The Accept header, and what is answered with."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowserve.errors import ApiError
from rowserve.query import MediaType, negotiate, wants_problem_json
from rowserve.query.media import ARRAY_STRIPPED, CSV, JSON, NDJSON, OBJECT, OBJECT_STRIPPED

WIRE = Path(__file__).with_name("wire.jsonl").read_text().splitlines()
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/vnd.pgrst.array+json", JSON),
        ("application/vnd.pgrst.object+json", OBJECT),
        ("Application/Vnd.PgRst.Object", OBJECT),
        ("application/vnd.pgrst.array+json;nulls=stripped", ARRAY_STRIPPED),
        ("application/vnd.pgrst.object+json; nulls=stripped", OBJECT_STRIPPED),
        ("text/csv", CSV),
        ("text/*", CSV),
        ("application/x-ndjson", NDJSON),
        (BROWSER, JSON),
        ("application/json;q=0.5, text/csv", CSV),
        ("text/csv;q=0.5, application/json;q=0.6", JSON),
        ("text/csv, application/json", CSV),
        ("image/png, text/csv;q=0.1", CSV),
        ("application/json;q=0, */*", CSV),
        ("application/json;q=high", JSON),
        (";, application/json", JSON),
    ],
)
def test_the_best_liked_is_answered_with(accept: str, media_type: MediaType) -> None:
    assert negotiate(accept) == media_type


@pytest.mark.parametrize(
    ("accept", "named"),
    [
        ("image/png", "image/png"),
        ("image/png;q=0.3, Text/HTML", "image/png, Text/HTML"),
        ("application/json;q=0", "application/json"),
        ('application/vnd.pgrst.plan+json; for="application/json"', "application/vnd.pgrst.plan+json"),
    ],
)
def test_nothing_acceptable_is_refused(accept: str, named: str) -> None:
    with pytest.raises(ApiError) as caught:
        negotiate(accept)
    assert (caught.value.status, caught.value.code) == (406, "PGRST107")
    assert caught.value.message == f"None of these media types are available: {named}"


def test_plans_are_answered_with_where_they_may_be() -> None:
    accept = 'application/vnd.pgrst.plan+json; for="application/json, text/csv;a"; options=verbose|analyze|'
    assert negotiate(accept, explain=True) == MediaType(
        "application/vnd.pgrst.plan+json", "plan", plan_options=("analyze", "verbose")
    )
    assert negotiate("application/vnd.pgrst.plan", explain=True).name == "application/vnd.pgrst.plan+text"
    assert negotiate("application/json", explain=True) == JSON


def test_problem_details_only_where_they_are_named() -> None:
    assert wants_problem_json("application/json, application/problem+json;q=0.1")
    assert not wants_problem_json("application/problem+json;q=0")
    assert not wants_problem_json("*/*")
    assert not wants_problem_json("")


def test_what_clients_accept() -> None:
    for line in WIRE:
        accept = json.loads(line).get("accept", "")
        if accept == "application/geo+json":
            continue
        assert negotiate(accept, explain=True).name.split(";")[0] in {accept.split(";")[0], "application/json"}


@given(st.text(alphabet=st.sampled_from('abc/*;=,"q.01 ')) | st.text())
def test_any_text_is_answered_or_refused(accept: str) -> None:
    wants_problem_json(accept)
    with contextlib.suppress(ApiError):
        negotiate(accept)
