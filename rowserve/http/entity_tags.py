"""Entity tags: ``ETag``, ``If-Match`` and ``If-None-Match`` (RFC 9110, sections 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from ..errors import ApiError
from ..sql.entity import Entity
from .formats import Kind
from .request import Request
from .responses import VARY, Answer

TAG = re.compile(r'[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|$)')
VARIANT = ";"
"""Comes before what tells a representation of a row from its JSON: a version has none, as it is percent-encoded."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a header names.

    Args:
        texts: what is between the quotes of each tag.
        strong: of those that are not weak, the versions of the row.
    """

    texts: frozenset[str]
    strong: Sequence[str]


def entity_tag(version: str, variant: str = "") -> bytes:
    """The strong tag of a row, or of a representation of it that is not its JSON."""
    return f'"{quote(version, safe="")}{variant}"'.encode()


def variant_of(kind: Kind, zone: str | None) -> str:
    """What tells a representation from the others that the same URL has."""
    variant = "" if kind == "json" else VARIANT + kind
    return variant if zone is None else f"{variant}{VARIANT}{quote(zone, safe='')}"


def tags_of(request: Request, name: bytes) -> Tags | None:
    """The tags that a header names; None for ``*``, which stands for any.

    Raises:
        ApiError: 400 PGRST100 for what is no list of tags.
    """
    values = [value for header, value in request.scope["headers"] if header == name]
    text = b", ".join(values).decode("latin-1").strip(" \t")
    if text == "*":
        return None
    found: list[tuple[str | None, str]] = []
    position = 0
    while position < len(text):
        match = TAG.match(text, position)
        if match is None:
            header = name.decode().title()
            raise ApiError(
                400,
                "PGRST100",
                f"{header} is no list of entity tags: {text}",
                hint=f'Send back what ETag said, with its quotes: {header}: "3".',
            )
        if match[2] is not None:
            found.append((match[1], match[2]))
        position = match.end()
    strong = [unquote(tag.partition(VARIANT)[0]) for weak, tag in found if not weak]
    # PostgreSQL knows no text with a NUL, so no version is one.
    return Tags(frozenset(tag for _, tag in found), [version for version in strong if "\0" not in version])


def tagged(answer: Answer, request: Request, tag: bytes) -> Answer:
    """The answer with its tag, or that the client has it already."""
    answer.raw_headers.append((b"etag", tag))
    if b"if-none-match" in request.headers and request.method in ("GET", "HEAD"):
        known = tags_of(request, b"if-none-match")
        if known is None or tag.decode("latin-1")[1:-1] in known.texts:
            return Answer(304, [VARY, (b"etag", tag)])
    return answer


def unmatched(entity: Entity, version: str | None) -> ApiError:
    """The answer to who expects another version of a row than it has."""
    return ApiError(
        412,
        "PT412",
        f"The row in {entity.name} is no longer what it was",
        details=None if version is None else f"Its version is {version}.",
        hint="Read it again, and send the new ETag in If-Match.",
        headers=None if version is None else {"ETag": entity_tag(version).decode()},
    )


def unmatchable(entity: Entity) -> ApiError:
    """The answer to a tag for what has none."""
    return ApiError(
        412,
        "PT412",
        f"What {entity.name} is sent has no entity tag that could match",
        hint="A row has one, at a path of its own, where its resource has a version. Leave If-Match out.",
    )


def unconditional(entity: Entity, hint: str) -> ApiError:
    """The answer to who does not say which version is to be changed where that has to be said."""
    return ApiError(428, "PT428", f"Rows of {entity.name} are changed by their version", hint=hint)
