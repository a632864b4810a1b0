"""Applications for tests: served in this process, with their lifespan, and spoken to over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from rowserve import Database, Resource

T = TypeVar("T")


@asynccontextmanager
async def client_of(app: FastAPI, *, raising: bool = True) -> AsyncIterator[AsyncClient]:
    """A client of an application that has started.

    Args:
        app: the application.
        raising: whether what the application does not handle is raised here; else it is answered with 500.
    """
    transport = ASGITransport(app=app, raise_app_exceptions=raising)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def application(database: Database, tables: type[DeclarativeBase] | MetaData, *resources: Resource[Any]) -> FastAPI:
    """An application that makes its tables when it starts, and serves resources."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with database:
            await database.create_tables(tables)
            yield

    app = FastAPI(lifespan=lifespan)
    for resource in resources:
        app.include_router(resource)
    return app


@asynccontextmanager
async def served(url: str, model: type[DeclarativeBase], **options: Any) -> AsyncIterator[AsyncClient]:
    """A client of an application with one resource.

    Args:
        url: the database's.
        model: what is served; its table and those of its fellow models are made.
        **options: the resource's.
    """
    app = application(Database(url), model.metadata, Resource(model, **options))
    async with client_of(app) as client:
        yield client


def names(response: Response) -> list[str]:
    """The names in an answered list."""
    assert response.status_code in (200, 206), response.text
    return [row["name"] for row in response.json()]


def refusal(response: Response) -> tuple[int, str]:
    """The status and the code of an error, which has to have the shape that all errors have."""
    body = response.json()
    assert set(body) == {"code", "message", "details", "hint"}
    assert isinstance(body["code"], str)
    assert isinstance(body["message"], str)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    return response.status_code, body["code"]


async def soon(found: Callable[[], T], expected: T) -> None:
    """Waits until something is as it should be: what comes after a commit, no answer waits for."""
    for _ in range(200):
        if found() == expected:
            return
        await asyncio.sleep(0.01)
    assert found() == expected
