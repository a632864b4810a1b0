"""`Accept` of what writes: rows come back in every format that a read has them in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response

from rowserve import slices
from tests.helpers import refusal

from .diary import diary_of

pytestmark = pytest.mark.anyio

CSV = "text/csv"
LINES = "application/x-ndjson"
STRIPPED = "application/vnd.pgrst.array+json;nulls=stripped"
STRIPPED_OBJECT = "application/vnd.pgrst.object+json;nulls=stripped"
ROWS = "return=representation"


@pytest.fixture
async def diary(database_url: str) -> AsyncIterator[AsyncClient]:
    async with diary_of(database_url, allow_unfiltered_writes=True) as client:
        yield client


async def send(
    client: AsyncClient, method: str, path: str, accept: str, body: Any = None, prefer: str | None = ROWS
) -> Response:
    headers = {"Accept": accept} if prefer is None else {"Accept": accept, "Prefer": prefer}
    return await client.request(method, path, json=body, headers=headers)


async def test_each_verb_answers_with_csv(diary: AsyncClient) -> None:
    days = "/days?select=id,title,good,spent,at"
    rows = [{"id": 7, "title": 'a "b",\\', "good": True, "spent": 2, "at": "2026-01-02T03:04:05Z"}]

    answer = await send(diary, "POST", days, CSV, rows)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/csv; charset=utf-8")
    assert answer.text == 'id,title,good,spent,at\n7,"a ""b"",\\",t,2.00,"2026-01-02 03:04:05+00"'
    answer = await send(diary, "PATCH", f"{days}&id=gte.3", CSV, {"title": "", "good": False})
    assert sorted(answer.text.split("\n")[1:]) == ['3,"",f,,', '7,"",f,2.00,"2026-01-02 03:04:05+00"']
    answer = await send(diary, "PUT", "/notes?id=eq.9", CSV, {"id": 9, "day_id": 3, "text": None})
    assert (answer.status_code, answer.text) == (201, "id,day_id,text\n9,3,")
    answer = await send(diary, "DELETE", "/notes?select=text,id&id=eq.9", CSV)
    assert (answer.status_code, answer.text) == (200, "text,id\n,9")


async def test_each_verb_answers_with_lines(diary: AsyncClient) -> None:
    rows = [{"id": 7, "title": "a\nb"}, {"id": 8, "title": None}]

    answer = await send(diary, "POST", "/days?select=id,title", LINES, rows)
    assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    assert answer.text == '{"id":7,"title":"a\\nb"}\n{"id":8,"title":null}\n'
    answer = await send(diary, "PATCH", "/days?select=id,more&id=eq.8", LINES, {"more": [1, {"a": None}]})
    assert answer.text.count("\n") == 1
    assert json.loads(answer.text) == {"id": 8, "more": [1, {"a": None}]}
    answer = await send(diary, "PUT", "/notes?id=eq.3&select=id", LINES, {"id": 3, "day_id": 3, "text": None})
    assert (answer.status_code, answer.text) == (200, '{"id":3}\n')
    assert (await send(diary, "DELETE", "/days?select=id&id=gt.6", LINES)).text == '{"id":7}\n{"id":8}\n'


async def test_each_verb_leaves_nulls_out(diary: AsyncClient) -> None:
    more = {"a": None, "b": [{"c": None}]}

    answer = await send(diary, "POST", "/days", STRIPPED, [{"id": 7, "more": more}])
    assert answer.headers["content-type"] == f"{STRIPPED}; charset=utf-8"
    assert answer.json() == [{"id": 7, "more": {"b": [{}]}}]
    answer = await send(diary, "PATCH", "/notes?id=in.(1,2)", STRIPPED, {"day_id": 2})
    assert answer.json() == [{"id": 1, "day_id": 2, "text": "cold"}, {"id": 2, "day_id": 2}]
    answer = await send(diary, "PUT", "/notes?id=eq.2", STRIPPED, {"id": 2, "day_id": 1, "text": None})
    assert answer.json() == [{"id": 2, "day_id": 1}]
    assert (await send(diary, "DELETE", "/notes?id=eq.2", STRIPPED)).json() == [{"id": 2, "day_id": 1}]


async def test_one_object_without_nulls_or_nothing_is_done(diary: AsyncClient) -> None:
    answer = await send(diary, "PATCH", "/notes?id=eq.1", STRIPPED_OBJECT, {"text": None}, prefer=None)
    assert (answer.json(), answer.headers["content-type"]) == (
        {"id": 1, "day_id": 1},
        f"{STRIPPED_OBJECT}; charset=utf-8",
    )

    two = [{"id": 8, "day_id": 1}, {"id": 9, "day_id": 1}]
    for prefer in (ROWS, "return=minimal", None):
        assert refusal(await send(diary, "POST", "/notes", STRIPPED_OBJECT, two, prefer)) == (406, "PGRST116")
        wrong = await send(diary, "PATCH", "/notes?id=gt.1", STRIPPED_OBJECT, {"text": "y"}, prefer)
        assert refusal(wrong) == (406, "PGRST116")
        assert refusal(await send(diary, "DELETE", "/notes?id=gt.9", STRIPPED_OBJECT, None, prefer)) == (
            406,
            "PGRST116",
        )
    assert refusal(await send(diary, "POST", "/notes", STRIPPED_OBJECT, [])) == (406, "PGRST116")
    assert (await diary.get("/notes?select=text")).json() == [{"text": None}, {"text": None}, {"text": "x"}]


async def test_what_is_embedded_is_there_in_every_format(diary: AsyncClient) -> None:
    path = "/days?select=id,notes(id,text)&id=eq.1"

    answer = await send(diary, "PATCH", path, CSV, {"good": False})
    header, line = answer.text.split("\n", 1)
    assert (header, line[:3]) == ("id,notes", '1,"')
    notes = [{"id": 1, "text": "cold"}, {"id": 2, "text": None}]
    assert json.loads(line[3:-1].replace('""', '"')) == notes
    answer = await send(diary, "PATCH", path, LINES, {"good": False})
    assert (answer.text[-1], answer.json()) == ("\n", {"id": 1, "notes": notes})
    answer = await send(diary, "PATCH", path, STRIPPED, {"good": False})
    assert answer.json() == [{"id": 1, "notes": [notes[0], {"id": 2}]}]

    there = "/notes?select=id,days!inner()&days.title=eq.&order=id"
    assert (await send(diary, "PATCH", there, CSV, {"text": "y"})).text == "id\n3"
    answer = await send(diary, "POST", "/notes?select=day:days(id,title)", STRIPPED, {"id": 7, "day_id": 3})
    assert answer.json() == [{"day": {"id": 3}}]


async def test_what_python_shows_its_own_way_is_shown_so_in_every_format(diary: AsyncClient) -> None:
    rows = [{"id": 3, "words": 'go, "now"', "loud": None}, {"id": 4, "words": None, "loud": False}]

    assert (await send(diary, "POST", "/calls", CSV, rows)).text == 'id,words,loud\n3,"GO, ""NOW""",\n4,-,f'
    lines = (await send(diary, "PATCH", "/calls?id=gt.2&select=id,words", LINES, {"loud": True})).text
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"id": 3, "words": 'GO, "NOW"'},
        {"id": 4, "words": "-"},
    ]
    answer = await send(diary, "PATCH", "/calls?id=gt.2", STRIPPED, {"loud": None})
    assert answer.json() == [{"id": 3, "words": 'GO, "NOW"'}, {"id": 4, "words": "-"}]
    answer = await send(diary, "DELETE", "/calls?id=eq.4", STRIPPED_OBJECT)
    assert answer.json() == {"id": 4, "words": "-"}


