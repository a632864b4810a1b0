"""The club's rows, by table and in an order in which they may be inserted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .models import (
    Base,
    Booking,
    Gear,
    Hike,
    Hut,
    Participant,
    Passport,
    Person,
    PersonSkill,
    Region,
    Rental,
    Skill,
    Trail,
)


def rows(names: str, *values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """A dictionary for each tuple of values."""
    return [dict(zip(names.split(), each, strict=True)) for each in values]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def serial(number: int) -> UUID:
    return UUID(f"a0000000-0000-4000-8000-{number:012d}")


PEAKS: tuple[dict[str, Any], ...] = (
    {"peak": {"name": "Mont Blanc", "height": 4806}, "languages": ["fr", "it", "de"], "open": True},
    {"peak": {"name": "Galdhøpiggen", "height": 2469}, "languages": ["no"], "open": True},
    {"peak": {"name": "Gerlach", "height": 2655}, "languages": ["sk", "pl"], "open": False},
    {"languages": [], "note": None},
)

REGIONS = rows(
    "id name area visitors coastal founded about",
    (1, "Alps", Decimal("190700.50"), 9_007_199_254_740_993, False, date(1864, 11, 10), PEAKS[0]),
    (2, "Fjordland", Decimal("12500.00"), 600_000, True, date(1952, 2, 20), PEAKS[1]),
    (3, "Tatra", Decimal("785.00"), 4_000_000, False, date(1949, 1, 1), PEAKS[2]),
    (4, "Åland coast", Decimal("1580.99"), None, True, None, PEAKS[3]),
    (5, "Nowhere", None, 0, None, None, None),
)

NEW_YEAR, TWOS = utc("2020-01-01T00:00:00"), utc("2022-02-22T22:22:22")
PEOPLE = rows(
    "id name email born height active mood joined mentor_id region_id",
    (1, "Ada Ek", "ada@example.org", date(1980, 5, 17), 1.68, True, "calm", utc("2019-03-01T08:00:00"), None, 1),
    (2, "Björn Öst", "bjorn@example.org", date(1975, 12, 31), 1.91, True, "keen", utc("2018-06-15T12:30:00"), 1, 2),
    (3, 'Chiara "Ci" Neri', "chiara@example.net", date(1990, 2, 28), 1.72, True, "tired", NEW_YEAR, 1, 1),
    (4, "Dário Luz", None, date(1990, 2, 28), None, False, None, NEW_YEAR, 2, 4),
    (5, "Nová, Eva", "eva@example.org", date(2001, 7, 7), 1.72, True, "keen", utc("2021-09-09T09:09:09.500"), 3, 3),
    (6, "李雷", "li@example.cn", date(1999, 9, 9), 1.8, True, "calm", None, None, None),
    (7, "Zoë O'Hara", "zoe@example.org", None, 1.6, False, "tired", TWOS, 6, 4),
    (8, "adam", "adam@example.net", date(1980, 5, 17), 1.72, True, "calm", TWOS, 2, 2),
    (9, "100%_sure", None, None, None, True, None, None, None, None),
    (10, "Jo (Joanna)", "jo@example.net", date(1985, 1, 15), 1.65, True, "keen", utc("2017-07-01T06:00:00"), None, 3),
)

PASSPORTS = rows(
    "person_id number issued",
    (1, serial(1), datetime(2015, 1, 1, 10)),
    (2, serial(2), datetime(2016, 6, 6, 6, 6, 6, 123456)),
    (3, serial(3), None),
    (5, serial(5), datetime(2015, 1, 1, 10)),
    (10, serial(10), datetime(1999, 12, 31, 23, 59, 59)),
)

HUTS = rows(
    "id name region_id keeper_id founder_id altitude fee",
    (1, "Cabane du Lac", 1, 1, 2, 2400, Decimal("35.00")),
    (2, "Rifugio Stella", 1, 3, 3, 2750, Decimal("42.50")),
    (3, "Fjellstua", 2, 2, None, 980, Decimal("30.00")),
    (4, "Skålatårnet", 2, 2, 1, 1848, Decimal("0.00")),
    (5, "Chata pri plese", 3, 5, 10, 1494, Decimal("18.90")),
    (6, "Zbojnícka", 3, None, None, 1960, Decimal("18.90")),
    (7, "Båk", 4, 7, 7, None, Decimal("12.50")),
    (8, "hut eight", 1, 1, None, 2400, Decimal("35.00")),
)

TRAILS = rows(
    "region_id number name length level",
    (1, 1, "Lake loop", 5.5, "easy"),
    (1, 2, "Ridge", 14.25, "hard"),
    (1, 3, "Glacier walk", 9.0, "hard"),
    (2, 1, "Waterfall", 3.2, "easy"),
    (2, 2, "Fjord view", 11.0, "medium"),
    (3, 1, "Morskie Oko", 8.6, "easy"),
    (3, 2, "Rysy", 10.4, "hard"),
    (4, 1, "Boardwalk", 1.1, "easy"),
    (4, 2, "Lighthouse", 2.2, None),
)


def weather(sky: str, temp: float, speed: int) -> dict[str, Any]:
    return {"sky": sky, "temp": temp, "wind": {"speed": speed}}


HIKES = rows(
    "id region_id trail_number leader_id started rating note weather",
    (1, 1, 1, 1, utc("2023-07-01T06:00"), 5, "clear and cold", weather("clear", 12.5, 3)),
    (2, 1, 2, 1, utc("2023-07-02T05:30"), 4, "long ridge in the fog", weather("fog", 7, 8)),
    (3, 1, 2, 3, utc("2023-07-15T05:00"), 4, None, weather("clear", 15, 1)),
    (4, 1, 3, 3, utc("2023-08-01T04:00"), None, "turned back", weather("snow", -4, 22)),
    (5, 2, 1, 2, utc("2023-06-10T09:00"), 3, "Rain, rain, rain", weather("rain", 9, 5)),
    (6, 2, 2, 2, utc("2023-06-11T09:00"), 5, "fjord like glass", weather("clear", 18, 0)),
    (7, 3, 1, 5, utc("2023-09-01T07:00"), 4, None, None),
    (8, 3, 2, 10, utc("2023-09-02T03:45"), 5, "snow in September", weather("snow", 0, 12)),
    (9, 3, 2, None, None, None, None, None),
    (10, 4, 1, 7, utc("2024-01-01T12:00"), 1, "too short", {"sky": "cloud", "temp": 2}),
    (11, 4, 2, 7, utc("2024-01-02T12:00"), None, "lamp lit", {"sky": "clear", "temp": -1, "wind": None}),
    (12, 4, 2, 4, utc("2024-02-29T12:00"), 3, "Leap day", weather("cloud", 4, 9)),
)

GUIDES = ((1, 1), (2, 1), (3, 3), (4, 3), (5, 2), (6, 2), (7, 5), (8, 10), (10, 7), (12, 4))
GUESTS = (
    (1, 2, "10.00"), (1, 3, "10.00"), (1, 8, None), (2, 3, "20.50"), (3, 1, "20.50"), (3, 5, "20.50"), (4, 6, "30.00"),
    (5, 8, "5.00"), (6, 8, "15.00"), (6, 10, "15.00"), (6, 4, None), (7, 10, "8.00"), (8, 5, "12.25"), (10, 4, "3.00"),
    (12, 7, "9.99"),
)  # fmt: skip
PARTICIPANTS = rows(
    "hike_id person_id role paid",
    *((hike, person, "guide", Decimal("0.00")) for hike, person in GUIDES),
    *((hike, person, "guest", None if paid is None else Decimal(paid)) for hike, person, paid in GUESTS),
)

SKILLS = [
    {"id": number, "name": name, "short name": short}
    for number, name, short in (
        (1, "Map reading", "map"),
        (2, "First aid", "aid"),
        (3, "Rope work", "rope"),
        (4, "Cooking", None),
        (5, "Singing", "sing"),
    )
]

PEOPLE_SKILLS = rows(
    "person_id skill_id level",
    *((1, 1, 5), (1, 2, 4), (2, 3, 5), (3, 1, 3), (3, 2, 3), (3, 3, 3), (5, 4, 2), (7, 2, 1), (10, 1, 2), (10, 4, 5)),
)

GEAR = rows(
    "id code name price stock active kind group weight big made checked added serial data",
    (1, "R1", "Rope 60 m", Decimal("149.90"), 4, True, "rope", "climbing", 3.9, 2**53 + 1, date(2020, 2, 29), None,
     utc("2021-01-01T00:00"), serial(1), {"colour": "red", "length": 60}),
    (2, "R2", "Rope 30 m", Decimal("79.00"), 0, True, "rope", "climbing", 2.05, None, date(2021, 3, 1), None, None,
     serial(2), {"colour": "blue", "length": 30}),
    (3, "T1", "Tent, two people", Decimal("399.00"), 2, True, "tent", "camping", 2.5, -1, None,
     datetime(2022, 5, 6, 7, 8, 9), utc("2022-01-01T00:00"), None, {"poles": [1, 2, {"x": None}]}),
    (4, "T2", "Tent \"Nallo\"", Decimal("450.50"), 1, False, "tent", None, None, None, None, None, None, None, None),
    (5, "S1", "Stove", Decimal("59.95"), 10, True, "stove", "camping", 0.4, 0, date(2019, 12, 24), None, None, None,
        []),
    (6, "X1", "Ice axe (ősz)", Decimal("0.00"), 7, True, None, None, None, None, None, None, None, None, "steel"),
)  # fmt: skip

RENTALS = rows("gear_id person_id days note", (1, 1, 14, None), (1, 2, 7, "wet"), (3, 5, 3, None), (5, 1, 14, "no gas"))

BOOKINGS = rows(
    "id hut_id night guest beds",
    (1, 1, date(2024, 7, 1), "Ada", 2),
    (2, 1, date(2024, 7, 2), "Ada", 2),
    (3, 2, date(2024, 7, 1), "Li", 1),
    (4, 4, date(2024, 7, 1), "Zoë", 4),
    (5, 5, date(2024, 8, 1), "Li", 1),
)

DATA: tuple[tuple[type[Base], list[dict[str, Any]]], ...] = (
    (Region, REGIONS),
    (Person, PEOPLE),
    (Passport, PASSPORTS),
    (Hut, HUTS),
    (Trail, TRAILS),
    (Hike, HIKES),
    (Participant, PARTICIPANTS),
    (Skill, SKILLS),
    (PersonSkill, PEOPLE_SKILLS),
    (Gear, GEAR),
    (Rental, RENTALS),
    (Booking, BOOKINGS),
)
