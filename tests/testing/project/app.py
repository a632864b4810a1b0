"""The application of a user: authors and their books."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Context, Database, ReadSession, Resource, Session


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id", deferrable=True, initially="DEFERRED"))


db = Database(pool_size=2, timeout=3.0)
app = FastAPI(lifespan=db.lifespan)
app.include_router(Resource(Author))
app.include_router(Resource(Book))


class Hooked(Resource[Author]):
    """Authors that a hook is told of."""

    prefix = "/hooked"

    async def after_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        """Has nothing to do."""


app.include_router(Hooked())
welcomed: list[str] = []


async def welcome(name: str) -> None:
    await asyncio.sleep(0.01)
    welcomed.append(name)


@app.post("/welcome", status_code=201)
async def join(name: str, session: Session) -> None:
    session.add(Author(name=name))
    db.after_commit(session, welcome, name)


@app.post("/signup", status_code=201)
async def signup(name: str, session: Session) -> int:
    author = Author(name=name)
    session.add(author)
    await session.commit()
    return author.id


@app.post("/careful", status_code=201)
async def careful(name: str, session: Session) -> bool:
    """Adds an author, and another one that there may be already."""
    session.add(Author(name=name))
    await session.flush()
    nested = await session.begin_nested()
    session.add(Author(name="Ada"))
    try:
        await session.flush()
    except Exception:
        await nested.rollback()
        return False
    return True


@app.post("/regretful")
async def regretful(name: str, session: Session) -> None:
    session.add(Author(name=name))
    await session.flush()
    await session.rollback()


@app.post("/orphan")
async def orphan(session: Session) -> None:
    """Adds a book whose author there is not: only the commit finds that out."""
    session.add(Book(title="Anonymous", author_id=4711))
    await session.flush()


@app.get("/slowly")
async def one_by_one(session: Session) -> list[str]:
    """As many queries as there are authors, and one."""
    names = []
    for key in (await session.scalars(select(Author.id).order_by(Author.id))).all():
        author = await session.get(Author, key)
        assert author is not None
        names.append(author.name)
    return names


@app.get("/names")
async def names(session: ReadSession) -> list[str]:
    return list((await session.scalars(select(Author.name).order_by(Author.id))).all())
