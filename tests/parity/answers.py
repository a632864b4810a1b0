"""Sections 1.1, 1.6 and 1.7: methods, media types, preferences."""

from __future__ import annotations

from .case import Case, case, get, refused

OBJECT = "application/vnd.pgrst.object+json"
STRIPPED = "application/vnd.pgrst.array+json;nulls=stripped"
NOT_ONE = "Cannot coerce the result to a single JSON object"

METHODS = [
    case("OPTIONS", "/people", status=200),
    case("OPTIONS", "/trails", status=200),
    case("TRACE", "/people", status=405, code="PGRST117"),
    case("GET", "/people/", status=200, rows=10),
    case("GET", "/people/1", status=200),
    case("GET", "/people/99", status=404),
    case("GET", "/trails/3,2", status=200),
    case("GET", "/people/1/2/3", status=404),
]

SINGULAR = [
    get("/people?id=eq.1&select=id,name", accept=OBJECT, body={"id": 1, "name": "Ada Ek"},
        has={"content-type": "application/vnd.pgrst.object+json; charset=utf-8"}),
    get("/people?id=eq.1&select=id", accept="application/vnd.pgrst.object", body={"id": 1}),
    get("/people?id=eq.1&select=id", accept="application/vnd.PGRST.object+JSON", body={"id": 1}),
    get("/people?id=eq.1&select=id,skills(id)", accept=OBJECT, body={"id": 1, "skills": [{"id": 1}, {"id": 2}]}),
    get("/people?select=id&limit=1", accept=OBJECT, body={"id": 1}),
    get("/people?select=count()", accept=OBJECT, body={"count": 10}),
    refused("/people?select=id", 406, "PGRST116", accept=OBJECT, message=NOT_ONE,
        details="The result contains 10 rows"),
    refused("/people?id=eq.99", 406, "PGRST116", accept=OBJECT, message=NOT_ONE, details="The result contains 0 rows"),
    refused("/people?id=lt.3", 406, "PGRST116", accept=OBJECT, prefer="count=exact"),
    refused("/people?select=nope", 400, "42703", accept=OBJECT),
    case("HEAD", "/people?id=eq.1", accept=OBJECT, status=200),
]  # fmt: skip

NULLS = [
    get("/people?id=eq.9", accept=STRIPPED, body=[{"id": 9, "name": "100%_sure", "active": True}],
        has={"content-type": f"{STRIPPED}; charset=utf-8"}),
    get("/people?id=eq.9&select=id,born", accept=f"{OBJECT};nulls=stripped", body={"id": 9}),
    get("/people?id=in.(6,9)&select=email", accept=STRIPPED, body=[{"email": "li@example.cn"}, {}]),
    get("/regions?id=eq.4&select=visitors,about", accept=STRIPPED, body=[{"about": {"languages": []}}]),
    get("/gear?id=eq.3&select=data", accept=STRIPPED, body=[{"data": {"poles": [1, 2, {}]}}]),
    get("/people?id=eq.6&select=id,regions(name),passports(issued)", accept=STRIPPED, body=[{"id": 6}]),
    get("/people?id=eq.3&select=id,passports(issued),skills(id,short name)&skills.id=eq.1", accept=STRIPPED,
        body=[{"id": 3, "passports": {}, "skills": [{"id": 1, "short name": "map"}]}]),
    get("/incidents", accept=STRIPPED, body=[]),
]  # fmt: skip

