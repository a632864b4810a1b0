"""Embed: authors with their posts and the comments on those, two levels deep, at 8 connections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

import httpx

from .load import Load, Request, load
from .peers import LESSON, ROWSERVE, Peer, rowserve, uvicorn
from .servers import Server, running
from .tables import Settings, Table, goal

AUTHORS, POSTS, COMMENTS = 100, 10, 3  # posts of each author, comments on each post
CONNECTIONS = 8
LONGER = 3  # than other loads: the lesson answers few of these in a second
LEAST = 30
LISTS = {
    "rowserve": Request("GET", "/authors/?select=id,name,posts(id,title,comments(id,text))&id=gt.-%d"),
    "lesson": Request("GET", "/authors/?above=-%d"),
}
PROGRAMS: tuple[Peer, ...] = (
    replace(ROWSERVE, command=rowserve("benchmarks/blog_models.py")),
    replace(LESSON, command=uvicorn("lesson_blog")),
)
NOTE = (
    f"A list of {AUTHORS} authors, each with {POSTS} posts, each of those with {COMMENTS} comments: "
    f"{AUTHORS * (1 + POSTS * (1 + COMMENTS)):,} objects in the answer, the same from both, at {CONNECTIONS} "
    f"connections and {LONGER} times as long as other loads. The lesson's style loads "
    "them by `selectinload(Author.posts).selectinload(Post.comments)` and answers through Pydantic's models; both have "
    f"the same tables, indexes on the foreign keys among them. Goal: {LEAST} times."
)
SQL = f"""
create table authors (id integer not null primary key, name varchar not null);
create table posts (id integer not null primary key, title varchar not null,
  author_id integer not null references authors (id));
create table comments (id integer not null primary key, text varchar not null,
  post_id integer not null references posts (id));
with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {AUTHORS})
insert into authors select n, 'author' || n from numbers;
with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {AUTHORS * POSTS})
insert into posts select n, 'What author ' || n || ' had to say', (n - 1) / {POSTS} + 1 from numbers;
with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {AUTHORS * POSTS * COMMENTS})
insert into comments select n, 'I read it, and think of it what ' || n || ' others do', (n - 1) / {COMMENTS} + 1
from numbers;
create index ix_posts_author_id on posts (author_id);
create index ix_comments_post_id on comments (post_id);
analyze;
"""
SCHEMA = {"sqlite": SQL, "postgresql": SQL}


def run(settings: Settings) -> list[Table]:
    """Measure both programs on each database, taking turns."""
    names = {peer.name for peer in settings.peers}
    programs = [peer for peer in PROGRAMS if peer.name in names]
    rows = []
    for kind in settings.kinds:
        with ExitStack() as stack:
            servers = [
                stack.enter_context(running(peer, stack.enter_context(settings.databases.new(kind, schema=SCHEMA))))
                for peer in programs
            ]
            for server in servers:
                _check(server)
            loads = _take_turns(servers, kind, settings)
            memory = {server.peer.name: f"{sum(server.memory()):.0f}" for server in servers}
        rows += _rows(kind, loads, memory)
    columns = ["", "req/s", "range", "p50 ms", "p99 ms", "errors", "MB", "ratio", "range", ""]
    return [Table("List with two levels embedded", columns, rows, NOTE)] if rows else []


def _check(server: Server) -> None:
    """See that the server answers as it should before it is measured."""
    target = LISTS[server.peer.name].target % 5
    answer = httpx.get(f"http://127.0.0.1:{server.port}{target}", timeout=30)
    assert answer.status_code == 200, answer.text
    numbers = iter(range(1, AUTHORS * POSTS + 1)), iter(range(1, AUTHORS * POSTS * COMMENTS + 1))
    assert answer.json() == [
        {"id": author, "name": f"author{author}", "posts": [_post(*numbers) for _ in range(POSTS)]}
        for author in range(1, AUTHORS + 1)
    ]


def _post(posts: Iterator[int], comments: Iterator[int]) -> dict[str, object]:
    number = next(posts)
    each = [next(comments) for _ in range(COMMENTS)]
    return {
        "id": number,
        "title": f"What author {number} had to say",
        "comments": [{"id": n, "text": f"I read it, and think of it what {n} others do"} for n in each],
    }


def _take_turns(servers: list[Server], kind: str, settings: Settings) -> dict[str, list[Load]]:
    loads: dict[str, list[Load]] = {server.peer.name: [] for server in servers}
    for turn in range(settings.rounds):
        for server in servers[::-1] if turn % 2 else servers:
            request = LISTS[server.peer.name]
            load(server.port, request, connections=CONNECTIONS, seconds=1)
            measured = load(server.port, request, connections=CONNECTIONS, seconds=settings.seconds * LONGER)
            loads[server.peer.name].append(measured)
            print(f"{kind} embed {turn + 1} {server.peer.name} {measured.rate:,.1f}/s", file=sys.stderr)
    return loads


def _rows(kind: str, loads: dict[str, list[Load]], memory: dict[str, str]) -> list[list[str]]:
    rows = []
    for name, each in loads.items():
        rates = [one.rate for one in each]
        row = [f"{name}, {kind}", f"{median(rates):,.1f}", f"{min(rates):,.1f}-{max(rates):,.1f}"]
        row += [f"{median(one.p50 for one in each):.1f}", f"{median(one.p99 for one in each):.1f}"]
        row += [str(sum(one.errors for one in each)), memory[name], "", "", ""]
        rows.append(row)
    if len(loads) == len(LISTS):
        rounds = zip(loads["rowserve"], loads["lesson"], strict=True)
        ratios = [ours.rate / theirs.rate for ours, theirs in rounds]
        rows[0][-3:] = [f"{median(ratios):.1f}x", f"{min(ratios):.1f}-{max(ratios):.1f}", goal(median(ratios) >= LEAST)]
    return rows
