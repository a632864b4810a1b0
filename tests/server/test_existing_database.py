"""A database that rowserve has never seen, served as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.helpers import refusal
from tests.openapi import check_document, parameters
from tests.processes import Served

SQLITE = """
create table artists (id integer primary key, name text not null unique);
create table albums (
  id integer primary key, title text not null, artist_id integer not null references artists (id), rating numeric(3, 1)
);
create table tracks (
  album_id integer references albums (id), number integer, name text, primary key (album_id, number)
);
create view titles as select id, upper(title) as title from albums;
create table notes (text text);
insert into artists values (1, 'Ada'), (2, 'Grace');
insert into albums values (1, 'Notes', 1, 4.5), (2, 'Bugs', 2, null);
insert into tracks values (1, 1, 'a'), (1, 2, 'b'), (2, 1, 'c');
insert into notes values ('one'), ('two');
"""
POSTGRESQL = """
create schema personal;
create table artists (id int generated always as identity primary key, name text not null unique);
comment on table artists is 'Who sings.';
comment on column artists.name is 'As on the cover.';
create type mood as enum ('calm', 'wild');
create table albums (
  id int primary key, title text not null, artist_id int not null references artists, moods mood[],
  loud text generated always as (upper(title)) stored, weeks int4range
);
create view titles as select id, artist_id, title from albums;
create table personal.artists (id int primary key, nickname text);
create function albums_of(artists) returns setof albums stable language sql as
  'select * from albums where artist_id = $1.id order by id desc';
create function initials(artists) returns text stable language sql as 'select left($1.name, 1)';
create function louder(text text, times integer default 1) returns text immutable language sql as
  'select upper($1) || repeat(''!'', $2)';
comment on function louder is 'For those at the back.';
create function wild() returns setof albums language sql as 'select * from albums where ''wild'' = any (moods)';
insert into artists (name) values ('Ada'), ('Grace');
insert into albums values (1, 'Notes', 1, '{calm}'), (2, 'Bugs', 2, '{calm,wild}'), (3, 'More', 1, null);
insert into personal.artists values (7, 'Countess');
"""


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a music shop in a SQLite file."""
    folder = tmp_path_factory.mktemp("shop")
    connection = sqlite3.connect(folder / "shop.db")
    connection.executescript(SQLITE)
    connection.close()
    with Served("sqlite:///shop.db", database="sqlite:///unused.db", cwd=folder) as server:
        yield server.client
    assert not (folder / "unused.db").exists()


