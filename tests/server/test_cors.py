"""Pages in browsers: what another origin may ask, and see."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from rowserve.server.application import Options, application

pytestmark = pytest.mark.anyio

PREFLIGHT = {"access-control-request-method": "PATCH", "access-control-request-headers": "prefer,content-type"}


def client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ASGIApp:
    """The users app, which need not be open to be asked for permission."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    return application(Options(cors_origins=("https://shop.example",)))


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:3000", "https://shop.example"])
async def test_pages_of_this_machine_and_of_named_origins_may(app: ASGIApp, origin: str) -> None:
    async with client(app) as browser:
        answer = await browser.options("/users", headers={"origin": origin, **PREFLIGHT})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert "PATCH" in answer.headers["access-control-allow-methods"]
        seen = await browser.get("/nothing", headers={"origin": origin})
        assert {"Content-Range", "ETag"} <= set(seen.headers["access-control-expose-headers"].split(", "))
        sent = {"access-control-request-headers": "if-match, if-none-match, idempotency-key"}
        answer = await browser.options("/users", headers={"origin": origin, **PREFLIGHT, **sent})
        assert answer.status_code == 200
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in ("if-match", "if-none-match", "idempotency-key"))


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://localhost.example", "null"])
async def test_others_may_not(app: ASGIApp, origin: str) -> None:
    async with client(app) as browser:
        answer = await browser.options("/users", headers={"origin": origin, **PREFLIGHT})
        assert answer.status_code == 400
        assert "access-control-allow-origin" not in answer.headers
