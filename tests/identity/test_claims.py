"""What is read of claims, and what cannot be."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from rowserve.identity import Claims


def test_claims_are_a_mapping_and_attributes() -> None:
    user = Claims({"sub": "7", "role": "editor", "https://x/team": 3})
    assert user["role"] == user.role == "editor"
    assert user["https://x/team"] == 3
    assert dict(user) == {"sub": "7", "role": "editor", "https://x/team": 3}
    assert user == Claims({"sub": "7", "role": "editor", "https://x/team": 3})
    assert "role" in user
    assert repr(user) == "Claims({'sub': '7', 'role': 'editor', 'https://x/team': 3})"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [({"sub": "7"}, "7"), ({"id": 8}, 8), ({"sub": "7", "id": 8}, 8), ({"id": 0, "sub": "7"}, 0)],
)
def test_the_id(claims: dict[str, Any], expected: object) -> None:
    assert Claims(claims).id == expected


@pytest.mark.parametrize("name", ["rôle", "team", "id", "_role", "__wrapped__"])
def test_what_is_not_there_cannot_be_read(name: str) -> None:
    user = Claims({"role": "editor", "team": None})
    with pytest.raises(AttributeError):
        getattr(user, name)
    with pytest.raises(KeyError):
        user[name]
    assert user.get(name) is None
    assert not hasattr(user, name)


def test_the_error_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match="There is no claim 'roles' among sub, role"):
        _ = Claims({"sub": "7", "role": "editor"}).roles


def test_claims_never_change() -> None:
    written: dict[str, Any] = {"roles": ["editor"], "team": {"name": "a", "leads": [{"id": 1}]}}
    user = Claims(written)
    with pytest.raises(AttributeError, match="do not change"):
        user.role = "admin"
    with pytest.raises(AttributeError, match="do not change"):
        del user.roles
    with pytest.raises(TypeError):
        user["role"] = "admin"
    written["roles"].append("admin")
    written["team"]["name"] = "b"
    assert user.roles == ("editor",)
    assert (user.team.name, user.team.leads[0].id) == ("a", 1)


def test_claims_are_copied() -> None:
    user = Claims({"sub": "7", "team": {"name": "a"}})
    assert copy.deepcopy(user) == pickle.loads(pickle.dumps(user)) == user
