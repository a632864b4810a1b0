"""What a request brings to store: JSON, or the strings of a form or a query string, made into rows."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Required, TypeAlias

from pydantic import ConfigDict, FailFast, TypeAdapter
from pydantic_core import ValidationError, from_json
from typing_extensions import TypedDict

from rowserve.errors import ApiError
from rowserve.sql.literals import RefusedError, no_nul_escape
from rowserve.sql.types import WireType
from rowserve.sql.wire import ExactNumber

Body: TypeAlias = bytes | bytearray

_ARRAY = re.compile(rb"[ \t\r\n]*\[")
# More digits than a float keeps, with a point among them: whole numbers are exact anyway.
_OPEN_BRACKET, _OPEN_BRACE, _BACKSLASH, _POINT = b"[{\\."
_MANY_DIGITS = re.compile(rb"[0-9][0-9.]{16}")
_LONG_NUMBER = re.compile(rb"(?<![0-9.])(?=[0-9.]{17})[0-9]+\.[0-9]")


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One column as a client may write it.

    Attributes:
        name: the column's name in the database, which is its key on the wire.
        wire: how its values cross the wire.
        nullable: whether null may be given.
        required: whether a row without it can only fail.
        refused: the error for a value of a column that takes none, such as a generated one; else None.
    """

    name: str
    wire: WireType
    nullable: bool = True
    required: bool = False
    refused: RefusedError | None = None


class InvalidJSONError(ApiError):
    """PGRST102: a body that is no JSON, or JSON that is no rows. ``details`` say where."""

    def __init__(self, details: str) -> None:
        super().__init__(400, "PGRST102", "Empty or invalid json", details=details)


