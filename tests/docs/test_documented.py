"""What can be said to rowserve is said in its documents: operators, casts, preferences, errors, options, attributes."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

import rowserve
from rowserve import Context, Database, Resource, permissions
from rowserve.authentication import REMEMBERED
from rowserve.documentation.parameters import PREFERENCES
from rowserve.hooks import HOOKS
from rowserve.http import Limits
from rowserve.identity import JWT
from rowserve.permissions import Rule
from rowserve.query import OPERATORS, Preferences
from rowserve.query.filters import QUANTIFIABLE
from rowserve.server.cli import explain, main, serve
from rowserve.sql.casts import _TYPES
from rowserve.testing import Faults

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DIALECT = (ROOT / "docs" / "dialect.md").read_text()
IDENTITY = (ROOT / "docs" / "guide" / "identity.md").read_text()
EXPLAIN = (ROOT / "docs" / "guide" / "explain.md").read_text()
HOOKS_GUIDE = (ROOT / "docs" / "guide" / "hooks.md").read_text()
IN_PYTHON = README.partition("## In Python")[2].partition("\n## ")[0]
NOT_FOR_USERS = {"backend", "open", "close", "ping"}
"""What ``async with db`` and the server do."""
OPTIONS = [option for option in serve.params if isinstance(option, click.Option)]
CODE = re.compile(r'"(PGRST(?:\d{3}|X00))"')


def spans(text: str) -> set[str]:
    """What stands in backticks, and each part of it."""
    found = set(re.findall(r"`([^`\n]+)`", text))
    return found | {part for span in found for part in re.split(r"[=(., ]", span)}


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators(operator: str) -> None:
    filters = DIALECT.partition("## Filters")[2].partition("\n## ")[0]
    assert f"`{operator}`" in filters


def test_what_can_be_quantified() -> None:
    (row,) = [line for line in DIALECT.splitlines() if line.startswith("| `(any)`")]
    assert spans(row) >= QUANTIFIABLE


def test_casts() -> None:
    casts = DIALECT.partition("Casts are by")[2].partition("\n\n")[0]
    assert spans(casts.replace("\n", " ")) >= set(_TYPES)


def test_preferences() -> None:
    section = DIALECT.partition("## Preferences")[2].partition("\n## ")[0]
    names = {field.name.strip("_").replace("_", "-") for field in fields(Preferences)} - {"unknown"}
    assert spans(section) >= names
    assert {preference.partition("=")[0] for some in PREFERENCES.values() for preference in some} == names


def test_errors() -> None:
    used = {code for path in (ROOT / "rowserve").rglob("*.py") for code in CODE.findall(path.read_text())}
    assert len(used) > 20
    assert spans(DIALECT.partition("## Errors")[2].partition("\n## ")[0]) >= used


def test_options_of_serve() -> None:
    assert OPTIONS
    missing = [option.opts[0] for option in OPTIONS if f"`{option.opts[0]}" not in README + IDENTITY]
    assert not missing


def test_every_guide_is_linked_to() -> None:
    pages = {path.name for path in (ROOT / "docs" / "guide").glob("*.md")}
    assert pages
    assert not [page for page in pages if f"(docs/guide/{page})" not in README]


def test_commands() -> None:
    assert {"serve", "explain", "token"} <= main.commands.keys()
    assert not [name for name in main.commands if f"`rowserve {name} " not in README]
    options = [option.opts[0] for option in explain.params if isinstance(option, click.Option)]
    assert not [option for option in options if f"`{option} " not in EXPLAIN]


def test_attributes_of_resources() -> None:
    attributes = set(inspect.get_annotations(Resource)) - {"model"}
    assert attributes >= {limit.name for limit in fields(Limits)}
    assert spans(IN_PYTHON) >= {*attributes, "database"}
    described = (Resource.__doc__ or "").partition("Attributes:")[2]
    assert set(re.findall(r"^ {8}(\w+):", described, re.MULTILINE)) >= attributes


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks(hook: str) -> None:
    arguments = ", ".join(list(inspect.signature(getattr(Resource, hook)).parameters)[1:])
    assert f"| `{hook}({arguments})` |" in HOOKS_GUIDE


def test_defaults_of_resources_are_those_that_the_readme_says() -> None:
    said = dict(re.findall(r"`(\w+)=([^`]+)`", IN_PYTHON))
    actual: dict[str, Any] = {name: getattr(Resource, name) for name in inspect.get_annotations(Resource)}
    actual |= {
        name: parameter.default
        for name, parameter in inspect.signature(Database).parameters.items()
        if name not in actual and parameter.default is not inspect.Parameter.empty
    }
    assert {"max_rows", "max_embed_depth", "pool_size"} <= said.keys()
    wrong = {name: value for name, value in said.items() if name != "timeout" and eval(value) != actual[name]}
    assert not wrong
    assert eval(said["timeout"]) == inspect.signature(Database).parameters["timeout"].default


def test_arguments_of_jwt() -> None:
    keys = IDENTITY.partition("## Keys")[2].partition("\n## ")[0]
    parameters = inspect.signature(JWT).parameters
    assert spans(keys.partition("\n\n```")[0]) >= parameters.keys()
    assert f"| `leeway` | `{parameters['leeway'].default}` |" in keys
    assert f"{REMEMBERED:,} verified tokens" in keys


def guide(name: str) -> set[str]:
    """What stands in backticks in a guide."""
    return spans((ROOT / "docs" / "guide" / f"{name}.md").read_text())


def public(thing: object) -> set[str]:
    """What has no underscore in front of its name."""
    return {name for name in dir(thing) if not name.startswith("_")}


def test_rules() -> None:
    rules = {name for name, rule in vars(permissions).items() if inspect.isclass(rule) and issubclass(rule, Rule)}
    made = rules - {"Rule", "Composed", "All", "Some", "Not"}  # by & | ~
    assert made
    assert guide("permissions") >= made


def test_methods_of_databases_and_contexts() -> None:
    assert {name for span in spans(README) for name in re.findall(r"\w+", span)} >= public(Database) - NOT_FOR_USERS
    assert {name for span in guide("hooks") for name in re.findall(r"\w+", span)} >= public(Context) - {"scope"}


def test_what_tests_are_written_with() -> None:
    fixtures = {"client", "session", "database", "queries", "faults", "app"}
    assert guide("testing") >= {*fixtures, "assert_queries"}
    faults = {"next_commit_fails", "connection_lost", "pool_is_full", "slow"}
    assert public(Faults) >= faults
    assert {name for span in guide("testing") for name in re.findall(r"\w+", span)} >= faults


def test_public_names() -> None:
    names = {name for name, value in vars(rowserve).items() if not (name.startswith("_") or inspect.ismodule(value))}
    assert {"Database", "Resource", "Functions"} <= names
    assert spans(IN_PYTHON) | {"session"} >= names
