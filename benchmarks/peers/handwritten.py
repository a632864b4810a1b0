"""The limit: the users API written by hand. Raw ASGI, asyncpg's pool, JSON built by PostgreSQL, no framework."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import asyncpg

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CREATE = "create table if not exists users (id serial primary key, name text not null)"
LIST = "select coalesce(json_agg(u), '[]')::text from (select id, name from users where id > $1 order by id) u"
GET = "select row_to_json(u)::text from (select id, name from users where id = $1) u"
INSERT = "with u as (insert into users (name) values ($1) returning id, name) select row_to_json(u)::text from u"

pool: asyncpg.Pool


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    path, method = scope["path"], scope["method"]
    if path == "/users/" and method == "GET":
        query = parse_qs(scope["query_string"].decode())
        status, body = 200, await fetch(LIST, int(query["above"][0]))
    elif path == "/users/" and method == "POST":
        status, body = 201, await fetch(INSERT, json.loads(await read(receive))["name"])
    elif path.startswith("/users/") and method == "GET":
        user = await fetch(GET, int(path[7:]))
        status, body = (200, user) if user else (404, '{"detail":"User not found"}')
    elif path == "/health":
        status, body = 200, '"ok"'
    else:
        status, body = 404, '{"detail":"Not Found"}'
    data = body.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def fetch(sql: str, argument: object) -> str:
    """Run a statement that yields one JSON text."""
    async with pool.acquire() as connection:
        text: str = await connection.fetchval(sql, argument)
    return text


async def read(receive: Receive) -> bytes:
    """The whole body of the request."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def lifespan(receive: Receive, send: Send) -> None:
    """Open the pool and make the table at startup, close the pool at shutdown."""
    global pool
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            pool = await asyncpg.create_pool(os.environ["DATABASE_URL"])
            await pool.execute(CREATE)
            await send({"type": "lifespan.startup.complete"})
        else:
            await pool.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
