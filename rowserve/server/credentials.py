"""What the command was told of who may use an API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..authentication import Authenticator, FirstOf

if TYPE_CHECKING:
    from ..identity import JWT

# rowserve.identity is imported where it is needed: cryptography takes longer to load than many a server to start.


@dataclass(frozen=True, slots=True)
class Credentials:
    """What those who use an API have to show.

    Args:
        jwt_secret: what JWTs are verified with: a secret, a JWK or a JWK set.
        jwks_url: instead, where a JWK set is to be fetched.
        jwt_audience: whom JWTs have to be for.
        jwt_issuer: whom they have to be from.
        tokens: a file of tokens.
        allow_anonymous: whether who shows nothing may use it too.
    """

    jwt_secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    jwt_audience: str | None = None
    jwt_issuer: str | None = None
    tokens: str | None = None
    allow_anonymous: bool = False

    def authenticator(self) -> Authenticator | None:
        """What looks at them; None where everybody may do everything.

        Raises:
            ValueError: the key is none, or the file cannot be read.
        """
        if not (self.jwt_secret or self.jwks_url or self.tokens):
            return None
        from ..identity import Tokens

        required = not self.allow_anonymous
        found: list[Authenticator] = []
        if self.jwt_secret or self.jwks_url:
            found.append(self._jwt(required))
        if self.tokens:
            found.append(Tokens.load(self.tokens, required=required))
        if len(found) > 1:
            return FirstOf(*found, required=required)
        return found[0]

    def _jwt(self, required: bool) -> JWT:
        from ..identity import JWT
        from ..identity.keys import HMAC, PUBLIC, parsed_key

        key = parsed_key(self.jwt_secret) if self.jwt_secret else None
        algorithms: tuple[str, ...] | None = None  # a secret's own default
        if key is None:
            algorithms = PUBLIC
        elif not isinstance(key, str):
            algorithms = HMAC + PUBLIC  # each key of a set is for those of its type alone
        return JWT(
            key=key,
            jwks_url=self.jwks_url,
            algorithms=algorithms,
            audience=self.jwt_audience,
            issuer=self.jwt_issuer,
            required=required,
        )
