"""Tables with a column of every type."""

from __future__ import annotations

import enum
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Mood(enum.Enum):
    sad = 1
    ok = 2


class Size(enum.Enum):
    SMALL = "small size"
    LARGE = "large size"


class Tags(sa.types.TypeDecorator[list[str]]):
    """A list, stored as text between commas."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else ",".join(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> list[str] | None:
        return None if value is None else value.split(",")


class Cents(sa.types.TypeDecorator[Any]):
    """An amount, stored as a whole number of cents; the decorator does not say its Python type."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> int | None:
        return None if value is None else round(Decimal(str(value)) * 100)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> float | None:
        return None if value is None else value / 100


class Yesterday(sa.types.TypeDecorator[datetime]):
    """A moment, stored a day earlier: what it is given must be a datetime, both ways."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value - timedelta(days=1)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value + timedelta(days=1)


class Never(sa.types.TypeDecorator[str]):
    """Text that is never NULL in the database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str:
        return value or "nothing"


class Base(DeclarativeBase):
    pass


class Types(Base):
    __tablename__ = "types"

    id: Mapped[int] = mapped_column(primary_key=True)
    small: Mapped[int | None] = mapped_column(sa.SmallInteger)
    whole: Mapped[int | None]
    big: Mapped[int | None] = mapped_column(sa.BigInteger)
    double: Mapped[float | None] = mapped_column(sa.Double)
    floating: Mapped[float | None]
    single: Mapped[float | None] = mapped_column(sa.REAL)
    price: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 2))
    units: Mapped[Decimal | None] = mapped_column(sa.Numeric(10))
    exact: Mapped[Decimal | None] = mapped_column(sa.Numeric)
    inexact: Mapped[float | None] = mapped_column(sa.Numeric(10, 2, asdecimal=False))
    flag: Mapped[bool | None]
    text: Mapped[str | None] = mapped_column(sa.Text)
    short: Mapped[str | None] = mapped_column(sa.String(5))
    code: Mapped[str | None] = mapped_column(sa.CHAR(3))
    wide: Mapped[str | None] = mapped_column(sa.Unicode)
    day: Mapped[date | None]
    clock: Mapped[time | None]
    clock_utc: Mapped[time | None] = mapped_column(sa.Time(timezone=True))
    local: Mapped[datetime | None]
    moment: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    span: Mapped[timedelta | None]
    key: Mapped[UUID | None]
    key_text: Mapped[str | None] = mapped_column(sa.Uuid(as_uuid=False))
    key_char: Mapped[UUID | None] = mapped_column(sa.Uuid(native_uuid=False))
    mood: Mapped[Mood | None] = mapped_column(sa.Enum(Mood, name="mood"))
    size: Mapped[Size | None] = mapped_column(
        sa.Enum(Size, name="size", values_callable=lambda sizes: [size.value for size in sizes])
    )
    word: Mapped[str | None] = mapped_column(sa.Enum("yes", "no", name="word", native_enum=False))
    data: Mapped[Any | None] = mapped_column(sa.JSON)
    dataset: Mapped[Any | None] = mapped_column(sa.JSON().with_variant(postgresql.JSONB(), "postgresql"))
    blob: Mapped[bytes | None]
    tags: Mapped[list[str] | None] = mapped_column(Tags)
    cents: Mapped[Any | None] = mapped_column(Cents)
    tomorrow: Mapped[datetime | None] = mapped_column(Yesterday)
    never: Mapped[str | None] = mapped_column(Never)


class ArrayBase(DeclarativeBase):
    pass


class Arrays(ArrayBase):
    __tablename__ = "arrays"

    id: Mapped[int] = mapped_column(primary_key=True)
    whole: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.Integer, dimensions=1))
    grid: Mapped[list[list[int]] | None] = mapped_column(postgresql.ARRAY(sa.Integer))
    texts: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(sa.Text))
    moods: Mapped[list[Mood] | None] = mapped_column(postgresql.ARRAY(sa.Enum(Mood, name="mood")))
    moments: Mapped[list[datetime] | None] = mapped_column(postgresql.ARRAY(sa.DateTime(timezone=True)))
    span: Mapped[Any | None] = mapped_column(postgresql.INT4RANGE)
    moment_span: Mapped[Any | None] = mapped_column(postgresql.TSTZRANGE)
    address: Mapped[Any | None] = mapped_column(postgresql.INET)
