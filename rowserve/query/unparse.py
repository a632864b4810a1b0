"""``unparse``: from the shape of a request and its values back to a query string."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from .model import (
    Call,
    Column,
    Comparison,
    Condition,
    Embed,
    Field,
    Is,
    JsonStep,
    Modifiers,
    Order,
    Parsed,
    SelectItem,
    Star,
    Value,
)
from .parser import RESERVED, RESERVED_WORDS
from .scanner import NAME, stripped

# What reads as something else when it stands bare where a name may stand.
_QUOTED_WORDS = RESERVED | RESERVED_WORDS | {"not", "count", "inner", "left"}
_BARE_KEY = re.compile(r"[\w$]+")
_BARE_ITEM = re.compile(r"[\w$:+/@.*%-]+")
# What needs neither quotes nor percents.
_PLAIN = re.compile(r"[A-Za-z0-9_$:/@.*-]+")
_DIGITS = re.compile(r"-?[0-9]+")
_SAFE = "()*,.:!$'@/-_~"


def unparse(parsed: Parsed) -> str:
    """A percent-encoded query string that ``parse`` reads as ``parsed``.

    The pairs stand in the order of their values, so that the values are numbered as before. Where ``parsed`` did not
    come from ``parse``, its values may be numbered anew.
    """
    query, values = parsed
    pairs: list[tuple[int, str, str]] = []
    if query.select != (Star(),):
        pairs.append((-1, "select", _select(query.select)))
    if query.columns is not None:
        pairs.append((-1, "columns", ",".join(map(spelled, query.columns))))
    if query.on_conflict is not None:
        pairs.append((-1, "on_conflict", ",".join(map(spelled, query.on_conflict))))
    pairs.extend(_modifiers("", query.modifiers, values))
    for path, modifiers in query.embedded:
        pairs.extend(_modifiers("".join(f"{spelled(step)}." for step in path), modifiers, values))
    pairs.sort(key=_rank)
    return "&".join(_pair(key, value) for _, key, value in pairs)


def unparse_call(call: Call) -> str:
    """The same for ``parse_call``."""
    pairs = [_pair(spelled(name), value) for name, value in call.arguments]
    rest = unparse(call.parsed)
    return "&".join([*pairs, rest] if rest else pairs)


def nested_value(text: str) -> str:
    """A value as ``unparse`` writes it inside ``and=(…)``."""
    return text if _PLAIN.fullmatch(text) else quote(_item(text), safe=_SAFE)


def _pair(key: str, value: str) -> str:
    return f"{quote(key, safe=_SAFE)}={quote(value, safe=_SAFE)}"


def _rank(pair: tuple[int, str, str]) -> int:
    return pair[0]


def _modifiers(prefix: str, modifiers: Modifiers, values: Sequence[Value]) -> Iterator[tuple[int, str, str]]:
    rank = -1
    for condition in modifiers.where:
        # Never before the condition in front of it, even where it has no value or a lower one.
        rank = max(rank, _first_parameter(condition))
        key, value = _filter(condition, values)
        yield rank, prefix + key, value
    if modifiers.order:
        yield rank, f"{prefix}order", ",".join(map(_order, modifiers.order))
    if modifiers.limit is not None:
        end = ".last" if modifiers.backward else ""
        yield modifiers.limit, f"{prefix}limit", f"{values[modifiers.limit]}{end}"
    if modifiers.offset is not None:
        yield modifiers.offset, f"{prefix}offset", str(values[modifiers.offset])


def _first_parameter(condition: Condition) -> int:
    if isinstance(condition, Comparison):
        return condition.parameter
    if isinstance(condition, Is):
        return -1
    return next((first for first in map(_first_parameter, condition.conditions) if first >= 0), -1)


def _filter(condition: Condition, values: Sequence[Value]) -> tuple[str, str]:
    if isinstance(condition, Comparison | Is):
        return _field(condition.field), _operation(condition, values, nested=False)
    key = f"not.{condition.operator}" if condition.negated else condition.operator
    return key, f"({','.join(_nested(inner, values) for inner in condition.conditions)})"


def _nested(condition: Condition, values: Sequence[Value]) -> str:
    if isinstance(condition, Comparison | Is):
        return f"{_field(condition.field)}.{_operation(condition, values, nested=True)}"
    key, value = _filter(condition, values)
    return key + value


def _operation(condition: Comparison | Is, values: Sequence[Value], *, nested: bool) -> str:
    negation = "not." if condition.negated else ""
    if isinstance(condition, Is):
        return f"{negation}is.{condition.value}"
    value = values[condition.parameter]
    if isinstance(value, tuple):
        if condition.quantifier is None:
            return f"{negation}in.({','.join(map(_item, value))})"
        text = f"{{{','.join(map(_item, value))}}}"
    else:
        text = str(value)
    modifier = condition.quantifier or condition.language
    operator = condition.operator if modifier is None else f"{condition.operator}({modifier})"
    return f"{negation}{operator}.{_item(text) if nested else text}"


def _item(text: str) -> str:
    return text if _BARE_ITEM.fullmatch(text) else _quoted(text)


def _select(items: Sequence[SelectItem]) -> str:
    return ",".join(map(_select_item, items))


def _select_item(item: SelectItem) -> str:
    if isinstance(item, Star):
        return "*"
    alias = "" if item.alias is None else f"{spelled(item.alias)}:"
    if isinstance(item, Embed):
        hint = "" if item.hint is None else f"!{spelled(item.hint)}"
        join = "" if item.join is None else f"!{item.join}"
        return f"{'...' if item.spread else alias}{spelled(item.target)}{hint}{join}({_select(item.select)})"
    return alias + _column(item)


def _column(column: Column) -> str:
    cast = "" if column.cast is None else f"::{column.cast}"
    aggregate_cast = "" if column.aggregate_cast is None else f"::{column.aggregate_cast}"
    if column.aggregate is None:
        return ("count" if column.field is None else _field(column.field)) + cast
    if column.field is None:
        return f"count(){aggregate_cast}"
    return f"{_field(column.field)}{cast}.{column.aggregate}(){aggregate_cast}"


def _order(order: Order) -> str:
    term = _field(order.field)
    if order.embed is not None:
        term = f"{spelled(order.embed)}({term})"
    direction = ".desc" if order.descending else ""
    nulls = "" if order.nulls is None else f".nulls{order.nulls}"
    return term + direction + nulls


def _field(field: Field) -> str:
    return spelled(field.name) + "".join(map(_step, field.path))


def _step(step: JsonStep) -> str:
    if isinstance(step.key, int):
        return f"{step.arrow}{step.key}"
    bare = _BARE_KEY.fullmatch(step.key) and not _DIGITS.fullmatch(step.key)
    return step.arrow + (step.key if bare else _quoted(step.key))


def spelled(name: str) -> str:
    """A name as the dialect has it: in double quotes where it would read as something else."""
    bare = NAME.fullmatch(name) and stripped(name) == name and name not in _QUOTED_WORDS
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
