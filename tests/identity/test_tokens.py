"""Tokens in a file: made by ``rowserve token``, known by their hashes."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rowserve import ApiError
from rowserve.identity import JWT, FirstOf, Tokens
from rowserve.identity.tokens import add, read
from rowserve.server.cli import main

from .minting import SECRET, identified, in_seconds, mint, refused

UNKNOWN = (401, "PGRST301", "Unknown token")


def token(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["token", *arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_token_is_printed_once_and_its_hash_is_kept(folder: Path) -> None:
    made = token("importer", "--claims", '{"role": "editor"}')
    assert made.exit_code == 0
    assert "Its hash is in tokens.json" in made.stderr
    printed = made.stdout.strip()
    assert printed.startswith("rowserve_")
    file = folder / "tokens.json"
    digest = sha256(printed.encode()).hexdigest()
    assert json.loads(file.read_text()) == {digest: {"sub": "importer", "role": "editor"}}
    assert printed not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["tokens.json"]


@pytest.mark.anyio
async def test_who_a_token_stands_for(folder: Path) -> None:
    first, second = (token(name, "--file", "some.json").stdout.strip() for name in ("ada", "grace"))
    tokens = Tokens.load("some.json")
    assert (await identified(tokens, first)).id == "ada"
    assert (await identified(tokens, second)).id == "grace"
    assert await refused(tokens, first[:-1]) == UNKNOWN
    (digest, _) = read(folder / "some.json")
    assert await refused(tokens, digest) == UNKNOWN, "the hash is no token"
    assert (await refused(tokens, ""))[1] == "PGRST301"
    assert await tokens.identify({}) is None
    with pytest.raises(ApiError, match="Anonymous access is disabled"):
        await Tokens.load("some.json", required=True).identify({})


@pytest.mark.anyio
async def test_a_token_may_expire(folder: Path) -> None:
    made = [token("ada", "--claims", json.dumps({"exp": in_seconds(s)})).stdout.strip() for s in (86_400, -10)]
    tokens = Tokens.load("tokens.json")
    assert await identified(tokens, made[0])
    assert await refused(tokens, made[1]) == (401, "PGRST303", "JWT expired")


def test_an_open_file_is_closed_to_others_when_a_token_is_added(folder: Path) -> None:
    (folder / "elsewhere.json").write_text("{}")
    (folder / "elsewhere.json").chmod(0o644)
    (folder / "tokens.json").symlink_to("elsewhere.json")
    assert token("ada").exit_code == 0
    assert (folder / "tokens.json").is_symlink()
    assert stat.S_IMODE((folder / "elsewhere.json").stat().st_mode) == 0o600
    assert len(json.loads((folder / "elsewhere.json").read_text())) == 1


def test_of_many_who_add_at_once_none_is_lost(folder: Path) -> None:
    def added(number: int) -> bool:
        try:
            add(folder / "tokens.json", {"sub": number})
        except ValueError as error:
            assert "Somebody is adding a token" in str(error)  # noqa: PT017
            return False
        return True

    with ThreadPoolExecutor(8) as executor:
        outcomes = list(executor.map(added, range(40)))
    assert len(json.loads((folder / "tokens.json").read_text())) == sum(outcomes) >= 1


@pytest.mark.parametrize("claims", ["[]", "7", "nonsense", "{"])
def test_claims_have_to_be_an_object(folder: Path, claims: str) -> None:
    made = token("ada", "--claims", claims)
    assert made.exit_code == 2
    assert "--claims takes a JSON object" in made.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nonsense", "tokens.json: expected"),
        ("[]", r"tokens.json: Tokens are a JSON object, \{hash: claims\}, not list"),
        ('{"secret": {}}', "tokens.json: secret… is no SHA-256"),
        (json.dumps({"a" * 64: "ada"}), "tokens.json: The claims of the token aaaaaaaaaaaa… are a JSON object"),
    ],
)
def test_a_file_with_something_else_in_it(folder: Path, content: str, message: str) -> None:
    (folder / "tokens.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        Tokens.load("tokens.json")
    made = token("ada")
    assert made.exit_code == 1
    assert "tokens.json: " in made.stderr
    assert (folder / "tokens.json").read_text() == content
    assert [path.name for path in folder.iterdir()] == ["tokens.json"]


def test_a_file_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.json cannot be read: No such file"):
        Tokens.load("nowhere.json")
    made = token("ada", "--file", "nowhere/tokens.json")
    assert made.exit_code == 1
    assert "cannot be written: No such file" in made.stderr


@pytest.mark.anyio
async def test_one_of_several() -> None:
    tokens: dict[str, Any] = {sha256(b"opaque").hexdigest(): {"sub": "importer"}}
    both = FirstOf(JWT(key=SECRET), Tokens(tokens), required=True)
    assert (await identified(both, "opaque")).id == "importer"
    assert (await identified(both, mint())).id == "7"
    assert await refused(both, mint(exp=in_seconds(-86_400))) == (401, "PGRST303", "JWT expired")
    assert (await refused(both, "unknown"))[:2] == (401, "PGRST301")
    assert await FirstOf(JWT(key=SECRET), Tokens(tokens)).identify({}) is None
    with pytest.raises(ApiError, match="Anonymous access is disabled"):
        await both.identify({})
