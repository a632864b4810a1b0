"""Request bodies: read to their end, but no further than allowed."""

from __future__ import annotations

from starlette.types import Receive

from ..errors import ApiError
from ..rows import Body


async def read_body(receive: Receive, headers: dict[bytes, bytes], limit: int) -> Body:
    """The whole body, held once: what comes in parts is put together as it comes.

    Raises:
        ApiError: 413 past ``limit`` bytes; 400 where the client went away in the middle.
    """
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > limit:
        raise too_large(limit)
    message = await receive()
    body: Body = message.get("body", b"")
    if not message.get("more_body"):
        return checked(body, message["type"], limit)
    body = bytearray(body)
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
    return checked(body, message["type"], limit)


def checked(body: Body, type_: str, limit: int) -> Body:
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
