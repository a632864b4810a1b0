"""Request bodies: read to their end, but no further than allowed."""

from __future__ import annotations

from starlette.types import Receive

from ..errors import ApiError


async def read_body(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """The whole body.

    Raises:
        ApiError: 413 past ``limit`` bytes; 400 where the client went away in the middle.
    """
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > limit:
        raise too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return checked(body, message["type"], limit)
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return checked(b"".join(parts), message["type"], limit)


def checked(body: bytes, type_: str, limit: int) -> bytes:
    if type_ == "http.disconnect":
        raise ApiError(400, "PGRST102", "The client went away before the body was complete")
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> ApiError:
    return ApiError(
        413,
        "PGRST102",
        "The body is too large",
        details=f"The limit is {limit} bytes.",
        hint="Send fewer rows at once.",
    )
