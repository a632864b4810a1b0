"""Types that only PostgreSQL has: arrays and ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema
from pydantic_core import ValidationError
from sqlalchemy import Dialect, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from .literals import RefusedError, no_nul
from .wire import WireType, annotate, json_text, processor

_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^{}",]+))\s*', re.DOTALL)


def _malformed(text: str, details: str) -> RefusedError:
    return RefusedError("22P02", f'malformed array literal: "{text}"', details=details)


def _symbols(text: str) -> Iterator[str | tuple[str | None]]:
    position = 0
    while position < len(text):
        if text[position] in "{},":
            yield text[position]
            position += 1
        elif text[position].isspace():
            position += 1
        elif match := _ELEMENT.match(text, position):
            quoted, bare = match.groups()
            position = match.end()
            if quoted is not None:
                yield (re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL),)
            else:
                word = re.sub(r"\\(.)", r"\1", bare.strip())
                yield (None if word.upper() == "NULL" else word,)
        else:
            raise _malformed(text, "Unexpected end of input.")


def array_literal(text: str) -> list[Any]:
    """The nested lists of strings and None that an array literal such as ``{1,"two",NULL}`` spells."""
    if not text.lstrip().startswith("{"):
        raise _malformed(text, 'Array value must start with "{" or dimension information.')
    root: list[Any] = []
    stack = [root]
    wants_element = True
    for symbol in _symbols(text):
        closed = len(stack) == 1 and bool(root)
        if closed:
            raise _malformed(text, "Junk after closing right brace.")
        if symbol == "{" and wants_element:
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif symbol == "}" and len(stack) > 1 and (not wants_element or not stack[-1]):
            stack.pop()
            wants_element = False
        elif symbol == "," and not wants_element:
            wants_element = True
        elif isinstance(symbol, tuple) and wants_element:
            stack[-1].append(symbol[0])
            wants_element = False
        else:
            raise _malformed(text, f'Unexpected "{symbol if isinstance(symbol, str) else symbol[0]}" element.')
    if len(stack) > 1:
        raise _malformed(text, "Unexpected end of input.")
    result: list[Any] = root[0]
    return result


def array(type_: types.ARRAY[Any], item: WireType, dialect: Dialect) -> WireType:
    """Arrays: a JSON array, or an array literal."""
    elements: TypeAdapter[Any] = TypeAdapter(item.annotation)

    def from_text(value: Any) -> Any:
        if isinstance(value, list):
            return [from_text(element) for element in value]
        return None if value is None else item.read(value)

    def from_json(value: Any) -> Any:
        if isinstance(value, list):
            return [from_json(element) for element in value]
        if value is None:
            return None
        try:
            return elements.validate_python(value)
        except ValidationError:
            raise item.refusal(value) from None

    def read(text: str) -> Any:
        # JSON that is no array comes here as its text; a client's own `[1,2]` is a JSON array in a filter.
        if text.startswith("["):
            try:
                return from_json(TypeAdapter(list[Any]).validate_json(text))
            except ValidationError:
                pass
        return from_text(array_literal(text))

    def from_value(value: Any) -> Any:
        return from_json(value) if isinstance(value, list) else read(json_text(value))

    schema: dict[str, Any] = {"type": "array", "items": elements.json_schema()}
    annotation: Any = Annotated[Any, AfterValidator(from_value), WithJsonSchema(schema)]
    if type_.dimensions == 1:
        native = list[item.annotation | None]  # type: ignore[name-defined]
        fallback = Annotated[Any, AfterValidator(from_value)]
        annotation = Annotated[native | fallback, Field(union_mode="left_to_right"), WithJsonSchema(schema)]
    return WireType(
        name=f"{item.name}[]",
        annotation=annotation,
        read_annotation=Annotated[Any, WithJsonSchema(schema)],
        read=read,
        literal=read,
        bind=processor(type_, dialect),
        is_open=item.is_open,
    )


RANGED: dict[str, TypeEngine[Any]] = {
    "int4range": types.Integer(),
    "int8range": types.BigInteger(),
    "numrange": types.Numeric(),
    "daterange": types.Date(),
    "tsrange": types.DateTime(),
    "tstzrange": types.DateTime(timezone=True),
}
"""What each type of range ranges over."""

_BOUND = r'(?:"((?:[^"\\]|\\.|"")*)"|([^"\\(),\[\]]*))'
_RANGE = re.compile(rf"\s*([\[(])\s*{_BOUND}\s*,\s*{_BOUND}\s*([\])])\s*", re.DOTALL)


def span(type_: TypeEngine[Any], bound: WireType, dialect: Dialect) -> WireType:
    """Ranges: ``[1,5)``, ``empty``."""
    name = str(type_.__visit_name__).lower()

    def edge(quoted: str | None, bare: str | None) -> Any:
        if quoted is not None:
            return bound.read(re.sub(r'\\(.)|""', lambda match: match[1] or '"', quoted, flags=re.DOTALL))
        return bound.read(bare) if bare else None

    def read(text: str) -> postgresql.Range[Any]:
        if no_nul(text).strip().lower() == "empty":
            return postgresql.Range(empty=True)
        match = _RANGE.fullmatch(text)
        if match is None:
            raise RefusedError("22P02", f'malformed range literal: "{text}"')
        opening, *edges, closing = match.groups()
        lower, upper = edge(*edges[:2]), edge(*edges[2:])
        if lower is not None and upper is not None and lower > upper:
            raise RefusedError("22000", "range lower bound must be less than or equal to range upper bound")
        bounds: Any = opening + closing
        return postgresql.Range(lower, upper, bounds=bounds)

    schema = {"type": "string", "examples": ["[1,5)"]}
    return WireType(
        name=name,
        annotation=annotate(None, read, schema),
        read_annotation=Annotated[str, WithJsonSchema(schema)],
        read=read,
        literal=read,
        bind=processor(type_, dialect),
    )
