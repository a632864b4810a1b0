"""``/rpc/name``: functions of the program itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy.ext.asyncio import AsyncSession, async_object_session
from sqlalchemy.types import JSON

from ..backends import Backend
from ..errors import ApiError
from ..query import Embed, ParseCache, Query
from ..sessions import AsyncReadSession
from ..signatures import Returned, Signature
from ..sql.call import find_function
from ..sql.catalog import Catalog, Function, FunctionParameter
from ..sql.conditions import not_supported
from ..sql.entity import Entity, mapped_table
from ..sql.json_rows import JsonRows, json_of_rows
from .arguments import Given, read_given
from .checks import RowCount, row_count
from .context import Limits, Shapes
from .guarded import Rules
from .handler import AnyAnswer
from .reads import PLAIN
from .responses import JSON as JSON_TYPE
from .responses import Answer
from .results import CallRequest, ResultContext, Results

VALUE = ""
"""The name of the column of rows that are but values."""


class ProgramFunction:
    """Answers the calls of a function of the program.

    Args:
        signature: the function.
        catalog: what its rows may embed, if they are of a mapped class.
        backend: the database's backend.
        limits: what bounds requests.
        rules: those of its rows and of what they may embed.
    """

    def __init__(self, signature: Signature, catalog: Catalog, backend: Backend, limits: Limits, rules: Rules) -> None:
        self.signature = signature
        self.backend = backend
        self.rules = rules
        self.limits = limits
        self._parse = ParseCache()
        self._known = {("public", signature.name): [described(signature)]}
        returned = signature.returned
        if returned.kind == "rows":
            self.entity = entity_of(signature, catalog, backend)
            source = JsonRows(self.entity, is_scalar=is_scalar(returned))
            self._make = partial(ResultContext, source, self.entity, catalog, backend, limits)
            self._shapes = Shapes()

    async def __call__(self, request: CallRequest, dependencies: Mapping[str, Any]) -> AnyAnswer:
        """The answer to a call.

        Args:
            request: the request.
            dependencies: what FastAPI gives the function.

        Raises:
            ApiError: whatever is wrong with the request, or the function itself has raised.
        """
        given, request.parsed = await read_given(request, self._parse, self.limits.max_body)
        if given.types and "json" not in given.types:
            raise ApiError(400, "PGRST102", "Content-Type not acceptable", hint="Send application/json.")
        find_function(self._known, "public", self.signature.name, given.names, body=None)
        arguments = self._arguments(given)
        results = self._results(request)
        self._check(request, results)
        result = await self.signature.function(**arguments, **dependencies)
        if results is None:
            return await self._value(result, dependencies)
        rows = await self._rows(result)
        request.argument = json_of_rows(self.entity, rows)
        expected = self._expected(request)
        if expected is not None:
            expected.check(len(rows))
        await commit(dependencies)
        return await results.list_rows(request)

    def _results(self, request: CallRequest) -> Results | None:
        """What answers with its rows; None where it returns none."""
        returned = self.signature.returned
        if returned.kind != "rows":
            return None
        assert request.caller is not None
        access = self.rules.access(request.caller)
        return self._shapes.get_or_make(access, lambda: Results(self._make(access), is_set=returned.is_set))

    def _arguments(self, given: Given) -> dict[str, Any]:
        arguments = self.signature.arguments
        if given.form != "texts":
            return {name: arguments[name].read(value) for name, value in given.values.items()}
        texts: dict[str, list[str]] = {}
        for name, text in given.pairs:
            texts.setdefault(name, []).append(text)
        return {name: arguments[name].read_texts(some) for name, some in texts.items()}

    def _check(self, request: CallRequest, results: Results | None) -> None:
        """Finds what is wrong with the request before anything is done for it."""
        preferences = request.preferences
        if preferences.max_affected is not None and preferences.handling == "strict" and not self._is_set:
            raise ApiError(
                400,
                "PGRST128",
                "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
            )
        if self.signature.writes and self._is_singular(request) and is_narrowed(request.parsed.query):
            # How many rows are left is known only when what it has done is committed.
            raise not_supported(f"One object of the filtered rows of {self.signature.name}, which writes,")
        if self.limits.tx_override and preferences.tx == "rollback":
            # It may have done more than a transaction can undo.
            raise not_supported(f"Prefer: tx=rollback for {self.signature.name}, a function of the program,")
        if not request.is_plain and request.media_type(explain=self.limits.explain).kind == "plan":
            # What it does would be done, and is no statement's.
            raise not_supported(f"The plan of {self.signature.name}, a function of the program,")
        if results is not None:
            results.shape(request.parsed, PLAIN).read.bind(request.parsed.values, request.caller)
        elif request.parsed.query != Query():
            raise ApiError(
                400,
                "PGRST100",
                f"{self.signature.name} returns no rows that could be selected, filtered, ordered or paged",
                hint="Leave the query string out, but for the arguments of a GET.",
            )

    @property
    def _is_set(self) -> bool:
        return self.signature.returned.kind == "rows" and self.signature.returned.is_set

    def _expected(self, request: CallRequest) -> RowCount | None:
        """How many rows it has to return, or what it has done does not last."""
        singular = self._is_singular(request) and not is_narrowed(request.parsed.query)
        return row_count(request.preferences, singular=singular)

    def _is_singular(self, request: CallRequest) -> bool:
        return not request.is_plain and request.media_type(explain=self.limits.explain).singular

    async def _value(self, result: Any, dependencies: Mapping[str, Any]) -> Answer:
        returned = self.signature.returned
        if returned.adapter is None:
            await commit(dependencies)
            return Answer(204, [])
        body = returned.adapter.dump_json(returned.adapter.validate_python(result, from_attributes=True), by_alias=True)
        await commit(dependencies)
        return Answer(200, [JSON_TYPE], body)

    async def _rows(self, result: Any) -> list[dict[str, Any]]:
        """What the function has returned, by column."""
        returned = self.signature.returned
        some: list[Any] = list(result or ()) if returned.is_set else [] if result is None else [result]
        if returned.model is not None:
            return await mapped_rows(self.entity, some)
        assert returned.adapter is not None
        value: Any = some if returned.is_set else result
        value = returned.adapter.validate_python(value, from_attributes=True)
        dumped = returned.adapter.dump_python(value, by_alias=True)
        if not returned.is_set:
            dumped = [] if dumped is None else [dumped]
        if is_scalar(returned):
            dumped = [{self.signature.name: item} for item in dumped]
        names = {item.name: isinstance(item.column.type, JSON) for item in self.entity.stored.values()}
        return [
            {
                name: to_jsonable_python(row.get(name)) if is_json else plain(row.get(name))
                for name, is_json in names.items()
            }
            for row in dumped
        ]


def is_narrowed(query: Query) -> bool:
    """Whether fewer rows may be answered than there are."""
    modifiers = query.modifiers
    inner = any(isinstance(item, Embed) and item.join == "inner" for item in query.select)
    return bool(modifiers.where) or modifiers.limit is not None or modifiers.offset is not None or inner


def plain(value: Any) -> Any:
    """A value that is no member of an enum."""
    return getattr(value, "value", value)


def is_scalar(returned: Returned) -> bool:
    return bool(returned.columns) and returned.columns[0][0] == VALUE


def described(signature: Signature) -> Function:
    """A function of the program as one of a database's, as far as calling it goes."""
    parameters = tuple(
        FunctionParameter(argument.name, "json", required=argument.required)
        for argument in signature.arguments.values()
    )
    return Function("public", signature.name, parameters, None, "json", False, False, "volatile")


