"""Section 1.3, embedding: every kind of relationship, hints, joins, spreads, and what narrows and orders them."""

from __future__ import annotations

from typing import Any

from .case import Case, get, refused


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def ids(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number} for number in numbers]


TO_ONE = [
    get(
        "/people?select=id,regions(name)&id=in.(1,6)",
        body=[{"id": 1, "regions": {"name": "Alps"}}, {"id": 6, "regions": None}],
    ),
    get("/people?select=id,region:regions(id,name)&id=eq.5", body=[{"id": 5, "region": {"id": 3, "name": "Tatra"}}]),
    get("/people?select=id,region_id(name)&id=eq.5", body=[{"id": 5, "region_id": {"name": "Tatra"}}]),
    get("/people?select=id,home:region_id(name)&id=eq.5", body=[{"id": 5, "home": {"name": "Tatra"}}]),
    get("/people?select=id,people_region_id_fkey(name)&id=eq.5",
        body=[{"id": 5, "people_region_id_fkey": {"name": "Tatra"}}]),
    get("/people?select=id,regions!region_id(name)&id=eq.5", body=[{"id": 5, "regions": {"name": "Tatra"}}]),
    get("/people?select=id,regions!people_region_id_fkey(name)&id=eq.5",
        body=[{"id": 5, "regions": {"name": "Tatra"}}]),
    get("/people?select=id,regions!left(name)&id=eq.6", body=[{"id": 6, "regions": None}]),
    get("/people?select=name,regions(*)&id=eq.4", body=[
        {"name": "Dário Luz", "regions": {
            "id": 4, "name": "Åland coast", "area": 1580.99, "visitors": None, "coastal": True, "founded": None,
            "about": {"languages": [], "note": None},
        }},
    ]),
    get("/people?select=id,regions(about->peak->>name,a:area::text)&id=eq.1", body=[
        {"id": 1, "regions": {"name": "Mont Blanc", "a": "190700.50"}}
    ]),
    get("/hikes?select=id,trails(name,level)&id=in.(2,12)", body=[
        {"id": 2, "trails": {"name": "Ridge", "level": "hard"}},
        {"id": 12, "trails": {"name": "Lighthouse", "level": None}},
    ]),
    get("/hikes?select=id,hikes_trail_fkey(name)&id=eq.8", body=[{"id": 8, "hikes_trail_fkey": {"name": "Rysy"}}]),
    get("/hikes?select=id,trails!hikes_trail_fkey(name)&id=eq.8", body=[{"id": 8, "trails": {"name": "Rysy"}}]),
    get("/huts?select=id,keeper:people!huts_keeper_fkey(name),founder:people!huts_founder_fkey(name)&id=in.(1,3,6)",
        body=[
        {"id": 1, "keeper": {"name": "Ada Ek"}, "founder": {"name": "Björn Öst"}},
        {"id": 3, "keeper": {"name": "Björn Öst"}, "founder": None},
        {"id": 6, "keeper": None, "founder": None},
    ]),
    get("/huts?select=id,people!keeper_id(name)&id=eq.1", body=[{"id": 1, "people": {"name": "Ada Ek"}}]),
    get("/huts?select=id,keeper_id(name),founder_id(name)&id=eq.1", body=[
        {"id": 1, "keeper_id": {"name": "Ada Ek"}, "founder_id": {"name": "Björn Öst"}}
    ]),
    get("/huts?select=id,huts_founder_fkey(name)&id=eq.4", body=[{"id": 4, "huts_founder_fkey": {"name": "Ada Ek"}}]),
    get("/huts?select=regions(name),regions2:regions(id)&id=eq.1", body=[
        {"regions": {"name": "Alps"}, "regions2": {"id": 1}}
    ]),
    get("/rentals?select=days,gear(code,data->>colour),people(name)&gear_id=eq.1", body=[
        {"days": 14, "gear": {"code": "R1", "colour": "red"}, "people": {"name": "Ada Ek"}},
        {"days": 7, "gear": {"code": "R1", "colour": "red"}, "people": {"name": "Björn Öst"}},
    ]),
    get("/incidents?select=*,hikes(*)", body=[]),
]  # fmt: skip

