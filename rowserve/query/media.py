"""Content negotiation: which media type a client's ``Accept`` header asks for (RFC 9110, section 12.5.1).

https://docs.postgrest.org/en/v14/references/api/media_type_handlers.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from rowserve.errors import ApiError

PlanOption = Literal["analyze", "verbose", "settings", "buffers", "wal"]


@dataclass(frozen=True, slots=True)
class MediaType:
    """What an answer is to look like.

    Args:
        name: the value of ``Content-Type``, without a charset.
        kind: what has to be built.
        singular: exactly one row, as an object of its own.
        nulls_stripped: members that are null are left out.
        plan_options: the options of ``EXPLAIN``, for the kind ``plan``.
    """

    name: str
    kind: Literal["json", "csv", "ndjson", "plan"]
    singular: bool = False
    nulls_stripped: bool = False
    plan_options: tuple[PlanOption, ...] = ()


JSON = MediaType("application/json", "json")
OBJECT = MediaType("application/vnd.pgrst.object+json", "json", singular=True)
ARRAY_STRIPPED = MediaType("application/vnd.pgrst.array+json;nulls=stripped", "json", nulls_stripped=True)
OBJECT_STRIPPED = MediaType(
    "application/vnd.pgrst.object+json;nulls=stripped", "json", singular=True, nulls_stripped=True
)
CSV = MediaType("text/csv", "csv")
NDJSON = MediaType("application/x-ndjson", "ndjson")

_OFFERED = {
    "*/*": JSON,
    "application/*": JSON,
    "application/json": JSON,
    "application/vnd.pgrst.array": JSON,
    "application/vnd.pgrst.array+json": JSON,
    "application/vnd.pgrst.object": OBJECT,
    "application/vnd.pgrst.object+json": OBJECT,
    "text/*": CSV,
    "text/csv": CSV,
    "application/x-ndjson": NDJSON,
    "application/ndjson": NDJSON,
    "application/jsonl": NDJSON,
}
_STRIPPED = {JSON: ARRAY_STRIPPED, OBJECT: OBJECT_STRIPPED}
_INSTEAD = {"*/*": (JSON, CSV, NDJSON), "application/*": (JSON, NDJSON), "text/*": (CSV,)}
_PLAN = {
    "application/vnd.pgrst.plan": "application/vnd.pgrst.plan+text",
    "application/vnd.pgrst.plan+text": "application/vnd.pgrst.plan+text",
    "application/vnd.pgrst.plan+json": "application/vnd.pgrst.plan+json",
}
_PLAN_OPTIONS: tuple[PlanOption, ...] = ("analyze", "verbose", "settings", "buffers", "wal")

_RANGE = re.compile(r'(?:[^,"]++|"[^"]*+"?)++')
_PARAMETER = re.compile(r'(?:[^;"]++|"[^"]*+"?)++')
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class _Range:
    """One element of an ``Accept`` header."""

    name: str
    quality: float
    text: str
    parameters: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=256)
def negotiate(accept: str, *, explain: bool = False) -> MediaType:
    """The media type of the answer: of those that can be answered with, the one the client likes best.

    Args:
        accept: the ``Accept`` header; empty means anything.
        explain: whether plans may be answered with.

    Raises:
        ApiError: 406 PGRST107, where nothing that is accepted can be answered with.
    """
    ranges = _ranges(accept)
    if not ranges:
        return JSON
    refused = {_OFFERED.get(item.name) for item in ranges if not item.quality and "*" not in item.name}
    for item in sorted(ranges, key=_dislike):
        if not item.quality:
            break
        media_type = _plan(item) if explain else None
        if media_type is None:
            media_type = _OFFERED.get(item.name)
        if media_type in refused:
            media_type = next((other for other in _INSTEAD.get(item.name, ()) if other not in refused), None)
        if media_type is not None:
            stripped = item.parameters.get("nulls") == "stripped"
            return _STRIPPED.get(media_type, media_type) if stripped else media_type
    raise ApiError(
        406,
        "PGRST107",
        f"None of these media types are available: {', '.join(item.text for item in ranges)}",
        hint="Accept application/json or application/vnd.pgrst.object+json.",
    )


@lru_cache(maxsize=256)
def wants_problem_json(accept: str) -> bool:
    """Whether errors are to be ``application/problem+json`` (RFC 9457): only where the client names it."""
    return any(item.name == "application/problem+json" and item.quality > 0 for item in _ranges(accept))


def _ranges(accept: str) -> list[_Range]:
    ranges = []
    for match in _RANGE.finditer(accept):
        name, *rest = (part.strip() for part in _PARAMETER.findall(match[0]) or [""])
        parameters = {}
        for part in rest:
            key, _, value = part.partition("=")
            parameters[key.strip().lower()] = value.strip().strip('"').lower()
        quality = parameters.pop("q", "1")
        if name:
            # A weight that is none counts as no weight, as if the client had not given it.
            weight = float(quality) if _QUALITY.fullmatch(quality) else 1.0
            ranges.append(_Range(name.lower(), weight, name, parameters))
    return ranges


def _dislike(item: _Range) -> float:
    return -item.quality


def _plan(item: _Range) -> MediaType | None:
    name = _PLAN.get(item.name)
    if name is None:
        return None
    wanted = item.parameters.get("options", "").split("|")
    return MediaType(name, "plan", plan_options=tuple(option for option in _PLAN_OPTIONS if option in wanted))
