"""A call of a function of the database: which of those of its name is meant, and its rows in a statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    LargeBinary,
    MetaData,
    Table,
    Text,
    cast,
    func,
    literal_column,
    select,
    types,
)
from sqlalchemy import Column as TableColumn
from sqlalchemy import column as lexical_column

from .. import identifiers
from ..errors import ApiError
from .catalog import Catalog, Function, FunctionParameter, called
from .compiler import Compiler
from .entity import Entity
from .plan import Source
from .reflected_types import NamedType
from .scope import ARGUMENT
from .similarity import closest

Form: TypeAlias = Literal["object", "array", "texts", "body"]
"""How arguments come: as a JSON object; as an array of which the first object counts; as a JSON object of texts, each
to be read by its parameter's type; or as whatever the body is."""

Functions: TypeAlias = dict[tuple[str, str], list[Function]]
"""By schema and name."""

BODIES: Final = frozenset({"json", "jsonb", "text", "xml", "bytea"})
"""The types of a parameter without a name that is given the body as it came."""
LIKELY = 0.75
"""How alike a function's name has to be to be named in a hint."""


class FunctionRows(Source):
    """What a function returns.

    Args:
        function: the function.
        entity: what its rows are.
        names: the parameters that it is called with; the others have their defaults.
        form: how their arguments come.
    """

    def __init__(self, function: Function, entity: Entity, names: Collection[str], form: Form) -> None:
        self.function = function
        self.entity = entity
        self.parameters = [parameter for parameter in function.parameters if parameter.name in names]
        self.form = form
        self.is_scalar = not isinstance(function.returns, Table)

    def rows(self, compiler: Compiler) -> CTE:
        function = self.function
        given: list[FromClause] = []
        arguments: list[ColumnElement[Any]] = []
        if self.form == "body":
            arguments = [self._body(compiler)]
        elif self.parameters:
            given = [self._given(compiler)]
            arguments = [self._argument(parameter, given[0]) for parameter in self.parameters]
        if self.is_scalar and not function.is_set:
            value: ColumnElement[Any] = called(function, *arguments)
            # Nothing is a value as well: the empty text.
            value = cast(value, Text) if function.returns is None else value
            found = select(value.label(function.name)).select_from(*given)
        else:
            columns = [lexical_column(column.name, column.type) for column in self.entity.table.columns]
            rows = called(function, *arguments).table_valued(*columns)
            # The columns of a type have their names already.
            is_nameless = self.is_scalar or function.return_name == "record"
            result_name = compiler.name("result")
            result = rows.render_derived(name=result_name) if is_nameless else rows.alias(result_name)
            found = select(*result.c).select_from(*given, result)
        # It may be selected from several times, and is called but once.
        return found.cte(compiler.name(function.name))

    def _given(self, compiler: Compiler) -> FromClause:
        """The arguments as a row of a column for each."""
        json: ColumnElement[Any] = cast(compiler.parameters.constant(ARGUMENT, Text()), types.JSON)
        if self.form == "array":
            json = json.op("->")(literal_column("0"))
        columns = [lexical_column(parameter.name, self._given_type(parameter)) for parameter in self.parameters]
        return func.json_to_record(json).table_valued(*columns).render_derived(name="arguments", with_types=True)

    def _given_type(self, parameter: FunctionParameter) -> NamedType:
        if self.form != "texts":
            return NamedType(parameter.type)
        return NamedType("text[]" if parameter.variadic else "text")

    def _argument(self, parameter: FunctionParameter, given: FromClause) -> ColumnElement[Any]:
        value: ColumnElement[Any] = given.c[parameter.name]
        if self.form == "texts":
            value = cast(value, NamedType(parameter.type))
        name = identifiers.POSTGRESQL.quote_identifier(parameter.name)
        # Standing in the place of a name, this is no value at all; PostgreSQL's `=>` is no operator either.
        keyword: ColumnElement[Any] = literal_column(f"VARIADIC {name}" if parameter.variadic else name)
        return keyword.op("=>")(value)

    def _body(self, compiler: Compiler) -> ColumnElement[Any]:
        (parameter,) = self.function.parameters
        if parameter.type == "bytea":
            return compiler.parameters.constant(ARGUMENT, LargeBinary())
        return cast(compiler.parameters.constant(ARGUMENT, Text()), NamedType(parameter.type))


