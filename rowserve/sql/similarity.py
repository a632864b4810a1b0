"""The name that was probably meant, for hints."""

from __future__ import annotations

import math
from collections.abc import Iterable


def closest(name: str, known: Iterable[str], *, least: float = 0.33) -> str | None:
    """Of the known names the one most alike, by the pairs and triples of letters they share (a cosine, 0 to 1)."""
    scored = sorted(((similarity(name, other), other) for other in known), key=lambda scored: (-scored[0], scored[1]))
    return scored[0][1] if scored and scored[0][0] >= least else None


def similarity(one: str, other: str) -> float:
    """The cosine of the two texts' counts of letter triples, and of pairs for what is shorter."""
    for size in (3, 2):
        left, right = grams(one, size), grams(other, size)
        dot = sum(count * right.get(gram, 0) for gram, count in left.items())
        if dot:
            return float(dot / (norm(left) * norm(right)))
    return 0.0


def grams(text: str, size: int) -> dict[str, int]:
    padded = f"-{text.lower()}-"
    counts: dict[str, int] = {}
    for start in range(len(padded) - size + 1):
        gram = padded[start : start + size]
        counts[gram] = counts.get(gram, 0) + 1
    return counts


def norm(counts: dict[str, int]) -> float:
    total: float = sum(count * count for count in counts.values())
    return math.sqrt(total)
