"""Tokens for tests, and the keys they are signed with."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from rowserve import ApiError
from rowserve.identity import Authenticator, Claims

SECRET = "a secret of the tests, which has sixty-four bytes so that all do."
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
PUBLIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def private_key(algorithm: str, name: str = "first") -> Any:
    """A key for an algorithm; another one by each name."""
    return _private_key(algorithm, name)


@cache
def _private_key(algorithm: str, name: str) -> Any:
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def pem(algorithm: str, name: str = "first") -> str:
    """The public half, as a PEM."""
    public = private_key(algorithm, name).public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def jwk(algorithm: str, name: str = "first", **members: Any) -> dict[str, Any]:
    """The public half, as a JWK whose ``kid`` is its name."""
    written = get_default_algorithms()[algorithm].to_jwk(private_key(algorithm, name).public_key())
    return {"kid": name, **json.loads(written), **members}


def mint(algorithm: str = "HS256", name: str | None = None, *, key: Any = None, **claims: Any) -> str:
    """A token, signed with a key, and with that of a name where it says so."""
    if key is None:
        key = SECRET if algorithm.startswith("HS") else private_key(algorithm, name or "first")
    return jwt.encode({"sub": "7", **claims}, key, algorithm, {"kid": name} if name else None)


def in_seconds(seconds: float) -> int:
    return int(time.time() + seconds)


def bearer(token: str) -> dict[bytes, bytes]:
    return {b"host": b"test", b"authorization": f"Bearer {token}".encode()}


async def identified(authenticator: Authenticator, token: str) -> Claims:
    """Whom a token is taken to stand for."""
    claims = await authenticator.identify(bearer(token))
    assert claims is not None
    return claims


async def refused(authenticator: Authenticator, token: str) -> tuple[int, str, str]:
    """Why a token is refused: the status, the code and the message."""
    with pytest.raises(ApiError) as raised:
        await authenticator.identify(bearer(token))
    error = raised.value
    if error.status == 401:
        challenge = f'Bearer error="invalid_token", error_description="{error.message}"'
        assert error.headers == {"WWW-Authenticate": challenge}
    return error.status, error.code, error.message