class RowReader:
    """Reads the rows of one table out of requests, as validated Python values by column name.

    Keys that were not given stay absent, so that the defaults of the model and of the database apply.

    Args:
        table: the table's name, for error messages.
        columns: the columns that a client may know of.
        only: takes these keys alone and ignores all others, as PostgREST's ``?columns=`` asks; the rows' keys may then
            differ. Without it every key must be a column, and all rows must have the same keys.
        nulls: whether a key of ``only`` that a row does not have is null in it, as PostgREST has it without
            ``Prefer: missing=default``.
    """

    is_modelled = False
    """Whether what is not given is said by a model of the application's own."""

    def __init__(
        self,
        table: str,
        columns: Iterable[InputColumn],
        *,
        only: Collection[str] | None = None,
        nulls: bool = False,
    ) -> None:
        self.table = table
        self.columns: Mapping[str, InputColumn] = {column.name: column for column in columns}
        for name in only or ():
            self._check_refused(self._column(name), None)
        self._only = only
        self._nulls: dict[str, None] = dict.fromkeys(only or ()) if nulls else {}
        self._not_null = [name for name in self._nulls if not self.columns[name].nullable]
        taken = [
            column
            for column in self.columns.values()
            if column.refused is None and (only is None or column.name in only)
        ]
        required = {column.name for column in self.columns.values() if column.required}
        self._required = sorted(required)
        self._never_given = sorted(required.difference(column.name for column in taken))
        self._has_numeric = any("numeric" in column.wire.name for column in taken)
        self._has_open = any(column.wire.is_open for column in taken)
        make_row: Any = TypedDict
        row = make_row(
            f"{table} row",
            {column.name: _annotation(column) for column in taken},
            total=False,
        )
        row.__pydantic_config__ = ConfigDict(extra="forbid" if only is None else "ignore")
        one: TypeAdapter[dict[str, Any]] = TypeAdapter(row)
        many: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(_many(row))
        self._one, self._many = one.validator, many.validator

    def only(self, columns: Collection[str], *, nulls: bool = False) -> RowReader:
        """A reader of the same table that takes ``columns`` alone; worth keeping, for it is slow to make.

        Args:
            nulls: whether those that a row does not have are null in it; else they stay absent.

        Raises:
            ApiError: 400 PGRST204 for a name that is no column, 428C9 for that of a generated one.
        """
        return RowReader(self.table, self.columns.values(), only=columns, nulls=nulls)

    def key_of(self, name: str) -> str | None:
        """The key that a row has a column's value under; None for one that it takes no value for."""
        column = self.columns.get(name)
        return name if column is not None and column.refused is None else None

    def one_or_many(self, body: Body) -> tuple[list[dict[str, Any]], bool]:
        """The rows in a JSON object or array of objects, and whether it was an array.

        Raises:
            ApiError: 400 with PGRST102 for what is not that, or for rows whose keys differ; PGRST204 for a key that is
                no column; 428C9 for a generated column; 23502 for a null that may not be or a required key that is
                missing; and with the type's own SQLSTATE (22P02, 22003...) for a value, naming row and column.
        """
        return (self._read(body, 0, None), True) if is_array(body) else (self._read(body, None, None), False)

    def many(self, array: Body, *, row: int, keys: Collection[str] | None) -> list[dict[str, Any]]:
        """The rows in a part of a JSON array, made an array of its own.

        Args:
            row: how many rows there were before it.
            keys: the keys that its rows have to have; None for those of the first.

        Raises:
            ApiError: as `one_or_many` does; `InvalidJSONError` for what is no JSON.
        """
        return self._read(array, row, keys)

    def _read(self, body: Body, row: int | None, keys: Collection[str] | None) -> list[dict[str, Any]]:
        """The rows in a body whose first row is number ``row``; None says that it is an object, not an array."""
        # `find` and a search for one byte: `b"..." in body` takes twice to ten times as long.
        if _BACKSLASH in body and body.find(b"\\u0000") >= 0:
            _check_no_nul(body)
        if self._has_open and (body.find(b"NaN") >= 0 or body.find(b"Infinity") >= 0):
            _check_finite(body)
        try:
            if self._has_numeric and _POINT in body and _MANY_DIGITS.search(body) and _LONG_NUMBER.search(body):
                value = json.loads(body, parse_float=ExactNumber)
                rows = [self._one.validate_python(value)] if row is None else self._many.validate_python(value)
            else:
                rows = [self._one.validate_json(body)] if row is None else self._many.validate_json(body)
        except ValidationError as error:
            raise self._refusal(body, error, row, keys) from None
        except (ValueError, RecursionError) as error:
            raise InvalidJSONError(str(error)) from None
        if rows and self._never_given:
            raise self._null(self._never_given[0], row)
        if row is not None and self._only is None:
            check_keys(rows, keys)
        return [self._filled(each, _nth(row, index)) for index, each in enumerate(rows)] if self._nulls else rows

    def from_strings(self, pairs: Iterable[tuple[str, str | None]], *, row: int | None = None) -> dict[str, Any]:
        """The row that a form or a query string spells, or a line of CSV; None is null. The last of a key counts.

        Args:
            row: the row's number, from 0, for an error to name; None where there is but one.

        Raises:
            ApiError: as `one_or_many` does.
        """
        values: dict[str, Any] = {}
        for name, text in pairs:
            if self._only is not None and name not in self._only:
                continue
            column = self._column(name)
            self._check_refused(column, row)
            if text is None:
                if not column.nullable:
                    raise self._null(name, row)
                values[name] = None
                continue
            try:
                values[name] = column.wire.read(text)
            except RefusedError as refused:
                raise refused.error(_where(name, row)) from None
        for name in self._required:
            if name not in values:
                raise self._null(name, row)
        return self._filled(values, row)

    def _filled(self, values: dict[str, Any], row: int | None) -> dict[str, Any]:
        """The row, with null for what it does not have."""
        if len(values) == len(self._nulls) or not self._nulls:
            return values
        for name in self._not_null:
            if name not in values:
                raise self._null(name, row)
        return {**self._nulls, **values}

    def _column(self, name: str) -> InputColumn:
        column = self.columns.get(name)
        if column is None:
            raise ApiError(
                400,
                "PGRST204",
                f"Could not find the '{name}' column of '{self.table}' in the schema cache",
                hint=f"The columns of '{self.table}' are: {', '.join(self.columns)}.",
            )
        return column

    def check_taken(self, name: str) -> None:
        """Raises ApiError: 428C9 for a column that takes no value, wherever in the request that is."""
        column = self.columns.get(name)
        if column is not None:
            self._check_refused(column, None)

    def _check_refused(self, column: InputColumn, row: int | None) -> None:
        if column.refused is not None:
            raise column.refused.error(_where(column.name, row) if row is not None else None)

    def _null(self, name: str, row: int | None) -> ApiError:
        message = f'null value in column "{name}" of relation "{self.table}" violates not-null constraint'
        return ApiError(400, "23502", message, details=_where(name, row))

    def _refusal(self, body: Body, error: ValidationError, row: int | None, keys: Collection[str] | None) -> ApiError:
        """The error PostgREST would answer with: first what is wrong with the shape, then with the values."""
        problems = error.errors(include_url=False)
        if problems[0]["type"] == "json_invalid":
            return InvalidJSONError(problems[0]["ctx"]["error"])
        _check_finite(body)
        value = from_json(body)
        rows: Sequence[Any] = [value] if row is None else value
        if not all(isinstance(each, dict) for each in rows):
            return InvalidJSONError("The body must be an object or an array of objects")
        if self._only is None:
            check_keys(rows, keys)
            for name in rows[0]:
                self._check_refused(self._column(name), row)
        place = list(problems[0]["loc"])
        index = None if row is None else int(place.pop(0))
        name = str(place[0])
        where = _nth(row, index or 0)
        if problems[0]["type"] == "missing":
            return self._null(name, where)
        given = rows[index or 0][name]
        if given is None:
            return self._null(name, where)
        return self.columns[name].wire.refusal(_exact(body, index, name, given)).error(_where(name, where))