CSV = [
    get("/people?select=id,name&id=lt.4", accept="text/csv",
        body='id,name\n1,"Ada Ek"\n2,"Björn Öst"\n3,"Chiara ""Ci"" Neri"',
        has={"content-type": "text/csv; charset=utf-8"}),
    get("/people?select=id,mentor_id,active&id=in.(1,4)", accept="text/csv", body="id,mentor_id,active\n1,,t\n4,2,f"),
    get("/people?select=nr:id,full:name&id=eq.5", accept="text/csv", body='nr,full\n5,"Nová, Eva"'),
    get("/regions?select=id,area,visitors,founded&id=in.(1,4)", accept="text/csv",
        body="id,area,visitors,founded\n1,190700.50,9007199254740993,1864-11-10\n4,1580.99,,"),
    get("/people?select=id,joined&id=eq.5", accept="text/csv"),
    get("/passports?select=*&person_id=in.(2,3)", accept="text/csv"),
    get("/gear?select=id,data&id=in.(1,6)", accept="text/csv",
        body='id,data\n1,"{""colour"": ""red"", ""length"": 60}"\n6,"""steel"""'),
    get("/trails?select=name,length&region_id=eq.1", accept="text/csv",
        body="name,length\n\"Lake loop\",5.5\nRidge,14.25\n\"Glacier walk\",9"),
    get("/incidents?select=id,report", accept="text/csv"),
    get("/incidents", accept="text/csv"),
    get("/hikes?select=id,trails(name)&id=eq.1", accept="text/csv", body='id,trails\n1,"{""name"":""Lake loop""}"'),
    get("/regions?select=id,huts(id,bookings(guest))&id=in.(2,5)", accept="text/csv",
        body='id,huts\n2,"[{""id"":3,""bookings"":[]},{""id"":4,""bookings"":[{""guest"":""Zoë""}]}]"\n5,[]'),
    get("/people?select=id,...regions(name,huts(id))&id=in.(4,6)", accept="text/csv",
        body='id,name,huts\n4,"Åland coast","[{""id"":7}]"\n6,,'),
    get("/regions?select=id,...huts(id,keeper:people!keeper_id(id))&id=eq.4", accept="text/csv"),
    get("/people?select=count()", accept="text/csv", body="count\n10"),
    get("/people?select=id&limit=2", accept="text/csv", prefer="count=exact", status=206, body="id\n1\n2",
        has={"content-range": "0-1/10"}),
    refused("/people?select=nope", 400, "42703", accept="text/csv"),
]  # fmt: skip

MEDIA = [
    get("/people?select=id&id=lt.3", accept="application/json", body=[{"id": 1}, {"id": 2}]),
    get("/people?select=id&id=lt.3", accept="*/*", body=[{"id": 1}, {"id": 2}],
        has={"content-type": "application/json; charset=utf-8"}),
    get("/people?select=id&id=lt.3", accept="application/vnd.pgrst.array+json", body=[{"id": 1}, {"id": 2}]),
    get("/people?select=id&id=lt.3", accept="text/html, application/json;q=0.5", body=[{"id": 1}, {"id": 2}]),
    get("/people?select=id&id=lt.3", accept="application/json;q=0.1, text/csv;q=0.9", body="id\n1\n2"),
    get("/people?select=id,name&id=lt.3", accept="application/x-ndjson",
        body=[{"id": 1, "name": "Ada Ek"}, {"id": 2, "name": "Björn Öst"}]),
    get("/people?select=id,skills(id)&id=eq.1", accept="application/x-ndjson",
        body=[{"id": 1, "skills": [{"id": 1}, {"id": 2}]}]),
    get("/incidents", accept="application/x-ndjson", body=""),
    refused("/people", 406, "PGRST107", accept="image/png",
        message="None of these media types are available: image/png"),
    refused("/people", 406, "PGRST107", accept="text/html"),
    refused("/people", 406, "PGRST107", accept="application/vnd.pgrst.plan+json"),
]  # fmt: skip

PREFERENCES = [
    get("/people?select=id&id=eq.1", prefer="handling=strict", has={"preference-applied": "handling=strict"}),
    get("/people?select=id&id=eq.1", prefer="handling=lenient, nonsense=1"),
    get("/people?select=id&id=eq.1", prefer="nonsense", has={"preference-applied": None}),
    get("/people?select=id&id=eq.1", prefer="count=exact,handling=strict",
        has={"preference-applied": "count=exact, handling=strict"}),
    get("/people?select=id&id=eq.1", prefer="return=representation", has={"preference-applied": None}),
    refused("/people", 400, "PGRST122", prefer="handling=strict, foo, bar=1",
            message="Invalid preferences given with handling=strict", details="Invalid preferences: foo, bar=1"),
    refused("/people", 400, "PGRST122", prefer="handling=strict, count=some"),
    get("/people?select=joined&id=eq.1", prefer="timezone=UTC", has={"preference-applied": "timezone=UTC"}),
    get("/people?select=joined&id=eq.1", prefer="handling=strict, timezone=Nowhere/Land", status=400),
    get("/people?select=id&id=eq.1", headers={"Accept-Profile": "public"}, body=[{"id": 1}]),
    refused("/people", 406, "PGRST106", headers={"Accept-Profile": "secret"}),
    case("POST", "/people", headers={"Content-Profile": "secret"}, content={"name": "x"}, status=406, code="PGRST106"),
    case("DELETE", "/people?id=eq.1", headers={"Content-Profile": "secret"}, status=406, code="PGRST106"),
]  # fmt: skip

ANSWERS: dict[str, list[Case]] = {
    "methods": METHODS,
    "singular": SINGULAR,
    "nulls stripped": NULLS,
    "csv": CSV,
    "media types": MEDIA,
    "preferences": PREFERENCES,
}
