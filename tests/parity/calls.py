"""Section 1.8: functions, those of the program."""

from __future__ import annotations

from typing import Any

from .case import Case, case, get, refused

OBJECT = "application/vnd.pgrst.object+json"


def call(target: str, content: Any, status: int = 200, **sent: Any) -> Case:
    return case("POST", f"/rpc/{target}", status=status, content=content, **sent)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VALUES = [
    get("/rpc/add?a=1&b=2", body=3),
    call("add", {"a": 1}, body=11),
    call("add", {"a": 1, "b": 2}, prefer="return=representation", body=3),
    call("add", "a=4&b=5", headers=FORM, body=9),
    call("greet", {"name": "Ada", "born": "1980-05-17", "titles": ["Dr", "h.c."]},
         body={"hello": "Dr h.c. Ada", "born": "1980-05-17"}),
    get("/rpc/greet?name=Eva&titles={Dr,Ing}", body={"hello": "Dr Ing Eva", "born": None}),
    get("/rpc/greet?name=Eva&titles=Dr&titles=Ing", body={"hello": "Dr Ing Eva", "born": None}),
    call("forget", {}, 204, body=""),
    get("/rpc/moods", body=["calm", "keen", "tired"]),
    case("HEAD", "/rpc/add?a=1", status=200, body=""),
    case("OPTIONS", "/rpc/add", status=200),
]  # fmt: skip

ROWS = [
    get("/rpc/members?mood=calm&select=id", firsts=[1, 6, 8], has={"content-range": "0-2/*"}),
    get("/rpc/members?mood=calm&select=id&order=name.desc", firsts=[6, 8, 1]),
    get("/rpc/members?mood=calm&select=id&id=gt.1&height=lt.1.75", firsts=[8]),
    get("/rpc/members?mood=keen&select=id&or=(id.eq.2,name.like.J*)", firsts=[2, 10]),
    get("/rpc/members?mood=calm&select=id&limit=1&offset=1", firsts=[6], has={"content-range": "1-1/*"}),
    get("/rpc/members?mood=calm&select=id&limit=2", prefer="count=exact", status=206, firsts=[1, 6],
        has={"content-range": "0-1/3", "preference-applied": "count=exact"}),
    get("/rpc/members?mood=calm&select=id&offset=7", prefer="count=exact", status=416, code="PGRST103"),
    get("/rpc/members?mood=wild", body=[]),
    call("members?select=id,skills(name),regions(name)&id=lt.3", {"mood": "calm"}, body=[
        {"id": 1, "skills": [{"name": "Map reading"}, {"name": "First aid"}], "regions": {"name": "Alps"}},
    ]),
    call("members?select=id,regions!inner()&regions.coastal=is.true", {"mood": "calm"}, body=[{"id": 8}]),
    call("members?select=count()", {"mood": "calm"}, body=[{"count": 3}]),
    call("members?select=id&id=eq.6", {"mood": "calm"}, accept=OBJECT, body={"id": 6}),
    call("members?select=id", {"mood": "calm"}, 406, accept=OBJECT, code="PGRST116"),
    call("members?select=id,name&id=lt.8", {"mood": "calm"}, accept="text/csv", body='id,name\n1,"Ada Ek"\n6,李雷'),
    get("/rpc/member?id=3&select=id,name,mentor:mentor_id(name)",
        body={"id": 3, "name": 'Chiara "Ci" Neri', "mentor": {"name": "Ada Ek"}}),
    get("/rpc/member?id=99"),
    get("/rpc/totals", body=[
        {"region": "Alps", "huts": 3, "dearest": 42.5}, {"region": "Fjordland", "huts": 2, "dearest": 30},
        {"region": "Tatra", "huts": 2, "dearest": 18.9}, {"region": "Åland coast", "huts": 1, "dearest": 12.5},
        {"region": "Nowhere", "huts": 0, "dearest": None},
    ]),
    get("/rpc/totals?select=region,n:huts::text&dearest=gte.18.9&order=huts,region.desc", body=[
        {"region": "Tatra", "n": "2"}, {"region": "Fjordland", "n": "2"}, {"region": "Alps", "n": "3"},
    ]),
    get("/rpc/totals?select=huts,dearest.max()&order=huts.desc&limit=2", body=[
        {"huts": 3, "max": 42.5}, {"huts": 2, "max": 30},
    ]),
]  # fmt: skip

REFUSED = [
    refused("/rpc/unknown", 404, "PGRST202"),
    refused("/rpc/adds?a=1", 404, "PGRST202"),
    refused("/rpc/add", 404, "PGRST202"),
    refused("/rpc/add?a=1&c=2", 404, "PGRST202"),
    refused("/rpc/add?a=x", 400, "22023"),
    refused("/rpc/members?mood=calm&nope=eq.1", 400, "42703"),
    refused("/rpc/members?mood=calm&select=nope", 400, "42703"),
    refused("/rpc/members?mood=calm&select=trails(name)", 400, "PGRST200"),
    refused("/rpc/totals?huts=eq.x", 400, "22P02"),
    refused("/rpc/rent?gear_id=6&person_id=6", 405, "PGRST101"),
    call("add", {"b": 1}, 404, code="PGRST202"),
    call("add", {"a": "one"}, 400, code="22023"),
    call("add", "{", 400, headers={"Content-Type": "application/json"}, code="PGRST102"),
    case("PATCH", "/rpc/add", status=405, code="PGRST101", content={"a": 1}),
    case("DELETE", "/rpc/add", status=405, code="PGRST101"),
    refused("/rpc/add?a=1", 406, "PGRST107", accept="image/png"),
]

CALLS: dict[str, list[Case]] = {"values": VALUES, "rows": ROWS, "not called": REFUSED}

WRITING = [
    call("rent", {"gear_id": 6, "person_id": 6}, body={"gear_id": 6, "person_id": 6, "days": 14, "note": None}),
    call("rent?select=days,gear(code),people(name)", {"gear_id": 6, "person_id": 1},
         body={"days": 14, "gear": {"code": "X1"}, "people": {"name": "Ada Ek"}}),
    call("rent", {"gear_id": 6, "person_id": 3}, accept="text/csv", body="gear_id,person_id,days,note\n6,3,14,"),
    call("rent", {"gear_id": 6, "person_id": 4}, accept="application/vnd.pgrst.object+json;nulls=stripped",
         body={"gear_id": 6, "person_id": 4, "days": 14}),
    call("rent?select=days", {"gear_id": 6, "person_id": 5}, accept="application/x-ndjson", body=[{"days": 14}]),
    call("rent", {"gear_id": 6, "person_id": 6}, 409, code="23505", differs="errors-in-a-session",
         message='duplicate key value violates unique constraint "rentals_pkey"'),
    call("rent", {"gear_id": 99, "person_id": 6}, 409, code="23503", differs="errors-in-a-session"),
    call("rent", {"gear_id": 6, "person_id": 7, "fail": True}, 402, code="PAY", hint="With money."),
    get("/rentals?gear_id=eq.6&select=person_id", firsts=[1, 3, 4, 5, 6]),
]  # fmt: skip
