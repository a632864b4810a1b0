"""Keys that tokens are signed with, each bound to the algorithms it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from jwt import PyJWTError
from jwt.algorithms import get_default_algorithms
from pydantic_core import from_json

HMAC = ("HS256", "HS384", "HS512")
PUBLIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Algorithms whose keys may be known to everybody."""
IMPLEMENTED = get_default_algorithms()
UNUSABLE = (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError)
"""What comes of a key that is none: its members may be missing, or be anything."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key.

    Args:
        kid: its name, where it has one.
        material: what PyJWT verifies with.
        algorithms: those it may be used with. A token that says another is not looked at further (RFC 8725, 3.1).
    """

    kid: str | None
    material: Any
    algorithms: tuple[str, ...]


def known_algorithms(names: Sequence[str]) -> tuple[str, ...]:
    """Names of algorithms, checked.

    Raises:
        ValueError: there is one that is not known, or none at all.
    """
    if isinstance(names, str):
        raise ValueError(f"algorithms are several, though it be one: write algorithms=[{names!r}]")
    for name in names:
        if name not in HMAC and name not in PUBLIC:
            raise ValueError(f"There is no algorithm {name!r}: it is one of {', '.join(HMAC + PUBLIC)}")
    if not names:
        raise ValueError("algorithms are empty: no token could be verified")
    return tuple(names)


def keys_of(key: str | bytes | Mapping[str, Any], algorithms: Sequence[str] | None) -> tuple[Key, ...]:
    """The keys in a secret, a PEM, a JWK or a JWK set.

    Raises:
        ValueError: it is none of these, or not for the algorithms, or too short for them.
    """
    if isinstance(key, Mapping):
        if algorithms is None:
            raise ValueError("algorithms are to be said for a JWK, such as algorithms=['ES256']")
        found = jwk_set(key, known_algorithms(algorithms)) if "keys" in key else (jwk(key, algorithms),)
        if not found:
            raise ValueError(f"None of the JWK set's keys is for {', '.join(algorithms)}")
        return found
    chosen = known_algorithms(HMAC[:1] if algorithms is None else algorithms)
    # Each has to accept it: what is a secret is no public key, so no token can have one taken for the other.
    materials = [prepared(name, key) for name in chosen]
    return (Key(None, materials[0], chosen),)


def jwk(members: Mapping[str, Any], algorithms: Sequence[str]) -> Key:
    """The key that a JWK is (RFC 7517), for those of the algorithms that it can be for.

    Raises:
        ValueError: it is for none.
    """
    if members.get("use", "sig") != "sig" or "verify" not in members.get("key_ops", ("verify",)):
        raise ValueError("The JWK is not for signatures")
    complaint, fitting, material = f"its alg is {members.get('alg')!r}", [], None
    for name in algorithms:
        if members.get("alg", name) == name:
            try:
                material = prepared(name, members)
            except ValueError as error:
                complaint = str(error)
            else:
                fitting.append(name)
    if not fitting:
        raise ValueError(f"The JWK is not for {', '.join(algorithms)}: {complaint}")
    kid = members.get("kid")
    return Key(kid if isinstance(kid, str) else None, material, tuple(fitting))


def jwk_set(document: object, algorithms: Sequence[str]) -> tuple[Key, ...]:
    """The keys of a JWK set that are for the algorithms; others are no business of ours (RFC 7517, 5).

    Raises:
        ValueError: it is no JWK set.
    """
    members = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(members, Sequence) or isinstance(members, str):
        raise ValueError('A JWK set is {"keys": […]}')
    found = []
    for member in members:
        try:
            found.append(jwk(member, algorithms))
        except UNUSABLE:
            continue
    return tuple(found)


def prepared(name: str, key: str | bytes | Mapping[str, Any]) -> Any:
    """A key as an algorithm wants it.

    Raises:
        ValueError: it is not for it, or too short.
    """
    algorithm = IMPLEMENTED[name]
    try:
        material = algorithm.from_jwk(dict(key)) if isinstance(key, Mapping) else key
        material = algorithm.prepare_key(material)
    except UNUSABLE as error:
        raise ValueError(f"The key is not one for {name}: {error}") from None
    if name in HMAC and len(material) * 8 < int(name[2:]):
        raise ValueError(
            f"The secret has {len(material)} bytes, {name} wants {int(name[2:]) // 8} that nobody can guess: make them "
            "with python -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    complaint = algorithm.check_key_length(material)
    if complaint is not None:
        raise ValueError(complaint)
    return material.public_key() if hasattr(material, "public_key") else material


def parsed_key(text: str) -> str | Mapping[str, Any]:
    """A key as it is written in an option: JSON is a JWK or a JWK set, anything else is as it stands.

    Raises:
        ValueError: it begins like JSON, and is none.
    """
    if not text.startswith("{"):
        return text
    try:
        parsed: Mapping[str, Any] = from_json(text)
    except ValueError as error:
        raise ValueError(f"The key begins like a JWK, but is no JSON: {error}") from None
    return parsed
