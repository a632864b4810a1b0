"""The Accept header, and what is answered with."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowserve.errors import ApiError
from rowserve.query import MediaType, negotiate, negotiate_root, wants_problem_json
from rowserve.query.media import ARRAY_STRIPPED, CSV, JSON, NDJSON, OBJECT, OBJECT_STRIPPED

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
        ("*/*, text/csv", CSV),
        ("application/json, application/vnd.pgrst.object+json;nulls=stripped", OBJECT_STRIPPED),
        ("application/json;nulls=stripped", JSON),
        ("application/vnd.pgrst.ARRAY; NULLS=stripped", ARRAY_STRIPPED),
        ("application/vnd.pgrst.object;nulls=kept", OBJECT),
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
        ("image/png;q=0.3, Text/HTML; level=1", "Text/HTML;level=1, image/png"),
        ("application/json;q=0", "application/json"),
        ("application/geo+json", "application/geo+json"),
        ("application/openapi+json", "application/openapi+json"),
        ("undefined", "undefined"),
        (
            'Application/vnd.pgrst.plan; for="text/csv"; options=verbose|x|analyze',
            'application/vnd.pgrst.plan+text; for="text/csv"; options=analyze|verbose',
        ),
        ("application/vnd.pgrst.plan+json", 'application/vnd.pgrst.plan+json; for="application/json"'),
    ],
)
def test_nothing_acceptable_is_refused(accept: str, named: str) -> None:
    with pytest.raises(ApiError) as caught:
        negotiate(accept)
    assert (caught.value.status, caught.value.code) == (406, "PGRST107")
    assert caught.value.message == f"None of these media types are available: {named}"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (
            'application/vnd.pgrst.plan+json; for="application/json"; options=verbose|analyze|',
            MediaType(
                'application/vnd.pgrst.plan+json; for="application/json"; options=analyze|verbose',
                "plan",
                plan_options=("analyze", "verbose"),
            ),
        ),
        (
            "application/vnd.pgrst.plan",
            MediaType('application/vnd.pgrst.plan+text; for="application/json"', "plan"),
        ),
        (
            'application/vnd.pgrst.plan+text; for="application/vnd.pgrst.object+json;nulls=stripped"; options=;',
            MediaType(
                'application/vnd.pgrst.plan+text; for="application/vnd.pgrst.object+json;nulls=stripped"',
                "plan",
                singular=True,
                nulls_stripped=True,
            ),
        ),
        ("application/vnd.pgrst.plan;q=0.5, application/json", JSON),
        ('application/vnd.pgrst.plan; for="image/png", text/csv;q=0.1', CSV),
    ],
)
def test_plans_are_answered_with_where_they_may_be(accept: str, media_type: MediaType) -> None:
    assert negotiate(accept, explain=True) == media_type


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "text/html, application/openapi+json;q=0.1", BROWSER, "application/*"]
)
def test_the_root_is_answered_with_openapi(accept: str) -> None:
    assert negotiate_root(accept).name == "application/openapi+json"


@pytest.mark.parametrize("accept", ["text/csv", "application/openapi+json;q=0", "application/vnd.pgrst.object+json"])
def test_the_root_is_nothing_else(accept: str) -> None:
    with pytest.raises(ApiError) as caught:
        negotiate_root(accept)
    assert (caught.value.status, caught.value.code) == (406, "PGRST107")
    assert caught.value.message == f"None of these media types are available: {accept.split(';')[0]}"


def test_problem_details_only_where_they_are_named() -> None:
    assert wants_problem_json("application/json, application/problem+json;q=0.1")
    assert not wants_problem_json("application/problem+json;q=0")
    assert not wants_problem_json("*/*")
    assert not wants_problem_json("")


@given(st.text(alphabet=st.sampled_from('abc/*;=,"q.01 ')) | st.text())
def test_any_text_is_answered_or_refused(accept: str) -> None:
    wants_problem_json(accept)
    with contextlib.suppress(ApiError):
        negotiate(accept, explain=True)
    with contextlib.suppress(ApiError):
        negotiate_root(accept)
