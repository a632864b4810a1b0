"""Section 1.5: stories of requests that write, each told on fresh rows of gear, rentals and bookings."""

from __future__ import annotations

from typing import Any

from .arranged import ARRANGED
from .calls import WRITING
from .case import Case, get
from .requests import OBJECT, ROWS, delete, gear, patch, post, put

PLAIN: dict[str, Any] = {
    "price": 9.99, "stock": 0, "active": True, "kind": None, "group": None, "weight": None, "big": None, "made": None,
    "checked": None, "added": None, "serial": None, "data": None,
}  # fmt: skip


def codes(*expected: str, query: str = "id=gt.6") -> Case:
    """Which gear there is now."""
    return get(f"/gear?select=code&{query}&order=code", firsts=list(expected))


def stocks(*expected: int) -> Case:
    """The stock of each piece of gear."""
    return get("/gear?select=stock&order=id", firsts=list(expected))


INSERT = [
    post("/gear", gear("N1"), prefer=ROWS, body=[{"id": 7, **gear("N1"), **PLAIN}],
         has={"preference-applied": ROWS, "content-range": "*/*", "content-type": "application/json; charset=utf-8"}),
    post("/gear", gear("N2"), body={"id": 8, **gear("N2"), **PLAIN}, has={"location": "/gear/8"}),
    post("/gear", gear("N3"), prefer="return=minimal", body="",
        has={"preference-applied": "return=minimal", "content-type": None}),
    post("/gear", gear("N4"), prefer="return=headers-only", body="", has={"location": "/gear?id=eq.10"}),
    post("/gear?select=id,code", gear("N5"), prefer=ROWS, body=[{"id": 11, "code": "N5"}]),
    post("/gear?select=nr:id,stock::text", gear("N6"), prefer=ROWS, body=[{"nr": 12, "stock": "0"}]),
    post("/gear", gear("N7"), prefer=ROWS, accept=OBJECT, body={"id": 13, **gear("N7"), **PLAIN}),
    post("/gear?select=id", gear("N8"), prefer=f"{ROWS}, count=exact", body=[{"id": 14}],
         has={"content-range": "*/1", "preference-applied": f"{ROWS}, count=exact"}),
    codes("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8"),
]  # fmt: skip

FULL = {
    "id": 100, "code": "ALL", "name": "Zelt “für” zwei 🏔", "price": 1234.5, "stock": 3, "active": False, "kind": "tent",
    "group": "", "weight": 0.1, "big": 2**62, "made": "2024-02-29", "checked": "2024-02-29T23:59:59.999999",
    "added": "2024-02-29T12:00:00.25+00:00", "serial": "a0000000-0000-4000-8000-0000000000ff",
    "data": {"a": [1, 2.5, None, True, {"b": "ü"}], "z": {}},
}  # fmt: skip
TYPES = [
    post("/gear", FULL, prefer=ROWS, body=[FULL]),
    get("/gear?id=eq.100", body=[FULL]),
    post("/gear?select=price,stock,active,weight", gear("T3", price="1.005", stock="3", active="false", weight="2.50"),
        prefer=ROWS,
         body=[{"price": 1.01, "stock": 3, "active": False, "weight": 2.5}]),
    post("/gear?select=added,made", gear("T4", added="2024-01-01T02:00:00+02:00", made="2024-01-02"), prefer=ROWS,
         body=[{"added": "2024-01-01T00:00:00+00:00", "made": "2024-01-02"}]),
    post("/gear?select=data", gear("T5", data=None), prefer=ROWS, body=[{"data": None}]),
    post("/gear?select=data", gear("T6", data=[1, "two"]), prefer=ROWS, body=[{"data": [1, "two"]}]),
    post("/gear?select=data->a,data->>a", gear("T7", data={"a": 1.5}), prefer=ROWS, body=[{"a": "1.5"}]),
    post("/gear?select=serial", gear("T8", serial="A000000000004000800000000000000F"), prefer=ROWS,
         body=[{"serial": "a0000000-0000-4000-8000-00000000000f"}]),
    post("/gear?select=name", '{"code":"T9","name":"twice","name":"again"}',
        headers={"Content-Type": "application/json"},
         prefer="return=representation", body=[{"name": "again"}]),
    post("/gear?select=id", gear("T10"), prefer=ROWS, body=[{"id": 14}], differs="generated-keys"),
]  # fmt: skip

