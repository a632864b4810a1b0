"""Operators: each filter finds the same rows on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from rowserve.errors import ApiError
from rowserve.query import parse
from rowserve.sql.conditions import Conditions
from rowserve.sql.reflected_types import TextualType, array_of
from rowserve.sql.scope import Parameters

from .sample import PostgreSQLSample, Sample, SQLiteSample, refusal, things

FOUND: list[tuple[str, list[int]]] = [
    ("age=eq.7", [2]),
    ("age=neq.7", [1, 3, 4]),
    ("age=gt.7", [1, 4]),
    ("age=gte.7", [1, 2, 4]),
    ("age=lt.7", [3]),
    ("age=lte.7", [2, 3]),
    ("age=isdistinct.7", [1, 3, 4, 5]),
    ("age=not.isdistinct.7", [2]),
    ("age=not.eq.7", [1, 3, 4]),
    ("age=in.(7,12,99)", [2, 4]),
    ("age=not.in.(7,12)", [1, 3]),
    ("age=in.()", []),
    ("age=not.in.()", [1, 2, 3, 4, 5]),
    ("age=eq(any).{7,12}", [2, 4]),
    ("age=eq(any).{}", []),
    ("age=eq(all).{}", [1, 2, 3, 4, 5]),
    ("age=gt(any).{7,12}", [1, 4]),
    ("age=gt(all).{7,12}", [1]),
    ("age=gte(all).{7,12}", [1, 4]),
    ("age=lt(all).{7,12}", [3]),
    ("age=lte(any).{-5,7}", [2, 3]),
    ("age=not.gt(all).{7,12}", [2, 3, 4]),
    ("age=not.eq(any).{7,12}", [1, 3]),
    ("age=not.eq(any).{}", [1, 2, 3, 4, 5]),
    ("age=is.null", [5]),
    ("age=not.is.null", [1, 2, 3, 4]),
    ("done=is.true", [1, 4]),
    ("done=not.is.true", [2, 3, 5]),
    ("done=is.unknown", [3, 5]),
    ("done=eq.t", [1, 4]),
    ("done=lt.true", [2]),
    ("done=in.(true,no)", [1, 2, 4]),
    ("price=eq.1.5", [1]),
    ("price=eq.1.501", []),
    ("price=gt(any).{1,-1}", [1, 3, 4]),
    ("ratio=in.(0.1,1e15)", [3, 4]),
    ("born=lt.1900-01-01", [1]),
    ("born=eq(any).{1815-12-10,1970-01-01}", [1, 4]),
    ("made=gte.2019-06-01T00:00:00", [1, 2]),
    ("seen=eq.2026-01-02T04:04:05%2B01:00", [1]),
    ("seen=in.(2019-06-01T12:30:00Z)", [2]),
    ("clock=gt.12:00", [1, 4]),
    ("took=gt.1 hour", [1]),
    ("took=lt.0", [2, 4]),
    ("code=eq.000000000000000000000000000000AA", [1]),
    ("code=gt.00000000-0000-0000-0000-0000000000aa", [2, 4]),
    ("raw=eq.\\x01ff", [1]),
    ("raw=in.(\\x01ff,\\x74657874)", [1, 4]),
    ("raw=eq(any).{}", []),
    ("mood=eq.ok", [3]),
    ("mood=gt.sad", [2, 3]),
    ("mood=gte.ok", [2, 3]),
    ("mood=lt.glad", [1, 3]),
    ("mood=lte(all).{ok,glad}", [1, 3]),
    ("mood=in.(sad,glad)", [1, 2]),
    ("name=eq.Ada", [1]),
    ("name=like.A*", [1]),
    ("name=like.a*", [3]),
    ("name=like.*\\%25*", [3]),
    ("name=ilike.É*", [2]),
    ("name=ilike.éMILE", [2]),
    ("name=ilike(any).{ada,É*}", [1, 2]),
    ("name=like(any).{A*,*d}", [1, 3]),
    ("name=like(all).{A*,*a}", [1]),
    ("name=not.like(any).{A*,*d}", [2, 4]),
    ("name=like(any).{}", []),
    ("name=match.^A", [1]),
    ("name=match.^a", [3]),
    ("name=imatch.^a", [1, 3]),
    ("name=imatch.^é", [2]),
    ("name=not.imatch.^a", [2, 4]),
    ("name=match.one$", []),
    ("name=match.(?n)one$", [4]),
    ("name=match.one.line", [4]),
    ("name=match.\\mtwo\\M", [4]),
    ("name=match.[[:punct:]]", [3]),
    ("name=match.^[[:alpha:]]{5}$", [2]),
    ("name=match(any).{^A,two}", [1, 4]),
    ("name=imatch(all).{^a,d}", [1, 3]),
    ("name=match.(line).*\\1", [4]),
    ("name=match.", [1, 2, 3, 4]),
    ("name=match.^(?!A)", [2, 3, 4]),
    ("name=match.***=a_b%25", [3]),
    ('docs=cs.{"a":1}', [1, 4]),
    ('docs=cs.{"b":{"d":[2.5]}}', [1]),
    ('docs=cs.{"b":{"d":[[1]]}}', []),
    ("docs=cs.[1]", [2]),
    ('docs=cs.[{"k":[2]},1]', [2]),
    ('docs=cs."str"', [2, 3]),
    ("docs=cs.{}", [1, 4]),
    ('docs=cd.["str",1,2,{"k":[2,1,0]},3]', [2, 3]),
    ('docs=not.cs.{"a":1}', [2, 3]),
    ('data=cs.{"a":1}', [1]),
    ('docs=eq.{"a":1,"x":[]}', [4]),
    ('docs=neq.{"x":[],"a":1.00}', [1, 2, 3]),
    ('data=eq.{"b":{"c":null},"a":"2"}', [4]),
    ("docs=gt.0", [1, 2, 4]),
    ('docs=in.("\\"str\\"","{\\"a\\":1,\\"x\\":[]}")', [3, 4]),
    ("docs=isdistinct.[]", [1, 2, 3, 4, 5]),
    ("tags=cs.{green}", [1, 3]),
    ("tags=cs.{green,red}", [1]),
    ('tags=cs.{"with,comma","q\\"uote"}', [3]),
    ('tags=cs.["green"]', [1, 3]),
    ("tags=cs.{}", [1, 2, 3]),
    ("tags=cd.{red,green,blue}", [1, 2]),
    ("tags=cd.{}", [2]),
    ("tags=ov.{red,blue}", [1]),
    ('tags=ov.{"NULL"}', [3]),
    ("tags=ov.{}", []),
    ("tags=not.ov.{red}", [2, 3]),
    ("or=(tags.cs.{red},age.eq.7)", [1, 2]),
    ("and=(or(age.eq.7,age.eq.12),name.not.like.É*)", [4]),
    ("not.or=(age.eq.7,name.imatch.^a)", [4]),
    ("body=fts(simple).cat", [1, 2, 4]),
    ("body=fts(simple).fat %26 cat", [1, 4]),
    ("body=fts(simple).'fat' %26 'cat'", [1, 4]),
    ("body=fts(simple).cat %26 !fat", [2]),
    ("body=fts(simple).rat | mat", [1, 2, 4]),
    ("body=fts(simple).ra:*", [2, 3]),
    ("body=fts(simple).fat <-> cat", [1, 4]),
    ("body=fts(simple).cat %26 (rat | mat) %26 !(thin | ran)", [1, 4]),
    ("body=fts(simple).'fat cat'", [1, 4]),
    ("body=fts(simple).", []),
    ("body=plfts(simple).cat mat", [1, 4]),
    ("body=plfts(simple).'fat' %26 'cat'", [1, 4]),
    ("body=phfts(simple).fat cat", [1, 4]),
    ("body=phfts(simple).cat fat", []),
    ("body=wfts(simple).cat -fat", [2]),
    ('body=wfts(simple)."fat mat" or thin', [2, 4]),
    ("body=wfts(simple).mat cat", [1, 4]),
    ("body=not.wfts(simple).cat", [3]),
    ("name=plfts(simple).ada", [1]),
]

ON_SQLITE: dict[str, list[int]] = {
    # Without a type for arrays, {} may be the array that holds nothing as well as the object.
    "docs=cs.{}": [1, 2, 4],
    # What is not in an index was not found, and a row without text is not in it.
    "body=not.wfts(simple).cat": [3, 5],
}
"""Where SQLite finds other rows."""


@pytest.mark.parametrize(("query", "ids"), FOUND, ids=[query for query, _ in FOUND])
def test_a_filter_finds_these_rows(sample: Sample, query: str, ids: list[int]) -> None:
    if sample.name == "sqlite":
        ids = ON_SQLITE.get(query, ids)
    assert sample.find(query) == ids


TOO_COMPLEX = "invalid regular expression: regular expression is too complex"
REFUSED: list[tuple[str, tuple[int, str, str]]] = [
    ("age=eq.x", (400, "22P02", 'invalid input syntax for type integer: "x"')),
    ("age=gt(any).{1,x}", (400, "22P02", 'invalid input syntax for type integer: "x"')),
    ("mood=gt.bad", (400, "22P02", 'invalid input value for enum mood: "bad"')),
    ("age=like.1*", (404, "42883", "operator does not exist: integer ~~ unknown")),
    ("age=ilike(any).{1*}", (404, "42883", "operator does not exist: integer ~~* unknown")),
    ("born=match.x", (404, "42883", "operator does not exist: date ~ unknown")),
    ("mood=imatch.x", (404, "42883", "operator does not exist: mood ~* unknown")),
    ("age=cs.{1}", (404, "42883", "operator does not exist: integer @> unknown")),
    ("body=ov.{1}", (404, "42883", "operator does not exist: text && unknown")),
    ("age=sl.(1,2)", (404, "42883", "operator does not exist: integer << unknown")),
    ("age=fts.x", (404, "42883", "function to_tsvector(integer) does not exist")),
    ("age=fts(english).x", (404, "42883", "function to_tsvector(unknown, integer) does not exist")),
    ("age=is.true", (400, "42804", "argument of IS TRUE must be type boolean, not type integer")),
    ("body=fts.fat cat", (400, "42601", 'syntax error in tsquery: "fat cat"')),
    ("body=fts.(fat", (400, "42601", 'syntax error in tsquery: "(fat"')),
    ("nothing=eq.1", (400, "42703", "column things.nothing does not exist")),
    ("docs=cs.nothing", (400, "22P02", "invalid input syntax for type json")),
    ("name=match.(", (400, "2201B", "invalid regular expression: parentheses () not balanced")),
    ("name=match.[", (400, "2201B", "invalid regular expression: brackets [] not balanced")),
    ("name=imatch.*a", (400, "2201B", "invalid regular expression: quantifier operand invalid")),
    ("name=match.a%2B%2B", (400, "2201B", "invalid regular expression: quantifier operand invalid")),
    ("name=match.\\q", (400, "2201B", "invalid regular expression: invalid escape \\ sequence")),
    ("name=match.[b-a]", (400, "2201B", "invalid regular expression: invalid character range")),
    ("name=match.[[:x:]]", (400, "2201B", "invalid regular expression: invalid character class")),
    ("name=match.a{2,1}", (400, "2201B", "invalid regular expression: invalid repetition count(s)")),
    ("name=match.a\\1", (400, "2201B", "invalid regular expression: invalid backreference number")),
    ("name=match.((a{255}){255}){255}", (400, "2201B", TOO_COMPLEX)),
]  # fmt: skip


@pytest.mark.parametrize(("query", "error"), REFUSED, ids=[query for query, _ in REFUSED])
def test_a_filter_that_makes_no_sense_is_refused(sample: Sample, query: str, error: tuple[int, str, str]) -> None:
    assert refusal(sample, query) == error


@pytest.mark.parametrize("operator", ["sl", "sr", "nxl", "nxr", "adj"])
def test_sqlite_says_that_it_has_no_ranges(on_sqlite: Sample, operator: str) -> None:
    assert refusal(on_sqlite, f"data={operator}.(1,2)")[:2] == (400, "PGRST127")


def test_sqlite_says_what_full_text_search_needs(on_sqlite: Sample) -> None:
    assert refusal(on_sqlite, "data=fts.x") == (400, "PGRST127", "full-text search needs an FTS5 table")


@pytest.mark.parametrize("query", ["body=wfts.-cat", "body=fts.!cat", "body=fts.fat <2> cat", "body=fts.cat:A"])
def test_sqlite_says_what_its_full_text_search_cannot_do(on_sqlite: Sample, query: str) -> None:
    assert refusal(on_sqlite, query)[:2] == (400, "PGRST127")


def test_a_pattern_that_would_take_forever_is_given_up(on_sqlite: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rowserve.sql.regular_expressions.TIMEOUT", 0.05)
    with pytest.raises(ApiError) as raised:
        on_sqlite.run("SELECT match_case(?, ?)", ["^(a|aa|ab)+(b|a|ab)+$", "ab" * 500 + "!"])
    assert (raised.value.status, raised.value.code) == (400, "2201B")
    assert raised.value.message == TOO_COMPLEX


spans = sa.Table(
    "spans",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("span", postgresql.INT4RANGE),
    sa.Column("spans", postgresql.INT4MULTIRANGE),
    sa.Column("days", postgresql.DATERANGE),
    sa.Column("numbers", postgresql.ARRAY(sa.Integer)),
    sa.Column("words", postgresql.ARRAY(sa.String(5))),
    sa.Column("vector", postgresql.TSVECTOR),
    sa.Column("address", postgresql.INET),
    sa.Column("title", sa.JSON),
    sa.Column("bits", TextualType("bit(3)", '"bit"')),
    sa.Column("masks", array_of(TextualType("bit(3)", '"bit"'))),
)


@pytest.fixture(scope="session")
def with_spans(on_postgresql: PostgreSQLSample) -> Sample:
    """A table of types that only PostgreSQL has."""
    on_postgresql.script(
        """
        CREATE TABLE spans (id int PRIMARY KEY, span int4range, spans int4multirange, days daterange, numbers int[],
                            words varchar(5)[], vector tsvector, address inet, title json, bits bit(3), masks bit(3)[]);
        INSERT INTO spans VALUES
            (1, '[1,5)', '{[1,2),[4,5)}', '[2026-01-01,2026-02-01)', '{1,2}', '{a,b}',
             'fat:1 cat:2', '10.0.0.1', '"cats"', '101', '{101,111}'),
            (2, '[5,9)', '{[7,9)}', 'empty', '{2,3,NULL}', '{}',
             to_tsvector('english', 'running rats'), '10.1.0.0/16', '{}', '011', '{}'),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        """
    )
    return on_postgresql


ON_POSTGRESQL: list[tuple[str, list[int]]] = [
    ("span=cs.[2,3)", [1]),
    ("span=cd.[0,6)", [1]),
    ("span=ov.[4,6)", [1, 2]),
    ("span=sl.[5,6)", [1]),
    ("span=sr.[1,5)", [2]),
    ("span=nxr.[1,8)", [1]),
    ("span=nxl.[2,8)", [2]),
    ("span=adj.[5,6)", [1]),
    ("span=eq.[1,4]", [1]),
    ('span=in.("[1,5)","[5,9)")', [1, 2]),
    ("spans=ov.{[1,2)}", [1]),
    ("spans=eq.{[7,9)}", [2]),
    ("days=cs.[2026-01-05,2026-01-06)", [1]),
    ("days=sl.[2027-01-01,)", [1]),
    ("numbers=cs.{2}", [1, 2]),
    ("numbers=cs.[2,1]", [1]),
    ("numbers=cd.{1,2,3}", [1]),
    ("numbers=ov.{3,4}", [2]),
    ("numbers=eq.{1,2}", [1]),
    ("numbers=gt.{1,5}", [2]),
    ("words=cs.{a}", [1]),
    ("words=ov.{x,b}", [1]),
    ("words=eq.{}", [2]),
    ("vector=fts.cat", [1]),
    ("vector=fts(english).run %26 rat", [2]),
    ("vector=wfts(english).rats or cats", [1, 2]),
    ("title=fts(english).cat", [1]),
    ("address=eq.10.0.0.1", [1]),
    ("address=sl.10.0.0.0/8", [1, 2]),
    ("address=in.(10.0.0.1,10.1.0.0/16)", [1, 2]),
    ("address=eq(any).{10.0.0.1}", [1]),
    ("bits=eq.101", [1]),
    ("bits=in.(101,011)", [1, 2]),
    ("bits=neq.1010", [1, 2]),
    ("masks=cs.{111}", [1]),
    ("masks=eq.{101,111}", [1]),
]


@pytest.mark.parametrize(("query", "ids"), ON_POSTGRESQL, ids=[query for query, _ in ON_POSTGRESQL])
def test_postgresql_finds_by_types_of_its_own(with_spans: Sample, query: str, ids: list[int]) -> None:
    assert with_spans.find(query, spans) == ids


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("span=cs.5", 400, "22P02"),
        ("numbers=cs.{x}", 400, "22P02"),
        ("numbers=sl.{1}", 404, "42883"),
        ("numbers=in.({1})", 400, "42704"),
        ("numbers=like.1", 404, "42883"),
        ("numbers=fts.1", 404, "42883"),
        ("address=eq.x", 400, "22P02"),
        ("address=cs.10.0.0.1", 404, "42883"),
        ("vector=fts(klingon).x", 400, "42704"),
        ("title=ov.[1]", 404, "42883"),
    ],
)
def test_postgresql_refuses_what_its_types_do_not_take(with_spans: Sample, query: str, status: int, code: str) -> None:
    with pytest.raises(ApiError) as raised:
        with_spans.find(query, spans)
    assert (raised.value.status, raised.value.code) == (status, code)


notes = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("text", sa.Text),
    info={"fts": ("notes_fts", ("text",))},
)
pages = sa.Table(
    "pages",
    sa.MetaData(),
    sa.Column("id", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("pages", sa.Text),
    info={"fts5": True},
)


def test_sqlite_searches_a_table_whose_key_is_no_rowid(on_sqlite: SQLiteSample) -> None:
    on_sqlite.connection.executescript(
        """
        CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT);
        CREATE VIRTUAL TABLE notes_fts USING fts5(text, content=notes);
        INSERT INTO notes VALUES ('b', 'fat cat'), ('a', 'thin cat'), ('c', 'rat');
        INSERT INTO notes_fts(notes_fts) VALUES ('rebuild');
        """
    )
    assert on_sqlite.find("text=plfts.cat", notes) == ["a", "b"]
    assert on_sqlite.find("text=not.plfts.fat", notes) == ["a", "c"]


def test_sqlite_searches_a_full_text_table_by_itself(on_sqlite: SQLiteSample) -> None:
    on_sqlite.connection.executescript(
        """
        CREATE VIRTUAL TABLE pages USING fts5(id UNINDEXED, title);
        INSERT INTO pages VALUES ('a', 'fat cat'), ('b', 'thin cat');
        """
    )
    assert on_sqlite.find("title=plfts.cat", pages) == ["a", "b"]
    assert on_sqlite.find("title=wfts.cat -thin", pages) == ["a"]
    assert on_sqlite.find("pages=phfts.thin cat", pages) == ["b"]


def test_an_embedded_resource_is_null_where_there_is_no_related_row(sample: Sample) -> None:
    scope, parameters = sample.scope(things), Parameters()
    other = things.alias("other")
    related = sa.exists(sa.select(other.c.id).where(other.c.id == scope.rows.c.age).correlate(scope.rows))
    conditions = Conditions(scope, parameters, lambda name: related if name == "others" else None)
    for query_string, ids in (
        ("others=is.null", [1, 2, 3, 4, 5]),
        ("others=not.is.null", []),
        ("others=is.not_null", []),
        ("or=(others.not.is.null,age.eq.7)", [2]),
        ("age=is.null", [5]),
    ):
        query, values = parse(query_string)
        where = conditions.all_of(query.modifiers.where)
        statement = sa.select(scope.rows.c.id).where(*where).order_by(scope.rows.c.id)
        assert sample.execute(statement, parameters, values) == ids, query_string


def test_the_same_shape_gives_the_same_text(sample: Sample) -> None:
    texts = []
    for query_string in (
        "docs=cs.{}&tags=ov.{a}&name=match(any).{a}&body=fts(simple).a&age=in.(1)&data->a=eq.1",
        "docs=cs.1&tags=ov.{b,c}&name=match(any).{b,c}&body=fts(simple).b|c&age=in.(2,3)&data->a=eq.[2]",
    ):
        scope, parameters = sample.scope(things), Parameters()
        where = Conditions(scope, parameters, lambda name: None).all_of(parse(query_string).query.modifiers.where)
        texts.append(str(sa.select(scope.rows.c.id).where(*where).compile(dialect=sample.dialect)))
    assert texts[0] == texts[1]


def test_values_and_keys_are_never_part_of_the_text(sample: Sample) -> None:
    scope, parameters = sample.scope(things), Parameters()
    query_string = (
        'name=match.secret&docs=cs.{"secret":1}&tags=cs.{secret}&body=fts(simple).secret&data->secret->>key=eq.1'
    )
    where = Conditions(scope, parameters, lambda name: None).all_of(parse(query_string).query.modifiers.where)
    text = str(sa.select(scope.rows.c.id).where(*where).compile(dialect=sample.dialect))
    assert "secret" not in text
    assert "key" not in text
