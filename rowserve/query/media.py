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
        singular: exactly one row, as an object of its own; for the kind ``plan``, the plan of asking for that.
        nulls_stripped: members that are null are left out; for the kind ``plan`` likewise.
        plan_options: the options of ``EXPLAIN``, for the kind ``plan``.
    """

    name: str
    kind: Literal["json", "csv", "ndjson", "plan", "openapi"]
    singular: bool = False
    nulls_stripped: bool = False
    plan_options: tuple[PlanOption, ...] = ()

    @property
    def planned(self) -> str:
        """The name of what would be answered with, of the kind ``plan``."""
        return self.name.partition('for="')[2].partition('"')[0]


JSON = MediaType("application/json", "json")
OBJECT = MediaType("application/vnd.pgrst.object+json", "json", singular=True)
ARRAY_STRIPPED = MediaType("application/vnd.pgrst.array+json;nulls=stripped", "json", nulls_stripped=True)
OBJECT_STRIPPED = MediaType(
    "application/vnd.pgrst.object+json;nulls=stripped", "json", singular=True, nulls_stripped=True
)
CSV = MediaType("text/csv", "csv")
NDJSON = MediaType("application/x-ndjson", "ndjson")

OPENAPI = MediaType("application/openapi+json", "openapi")

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
_OFFERED_FOR_ROOT = {"*/*", "application/*", "application/json", "application/openapi+json"}
_INSTEAD = {"*/*": (JSON, CSV, NDJSON), "application/*": (JSON, NDJSON), "text/*": (CSV,)}
_STRIPPED = {JSON: ARRAY_STRIPPED, OBJECT: OBJECT_STRIPPED}
_VENDOR = "application/vnd.pgrst."
_PLAN = {f"{_VENDOR}plan": "text", f"{_VENDOR}plan+text": "text", f"{_VENDOR}plan+json": "json"}
_PLAN_OPTIONS: tuple[PlanOption, ...] = ("analyze", "verbose", "settings", "buffers", "wal")

_RANGE = re.compile(r'(?:[^,"]++|"[^"]*+"?)++')
_PARAMETER = re.compile(r'(?:[^;"]++|"[^"]*+"?)++')
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class _Range:
    """One element of an ``Accept`` header; ``text`` is it as it stands there, without its weight and blanks."""

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
    for item in ranges:
        if not item.quality:
            break
        media_type = _plan(item) if explain else None
        if media_type is None:
            media_type = _offered(item)
        if media_type in refused:
            media_type = next((other for other in _INSTEAD.get(item.name, ()) if other not in refused), None)
        if media_type is not None:
            return media_type
    raise _not_acceptable(ranges, "Accept application/json or application/vnd.pgrst.object+json.")


@lru_cache(maxsize=256)
def negotiate_root(accept: str) -> MediaType:
    """The media type of the root, which describes the interface and is always OpenAPI.

    Raises:
        ApiError: 406 PGRST107, where neither that nor JSON is accepted.
    """
    ranges = _ranges(accept)
    if not ranges or any(item.name in _OFFERED_FOR_ROOT and item.quality for item in ranges):
        return OPENAPI
    raise _not_acceptable(ranges, "Accept application/openapi+json or application/json.")


@lru_cache(maxsize=256)
def wants_problem_json(accept: str) -> bool:
    """Whether errors are to be ``application/problem+json`` (RFC 9457): only where the client names it."""
    return any(item.name == "application/problem+json" and item.quality > 0 for item in _ranges(accept))


def _ranges(accept: str) -> list[_Range]:
    """What is accepted, the best liked first; of what is liked the same, what is told apart the most."""
    ranges = []
    for match in _RANGE.finditer(accept):
        name, *rest = (part.strip() for part in _PARAMETER.findall(match[0]) or [""])
        parameters, kept = {}, [name]
        for part in rest:
            key, _, value = part.partition("=")
            key = key.strip().lower()
            parameters[key] = value.strip().strip('"').lower()
            if key and key != "q":
                kept.append(part)
        quality = parameters.pop("q", "1")
        if name:
            # A weight that is none counts as no weight, as if the client had not given it.
            weight = float(quality) if _QUALITY.fullmatch(quality) else 1.0
            ranges.append(_Range(name.lower(), weight, ";".join(kept), parameters))
    return sorted(ranges, key=_dislike)


def _dislike(item: _Range) -> tuple[float, int]:
    return -item.quality, item.name.count("*") - len(item.parameters)


def _offered(item: _Range) -> MediaType | None:
    media_type = _OFFERED.get(item.name)
    if media_type is not None and item.name.startswith(_VENDOR) and item.parameters.get("nulls") == "stripped":
        return _STRIPPED[media_type]
    return media_type


def _plan(item: _Range) -> MediaType | None:
    """The plan of what the parameter ``for`` names, if that could be answered with."""
    if item.name not in _PLAN:
        return None
    of = _ranges(item.parameters.get("for", "application/json"))
    media_type = _offered(of[0]) if of else None
    if media_type is None:
        return None
    options = _plan_options(item)
    name = _plan_name(item, media_type.name, options)
    return MediaType(name, "plan", media_type.singular, media_type.nulls_stripped, options)


def _plan_options(item: _Range) -> tuple[PlanOption, ...]:
    wanted = item.parameters.get("options", "").split("|")
    return tuple(option for option in _PLAN_OPTIONS if option in wanted)


def _plan_name(item: _Range, of: str, options: tuple[PlanOption, ...]) -> str:
    name = f'{_VENDOR}plan+{_PLAN[item.name]}; for="{of}"'
    return f"{name}; options={'|'.join(options)}" if options else name


def _not_acceptable(ranges: list[_Range], hint: str) -> ApiError:
    names = (
        _plan_name(item, item.parameters.get("for", "application/json"), _plan_options(item))
        if item.name in _PLAN
        else item.text
        for item in ranges
    )
    return ApiError(406, "PGRST107", f"None of these media types are available: {', '.join(names)}", hint=hint)
