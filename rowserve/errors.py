"""Every error the wire can carry, in one shape: ``code``, ``message``, ``details``, ``hint``.

The codes and statuses are PostgREST's (https://docs.postgrest.org/en/v14/references/errors.html): ``PGRST…`` for
what the request got wrong, a SQLSTATE for what the database refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import to_json


class ApiError(Exception):
    """A request that cannot be answered, and what its client is told.

    Args:
        status: the HTTP status.
        code: a PostgREST code (``PGRST100``) or a SQLSTATE (``23505``).
        message: what happened, to which name.
        details: more about it: a string, or any JSON value.
        hint: what to do next.
        headers: further response headers, such as ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: object = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.headers = dict(headers or {})

    def members(self) -> dict[str, object]:
        """The four members of the body, all of them always present."""
        return {"code": self.code, "message": self.message, "details": self.details, "hint": self.hint}

    def body(self) -> bytes:
        """The JSON body."""
        return to_json(self.members())