ONE_TO_ONE = [
    get("/people?select=id,passports(issued)&id=in.(1,4)", body=[
        {"id": 1, "passports": {"issued": "2015-01-01T10:00:00"}}, {"id": 4, "passports": None},
    ]),
    get("/passports?select=person_id,people(name)&person_id=eq.2",
        body=[{"person_id": 2, "people": {"name": "Björn Öst"}}]),
    get("/people?select=id,pass:passports!inner(number)&order=id.desc&limit=1", body=[
        {"id": 10, "pass": {"number": "a0000000-0000-4000-8000-000000000010"}}
    ]),
    get("/people?select=id,...passports(issued)&id=in.(3,9)",
        body=[{"id": 3, "issued": None}, {"id": 9, "issued": None}]),
    get("/people?select=id&passports=is.null", status=400),
    get("/people?select=id,passports()&passports=is.null", body=ids(4, 6, 7, 8, 9)),
    get("/people?select=id,passports(number)&order=passports(issued),id&passports=not.is.null",
        firsts=[10, 1, 5, 2, 3]),
]  # fmt: skip

TO_MANY = [
    get("/regions?select=id,huts(id)&order=id", body=[
        {"id": 1, "huts": ids(1, 2, 8)}, {"id": 2, "huts": ids(3, 4)}, {"id": 3, "huts": ids(5, 6)},
        {"id": 4, "huts": ids(7)}, {"id": 5, "huts": []},
    ]),
    get("/regions?select=name,cabins:huts(name,fee)&id=eq.3", body=[{"name": "Tatra", "cabins": [
        {"name": "Chata pri plese", "fee": 18.9}, {"name": "Zbojnícka", "fee": 18.9},
    ]}]),
    get("/regions?select=huts(*)&id=eq.4", body=[{"huts": [{
        "id": 7, "name": "Båk", "region_id": 4, "keeper_id": 7, "founder_id": 7, "altitude": None, "fee": 12.5,
    }]}]),
    get("/trails?select=name,hikes(id)&region_id=eq.1", body=[
        {"name": "Lake loop", "hikes": ids(1)}, {"name": "Ridge", "hikes": ids(2, 3)},
        {"name": "Glacier walk", "hikes": ids(4)},
    ]),
    get("/hikes?select=id,incidents(report)&id=eq.1", body=[{"id": 1, "incidents": []}]),
    get("/people?select=id,huts!huts_keeper_fkey(id)&id=in.(1,2,4)", body=[
        {"id": 1, "huts": ids(1, 8)}, {"id": 2, "huts": ids(3, 4)}, {"id": 4, "huts": []},
    ]),
    get("/people?select=id,keeps:huts!keeper_id(id),founded:huts!founder_id(id)&id=in.(1,2)", body=[
        {"id": 1, "keeps": ids(1, 8), "founded": ids(4)}, {"id": 2, "keeps": ids(3, 4), "founded": ids(1)},
    ]),
    get("/people?select=id,hikes!leader_id(id)&id=eq.2", body=[{"id": 2, "hikes": ids(5, 6)}]),
    get("/huts?select=id,bookings(night,guest)&id=in.(1,3)", body=[
        {"id": 1, "bookings": [{"night": "2024-07-01", "guest": "Ada"}, {"night": "2024-07-02", "guest": "Ada"}]},
        {"id": 3, "bookings": []},
    ]),
    get("/people?select=id,participants(hike_id,role)&id=eq.10", body=[{"id": 10, "participants": [
        {"hike_id": 6, "role": "guest"}, {"hike_id": 7, "role": "guest"}, {"hike_id": 8, "role": "guide"},
    ]}]),
    get("/regions?select=id,area,huts(name,bookings(guest))&id=eq.2", body=[{"id": 2, "area": 12500, "huts": [
        {"name": "Fjellstua", "bookings": []}, {"name": "Skålatårnet", "bookings": [{"guest": "Zoë"}]},
    ]}]),
    get("/regions?select=id,trails(number,hikes(id,participants(person_id,people(name))))&id=eq.2", body=[
        {"id": 2, "trails": [
            {"number": 1, "hikes": [{"id": 5, "participants": [
                {"person_id": 2, "people": {"name": "Björn Öst"}}, {"person_id": 8, "people": {"name": "adam"}},
            ]}]},
            {"number": 2, "hikes": [{"id": 6, "participants": [
                {"person_id": 2, "people": {"name": "Björn Öst"}}, {"person_id": 4, "people": {"name": "Dário Luz"}},
                {"person_id": 8, "people": {"name": "adam"}}, {"person_id": 10, "people": {"name": "Jo (Joanna)"}},
            ]}]},
        ]},
    ]),
]  # fmt: skip