async def load(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(POSTGRESQL)
    await connection.close()


@pytest.mark.anyio
async def test_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    await load(postgresql_url)
    options = ("--schema", "public", "--schema", "personal", "--prefix", "/rest/v1")
    with Served(postgresql_url, *options, database="sqlite:///unused.db", cwd=tmp_path) as server:
        client = server.client
        client.base_url = client.base_url.join("/rest/v1/")
        albums = client.get("albums?select=title,loud,moods,artists(name,initials)&id=lt.3").json()
        assert albums == [
            {"title": "Notes", "loud": "NOTES", "moods": ["calm"], "artists": {"name": "Ada", "initials": "A"}},
            {"title": "Bugs", "loud": "BUGS", "moods": ["calm", "wild"], "artists": {"name": "Grace", "initials": "G"}},
        ]
        artists = client.get("artists?select=name,albums_of(id),titles(title)&id=eq.1")
        titles = [{"title": "Notes"}, {"title": "More"}]
        assert artists.json() == [{"name": "Ada", "albums_of": [{"id": 3}, {"id": 1}], "titles": titles}]
        assert artists.headers["content-profile"] == "public"
        assert client.get("titles?id=eq.2&select=title,artists(name)").json() == [
            {"title": "Bugs", "artists": {"name": "Grace"}}
        ]

        personal = client.get("artists", headers={"accept-profile": "personal"})
        assert personal.json() == [{"id": 7, "nickname": "Countess"}]
        assert personal.headers["content-profile"] == "personal"
        assert refusal(client.get("albums", headers={"accept-profile": "personal"})) == (404, "PGRST205")
        assert refusal(client.get("albums", headers={"accept-profile": "nowhere"})) == (406, "PGRST106")

        assert client.post("artists", json={"name": "Alan"}).json() == {"id": 3, "name": "Alan"}
        assert refusal(client.post("artists", json={"id": 9, "name": "X"})) == (400, "428C9")
        assert refusal(client.post("albums", json={"id": 9, "title": "X", "artist_id": 99})) == (409, "23503")
        assert client.patch("titles?id=eq.3", json={"title": "Most"}).status_code == 204
        assert client.get("albums/3?select=title").json() == {"title": "Most"}

        calm = {"id": 4, "title": "calm", "artist_id": 2, "moods": ["wild"]}
        cast = client.post("albums?select=title::mood,moods::_text,again:moods::_mood", json=calm)
        assert cast.json() == {"title": "calm", "moods": ["wild"], "again": ["wild"]}
        assert client.get("albums?select=title.max()::mood&id=eq.4").json() == [{"max": "calm"}]
        assert refusal(client.get("albums?select=title::mood")) == (400, "22P02")
        assert refusal(client.get("albums?select=id::mood")) == (400, "42846")
        assert refusal(client.get("albums?select=title::artists")) == (400, "42704")
        assert client.delete("albums?id=eq.4").status_code == 204

        document = client.get("").json()
        check_document(document)
        assert "/rest/v1/artists/" in document["paths"]
        assert {"name": "artists", "description": "Who sings."} in document["tags"]
        taken = parameters(document, "/rest/v1/artists/", "get")
        assert "As on the cover." in taken["name"]["description"]
        assert all(name in taken["select"]["description"] for name in ("`initials`", "`albums_of`", "`titles`"))
        assert "`artists(id)`" in parameters(document, "/rest/v1/albums/", "get")["order"]["description"]
        assert taken["Accept-Profile"]["required"] is False
        assert server.client.get(server.url + "/openapi.json").json() == document
        assert server.client.post(server.url + "/openapi.json").status_code == 405

        louder = document["paths"]["/rest/v1/rpc/louder"]
        assert louder["post"]["description"] == "For those at the back."
        assert parameters(document, "/rest/v1/rpc/louder", "get")["times"]["schema"]["type"] == "integer"
        assert set(document["paths"]["/rest/v1/rpc/wild"]) == {"post"}
        assert "select" in parameters(document, "/rest/v1/rpc/wild", "post")

        personal = client.get("", headers={"accept-profile": "personal"})
        check_document(personal.json())
        chosen = parameters(personal.json(), "/rest/v1/artists/", "post")["Content-Profile"]
        assert (chosen["required"], chosen["schema"]["enum"]) == (True, ["personal"])
        assert refusal(client.get("", headers={"accept": "text/csv"})) == (406, "PGRST107")


@pytest.mark.anyio
async def test_an_extra_schema_is_searched_although_it_is_served_too(postgresql_url: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(postgresql_url)
    await connection.execute("""
        create schema personal;
        create table artists (name text);
        insert into artists values ('Ada');
        create function personal.names() returns setof text stable language plpgsql as
          'begin return query select name from artists; end';
    """)
    await connection.close()
    options = ("--schema", "public", "--schema", "personal", "--extra-search-path", "public")
    with Served(postgresql_url, *options, database="sqlite:///unused.db", cwd=tmp_path) as server:
        answer = server.client.get("/rpc/names", headers={"accept-profile": "personal"})
        assert answer.json() == ["Ada"], answer.text


def test_sqlite(sqlite: httpx.Client) -> None:
    albums = sqlite.get("/albums?select=title,rating,artists(name),tracks(number)").json()
    assert albums == [
        {"title": "Notes", "rating": 4.5, "artists": {"name": "Ada"}, "tracks": [{"number": 1}, {"number": 2}]},
        {"title": "Bugs", "rating": None, "artists": {"name": "Grace"}, "tracks": [{"number": 1}]},
    ]
    assert sqlite.get("/titles?order=id.desc").json() == [{"id": 2, "title": "BUGS"}, {"id": 1, "title": "NOTES"}]
    assert sqlite.get("/tracks?select=titles(title)&order=titles(title)&limit=1").json() == [
        {"titles": {"title": "BUGS"}}
    ]
    assert sqlite.get("/tracks?select=number,...titles(title)&order=titles(title)&limit=1").json() == [
        {"number": 1, "title": "BUGS"}
    ]
    assert sqlite.get("/tracks/1,2").json() == {"album_id": 1, "number": 2, "name": "b"}
    assert sqlite.get("/notes").json() == [{"text": "one"}, {"text": "two"}]
    assert sqlite.get("/artists", headers={"accept-profile": "public"}).status_code == 200


def test_sqlite_is_written_to(sqlite: httpx.Client) -> None:
    assert sqlite.post("/artists", json={"name": "Alan"}).status_code == 201
    assert sqlite.delete("/artists?name=eq.Alan").status_code == 204
    assert refusal(sqlite.post("/artists", json={"name": "Ada"})) == (409, "23505")
    assert refusal(sqlite.post("/albums", json={"title": "X", "artist_id": 99})) == (409, "23503")
    assert sqlite.post("/notes", json={"text": "three"}).status_code == 201


def test_what_is_not_there(sqlite: httpx.Client) -> None:
    answer = sqlite.get("/artist")
    assert refusal(answer) == (404, "PGRST205")
    assert answer.json()["hint"] == "Perhaps you meant the table 'public.artists'"
    assert refusal(sqlite.get("/artists/1/2")) == (404, "PGRST125")
    assert refusal(sqlite.get("/artists", headers={"accept-profile": "other"})) == (406, "PGRST106")


def test_docs(sqlite: httpx.Client) -> None:
    assert sqlite.get("/docs").status_code == 200
    document = sqlite.get("/openapi.json").json()
    check_document(document)
    assert {"/albums/", "/titles/", "/tracks/{album_id_number}"} <= set(document["paths"])
    assert set(document["paths"]["/titles/"]) == {"get"}  # a view that nothing can be written to
    assert "Accept-Profile" not in parameters(document, "/albums/", "get")
    assert sqlite.get("/").json() == document
