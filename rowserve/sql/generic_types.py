"""SQLAlchemy's generic types on the wire. PostgreSQL's and SQLite's own types extend them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AllowInfNan, Field, Strict, WithJsonSchema
from sqlalchemy import Dialect, cast, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from . import literals, sqlite_types
from .literals import RefusedError
from .reflected_types import NamedType, UntypedType
from .wire import Read, WireType, processor, simple


def integer(name: str, bits: int, low: int | None = None) -> Callable[[TypeEngine[Any], Dialect], WireType]:
    """A maker of whole numbers of ``bits`` bits; ``low`` is 0 for unsigned ones."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if low is None else (low, 2**bits - 1)

    def make(type_: TypeEngine[Any], dialect: Dialect) -> WireType:
        return simple(
            type_,
            dialect,
            name=name,
            schema={"type": "integer", "format": f"int{bits}"},
            read=literals.integer(name, low, high),
            native=Annotated[int, Strict(), Field(ge=low, le=high)],
        )

    return make


_SINGLE = struct.Struct("f")
_SINGLE_MAX = 3.4028234663852886e38
_DOUBLE_MAX = 1.7976931348623157e308


def _to_single(value: float) -> float:
    """The shortest decimal that is the same 4-byte float, which is what PostgreSQL writes for one."""
    single = _SINGLE.pack(value)
    (exact,) = _SINGLE.unpack(single)
    candidates = (float(f"{exact:.{digits}g}") for digits in range(6, 10))
    return next(short for short in candidates if _SINGLE.pack(short) == single)


def floating(type_: types.Float[Any], dialect: Dialect) -> WireType:
    """Binary numbers of 4 and of 8 bytes."""
    precision = getattr(type_, "precision", None)
    is_single = isinstance(type_, types.REAL) or (
        not isinstance(type_, types.Double) and precision is not None and precision <= 24
    )
    name, high = ("real", _SINGLE_MAX) if is_single else ("double precision", _DOUBLE_MAX)
    literal = read = literals.floating(name, high)
    native: Any = Annotated[float, Strict(), AllowInfNan(False), Field(ge=-high, le=high)]
    if is_single and dialect.name == "sqlite":

        def read_single(text: str) -> float:
            return _to_single(literal(text))

        read = read_single
        native = Annotated[native, AfterValidator(_to_single)]
    schema = {"type": "number", "format": "float" if is_single else "double"}
    return simple(
        type_, dialect, name=name, schema=schema, read=read, literal=read, native=native, sqlite=sqlite_types.number
    )


def _fit(precision: int | None, scale: int | None, digits: int) -> Callable[[Decimal], Decimal]:
    """Rounds as a column of PostgreSQL's does, half away from zero, and refuses what has too many digits."""
    context = Context(prec=2_000, rounding=ROUND_HALF_UP)

    def fit(value: Decimal) -> Decimal:
        if value and value.adjusted() >= digits:
            raise RefusedError("22003", "value overflows numeric format")
        if precision is None:
            return value
        unit = Decimal(1).scaleb(-(scale or 0))
        whole = precision - (scale or 0)
        try:
            rounded = value.quantize(unit, context=context)
        except InvalidOperation:
            rounded = Decimal("Infinity")
        if rounded and rounded.adjusted() >= whole:
            raise RefusedError(
                "22003",
                "numeric field overflow",
                details=f"A field with precision {precision}, scale {scale or 0} must round to an absolute value "
                f"less than {f'10^{whole}' if whole else '1'}.",
            )
        return rounded

    return fit


