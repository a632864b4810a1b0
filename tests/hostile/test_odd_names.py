"""Names that have to be quoted, escaped and encoded are names like any other: what they name is read and written."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from tests.openapi import check_document, parameters

from .odd import ARGUMENT, COLUMNS, FUNCTION, KEY, LINK, OTHER, PARENT, TABLES, UP, Odd

pytestmark = pytest.mark.anyio

KEYS = ("x'\"y?a=1&b", "%41", "\\", "a\nb", "a,b", " ", "🦉", "%s", "#")
REPRESENTATION = {"prefer": "return=representation"}


def named(name: str) -> str:
    """A name as the dialect has it in double quotes, percent-encoded."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return quote(f'"{escaped}"', safe="")


def segment(name: str) -> str:
    """A name as a segment of a path."""
    return quote(name, safe="")


@pytest.mark.parametrize("name", COLUMNS)
async def test_a_column_is_read(odd: Odd, name: str) -> None:
    column, value = named(name), named(name)
    for query in (
        f"select={column}&id=eq.1",
        f"select={column}&{column}=eq.{quote(name, safe='')}",
        f"select={column}&{column}=in.({value},{value})",
        f"select={column}&{column}=eq(any).{{{value}}}",
        f"select={column}&or=({column}.eq.{value},{column}.eq.{value})",
        f"select={column}&not.and=({column}.is.null)",
        f"select={column}&{column}=not.is.null&order={column}.desc.nullsfirst",
        f"select={column}::text&limit=1",
        f"select={column}:{column}&limit=1",
    ):
        answer = await odd.ask("GET", f"/odd?{query}")
        assert (answer.status_code, answer.json()) == (200, [{name: name}]), query
    order = await odd.ask("GET", f"/odd?select=id&order={column}.desc.nullsfirst")
    assert order.json() == [{"id": 2}, {"id": 1}]
    aggregated = await odd.ask("GET", f"/odd?select={column},most:{column}.max()&order={column}&limit=1")
    assert aggregated.json() == [{name: name, "most": name}]
    alias = await odd.ask("GET", f"/odd?select={column}:id,id&id=eq.2")
    assert alias.json() == [{name: 2, "id": 2}]
    table = await odd.ask("GET", f"/odd?select={column}&id=eq.1", headers={"accept": "text/csv"})
    assert table.text == f"{csv(name)}\n{csv(name)}"


def csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\n\\() ') else text


@pytest.mark.parametrize("name", COLUMNS)
async def test_a_column_is_written(odd: Odd, name: str) -> None:
    column, value = named(name), "'\"; $1 %s :x ?\n"
    inserted = await odd.ask("POST", f"/odd?select=id,{column}", json={"id": 7, name: value})
    assert (inserted.status_code, inserted.json()) == (201, {"id": 7, name: value})
    columns = await odd.ask("POST", f"/odd?select={column}&columns=id,{column}", json={"id": 8, name: "8", "other": 1})
    assert columns.json() == {name: "8"}
    changed = await odd.ask("PATCH", f"/odd?id=eq.7&select={column}", json={name: "new"}, headers=REPRESENTATION)
    assert changed.json() == [{name: "new"}]
    found = await odd.ask("PATCH", f"/odd?{column}=eq.new&select=id", json={name: value}, headers=REPRESENTATION)
    assert found.json() == [{"id": 7}]
    merging = {"prefer": "resolution=merge-duplicates,return=representation"}
    merged = await odd.ask("POST", f"/odd?select={column}", json=[{"id": 7, name: "merged"}], headers=merging)
    assert (merged.status_code, merged.json()) == (200, [{name: "merged"}])
    each = await odd.ask("PATCH", f"/odd?select={column}", json=[{"id": 7, name: "each"}], headers=REPRESENTATION)
    assert each.json() == [{name: "each"}]
    form = await odd.ask("POST", f"/odd?select={column}", data={"id": "9", name: "form"})
    assert form.json() == {name: "form"}
    headers = {"content-type": "text/csv"}
    content = f"id,{csv(name)}\n10,{csv(value)}\n".encode()
    table = await odd.ask("POST", f"/odd?select={column}", content=content, headers=headers)
    assert table.json() == [{name: value}]
    deleted = await odd.ask("DELETE", f"/odd?id=gt.2&select=id,{column}&order=id", headers=REPRESENTATION)
    assert sorted(deleted.json(), key=lambda row: row["id"]) == [
        {"id": 7, name: "each"}, {"id": 8, name: "8"}, {"id": 9, name: "form"}, {"id": 10, name: value},
    ]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
