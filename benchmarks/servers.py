"""Starting the programs that are measured, watching them, and stopping them by their process id."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from .peers import Peer

ROOT = Path(__file__).parent.parent
MB = 1 << 20


class Server:
    """A program under measurement, in a process group of its own.

    Args:
        peer: what to start.
        url: the database it serves.

    Raises:
        RuntimeError: it ended, or was not ready in time; with the end of what it printed.
    """

    def __init__(self, peer: Peer, url: str, *, patience: float = 30) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.peer = peer
        self.log = TemporaryFile()  # noqa: SIM115  # as long as the server
        started = time.perf_counter()
        self.process = subprocess.Popen(
            peer.command(url, self.port),
            cwd=ROOT,
            env=os.environ | peer.environment(url),
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while self.health(timeout=5) != 200:
                if self.process.poll() is not None or time.perf_counter() - started > patience:
                    raise RuntimeError(f"{peer.name} did not start:\n{self.printed()}")
                time.sleep(0.005)
        except BaseException:
            self.stop()
            raise
        self.ready_after = time.perf_counter() - started

    def health(self, *, timeout: float) -> int | None:
        """The status of the health endpoint, asked over a new connection; None where there was no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", self.peer.health)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def memory(self) -> list[float]:
        """The resident memory of each process of the server in MB, the largest first."""
        parent = psutil.Process(self.process.pid)
        sizes = []
        for process in [parent, *parent.children(recursive=True)]:
            try:
                sizes.append(process.memory_info().rss / MB)
            except psutil.NoSuchProcess:
                continue
        return sorted(sizes, reverse=True)

    def printed(self) -> str:
        """The end of what the server printed."""
        return os.pread(self.log.fileno(), 1 << 20, 0)[-2000:].decode(errors="replace")

    def kill(self) -> None:
        """kill -9, all its processes."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end; after five seconds, end it."""
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # where it is gone already
            os.killpg(self.process.pid, number)


@contextmanager
def running(peer: Peer, url: str) -> Iterator[Server]:
    """A server that is ready, and is stopped whatever happens; what it printed goes with an error."""
    server = Server(peer, url)
    try:
        yield server
    except BaseException as error:
        server.stop()
        error.add_note(f"{peer.name} printed:\n{server.printed()}")
        raise
    server.stop()
