"""The name that was probably meant, for hints."""

from __future__ import annotations

import math
from collections.abc import Iterable

LONGEST = 128
"""Characters beyond which a text is no name that anybody meant: comparing takes time by the square of them."""
COMPARED = 10
"""Of the names that share the most letters in a row, those that are compared letter by letter."""


def closest(name: str, known: Iterable[str], *, least: float = 0.33) -> str | None:
    """Of the known names the one most alike: of those that share the most triples of letters in a row, or pairs where
    no triple will do, the one that it takes the least changes to come to.

    Args:
        name: what was asked for.
        known: what there is.
        least: how alike they have to be: 1 less the changed part of the longer name.
    """
    if len(name) > LONGEST:
        return None
    names = list(dict.fromkeys(known))
    for size in (3, 2):
        counts = grams(name, size)
        shared = sorted((-cosine(counts, grams(other, size)), other) for other in names)[:COMPARED]
        scored = [(-likeness(name, other), score, other) for score, other in shared if score]
        if scored and min(scored)[0] <= -least:
            return min(scored)[2]
    return None


def likeness(one: str, other: str) -> float:
    """1 less the part of the longer text that has to be changed, whatever the case of its letters."""
    return 1 - changes(one.lower(), other.lower()[:LONGEST]) / max(len(one), len(other), 1)


def changes(one: str, other: str) -> int:
    """The Levenshtein distance: how many letters have to be put in, left out or replaced."""
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, there in enumerate(other, 1):
            line.append(min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != there)))
        above = line
    return above[-1]


def grams(text: str, size: int) -> dict[str, int]:
    padded = f"-{text.lower()}-"
    counts: dict[str, int] = {}
    for start in range(len(padded) - size + 1):
        gram = padded[start : start + size]
        counts[gram] = counts.get(gram, 0) + 1
    return counts


def cosine(left: dict[str, int], right: dict[str, int]) -> float:
    """The cosine of two texts' counts of letters in a row."""
    dot = sum(count * right.get(gram, 0) for gram, count in left.items())
    return float(dot / (norm(left) * norm(right))) if dot else 0.0


def norm(counts: dict[str, int]) -> float:
    total: float = sum(count * count for count in counts.values())
    return math.sqrt(total)
