"""Clients of the applications that most tests are about."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from rowserve import Database, Resource
from rowserve.users import Base as UsersBase
from rowserve.users import User
from tests.helpers import application, client_of

from .market import MARKET
from .market import Base as MarketBase
from .models import Author, Base, Book, Loan, Score

# A resource takes milliseconds to make, and serves one database after the other.
USERS = Resource(User)
LIBRARY = (Resource(Author), Resource(Book), Resource(Loan), Resource(Score))


@pytest.fixture
async def users(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of the lesson's users, of whom there are none yet."""
    async with client_of(application(Database(database_url), UsersBase, USERS)) as client:
        yield client


@pytest.fixture
async def library(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of the library: three authors, four books, one loan."""
    async with client_of(application(Database(database_url), Base, *LIBRARY)) as client:
        authors = [
            {"name": "Ada", "born": "1815-12-10"},
            {"name": "Grace", "born": "1906-12-09"},
            {"name": "Anonymous", "born": None},
        ]
        books = [
            {"title": "Notes", "author_id": 1, "pages": 66, "lent": True},
            {"title": "Poetical Science", "author_id": 1, "pages": None, "lent": False},
            {"title": "The Compiler", "author_id": 2, "pages": 240, "lent": False},
            {"title": "100% Nanoseconds", "author_id": 2, "pages": 12, "lent": False},
        ]
        for path, rows in (("/authors", authors), ("/books", books), ("/loans", [{"book_id": 1, "reader": "Alan"}])):
            answer = await client.post(path, json=rows)
            assert answer.status_code == 201, answer.text
        yield client


@pytest.fixture
async def market(database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of the market: two shops, two prices, a seat, a visitor."""
    async with client_of(application(Database(database_url), MarketBase, *MARKET)) as client:
        for path, rows in (
            ("/shops", [{"name": "A", "rank": 1}, {"name": "B", "rank": 2}]),
            (
                "/prices",
                [
                    {"shop": "A", "article": "tea", "cents": 300, "code": 1},
                    {"shop": "B", "article": "tea", "cents": 350, "code": 1},
                ],
            ),
            ("/seats", [{"id": 1}]),
            ("/visitors", [{"email": "ada@x", "name": "Ada"}]),
        ):
            answer = await client.post(path, json=rows)
            assert answer.status_code == 201, answer.text
        yield client