BULK = [
    post("/gear?select=id,code", [gear("B1"), gear("B2")], prefer=ROWS,
        body=[{"id": 7, "code": "B1"}, {"id": 8, "code": "B2"}]),
    post("/gear", [], prefer=ROWS, body=[]),
    post("/gear", [], prefer="return=minimal", body=""),
    post("/gear", [gear("B3"), gear("B4")], prefer="return=minimal, count=exact", body="",
        has={"content-range": "*/2"}),
    post("/gear", [gear("B5")], prefer="return=headers-only", has={"location": "/gear?id=eq.11"}),
    post("/gear", [gear("B6"), gear("B7")], prefer="return=headers-only", has={"location": None}),
    post("/gear?select=code&order=code.desc", [gear("B8"), gear("B9")], firsts=["B9", "B8"]),
    codes("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9"),
    post("/gear", [gear("X9", stock=1), gear("X8")], 400, code="PGRST102", message="All object keys must match"),
    post("/gear", [gear("X7"), gear("R1")], 409, code="23505"),
    post("/gear", [gear("X6"), 7], 400, code="PGRST102"),
    codes(query="code=like.X*&id=gt.6"),
]  # fmt: skip

COLUMNS = [
    post("/gear?columns=code,name&select=code,price,stock", gear("C1", price=1, junk=2), prefer=ROWS,
         body=[{"code": "C1", "price": 9.99, "stock": 0}]),
    post("/gear?columns=code,name,group&select=group", [gear("C2", group="g"), gear("C3")], prefer=ROWS,
         body=[{"group": "g"}, {"group": None}]),
    post("/gear?columns=code,name,stock&select=stock", [gear("C4", stock=5), gear("C5")],
        prefer=f"{ROWS}, missing=default",
         body=[{"stock": 5}, {"stock": 0}], has={"preference-applied": f"missing=default, {ROWS}"}),
    post('/gear?columns="code",name&select=code', gear("C6"), prefer=ROWS, body=[{"code": "C6"}]),
    post("/gear?columns=id,code,name,price&select=price", [gear("C7")], prefer=f"{ROWS}, missing=default",
        body=[{"price": 9.99}]),
    patch("/gear?id=eq.5&columns=stock&select=id,stock,name", {"stock": 11, "name": "ignored"}, 200, prefer=ROWS,
          body=[{"id": 5, "stock": 11, "name": "Stove"}]),
    post("/gear?columns=code,name,stock", [gear("C8", stock=5), gear("C9")], 400, code="23502"),
    post("/gear?columns=code,nope", gear("C10"), 400, code="PGRST204",
         message="Could not find the 'nope' column of 'gear' in the schema cache"),
    post("/gear", gear("C11", nope=1), 400, code="PGRST204"),
    codes("C1", "C2", "C3", "C4", "C5", "C6", "C7"),
]  # fmt: skip

