"""The signature of a function of the program: what it is called with, and what it returns."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from fastapi import BackgroundTasks, Response, params
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import from_json
from sqlalchemy import types
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper
from starlette.requests import HTTPConnection
from typing_extensions import is_typeddict

from .errors import ApiError
from .sessions import AsyncReadSession
from .sql.literals import RefusedError
from .sql.postgresql_types import array_literal

Function: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]

OF_FASTAPI = (HTTPConnection, BackgroundTasks, Response)
"""What FastAPI gives to whoever has a parameter of that type."""
SCALARS: dict[Any, types.TypeEngine[Any]] = {
    bool: types.Boolean(),
    int: types.BigInteger(),
    float: types.Double(),
    Decimal: types.Numeric(),
    str: types.Text(),
    datetime: types.DateTime(timezone=True),
    date: types.Date(),
    time: types.Time(),
    UUID: types.Uuid(),
}
"""How values of a type are filtered and ordered; those of any other are JSON."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter that a client gives the value of.

    Args:
        name: its name.
        adapter: reads and checks a value.
        required: whether it has no default.
        is_list: whether a query string gives its values one by one.
    """

    name: str
    adapter: TypeAdapter[Any]
    required: bool
    is_list: bool

    def read(self, value: Any) -> Any:
        """The value out of JSON.

        Raises:
            ApiError: 400 22023, with what is wrong with it.
        """
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            problems = [
                f"{'.'.join([self.name, *map(str, problem['loc'])])}: {problem['msg']}"
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            ]
            raise ApiError(
                400,
                "22023",
                f'invalid value for the argument "{self.name}"',
                details="\n".join(problems),
            ) from None

    def read_texts(self, texts: list[str]) -> Any:
        """The value out of a query string or a form: a list by repetition or as ``{1,2}``, whatever else has parts as
        JSON."""
        if self.is_list:
            if len(texts) == 1 and texts[0].startswith("{"):
                try:
                    return self.read(array_literal(texts[0]))
                except RefusedError as refused:
                    raise refused.error() from None
            if not (len(texts) == 1 and texts[0].startswith("[")):
                return self.read(texts)
        text = texts[-1]
        if not text.startswith(("{", "[")):
            return self.read(text)
        try:
            return self.read(from_json(text))
        except (ValueError, ApiError):
            return self.read(text)


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """What a function returns.

    Args:
        kind: ``nothing``; a ``value``, which is answered as JSON; or ``rows`` of columns.
        annotation: as the function has it.
        adapter: checks what is returned, and takes it apart; None for mapped classes.
        is_set: whether it is any number of rows.
        model: the mapped class of the rows.
        columns: of rows of another kind: names and types. A single one whose name is empty is the row itself.
    """

    kind: Literal["nothing", "value", "rows"]
    annotation: Any
    adapter: TypeAdapter[Any] | None = None
    is_set: bool = False
    model: type[Any] | None = None
    columns: tuple[tuple[str, types.TypeEngine[Any]], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """A function, taken apart.

    Args:
        name: its name.
        function: itself.
        description: its docstring.
        arguments: by name, what clients give.
        dependencies: the parameters that FastAPI gives: sessions and whatever else is a dependency.
        writes: whether it has a session that writes.
        returned: what it returns.
    """

    name: str
    function: Function
    description: str | None
    arguments: Mapping[str, Argument]
    dependencies: tuple[inspect.Parameter, ...]
    writes: bool
    returned: Returned


def signature_of(function: Function) -> Signature:
    """Takes a function apart.

    Raises:
        TypeError: it is not async, or a parameter or what it returns is not annotated; the message says which.
    """
    name = getattr(function, "__name__", repr(function))
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} is not async: write `async def {name}(…)`")
    hints = get_type_hints(function, include_extras=True)
    if "return" not in hints:
        raise TypeError(f"{name} does not say what it returns: write `-> None`, or `-> list[User]`")
    arguments: dict[str, Argument] = {}
    dependencies: list[inspect.Parameter] = []
    writes = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise TypeError(f"{name} does not say what {parameter.name} is: annotate it")
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{name} takes {parameter.name} without its name: clients call functions by names")
        annotation = hints[parameter.name]
        if is_dependency(annotation, parameter.default):
            dependencies.append(parameter.replace(annotation=annotation, kind=parameter.KEYWORD_ONLY))
            writes = writes or is_writing_session(annotation)
        else:
            arguments[parameter.name] = argument_of(name, parameter, annotation)
    description = inspect.getdoc(function)
    return Signature(
        name, function, description, arguments, tuple(dependencies), writes, returned_by(name, hints["return"])
    )


def is_dependency(annotation: Any, default: Any) -> bool:
    """Whether FastAPI gives it, rather than the client."""
    if isinstance(default, params.Depends):
        return True
    plain, *extras = get_args(annotation) if get_origin(annotation) is Annotated else [annotation]
    if isinstance(plain, type) and issubclass(plain, OF_FASTAPI):
        return True
    return any(isinstance(extra, params.Depends) for extra in extras)


def is_request(annotation: Any) -> bool:
    """Whether it is the request that FastAPI gives."""
    plain = undressed(annotation)
    return isinstance(plain, type) and issubclass(plain, HTTPConnection)


def is_writing_session(annotation: Any) -> bool:
    plain = undressed(annotation)
    return isinstance(plain, type) and issubclass(plain, AsyncSession) and not issubclass(plain, AsyncReadSession)


def argument_of(function: str, parameter: inspect.Parameter, annotation: Any) -> Argument:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except PydanticUserError as error:
        raise TypeError(f"{function} takes {parameter.name}, which no JSON can be made into: {error}") from None
    is_list = item_of(optional(undressed(annotation))) is not None
    return Argument(parameter.name, adapter, parameter.default is parameter.empty, is_list)


def returned_by(function: str, annotation: Any) -> Returned:
    """What an annotation says that a function returns."""
    plain = undressed(annotation)
    if plain in (None, NoneType):
        return Returned("nothing", annotation)
    item = item_of(plain)
    is_set = item is not None
    row = undressed(item) if is_set else optional(plain)
    if isinstance(row, type) and isinstance(inspect_mapped(row), Mapper):
        return Returned("rows", annotation, is_set=is_set, model=row)
    columns = tuple(columns_of(row))
    if is_set and not columns and (row in SCALARS or is_enum(row)):
        columns = (("", type_of(row)),)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(list[row] if is_set and columns else annotation)  # type: ignore[valid-type]
    except PydanticUserError as error:
        raise TypeError(f"{function} returns what no JSON can be made of: {error}") from None
    return Returned("rows" if columns else "value", annotation, adapter, is_set, None, columns)


def inspect_mapped(class_: type[Any]) -> Any:
    from sqlalchemy import inspect as mapped

    return mapped(class_, raiseerr=False)


def columns_of(row: Any) -> Iterable[tuple[str, types.TypeEngine[Any]]]:
    """The columns of a Pydantic model, a dataclass or a ``TypedDict``, by the names that they have in JSON."""
    if isinstance(row, type) and issubclass(row, BaseModel):
        for name, field in row.model_fields.items():
            yield field.serialization_alias or field.alias or name, type_of(field.annotation)
        for name, computed in row.model_computed_fields.items():
            yield computed.alias or name, type_of(computed.return_type)
    elif is_typeddict(row):
        yield from ((name, type_of(hint)) for name, hint in get_type_hints(row).items())
    elif isinstance(row, type) and dataclasses.is_dataclass(row):
        hints = get_type_hints(row)
        yield from ((field.name, type_of(hints[field.name])) for field in dataclasses.fields(row))


def type_of(annotation: Any) -> types.TypeEngine[Any]:
    """The type of a column with values of this kind."""
    plain = optional(undressed(annotation))
    if is_enum(plain):
        return types.Text()
    return SCALARS.get(plain, types.JSON()) if isinstance(plain, type) else types.JSON()


def is_enum(annotation: Any) -> bool:
    """Whether its values are some texts."""
    if get_origin(annotation) is Literal:
        return all(isinstance(value, str) for value in get_args(annotation))
    is_class = isinstance(annotation, type) and issubclass(annotation, Enum)
    return is_class and all(isinstance(member.value, str) for member in annotation)


def item_of(annotation: Any) -> Any:
    """What a list, or whatever else can be gone through, is of; None for what is no such thing."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not (isinstance(origin, type) and issubclass(origin, Iterable) and not issubclass(origin, Mapping)):
        return None
    if len(arguments) == 1 or (len(arguments) == 2 and arguments[1] is Ellipsis):
        return arguments[0]
    return None


def undressed(annotation: Any) -> Any:
    """The type behind ``Annotated``."""
    return undressed(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def optional(annotation: Any) -> Any:
    """The type beside None."""
    if get_origin(annotation) in (Union, UnionType):
        others = [argument for argument in get_args(annotation) if argument is not NoneType]
        if len(others) == 1:
            return undressed(others[0])
    return annotation
