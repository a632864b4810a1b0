"""Section 1.3, what a row holds: columns, names, casts, JSON paths, aggregates."""

from __future__ import annotations

from typing import Any

from .case import Case, get, refused


def one(path: str, select: str, row: dict[str, Any], **facts: Any) -> Case:
    """The row of one id, as it is selected."""
    return get(f"{path}&select={select}", body=[row], **facts)


ADA, ALPS, ROPE, HIKE = "/people?id=eq.1", "/regions?id=eq.1", "/gear?id=eq.1", "/hikes?id=eq.1"

COLUMNS = [
    get(
        "/people?id=in.(1,9)",
        body=[
            {
                "id": 1, "name": "Ada Ek", "email": "ada@example.org", "born": "1980-05-17", "height": 1.68,
                    "active": True,
                "mood": "calm", "joined": "2019-03-01T08:00:00+00:00", "mentor_id": None, "region_id": 1,
            },
            {
                "id": 9, "name": "100%_sure", "email": None, "born": None, "height": None, "active": True, "mood": None,
                "joined": None, "mentor_id": None, "region_id": None,
            },
        ],
    ),
    get(
        "/regions?id=in.(1,4)",
        body=[
            {
                "id": 1, "name": "Alps", "area": 190700.5, "visitors": 9_007_199_254_740_993, "coastal": False,
                "founded": "1864-11-10",
                "about": {
                    "peak": {"name": "Mont Blanc", "height": 4806}, "languages": ["fr", "it", "de"], "open": True
                },
            },
            {
                "id": 4, "name": "Åland coast", "area": 1580.99, "visitors": None, "coastal": True, "founded": None,
                "about": {"languages": [], "note": None},
            },
        ],
    ),
    one(
        ROPE,
        "*",
        {
            "id": 1, "code": "R1", "name": "Rope 60 m", "price": 149.9, "stock": 4, "active": True, "kind": "rope",
            "group": "climbing", "weight": 3.9, "big": 2**53 + 1, "made": "2020-02-29", "checked": None,
            "added": "2021-01-01T00:00:00+00:00", "serial": "a0000000-0000-4000-8000-000000000001",
            "data": {"colour": "red", "length": 60},
        },
    ),
    one("/gear?id=eq.3", "checked,data", {"checked": "2022-05-06T07:08:09", "data": {"poles": [1, 2, {"x": None}]}}),
    one("/gear?id=eq.4", "name", {"name": 'Tent "Nallo"'}),
    one("/gear?id=eq.6", "data", {"data": "steel"}),
    one("/people?id=eq.5", "joined", {"joined": "2021-09-09T09:09:09.5+00:00"}),
    one("/passports?person_id=eq.2", "issued", {"issued": "2016-06-06T06:06:06.123456"}),
    one(ADA, "id,name", {"id": 1, "name": "Ada Ek"}),
    one(ADA, "name, id", {"name": "Ada Ek", "id": 1}),
    one(ADA, " id , name ", {"id": 1, "name": "Ada Ek"}),
    one(ADA, "id,id,id", {"id": 1}),
    one(ADA, "full:name,nr:id", {"full": "Ada Ek", "nr": 1}),
    one(ADA, 'the name:name,"a,b":id', {"the name": "Ada Ek", "a,b": 1}),
    one(ADA, "a:name,b:name", {"a": "Ada Ek", "b": "Ada Ek"}),
    one(ADA, "Ünïcode:id", {"Ünïcode": 1}),
    one("/skills?id=eq.2", "short name", {"short name": "aid"}),
    one("/skills?id=eq.2", '"short name"', {"short name": "aid"}),
    one("/skills?id=eq.2", "s:short name", {"s": "aid"}),
    one("/skills?id=eq.2", "*", {"id": 2, "name": "First aid", "short name": "aid"}),
    one(ADA, "*,alias:id", {
        "id": 1, "name": "Ada Ek", "email": "ada@example.org", "born": "1980-05-17", "height": 1.68, "active": True,
        "mood": "calm", "joined": "2019-03-01T08:00:00+00:00", "mentor_id": None, "region_id": 1, "alias": 1,
    }),
    one(ADA, "", {
        "id": 1, "name": "Ada Ek", "email": "ada@example.org", "born": "1980-05-17", "height": 1.68, "active": True,
        "mood": "calm", "joined": "2019-03-01T08:00:00+00:00", "mentor_id": None, "region_id": 1,
    }),
    get("/incidents", body=[]),
    refused("/people?select=nope", 400, "42703", message="column people.nope does not exist"),
    refused("/people?select=id,a:nope", 400, "42703", message="column people.nope does not exist"),
    refused("/people?select=huts.id", 400, "PGRST100"),
    refused("/people?select=id,", 400, "PGRST100"),
    refused("/people?select=id)", 400, "PGRST100"),
]  # fmt: skip

