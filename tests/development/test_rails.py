"""Guard rails while developing: each names the line of the application that it is about."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient

from rowserve.development import GuardRails
from tests.processes import Served, eventually

pytestmark = pytest.mark.anyio

APP = """
import asyncio
import sys
import threading
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from rowserve import Database, ReadSession, Resource, Session


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    story: Mapped[str] = mapped_column(default="", deferred=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")


db = Database()
told = asyncio.Event()
told_threads = threading.Event()


@asynccontextmanager
async def lifespan(app):
    async with db:
        await db.create_tables(Base)
        async with db.begin() as session:
            if not await session.scalar(select(func.count()).select_from(Author)):
                for number in range(1, 16):
                    session.add(Author(id=number, name="a", books=[Book(id=number)]))
        yield


app = FastAPI(lifespan=lifespan)
app.include_router(Resource(Author))


@app.get("/blocking")
async def blocking() -> None:
    told_threads.wait(10)  # line: blocking


async def elsewhere() -> None:
    await asyncio.wait_for(told.wait(), 10)


@app.get("/held")
async def held(session: Session) -> None:
    await session.scalar(select(func.count()).select_from(Author))
    await asyncio.gather(elsewhere())  # line: held


@app.get("/held/reading")
async def held_reading(session: ReadSession) -> None:
    await session.scalar(select(func.count()).select_from(Author))
    await asyncio.wait_for(told.wait(), 10)  # line: held reading


@app.get("/lazy/{id}")
async def lazy(id: int, session: Session, options: bool = False) -> int:
    query = select(Author).where(Author.id == id)
    author = await session.scalar(query.options(selectinload(Author.books)) if options else query)
    return len(author.books)  # line: lazy


@app.get("/deferred/{id}")
async def not_loaded(id: int, session: Session) -> str:
    author = await session.scalar(select(Author).where(Author.id == id))
    return author.story  # line: deferred


class AuthorRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    books: list[Any]


@app.get("/answered/{id}")
async def answered(id: int, session: Session) -> AuthorRead:  # line: answered
    return await session.get_one(Author, id)


async def author_of(session, book):
    return await session.scalar(select(Author).where(Author.id == book.author_id))  # line: repeated


@app.get("/repeated")
async def repeated(session: Session, limit: int) -> int:
    books = list(await session.scalars(select(Book).order_by(Book.id).limit(limit)))
    return len([await author_of(session, book) for book in books])


@app.get("/unawaited")
async def unawaited(session: Session) -> None:
    session.execute(select(Author))  # line: unawaited


HEAVY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT count(*) FROM n"


@app.get("/slow")
async def slow(session: Session) -> None:
    await session.scalar(select(func.count()).select_from(Author))
    await session.scalar(text(HEAVY if db.url.get_backend_name() == "sqlite" else "SELECT 1 FROM pg_sleep(0.4)"))


class Passing:
    # On the way of each request, and not what any of them waits for.

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        await self.app(scope, receive, send)


app.add_middleware(Passing)


async def counted(session: Session) -> int:
    return await session.scalar(select(func.count()).select_from(Author))


def on_a_thread(count: Annotated[int, Depends(counted)]) -> int:
    told_threads.wait(0.4)
    return count


@app.get("/threads")
async def threads(count: Annotated[int, Depends(on_a_thread)], session: Session) -> int:
    return count


@app.get("/good")
async def good(session: Session) -> bool:
    await session.scalar(select(Author).limit(1))
    await session.commit()
    for _ in range(4):
        await asyncio.sleep(0.06)
    await session.scalar(select(Author).limit(1))
    return "rowserve.development" in sys.modules
"""
LINES = {line.partition("# line: ")[2]: number for number, line in enumerate(APP.splitlines(), 1) if "# line: " in line}


class Log(logging.Handler):
    """What has been told; whoever waits for that in the application goes on."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module
        self.loop = asyncio.get_running_loop()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert record.levelno == logging.WARNING
        self.messages.append(record.getMessage())
        self.module.told_threads.set()
        self.loop.call_soon_threadsafe(self.module.told.set)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "library.py"
    path.write_text(APP)
    return path


@pytest.fixture
def module(file: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABASE_URL", database_url)
    specification = importlib.util.spec_from_file_location("library", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "library", module)
    specification.loader.exec_module(module)
    return module


@asynccontextmanager
async def guarded(module: Any) -> AsyncIterator[tuple[AsyncClient, list[str]]]:
    """A client of the application between guard rails, and what they have told so far."""
    rails, log = GuardRails(module.app), Log(module)
    logger = logging.getLogger("rowserve.development")
    logger.addHandler(log)
    transport = ASGITransport(app=rails, raise_app_exceptions=False)
    try:
        async with (
            module.app.router.lifespan_context(module.app),
            AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            yield client, log.messages
    finally:
        rails.stop()
        logger.removeHandler(log)


@pytest.mark.parametrize(
    ("path", "line", "words"),
    [
        ("/blocking", "blocking", "in blocking: this has kept the event loop"),
        ("/held", "held", "in held: a session is in its transaction"),
        ("/held/reading", "held reading", "in held_reading: a session is in its transaction"),
        ("/lazy/1", "lazy", "in lazy: Author.books is not loaded"),
        ("/lazy/1", "lazy", ".options(selectinload(Author.books))`, or `await session.refresh(…, [\"books\"])`"),
        ("/deferred/1", "deferred", "in not_loaded: Author.story is not loaded"),
        ("/answered/1", "answered", "in answered: Author.books is not loaded"),
        ("/repeated?limit=15", "repeated", "in author_of: this line has run the same query more than 10 times"),
        ("/unawaited", "unawaited", "AsyncSession.execute() was never awaited"),
    ],
)  # fmt: skip
async def test_the_line_is_named_once(module: Any, file: Path, path: str, line: str, words: str) -> None:
    async with guarded(module) as (client, messages):
        for _ in range(2):
            answer = await client.get(path)
            assert answer.status_code == (500 if line in ("lazy", "deferred", "answered") else 200)
    (message,) = messages
    assert message.startswith(f"{file}:{LINES[line]}, in ")
    assert words in message
    assert f"# line: {line}" in message


async def test_what_is_well_done_is_not_told_of(module: Any) -> None:
    async with guarded(module) as (client, messages):
        for path in (
            "/good",
            "/slow",
            "/threads",
            "/lazy/1?options=true",
            "/repeated?limit=10",
            "/authors",
            "/authors/1",
        ):
            assert (await client.get(path)).status_code == 200
        assert (await client.patch("/authors/1", json={"name": "b"})).status_code == 200
    assert messages == []


def test_reload_puts_them_up_and_nothing_else_does(file: Path, tmp_path: Path, sqlite_url: str) -> None:
    with Served("library:app", "--reload", database=sqlite_url, cwd=tmp_path) as server:
        assert server.client.get("/good").json() is True
        assert server.client.get("/unawaited").status_code == 200
        eventually(lambda: f"library.py:{LINES['unawaited']}, in unawaited: " in server.output)
        assert server.client.get("/lazy/1").status_code == 500
        eventually(lambda: f"library.py:{LINES['lazy']}: Author.books is not loaded" in server.output)
    with Served("library:app", database=sqlite_url, cwd=tmp_path) as server:
        assert server.client.get("/good").json() is False
        assert server.client.get("/unawaited").status_code == 200
