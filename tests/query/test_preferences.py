"""The Prefer header, and what the answer says was applied."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowserve.errors import ApiError
from rowserve.query import Preferences, invalid_preferences, parse_preferences


@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("", Preferences()),
        ("return=representation", Preferences(return_="representation")),
        ("return=minimal,count=exact", Preferences(return_="minimal", count="exact")),
        ("count=planned,    tx=rollback   ,missing=null", Preferences(count="planned", tx="rollback", missing="null")),
        ("tx=commit, tx=rollback", Preferences(tx="commit")),
        ("return=all, return=headers-only", Preferences(return_="headers-only", unknown=("return=all",))),
        ("resolution=merge-duplicates, missing=default", Preferences(resolution="merge-duplicates", missing="default")),
        ("timezone=America/Los_Angeles", Preferences(timezone="America/Los_Angeles")),
        ("timezone=Etc/GMT+3,timezone=UTC", Preferences(timezone="Etc/GMT+3")),
        ("timezone=, timezone='UTC", Preferences(unknown=("timezone=", "timezone='UTC"))),
        (
            "max-affected=2,max-affected=1 , handling = strict",
            Preferences(max_affected=2, unknown=("handling = strict",)),
        ),
        ("Return=minimal", Preferences(unknown=("Return=minimal",))),
        ("handling=strict, max-affected=10", Preferences(handling="strict", max_affected=10)),
        (
            "handling=lenient, foo,,bar=1, max-affected=x",
            Preferences(handling="lenient", unknown=("foo", "bar=1", "max-affected=x")),
        ),
    ],
)
def test_reads(header: str, preferences: Preferences) -> None:
    assert parse_preferences(header) == preferences


def test_strict_handling_refuses_what_is_unknown() -> None:
    with pytest.raises(ApiError) as caught:
        parse_preferences("foo, handling=strict, count=exact, bar")
    assert (caught.value.status, caught.value.code) == (400, "PGRST122")
    assert caught.value.message == "Invalid preferences given with handling=strict"
    assert caught.value.details == "Invalid preferences: foo, bar"


def test_applied_preferences_stand_in_a_fixed_order() -> None:
    preferences = parse_preferences(
        "max-affected=3, timezone=UTC, handling=strict, tx=rollback, count=exact, return=minimal, missing=null, "
        "resolution=ignore-duplicates"
    )
    names = ("timezone", "tx", "return", "resolution", "missing", "max-affected", "handling", "count")
    assert preferences.applied(*names) == (
        "resolution=ignore-duplicates, missing=null, return=minimal, count=exact, tx=rollback, handling=strict, "
        "timezone=UTC, max-affected=3"
    )
    assert preferences.applied("count", "handling") == "count=exact, handling=strict"
    assert preferences.applied() is None
    assert Preferences().applied(*names) is None


def test_max_affected_applies_only_when_strict() -> None:
    assert parse_preferences("max-affected=3").applied("max-affected") is None


def test_a_time_zone_that_there_is_not_is_refused_in_the_same_words() -> None:
    error = invalid_preferences("timezone=Mars/Olympus")
    assert (error.status, error.code) == (400, "PGRST122")
    assert error.message == "Invalid preferences given with handling=strict"
    assert error.details == "Invalid preferences: timezone=Mars/Olympus"


@given(st.text())
def test_any_text_is_read_or_refused(header: str) -> None:
    with contextlib.suppress(ApiError):
        parse_preferences(header)
