"""What a function is called by people: its name, or a lambda's own text."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from types import CodeType
from typing import Any


def told(function: Callable[..., Any]) -> str:
    """The name of a function; of a lambda the text, where its file can be read."""
    name: str = getattr(function, "__qualname__", repr(function))
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        return name
    return text_of(code) or "lambda …"


def text_of(code: CodeType) -> str | None:
    """The text of a lambda, in one line; None where there is none to be read."""
    source = "".join(linecache.getlines(code.co_filename))
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    # Several may begin on one line: it is the innermost that has the first thing in it that is done.
    places = [
        (line, start) for line, _, start, end in code.co_positions() if line and start is not None and start != end
    ]
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and (not places or (node.lineno, node.col_offset) <= places[0] <= (node.end_lineno, node.end_col_offset))
    ]
    if not found:
        return None
    text = ast.get_source_segment(source, max(found, key=lambda node: node.col_offset))
    return None if text is None else " ".join(text.split())
