"""The command: ``python -m benchmarks``, or ``scripts/bench``."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import bulk, durability, embed, isolation, rates, rules, startup, stream, surge
from .databases import Databases
from .peers import PEERS
from .report import document
from .tables import Settings, Table

OTHERS: dict[str, Callable[[Settings], list[Table]]] = {
    "embed": embed.run,
    "rules": rules.run,
    "surge": surge.run,
    "isolation": isolation.run,
    "stream": stream.run,
    "bulk": bulk.run,
    "startup": startup.run,
    "durability": durability.run,
}
SCENARIOS = (*rates.SCENARIOS, *OTHERS)
DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Measure what was asked for, print it, and write it down when it was everything."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped then too
    names = options.peers.split(",")
    scenarios = options.only.split(",")
    with Databases() as databases:
        settings = Settings(
            databases=databases,
            kinds=tuple(options.database.split(",")),
            peers=tuple(peer for peer in PEERS if peer.name in names),
            seconds=options.seconds or (2 if options.quick else 5),
            rounds=options.rounds or (1 if options.quick else 5),
        )
        tables: list[Table] = []
        asked = [run for name, run in OTHERS.items() if name in scenarios]
        if rated := [name for name in rates.SCENARIOS if name in scenarios]:
            asked.insert(0, partial(rates.run, scenarios=rated))
        for run in asked:
            found = run(settings)
            print(*(table.text() for table in found), sep="\n", flush=True)
            tables += found
        if options.write or not sys.argv[1:]:
            command = shlex.join(["scripts/bench", *sys.argv[1:]])
            DOCUMENT.parent.mkdir(exist_ok=True)
            DOCUMENT.write_text(document(tables, settings, command))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure rowserve beside its peers.")
    every = {"only": SCENARIOS, "peers": [peer.name for peer in PEERS], "database": ["sqlite", "postgresql"]}
    for name, choices in every.items():
        parser.add_argument(f"--{name}", default=",".join(choices), metavar="A,B", help=f"of {', '.join(choices)}")
    parser.add_argument("--seconds", type=int, metavar="N", help="how long each load lasts (5)")
    parser.add_argument("--rounds", type=int, metavar="N", help="how many turns each peer takes (5)")
    parser.add_argument("--quick", action="store_true", help="2 seconds, 1 round")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, as a run of everything does")
    options = parser.parse_args()
    for name, choices in every.items():
        if unknown := set(getattr(options, name).split(",")) - set(choices):
            parser.error(f"--{name}: no {', '.join(sorted(unknown))} among {', '.join(choices)}")
    return options


if __name__ == "__main__":
    main()
