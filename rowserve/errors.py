"""Every error the wire can carry, in one shape: ``code``, ``message``, ``details``, ``hint``.

The codes and statuses are PostgREST's (https://docs.postgrest.org/en/v14/references/errors.html): ``PGRST…`` for
what the request got wrong, a SQLSTATE for what the database refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic_core import from_json, to_json
from starlette.exceptions import HTTPException


class ApiError(HTTPException):
    """A request that cannot be answered, and what its client is told.

    Raised in an endpoint of your own it is answered as any ``HTTPException``, with the four members as its detail.

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
        super().__init__(status, headers=dict(headers or {}))
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.detail = self.members()  # type: ignore[assignment]  # FastAPI answers any JSON value

    def __str__(self) -> str:
        return self.message

    def members(self) -> dict[str, object]:
        """The four members of the body, all of them always present."""
        return {"code": self.code, "message": self.message, "details": self.details, "hint": self.hint}

    def body(self) -> bytes:
        """The JSON body."""
        return to_json(self.members())


def database_error(sqlstate: str, message: str, *, details: object = None, hint: str | None = None) -> ApiError:
    """The answer to an error of the database, by its SQLSTATE.

    With ``PGRST`` a function says all of the answer itself: ``RAISE SQLSTATE 'PGRST' USING MESSAGE = …, DETAIL = …``,
    both JSON. See https://docs.postgrest.org/en/v14/references/errors.html#raise-errors-with-http-status-codes.
    """
    if sqlstate == "PGRST":
        return raised(message, details)
    status = status_of(sqlstate)
    headers = {"Retry-After": "1"} if status == 503 else None
    return ApiError(status, sqlstate, message, details=details, hint=hint, headers=headers)


def raised(message: str, detail: object) -> ApiError:
    """The answer that a function has raised, or why there is none."""
    try:
        body = from_json(message)
        code, text = str(body["code"]), str(body["message"])
        details, hint = body.get("details"), body.get("hint")
    except (ValueError, TypeError, KeyError, AttributeError):
        return unraisable(
            f"Invalid JSON value for MESSAGE: '{message}'",
            "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', "
            "'hint'.",
        )
    wanted = "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."
    if detail is None:
        return unraisable("DETAIL is missing in the RAISE statement", wanted)
    try:
        answer = from_json(str(detail))
        status = int(answer["status"])
        headers = {str(name): header_value(value) for name, value in answer["headers"].items()}
        if not 200 <= status <= 599:
            raise ValueError(status)
    except (ValueError, TypeError, KeyError, AttributeError):
        return unraisable(f"Invalid JSON value for DETAIL: '{detail}'", wanted)
    return ApiError(status, code, text, details=details, hint=hint, headers=headers)


def header_value(value: object) -> str:
    """A value that can stand in a header; raises ValueError for any other."""
    text = str(value)
    text.encode("latin-1")
    if "\n" in text or "\r" in text:
        raise ValueError(text)
    return text


def unraisable(details: str, hint: str) -> ApiError:
    return ApiError(
        500, "PGRST121", "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error", details=details, hint=hint
    )


def timed_out() -> ApiError:
    """The answer for what was stopped at its deadline."""
    return database_error("57014", "canceling statement due to statement timeout")


def unreachable() -> ApiError:
    """The answer while the database cannot be reached."""
    return ApiError(
        503,
        "PGRST000",
        "Database connection error. Retrying the connection.",
        hint="The database does not answer. Try again after the seconds in Retry-After.",
        headers={"Retry-After": "1"},
    )


STATUS_OF_SQLSTATE = {
    "21000": 400,
    "23503": 409,
    "23505": 409,
    "25006": 405,
    "42501": 403,
    "42883": 404,
    "42P01": 404,
    "42P17": 500,
    "57P01": 503,
    "P0001": 400,
}
STATUS_OF_CLASS = {
    "08": 503,
    "09": 500,
    "0L": 403,
    "0P": 403,
    "25": 500,
    "28": 403,
    "2D": 500,
    "38": 500,
    "39": 500,
    "3B": 500,
    "40": 500,
    "53": 503,
    "54": 500,
    "55": 500,
    "57": 500,
    "58": 500,
    "F0": 500,
    "HV": 500,
    "P0": 500,
    "XX": 500,
}


def status_of(sqlstate: str) -> int:
    """The HTTP status for a SQLSTATE, as PostgREST maps it."""
    if sqlstate.startswith("PT"):
        number = sqlstate[2:]
        return int(number) if number.isdecimal() and 200 <= int(number) <= 599 else 500
    return STATUS_OF_SQLSTATE.get(sqlstate) or STATUS_OF_CLASS.get(sqlstate[:2], 400)


def refused(table: str, *, is_anonymous: bool) -> ApiError:
    """The answer to who may not do something with a table: 401 for those who may yet say who they are."""
    error = ApiError(403, "42501", f"permission denied for table {table}")
    return of_nobody(error) if is_anonymous else error


def of_nobody(error: ApiError) -> ApiError:
    """A refusal as those are told of it who may yet say who they are."""
    return ApiError(
        401,
        error.code,
        error.message,
        details=error.details,
        hint=error.hint or "Say who you are: nobody unknown may do this.",
        headers={"WWW-Authenticate": "Bearer"},
    )


REFUSING = re.compile(r"rowserve refuses (nobody|somebody) ([0-9a-f]*)")


def refusing_text(table: str, *, is_anonymous: bool) -> str:
    """What a statement fails with that refuses itself: a text that is no value of the type it is cast to."""
    return f"rowserve refuses {'nobody' if is_anonymous else 'somebody'} {table.encode().hex()}"


def refused_by(message: str) -> ApiError | None:
    """The refusal that a message of the database carries, if it does."""
    found = REFUSING.search(message)
    return None if found is None else refused(bytes.fromhex(found[2]).decode(), is_anonymous=found[1] == "nobody")


def internal_error() -> ApiError:
    """The answer to what nobody foresaw; the log has the cause."""
    return ApiError(500, "PGRSTX00", "Internal error", hint="The server's log says more.")
