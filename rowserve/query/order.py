"""The ``order`` parameter, and the lists of names in ``columns`` and ``on_conflict``."""

from __future__ import annotations

from typing import Literal

from .model import Field, Order
from .scanner import Scanner


def read_order(text: str) -> tuple[Order, ...]:
    """``order=a.desc.nullslast,data->>age,directors(last_name)``."""
    scanner = Scanner(text, "order")
    terms = [_term(scanner)]
    while scanner.take(","):
        terms.append(_term(scanner))
    return tuple(terms)


def read_names(text: str, what: str) -> tuple[str, ...]:
    """Names with commas between them, each name once."""
    scanner = Scanner(text, what)
    names = scanner.names(",")
    if not scanner.ended():
        raise scanner.error('"," or end of input')
    return tuple(dict.fromkeys(names))


def _term(scanner: Scanner) -> Order:
    field = scanner.field()
    embed = None
    if not field.path and scanner.take("("):
        embed, field = field.name, scanner.field()
        scanner.expect(")")
    descending = scanner.take(".desc")
    directed = descending or scanner.take(".asc")
    nulls = _nulls(scanner)
    scanner.blanks()
    if not scanner.ended() and not scanner.at(","):
        raise scanner.error(_expected(field, directed=directed, settled=nulls is not None))
    return Order(field, descending, nulls, embed)


def _nulls(scanner: Scanner) -> Literal["first", "last"] | None:
    if scanner.take(".nullsfirst"):
        return "first"
    return "last" if scanner.take(".nullslast") else None


def _expected(field: Field, *, directed: bool, settled: bool) -> str:
    if settled:
        return '"," or end of input'
    if directed:
        return '".nullsfirst", ".nullslast", "," or end of input'
    return f'".asc", ".desc", ".nullsfirst", ".nullslast", "," or end of input behind "{field.name}"'
