"""Keys that a server publishes: fetched, rotated, withdrawn, and while the server is down or slow."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rowserve import ApiError, authentication
from rowserve.identity import JWT, key_server
from tests.processes import eventually, free_port

from .minting import SECRET, bearer, identified, in_seconds, jwk, mint, refused

pytestmark = pytest.mark.anyio

NO_KEY = (401, "PGRST301", "No suitable key or wrong key type")
LARGE = json.dumps({"keys": [jwk("ES256", "second")], "more": "a" * 1_000_000}).encode()
AWAY = (503, "PGRST300", "The keys that tokens are signed with cannot be fetched")


class Publisher:
    """A server of keys.

    Attributes:
        keys: what it publishes.
        status: what it answers with.
        fetches: how often it was asked.
        go: it answers while this is set.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.keys: Any = [jwk("ES256", "first")]
        self.status = 200
        self.fetches = 0
        self.go = threading.Event()
        self.go.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keys"

    @contextmanager
    def running(self) -> Iterator[None]:
        publisher = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.fetches += 1
                publisher.go.wait(10)
                body = publisher.keys
                if not isinstance(body, bytes):
                    body = json.dumps({"keys": body}).encode()
                self.send_response(publisher.status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            self.go.set()
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def stopped() -> Publisher:
    return Publisher(free_port())


@pytest.fixture
def publisher(stopped: Publisher) -> Iterator[Publisher]:
    with stopped.running():
        yield stopped


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two fetches."""
    monkeypatch.setattr(key_server, "PAUSE", 0.0)


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are fetched in the background by each request that is not remembered, which none is."""
    monkeypatch.setattr(key_server, "AGE", 0.0)


def verifier(publisher: Publisher) -> JWT:
    return JWT(jwks_url=publisher.url, algorithms=["ES256", "RS256"])


async def settled(publisher: Publisher, fetches: int) -> None:
    """Waits for a fetch in the background."""
    await asyncio.to_thread(eventually, lambda: publisher.fetches >= fetches)


async def test_keys_are_fetched_once(publisher: Publisher) -> None:
    publisher.keys = [jwk("ES256", "first"), jwk("RS256", "second"), {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "?"}, 7]
    jwt = verifier(publisher)
    for algorithm, name in (("ES256", "first"), ("RS256", "second"), ("ES256", None)):
        assert await identified(jwt, mint(algorithm, name))
    assert publisher.fetches == 1


async def test_a_hundred_requests_at_once_are_one_fetch(publisher: Publisher) -> None:
    publisher.go.clear()
    jwt = verifier(publisher)
    asking = [asyncio.create_task(identified(jwt, mint("ES256", "first", n=n))) for n in range(100)]
    await asyncio.sleep(0.05)
    publisher.go.set()
    assert [claims.n for claims in await asyncio.gather(*asking)] == list(range(100))
    assert publisher.fetches == 1


async def test_a_new_key_is_fetched_when_a_token_names_it(publisher: Publisher, impatient: None) -> None:
    jwt = verifier(publisher)
    assert await identified(jwt, mint("ES256", "first"))
    publisher.keys = [jwk("ES256", "first"), jwk("ES256", "second")]
    asking = [identified(jwt, mint("ES256", "second", n=n)) for n in range(100)]
    assert len(await asyncio.gather(*asking)) == 100
    assert publisher.fetches == 2


async def test_a_new_key_without_a_name(publisher: Publisher, impatient: None) -> None:
    publisher.keys = [jwk("ES256", "first", kid=None)]
    jwt = verifier(publisher)
    assert await identified(jwt, mint("ES256"))
    publisher.keys = [jwk("ES256", "second", kid=None)]
    assert await identified(jwt, mint("ES256", "second"))


async def test_names_of_keys_that_are_none_are_not_fetched_for_again_and_again(publisher: Publisher) -> None:
    jwt = verifier(publisher)
    for n in range(20):
        assert await refused(jwt, mint("ES256", f"unknown {n}")) == NO_KEY
    assert publisher.fetches == 1


async def test_a_forged_token_is_no_reason_to_fetch(publisher: Publisher, impatient: None) -> None:
    jwt = verifier(publisher)
    for n in range(5):
        forged = mint("ES256", "first", n=n)[:-4] + "aaaa"
        assert (await refused(jwt, forged))[:2] == (401, "PGRST301")
        assert (await refused(jwt, mint("HS256", "first", key=SECRET)))[:2] == (401, "PGRST301")
    assert publisher.fetches == 1


async def test_tokens_of_a_withdrawn_key_are_forgotten(publisher: Publisher, impatient: None) -> None:
    jwt = verifier(publisher)
    token = mint("ES256", "first", exp=in_seconds(86_400))
    assert await identified(jwt, token)
    publisher.keys = [jwk("ES256", "second")]
    assert await identified(jwt, token), "it is remembered"
    assert await identified(jwt, mint("ES256", "second"))
    assert await refused(jwt, token) == NO_KEY


async def test_keys_are_fetched_again_when_they_are_old(
    publisher: Publisher, impatient: None, always_due: None
) -> None:
    jwt = verifier(publisher)
    token = mint("ES256", "first")
    assert await identified(jwt, token)
    publisher.keys = [jwk("ES256", "second")]
    for _ in range(1_000):  # nobody waits for it
        try:
            await identified(jwt, token)
        except ApiError:
            break
        await asyncio.sleep(0.01)
    assert await refused(jwt, token) == NO_KEY


async def test_remembered_tokens_have_old_keys_fetched_again(
    publisher: Publisher, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    jwt = verifier(publisher)
    token = mint("ES256", "first", exp=in_seconds(86_400))
    assert await identified(jwt, token)
    for module in (authentication, key_server):
        monkeypatch.setattr(module, "time", lambda: in_seconds(key_server.AGE + 1))
    assert await identified(jwt, token)
    await settled(publisher, 2)


@pytest.mark.parametrize("keys", [b"nonsense", b"[]", b'{"keys": 7}', b"[" * 100_000, LARGE])
async def test_old_keys_are_kept_while_the_server_answers_nonsense(
    publisher: Publisher, impatient: None, always_due: None, keys: bytes
) -> None:
    jwt = verifier(publisher)
    assert await identified(jwt, mint("ES256", "first"))
    publisher.keys = keys
    for n in range(3):
        assert await identified(jwt, mint("ES256", "first", n=n))
        await settled(publisher, 2)
    assert await refused(jwt, mint("ES256", "second")) == AWAY


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_old_keys_are_kept_while_the_server_fails(
    publisher: Publisher, impatient: None, always_due: None, status: int
) -> None:
    jwt = verifier(publisher)
    assert await identified(jwt, mint("ES256", "first"))
    publisher.status = status
    assert await refused(jwt, mint("ES256", "second")) == AWAY
    assert await identified(jwt, mint("ES256", "first", n=1))
    publisher.status = 200
    publisher.keys = [jwk("ES256", "second")]
    assert await identified(jwt, mint("ES256", "second"))


async def test_a_server_that_is_down_from_the_start(stopped: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    jwt = verifier(stopped)
    token = mint("ES256", "first")
    with pytest.raises(ApiError) as raised:
        await jwt.identify(bearer(token))
    assert (raised.value.status, raised.value.code, raised.value.message) == AWAY
    assert raised.value.headers is not None
    assert 1 <= int(raised.value.headers["Retry-After"]) <= 5
    with stopped.running():
        assert await refused(jwt, token) == AWAY
        assert stopped.fetches == 0, "it is left alone for a moment"
        monkeypatch.setattr(key_server, "monotonic", lambda: in_seconds(0) + 1e9)
        assert await identified(jwt, token)


async def test_while_keys_are_fetched_others_are_answered(publisher: Publisher) -> None:
    publisher.go.clear()
    jwt = verifier(publisher)
    waiting = asyncio.create_task(identified(jwt, mint("ES256", "first")))
    await settled(publisher, 1)
    assert await identified(JWT(key=SECRET), mint())
    assert await jwt.identify({}) is None
    assert (await refused(jwt, "nonsense"))[0] == 401
    assert not waiting.done()
    publisher.go.set()
    assert await waiting


async def test_old_keys_are_good_while_new_ones_are_fetched(publisher: Publisher, always_due: None) -> None:
    jwt = JWT(jwks_url=publisher.url, algorithms=["ES256"])
    assert await identified(jwt, mint("ES256", "first"))
    publisher.go.clear()
    assert await identified(jwt, mint("ES256", "first", n=1))


async def test_a_server_that_takes_too_long(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_server, "TIMEOUT", 0.1)
    publisher.go.clear()
    assert await refused(verifier(publisher), mint("ES256", "first")) == AWAY


async def test_who_goes_away_does_not_end_the_fetch_of_others(publisher: Publisher) -> None:
    publisher.go.clear()
    jwt = verifier(publisher)
    gone, stays = (asyncio.create_task(identified(jwt, mint("ES256", "first", n=n))) for n in range(2))
    await asyncio.sleep(0.05)
    gone.cancel()
    publisher.go.set()
    assert (await stays).n == 1
    assert publisher.fetches == 1


async def test_no_key_is_left(publisher: Publisher, impatient: None) -> None:
    jwt = verifier(publisher)
    token = mint("ES256", "first")
    assert await identified(jwt, token)
    publisher.keys = []
    assert (await refused(jwt, mint("ES256", "second")))[0] == 401
    assert (await refused(jwt, token))[0] == 401


def test_one_verifier_on_several_event_loops(publisher: Publisher, impatient: None) -> None:
    jwt = verifier(publisher)
    publisher.go.clear()

    async def given_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(identified(jwt, mint("ES256", "first")), 0.05)
        publisher.go.set()

    asyncio.run(given_up())
    assert asyncio.run(identified(jwt, mint("ES256", "first")))
