"""A reader who does what a document says, from its top to its end, in an empty folder."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import httpx

from tests.node import node_modules
from tests.processes import free_port, rowserve

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:#|//) (\w+\.(?:py|mjs))\n")
ASSIGNMENT = re.compile(r"(\w+)=\$\((.+)\)")
PORT = "127.0.0.1:8000"
VOLATILE = frozenset({"date", "server", "content-length"})
"""Headers that documents leave out: they say something of the moment or of the server, not of the answer."""

CLIENTS = Path(__file__).parents[1] / "clients" / "node" / "package.json"
VERSIONS: dict[str, str] = json.loads(CLIENTS.read_text())["dependencies"]
"""The versions of the packages of npm that documents install."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document: its language, its text, and the line its text begins on."""

    language: str
    text: str
    line: int


def blocks_of(document: str) -> list[Block]:
    return [
        Block(match[1], match[2], document.count("\n", 0, match.start(2)) + 1) for match in FENCE.finditer(document)
    ]


class Reader:
    """Runs the blocks of a document.

    ``python`` whose first line is ``# name.py`` is saved under that name; any other is executed, in one namespace for
    the document, with ``await`` allowed as in ``python -m asyncio``. ``js`` is saved under the name in its first line,
    ``// name.mjs``. In ``console``, a line with ``$`` is run, and has to print the lines that follow it, where ``…``
    stands for anything; ``NAME=$(…)`` keeps what is printed, for ``$NAME``, or of it what ``| jq -r .member`` takes.
    Any other language is only looked at.

    Args:
        folder: where the reader works.
        stand_ins: what the reader writes in place of a text of the document, such as the URL of a database.
    """

    def __init__(self, folder: Path, stand_ins: dict[str, str]) -> None:
        self.folder = folder
        self.stand_ins = stand_ins
        self.module = ModuleType("document")
        self.server: Server | None = None
        self.address = f"127.0.0.1:{free_port()}"

    async def read(self, path: Path, text: str) -> None:
        """Runs a whole document.

        Raises:
            AssertionError: a block does not do what the document says; any exception of a ``python`` block.
        """
        sys.modules[self.module.__name__] = self.module
        try:
            for block in blocks_of(text):
                if block.language == "python":
                    await self.python(block, path)
                elif block.language == "js":
                    assert self.save(block), f"{path.name}:{block.line}: under what name is this saved?"
                elif block.language == "console":
                    self.console(block, path)
        finally:
            del sys.modules[self.module.__name__]
            self.leave()

    async def python(self, block: Block, path: Path) -> None:
        if self.save(block):
            return
        # Empty lines in front, so that a traceback shows the document's own lines.
        source = "\n" * (block.line - 1) + self.replaced(block.text)
        code = compile(source, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        result = eval(code, self.module.__dict__)
        if inspect.iscoroutine(result):
            await result

    def save(self, block: Block) -> bool:
        """Saves a block that says under which name; whether it does."""
        name = FILE.match(block.text)
        if name is None:
            return False
        (self.folder / name[1]).write_text(self.replaced(block.text).replace(PORT, self.address))
        return True

    def console(self, block: Block, path: Path) -> None:
        for part in re.split(r"^\$ ", block.text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            printed = self.run(command.strip())
            assert re.fullmatch(pattern(output), printed), (
                f"{path.name}:{block.line}: $ {command}\nthe document says:\n{output}\nbut it prints:\n{printed}"
            )

    def run(self, command: str) -> str:
        """Runs a command; what it prints. A server goes on until the next one is started."""
        assigned = ASSIGNMENT.fullmatch(command)
        if assigned is not None:
            command, _, member = assigned[2].partition(" | jq -r .")
            printed = self.run(command)
            self.stand_ins[f"${assigned[1]}"] = str(json.loads(printed)[member]) if member else printed
            return ""
        words = shlex.split(self.replaced(command.removeprefix("python -m pip install uv && ")))
        match words:
            case ["curl", *arguments]:
                assert self.server is not None, "nothing is being served"
                return self.server.curl(arguments)
            case ["uv", "run", "rowserve", "token" | "explain", *_]:
                return self.printed([rowserve(), *words[3:]])
            case ["uv", "run", "rowserve" | "uvicorn", *_]:
                self.leave()
                self.server = Server(words[2:], self.folder, self.address)
                return self.server.announcement()
            case ["uv", "run", "python", *arguments]:
                return self.printed([sys.executable, *arguments])
            case ["uv", "run", "pytest", *arguments]:
                return self.printed([sys.executable, "-m", "pytest", *arguments])
            case ["node", *_]:
                return self.printed(words)
            case ["uv", "pip", "install", *packages]:
                packages = [package.partition("[")[0] for package in packages]
                assert all(find_spec(package) for package in packages), f"the suite has to have {packages}"
                return ""
            case ["npm", "install", *packages]:
                assert VERSIONS.keys() >= set(packages), f"the suite has to have {packages}"
                link = self.folder / "node_modules"
                if not link.exists():
                    link.symlink_to(node_modules(VERSIONS))
                return ""
        raise AssertionError(f"What does a reader do with this? {command}")

    def printed(self, command: list[str]) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def replaced(self, text: str) -> str:
        for written, meant in self.stand_ins.items():
            text = text.replace(written, meant)
        return text

    def leave(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None


class Server:
    """A server in a process of its own, at an address that stands in for the documents' port 8000."""

    def __init__(self, words: list[str], folder: Path, address: str) -> None:
        self.address = address
        self.log = folder / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name(words[0]), *words[1:], "--port", self.address.rpartition(":")[2]],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://{self.address}/docs")
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)
            else:
                return

    def announcement(self) -> str:
        """What it said when it started, if it is rowserve; uvicorn's words are its own."""
        said = self.log.read_text().replace(self.address, PORT).splitlines()
        return "\n".join(line for line in said if line.startswith("Serving"))

    def curl(self, arguments: list[str]) -> str:
        """What curl would print; understands those of its options that the documents need."""
        parser = argparse.ArgumentParser("curl", exit_on_error=False, allow_abbrev=False)
        parser.add_argument("-i", dest="include", action="store_true")
        parser.add_argument("-I", dest="head", action="store_true")
        parser.add_argument("-s", action="store_true")
        parser.add_argument("-X", dest="method")
        parser.add_argument("-H", dest="headers", action="append", default=[])
        parser.add_argument("-d", dest="data")
        parser.add_argument("--json")
        parser.add_argument("url")
        asked = parser.parse_args(arguments)
        headers = dict(header.split(": ", 1) for header in asked.headers)
        if asked.json is not None:
            headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        if asked.data is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        body = asked.data if asked.json is None else asked.json
        method = asked.method or ("HEAD" if asked.head else "POST" if body is not None else "GET")
        assert PORT in asked.url, asked.url
        url = asked.url.replace(PORT, self.address)
        answer = httpx.request(method, url, headers=headers, content=body, timeout=30)
        lines = []
        if asked.include or asked.head:
            lines = [f"{answer.http_version} {answer.status_code} {answer.reason_phrase}"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items() if name not in VOLATILE]
            lines += [""]
        return "\n".join([*lines, answer.text]).replace(self.address, PORT).strip()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"The server does not stop: {self.log.read_text()}") from None


def pattern(output: str) -> str:
    """The regular expression of an output in which ``…`` stands for anything within a line."""
    return ".*".join(re.escape(part) for part in output.strip().split("…"))
