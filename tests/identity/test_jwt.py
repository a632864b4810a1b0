"""Which tokens are good, and which are not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from rowserve import ApiError, authentication
from rowserve.identity import JWT, validity
from rowserve.identity import jwt as verifying

from .minting import PUBLIC, SECRET, bearer, identified, in_seconds, jwk, mint, pem, private_key, refused

pytestmark = pytest.mark.anyio

BAD_SIGNATURE = (401, "PGRST301", "JWT cryptographic operation failed")
BAD_ALGORITHM = (401, "PGRST301", "Wrong or unsupported encoding algorithm")
NO_KEY = (401, "PGRST301", "No suitable key or wrong key type")
NOT_IN_AUDIENCE = (401, "PGRST303", "JWT not in audience")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_secrets(algorithm: str) -> None:
    jwt = JWT(key=SECRET, algorithms=[algorithm])
    assert dict(await identified(jwt, mint(algorithm, role="editor"))) == {"sub": "7", "role": "editor"}
    assert await refused(jwt, mint(algorithm, key="b" * 64)) == BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", PUBLIC)
async def test_public_keys(algorithm: str) -> None:
    for key in (pem(algorithm), jwk(algorithm), {"keys": [jwk(algorithm, "other"), jwk(algorithm)]}):
        jwt = JWT(key=key, algorithms=[algorithm])
        assert (await identified(jwt, mint(algorithm, role="editor"))).role == "editor"
        assert await refused(jwt, mint(algorithm, key=private_key(algorithm, "thief"))) == BAD_SIGNATURE


async def test_a_private_key_verifies_too() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    for algorithm in ("RS256", "ES256", "EdDSA"):
        written = private_key(algorithm).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert await identified(JWT(key=written, algorithms=[algorithm]), mint(algorithm))


async def test_secret_as_jwk() -> None:
    k = base64.urlsafe_b64encode(SECRET.encode()).decode()
    jwt = JWT(key={"kty": "oct", "k": k}, algorithms=["HS256"])
    assert await identified(jwt, mint())


async def test_the_key_is_the_one_that_the_token_names() -> None:
    jwt = JWT(key={"keys": [jwk("ES256", "a"), jwk("ES256", "b")]}, algorithms=["ES256"])
    assert await identified(jwt, mint("ES256", "b"))
    assert await refused(jwt, mint("ES256", "c")) == NO_KEY
    stolen = mint("ES256", "b", key=private_key("ES256", "a"))
    assert await refused(jwt, stolen) == BAD_SIGNATURE


async def test_a_token_of_another_algorithm_is_refused() -> None:
    assert await refused(JWT(key=SECRET, algorithms=["HS256"]), mint("HS512")) == BAD_ALGORITHM
    assert await refused(JWT(key=pem("RS256"), algorithms=["RS256"]), mint("PS256")) == BAD_ALGORITHM
    # The JWK says what it is for, whatever else is accepted.
    jwt = JWT(key=jwk("RS256", alg="RS256"), algorithms=["RS256", "PS256"])
    assert await refused(jwt, mint("PS256")) == BAD_ALGORITHM


async def test_a_public_key_is_no_secret() -> None:
    """The attack: everybody knows the public key, and signs with it as if it were a secret."""
    public = pem("RS256")
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded({'sub': '7'})}"
    digest = hmac.new(public.encode(), signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    assert await refused(JWT(key=public, algorithms=["RS256"]), forged) == BAD_ALGORITHM
    # Nor is it where both kinds are accepted, of keys that are of one each.
    k = base64.urlsafe_b64encode(SECRET.encode()).decode()
    both = {"keys": [jwk("RS256"), {"kty": "oct", "k": k, "kid": "secret"}]}
    assert await refused(JWT(key=both, algorithms=["RS256", "HS256"]), forged) == BAD_SIGNATURE
    with pytest.raises(ValueError, match=r"not one for HS256.*asymmetric key"):
        JWT(key=public, algorithms=["HS256"])
    with pytest.raises(ValueError, match="not one for HS256"):
        JWT(key=public, algorithms=["RS256", "HS256"])
    with pytest.raises(ValueError, match="not one for RS256"):
        JWT(key=SECRET, algorithms=["HS256", "RS256"])


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
async def test_none_is_no_algorithm(algorithm: str) -> None:
    for jwt in (JWT(key=SECRET), JWT(key=pem("RS256"), algorithms=["RS256"])):
        for signature in ("", "aaaa"):
            forged = f"{encoded({'alg': algorithm})}.{encoded({'sub': '7'})}.{signature}"
            assert await refused(jwt, forged) == BAD_ALGORITHM
    with pytest.raises(ValueError, match="There is no algorithm"):
        JWT(key=SECRET, algorithms=[algorithm])


async def test_tampered_tokens() -> None:
    jwt = JWT(key=SECRET)
    header, payload, signature = mint(role="reader").split(".")
    assert await identified(jwt, f"{header}.{payload}.{signature}")
    assert await refused(jwt, f"{header}.{encoded({'sub': '7', 'role': 'admin'})}.{signature}") == BAD_SIGNATURE
    assert await refused(jwt, f"{header}.{payload}.{signature[::-1]}") in (
        BAD_SIGNATURE,
        (401, "PGRST301", "JWT couldn't be decoded"),
    )
    assert await refused(jwt, f"{header}.{payload}.") == BAD_SIGNATURE


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("nonsense", "Expected 3 parts in JWT; got 1"),
        ("a.b", "Expected 3 parts in JWT; got 2"),
        ("a.b.c.d", "Expected 3 parts in JWT; got 4"),
        ("a.b.c", "JWT couldn't be decoded"),
        ("ÿ.ÿ.ÿ", "JWT couldn't be decoded"),
        (f"{encoded([])}.e30.", "JWT couldn't be decoded"),
        (f"{encoded({})}.e30.", "JWT couldn't be decoded"),
        (f"{encoded({'alg': ['HS256']})}.e30.", "JWT couldn't be decoded"),
        (f"{encoded({'alg': 'HS256', 'kid': 7})}.e30.", "JWT couldn't be decoded"),
        (f"{encoded({'alg': 'HS256', 'crit': ['x', chr(10)]})}.e30.", "JWT couldn't be decoded"),
        (f"{encoded({'alg': 'HS256'})}.!!!!.aaaa", "JWT couldn't be decoded"),
        ("", "Empty JWT is sent in Authorization header"),
        ("   ", "Empty JWT is sent in Authorization header"),
        ("a" * 8_193, "The JWT is longer than 8192 bytes"),
        ("[" * 8_000, "Expected 3 parts in JWT; got 1"),
        (base64.urlsafe_b64encode(b"[" * 4_000).decode() + ".e30.", "JWT couldn't be decoded"),
    ],
)
async def test_what_is_no_token(token: str, message: str) -> None:
    assert await refused(JWT(key=SECRET), token) == (401, "PGRST301", message)


@pytest.mark.parametrize("payload", [[], "text", None, 7])
async def test_claims_are_an_object(payload: Any) -> None:
    import jwt

    token = jwt.PyJWS().encode(json.dumps(payload).encode(), SECRET, "HS256")
    assert await refused(JWT(key=SECRET), token) == (401, "PGRST303", "Parsing claims failed")


@pytest.mark.parametrize(
    ("claims", "leeway", "message"),
    [
        ({"exp": in_seconds(86_400)}, 0, None),
        ({"exp": in_seconds(-60)}, 0, "JWT expired"),
        ({"exp": in_seconds(-60)}, 3_600, None),
        ({"exp": in_seconds(-60)}, 30, "JWT expired"),
        ({"exp": 0}, 30, "JWT expired"),
        ({"nbf": in_seconds(-60)}, 0, None),
        ({"nbf": in_seconds(86_400)}, 0, "JWT not yet valid"),
        ({"nbf": in_seconds(600)}, 3_600, None),
        ({"iat": in_seconds(86_400)}, 0, "JWT issued at future"),
        ({"iat": in_seconds(600)}, 3_600, None),
        ({"exp": "tomorrow"}, 0, "The JWT 'exp' claim must be a number"),
        ({"exp": True}, 0, "The JWT 'exp' claim must be a number"),
        ({"exp": 10**400}, 0, "The JWT 'exp' claim must be a number"),
        ({"nbf": [1]}, 0, "The JWT 'nbf' claim must be a number"),
        ({"iat": {}}, 0, "The JWT 'iat' claim must be a number"),
        ({"exp": float("nan")}, 0, "Parsing claims failed"),
        ({"exp": float("inf")}, 0, "Parsing claims failed"),
    ],
)
async def test_moments(claims: dict[str, Any], leeway: float, message: str | None) -> None:
    import jwt

    jws = jwt.PyJWS().encode(json.dumps({"sub": "7", **claims}).encode(), SECRET, "HS256")
    verifier = JWT(key=SECRET, leeway=leeway)
    if message is None:
        assert (await identified(verifier, jws)).sub == "7"
    else:
        assert await refused(verifier, jws) == (401, "PGRST303", message)


@pytest.mark.parametrize(
    ("audience", "claims", "good"),
    [
        ("app", {"aud": "app"}, True),
        ("app", {"aud": ["other", "app"]}, True),
        (["app", "web"], {"aud": "web"}, True),
        ("app", {"aud": "apps"}, False),
        ("app", {"aud": "ap"}, False),
        ("app", {"aud": []}, False),
        ("app", {"aud": ""}, False),
        ("app", {}, False),
        (None, {}, True),
        (None, {"aud": "app"}, False),
    ],
)
async def test_audience(audience: str | list[str] | None, claims: dict[str, Any], good: bool) -> None:
    jwt = JWT(key=SECRET, audience=audience)
    if good:
        assert await identified(jwt, mint(**claims))
    else:
        assert await refused(jwt, mint(**claims)) == NOT_IN_AUDIENCE


@pytest.mark.parametrize("found", [7, {"app": 1}, ["app", 7], True])
async def test_audience_of_another_type(found: object) -> None:
    message = "The JWT 'aud' claim must be a string or an array of strings"
    assert await refused(JWT(key=SECRET, audience="app"), mint(aud=found)) == (401, "PGRST303", message)


async def test_issuer() -> None:
    for issuer in ("https://x", ["https://y", "https://x"]):
        jwt = JWT(key=SECRET, issuer=issuer)
        assert await identified(jwt, mint(iss="https://x"))
        for claims in ({}, {"iss": "https://x/"}):
            assert await refused(jwt, mint(**claims)) == (401, "PGRST303", "JWT not from a known issuer")


async def test_who_has_no_token() -> None:
    others: list[dict[bytes, bytes]] = [{}, {b"authorization": b"Basic YTpi"}, {b"authorization": b""}]
    for headers in others:
        assert await JWT(key=SECRET).identify(headers) is None
        with pytest.raises(ApiError) as raised:
            await JWT(key=SECRET, required=True).identify(headers)
        error = raised.value
        assert (error.status, error.code, error.message) == (401, "PGRST302", "Anonymous access is disabled")
        assert error.headers == {"WWW-Authenticate": "Bearer"}


async def test_the_scheme_is_in_any_case() -> None:
    for scheme in (b"bearer", b"BEARER", b"Bearer "):
        assert await JWT(key=SECRET).identify({b"authorization": scheme + b" " + mint().encode()})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either key= or jwks_url="),
        ({"key": SECRET, "jwks_url": "https://x/keys"}, "either key= or jwks_url="),
        ({"key": "secret"}, "The secret has 6 bytes, HS256 wants 32"),
        ({"key": "a" * 32, "algorithms": ["HS256", "HS512"]}, "The secret has 32 bytes, HS512 wants 64"),
        ({"key": b"a" * 31}, "The secret has 31 bytes"),
        ({"key": ""}, "not one for HS256"),
        ({"key": SECRET, "algorithms": []}, "no token could be verified"),
        ({"key": SECRET, "algorithms": "HS256"}, r"write algorithms=\['HS256'\]"),
        ({"key": SECRET, "algorithms": ["HS265"]}, "There is no algorithm 'HS265'"),
        ({"key": jwk("ES256")}, "algorithms are to be said"),
        ({"key": jwk("ES256"), "algorithms": ["ES384"]}, "not one for ES384"),
        ({"key": pem("ES256"), "algorithms": ["ES384"]}, "not one for ES384"),
        ({"key": pem("ES256"), "algorithms": ["RS256"]}, "not one for RS256"),
        ({"key": {"keys": []}, "algorithms": ["ES256"]}, "None of the JWK set's keys is for ES256"),
        ({"key": {"keys": 7}, "algorithms": ["ES256"]}, "A JWK set is"),
        ({"key": {"kty": "RSA"}, "algorithms": ["RS256"]}, "not one for RS256"),
        ({"key": jwk("ES256", use="enc"), "algorithms": ["ES256"]}, "not for signatures"),
        ({"key": {"kty": "oct", "k": "c2VjcmV0"}, "algorithms": ["HS256"]}, "The secret has 6 bytes"),
        ({"jwks_url": "https://x/keys"}, "algorithms are to be said"),
        ({"jwks_url": "https://x/keys", "algorithms": ["RS256", "HS256"]}, "HS256 wants a secret"),
        ({"jwks_url": "file:///etc/passwd", "algorithms": ["RS256"]}, "begins with https://"),
    ],
)
def test_what_cannot_be_verified_with_is_told_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JWT(**options)


def test_a_short_rsa_key_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    short = rsa.generate_private_key(65537, 1024).public_key()
    with pytest.raises(ValueError, match="1024 bits"):
        JWT(key=short.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), algorithms=["RS256"])


async def test_a_remembered_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    jwt = JWT(key=SECRET, leeway=0)
    token = mint(exp=in_seconds(100), nbf=in_seconds(-100))
    assert await identified(jwt, token)
    for moment, message in ((in_seconds(200), "JWT expired"), (in_seconds(-200), "JWT not yet valid")):
        with monkeypatch.context() as clock:
            for module in (authentication, validity):
                clock.setattr(module, "time", lambda moment=moment: moment)
            assert await refused(jwt, token) == (401, "PGRST303", message)
    assert await identified(jwt, token)


async def test_a_verified_token_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    jwt = JWT(key=SECRET)
    token = mint()
    first = await identified(jwt, token)
    monkeypatch.setattr(verifying, "payload_of", None)
    assert await identified(jwt, token) is first
    with pytest.raises(TypeError):
        await identified(jwt, mint(n=1))


async def test_no_more_tokens_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "REMEMBERED", 2)
    jwt = JWT(key=SECRET)
    tokens = [mint(n=n) for n in range(4)]
    for token in tokens:
        assert await identified(jwt, token)
    assert list(jwt._memory) == [bearer(token)[b"authorization"] for token in tokens[2:]]