MANY_TO_MANY = [
    get("/people?select=id,skills(name)&id=in.(1,4,10)", body=[
        {"id": 1, "skills": named("Map reading", "First aid")}, {"id": 4, "skills": []},
        {"id": 10, "skills": named("Map reading", "Cooking")},
    ]),
    get("/skills?select=name,people(id)&order=id", body=[
        {"name": "Map reading", "people": ids(1, 3, 10)}, {"name": "First aid", "people": ids(1, 3, 7)},
        {"name": "Rope work", "people": ids(2, 3)}, {"name": "Cooking", "people": ids(5, 10)},
        {"name": "Singing", "people": []},
    ]),
    get("/people?select=id,skills!people_skills(id)&id=eq.3", body=[{"id": 3, "skills": ids(1, 2, 3)}]),
    get("/people?select=id,walks:hikes!participants(id)&id=in.(2,9)", body=[
        {"id": 2, "walks": ids(1, 5, 6)}, {"id": 9, "walks": []},
    ]),
    get("/hikes?select=id,people!participants(id)&id=in.(1,9)", body=[
        {"id": 1, "people": ids(1, 2, 3, 8)}, {"id": 9, "people": []},
    ]),
    get("/people?select=id,gear(code)&id=in.(1,3)", body=[
        {"id": 1, "gear": [{"code": "R1"}, {"code": "S1"}]}, {"id": 3, "gear": []},
    ]),
    get("/people?select=id,skills(name,\"short name\")&id=eq.5", body=[
        {"id": 5, "skills": [{"name": "Cooking", "short name": None}]}
    ]),
    get("/people?select=id,skills(name),people_skills(level)&id=eq.1", body=[
        {"id": 1, "skills": named("Map reading", "First aid"), "people_skills": [{"level": 5}, {"level": 4}]}
    ]),
    get("/skills?select=id,people(id,skills(id))&id=eq.4", body=[
        {"id": 4, "people": [{"id": 5, "skills": ids(4)}, {"id": 10, "skills": ids(1, 4)}]}
    ]),
]  # fmt: skip

SELF = [
    get("/people?select=id,mentor_id(name)&id=in.(1,2)", body=[
        {"id": 1, "mentor_id": None}, {"id": 2, "mentor_id": {"name": "Ada Ek"}},
    ]),
    get("/people?select=id,mentor:mentor_id(id,mentor:mentor_id(id))&id=eq.4", body=[
        {"id": 4, "mentor": {"id": 2, "mentor": {"id": 1}}}
    ]),
    get("/people?select=id,people(id)&id=in.(1,2,10)", body=[
        {"id": 1, "people": ids(2, 3)}, {"id": 2, "people": ids(4, 8)}, {"id": 10, "people": []},
    ]),
    get("/people?select=id,pupils:people!mentor_id(id)&id=eq.1", body=[{"id": 1, "pupils": ids(2, 3)}]),
    get("/people?select=id,pupils:people(id,pupils:people(id))&id=eq.1", body=[
        {"id": 1, "pupils": [{"id": 2, "pupils": ids(4, 8)}, {"id": 3, "pupils": ids(5)}]}
    ]),
    get("/people?select=id,mentor:mentor_id!inner(name)&mentor.name=like.B*", body=[
        {"id": 4, "mentor": {"name": "Björn Öst"}}, {"id": 8, "mentor": {"name": "Björn Öst"}},
    ]),
    get("/people?select=id,pupils:people(id)&pupils=not.is.null", firsts=[1, 2, 3, 6]),
    refused("/people?select=id,people!people_mentor_id_fkey(id)", 400, "PGRST200"),
]  # fmt: skip

