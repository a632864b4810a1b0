"""Section 1.4: order, limits, ranges and counts."""

from __future__ import annotations

from typing import Any

from .case import Case, case, get, refused


def ordered(order: str, *ids: int, path: str = "/people", **facts: Any) -> Case:
    """Who comes first."""
    return get(f"{path}?select=id&order={order}", firsts=list(ids), **facts)


def page(query: str, span: str, *ids: int, path: str = "/people", **facts: Any) -> Case:
    """A page, and what ``Content-Range`` says of it."""
    return get(f"{path}?select=id&{query}", firsts=list(ids), **facts, has={"content-range": span})


def ranged(span: str, content_range: str, *ids: int, query: str = "", **facts: Any) -> Case:
    """A page by the ``Range`` header."""
    headers = {"Range-Unit": "items", "Range": span}
    has = {"content-range": content_range}
    return get(f"/people?select=id{query}", headers=headers, firsts=list(ids), has=has, **facts)


ORDERS = [
    get("/people?select=id", firsts=list(range(1, 11))),
    ordered("id.desc", *range(10, 0, -1)),
    ordered("born", 2, 1, 8, 10, 3, 4, 6, 5, 7, 9),
    ordered("born.asc", 2, 1, 8, 10, 3, 4, 6, 5, 7, 9),
    ordered("born.desc", 7, 9, 5, 6, 3, 4, 10, 1, 8, 2),
    ordered("born.nullsfirst", 7, 9, 2, 1, 8, 10, 3, 4, 6, 5),
    ordered("born.desc.nullslast", 5, 6, 3, 4, 10, 1, 8, 2, 7, 9),
    ordered("born.asc.nullsfirst,id.desc", 9, 7, 2, 8, 1, 10, 4, 3, 6, 5),
    ordered("mood,height.desc", 6, 8, 1, 2, 5, 10, 3, 7, 4, 9),
    ordered("active,id.desc", 7, 4, 10, 9, 8, 6, 5, 3, 2, 1),
    ordered("height.desc.nullslast,name", 2, 6, 3, 5, 8, 1, 10, 7, 9, 4),
    ordered("joined.desc.nullslast,id", 7, 8, 5, 3, 4, 1, 2, 10, 6, 9),
    ordered("name", 9, 1, 2, 3, 4, 10, 5, 7, 8, 6),
    ordered("name.desc", 6, 8, 7, 5, 10, 4, 3, 2, 1, 9),
    ordered("area.desc.nullslast", 1, 2, 4, 3, 5, path="/regions"),
    ordered("visitors.nullsfirst", 4, 5, 2, 3, 1, path="/regions"),
    ordered("coastal.desc.nullslast,id.desc", 4, 2, 3, 1, 5, path="/regions"),
    ordered("about->peak->height", 2, 3, 1, 4, 5, path="/regions"),
    ordered("about->peak->>name.desc.nullslast", 1, 3, 2, 4, 5, path="/regions"),
    ordered("weather->temp.desc.nullslast", 6, 3, 1, 5, 2, 12, 10, 8, 11, 4, 7, 9, path="/hikes"),
    ordered("short name.desc.nullslast", 5, 3, 1, 2, 4, path="/skills"),
    get("/trails?select=name&order=region_id.desc,number", firsts=[
        "Boardwalk", "Lighthouse", "Morskie Oko", "Rysy", "Waterfall", "Fjord view", "Lake loop", "Ridge",
            "Glacier walk",
    ]),
    get("/trails?select=name&order=length.desc&limit=2", firsts=["Ridge", "Fjord view"]),
    refused("/people?order=nope", 400, "42703", message="column people.nope does not exist"),
    refused("/people?order=id.up", 400, "PGRST100"),
    refused("/people?order=", 400, "PGRST100"),
    refused("/people?order=id,", 400, "PGRST100"),
]  # fmt: skip

LIMITS = [
    page("limit=3", "0-2/*", 1, 2, 3),
    page("limit=3&offset=8", "8-9/*", 9, 10),
    page("offset=8", "8-9/*", 9, 10),
    page("limit=0", "*/*"),
    page("limit=100", "0-9/*", *range(1, 11)),
    page("offset=100", "*/*"),
    page("offset=10", "*/*"),
    page("limit=2&order=born.desc.nullslast", "0-1/*", 5, 6),
    page("limit=2&mood=eq.calm", "0-1/*", 1, 6),
    page("limit=3&limit=2", "0-1/*", 1, 2),
    page("id=eq.99", "*/*"),
    page("id=gt.0", "*/*", path="/incidents"),
    refused("/people?limit=-1", 416, "PGRST103", message="Requested range not satisfiable",
            details="Limit should be greater than or equal to zero."),
    refused("/people?offset=-1", 416, "PGRST103"),
    refused("/people?limit=some", 400, "PGRST100"),
]  # fmt: skip

