"""Who asks: passwords, the tokens that are given for them, and who a token says it is."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import time
from typing import Annotated

import jwt
from fastapi import Depends

from rowserve.identity import JWT, Claims
from rowserve.permissions import When

from .models import Role, User

SECRET = os.environ.get("BLOG_SECRET") or secrets.token_hex()
"""What tokens are signed with. Without the variable they are good until the server stops, in the one process it has."""
LIFETIME = 15 * 60
"""Seconds that a token is good for. A role that is taken away lasts as long: it stands in the token."""
COST = {"n": 2**14, "r": 8, "p": 5}
"""Of scrypt, as OWASP recommends: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html"""

anybody = Depends(JWT(key=SECRET))
somebody = Depends(JWT(key=SECRET, required=True))
SignedIn = Annotated[Claims, somebody]

is_admin = When(lambda ctx: ctx.user.role == Role.admin)


def token_for(user: User) -> str:
    """A token for a user: ``ctx.user`` has these claims wherever it is shown."""
    claims = {"sub": str(user.id), "id": user.id, "role": user.role, "exp": int(time.time()) + LIFETIME}
    return jwt.encode(claims, SECRET)


async def hashed(password: str) -> str:
    """What is stored of a password. It takes a while, on a thread: nobody else waits for it."""
    salt = secrets.token_bytes(16)
    key = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, **COST)
    return f"{salt.hex()}${key.hex()}"


async def is_password(password: str, stored: str) -> bool:
    salt, _, key = stored.partition("$")
    found = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=bytes.fromhex(salt), **COST)
    return hmac.compare_digest(found.hex(), key)


NOBODYS = f"{secrets.token_hex(16)}${secrets.token_hex(64)}"
"""Compared with where there is no such user, so that the time it takes does not tell."""
