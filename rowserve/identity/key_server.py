"""Keys that a server publishes, and changes now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from http.client import HTTPException
from math import ceil
from time import monotonic, time
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pydantic_core import from_json

from ..errors import ApiError
from .keys import Key, jwk_set

AGE = 300.0
"""Seconds after which keys are fetched again: a key that was withdrawn is good for nothing after that."""
PAUSE = 5.0
"""Seconds between two fetches at the least, however many tokens name keys that are not known."""
TIMEOUT = 5.0
"""Seconds for a fetch."""
LARGEST = 1_000_000
"""Bytes of a JWK set at the most."""

log = logging.getLogger("rowserve")


class KeyServer:
    """Fetches a JWK set, on a thread, and one for all who wait for it. While the server is away, the keys that were
    fetched last remain.

    Args:
        url: where the JWK set is.
        algorithms: what keys are wanted for.
        changed: called when there are other keys than before.

    Attributes:
        keys: those that were fetched last.
        due: when they are to be fetched again, in seconds since 1970.

    Raises:
        ValueError: the URL is none of HTTP.
    """

    def __init__(self, url: str, algorithms: Sequence[str], changed: Callable[[], None]) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError(f"jwks_url is {url!r}: it is a URL that begins with https://")
        self.url = url
        self.algorithms = algorithms
        self.changed = changed
        self.keys: tuple[Key, ...] = ()
        self.due = 0.0
        self._document: object = None
        self._failed = True
        self._next = 0.0
        self._fetching: asyncio.Task[None] | None = None

    async def current(self) -> tuple[Key, ...]:
        """The keys. Nobody waits for them but who comes before there are any.

        Raises:
            ApiError: 503, where there are none yet and the server is away.
        """
        if not self.keys:
            return await self.renewed()
        if time() >= self.due:
            self._fetch()
        return self.keys

    async def renewed(self) -> tuple[Key, ...]:
        """The keys as the server has them now, or had them a moment ago.

        Raises:
            ApiError: 503, where the server is away.
        """
        fetching = self._fetch()
        if fetching is not None:
            await asyncio.shield(fetching)
        if self._failed:
            raise ApiError(
                503,
                "PGRST300",
                "The keys that tokens are signed with cannot be fetched",
                hint="Nothing is said about the token. Try again after the seconds in Retry-After.",
                headers={"Retry-After": str(max(1, ceil(self._next - monotonic())))},
            )
        return self.keys

    def _fetch(self) -> asyncio.Task[None] | None:
        """The fetch that is under way; None where the last one was a moment ago."""
        fetching = self._fetching
        if fetching is not None and fetching.get_loop() is asyncio.get_running_loop():
            return fetching
        if monotonic() < self._next:
            return None
        self._fetching = asyncio.create_task(self._fetched())
        return self._fetching

    async def _fetched(self) -> None:
        self._failed = True
        try:
            document = from_json(await asyncio.to_thread(fetch, self.url))
            self._replace(document)
            self._failed = False
        except (OSError, HTTPException, ValueError) as error:
            log.warning("The keys at %s cannot be fetched: %s", self.url, error)
        finally:
            self._next = monotonic() + PAUSE
            self.due = time() + (PAUSE if self._failed else AGE)
            self._fetching = None

    def _replace(self, document: object) -> None:
        if document == self._document:
            return
        keys = jwk_set(document, self.algorithms)
        if not keys:
            log.warning("None of the keys at %s is for %s: no token is good", self.url, ", ".join(self.algorithms))
        self.keys, self._document = keys, document
        self.changed()


def fetch(url: str) -> bytes:
    """What is at a URL; it has been seen that it is one of HTTP.

    Raises:
        OSError: it cannot be had, is too large or takes too long; likewise HTTPException.
    """
    deadline = monotonic() + TIMEOUT
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310
    with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        body = bytearray()
        while chunk := response.read1(65_536):
            body += chunk
            if len(body) > LARGEST:
                raise OSError(f"there are more than {LARGEST} bytes")
            if monotonic() > deadline:
                raise TimeoutError(f"it takes more than {TIMEOUT} seconds")
    return bytes(body)
