"""Query strings, and what they mean."""

from __future__ import annotations

import pytest

from rowserve.query import (
    Column,
    Comparison,
    Embed,
    Field,
    Is,
    JsonStep,
    Logic,
    Modifiers,
    Order,
    Query,
    Star,
    embeds_by_name,
    parse,
    unparse,
)


def column(name: str) -> Column:
    return Column(Field(name))


def where(*conditions: Comparison | Is | Logic) -> Query:
    return Query(modifiers=Modifiers(where=conditions))


def selecting(*items: Star | Column | Embed) -> Query:
    return Query(select=items)


A, B, ID, YEAR = Field("a"), Field("b"), Field("id"), Field("year")


@pytest.mark.parametrize(
    ("query_string", "query", "values"),
    [
        ("", Query(), ()),
        ("a", Query(), ()),
        ("&&a&", Query(), ()),
        ("id=eq.5", where(Comparison(ID, "eq", 0)), ("5",)),
        ("id=eq.", where(Comparison(ID, "eq", 0)), ("",)),
        ("id=eq.a.b(c)%22%2B+%C3%A9", where(Comparison(ID, "eq", 0)), ('a.b(c)"+ é',)),
        ("id=not.gt.-5", where(Comparison(ID, "gt", 0, negated=True)), ("-5",)),
        ("id=gt.1&id=lt.9", where(Comparison(ID, "gt", 0), Comparison(ID, "lt", 1)), ("1", "9")),
        ("id=in.(1,2,3)", where(Comparison(ID, "in", 0)), (("1", "2", "3"),)),
        ("id=in.()", where(Comparison(ID, "in", 0)), ((),)),
        ('id=in.("")', where(Comparison(ID, "in", 0)), (("",),)),
        ("id=in.(,)", where(Comparison(ID, "in", 0)), (("", ""),)),
        (r'id=not.in.("a,b","c\"d\\",e"f)', where(Comparison(ID, "in", 0, True)), (("a,b", 'c"d\\', 'e"f'),)),
        ("id=is.NULL", where(Is(ID, "null")), ()),
        ("id=not.is.not_null", where(Is(ID, "not_null", negated=True)), ()),
        ("a=isdistinct.1", where(Comparison(A, "isdistinct", 0)), ("1",)),
        ("a=like(any).{O*,P*}", where(Comparison(A, "like", 0, quantifier="any")), (("O*", "P*"),)),
        (r'a=eq(all).{ "x,\"y" , z }', where(Comparison(A, "eq", 0, quantifier="all")), (('x,"y', "z"),)),
        ("a=eq(any).{}", where(Comparison(A, "eq", 0, quantifier="any")), ((),)),
        ("a=not.wfts(english).fat -cat", where(Comparison(A, "wfts", 0, True, None, "english")), ("fat -cat",)),
        ("a=fts.cat", where(Comparison(A, "fts", 0)), ("cat",)),
        ('a=cs.{"b":{"c":1}}', where(Comparison(A, "cs", 0)), ('{"b":{"c":1}}',)),
        ("a=ov.[1,5)", where(Comparison(A, "ov", 0)), ("[1,5)",)),
        (
            "a->b->>0=eq.1",
            where(Comparison(Field("a", (JsonStep("->", "b"), JsonStep("->>", 0))), "eq", 0)),
            ("1",),
        ),
        (
            'a->-1->>"0"=eq.1',
            where(Comparison(Field("a", (JsonStep("->", -1), JsonStep("->>", "0"))), "eq", 0)),
            ("1",),
        ),
        ('"a.b"=eq.1', where(Comparison(Field("a.b"), "eq", 0)), ("1",)),
        ('"order"=eq.1', where(Comparison(Field("order"), "eq", 0)), ("1",)),
        ("+a+-+b+=eq.1", where(Comparison(Field("a-b"), "eq", 0)), ("1",)),
        ("a-b+c=eq.1", where(Comparison(Field("a-b c"), "eq", 0)), ("1",)),
        (
            "or=(a.eq.1,not.and(b.gt.2,a.is.null),b.in.(x,y))",
            where(
                Logic(
                    "or",
                    (
                        Comparison(A, "eq", 0),
                        Logic("and", (Comparison(B, "gt", 1), Is(A, "null")), negated=True),
                        Comparison(B, "in", 2),
                    ),
                )
            ),
            ("1", "2", ("x", "y")),
        ),
        (
            r'not.and=( a.eq."x,\"y)", b.cs.{1,2} , b.like(any)."{\"p,q\",r}")',
            where(
                Logic(
                    "and",
                    (Comparison(A, "eq", 0), Comparison(B, "cs", 1), Comparison(B, "like", 2, quantifier="any")),
                    negated=True,
                )
            ),
            ('x,"y)', "{1,2}", ("p,q", "r")),
        ),
        (
            "and=(a.not.eq.,b.eq.2)",
            where(Logic("and", (Comparison(A, "eq", 0, True), Comparison(B, "eq", 1)))),
            ("", "2"),
        ),
        ("limit=15&offset=030", Query(modifiers=Modifiers(limit=0, offset=1)), (15, 30)),
        ("limit=1&limit=2", Query(modifiers=Modifiers(limit=0)), (2,)),
        ("limit=20.last", Query(modifiers=Modifiers(limit=0, backward=True)), (20,)),
        ("limit=9.last&limit=5", Query(modifiers=Modifiers(limit=0)), (5,)),
        ("limit=+7+", Query(modifiers=Modifiers(limit=0)), (7,)),
        ("limit=-0", Query(modifiers=Modifiers(limit=0)), (0,)),
        (
            "order=a.desc.nullslast,b->>c.asc,id.nullsfirst",
            Query(
                modifiers=Modifiers(
                    order=(
                        Order(A, descending=True, nulls="last"),
                        Order(Field("b", (JsonStep("->>", "c"),))),
                        Order(ID, nulls="first"),
                    )
                )
            ),
            (),
        ),
        ('columns=id,"a b",id', Query(columns=("id", "a b")), ()),
        ("on_conflict=a,b", Query(on_conflict=("a", "b")), ()),
        ("select=", Query(), ()),
        ("select=*", Query(), ()),
        ("select= id , name", selecting(column("id"), column("name")), ()),
        ("select=id&select=a", selecting(column("id")), ()),
        ("select=fullName:full_name", selecting(Column(Field("full_name"), alias="fullName")), ()),
        (
            "select=a:b::int4,b::double precision",
            selecting(Column(B, "a", "int4"), Column(B, cast="double precision")),
            (),
        ),
        ("select=a->0->>b", selecting(Column(Field("a", (JsonStep("->", 0), JsonStep("->>", "b"))))), ()),
        (
            "select=count(),n:count()::int",
            selecting(Column(None, aggregate="count"), Column(None, "n", None, "count", "int")),
            (),
        ),
        ("select=n:a::int.sum()::text", selecting(Column(A, "n", "int", "sum", "text")), ()),
        ("select=films(count)", selecting(Embed("films", (column("count"),))), ()),
        ('select="count"(a)', selecting(Embed("count", (column("a"),))), ()),
        ("select=films!inner_fk(a)", selecting(Embed("films", (column("a"),), hint="inner_fk")), ()),
        (
            'select="x y":a->"k.1"->>"q\\"",n:a->b::int.max()::text',
            selecting(
                Column(Field("a", (JsonStep("->", "k.1"), JsonStep("->>", 'q"'))), "x y"),
                Column(Field("a", (JsonStep("->", "b"),)), "n", "int", "max", "text"),
            ),
            (),
        ),
        ("select=films()", selecting(Embed("films", ())), ()),
        (
            "select=id,x:films!inner!fk(*,roles!left(a)),...directors(last:b)",
            selecting(
                column("id"),
                Embed("films", (Star(), Embed("roles", (column("a"),), join="left")), "x", "fk", "inner"),
                Embed("directors", (Column(B, "last"),), spread=True),
            ),
            (),
        ),
        (
            "select=x:films(*)&not.x.or=(a.is.null)&not.and=(b.is.TRUE)&x.not.and=(a.is.unknown)&order=x(a->b->>c).desc",
            Query(
                (Embed("films", (Star(),), "x"),),
                Modifiers(
                    (Logic("and", (Is(B, "true"),), negated=True),),
                    (Order(Field("a", (JsonStep("->", "b"), JsonStep("->>", "c"))), True, embed="x"),),
                ),
                (
                    (
                        ("x",),
                        Modifiers(
                            (
                                Logic("or", (Is(A, "null"),), negated=True),
                                Logic("and", (Is(A, "unknown"),), negated=True),
                            )
                        ),
                    ),
                ),
            ),
            (),
        ),
        ("select=a!fk!inner(*)", selecting(Embed("a", (Star(),), None, "fk", "inner")), ()),
        ('select=a!"inner"(*)', selecting(Embed("a", (Star(),), None, "inner")), ()),
        (
            "select=x:films(roles(*))&films.year=gt.1990&x.roles.limit=3&x.order=year&films.not.or=(a.is.null)&order=films(a)",
            Query(
                (Embed("films", (Embed("roles", (Star(),)),), "x"),),
                Modifiers(order=(Order(A, embed="x"),)),
                (
                    (
                        ("x",),
                        Modifiers(
                            (Comparison(YEAR, "gt", 0), Logic("or", (Is(A, "null"),), negated=True)), (Order(YEAR),)
                        ),
                    ),
                    (("x", "roles"), Modifiers(limit=1)),
                ),
            ),
            ("1990", 3),
        ),
    ],
)
def test_reads(query_string: str, query: Query, values: tuple[object, ...]) -> None:
    parsed = parse(query_string)
    assert parsed == (query, values)
    assert parse(unparse(parsed)) == parsed


def test_requests_that_differ_in_values_alone_are_equal() -> None:
    one, other = parse("id=eq.1&limit=5&a=in.(1,2)"), parse("id=eq.2&limit=9&a=in.(3)")
    assert one.query == other.query
    assert hash(one.query) == hash(other.query)
    assert one.values != other.values


def test_an_embed_goes_by_its_alias_first() -> None:
    first, second, third = Embed("films", (), "a"), Embed("films", ()), Embed("actors", (), "films2")
    assert embeds_by_name((Star(), first, second, third)) == {
        "a": first, "films": second, "films2": third, "actors": third,
    }  # fmt: skip
