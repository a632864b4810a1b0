"""Functions of the program, over one of the club's databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import TypedDict

from rowserve import ApiError, Database, Functions
from rowserve.sessions import AsyncReadSession

from .models import Hut, Person, Region, Rental


class Total(TypedDict):
    """A region, and what there is to say of its huts."""

    region: str
    huts: int
    dearest: Decimal | None


def functions_of(database: Database) -> Functions:
    """The club's functions over a database."""
    rpc = Functions(database)
    reading: Any = database.read_session
    writing: Any = database.session

    @rpc.function
    async def add(a: int, b: int = 10) -> int:
        return a + b

    @rpc.function
    async def greet(name: str, born: date | None = None, titles: Sequence[str] = ()) -> dict[str, Any]:
        return {"hello": " ".join([*titles, name]), "born": born}

    @rpc.function
    async def members(mood: str, session: AsyncReadSession = reading) -> Sequence[Person]:
        return (await session.scalars(select(Person).where(Person.mood == mood))).all()

    @rpc.function
    async def member(id: int, session: AsyncReadSession = reading) -> Person | None:  # noqa: A002  # a name on the wire
        return await session.get(Person, id)

    @rpc.function
    async def moods(session: AsyncReadSession = reading) -> list[str]:
        moods = select(Person.mood).where(Person.mood.is_not(None)).distinct().order_by(Person.mood)
        return [str(mood) for mood in await session.scalars(moods)]

    @rpc.function
    async def totals(session: AsyncReadSession = reading) -> list[Total]:
        huts = select(Region.name, func.count(Hut.id), func.max(Hut.fee)).join(Hut, isouter=True).group_by(Region.id)
        return [
            {"region": name, "huts": count, "dearest": dearest}
            for name, count, dearest in await session.execute(huts.order_by(Region.id))
        ]

    @rpc.function
    async def rent(gear_id: int, person_id: int, fail: bool = False, session: AsyncSession = writing) -> Rental:
        rental = Rental(gear_id=gear_id, person_id=person_id)
        session.add(rental)
        await session.flush()
        if fail:
            raise ApiError(402, "PAY", "It has to be paid for first", hint="With money.")
        return rental

    @rpc.function
    async def forget() -> None:
        """Nothing at all."""

    return rpc