INNER = [
    get("/regions?select=id,huts!inner(id)", firsts=[1, 2, 3, 4]),
    get("/regions?select=id,huts!inner(id)&huts.altitude=gt.2000", body=[{"id": 1, "huts": ids(1, 2, 8)}]),
    get("/regions?select=id,huts(id)&huts.altitude=gt.2000", body=[
        {"id": 1, "huts": ids(1, 2, 8)}, *({"id": number, "huts": []} for number in (2, 3, 4, 5)),
    ]),
    get("/regions?select=id,huts!inner()&huts.fee=eq.0", body=ids(2)),
    get("/people?select=id,skills!inner()&skills.name=eq.Cooking", body=ids(5, 10)),
    get("/people?select=id,skills!inner(name)&skills.name=eq.Cooking&id=lt.6",
        body=[{"id": 5, "skills": named("Cooking")}]),
    get("/people?select=id,regions!inner(name)&regions.coastal=is.true", firsts=[2, 4, 7, 8]),
    get("/people?select=id,regions!inner()&regions.name=eq.Tatra", body=ids(5, 10)),
    get("/people?select=id,regions!region_id!inner(name)&regions.name=eq.Tatra", firsts=[5, 10]),
    get("/people?select=id,regions!inner!region_id(name)&regions.name=eq.Tatra", firsts=[5, 10]),
    get("/regions?select=id,trails!inner(number,hikes!inner(id,rating))&trails.hikes.rating=eq.5", body=[
        {"id": 1, "trails": [{"number": 1, "hikes": [{"id": 1, "rating": 5}]}]},
        {"id": 2, "trails": [{"number": 2, "hikes": [{"id": 6, "rating": 5}]}]},
        {"id": 3, "trails": [{"number": 2, "hikes": [{"id": 8, "rating": 5}]}]},
    ]),
    get("/regions?select=id,trails!inner(number,hikes(id))&trails.level=eq.hard&trails.hikes.rating=eq.4", body=[
        {"id": 1, "trails": [{"number": 2, "hikes": ids(2, 3)}, {"number": 3, "hikes": []}]},
        {"id": 3, "trails": [{"number": 2, "hikes": []}]},
    ]),
    get("/regions?select=id,huts!inner(id)&huts.altitude=gt.1900", prefer="count=exact", firsts=[1, 3],
        has={"content-range": "0-1/2"}),
    get("/regions?select=id,huts!inner(id)&limit=1", prefer="count=exact", status=206, firsts=[1],
        has={"content-range": "0-0/4"}),
    get("/people?select=id,keeper:huts!huts_keeper_fkey!inner(id)&keeper.fee=gt.30", body=[
        {"id": 1, "keeper": ids(1, 8)}, {"id": 3, "keeper": ids(2)},
    ]),
]  # fmt: skip

