"""A user's `TypeDecorator` on the wire: what is inside it crosses, and its two hooks run on the way in and out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from inspect import signature
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import from_json
from sqlalchemy import Dialect, types
from sqlalchemy.types import TypeDecorator, TypeEngine

from . import literals
from .wire import Bind, WireType, json_text, processor

_BY_JSON = (types.String, types.Boolean, types.Integer, types.Float, types.Numeric, types.JSON)


def decorated(type_: TypeDecorator[Any], impl: TypeEngine[Any], inner: WireType, dialect: Dialect) -> WireType:
    """The wire form of a decorated type.

    ``process_bind_param`` gets the Python type that the decorator names: a ``python_type`` of its own, or how the
    method annotates its value (SQLAlchemy forgets the ``Money`` of a ``TypeDecorator[Money]``). Where it names none it
    gets what JSON gave if JSON has a form for the inner type (text, numbers,
    booleans, JSON itself), else the inner type's Python value, such as a ``datetime``.
    """
    named = _named(type_)
    if named is not None and named is _python_type(impl):
        named = None
        by_json = False
    else:
        by_json = isinstance(impl, _BY_JSON) and not isinstance(impl, types.Enum)

    wire = inner
    if _overrides(type_, "process_bind_param"):
        annotation, to_python = inner.annotation, _members(impl)
        if named is not None:
            annotation, to_python = named, None
        elif by_json:
            annotation, to_python = Any, None
        if to_python is not None:
            annotation = Annotated[annotation, AfterValidator(to_python)]
        read = _reader(TypeAdapter(annotation), wire.name, by_json=by_json or named is not None)
        bind = _binder(type_, dialect, inner.bind, wire.name)
        wire = replace(wire, annotation=annotation, read=read, literal=read, bind=bind, is_open=True)
    elif _overrides(type_, "bind_processor"):
        wire = replace(wire, bind=processor(type_, dialect))
    if _overrides(type_, "process_result_value"):
        wire = replace(
            wire,
            read_annotation=Any if named is None else named,
            result=_result(type_, impl, dialect, inner),
        )
    return wire


def _overrides(type_: TypeDecorator[Any], method: str) -> bool:
    return getattr(type(type_), method) is not getattr(TypeDecorator, method)


def _python_type(type_: TypeEngine[Any]) -> Any:
    try:
        return type_.python_type
    except NotImplementedError:
        return None


def _named(type_: TypeDecorator[Any]) -> Any:
    """The Python type that the decorator says it takes, if Pydantic can make one from JSON."""
    named = type_.python_type if _overrides(type_, "python_type") else _hint(type_.process_bind_param)
    if named is None or named in (Any, object):
        return None
    try:
        TypeAdapter(named).json_schema()
    except (PydanticUserError, TypeError):
        return None
    return named


def _hint(method: Callable[..., Any]) -> Any:
    """The annotation of a method's first parameter, without its None."""
    function = getattr(method, "__func__", method)
    parameter = next(iter(signature(method).parameters))
    annotations = {parameter: function.__annotations__.get(parameter, Any)}
    try:
        # By itself: the other parameters' may be imported for type checkers only.
        hint = get_type_hints(type("Alone", (), {"__annotations__": annotations}), function.__globals__)[parameter]
    except (NameError, TypeError, AttributeError):
        return None
    if get_origin(hint) in (Union, UnionType):
        hint = Union[tuple(part for part in get_args(hint) if part is not type(None))]  # noqa: UP007
    return hint


def _members(impl: TypeEngine[Any]) -> Bind | None:
    """Labels to the members of a Python enum, which is what SQLAlchemy gives a decorator."""
    if isinstance(impl, types.Enum) and impl.enum_class is not None:
        return impl._object_value_for_elem
    return None


def _reader(adapter: TypeAdapter[Any], name: str, *, by_json: bool) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value: Any = text
        if by_json:
            with suppress(ValueError):
                value = from_json(text, allow_inf_nan=False)
        for candidate in (value, text):
            try:
                return adapter.validate_python(candidate)
            except ValueError:
                continue
        raise literals.invalid(name, text)

    return read


def _binder(type_: TypeDecorator[Any], dialect: Dialect, inner: Bind | None, name: str) -> Bind:
    def bind(value: Any) -> Any:
        try:
            stored = type_.process_bind_param(value, dialect)
            return stored if inner is None else inner(stored)
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            raise literals.invalid(name, json_text(value)).error() from error

    return bind


def _result(type_: TypeDecorator[Any], impl: TypeEngine[Any], dialect: Dialect, inner: WireType) -> Bind:
    adapter = TypeAdapter(Any if inner.result is not None else inner.annotation)
    to_python = _members(impl)

    def result(value: Any) -> Any:
        if inner.result is not None:
            value = inner.result(value)
        elif value is not None:
            value = adapter.validate_python(value)
            if to_python is not None:
                value = to_python(value)
        return type_.process_result_value(value, dialect)

    return result