def numeric(type_: types.Numeric[Any], dialect: Dialect) -> WireType:
    """Exact decimals."""
    # SQLite, through SQLAlchemy, keeps a numeric as a float: https://docs.sqlalchemy.org/en/21/core/type_basics.html
    limit = 131_072 if dialect.supports_native_decimal else 308
    fit = _fit(type_.precision, type_.scale, limit)
    roomy = _fit(None, None, limit)
    finish: Callable[[Decimal], Any] = (lambda value: value) if type_.asdecimal else float

    def store(value: Decimal) -> Any:
        return finish(fit(value))

    return simple(
        type_,
        dialect,
        name="numeric",
        schema={"type": "number"},
        read=lambda text: store(literals.numeric(text)),
        literal=lambda text: finish(roomy(literals.numeric(text))),
        native=Annotated[Decimal, AllowInfNan(False), AfterValidator(store)],
        sqlite=sqlite_types.number if type_.precision is None else sqlite_types.decimal(type_.scale or 0),
    )


def boolean(type_: types.Boolean, dialect: Dialect) -> WireType:
    """True and false."""
    return simple(
        type_,
        dialect,
        name="boolean",
        schema={"type": "boolean"},
        read=literals.boolean,
        native=Annotated[bool, Strict()],
        sqlite=sqlite_types.boolean,
    )


def text(type_: types.String, dialect: Dialect) -> WireType:
    """Text, with a length or without, and PostgreSQL's blank-padded ``character``."""
    length = None if isinstance(type_, types.Text) else type_.length
    padded = isinstance(type_, types.CHAR | types.NCHAR)
    name = "character" if padded else "character varying" if length else "text"

    def read(text: str) -> str:
        literals.no_nul(text)
        if length is not None and len(text) > length:
            if text[length:].strip(" "):
                raise RefusedError("22001", f"value too long for type {name}({length})")
            return text[:length]
        return text

    def literal(text: str) -> str:
        literals.no_nul(text)
        return text.rstrip(" ") if padded and dialect.name == "sqlite" else text

    schema: dict[str, Any] = {"type": "string"}
    native: Any = Annotated[str, Strict()]
    if length is not None:
        schema["maxLength"] = length
        native = Annotated[native, Field(max_length=length)]
    return simple(
        type_,
        dialect,
        name=name,
        schema=schema,
        read=read,
        literal=literal,
        native=native,
        sqlite=sqlite_types.padded(length) if padded and length else None,
    )


def moment(type_: types.DateTime, dialect: Dialect) -> WireType:
    """Timestamps, without a time zone or in UTC."""
    zoned = type_.timezone
    wire = simple(
        type_,
        dialect,
        name="timestamp with time zone" if zoned else "timestamp",
        schema={"type": "string", "format": "date-time"},
        read=literals.timestamptz if zoned else literals.timestamp,
        sqlite=sqlite_types.timestamptz if zoned else sqlite_types.timestamp,
    )
    inner = wire.bind
    if not zoned or inner is None:
        return wire

    # SQLAlchemy's SQLite type writes the clock of whatever zone the value is in. A default may be in any.
    def bind(value: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC)
        return inner(value)

    return replace(wire, bind=bind)


def day(type_: types.Date, dialect: Dialect) -> WireType:
    """Dates."""
    schema = {"type": "string", "format": "date"}
    return simple(type_, dialect, name="date", schema=schema, read=literals.calendar_date)


def clock(type_: types.Time, dialect: Dialect) -> WireType:
    """Times of day."""
    zoned = type_.timezone
    return simple(
        type_,
        dialect,
        name="time with time zone" if zoned else "time",
        schema={"type": "string", "format": "time"},
        read=literals.clock_timetz if zoned else literals.clock_time,
        sqlite=sqlite_types.timetz if zoned else sqlite_types.clock_time,
    )


_EPOCH = datetime(1970, 1, 1)
_INTERVAL_MIN, _INTERVAL_MAX = datetime.min - _EPOCH, datetime.max - _EPOCH


