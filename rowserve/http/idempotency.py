"""``Idempotency-Key``: what a client sends twice, for it did not hear of the answer, is done once.

The key and the answer are kept in the database, in the transaction of what is written. So either all of it is there or
nothing, whatever process is asked and whichever is killed; and of several that come at once, all wait for the first.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from ..backends import Backend
from ..context import USER
from ..errors import ApiError
from ..rows import Body
from .request import Request
from .responses import Answer

HEADER = b"idempotency-key"
REPLAYED = (b"idempotent-replayed", b"true")
LONGEST = 255
"""Characters of a key."""
KEPT = 24 * 60 * 60
"""Seconds that an answer is kept."""
SHAPING = (b"accept", b"content-type", b"prefer", b"content-profile")
"""Headers that a request would not be the same without."""

metadata = MetaData()

keys = Table(
    "rowserve_idempotency_keys",
    metadata,
    Column("key", String(LONGEST), primary_key=True),
    Column("caller", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer),
    Column("headers", String),
    Column("body", LargeBinary),
    Column("created", BigInteger, nullable=False, index=True),
)


class Replay(Exception):  # noqa: N818 - it is no error of anybody's
    """Ends what has been done before; its answer is that of then."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Key(NamedTuple):
    """A request that is to be done once.

    Args:
        key: what the client calls it.
        caller: whose key it is: keys of others are others.
        request: a digest of all that it asks for.
    """

    key: str
    caller: str
    request: str

    async def claim(self, session: AsyncSession) -> None:
        """Notes that this is being done, once whoever else is at it has finished.

        Raises:
            Replay: it was done.
            ApiError: 422, the key was used for another request.
        """
        now = int(time.time())
        await session.execute(delete(keys).where(keys.c.created < now - KEPT))
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        values = {**self._asdict(), "created": now}
        claimed = await session.execute(
            dialect.insert(keys).values(values).on_conflict_do_nothing().returning(keys.c.created)
        )
        if claimed.first() is not None:
            return
        known = (await session.execute(select(keys).where(*self._is_this))).one()
        if known.request != self.request:
            raise ApiError(
                422,
                "PT422",
                "This Idempotency-Key was used for another request",
                hint="Send what is new with a key of its own.",
            )
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in json.loads(known.headers)]
        raise Replay(Answer(known.status, [*headers, REPLAYED], known.body))

    async def keep(self, session: AsyncSession, answer: Answer) -> None:
        """Notes the answer."""
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in answer.raw_headers
            if name != b"content-length"
        ]
        values = {"status": answer.status_code, "headers": json.dumps(headers), "body": bytes(answer.body)}
        await session.execute(update(keys).where(*self._is_this).values(values))

    @property
    def _is_this(self) -> tuple[Any, Any]:
        return keys.c.key == self.key, keys.c.caller == self.caller


def key_of(request: Request, body: Body) -> Key:
    """The key of a request.

    Raises:
        ApiError: 400, it is empty or too long.
    """
    # As the header's draft has it, a string in quotes; most clients leave them out.
    key = request.headers[HEADER].decode("latin-1").strip().removeprefix('"').removesuffix('"')
    if not key or len(key) > LONGEST:
        raise ApiError(
            400,
            "PGRST100",
            f"An Idempotency-Key has 1 to {LONGEST} characters, not {len(key)}",
            hint="A UUID is a good key.",
        )
    parts = [request.path.encode(), request.query_string.encode("utf-8", "surrogateescape")]
    parts += [request.headers.get(name, b"") for name in SHAPING]
    return Key(key, digest([caller_of(request)]), digest([*parts, bytes(body)]))


def caller_of(request: Request) -> bytes:
    """What tells callers apart, and stays the same when one gets a new token."""
    user = request.scope.get(USER)
    identity = user.get("sub") if isinstance(user, Mapping) else getattr(user, "id", None)
    if identity is not None:
        return f"{type(user).__qualname__} {identity}".encode()
    return request.headers.get(b"authorization", b"")


def digest(parts: list[bytes]) -> str:
    """A digest of some texts, in which none can be mistaken for a part of the next."""
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts)).hexdigest()


async def make_table(backend: Backend) -> None:
    """Makes the table, unless it is there.

    Raises:
        ApiError: 501, that is not allowed.
    """
    try:
        await backend.create_tables(metadata)
    except DBAPIError as error:
        raise ApiError(
            501,
            "PGRST127",
            f"Idempotency-Key needs the table {keys.name}, which cannot be made",
            details=str(error.orig),
            hint="Make it beforehand, as whoever owns the database; see docs/guide/idempotency.md.",
        ) from error
