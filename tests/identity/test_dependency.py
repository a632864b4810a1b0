"""An authenticator as a dependency of FastAPI."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from httpx import AsyncClient, Response
from starlette.requests import HTTPConnection

from rowserve.identity import JWT, USER, Claims
from tests.helpers import client_of

from .minting import SECRET, mint

pytestmark = pytest.mark.anyio

anybody = JWT(key=SECRET)
somebody = JWT(key=SECRET, required=True)


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def me(request: Request, user: Annotated[Claims | None, Depends(anybody)]) -> dict[str, Any]:
        assert request.scope[USER] is user
        return {"user": user and user.id}

    @app.get("/mine")
    async def mine(user: Annotated[Claims, Depends(somebody)]) -> dict[str, Any]:
        return dict(user)

    return app


async def asked(client: AsyncClient, path: str, token: str | None) -> Response:
    return await client.get(path, headers={} if token is None else {"Authorization": f"Bearer {token}"})


async def test_who_asks() -> None:
    async with client_of(application()) as client:
        assert (await asked(client, "/me", None)).json() == {"user": None}
        assert (await asked(client, "/me", mint())).json() == {"user": "7"}
        assert (await asked(client, "/mine", mint(role="editor"))).json() == {"sub": "7", "role": "editor"}


async def test_who_is_refused() -> None:
    async with client_of(application()) as client:
        nobody = await asked(client, "/mine", None)
        assert (nobody.status_code, nobody.json()["detail"]["code"]) == (401, "PGRST302")
        assert nobody.headers["www-authenticate"] == "Bearer"
        for path in ("/me", "/mine"):
            expired = await asked(client, path, mint(exp=1))
            assert (expired.status_code, expired.json()["detail"]["code"]) == (401, "PGRST303")
            challenge = 'Bearer error="invalid_token", error_description="JWT expired"'
            assert expired.headers["www-authenticate"] == challenge


async def test_openapi_says_that_there_is_a_token_to_give() -> None:
    document = application().openapi()
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    assert document["paths"]["/me"]["get"]["security"] == [{"bearer": []}]
    assert "parameters" not in document["paths"]["/me"]["get"]


async def test_websockets() -> None:
    headers = [(b"authorization", f"Bearer {mint()}".encode())]
    scope: dict[str, Any] = {"type": "websocket", "headers": headers}
    user = await somebody(HTTPConnection(scope))
    assert user is not None
    assert scope[USER] is user