def interval(type_: TypeEngine[Any], dialect: Dialect) -> WireType:
    """Lengths of time."""

    def read_on_sqlite(text: str) -> timedelta:
        value = literals.interval(text)
        if not _INTERVAL_MIN <= value <= _INTERVAL_MAX:
            raise RefusedError("22015", f'interval field value out of range: "{text}"')
        return value

    return simple(
        type_,
        dialect,
        name="interval",
        schema={"type": "string", "examples": ["1 day 02:00:00", "P1DT2H"]},
        read=read_on_sqlite if dialect.name == "sqlite" else literals.interval,
        sqlite=sqlite_types.interval,
    )


def uuid(type_: types.Uuid[Any], dialect: Dialect) -> WireType:
    """UUIDs, stored natively or as 32 characters."""
    by_characters = not (dialect.supports_native_uuid and type_.native_uuid)
    read: Read = literals.uuid
    native: Any = UUID
    if not type_.as_uuid:
        native = Annotated[UUID, AfterValidator(str)]

        def read(text: str) -> str:
            return str(literals.uuid(text))

    return simple(
        type_,
        dialect,
        name="uuid",
        schema={"type": "string", "format": "uuid"},
        read=read,
        native=native,
        render=(lambda column: cast(column, postgresql.UUID)) if by_characters else None,
        sqlite=sqlite_types.uuid,
    )


def enumeration(type_: types.Enum, dialect: Dialect) -> WireType:
    """The labels of an enum, as they are stored."""
    labels = [str(label) for label in type_.enums]
    name = type_.name or "enum"
    return simple(
        type_,
        dialect,
        name=name,
        schema={"type": "string", "enum": labels},
        read=literals.enumeration(name, labels),
        native=Literal[tuple(labels)] if labels else None,
    )


def document(type_: types.JSON, dialect: Dialect) -> WireType:
    """JSON. A JSON null is SQL's."""
    inner = processor(type_, dialect)
    schema: dict[str, Any] = {}

    def bind(value: Any) -> Any:
        if value is None:
            return None
        text = value if inner is None else inner(value)
        # Python writes an overflowed 1e400 as Infinity, which is not JSON; the word is far likelier in a string.
        if isinstance(text, str) and "Infinity" in text:
            try:
                literals.document(text)
            except RefusedError as refused:
                raise refused.error() from None
        return text

    return WireType(
        name="json" if not isinstance(type_, postgresql.JSONB) else "jsonb",
        annotation=Any,
        read_annotation=Annotated[Any, WithJsonSchema(schema)],
        read=literals.document,
        literal=literals.document,
        bind=bind,
        render=sqlite_types.document if dialect.name == "sqlite" else None,
        is_open=True,
    )


def binary(type_: TypeEngine[Any], dialect: Dialect) -> WireType:
    """Bytes, in hexadecimal."""
    return simple(
        type_,
        dialect,
        name="bytea",
        schema={"type": "string", "format": "bytea", "examples": ["\\x48656c6c6f"]},
        read=literals.bytea,
        sqlite=sqlite_types.binary,
    )


def unknown(type_: TypeEngine[Any], dialect: Dialect) -> WireType:
    """A type that is not known here, as text."""
    name = str(getattr(type_, "__visit_name__", "text")).lower()
    return simple(
        type_,
        dialect,
        name="text" if name == "null" else name,
        schema={},
        read=literals.no_nul,
        native=Annotated[str, Strict()],
        sqlite=sqlite_types.anything,
    )


def named(type_: NamedType, dialect: Dialect) -> WireType:
    """A type that is known by its name alone: in goes the text of any JSON value, as PostgreSQL itself takes it."""
    return simple(type_, dialect, name=type_.spelling, schema={}, read=literals.no_nul, sqlite=sqlite_types.anything)


def untyped(type_: UntypedType, dialect: Dialect) -> WireType:
    """A column of SQLite without a type: numbers stay numbers, all else is text."""
    return simple(
        type_,
        dialect,
        name="text",
        schema={},
        read=literals.no_nul,
        native=Annotated[int, Strict()] | Annotated[float, Strict(), AllowInfNan(False)] | Annotated[str, Strict()],
        sqlite=sqlite_types.anything,
    )