NULL = [
    get("/regions?select=id,huts(id)&huts=is.null", body=[{"id": 5, "huts": []}]),
    get("/regions?select=id,huts()&huts=is.null", body=ids(5)),
    get("/regions?select=id,huts()&huts=not.is.null", body=ids(1, 2, 3, 4)),
    get("/regions?select=id,huts(id)&huts.altitude=gt.2000&huts=is.null", firsts=[2, 3, 4, 5]),
    get("/people?select=id,regions()&regions=is.null", body=ids(6, 9)),
    get("/people?select=id,skills()&skills=is.null&active=is.true", body=ids(6, 8, 9)),
    get("/people?select=id,skills()&skills.name=eq.Cooking&skills=not.is.null", body=ids(5, 10)),
    get("/regions?select=id,huts()&or=(huts.is.null,id.eq.1)", body=ids(1, 5)),
    get("/people?select=id,skills(),passports()&and=(skills.not.is.null,passports.is.null)", body=ids(7)),
    get("/people?select=id,k:huts!huts_keeper_fkey(),f:huts!huts_founder_fkey()&or=(k.not.is.null,f.not.is.null)",
        body=ids(1, 2, 3, 5, 7, 10)),
    get("/people?select=id,regions(),skills()", firsts=list(range(1, 11))),
]  # fmt: skip

NARROWED = [
    get("/regions?select=id,huts(id)&huts.order=altitude.desc&id=eq.1", body=[{"id": 1, "huts": ids(2, 1, 8)}]),
    get("/regions?select=id,huts(id)&huts.order=fee.asc,id.desc&id=in.(1,3)", body=[
        {"id": 1, "huts": ids(8, 1, 2)}, {"id": 3, "huts": ids(6, 5)},
    ]),
    get("/regions?select=id,huts(id)&huts.limit=1&id=lt.4", body=[
        {"id": 1, "huts": ids(1)}, {"id": 2, "huts": ids(3)}, {"id": 3, "huts": ids(5)},
    ]),
    get("/regions?select=id,huts(id)&huts.limit=1&huts.offset=1&huts.order=id.desc&id=in.(1,4)", body=[
        {"id": 1, "huts": ids(2)}, {"id": 4, "huts": []},
    ]),
    get("/regions?select=id,huts(id)&huts.limit=0&id=eq.1", body=[{"id": 1, "huts": []}]),
    get("/regions?select=id,best:huts(id)&best.order=fee.desc&best.limit=1&id=eq.1", body=[{"id": 1, "best": ids(2)}]),
    get("/regions?select=id,cheap:huts(id),dear:huts(id)&cheap.fee=lt.40&dear.fee=gte.40&id=eq.1", body=[
        {"id": 1, "cheap": ids(1, 8), "dear": ids(2)}
    ]),
    get("/regions?select=id,huts(id)&huts.or=(altitude.is.null,fee.eq.0)&id=in.(2,4)", body=[
        {"id": 2, "huts": ids(4)}, {"id": 4, "huts": ids(7)},
    ]),
    get("/regions?select=id,huts(id)&huts.not.and=(altitude.gt.1000,fee.gt.0)&id=eq.2",
        body=[{"id": 2, "huts": ids(3, 4)}]),
    get("/regions?select=id,huts(id)&huts.name=ilike.*STELLA&id=eq.1", body=[{"id": 1, "huts": ids(2)}]),
    get("/regions?select=id,huts(id)&huts.id=in.(1,3,5)&id=lt.3",
        body=[{"id": 1, "huts": ids(1)}, {"id": 2, "huts": ids(3)}]),
    get("/people?select=id,skills(id)&skills.order=name&id=eq.3", body=[{"id": 3, "skills": ids(2, 1, 3)}]),
    get("/people?select=id,skills(id)&skills.limit=1&skills.order=id.desc&id=in.(1,3)", body=[
        {"id": 1, "skills": ids(2)}, {"id": 3, "skills": ids(3)},
    ]),
    get("/regions?select=id,trails(number,hikes(id))&trails.hikes.order=id.desc&trails.hikes.limit=1"
        "&trails.order=number.desc&id=eq.1",
        body=[{"id": 1, "trails": [
            {"number": 3, "hikes": ids(4)}, {"number": 2, "hikes": ids(3)}, {"number": 1, "hikes": ids(1)},
        ]}]),
    get("/hikes?select=id,trails(name)&trails.level=eq.hard&id=lt.3", body=[
        {"id": 1, "trails": None}, {"id": 2, "trails": {"name": "Ridge"}},
    ]),
    get("/people?select=id,hikes!participants(id)&hikes.weather->>sky=eq.snow&id=in.(3,5)", body=[
        {"id": 3, "hikes": ids(4)}, {"id": 5, "hikes": ids(8)},
    ]),
    get("/regions?select=id,huts(id,keeper:people!huts_keeper_fkey(name))&huts.order=keeper(name).desc,id&id=eq.1",
        body=[
        {"id": 1, "huts": [
            {"id": 2, "keeper": {"name": 'Chiara "Ci" Neri'}}, {"id": 1, "keeper": {"name": "Ada Ek"}},
            {"id": 8, "keeper": {"name": "Ada Ek"}},
        ]},
    ]),
]  # fmt: skip

