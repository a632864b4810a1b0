"""How functions are written, for people to read."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable
from types import CodeType
from typing import Any


def source_of(function: Callable[..., Any]) -> str:
    """A lambda as its source has it, on one line; of any other function, its name."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or code.co_name != "<lambda>":
        return str(getattr(function, "__qualname__", repr(function)))
    source = "".join(linecache.getlines(code.co_filename, getattr(function, "__globals__", None)))
    found = lambda_in(source, code)
    if found is None:
        return f"<lambda at {inspect.getfile(code)}:{code.co_firstlineno}>"
    return " ".join(found.split())


def lambda_in(source: str, code: CodeType) -> str | None:
    """The text of the lambda that became some code; None where the source has no such."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno]
    if len(found) > 1:  # on one line: told apart by where their bodies are
        places = [(line, column) for line, _, column, _ in code.co_positions() if line and column]
        found = [node for node in found if places and (node.body.lineno, node.body.col_offset) == min(places)]
    return ast.get_source_segment(source, found[0]) if len(found) == 1 else None