async def test_what_answers_with_no_rows_does_not_look_at_the_format(diary: AsyncClient) -> None:
    for number, accept in enumerate((CSV, LINES, STRIPPED), 10):
        answer = await send(diary, "POST", "/days", accept, {"id": number}, "return=minimal")
        assert (answer.status_code, answer.content, "content-type" in answer.headers) == (201, b"", False)
        assert (await send(diary, "PATCH", "/days?id=eq.1", accept, {"title": "x"}, None)).status_code == 204
        assert (await send(diary, "DELETE", f"/days?id=eq.{number}", accept, None, "return=minimal")).status_code == 204
        answer = await send(diary, "POST", "/days", accept, {"id": number}, "return=headers-only")
        assert (answer.content, answer.headers["location"]) == (b"", f"/days?id=eq.{number}")
    for prefer in (ROWS, "return=minimal"):
        assert refusal(await send(diary, "POST", "/days", "image/png", {"id": 99}, prefer)) == (406, "PGRST107")
    assert (await diary.get("/days?id=eq.99")).json() == []


async def test_a_row_of_its_own_in_every_format(diary: AsyncClient) -> None:
    answer = await send(diary, "POST", "/notes?select=day_id,id", CSV, {"id": 7, "day_id": 1}, None)
    assert (answer.text, answer.headers["location"]) == ("day_id,id\n1,7", "/notes/7")
    answer = await send(diary, "POST", "/notes", STRIPPED, {"id": 8, "day_id": 1}, None)
    assert (answer.json(), answer.headers["location"]) == ({"id": 8, "day_id": 1}, "/notes/8")
    answer = await send(diary, "POST", "/notes?select=id", LINES, {"id": 9, "day_id": 1}, None)
    assert (answer.text, answer.headers["location"]) == ('{"id":9}\n', "/notes/9")
    assert (await send(diary, "PATCH", "/notes/7?select=id,text", CSV, {"text": "y"}, None)).text == "id,text\n7,y"
    assert (await send(diary, "PATCH", "/notes/7?select=id,text", CSV, {}, None)).text == "id,text\n7,y"
    whole = {"id": 7, "day_id": 2, "text": None}
    assert (await send(diary, "PUT", "/notes/7", STRIPPED, whole, None)).json() == {"id": 7, "day_id": 2}
    assert refusal(await send(diary, "PATCH", "/notes/70", CSV, {"text": "y"}, None)) == (404, "PGRST116")


