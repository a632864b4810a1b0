"""`Accept`: CSV, lines of JSON, and JSON without nulls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.helpers import refusal

from .diary import diary_of

pytestmark = pytest.mark.anyio

CSV = {"Accept": "text/csv"}
LINES = {"Accept": "application/x-ndjson"}
STRIPPED = {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}
STRIPPED_OBJECT = {"Accept": "application/vnd.pgrst.object+json;nulls=stripped"}


@pytest.fixture
async def diary(database_url: str) -> AsyncIterator[AsyncClient]:
    async with diary_of(database_url) as client:
        yield client


async def test_csv_has_a_header_and_a_line_for_each_row_in_postgresqls_text(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=id,at,title,good,spent,warmth", headers=CSV)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-range"] == "0-2/*"
    assert answer.text.split("\n") == [
        "id,at,title,good,spent,warmth",
        '1,"2026-01-02 03:04:05.25+00","Say ""hi"", then go",t,1.50,20',
        '2,"2026-07-01 12:00:00+00","",f,12.00,-0.5',
        "3,,,,,",
    ]


async def test_csv_has_json_and_what_is_embedded_as_json(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=more,notes(id,text)&id=eq.1", headers=CSV)

    header, line = answer.text.split("\n", 1)
    assert header == "more,notes"
    assert line.startswith('"{""a"": 1, ""b"": null, ""c"": [{""d"": null, ""e"": 2}]}",')
    notes = line.partition(']}",')[2]
    assert json.loads(notes[1:-1].replace('""', '"')) == [{"id": 1, "text": "cold"}, {"id": 2, "text": None}]


async def test_csv_of_no_rows_still_has_its_header(diary: AsyncClient) -> None:
    answer = await diary.get("/days?id=gt.100", headers=CSV)

    assert answer.text == "id,at,title,good,spent,warmth,more\n"
    assert answer.headers["content-range"] == "*/*"


async def test_csv_names_columns_as_they_are_asked_for(diary: AsyncClient) -> None:
    answer = await diary.get('/days?select="a,b":id,x:title&limit=1&id=eq.2', headers=CSV)

    assert answer.text == '"a,b",x\n2,""'


async def test_csv_of_groups(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=good,count()&order=good", headers=CSV)

    assert answer.text == "good,count\nf,1\nt,1\n,1"


async def test_csv_has_backslashes_and_lines_as_they_are(diary: AsyncClient) -> None:
    assert (await diary.post("/days", json={"id": 9, "title": "a\\b\nc"})).status_code == 201

    answer = await diary.get("/days?select=id,title&id=eq.9", headers=CSV)

    assert answer.text == 'id,title\n9,"a\\b\nc"'


async def test_csv_of_a_row_of_its_own(diary: AsyncClient) -> None:
    answer = await diary.get("/days/3?select=id,title", headers=CSV)

    assert (answer.status_code, answer.text) == (200, "id,title\n3,")


async def test_csv_is_counted_and_paged(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=id&limit=1&offset=1", headers={**CSV, "Prefer": "count=exact"})

    assert (answer.status_code, answer.text, answer.headers["content-range"]) == (206, "id\n2", "1-1/3")


async def test_what_python_shows_its_own_way_is_shown_so_in_every_format(diary: AsyncClient) -> None:
    assert (await diary.get("/calls", headers=CSV)).text == 'id,words,loud\n1,"COME, ""NOW""",t\n2,-,'
    lines = (await diary.get("/calls?select=id,words", headers=LINES)).text
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"id": 1, "words": 'COME, "NOW"'},
        {"id": 2, "words": "-"},
    ]
    assert (await diary.get("/calls?id=eq.2", headers=STRIPPED)).json() == [{"id": 2, "words": "-"}]