RANGES = [
    ranged("0-1", "0-1/*", 1, 2),
    ranged("8-", "8-9/*", 9, 10),
    ranged("2-2", "2-2/*", 3),
    ranged("0-99", "0-9/*", *range(1, 11)),
    ranged("20-30", "*/*"),
    ranged("0-4", "0-1/*", 1, 2, query="&limit=2"),
    ranged("1-4", "2-4/*", 3, 4, 5, query="&offset=2"),
    ranged("0-1", "0-1/10", 1, 2, status=206, prefer="count=exact"),
    ranged("8-20", "8-9/10", 9, 10, status=206, prefer="count=exact"),
    get("/people?select=id", headers={"Range": "0-1"}, firsts=[1, 2]),
    get("/people?select=id", headers={"Range": "5-2"}, status=416, code="PGRST103"),
    get("/people?select=id", headers={"Range": "nonsense"}, rows=10),
    case("HEAD", "/people", headers={"Range": "0-1"}, status=200, has={"content-range": "0-9/*"}),
]

COUNTS = [
    page("", "0-9/10", *range(1, 11), prefer="count=exact"),
    page("limit=3", "0-2/10", 1, 2, 3, prefer="count=exact", status=206),
    page("limit=3&offset=9", "9-9/10", 10, prefer="count=exact", status=206),
    page("limit=0", "*/10", prefer="count=exact", status=206),
    page("offset=10", "*/10", prefer="count=exact", status=206),
    page("mood=eq.calm", "0-2/3", 1, 6, 8, prefer="count=exact"),
    page("mood=eq.calm&limit=1", "0-0/3", 1, prefer="count=exact", status=206),
    page("id=eq.99", "*/0", prefer="count=exact"),
    page("", "*/0", path="/incidents", prefer="count=exact"),
    page("", "0-9/10", *range(1, 11), prefer="count=planned"),
    page("mood=eq.calm&active=is.true", "0-2/2", 1, 6, 8, prefer="count=planned", differs="planned-count"),
    page("limit=2", "0-1/10", 1, 2, prefer="count=estimated", status=206),
    get("/people?select=id&limit=1", prefer="count=exact", status=206, has={"preference-applied": "count=exact"}),
    get("/people?offset=100", prefer="count=exact", status=416, code="PGRST103",
        message="Requested range not satisfiable",
        details="An offset of 100 was requested, but there are only 10 rows.", has={"content-range": "*/10"}),
    case("HEAD", "/people", status=200, body="", has={"content-range": "0-9/*"}),
    case("HEAD", "/people?limit=2", prefer="count=exact", status=206, body="", has={"content-range": "0-1/10"}),
    case("HEAD", "/people?id=eq.1&select=id,skills(name)", prefer="count=exact", status=200,
        has={"content-range": "0-0/1"}),
    case("HEAD", "/people?nope=eq.1", status=400, body=""),
    case("HEAD", "/people?offset=100", prefer="count=exact", status=416, has={"content-range": "*/10"}),
]  # fmt: skip

BOUNDS = [
    page("", "0-1/*", 1, 2, path="/few/people"),
    page("limit=5", "0-1/*", 1, 2, path="/few/people"),
    page("limit=1", "0-0/*", 1, path="/few/people"),
    page("offset=9", "9-9/*", 10, path="/few/people"),
    page("offset=9223372036854775806", "*/*"),
    page("offset=9223372036854775807&limit=9223372036854775807", "*/*"),
    page("limit=9223372036854775807", "0-9/*", *range(1, 11)),
    page("", "0-1/10", 1, 2, path="/few/people", prefer="count=exact", status=206),
    page("mood=eq.tired", "0-1/2", 3, 7, path="/few/people", prefer="count=exact"),
    page("", "0-1/10", 1, 2, path="/few/people", prefer="count=estimated", status=206),
    get("/few/people?select=id,skills(id)&id=eq.3", body=[{"id": 3, "skills": [{"id": 1}, {"id": 2}]}]),
    get("/few/people?select=id,skills(id)&id=eq.3&skills.limit=3&skills.offset=1",
        body=[{"id": 3, "skills": [{"id": 2}, {"id": 3}]}]),
    refused("/few/people?select=count()", 400, "PGRST123", message="Use of aggregate functions is not allowed"),
    refused("/few/people?select=skills(count())", 400, "PGRST123"),
    refused("/few/people?select=skills(people(id))", 400, "PGRST100"),
    case("DELETE", "/few/bookings", status=400, code="21000", message="DELETE requires a WHERE clause"),
    case("PATCH", "/few/bookings", content={"beds": 1}, status=400, code="21000",
        message="UPDATE requires a WHERE clause"),
]  # fmt: skip

PAGES: dict[str, list[Case]] = {
    "orders": ORDERS,
    "limits": LIMITS,
    "ranges": RANGES,
    "counts": COUNTS,
    "bounds": BOUNDS,
}
