"""A mountain club: its regions, people, huts, trails and hikes, and the gear that it lends."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Numeric,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Money = Numeric(10, 2)
Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Zoned = DateTime(timezone=True)


class Base(DeclarativeBase):
    """The club's models."""

    type_annotation_map = {str: Text(), float: Double(), Decimal: Money, datetime: DateTime()}  # noqa: RUF012


class Region(Base):
    """Where there are mountains. A column of nearly every type, all but the name with NULLs."""

    __tablename__ = "regions"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    area: Mapped[Decimal | None]
    visitors: Mapped[int | None] = mapped_column(BigInteger)
    coastal: Mapped[bool | None]
    founded: Mapped[date | None]
    about: Mapped[Any] = mapped_column(Document, nullable=True)


class Person(Base):
    """A member; some have a mentor, who is a member too."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    born: Mapped[date | None]
    height: Mapped[float | None]
    active: Mapped[bool] = mapped_column(server_default=true())
    mood: Mapped[str | None] = mapped_column(Enum("calm", "keen", "tired", name="mood", native_enum=False))
    joined: Mapped[datetime | None] = mapped_column(Zoned)
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"))


class Passport(Base):
    """At the most one for each person: one-to-one."""

    __tablename__ = "passports"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    number: Mapped[UUID] = mapped_column(unique=True)
    issued: Mapped[datetime | None]


class Hut(Base):
    """A hut has a keeper and a founder: two foreign keys to one table."""

    __tablename__ = "huts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    keeper_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", name="huts_keeper_fkey"))
    founder_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", name="huts_founder_fkey"))
    altitude: Mapped[int | None]
    fee: Mapped[Decimal] = mapped_column(server_default=text("12.50"))


class Trail(Base):
    """Numbered in each region: a composite primary key."""

    __tablename__ = "trails"
    __table_args__ = (CheckConstraint("length > 0", name="trails_length_check"),)

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    length: Mapped[float]
    level: Mapped[str | None] = mapped_column(Enum("easy", "medium", "hard", name="level", native_enum=False))


class Hike(Base):
    """A walk on a trail, which it refers to by two columns."""

    __tablename__ = "hikes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "trail_number"], ["trails.region_id", "trails.number"], name="hikes_trail_fkey"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    region_id: Mapped[int]
    trail_number: Mapped[int]
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    started: Mapped[datetime | None] = mapped_column(Zoned)
    rating: Mapped[int | None]
    note: Mapped[str | None]
    weather: Mapped[Any] = mapped_column(Document, nullable=True)


class Participant(Base):
    """Who was on a hike: many-to-many, beside the hike's own reference to its leader."""

    __tablename__ = "participants"

    hike_id: Mapped[int] = mapped_column(ForeignKey("hikes.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(server_default="guest")
    paid: Mapped[Decimal | None]


class Skill(Base):
    """What people can do; a column with a blank in its name."""

    __tablename__ = "skills"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    short: Mapped[str | None] = mapped_column("short name")


class PersonSkill(Base):
    """Who can do what: many-to-many."""

    __tablename__ = "people_skills"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id"), primary_key=True, autoincrement=False)
    level: Mapped[int]


class Incident(Base):
    """There have been none."""

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    hike_id: Mapped[int] = mapped_column(ForeignKey("hikes.id"))
    report: Mapped[str]


class Gear(Base):
    """What is written to: defaults, a unique key, a check, and every type."""

    __tablename__ = "gear"
    __table_args__ = (CheckConstraint("stock >= 0", name="gear_stock_check"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    price: Mapped[Decimal] = mapped_column(server_default=text("9.99"))
    stock: Mapped[int] = mapped_column(server_default=text("0"))
    active: Mapped[bool] = mapped_column(server_default=true())
    kind: Mapped[str | None] = mapped_column(Enum("rope", "tent", "stove", name="kind", native_enum=False))
    group: Mapped[str | None]
    weight: Mapped[float | None]
    big: Mapped[int | None] = mapped_column(BigInteger)
    made: Mapped[date | None]
    checked: Mapped[datetime | None]
    added: Mapped[datetime | None] = mapped_column(Zoned)
    serial: Mapped[UUID | None]
    data: Mapped[Any] = mapped_column(Document, nullable=True)


class Rental(Base):
    """Who has which gear: written to by a composite key."""

    __tablename__ = "rentals"

    gear_id: Mapped[int] = mapped_column(ForeignKey("gear.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    days: Mapped[int] = mapped_column(server_default=text("14"))
    note: Mapped[str | None]


class Booking(Base):
    """A night in a hut: unique by two columns that are not its primary key."""

    __tablename__ = "bookings"
    __table_args__ = (UniqueConstraint("hut_id", "night", name="bookings_night_key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    hut_id: Mapped[int] = mapped_column(ForeignKey("huts.id"))
    night: Mapped[date]
    guest: Mapped[str]
    beds: Mapped[int] = mapped_column(server_default=text("1"))


MODELS: tuple[type[Base], ...] = (
    Region, Person, Passport, Hut, Trail, Hike, Participant, Skill, PersonSkill, Incident, Gear, Rental, Booking,
)  # fmt: skip