ORDERED = [
    get("/people?select=id,regions(name)&order=regions(name).desc,id", firsts=[6, 9, 4, 7, 5, 10, 2, 8, 1, 3]),
    get("/people?select=id,regions(name)&order=regions(name),id.desc", firsts=[3, 1, 8, 2, 10, 5, 7, 4, 9, 6]),
    get("/people?select=id,regions(name)&order=regions(area).nullsfirst,id", firsts=[6, 9, 5, 10, 4, 7, 2, 8, 1, 3]),
    get("/people?select=id,home:region_id(name)&order=home(id).desc.nullslast,id&limit=3", firsts=[4, 7, 5]),
    get("/people?select=id,regions()&order=regions(about->peak->height).desc.nullslast,id&limit=3", firsts=[1, 3, 5]),
    get("/hikes?select=id,...trails(length)&order=trails(length).desc,id&limit=3", firsts=[2, 3, 6]),
    get("/people?select=id,mentor:mentor_id(name)&order=mentor(name),id", firsts=[2, 3, 4, 8, 5, 7, 1, 6, 9, 10]),
    refused("/people?select=id&order=regions(name)", 400, "PGRST108"),
    refused("/regions?select=id,huts(id)&order=huts(fee)", 400, "PGRST118"),
    refused("/people?select=id,skills(id)&order=skills(name)", 400, "PGRST118"),
]

SPREAD = [
    get("/hikes?select=id,...trails(trail:name,level)&id=eq.1",
        body=[{"id": 1, "trail": "Lake loop", "level": "easy"}]),
    get("/people?select=id,...regions(region:name,area)&id=in.(1,6)", body=[
        {"id": 1, "region": "Alps", "area": 190700.5}, {"id": 6, "region": None, "area": None},
    ]),
    get("/huts?select=id,...regions(region:name),...people!huts_keeper_fkey(keeper:name)&id=in.(1,6)", body=[
        {"id": 1, "region": "Alps", "keeper": "Ada Ek"}, {"id": 6, "region": "Tatra", "keeper": None},
    ]),
    get("/people?select=id,...mentor_id(mentor:name,...mentor_id(grand:name))&id=eq.4", body=[
        {"id": 4, "mentor": "Björn Öst", "grand": "Ada Ek"}
    ]),
    get("/bookings?select=id,...huts(hut:name,regions(name))&id=eq.4", body=[
        {"id": 4, "hut": "Skålatårnet", "regions": {"name": "Fjordland"}}
    ]),
    get("/people?select=id,...regions!inner(region:name)&regions.coastal=is.true&id=lt.5", body=[
        {"id": 2, "region": "Fjordland"}, {"id": 4, "region": "Åland coast"},
    ]),
    get("/hikes?select=id,...trails(*)&id=eq.5", body=[
        {"id": 5, "region_id": 2, "number": 1, "name": "Waterfall", "length": 3.2, "level": "easy"}
    ]),
    get("/regions?select=id,...huts(huts:name)&id=in.(3,5)", body=[
        {"id": 3, "huts": ["Chata pri plese", "Zbojnícka"]}, {"id": 5, "huts": []},
    ]),
    get("/regions?select=id,...huts(names:name,fee)&huts.order=id.desc&id=eq.1", body=[
        {"id": 1, "names": ["hut eight", "Rifugio Stella", "Cabane du Lac"], "fee": [35, 42.5, 35]}
    ]),
    get("/regions?select=id,...huts(altitude)&id=eq.4", body=[{"id": 4, "altitude": [None]}]),
    get("/people?select=id,...skills(skill:name)&id=in.(1,4)", body=[
        {"id": 1, "skill": ["Map reading", "First aid"]}, {"id": 4, "skill": []},
    ]),
    get("/regions?select=id,...huts!inner(name)&huts.fee=eq.0", body=[{"id": 2, "name": ["Skålatårnet"]}]),
    get("/regions?select=id,trails(number,...hikes(ratings:rating))&id=eq.4", body=[
        {"id": 4, "trails": [{"number": 1, "ratings": [1]}, {"number": 2, "ratings": [None, 3]}]}
    ]),
    refused("/regions?select=id,x:...huts(name)", 400, "PGRST100"),
]  # fmt: skip

