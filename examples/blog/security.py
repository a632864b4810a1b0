"""Who asks: passwords, and the tokens that they are exchanged for."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time

import jwt
from fastapi import Depends

from rowserve.identity import JWT

from .models import User

SECRET = os.environ.get("BLOG_SECRET") or secrets.token_hex()
"""What tokens are signed with. Made up where nobody has set one: then tokens last as long as the process."""
LIFETIME = 3_600
"""Seconds that a token is good for."""

anybody = Depends(JWT(key=SECRET))
somebody = Depends(JWT(key=SECRET, required=True))


def hashed(password: str) -> str:
    """A password as it is stored."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}.{derived(password, salt).hex()}"


def is_right(password: str, stored: str) -> bool:
    """Whether it is the password that was stored."""
    salt, _, expected = stored.partition(".")
    return hmac.compare_digest(derived(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def derived(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def token_for(user: User) -> str:
    """A token that says who somebody is, and what role they have."""
    claims = {"sub": str(user.id), "role": user.role.value, "exp": int(time.time()) + LIFETIME}
    return jwt.encode(claims, SECRET, algorithm="HS256")
