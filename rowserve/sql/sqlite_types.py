"""SQL expressions that make SQLite write a column's JSON as PostgreSQL would.

Rows may have been written by other programs: what is not stored as SQLAlchemy stores it passes as it is, it never
fails the whole answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_, type_coerce
from sqlalchemy.types import NullType

Expression = ColumnElement[Any]


def _plain(expression: Expression) -> Expression:
    """The expression without its type, whose operators may be a user's own and whose literals would be converted."""
    return type_coerce(expression, NullType())


def _sql(text: str) -> Expression:
    # Constants stand in the text: the statement's bind parameters are the values of the request, and only those.
    return literal_column(text, NullType())


def _is_text(x: Expression) -> ColumnElement[bool]:
    return func.typeof(x) == _sql("'text'")


def boolean(column: Expression) -> Expression:
    """``true`` and ``false`` for 1 and 0."""
    x = _plain(column)
    return case((x == _sql("1"), func.json(_sql("'true'"))), (x == _sql("0"), func.json(_sql("'false'"))), else_=x)


def number(column: Expression) -> Expression:
    """A float, in digits that are read back as the same float.

    SQLite's own JSON has 15 digits; 17 always suffice in theory and 18 with the rounding of SQLite's printf. A number
    with up to four decimals is left as it is: below 1e11 those 15 digits are proof against SQLite's rounding.
    """
    x = _plain(column)
    short = and_(func.abs(x) < _sql("1e11"), func.round(x, _sql("4")) == x)
    return case(
        (func.typeof(x) != _sql("'real'"), x),
        (short, x),
        (x == _sql("9e999"), _sql("'Infinity'")),
        (x == _sql("-9e999"), _sql("'-Infinity'")),
        else_=func.json(func.printf(_sql("'%!.18g'"), x)),
    )


def decimal(scale: int) -> Callable[[Expression], Expression]:
    """A number with ``scale`` decimals."""
    pattern = _sql(f"'%.{int(scale)}f'")

    def render(column: Expression) -> Expression:
        x = _plain(column)
        written = func.json(func.printf(pattern, x))
        return case(
            (_sql("'integer'"), written),
            (_sql("'real'"), case((func.abs(x) < _sql("9e999"), written), else_=number(x))),
            value=func.typeof(x),
            else_=x,
        )

    return render


def padded(length: int) -> Callable[[Expression], Expression]:
    """Text filled up with blanks to ``length`` characters."""
    blanks = _sql(f"'{' ' * int(length)}'")

    def render(column: Expression) -> Expression:
        x = _plain(column)
        longest = func.max(func.length(x), _sql(str(int(length))))
        return case((_is_text(x), func.substr(x.op("||")(blanks), _sql("1"), longest)), else_=x)

    return render


def _trimmed(x: Expression) -> Expression:
    """Text without the zeros at the end of its fraction."""
    short = func.rtrim(func.rtrim(x, _sql("'0'")), _sql("'.'"))
    return case((func.instr(x, _sql("'.'")) > _sql("0"), short), else_=x)


def _zoned(x: Expression, start: int) -> ColumnElement[bool]:
    """Whether a time of day that ends at ``start`` has an offset behind it."""
    return func.substr(x, _sql(str(start))).op("GLOB")(_sql("'*[Zz+-]*'"))


def _moment(x: Expression) -> Expression:
    day = func.length(x) == _sql("10")
    return case(
        (day, x.op("||")(_sql("'T00:00:00'"))),
        else_=_trimmed(func.replace(x, _sql("' '"), _sql("'T'"))),
    )


_USUAL = "'????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]'"


def _usual(x: Expression) -> tuple[ColumnElement[bool], Expression]:
    """The test for the form that SQLAlchemy writes, first for speed, and its output."""
    short = func.rtrim(func.rtrim(x, _sql("'0'")), _sql("'.'"))
    return x.op("GLOB", is_comparison=True)(_sql(_USUAL)), func.replace(short, _sql("' '"), _sql("'T'"))