AGGREGATES = [
    get("/regions?select=id,huts(count())&order=id", body=[
        {"id": number, "huts": [{"count": count}]} for number, count in ((1, 3), (2, 2), (3, 2), (4, 1), (5, 0))
    ]),
    get("/regions?select=id,huts(count)&id=in.(1,5)", body=[
        {"id": 1, "huts": [{"count": 3}]}, {"id": 5, "huts": [{"count": 0}]}
    ]),
    get("/regions?select=id,huts(fee.sum(),altitude.max())&id=in.(1,4)", body=[
        {"id": 1, "huts": [{"sum": 112.5, "max": 2750}]}, {"id": 4, "huts": [{"sum": 12.5, "max": None}]},
    ]),
    get("/huts?select=id,region_id(name,count())&id=eq.1", body=[
        {"id": 1, "region_id": {"name": "Alps", "count": 1}},
    ]),
    get("/regions?select=id,huts(altitude,count())&huts.order=altitude&id=eq.1", body=[
        {"id": 1, "huts": [{"altitude": 2400, "count": 2}, {"altitude": 2750, "count": 1}]}
    ]),
    get("/regions?select=id,huts(count())&huts.fee=lt.20&id=in.(2,3)", body=[
        {"id": 2, "huts": [{"count": 1}]}, {"id": 3, "huts": [{"count": 2}]},
    ]),
    get("/people?select=id,skills(count())&id=in.(3,4)", body=[
        {"id": 3, "skills": [{"count": 3}]}, {"id": 4, "skills": [{"count": 0}]},
    ]),
    get("/people?select=id,people_skills(level.avg())&id=eq.1", body=[{"id": 1, "people_skills": [{"avg": 4.5}]}]),
    get("/hikes?select=rating.avg(),leader:people!hikes_leader_id_fkey(name)&leader_id=eq.1", body=[
        {"avg": 4.5, "leader": {"name": "Ada Ek"}}
    ]),
    get("/huts?select=region_id,fee.max(),...regions(region:name)&order=region_id", body=[
        {"region_id": 1, "max": 42.5, "region": "Alps"}, {"region_id": 2, "max": 30, "region": "Fjordland"},
        {"region_id": 3, "max": 18.9, "region": "Tatra"},
        {"region_id": 4, "max": 12.5, "region": "Åland coast"},
    ]),
    get("/people?select=mood,...regions(area.sum())&mood=eq.calm", body=[{"mood": "calm", "sum": 203200.5}]),
    refused("/regions?select=id,...huts(fee.sum())", 400, "PGRST127"),
]  # fmt: skip