async def test_a_table_is_read_and_embedded(odd: Odd, name: str) -> None:
    path, key, parent = f"/{segment(name)}", named(KEY), named(PARENT)
    listed = await odd.ask("GET", f"{path}?order={parent}.nullslast&select={key},{parent}")
    assert listed.json() == [{KEY: "a'b", PARENT: 1}, {KEY: "c/d?e", PARENT: 2}, {KEY: '🦉,"%s"', PARENT: None}]
    for target in ("odd", parent, named(LINK + name), f"odd!{parent}", f"odd!{named(LINK + name)}"):
        up = await odd.ask("GET", f"{path}?select=up:{target}!inner(id)&{parent}=eq.2&up.id=eq.2&order=up(id)")
        assert up.json() == [{"up": {"id": 2}}], target
    spread = await odd.ask("GET", f"{path}?select=...odd({named('%(a)s')})&{parent}=eq.1")
    assert spread.json() == [{"%(a)s": "%(a)s"}]
    down = await odd.ask(
        "GET", f"/odd?select=id,{named(name)}({key})&{named(name)}=not.is.null&{named(name)}.{key}=neq.x&order=id.desc"
    )
    assert down.json() == [{"id": 2, name: [{KEY: "c/d?e"}]}, {"id": 1, name: [{KEY: "a'b"}]}]
    alias = await odd.ask("GET", f"/odd?select={named(PARENT)}:{named(name)}!{named(LINK + name)}(n:count())&id=eq.1")
    assert alias.json() == [{PARENT: [{"n": 1}]}]


@pytest.mark.parametrize("name", TABLES)
async def test_rows_of_a_table_are_written(odd: Odd, name: str) -> None:
    path, column = f"/{segment(name)}", named(KEY)
    for key in KEYS if name == TABLES[0] else KEYS[:1]:
        location = {"prefer": "return=headers-only"}
        created = await odd.ask("POST", path, json={KEY: key, PARENT: 2}, headers=location)
        assert created.status_code == 201
        assert (await odd.ask("GET", created.headers["location"])).json() == [
            {KEY: key, PARENT: 2, "nothing": None, UP: None}
        ]
        item = f"{path}/{segment(key)}"
        assert (await odd.ask("PATCH", item, json={"nothing": key})).json()["nothing"] == key
        replaced = await odd.ask("PUT", f"{path}?{column}=eq.{segment(key)}", json={KEY: key, "nothing": "put"})
        assert replaced.status_code in (200, 204)
        assert (await odd.ask("GET", item)).json() == {KEY: key, PARENT: None, "nothing": "put", UP: None}
        merging = {"prefer": "resolution=ignore-duplicates,return=representation"}
        ignored = await odd.ask("POST", f"{path}?on_conflict={column}", json=[{KEY: key}], headers=merging)
        assert (ignored.status_code, ignored.json()) == (201, [])
        assert (await odd.ask("DELETE", item)).status_code == 204
        assert (await odd.ask("GET", item)).status_code == 404
    duplicate = await odd.ask("POST", path, json={KEY: "a'b"})
    assert (duplicate.status_code, duplicate.json()["code"]) == (409, "23505")
    for lost in ({PARENT: 99}, {UP: "nobody's"}):
        nowhere = await odd.ask("POST", path, json={KEY: "new", **lost})
        assert (nowhere.status_code, nowhere.json()["code"]) == (409, "23503")
    still = await odd.ask("DELETE", f"{path}?{column}=eq.a'b")
    assert (still.status_code, still.json()["code"]) == (409, "23503")
    assert still.json()["details"] == f'Key ({KEY})=(a\'b) is still referenced from table "{name}".'
    children = await odd.ask("GET", f"{path}?select={named(name)}!{UP}({column})&{column}=eq.a'b")
    assert children.json() == [{name: [{KEY: "c/d?e"}]}]
    parent = await odd.ask("GET", f"{path}?select={UP}({column})&{UP}=not.is.null")
    assert parent.json() == [{UP: {KEY: "a'b"}}]


async def test_pages_of_odd_names_link_to_each_other(odd: Odd) -> None:
    for name in TABLES:
        url, seen = f"/{segment(name)}?select={named(KEY)}&order={named(PARENT)}.nullslast&limit=1", []
        while url:
            answer = await odd.ask("GET", url)
            seen += [row[KEY] for row in answer.json()]
            url = answer.links.get("next", {}).get("url", "")
        assert seen == ["a'b", "c/d?e", '🦉,"%s"']


async def test_a_function_is_called(odd: Odd) -> None:
    if odd.is_sqlite:
        pytest.skip("SQLite has no functions of its own")
    path = f"/rpc/{segment(FUNCTION)}"
    value = "'\"; $1 %s :x\n"
    assert (await odd.ask("POST", path, json={ARGUMENT: value})).json() == value + "7"
    assert (await odd.ask("POST", path, json={OTHER: 8, ARGUMENT: value})).json() == value + "8"
    called = await odd.ask("GET", f"{path}?{named(ARGUMENT)}={segment(value)}&{named(OTHER)}=9")
    assert called.json() == value + "9"


async def test_paths_of_the_document_are_encoded(odd: Odd) -> None:
    document = (await odd.ask("GET", "/")).json()
    paths = {f"/{segment(name)}/" for name in TABLES} | (set() if odd.is_sqlite else {f"/rpc/{segment(FUNCTION)}"})
    assert paths <= set(document["paths"])


async def test_filters_of_the_document_are_spelled_as_the_dialect_has_them(odd: Odd) -> None:
    document = (await odd.ask("GET", "/")).json()
    check_document(document)
    taken = parameters(document, "/odd/", "get")
    for name in ("order", "limit", "a.b", 'we"ird', "nothing"):
        spelled = "nothing" if name == "nothing" else unquote(named(name))
        assert taken[spelled]["description"].startswith("`operator.value`")
        answer = await odd.ask("GET", f"/odd?select=id&{segment(spelled)}=eq.{segment(name)}")
        assert answer.json() == [{"id": 1}]