def has_long_number(body: Body) -> bool:
    """Whether a body has a number of more digits than a float keeps."""
    return _POINT in body and _MANY_DIGITS.search(body) is not None and _LONG_NUMBER.search(body) is not None


def is_array(body: Body) -> bool:
    """Whether a body, if it is JSON, is an array."""
    start = body[0] if body else 0
    return start == _OPEN_BRACKET or (start != _OPEN_BRACE and _ARRAY.match(body) is not None)


def _many(row: Any) -> Any:
    return Annotated[list[row], FailFast()]


def _annotation(column: InputColumn) -> Any:
    annotation = column.wire.annotation | None if column.nullable else column.wire.annotation
    return Required[annotation] if column.required else annotation


def _where(name: str, row: int | None) -> str:
    return f'column "{name}"' if row is None else f'row {row + 1}, column "{name}"'


def _nth(row: int | None, index: int) -> int | None:
    return None if row is None else row + index


def _check_finite(body: Body) -> None:
    """Refuses NaN and Infinity, which are no JSON but which Pydantic would let into a JSON column."""
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidJSONError(str(error)) from None


def _check_no_nul(body: Body) -> None:
    try:
        no_nul_escape(body.decode(errors="replace"))
    except RefusedError as refused:
        raise refused.error() from None


def check_keys(rows: Sequence[dict[str, Any]], keys: Collection[str] | None = None) -> None:
    """Raises ApiError: 400 PGRST102 for rows that do not all have ``keys``, or those of the first."""
    if rows:
        expected = rows[0].keys() if keys is None else keys
        for row in rows:
            if row.keys() != expected:
                raise ApiError(400, "PGRST102", "All object keys must match")


def _exact(body: Body, index: int | None, name: str, given: Any) -> Any:
    """A float that was refused, with the digits it had in the body, for the message to repeat."""
    if not isinstance(given, float):
        return given
    value = json.loads(body, parse_float=ExactNumber)
    return (value if index is None else value[index])[name]
