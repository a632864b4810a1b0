"""The machine and the versions that the figures belong to."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import psutil

from .databases import Databases
from .peers import node_folder

PACKAGES = ["rowserve", "fastapi", "sqlalchemy", "asyncpg", "aiosqlite", "granian", "uvicorn", "uvloop", "httptools"]
PACKAGES += ["fastcrud", "orjson"]


def describe(databases: Databases) -> list[tuple[str, str]]:
    """What ran where: a list of names and values."""
    return [
        ("date", time.strftime("%Y-%m-%d")),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", f"{psutil.virtual_memory().total / 2**30:.0f} GB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("disk", f"{_fsync(databases.folder):.0f} µs to write and fsync 8 KB (median of 200)"),
        ("Python", platform.python_version()),
        ("PostgreSQL", databases.version()),
        ("SQLite", __import__("sqlite3").sqlite_version),
        ("packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)),
        ("Node", _node()),
        ("load", _first_line(["wrk", "--version"])),
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _fsync(folder: Path) -> float:
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(200):
            started = time.perf_counter()
            file.write(b"x" * 8192)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return median(times) * 1e6


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def _node() -> str:
    command = ["npm", "ls", "--parseable", "--long", "--depth=0", "--loglevel=error"]
    listed = subprocess.run(command, cwd=node_folder(), capture_output=True, text=True, timeout=60).stdout
    packages = [line.rpartition(":")[2].replace("@", " ") for line in listed.splitlines()[1:]]
    return ", ".join([_first_line(["node", "--version"]), *packages])


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return (done.stdout or done.stderr).splitlines()[0].partition(" Copyright")[0]
