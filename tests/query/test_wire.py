"""What clients put on the wire: every request that was recorded is read, and comes out as the same request."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rowserve.query import negotiate, parse, parse_call, parse_preferences, unparse, unparse_call

WIRE = [json.loads(line) for line in Path(__file__).with_name("wire.jsonl").read_text().splitlines()]
"""Each request once, by its method, URL and the headers ``Accept`` and ``Prefer``."""
PREFERENCES = ("resolution", "missing", "return", "count", "tx", "handling", "timezone", "max-affected")


def test_no_request_is_lost() -> None:
    assert len(WIRE) == 445
    assert len({json.dumps(request, sort_keys=True) for request in WIRE}) == 445
    assert sum("/rpc/" in request["url"] for request in WIRE) == 64


@pytest.mark.parametrize("request_", WIRE, ids=lambda request: f"{request['method']} {request['url'][-50:]}")
def test_it_comes_out_as_the_same_request(request_: dict[str, str]) -> None:
    path, query_string = urlsplit(request_["url"])[2:4]
    if "/rpc/" in path and request_["method"] in ("GET", "HEAD"):
        call = parse_call(query_string)
        assert parse_call(unparse_call(call)) == call
    else:
        parsed = parse(query_string)
        assert parse(unparse(parsed)) == parsed

    preferences = parse_preferences(request_.get("prefer", ""))
    assert preferences.unknown == ()
    assert parse_preferences(preferences.applied(*PREFERENCES) or "") == preferences

    accept = request_.get("accept", "")
    if accept != "application/geo+json":
        media_type = negotiate(accept, explain=True)
        assert negotiate(media_type.name, explain=True) == media_type
        assert media_type.name.split(";")[0] in {accept.split(";")[0], "application/json"}


def test_calls_keep_their_arguments() -> None:
    calls = {
        parse_call(urlsplit(request["url"]).query).arguments
        for request in WIRE
        if "/rpc/" in request["url"] and request["method"] in ("GET", "HEAD")
    }
    assert calls == {(), (("name_param", "supabot"),), (("param", "{00000000-0000-0000-0000-000000000000}"),)}
