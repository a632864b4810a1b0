"""``rowserve serve models.py``: the functions of the file, beside its models."""

from __future__ import annotations

from pathlib import Path

from tests.helpers import refusal
from tests.processes import Served

MODELS = """
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Functions, ReadSession, Session


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


rpc = Functions()


@rpc.function
async def add_books(session: Session, titles: list[str]) -> list[Book]:
    books = [Book(title=title) for title in titles]
    session.add_all(books)
    await session.flush()
    return books


@rpc.function
async def longest(session: ReadSession) -> list[Book]:
    return list(await session.scalars(select(Book)))
"""


def test_functions_of_a_file(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    options = ("models.py", "--prefix", "/api", "--max-rows", "2")
    with Served(*options, database=database_url, cwd=tmp_path) as server:
        client = server.client
        answer = client.post("/api/rpc/add_books?select=title", json={"titles": ["a", "b"]})
        assert (answer.status_code, answer.json()) == (200, [{"title": "a"}, {"title": "b"}])
        assert client.post("/api/rpc/add_books", json={"titles": ["c"]}).json() == [{"id": 3, "title": "c"}]
        assert client.get("/api/rpc/longest?order=title.desc").json() == [
            {"id": 3, "title": "c"},
            {"id": 2, "title": "b"},
        ]
        assert refusal(client.get("/api/rpc/shortest")) == (404, "PGRST202")
        assert refusal(client.get("/api/rpc/shortest/1")) == (404, "PGRST125")
        assert "/api/rpc/longest" in client.get("/openapi.json").json()["paths"]