CSV = {"Content-Type": "text/csv"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODIES = [
    post("/gear?select=code,name,group,stock", 'code,name,group,stock\nV1,"Nut, small",NULL,4\nV2,"say ""hi""",,5\n',
        headers=CSV,
         prefer=ROWS, body=[
             {"code": "V1", "name": "Nut, small", "group": None, "stock": 4},
             {"code": "V2", "name": 'say "hi"', "group": "", "stock": 5},
         ]),
    post("/gear", "code,name\r\nV3,Ärmel\r\n", headers=CSV, prefer="return=minimal", body=""),
    post("/gear?select=active,made,price,data",
        'code,name,active,made,price,data\nV4,x,true,2024-05-05,3.50,"{""a"": 1}"', headers=CSV,
         prefer=ROWS, body=[{"active": True, "made": "2024-05-05", "price": 3.5, "data": {"a": 1}}]),
    post("/gear?select=code", "code,name\n", headers=CSV, prefer=ROWS, body=[]),
    post("/gear?select=code,name", "code=F1&name=Form+of%20it", headers=FORM, prefer=ROWS,
        body=[{"code": "F1", "name": "Form of it"}]),
    post("/gear?select=code,stock", "code=F2&name=x&stock=4", headers=FORM, prefer=ROWS,
        body=[{"code": "F2", "stock": 4}]),
    post("/gear?select=code", gear("F3"), headers={"Content-Type": "application/json; charset=utf-8"}, prefer=ROWS,
        body=[{"code": "F3"}]),
    codes("F1", "F2", "F3", "V1", "V2", "V3", "V4"),
    post("/gear", "code,name\nV5\n", 400, headers=CSV, code="PGRST102",
        message="All lines must have same number of fields"),
    post("/gear", "code,nope\nV6,1\n", 400, headers=CSV, code="PGRST204"),
    post("/gear", "code,name,stock\nV7,x,many\n", 400, headers=CSV, code="22P02"),
    post("/gear", "<xml/>", 400, headers={"Content-Type": "text/xml"}, code="PGRST102",
         message="Content-Type not acceptable: text/xml"),
    post("/gear", "{", 400, headers={"Content-Type": "application/json"}, code="PGRST102",
        message="Empty or invalid json"),
    post("/gear", "", 400, headers={"Content-Type": "application/json"}, code="PGRST102"),
    post("/gear", "7", 400, headers={"Content-Type": "application/json"}, code="PGRST102"),
]  # fmt: skip

MERGE, IGNORE = "resolution=merge-duplicates", "resolution=ignore-duplicates"
UPSERT = [
    post("/gear?select=id,code,name,stock", [{"id": 1, "code": "R1", "name": "Rope, new"}], 200,
        prefer=f"{MERGE}, {ROWS}",
         body=[{"id": 1, "code": "R1", "name": "Rope, new", "stock": 4}],
             has={"preference-applied": f"{MERGE}, {ROWS}"}),
    post("/gear?select=id,name", [{"id": 2, "code": "R2", "name": "again"}, {"id": 30, "code": "U1", "name": "U1"}],
        201,
         prefer=f"{MERGE}, {ROWS}", body=[{"id": 2, "name": "again"}, {"id": 30, "name": "U1"}]),
    post("/gear?on_conflict=code&select=code,stock", [gear("T1", stock=20), gear("U2", stock=1)], 201,
        prefer=f"{MERGE}, {ROWS}",
         body=[{"code": "T1", "stock": 20}, {"code": "U2", "stock": 1}]),
    get("/gear?code=eq.T1&select=id,name,stock,price", body=[{"id": 3, "name": "New T1", "stock": 20, "price": 399}]),
    post("/gear?on_conflict=code&select=code", [gear("T2", stock=99), gear("U3", stock=0)], 201,
        prefer=f"{IGNORE}, {ROWS}",
         body=[{"code": "U3"}], has={"preference-applied": f"{IGNORE}, {ROWS}"}),
    post("/gear?on_conflict=code&select=code", gear("T2", stock=99), 201, prefer=f"{IGNORE}, {ROWS}", body=[]),
    get("/gear?code=eq.T2&select=stock,name", body=[{"stock": 1, "name": 'Tent "Nallo"'}]),
    post("/gear?on_conflict=code", gear("T2", name="Nallo"), 200, prefer=f"{MERGE}, return=minimal", body=""),
    post("/rentals", [{"gear_id": 1, "person_id": 1, "days": 99}, {"gear_id": 6, "person_id": 6, "days": 1}], 201,
         prefer=f"{MERGE}, {ROWS}", body=[
             {"gear_id": 1, "person_id": 1, "days": 99, "note": None},
             {"gear_id": 6, "person_id": 6, "days": 1, "note": None},
         ]),
    post("/rentals?select=gear_id,gear(code)", {"gear_id": 3, "person_id": 5, "days": 8}, 200,
        prefer=f"{MERGE}, {ROWS}",
         body=[{"gear_id": 3, "gear": {"code": "T1"}}]),
    post("/bookings?on_conflict=hut_id,night&select=id,guest", {"hut_id": 1, "night": "2024-07-02", "guest": "Björn"},
        200,
         prefer=f"{MERGE}, {ROWS}", body=[{"id": 2, "guest": "Björn"}]),
    post("/bookings?on_conflict=hut_id,night&columns=hut_id,night,guest,beds&select=guest,beds",
         [{"hut_id": 1, "night": "2024-07-01", "guest": "x", "beds": 3},
             {"hut_id": 7, "night": "2024-07-01", "guest": "y"}], 201,
         prefer=f"{MERGE}, missing=default, {ROWS}", body=[{"guest": "x", "beds": 3}, {"guest": "y", "beds": 1}]),
    post("/gear?on_conflict=nope", gear("U9"), 400, prefer=MERGE, code="42703"),
    post("/gear?on_conflict=name", gear("U9"), 400, prefer=MERGE, code="42P10",
         message="there is no unique or exclusion constraint matching the ON CONFLICT specification"),
    post("/gear", [{"id": 31, "code": "R1", "name": "x"}], 409, prefer=MERGE, code="23505"),
    post("/gear?on_conflict=code", [gear("W1"), gear("W1")], 400, prefer=MERGE, code="21000"),
    get("/gear?id=in.(1,2)&select=name", body=[{"name": "Rope, new"}, {"name": "again"}]),
]  # fmt: skip

STOVE = {"id": 5, **gear("S1"), **PLAIN, "stock": 1}
PUT = [
    put("/gear?id=eq.5", STOVE, 200, prefer=ROWS, body=[STOVE]),
    get("/gear?id=eq.5", body=[STOVE]),
    put("/gear?id=eq.5", {**STOVE, "stock": 2}, 204, prefer="return=minimal", body=""),
    put("/gear?id=eq.50", {**STOVE, "id": 50, "code": "P1"}, 201, prefer=ROWS,
        body=[{**STOVE, "id": 50, "code": "P1"}]),
    put("/gear?id=eq.50&select=id,stock", {**STOVE, "id": 50, "code": "P1", "stock": 3}, 200, prefer=ROWS,
        accept=OBJECT,
        body={"id": 50, "stock": 3}),
    put("/rentals?gear_id=eq.1&person_id=eq.2", {"gear_id": 1, "person_id": 2, "days": 1, "note": None}, 200,
        prefer=ROWS,
        body=[{"gear_id": 1, "person_id": 2, "days": 1, "note": None}]),
    put("/gear", STOVE, 405, code="PGRST105"),
    put("/gear?code=eq.S1", STOVE, 405, code="PGRST105"),
    put("/gear?id=gt.5", STOVE, 405, code="PGRST105"),
    put("/gear?id=eq.5&code=eq.S1", STOVE, 405, code="PGRST105"),
    put("/rentals?gear_id=eq.1", {"gear_id": 1, "person_id": 2, "days": 1, "note": None}, 405, code="PGRST105"),
    put("/gear?id=eq.5&limit=1", STOVE, 400, code="PGRST114"),
    put("/gear?id=eq.6", STOVE, 400, code="PGRST115"),
    put("/gear?id=eq.6", {**STOVE, "id": 6, "code": "R1"}, 409, code="23505"),
    stocks(4, 0, 2, 1, 2, 7, 3),
]  # fmt: skip

UPDATE = [
    patch("/gear?id=eq.1", {"stock": 9}, 204, body="", has={"content-range": "0-0/*"}),
    patch("/gear?id=eq.1", {"stock": 8}, 204, prefer="return=minimal", has={"preference-applied": "return=minimal"}),
    patch("/gear?id=eq.2&select=id,stock", {"stock": 3}, 200, prefer=ROWS, body=[{"id": 2, "stock": 3}]),
    patch("/gear?kind=eq.tent&select=id,price", {"price": "20"}, 200, prefer=f"{ROWS}, count=exact",
          body=[{"id": 3, "price": 20}, {"id": 4, "price": 20}], has={"content-range": "0-1/2"}),
    patch("/gear?id=eq.99", {"stock": 8}, 204, has={"content-range": "*/*"}),
    patch("/gear?id=eq.99", {"stock": 8}, 200, prefer=ROWS, body=[]),
    patch("/gear?id=eq.99", {"stock": 8}, 204, prefer="count=exact", has={"content-range": "*/0"}),
    patch("/gear?id=eq.1", {}, 204, has={"content-range": "*/*"}),
    patch("/gear?id=eq.1", {}, 200, prefer=ROWS, body=[]),
    patch("/gear?id=eq.1&select=group,data,serial", {"group": None, "data": {"new": [1]}, "serial": None}, 200,
        prefer=ROWS,
          body=[{"group": None, "data": {"new": [1]}, "serial": None}]),
    patch("/gear?id=eq.2&select=code", {"code": "RR"}, 200, prefer=ROWS, accept=OBJECT, body={"code": "RR"}),
    patch("/gear?code=like.T*&select=id", {"active": False}, 406, prefer=ROWS, accept=OBJECT, code="PGRST116"),
    get("/gear?id=eq.3&select=active", body=[{"active": True}]),
    patch("/gear?or=(id.eq.5,name.ilike.ICE*)&select=id", {"big": "9007199254740993"}, 200, prefer=ROWS, firsts=[5, 6]),
    patch("/rentals?gear_id=eq.1&person_id=eq.2&select=days,gear(code),people(name)", {"days": 2}, 200, prefer=ROWS,
          body=[{"days": 2, "gear": {"code": "R1"}, "people": {"name": "Björn Öst"}}]),
    patch("/gear/6", {"stock": 70}, 200),
    patch("/gear/99", {"stock": 70}, 404),
    patch("/gear?select=id&order=id", {"added": "2024-01-01T00:00:00Z"}, 200, prefer=ROWS, firsts=[1, 2, 3, 4, 5, 6]),
    patch("/gear?select=id&order=price.desc,id", {"big": 1}, 200, prefer=ROWS, firsts=[1, 2, 5, 3, 4, 6]),
    patch("/gear?select=id&order=id&limit=1", {"big": 2}, 200, prefer=ROWS, firsts=[1, 2, 3, 4, 5, 6]),
    patch("/gear?id=eq.1", {"nope": 1}, 400, code="PGRST204"),
    patch("/gear?nope=eq.1", {"stock": 1}, 400, code="42703"),
    patch("/gear?id=eq.1", {"stock": "many"}, 400, code="22P02"),
    patch("/gear?id=eq.1", {"stock": -1}, 400, code="23514", differs="failing-row"),
    patch("/gear?id=eq.1", {"name": None}, 400, code="23502"),
    patch("/gear?id=eq.1", {"code": "S1"}, 409, code="23505"),
    patch("/rentals?gear_id=eq.3", {"person_id": 99}, 409, code="23503"),
    patch("/rentals?gear_id=eq.1", {"person_id": 99}, 409, code="23505", differs="key-of-an-update"),
    patch("/gear?id=eq.1", "{", 400, headers={"Content-Type": "application/json"}, code="PGRST102"),
    stocks(8, 3, 2, 1, 10, 70),
]  # fmt: skip

DELETE = [
    delete("/rentals?gear_id=eq.5", 204, body="", has={"content-range": "*/*"}),
    delete("/gear?id=eq.5&select=id,code", 200, prefer=ROWS, body=[{"id": 5, "code": "S1"}]),
    delete("/gear?id=eq.99", 204),
    delete("/gear?id=eq.99", 200, prefer=ROWS, body=[]),
    delete("/bookings?hut_id=eq.1", 204, prefer="count=exact", has={"content-range": "*/2"}),
    delete("/rentals?gear_id=eq.3&select=days,gear(code,kind),...people(name)", 200, prefer=ROWS,
           body=[{"days": 3, "gear": {"code": "T1", "kind": "tent"}, "name": "Nová, Eva"}]),
    delete("/gear?id=in.(2,3)&select=id", 406, prefer=ROWS, accept=OBJECT, code="PGRST116"),
    delete("/gear?id=eq.2&select=id", 200, prefer=ROWS, accept=OBJECT, body={"id": 2}),
    delete("/gear?id=eq.3", 204, content={}),
    delete("/gear/4", 204),
    delete("/gear/99", 404),
    delete("/gear?id=eq.1", 409, code="23503"),
    delete("/gear?nope=eq.1", 400, code="42703"),
    delete("/bookings?select=id", 200, prefer=ROWS, firsts=[3, 4, 5]),
    get("/bookings", body=[]),
    codes("R1", "X1", query="id=gt.0"),
]  # fmt: skip

STRICT = "handling=strict"
AFFECTED = [
    patch("/gear?id=lt.4", {"stock": 1}, 400, prefer=f"{STRICT}, max-affected=2", code="PGRST124",
          message="Query result exceeds max-affected preference constraint", details="The query affects 3 rows"),
    stocks(4, 0, 2, 1, 10, 7),
    patch("/gear?id=lt.4&select=id", {"stock": 1}, 200, prefer=f"{STRICT}, max-affected=3, {ROWS}", firsts=[1, 2, 3],
          has={"preference-applied": f"{ROWS}, {STRICT}, max-affected=3"}),
    patch("/gear?id=lt.4", {"stock": 2}, 204, prefer="max-affected=2"),
    patch("/gear?id=lt.4", {"stock": 3}, 204, prefer="handling=lenient, max-affected=2"),
    delete("/bookings?hut_id=lt.3", 400, prefer=f"{STRICT}, max-affected=1", code="PGRST124",
        details="The query affects 3 rows"),
    delete("/bookings?hut_id=lt.3", 204, prefer=f"{STRICT}, max-affected=3"),
    delete("/bookings?hut_id=eq.99", 204, prefer=f"{STRICT}, max-affected=0"),
    stocks(3, 3, 3, 1, 10, 7),
    get("/bookings?select=id", firsts=[4, 5]),
]  # fmt: skip

ROLLBACK = [
    post("/gear?select=code", gear("K1"), prefer=f"{ROWS}, tx=rollback", body=[{"code": "K1"}],
         has={"preference-applied": f"{ROWS}, tx=rollback"}),
    patch("/gear?id=eq.1&select=stock", {"stock": 77}, 200, prefer=f"{ROWS}, tx=rollback", body=[{"stock": 77}]),
    delete("/bookings?id=lt.3", 204, prefer="tx=rollback"),
    put("/gear?id=eq.60", {**STOVE, "id": 60, "code": "K2"}, 201, prefer=f"{ROWS}, tx=rollback", rows=1),
    post("/gear?select=code", gear("R1"), 409, prefer=f"{ROWS}, tx=rollback", code="23505"),
    codes(),
    stocks(4, 0, 2, 1, 10, 7),
    get("/bookings?select=id", firsts=[1, 2, 3, 4, 5]),
    post("/gear?select=code", gear("K3"), prefer=f"{ROWS}, tx=commit", body=[{"code": "K3"}]),
    codes("K3"),
]  # fmt: skip

EMBEDS = [
    post("/rentals?select=days,gear(code,price),people(name,regions(name))", {"gear_id": 6, "person_id": 1},
        prefer=ROWS,
         body=[{"days": 14, "gear": {"code": "X1", "price": 0},
             "people": {"name": "Ada Ek", "regions": {"name": "Alps"}}}]),
    post("/rentals?select=days,...gear(code),person:people(skills(id))", [
        {"gear_id": 6, "person_id": 3, "days": 1}, {"gear_id": 6, "person_id": 4, "days": 2},
    ], prefer=ROWS, body=[
        {"days": 1, "code": "X1", "person": {"skills": [{"id": 1}, {"id": 2}, {"id": 3}]}},
        {"days": 2, "code": "X1", "person": {"skills": []}},
    ]),
    patch("/gear?id=eq.1&select=code,rentals(days,people(name))", {"stock": 1}, 200, prefer=ROWS, body=[
        {"code": "R1",
            "rentals": [{"days": 14, "people": {"name": "Ada Ek"}}, {"days": 7, "people": {"name": "Björn Öst"}}]},
    ]),
    patch("/gear?id=eq.1&select=stock,people(name)&people.id=eq.2", {"stock": 5}, 200, prefer=ROWS,
          body=[{"stock": 5, "people": [{"name": "Björn Öst"}]}]),
    patch("/gear?id=eq.1&select=stock,rentals(days)&rentals.order=days&rentals.days=gt.1", {"stock": 6}, 200,
        prefer=ROWS,
          body=[{"stock": 6, "rentals": [{"days": 7}, {"days": 14}]}]),
    post("/rentals?select=days,gear(code),people(skills(id))&people.skills.id=gt.1&gear.code=like.T*",
         {"gear_id": 4, "person_id": 1, "days": 30}, prefer=ROWS,
         body=[{"days": 30, "gear": {"code": "T2"}, "people": {"skills": [{"id": 2}]}}]),
    post("/rentals?select=days,gear(code)&gear.code=like.R*", {"gear_id": 4, "person_id": 1, "days": 31}, 200,
         prefer=f"{MERGE}, {ROWS}", body=[{"days": 31, "gear": None}]),
    put("/rentals?gear_id=eq.4&person_id=eq.1&select=days,note,gear(code)&gear.code=like.T*",
        {"gear_id": 4, "person_id": 1, "days": 32, "note": "put"}, 200, prefer=ROWS,
        body=[{"days": 32, "note": "put", "gear": {"code": "T2"}}]),
    delete("/rentals?gear_id=eq.5&person_id=eq.1&select=days,people(name)&people.name=like.A*", 200, prefer=ROWS,
           body=[{"days": 14, "people": {"name": "Ada Ek"}}]),
    post("/bookings?select=guest,huts(name,regions(name))", {"hut_id": 6, "night": "2024-12-24", "guest": "Eva"},
        prefer=ROWS,
         accept=OBJECT, body={"guest": "Eva", "huts": {"name": "Zbojnícka", "regions": {"name": "Tatra"}}}),
    delete("/bookings?guest=eq.Eva&select=id::text,huts(keeper:people!huts_keeper_fkey(name))", 200, prefer=ROWS,
           body=[{"id": "6", "huts": {"keeper": None}}]),
    post("/rentals?select=days,trails(name)", {"gear_id": 6, "person_id": 8}, 400, prefer=ROWS, code="PGRST200"),
    post("/rentals?select=days,nope", {"gear_id": 6, "person_id": 8}, 400, prefer=ROWS, code="42703"),
    get("/rentals?gear_id=eq.6&select=person_id", firsts=[1, 3, 4]),
]  # fmt: skip

BROKEN = [
    post("/gear", gear("R1"), 409, code="23505",
        message='duplicate key value violates unique constraint "gear_code_key"',
         details="Key (code)=(R1) already exists."),
    post("/gear", {"id": 1, **gear("Z1")}, 409, code="23505",
         message='duplicate key value violates unique constraint "gear_pkey"', details="Key (id)=(1) already exists."),
    post("/rentals", {"gear_id": 1, "person_id": 1}, 409, code="23505",
        details="Key (gear_id, person_id)=(1, 1) already exists."),
    post("/bookings", {"hut_id": 1, "night": "2024-07-01", "guest": "x"}, 409, code="23505",
         message='duplicate key value violates unique constraint "bookings_night_key"'),
    post("/rentals", {"gear_id": 99, "person_id": 1}, 409, code="23503",
         message='insert or update on table "rentals" violates foreign key constraint "rentals_gear_id_fkey"',
         details='Key (gear_id)=(99) is not present in table "gear".'),
    delete("/gear?id=eq.3", 409, code="23503",
           message='update or delete on table "gear" violates foreign key constraint "rentals_gear_id_fkey" '
           'on table "rentals"',
           details='Key (id)=(3) is still referenced from table "rentals".'),
    delete("/people?id=eq.9&select=id", 200, prefer=f"{ROWS}, tx=rollback", firsts=[9]),
    post("/gear", {"code": "Z2"}, 400, code="23502",
         message='null value in column "name" of relation "gear" violates not-null constraint'),
    post("/gear", {"code": "Z3", "name": None}, 400, code="23502"),
    post("/gear", {}, 400, code="23502"),
    post("/gear", gear("Z4", stock=-1), 400, code="23514", differs="failing-row",
         message='new row for relation "gear" violates check constraint "gear_stock_check"'),
    post("/gear", gear("Z5", stock="many"), 400, code="22P02", message='invalid input syntax for type integer: "many"'),
    post("/gear", gear("Z6", stock=3_000_000_000), 400, code="22003"),
    post("/gear", gear("Z7", price=123456789.5), 400, code="22003"),
    post("/gear", gear("Z8", made="someday"), 400, code="22007"),
    post("/gear", gear("Z9", serial="x"), 400, code="22P02"),
    post("/gear", gear("Z10", kind="boat"), 400, code="22P02"),
    post("/gear", gear("Z11"), 406, prefer=ROWS, accept="image/png", code="PGRST107"),
    post("/gear", [gear("Z12"), gear("Z13")], 406, prefer=ROWS, accept=OBJECT, code="PGRST116",
         details="The result contains 2 rows"),
    codes(),
]  # fmt: skip

MINIMAL = [
    post("/few/bookings", {"hut_id": 7, "night": "2024-07-01", "guest": "x"}, body="", has={"content-type": None}),
    post("/few/bookings?select=id,beds", {"hut_id": 7, "night": "2024-07-02", "guest": "x"}, prefer=ROWS,
        body=[{"id": 7, "beds": 1}]),
    patch("/few/bookings?id=lt.4&select=id", {"beds": 1}, 200, prefer=ROWS, firsts=[1, 2, 3]),
    delete("/few/bookings?id=lt.4", 204),
    get("/bookings?select=id", firsts=[4, 5, 6, 7]),
]  # fmt: skip

STORIES: dict[str, list[Case]] = {
    "insert": INSERT,
    "types": TYPES,
    "bulk": BULK,
    "columns": COLUMNS,
    "bodies": BODIES,
    "upsert": UPSERT,
    "put": PUT,
    "update": UPDATE,
    "delete": DELETE,
    "max-affected": AFFECTED,
    "rollback": ROLLBACK,
    "representation with embeds": EMBEDS,
    "minimal": MINIMAL,
    "broken": BROKEN,
    "functions": WRITING,
    **ARRANGED,
}