def entity_of(signature: Signature, catalog: Catalog, backend: Backend) -> Entity:
    """What a function's rows are."""
    returned = signature.returned
    if returned.model is not None:
        return catalog.by_table[mapped_table(returned.model)]
    columns = [Column(name or signature.name, type_) for name, type_ in returned.columns]
    return Entity(Table(signature.name, MetaData(), *columns), backend.dialect)


async def mapped_rows(entity: Entity, instances: Iterable[Any]) -> list[dict[str, Any]]:
    """Instances of a mapped class, by column; what has not been loaded of one is loaded now."""
    mapper: Any = inspect(entity.model)
    attributes = {item.name: mapper.get_property_by_column(item.column).key for item in entity.stored.values()}
    rows = []
    for instance in instances:
        state: Any = inspect(instance)
        missing = state.unloaded.intersection(attributes.values())
        session = async_object_session(instance)
        if missing and session is not None and state.persistent:
            await session.refresh(instance, missing)
        rows.append({name: state.dict.get(key) for name, key in attributes.items()})
    return rows


async def commit(dependencies: Mapping[str, Any]) -> None:
    """Commits the sessions that the function was given: what it has done lasts before it is told of."""
    for session in dependencies.values():
        if isinstance(session, AsyncSession) and not isinstance(session, AsyncReadSession):
            await session.commit()
