"""JSON Web Tokens (RFC 7519): PyJWT verifies signatures; which key and which algorithm is settled here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from jwt import InvalidSignatureError, PyJWS, PyJWTError
from jwt.utils import base64url_decode
from pydantic_core import from_json

from ..authentication import Authenticator, Known, Memory, bearer_token, refusal
from ..claims import Claims
from .key_server import KeyServer
from .keys import HMAC, Key, keys_of, known_algorithms
from .validity import Validity

LONGEST = 8_192
"""Bytes of a token at the most, as of a line of headers in most servers: longer ones would take a millisecond."""

JWS = PyJWS()


class Keys(Protocol):
    """Where keys are from; see :class:`KeyServer`."""

    due: float

    async def current(self) -> tuple[Key, ...]: ...

    async def renewed(self) -> tuple[Key, ...]: ...


class GivenKeys:
    """Keys that remain as they are."""

    due = float("inf")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys

    async def current(self) -> tuple[Key, ...]:
        return self.keys

    renewed = current


class JWT(Authenticator):
    """Verifies JWTs. What was verified is remembered, and looked at again when it expires or keys change.

    Args:
        key: a secret, a PEM, a JWK or a JWK set.
        jwks_url: instead, where a JWK set is to be fetched; again every five minutes, and when a token names a key that
            is not known.
        algorithms: those that are accepted; default: HS256, and none for public keys: there they have to be said.
        audience: who reads tokens: ``aud`` has to name one of them. Without it, a token that names anybody is refused.
        issuer: who issues tokens: ``iss`` has to be one of them. Without it, anybody whom the key is from.
        leeway: seconds by which clocks may differ; the default is PostgREST's.
        required: see :class:`Authenticator`.

    Raises:
        ValueError: the key is missing, not one for the algorithms, or too short.
    """

    def __init__(
        self,
        *,
        key: str | bytes | Mapping[str, Any] | None = None,
        jwks_url: str | None = None,
        algorithms: Sequence[str] | None = None,
        audience: str | Sequence[str] | None = None,
        issuer: str | Sequence[str] | None = None,
        leeway: float = 30.0,
        required: bool = False,
    ) -> None:
        super().__init__(required=required, token_format="JWT")  # noqa: S106
        self._memory = Memory()
        self._validity = Validity(audience=audience, issuer=issuer, leeway=leeway)
        self._keys: Keys
        if jwks_url is None and key is not None:
            self._keys = GivenKeys(keys_of(key, algorithms))
        elif jwks_url is not None and key is None:
            self._keys = KeyServer(jwks_url, public(algorithms), self._memory.clear)
        else:
            raise ValueError("A JWT is verified with either key= or jwks_url=")

    async def identify(self, headers: Mapping[bytes, bytes]) -> Claims | None:
        """See :meth:`Authenticator.identify`."""
        header = headers.get(b"authorization")
        if header is None:
            self.require_token()
            return None
        claims = self._memory.recall(header)
        if claims is not None:
            return claims
        token = bearer_token(header)
        if token is None:
            self.require_token()
            return None
        claims = await self._verified(token)
        since, until = self._validity.check(claims)
        # Not for longer than keys are known to be good: that has them fetched when they are due.
        self._memory.remember(header, Known(claims, since, min(until, self._keys.due)))
        return claims

    async def _verified(self, token: str) -> Claims:
        """The claims of a token that is signed with one of the keys."""
        algorithm, kid = header_of(token)
        keys = await self._keys.current()
        payload = payload_of(token, suitable(keys, algorithm, kid))
        if payload is None and (kid is None or all(key.kid != kid for key in keys)):
            renewed = await self._keys.renewed()
            if renewed is not keys:
                keys = renewed
                payload = payload_of(token, suitable(keys, algorithm, kid))
        if payload is None:
            if suitable(keys, algorithm, kid):
                raise refusal("PGRST301", "JWT cryptographic operation failed")
            if not any(algorithm in key.algorithms for key in keys):
                raise refusal("PGRST301", "Wrong or unsupported encoding algorithm")
            raise refusal("PGRST301", "No suitable key or wrong key type")
        return claims_of(payload)


def public(algorithms: Sequence[str] | None) -> tuple[str, ...]:
    """Algorithms for keys that everybody may read.

    Raises:
        ValueError: they are not said, or one is for secrets.
    """
    if algorithms is None:
        raise ValueError("algorithms are to be said with jwks_url, such as algorithms=['RS256']")
    for name in algorithms:
        if name in HMAC:
            raise ValueError(f"{name} wants a secret, and what is at jwks_url is none: give it as key=")
    return known_algorithms(algorithms)


def suitable(keys: Sequence[Key], algorithm: str, kid: str | None) -> list[Key]:
    """The keys that a token with such a header may be signed with."""
    return [key for key in keys if algorithm in key.algorithms and (kid is None or key.kid in (None, kid))]


def header_of(token: str) -> tuple[str, str | None]:
    """A token's algorithm and the name of its key: what it says, which is only to be compared.

    Raises:
        ApiError: 401 PGRST301 where it is no token.
    """
    if len(token) > LONGEST:
        raise refusal("PGRST301", f"The JWT is longer than {LONGEST} bytes")
    parts = token.count(".") + 1
    if parts != 3:
        raise refusal("PGRST301", f"Expected 3 parts in JWT; got {parts}")
    try:
        header = from_json(base64url_decode(token.partition(".")[0]))
    except ValueError:
        header = None
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        raise refusal("PGRST301", "JWT couldn't be decoded")
    kid = header.get("kid")
    return header["alg"], kid if isinstance(kid, str) else None


def payload_of(token: str, keys: Sequence[Key]) -> bytes | None:
    """What a token says, where one of the keys has signed it.

    Raises:
        ApiError: 401 PGRST301 where it is no token.
    """
    for key in keys:
        try:
            payload: bytes = JWS.decode(token, key.material, algorithms=list(key.algorithms))
        except InvalidSignatureError:
            continue
        except PyJWTError as error:
            raise refusal("PGRST301", "JWT couldn't be decoded", details=str(error)) from None
        return payload
    return None


def claims_of(payload: bytes) -> Claims:
    """The claims in what a token says; raises ApiError, 401 PGRST303, where that is something else."""
    try:
        claims = from_json(payload, allow_inf_nan=False)
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise refusal("PGRST303", "Parsing claims failed")
    return Claims(claims)