async def test_no_rows_in_every_format(diary: AsyncClient) -> None:
    for accept, body in ((CSV, "id,text\n"), (LINES, ""), (STRIPPED, "[]")):
        for method, path, sent in (
            ("POST", "/notes?select=id,text", []),
            ("PATCH", "/notes?select=id,text&id=eq.99", {"text": "y"}),
            ("PATCH", "/notes?select=id,text&id=eq.1", {}),
            ("DELETE", "/notes?select=id,text&id=eq.99", None),
        ):
            answer = await send(diary, method, path, accept, sent)
            assert (answer.is_success, answer.text) == (True, body)


async def test_upserts_and_updates_by_key_in_every_format(diary: AsyncClient) -> None:
    both = [{"id": 1, "day_id": 1, "text": "new"}, {"id": 9, "day_id": 1, "text": None}]
    merge = f"{ROWS}, resolution=merge-duplicates"
    answer = await send(diary, "POST", "/notes", CSV, both, merge)
    assert (answer.status_code, answer.text) == (201, "id,day_id,text\n1,1,new\n9,1,")
    answer = await send(diary, "POST", "/notes", STRIPPED, both, merge)
    assert (answer.status_code, answer.json()) == (200, [both[0], {"id": 9, "day_id": 1}])
    ignore = f"{ROWS}, resolution=ignore-duplicates"
    assert (await send(diary, "POST", "/notes", CSV, both, ignore)).text == "id,day_id,text\n"

    each = [{"id": 9, "text": "nine"}, {"id": 1, "text": None}]
    assert (await send(diary, "PATCH", "/notes?select=id,text", CSV, each)).text == "id,text\n9,nine\n1,"
    answer = await send(diary, "PATCH", "/notes?select=id,text", LINES, each)
    assert answer.text == '{"id":9,"text":"nine"}\n{"id":1,"text":null}\n'


async def test_rows_of_many_slices_in_every_format(diary: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 200)
    monkeypatch.setattr(slices, "FIRST", 100)

    def some(start: int) -> list[dict[str, Any]]:
        return [{"id": number, "day_id": 1, "text": None} for number in range(start, start + 300)]

    answer = await send(diary, "POST", "/notes", CSV, some(1_000))
    assert answer.text == "id,day_id,text\n" + "\n".join(f"{row['id']},1," for row in some(1_000))
    answer = await send(diary, "POST", "/notes", LINES, some(2_000))
    assert [json.loads(line) for line in answer.text.splitlines()] == some(2_000)
    answer = await send(diary, "POST", "/notes", STRIPPED, some(3_000))
    assert answer.json() == [{"id": row["id"], "day_id": 1} for row in some(3_000)]
    assert refusal(await send(diary, "POST", "/notes", STRIPPED_OBJECT, some(4_000))) == (406, "PGRST116")
    assert (await diary.get("/notes?select=count()&id=gt.999")).json() == [{"count": 900}]


async def test_what_is_ordered_or_grouped_or_in_a_time_zone_in_every_format(diary: AsyncClient) -> None:
    path = "/notes?select=id,text&order=text.desc.nullslast,id"
    assert (await send(diary, "PATCH", path, CSV, {"day_id": 1})).text == "id,text\n3,x\n1,cold\n2,"
    assert (await send(diary, "PATCH", path, STRIPPED, {"day_id": 1})).json() == [
        {"id": 3, "text": "x"},
        {"id": 1, "text": "cold"},
        {"id": 2},
    ]
    groups = "/days?select=good,count(),spent.sum()&order=good"
    assert (
        await send(diary, "PATCH", groups, CSV, {"spent": 2.5})
    ).text == "good,count,sum\nf,1,2.50\nt,1,2.50\n,1,2.50"
    answer = await send(diary, "PATCH", groups, STRIPPED, {"spent": None})
    assert answer.json() == [{"good": False, "count": 1}, {"good": True, "count": 1}, {"count": 1}]
    paris = f"{ROWS}, timezone=Europe/Paris"
    answer = await send(diary, "PATCH", "/days?select=at&id=eq.2", CSV, {"good": True}, paris)
    assert answer.text == 'at\n"2026-07-01 14:00:00+02"'
