"""What the scenarios answer with: tables, which print as text and as Markdown, and the settings of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .databases import Databases
from .peers import Peer


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured, and for how long.

    Args:
        databases: where the databases are made.
        kinds: ``sqlite``, ``postgresql`` or both.
        peers: whom to measure.
        seconds: how long each load lasts.
        rounds: how many turns each peer takes.
    """

    databases: Databases
    kinds: tuple[str, ...]
    peers: tuple[Peer, ...]
    seconds: int
    rounds: int

    def turns(self, kind: str) -> list[Peer]:
        """The peers that run on that kind of database."""
        return [peer for peer in self.peers if kind in peer.databases]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title, with a sentence on how to read them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def text(self) -> str:
        """For a terminal: padded columns."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        return "\n".join([self.title, *(_padded(row, widths) for row in [self.columns, *self.rows]), ""])

    def markdown(self) -> str:
        """For the docs."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        parts = [f"### {self.title}", self.note, "\n".join(f"| {' | '.join(line)} |" for line in lines)]
        return "\n\n".join(part for part in parts if part) + "\n"


def _padded(row: Iterable[str], widths: Sequence[int]) -> str:
    first, *others = (
        f"{cell:{'<' if n == 0 else '>'}{width}}" for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(["  " + first, *others]).rstrip()


def goal(met: bool) -> str:
    """How a goal was met, in a word."""
    return "met" if met else "MISSED"