REFUSED = [
    refused("/people?select=id,trails(name)", 400, "PGRST200",
            message="Could not find a relationship between 'people' and 'trails' in the schema cache",
            details="Searched for a foreign key relationship between 'people' and 'trails' in the schema 'public', "
            "but no matches were found."),
    refused("/people?select=id,nothing(name)", 400, "PGRST200",
            message="Could not find a relationship between 'people' and 'nothing' in the schema cache"),
    refused("/people?select=id,regions!wrong(name)", 400, "PGRST200",
            details="Searched for a foreign key relationship between 'people' and 'regions' using the hint 'wrong' in "
            "the schema 'public', but no matches were found."),
    refused("/regions?select=id,hikes(id)", 400, "PGRST200"),
    refused("/people?select=id,huts(id)", 300, "PGRST201",
            message="Could not embed because more than one relationship was found for 'people' and 'huts'",
            hint="Try changing 'huts' to one of the following: 'huts!huts_founder_fkey', 'huts!huts_keeper_fkey'. "
            "Find the desired relationship in the 'details' key.",
            details=[
                {"cardinality": "one-to-many", "embedding": "people with huts",
                 "relationship": "huts_founder_fkey using people(id) and huts(founder_id)"},
                {"cardinality": "one-to-many", "embedding": "people with huts",
                 "relationship": "huts_keeper_fkey using people(id) and huts(keeper_id)"},
            ]),
    refused("/huts?select=id,people(id)", 300, "PGRST201",
            details=[
                {"cardinality": "many-to-one", "embedding": "huts with people",
                 "relationship": "huts_founder_fkey using huts(founder_id) and people(id)"},
                {"cardinality": "many-to-one", "embedding": "huts with people",
                 "relationship": "huts_keeper_fkey using huts(keeper_id) and people(id)"},
            ]),
    refused("/people?select=id,hikes(id)", 300, "PGRST201"),
    refused("/hikes?select=id,people(id)", 300, "PGRST201"),
    refused("/huts?select=id,people!id(id)", 300, "PGRST201"),
    refused("/people?select=id,skills(nope)", 400, "42703", message="column skills.nope does not exist"),
    refused("/people?select=id,skills(id)&skills.nope=eq.1", 400, "42703",
        message="column skills.nope does not exist"),
    refused("/people?select=id,skills(id)&skills.order=nope", 400, "42703",
        message="column skills.nope does not exist"),
    refused("/regions?select=id,huts(nope)", 400, "42703", message="column huts_1.nope does not exist"),
    refused("/regions?select=id,huts(id)&huts.nope=eq.1", 400, "42703", message="column huts_1.nope does not exist"),
    refused("/people?select=id,skills(id)&skills.id=eq.x", 400, "22P02"),
    refused("/people?select=id,regions(id)&regions.huts.id=eq.1", 400, "PGRST108"),
    refused("/people?select=id,regions(id)&nothing.limit=1", 400, "PGRST108"),
    refused("/people?select=id,regions(id,huts(id),huts(name))", 400, "42712",
            message='table name "regions_huts_2" specified more than once'),
    refused("/huts?select=id,people!keeper_id(id),people!founder_id(id)", 400, "42712",
            message='table name "huts_people_1" specified more than once'),
    refused("/people?select=id,regions(id", 400, "PGRST100"),
    refused("/people?select=id,regions!a!b(id)", 400, "PGRST100"),
    refused("/people?select=id,skills(id)&skills.limit=-1", 416, "PGRST103"),
]  # fmt: skip

EMBEDS: dict[str, list[Case]] = {
    "to one": TO_ONE,
    "one to one": ONE_TO_ONE,
    "to many": TO_MANY,
    "many to many": MANY_TO_MANY,
    "self": SELF,
    "inner": INNER,
    "null": NULL,
    "narrowed": NARROWED,
    "ordered": ORDERED,
    "spread": SPREAD,
    "aggregates": AGGREGATES,
    "refused": REFUSED,
}
