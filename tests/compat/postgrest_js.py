"""Runs the test suite of the JavaScript client, ``@supabase/postgrest-js``, against ``rowserve serve``.

The suite is not part of this project: it is read from a checkout of the repository supabase/supabase-js. What is run is
a copy in a cache, under the suite's own configuration and with the versions of its lock file; its snapshots are never
written. The database is a PostgreSQL of its own, with the suite's schema and seed.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.node import CACHE, node_modules

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is unset, as on a bare machine
    from tests.processes import Served, embedded_postgresql, psql

PACKAGE = Path("packages/core/postgrest-js")
HERE = CACHE / "postgrest-js"

PORT = 54321
"""Where the suite expects the server."""

SERVE = (
    *("--schema", "public", "--schema", "personal"),
    *("--extra-search-path", "public", "--extra-search-path", "extensions"),
    *("--prefix", "/rest/v1", "--max-rows", "1000", "--default-return", "minimal"),
    *("--aggregates", "--tx-override", "--explain", "--allow-unfiltered-writes", "--no-default-order"),
)
"""How the suite wants to be served: what its own config.toml and schema ask of PostgREST."""

ROLES = """
create role anon nologin;
create role authenticated nologin;
create role authenticator login noinherit;
grant anon, authenticated to authenticator;
create schema extensions;
create schema graphql_public;
create domain extensions.geometry as text;
"""
"""What the suite's schema takes for granted. The domain stands in for PostGIS, of which it has one column."""

NEEDED = (
    *("@jest/types", "@types/jest", "@types/node", "jest", "ts-jest", "ts-node", "typescript"),
    *("prettier", "tslib", "type-fest", "zod"),
)
"""Those of the packages in its lock file that the suite needs to run."""

RUNNING = 900
"""Seconds that jest may take."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test of the suite: its file and name, and why it failed; None if it passed."""

    name: str
    failure: str | None


def main() -> int:
    """The command: runs the suite, prints what came of it; 0 if enough of it passed."""
    options, jest = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    folder = install(options.checkout)
    tests = folder / PACKAGE / "test" / "supabase"
    report = HERE / "report.json"
    report.unlink(missing_ok=True)
    with embedded_postgresql() as postgresql, tempfile.TemporaryDirectory(prefix="rowserve-") as place:
        postgresql.psql("create database suite")
        url = postgresql.get_uri(database="suite")
        psql(url, ROLES)
        psql(url, without_postgis((tests / "migrations" / "00000000000000_schema.sql").read_text()))
        psql(url, (tests / "seed.sql").read_text())
        with Served(url, *SERVE, *options.serve, database=url, cwd=Path(place), port=PORT) as server:
            command = [
                "node",
                "node_modules/jest/bin/jest.js",
                "--ci",
                "--runInBand",
                "--json",
                f"--outputFile={report}",
            ]
            with (HERE / "jest.log").open("w") as log:
                subprocess.run(
                    [*command, *jest], cwd=folder / PACKAGE, stdout=log, stderr=log, timeout=RUNNING, check=False
                )
            (HERE / "server.log").write_text(server.output)
    if not report.exists():
        raise SystemExit(f"jest made no report; its words are in {HERE / 'jest.log'}")
    found = list(outcomes(json.loads(report.read_text()), folder / PACKAGE / "test"))
    failed = [outcome for outcome in found if outcome.failure is not None]
    for outcome in failed:
        print(f"FAILED {outcome.name}\n{outcome.failure}\n")
    print(f"Everything that was said is in {HERE}: jest.log, report.json, server.log")
    print(f"{len(found) - len(failed)} passed, {len(failed)} failed of {len(found)}")
    return 0 if len(found) - len(failed) >= options.minimum else 1


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """The options of the command, and what is left of them for jest."""
    parser = argparse.ArgumentParser(
        "scripts/postgrest-js",
        description="Runs the JavaScript client's own suite against rowserve. Further arguments go to jest, such as "
        "the name of a file (rpc), or -t and a part of a test's name.",
    )
    parser.add_argument("checkout", type=Path, help="a checkout of the repository supabase/supabase-js")
    parser.add_argument("--minimum", type=int, default=320, help="how many tests have to pass (default: 320)")
    parser.add_argument(
        "--serve",
        action="append",
        default=[],
        metavar="OPTION",
        help="one more option of rowserve serve: --serve=--log-sql",
    )
    options, jest = parser.parse_known_args()
    if not (options.checkout / PACKAGE / "jest.config.ts").is_file():
        parser.error(f"{options.checkout} is no checkout of supabase/supabase-js: it has no {PACKAGE}/jest.config.ts")
    refused = {"-u", "--updateSnapshot"} & set(jest)
    if refused:
        parser.error(f"{min(refused)} would have every snapshot agree")
    return options, jest