CASTS = [
    one(ADA, "id::text", {"id": "1"}),
    one(ADA, "nr:id::text,name", {"nr": "1", "name": "Ada Ek"}),
    one(ADA, "id::float8", {"id": 1.0}),
    one(ADA, "id::numeric", {"id": 1}),
    one(ADA, "id::bigint", {"id": 1}),
    one(ADA, "id::bool", {"id": True}),
    one(ADA, "height::text", {"height": "1.68"}),
    one(ADA, "height::int", {"height": 2}),
    one(ADA, "active::text", {"active": "true"}),
    one(ADA, "active::int", {"active": 1}),
    one(ADA, "born::text", {"born": "1980-05-17"}),
    one(ADA, "born::timestamp", {"born": "1980-05-17T00:00:00"}),
    one(ADA, "joined::date", {"joined": "2019-03-01"}),
    one(ADA, "joined::text", {"joined": "2019-03-01 08:00:00+00"}),
    one(ADA, "mood::text", {"mood": "calm"}),
    one(ADA, "mentor_id::text", {"mentor_id": None}),
    one(ALPS, "area::int4", {"area": 190701}),
    one(ALPS, "area::text", {"area": "190700.50"}),
    one(ALPS, "visitors::text", {"visitors": "9007199254740993"}),
    one(ALPS, "about->peak->>height::int", {"height": 4806}),
    one(ALPS, "h:about->peak->height::text", {"h": "4806"}),
    one(ALPS, "founded::timestamptz", {"founded": "1864-11-10T00:00:00+00:00"}),
    one("/huts?id=eq.2", "fee::int", {"fee": 43}),
    one("/huts?id=eq.5", "fee::text,price:fee::float8", {"fee": "18.90", "price": 18.9}),
    one("/passports?person_id=eq.1", "number::text", {"number": "a0000000-0000-4000-8000-000000000001"}),
    one("/gear?id=eq.2", "price::varchar", {"price": "79.00"}),
    refused("/people?select=id::nonsense", 400, "42704", message='type "nonsense" does not exist'),
    refused("/people?select=id::uuid", 400, "42846"),
    refused("/people?id=eq.8&select=name::int", 400, "22P02"),
]

PATHS = [
    one(ALPS, "id,about->peak->>name", {"id": 1, "name": "Mont Blanc"}),
    one(ALPS, "about->peak", {"peak": {"name": "Mont Blanc", "height": 4806}}),
    one(ALPS, "about->peak->height", {"height": 4806}),
    one(ALPS, "about->peak->>height", {"height": "4806"}),
    one(ALPS, "about->>open", {"open": "true"}),
    one(ALPS, "about->open", {"open": True}),
    one(ALPS, "top:about->peak->name", {"top": "Mont Blanc"}),
    one(ALPS, "about->languages->0", {"languages": "fr"}),
    one(ALPS, "about->languages->>-1", {"languages": "de"}),
    one(ALPS, "about->languages->9", {"languages": None}),
    one(ALPS, "about->languages", {"languages": ["fr", "it", "de"]}),
    one(ALPS, "about->nothing->at->all", {"all": None}),
    one("/regions?id=eq.4", "about->note", {"note": None}),
    one("/regions?id=eq.4", "about->>note,about->>languages", {"note": None, "languages": "[]"}),
    one("/regions?id=eq.5", "about->peak,about->>open", {"peak": None, "open": None}),
    one(HIKE, "weather->temp,text:weather->>temp", {"temp": 12.5, "text": "12.5"}),
    one(HIKE, "weather->wind->>speed", {"speed": "3"}),
    one("/gear?id=eq.3", "data->poles->2->x,data->poles->2", {"x": None, "poles": {"x": None}}),
    one("/gear?id=eq.6", "data->0", {"data": "steel"}, differs="index-of-a-json-scalar"),
    one("/gear?id=eq.6", "data->x", {"x": None}),
    one(ADA, "name->x", {"x": None}),
    one(ALPS, "about->>peak", {"peak": '{"name": "Mont Blanc", "height": 4806}'}),
    refused("/people?select=name->", 400, "PGRST100"),
]

