"""Tokens that stand in a file: for scripts and services, where nobody issues JWTs."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from ..authentication import Authenticator, bearer_token, refusal
from ..claims import Claims
from .validity import period

HASH = re.compile(r"[0-9a-f]{64}")
PREFIX = "rowserve_"
"""What tokens begin with, so that those who search code for secrets find them."""


class Tokens(Authenticator):
    """Knows tokens by their hashes; whoever reads those has no token.

    Args:
        tokens: for the SHA-256 of each token, in hexadecimal, whom it stands for: ``sub``, ``role`` or any other
            claims. With ``exp`` or ``nbf`` among them, it is valid until or from then.
        required: see :class:`Authenticator`.

    Raises:
        ValueError: it is not of that form; the message says where.
    """

    def __init__(self, tokens: Mapping[str, Mapping[str, Any]], *, required: bool = False) -> None:
        super().__init__(required=required)
        checked(tokens)
        self._claims = {digest: Claims(claims) for digest, claims in tokens.items()}

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, required: bool = False) -> Tokens:
        """The tokens of a file that ``rowserve token`` has written, as they are now.

        Raises:
            ValueError: it cannot be read, or has something else in it.
        """
        return cls(read(Path(path)), required=required)

    async def identify(self, headers: Mapping[bytes, bytes]) -> Claims | None:
        """See :meth:`Authenticator.identify`."""
        token = bearer_token(headers.get(b"authorization", b""))
        if token is None:
            self.require_token()
            return None
        # By its hash, so that the time it takes tells nothing of the tokens there are.
        claims = self._claims.get(digest_of(token))
        if claims is None:
            raise refusal("PGRST301", "Unknown token")
        period(claims, leeway=0.0)
        return claims


def digest_of(token: str) -> str:
    """A token's SHA-256, in hexadecimal."""
    return sha256(token.encode()).hexdigest()


def checked(tokens: object) -> dict[str, Mapping[str, Any]]:
    """What are tokens' claims, by hashes.

    Raises:
        ValueError: they are not.
    """
    if not isinstance(tokens, Mapping):
        raise ValueError(f"Tokens are a JSON object, {{hash: claims}}, not {type(tokens).__name__}")
    for digest, claims in tokens.items():
        if not HASH.fullmatch(digest):
            raise ValueError(f"{digest[:12]}… is no SHA-256 in hexadecimal: rowserve token makes a token and its hash")
        if not isinstance(claims, Mapping):
            raise ValueError(f"The claims of the token {digest[:12]}… are a JSON object, not {claims!r}")
    return dict(tokens)


def read(path: Path) -> dict[str, Mapping[str, Any]]:
    """The tokens of a file; raises ValueError where it has something else in it, or cannot be read."""
    try:
        return checked(from_json(path.read_bytes()))
    except OSError as error:
        raise ValueError(f"The tokens in {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def add(path: Path, claims: Mapping[str, Any]) -> str:
    """Makes a token and adds its hash to a file, which is made where there is none, for its owner alone.

    Args:
        path: the file.
        claims: whom the token stands for.

    Returns:
        The token, which is nowhere else.

    Raises:
        ValueError: the file cannot be read or written, or has something else in it.
    """
    path = path.resolve()  # of a link, what it is a link to
    draft = path.with_name(f"{path.name}.new")
    token = PREFIX + secrets.token_urlsafe(32)
    try:
        # Exclusively: of two who add at once, neither may be lost.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ValueError(f"Somebody is adding a token to {path}, or was and is gone: then delete {draft}") from None
    except OSError as error:
        raise ValueError(f"{draft} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            tokens = read(path) if path.exists() else {}
            file.write(to_json({**tokens, digest_of(token): claims}, indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return token