async def test_nulls_are_stripped_however_deep(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=id,title,more,notes(id,text)&id=in.(1,3)", headers=STRIPPED)

    assert answer.headers["content-type"] == "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"
    assert answer.json() == [
        {
            "id": 1,
            "title": 'Say "hi", then go',
            "more": {"a": 1, "c": [{"e": 2}]},
            "notes": [{"id": 1, "text": "cold"}, {"id": 2}],
        },
        {"id": 3, "notes": []},
    ]
    assert list(answer.json()[0]) == ["id", "title", "more", "notes"]


async def test_one_object_without_nulls(diary: AsyncClient) -> None:
    answer = await diary.get("/days?id=eq.3", headers=STRIPPED_OBJECT)
    assert answer.json() == {"id": 3}
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
    assert (await diary.get("/days/3", headers=STRIPPED)).json() == {"id": 3}

    assert refusal(await diary.get("/days", headers=STRIPPED_OBJECT)) == (406, "PGRST116")


async def test_lines_of_json(diary: AsyncClient) -> None:
    answer = await diary.get("/days?select=id,notes(text)", headers=LINES)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson; charset=utf-8")
    assert answer.text.endswith("\n")
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"id": 1, "notes": [{"text": "cold"}, {"text": None}]},
        {"id": 2, "notes": [{"text": "x"}]},
        {"id": 3, "notes": []},
    ]
    assert (await diary.get("/days/2?select=id", headers=LINES)).text == '{"id":2}\n'
    assert (await diary.get("/days?id=eq.100", headers=LINES)).text == ""


async def test_lines_end_where_the_client_says_and_not_where_pages_do(database_url: str) -> None:
    async with diary_of(database_url, max_rows=2) as diary:
        assert len((await diary.get("/days?select=id")).json()) == 2
        assert len((await diary.get("/days?select=id", headers=LINES)).text.splitlines()) == 3
        assert len((await diary.get("/days?select=id&limit=1", headers=LINES)).text.splitlines()) == 1
        answer = await diary.get("/days?select=id&order=id.desc&limit=3", headers=LINES)
        assert answer.text == '{"id":3}\n{"id":2}\n{"id":1}\n'


async def test_lines_are_counted_before_they_come(diary: AsyncClient) -> None:
    answer = await diary.get("/days?id=lt.3", headers={**LINES, "Prefer": "count=exact"})

    assert answer.headers["content-range"] == "*/2"
    assert answer.headers["preference-applied"] == "count=exact"


async def test_an_error_before_the_first_line_is_an_answer_of_its_own(diary: AsyncClient) -> None:
    assert refusal(await diary.get("/days?id=eq.x", headers=LINES)) == (400, "22P02")
    assert refusal(await diary.get("/days?nix=eq.1", headers=LINES)) == (400, "42703")
    head = await diary.head("/days", headers=LINES)
    assert (head.status_code, head.content) == (200, b"")


async def test_everything_streams_in_any_format_where_there_is_no_limit(database_url: str) -> None:
    async with diary_of(database_url, max_rows=None) as diary:
        rows = [{"id": index, "day_id": 1, "text": None} for index in range(10, 2_510)]
        assert (await diary.post("/notes", json=rows, headers={"Prefer": "return=minimal"})).status_code == 201

        found = await diary.get("/notes?id=gte.10", headers=CSV)
        assert found.text == "id,day_id,text\n" + "\n".join(f"{row['id']},1," for row in rows)
        found = await diary.get("/notes?id=gte.10", headers=LINES)
        assert [json.loads(line) for line in found.text.splitlines()] == rows
        found = await diary.get("/notes?id=gte.10", headers=STRIPPED)
        assert found.json() == [{"id": row["id"], "day_id": 1} for row in rows]


async def test_what_there_is_not_is_not_acceptable(diary: AsyncClient) -> None:
    for accept in ("image/png", "application/vnd.pgrst.plan", "application/vnd.pgrst.plan+json"):
        answer = await diary.get("/days", headers={"Accept": accept})
        assert refusal(answer) == (406, "PGRST107")
        assert answer.json()["message"].startswith("None of these media types are available: ")
    assert (await diary.get("/days", headers={"Accept": "image/png, */*"})).status_code == 200


async def test_what_an_answer_depends_on_is_said(diary: AsyncClient) -> None:
    for path in ("/days", "/days/1"):
        for headers in ({}, CSV):
            assert (await diary.get(path, headers=headers)).headers["vary"] == "Accept, Prefer, Range"