def install(checkout: Path) -> Path:
    """A copy of the suite with the packages that it needs, outside of the repository and of the checkout."""
    folder = HERE / "suite"
    package = folder / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    shutil.copy(checkout / "tsconfig.base.json", folder)
    for part in ("src", "test"):
        shutil.rmtree(package / part, ignore_errors=True)
        shutil.copytree(checkout / PACKAGE / part, package / part)
    for name in ("package.json", "jest.config.ts", "tsconfig.json", "tsconfig.test.json"):
        shutil.copy(checkout / PACKAGE / name, package)
    versions = locked((checkout / "pnpm-lock.yaml").read_text())
    link = package / "node_modules"
    link.unlink(missing_ok=True)
    link.symlink_to(node_modules({name: versions[name] for name in NEEDED}))
    return folder


def locked(text: str) -> dict[str, str]:
    """The exact versions of a pnpm lock file's direct dependencies: the package's own, else those of the workspace."""
    versions: dict[str, str] = {}
    for importer in (r"\.", re.escape(str(PACKAGE))):
        section = re.search(rf"^  {importer}:\n((?:    .*\n|\n)*)", text, re.MULTILINE)
        assert section is not None, f"the lock file has no section {importer}"
        entries = re.finditer(
            r"^      '?([^':\n]+)'?:\n +specifier: .*\n +version: ([^(\n]+)", section[1], re.MULTILINE
        )
        versions |= {entry[1]: entry[2] for entry in entries}
    return versions


def without_postgis(schema: str) -> str:
    """The suite's schema for a database without PostGIS."""
    schema = re.sub(r"^create extension .*postgis.*;$", "", schema, flags=re.MULTILINE | re.IGNORECASE)
    return re.sub(r"extensions\.geometry\([^)]*\)", "extensions.geometry", schema)


def outcomes(report: dict[str, Any], tests: Path) -> Iterator[Outcome]:
    """What came of each test, in a report of jest's."""
    for file in report["testResults"]:
        name = Path(file["name"]).relative_to(tests).as_posix()
        if not file["assertionResults"]:
            yield Outcome(name, shortened(file["message"] or file["status"]))
        for test in file["assertionResults"]:
            failure = (
                None if test["status"] == "passed" else shortened("\n".join(test["failureMessages"]) or test["status"])
            )
            yield Outcome(f"{name}: {test['fullName']}", failure)


def shortened(message: str) -> str:
    """The first line of a failure, and the beginning of what was expected and of what came instead."""
    lines = [line for line in re.sub(r"\x1b\[\d*(?:;\d+)*m", "", message).splitlines() if line.strip()]
    expected = [line for line in lines[1:] if re.match(r"-|\s*Expected\b", line)]
    received = [line for line in lines[1:] if re.match(r"\+|\s*Received\b", line)]
    return "\n".join(f"    {line}" for line in [*lines[:1], *expected[:6], *received[:10]])


if __name__ == "__main__":
    sys.exit(main())