def entity_of(function: Function, catalog: Catalog, dialect: Any) -> Entity:
    """What the rows of a function are: those of a table or view, or of its own kind."""
    if not isinstance(function.returns, Table):
        column: TableColumn[Any] = TableColumn(function.name, function.returns or types.Text())
        return Entity(Table(function.name, MetaData(), column), dialect, schema=function.schema)
    known = catalog.by_table.get(function.returns)
    return known or Entity(function.returns, dialect, schema=function.schema)


def is_whole_body(function: Function) -> bool:
    """Whether its only parameter has no name, and takes the body as it came."""
    parameters = function.parameters
    return len(parameters) == 1 and not parameters[0].name and parameters[0].type in BODIES


def callable_functions(catalog: Catalog) -> Functions:
    """The functions that can be called: those whose parameters all have names, or whose only one takes the body. What
    takes a row and has no name for it is but a column or a relationship of that row."""
    found: Functions = {}
    for key, functions in catalog.functions.items():
        some = [one for one in functions if is_whole_body(one) or all(parameter.name for parameter in one.parameters)]
        if some:
            found[key] = some
    return found


def find_function(
    known: Functions, schema: str, name: str, names: Collection[str], *, body: Sequence[str] | None
) -> Function:
    """The function that is meant, by the names of the arguments; by the type of the body where none has those names.

    Args:
        known: what there is.
        schema: where it is looked for.
        name: what it is called.
        names: of the arguments.
        body: the types of an unnamed parameter that takes such a body; None where there is no body.

    Raises:
        ApiError: 404 PGRST202 where there is none, 300 PGRST203 where there are several.
    """
    functions = known.get((schema, name), [])
    given = frozenset(names)
    is_raw = body is not None and "json" not in body and bool(body)
    found = [function for function in functions if is_called_by(function, given, is_raw=is_raw)]
    if not found and body:
        found = [function for function in functions if is_whole_body(function) and function.parameters[0].type in body]
    if len(found) == 1:
        return found[0]
    if found:
        raise ambiguous(found)
    names_there = [other for where, other in known if where == schema]
    raise not_found(schema, name, sorted(given), body or (), functions, names_there)


def is_called_by(function: Function, names: frozenset[str], *, is_raw: bool) -> bool:
    """Whether these are all that it requires, and none that it does not know."""
    if not function.parameters:
        return not names and not is_raw
    required = {parameter.name for parameter in function.parameters if parameter.required}
    return required <= names <= {parameter.name for parameter in function.parameters}


def ambiguous(found: Iterable[Function]) -> ApiError:
    signatures = sorted((len(function.parameters), signature(function)) for function in found)
    return ApiError(
        300,
        "PGRST203",
        f"Could not choose the best candidate function between: {', '.join(text for _, text in signatures)}",
        hint="Try renaming the parameters or the function itself in the database so function overloading can be "
        "resolved",
    )


def signature(function: Function) -> str:
    """A function as errors name it."""
    parameters = ", ".join(f"{parameter.name} => {parameter.type}" for parameter in function.parameters)
    return f"{function.schema}.{function.name}({parameters})"


def not_found(
    schema: str, name: str, names: list[str], body: Sequence[str], functions: Sequence[Function], known: Iterable[str]
) -> ApiError:
    """PGRST202, with what was looked for and the function that was probably meant."""
    listed = ", ".join(names)
    called_with = f"({listed})" if names else " without parameters"
    searched = f" with parameter{'s' if len(names) > 1 else ''} {listed}" if names else called_with
    hint: str | None = None
    if body and "json" not in body:
        called_with, searched = "", f" with a single unnamed {body[0]} parameter"
    else:
        if body:
            searched += " or with a single unnamed json/jsonb parameter"
        hint = likely(name, listed, functions, known)
    return ApiError(
        404,
        "PGRST202",
        f"Could not find the function {schema}.{name}{called_with} in the schema cache",
        details=f"Searched for the function {schema}.{name}{searched}, but no matches were found in the schema cache.",
        hint=None if hint is None else f"Perhaps you meant to call the function {schema}.{hint}",
    )


def likely(name: str, listed: str, functions: Sequence[Function], known: Iterable[str]) -> str | None:
    if not functions:
        return closest(name, known, least=LIKELY)
    lists = (", ".join(sorted(parameter.name for parameter in function.parameters)) for function in functions)
    close = closest(listed, lists)
    return None if close is None else f"{name}({close})"
