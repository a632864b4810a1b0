"""What rows look like in a body: a JSON array or object, lines of CSV, lines of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

from pydantic_core import from_json, to_json

from ..backends.sqlite_output import csv_field, stripped
from ..query import MediaType
from ..sql.output import Form
from ..sql.plan import ColumnValue, EmbedValue, Node, SpreadValue, Value
from ..sql.wire import json_text
from .modelled import ModelledRows

Kind: TypeAlias = Literal["json", "stripped", "csv", "ndjson"]
Result: TypeAlias = Callable[[Any], Any]
Results: TypeAlias = "dict[str, Result | Results]"

FIELD = re.compile(r'("(?:[^"]|"")*"|[^,\n"]*)(,|\n|\Z)')


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How the texts that a database makes of rows become a body.

    Args:
        form: what the database is to make of each row.
        opening: what comes before the first row, ``closing`` after the last.
        separator: what is between two chunks of rows.
        rows: makes bytes of some rows' texts, with the separator between them.
        whole: makes a body of what the database makes of a list: a JSON array, or lines of CSV.
        has_head: whether a row cannot stand without the opening.
        names: for the keys of a row's text that are not those of their columns, the columns.
    """

    form: Form
    opening: bytes
    separator: bytes
    closing: bytes
    rows: Callable[[Sequence[str]], bytes]
    whole: Callable[[str], bytes]
    has_head: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def body(self, texts: Sequence[str]) -> bytes:
        """The body of some rows' texts."""
        return self.opening + self.rows(texts) + self.closing

    def single(self, text: str) -> bytes:
        """The body of one row's text, where one is wanted and no list: an object; of CSV, a list of one."""
        return self.body([text]) if self.has_head else self.rows([text])

    def members(self, text: str) -> Mapping[str, Any]:
        """What is in a row's text, by its keys."""
        if self.form != "csv":
            members: dict[str, Any] = from_json(text)
            return {self.names.get(key, key): value for key, value in members.items()} if self.names else members
        names = FIELD.finditer(self.opening.decode().removesuffix("\n"))
        values = FIELD.finditer(text)
        return {csv_text(name[1]) or "": csv_text(value[1]) for name, value in zip(names, values, strict=False)}


def kind_of(media: MediaType) -> Kind:
    """What the rows of a media type are."""
    if media.kind == "csv" or media.kind == "ndjson":
        return media.kind
    return "stripped" if media.nulls_stripped else "json"


def layout_of(node: Node, kind: Kind) -> Layout:
    """How a plan's rows are laid out.

    Rows pass as the database has written them. Only where a column's ``TypeDecorator`` has a say in Python are they
    read there, and written again.
    """
    results = results_of(node)
    if node.model is not None:
        return modelled_layout(node, kind, results)
    if kind == "csv":
        return csv_layout(node, results)
    if kind == "ndjson":
        return ndjson_layout(results)
    strip = kind == "stripped"
    if not results:
        form: Form = "stripped" if strip else "json"
        return Layout(form, b"[", b",", b"]", lambda texts: ",".join(texts).encode(), str.encode)

    def whole(text: str) -> bytes:
        value = passed(from_json(text), results)
        return to_json(stripped(value) if strip else value)

    # What is null in the database need not be null in Python: members are left out behind it.
    return Layout("json", b"[", b",", b"]", lambda texts: whole(f"[{','.join(texts)}]")[1:-1], whole)


def modelled_layout(node: Node, kind: Kind, results: Results) -> Layout:
    """How rows are laid out that a model has a say in: the database makes JSON of them, whatever they become."""
    pass_values = partial(passed, results=results) if results else None
    rows = ModelledRows(node, pass_values, strip=kind == "stripped")
    if kind == "csv":
        head = rows.csv_head()
        return Layout(
            "json",
            head,
            b"\n",
            b"",
            lambda texts: rows.csv(f"[{','.join(texts)}]"),
            lambda text: head + rows.csv(text),
            has_head=True,
            names=rows.names,
        )
    if kind == "ndjson":
        return Layout("json", b"", b"", b"", rows.lines, rows.array, names=rows.names)
    return Layout("json", b"[", b",", b"]", rows.objects, rows.array, names=rows.names)


def ndjson_layout(results: Results) -> Layout:
    """A line of JSON for each row."""

    def rows(texts: Sequence[str]) -> bytes:
        if results:
            return b"".join(to_json(passed(from_json(text), results)) + b"\n" for text in texts)
        # PostgreSQL breaks lines between the elements of an array.
        return "\n".join([*(text.replace("\n", " ") for text in texts), ""]).encode()

    return Layout("json", b"", b"", b"", rows, str.encode)


def csv_layout(node: Node, results: Results) -> Layout:
    """A line with the names of the columns, and one for each row; as PostgREST has it, the last one has no end."""
    opening = (",".join(csv_field(item.key) for item in node.items) + "\n").encode()
    of_columns = [results.get(item.key) for item in node.items]

    def lines(text: str) -> bytes:
        return csv_passed(text, of_columns).encode() if results else text.encode()

    return Layout(
        "csv",
        opening,
        b"\n",
        b"",
        lambda texts: lines("\n".join(texts)),
        lambda text: opening + lines(text),
        has_head=True,
    )


def csv_passed(text: str, results: Sequence[Result | Results | None]) -> str:
    """Lines of CSV, with the fields of some columns passed through Python."""
    pieces: list[str] = []
    for index, match in enumerate(FIELD.finditer(text)):
        field, end = match.groups()
        result = results[index % len(results)]
        pieces += [field if result is None else csv_result(field, result), end]
        if not end:
            break
    return "".join(pieces)


def csv_result(field: str, result: Result | Results) -> str:
    """A field passed through Python."""
    text = csv_text(field)
    if isinstance(result, dict):
        return "" if text is None else csv_field(to_json(passed(from_json(text), result)).decode())
    value = result(text)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str | float):
        return csv_field(value)
    return csv_field(json_text(from_json(to_json(value))))


def csv_text(field: str) -> str | None:
    """The text of a field; one without quotes that is empty is NULL."""
    return field[1:-1].replace('""', '"') if field.startswith('"') else field or None


def results_of(node: Node) -> Results:
    """By key, what passes a value of a node's rows through Python; of what is embedded, the same again."""
    results: Results = {}
    for item in node.items:
        found = result_of(node, item.value) if item.aggregate in (None, "max", "min") else None
        if found:
            results[item.key] = found
    return results


def result_of(node: Node, value: Value) -> Result | Results | None:
    if isinstance(value, EmbedValue):
        return results_of(value.embedded.node)
    if isinstance(value, SpreadValue):
        return result_of(value.embedded.node, value.value)
    if isinstance(value, ColumnValue) and value.cast is None and not value.field.path:
        entity = node.entity
        columns = entity.stored if value.is_own else entity.columns
        item = columns.get(value.field.name) or entity.computed.get(value.field.name)
        return None if item is None else item.wire.result
    return None


def passed(value: Any, results: Result | Results) -> Any:
    """A decoded value, with what is in it passed through Python."""
    if isinstance(value, list):
        return [passed(element, results) for element in value]
    if not isinstance(results, dict):
        return results(value)
    if isinstance(value, dict):
        for key, result in results.items():
            if key in value:
                value[key] = passed(value[key], result)
    return value
