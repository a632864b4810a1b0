"""Rows that were written, with what is related to them."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

pytestmark = pytest.mark.anyio

REPRESENTATION = {"Prefer": "return=representation"}
ONE = {"Accept": "application/vnd.pgrst.object+json"}


async def test_of_an_insert(library: AsyncClient) -> None:
    row = {"title": "Debugging", "author_id": 2, "pages": 9}
    answer = await library.post("/books?select=title,author:authors(name,books(title))", json=row, headers=ONE)

    assert answer.status_code == 201
    assert answer.json()["author"]["name"] == "Grace"
    # PostgreSQL shows what is related as it was before the statement, SQLite as it is after the row.
    assert {"title": "The Compiler"} in answer.json()["author"]["books"]


async def test_of_many_inserts(library: AsyncClient) -> None:
    rows = [{"title": "Debugging", "author_id": 2}, {"title": "Letters", "author_id": 1}]
    answer = await library.post("/books?select=title,...authors(name)", json=rows)

    assert answer.json() == [{"title": "Debugging", "name": "Grace"}, {"title": "Letters", "name": "Ada"}]


async def test_of_an_update(library: AsyncClient) -> None:
    path = "/authors?id=eq.1&select=name,books(title,loans(reader))&books.title=like.N*&books.loans.order=reader"
    answer = await library.patch(path, json={"name": "Augusta"}, headers=REPRESENTATION)

    assert answer.json() == [{"name": "Augusta", "books": [{"title": "Notes", "loans": [{"reader": "Alan"}]}]}]


async def test_of_a_delete(library: AsyncClient) -> None:
    path = "/loans?reader=eq.Alan&select=reader,books(title,authors(name))"
    answer = await library.delete(path, headers=REPRESENTATION)

    assert answer.json() == [{"reader": "Alan", "books": {"title": "Notes", "authors": {"name": "Ada"}}}]


async def test_a_row_that_lacks_what_it_is_to_have_is_written_and_not_shown(library: AsyncClient) -> None:
    path = "/books?id=lt.3&select=id,loans!inner(reader)"
    answer = await library.patch(path, json={"pages": 7}, headers=REPRESENTATION)

    assert answer.json() == [{"id": 1, "loans": [{"reader": "Alan"}]}]
    assert answer.headers["content-range"] == "0-0/*"
    assert [row["pages"] for row in (await library.get("/books?id=lt.3")).json()] == [7, 7]

    answer = await library.patch("/books?id=eq.2&select=id,loans!inner(reader)", json={"pages": 8}, headers=ONE)
    assert refusal(answer) == (406, "PGRST116")
    assert (await library.get("/books/2")).json()["pages"] == 7