AGGREGATES = [
    get("/people?select=count()", body=[{"count": 10}]),
    get("/people?select=count", body=[{"count": 10}]),
    get("/people?select=n:count()", body=[{"n": 10}]),
    get("/people?select=count()::text", body=[{"count": "10"}]),
    get("/incidents?select=count()", body=[{"count": 0}]),
    get("/incidents?select=max:id.max(),sum:id.sum()", body=[{"max": None, "sum": None}]),
    get("/incidents?select=hike_id,count()", body=[]),
    get("/people?select=count()&active=is.false", body=[{"count": 2}]),
    get("/people?select=height.count(),born.count()", body=[{"count": 8}]),
    get("/people?select=a:height.count(),b:born.count()", body=[{"a": 8, "b": 8}]),
    get("/people?select=height.max(),born.min()", body=[{"max": 1.91, "min": "1975-12-31"}]),
    get("/people?select=joined.max()", body=[{"max": "2022-02-22T22:22:22+00:00"}]),
    get("/people?select=name.min()&id=lt.5", body=[{"min": "Ada Ek"}]),
    get("/hikes?select=rating.sum(),rating.min(),rating.max()", body=[{"sum": 34, "min": 1, "max": 5}]),
    get("/hikes?select=rating.avg()", body=[{"avg": 34 / 9}]),
    get("/hikes?select=rating.avg()::int", body=[{"avg": 4}]),
    get("/huts?select=fee.sum(),fee.avg()", body=[{"sum": 192.8, "avg": 24.1}]),
    get("/huts?select=fee.sum()::int", body=[{"sum": 193}]),
    get("/huts?select=total:fee.sum()::text", body=[{"total": "192.80"}]),
    get("/huts?select=fee.max()::text,least:fee.min()::text", body=[{"max": "42.50", "least": "0.00"}]),
    get(
        "/participants?select=role,paid.sum()::text&order=role",
        body=[{"role": "guest", "sum": "179.74"}, {"role": "guide", "sum": "0.00"}],
    ),
    get("/huts?select=fee.sum()::numeric,least:fee.min()::float8", body=[{"sum": 192.8, "least": 0}]),
    get("/people?select=height.sum()::text,id.sum()::text", status=200),
    get("/huts?select=fee.avg()::text&id=lt.3", body=[{"avg": "38.7500000000000000"}], differs="text-of-an-average"),
    get("/trails?select=length.sum()&region_id=eq.1", body=[{"sum": 28.75}]),
    get("/regions?select=visitors.max(),visitors.min()", body=[{"max": 9_007_199_254_740_993, "min": 0}]),
    get("/regions?select=visitors.sum()&id=neq.1", body=[{"sum": 4_600_000}]),
    get("/hikes?select=weather->>temp::numeric.sum()", body=[{"sum": 62.5}]),
    get("/hikes?select=t:weather->temp::float8.max()", body=[{"t": 18}]),
    get(
        "/people?select=mood,count()&order=mood",
        body=[{"mood": m, "count": n} for m, n in (("calm", 3), ("keen", 3), ("tired", 2), (None, 2))],
    ),
    get(
        "/huts?select=region_id,fee.max()&order=region_id.desc",
        body=[{"region_id": r, "max": m} for r, m in ((4, 12.5), (3, 18.9), (2, 30), (1, 42.5))],
    ),
    get(
        "/huts?select=region_id,fee.max()&order=region_id&limit=2&offset=1",
        body=[{"region_id": 2, "max": 30}, {"region_id": 3, "max": 18.9}],
        has={"content-range": "1-2/*"},
    ),
    get(
        "/hikes?select=leader_id,n:count(),best:rating.max()&leader_id=lt.4&order=leader_id",
        body=[
            {"leader_id": 1, "n": 2, "best": 5},
            {"leader_id": 2, "n": 2, "best": 5},
            {"leader_id": 3, "n": 2, "best": 4},
        ],
    ),
    get(
        "/hikes?select=weather->>sky,count()&order=weather->>sky",
        body=[
            {"sky": sky, "count": n}
            for sky, n in (("clear", 4), ("cloud", 2), ("fog", 1), ("rain", 1), ("snow", 2), (None, 2))
        ],
    ),
    get(
        "/people?select=year:born::text,count()&born=eq.1990-02-28",
        body=[{"year": "1990-02-28", "count": 2}],
    ),
    get("/people?select=mood,count()&order=mood", prefer="count=exact", rows=4),
    get("/regions?select=about->open,n:count()&about->open=eq.true", body=[{"open": True, "n": 2}]),
    get("/people?select=born.max()::text,id.sum()::text", body=[{"max": "2001-07-07", "sum": "55"}]),
    get("/hikes?select=rating.avg()::numeric,length:note.count()", body=[{"avg": 34 / 9, "length": 9}]),
    get("/passports?select=number.count()", body=[{"count": 5}]),
    refused("/people?select=name.avg()", 404, "42883"),
    refused("/people?select=born.sum()", 404, "42883"),
    refused("/people?select=active.avg()", 404, "42883"),
    refused("/people?select=name.sum()", 404, "42883"),
    refused("/people?select=active.max()", 404, "42883"),
    refused("/people?select=nope.sum()", 400, "42703", message="column people.nope does not exist"),
    refused("/people?select=id.median()", 400, "PGRST100"),
]

SELECTS: dict[str, list[Case]] = {"columns": COLUMNS, "casts": CASTS, "paths": PATHS, "aggregates": AGGREGATES}