def timestamp(column: Expression) -> Expression:
    """``2026-01-02T03:04:05.123`` for ``2026-01-02 03:04:05.123000``."""
    x = _plain(column)
    return case(_usual(x), (_is_text(x), _moment(x)), else_=x)


def timestamptz(column: Expression) -> Expression:
    """``2026-01-02T03:04:05+00:00``: SQLite holds it in UTC, without an offset."""
    x = _plain(column)
    is_usual, usual = _usual(x)
    return case(
        (is_usual, usual.op("||")(_sql("'+00:00'"))),
        (or_(~_is_text(x), x.is_(None)), x),
        (_zoned(x, 20), func.replace(x, _sql("' '"), _sql("'T'"))),
        else_=_moment(x).op("||")(_sql("'+00:00'")),
    )


def clock_time(column: Expression) -> Expression:
    """``03:04:05.123`` for ``03:04:05.123000``."""
    x = _plain(column)
    return case((_is_text(x), _trimmed(x)), else_=x)


def timetz(column: Expression) -> Expression:
    """``03:04:05+00``: SQLite holds it in UTC, without an offset."""
    x = _plain(column)
    return case(
        (or_(~_is_text(x), x.is_(None), _zoned(x, 9)), x),
        else_=_trimmed(x).op("||")(_sql("'+00'")),
    )


def interval(column: Expression) -> Expression:
    """``-1 days +23:00:00`` for ``1969-12-31 23:00:00.000000``, the moment that far from the epoch."""
    x = _plain(column)
    days = func.julianday(func.substr(x, _sql("1"), _sql("10"))) - _sql("2440587.5")
    clock = _trimmed(func.substr(x, _sql("12")))
    midnight = func.substr(x, _sql("12")).op("GLOB")(_sql("'00:00:00*'")) & ~func.substr(x, _sql("20")).op("GLOB")(
        _sql("'*[1-9]*'")
    )
    count = func.printf(case((days == _sql("1"), _sql("'%d day'")), else_=_sql("'%d days'")), days)
    sign = case((days < _sql("0"), _sql("' +'")), else_=_sql("' '"))
    stored = x.op("GLOB")(_sql("'????-??-?? ??:??:??*'"))
    return case(
        (or_(x.is_(None), ~stored), x),
        (days == _sql("0"), clock),
        (midnight, count),
        else_=count.op("||")(sign).op("||")(clock),
    )


_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def uuid(column: Expression) -> Expression:
    """The 32 digits that SQLAlchemy stores, with their hyphens."""
    x = _plain(column)
    groups = [func.substr(x, _sql(str(start)), _sql(str(size))) for start, size in _GROUPS]
    return case((func.length(x) == _sql("32"), func.printf(_sql("'%s-%s-%s-%s-%s'"), *groups)), else_=x)


def document(column: Expression) -> Expression:
    """JSON as JSON; a text that is none as a string."""
    x = _plain(column)
    # A JSON column's affinity makes a number of a document that is one, and SQLite writes a float in 15 digits.
    return case(
        (func.typeof(x) == _sql("'real'"), number(x)),
        (func.json_valid(x) == _sql("1"), func.json(x)),
        else_=anything(x),
    )


def _hex(x: Expression) -> Expression:
    return _sql("'\\x'").op("||")(func.lower(func.hex(x)))


def binary(column: Expression) -> Expression:
    r"""``\x48656c`` for bytes."""
    x = _plain(column)
    # Not IS NOT NULL: in a RETURNING clause, SQLite 3.40 takes that for true of a column that was not written.
    return case((func.typeof(x) != _sql("'null'"), _hex(x)))


def anything(column: Expression) -> Expression:
    """A column of no known type: bytes in hexadecimal, for SQLite's JSON cannot hold them, all else as it is."""
    x = _plain(column)
    return case((func.typeof(x) == _sql("'blob'"), _hex(x)), else_=x)
