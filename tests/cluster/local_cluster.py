"""A Ray cluster of several nodes on this machine: processes, loopback addresses and a token of its own."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from tests.paths import ROOT

BIN = Path(sys.executable).parent
_START_S = 480
_NODE = "RAYSED_TEST_NODE"


class LocalCluster:
    """Nodes of one Ray, all at 127.0.0.1; a context manager that ends what it started, nothing else.

    Every node is a `ray start`, whose processes are known by a mark in their environment. `resources` are flags, one list a node, the head's
    first: `[["--num-cpus=1"], ["--num-cpus=2"]]`. `bin` holds the Python and the `ray` of all of them.
    """

    def __init__(self, nodes: list[list[str]], *, bin: Path = BIN, **environment: str) -> None:
        self.bin = bin
        # Sockets live there: their paths hold at most 107 characters.
        self.temporary = Path(tempfile.mkdtemp(prefix="rs-", dir="/tmp"))
        self.gcs = self.dashboard = self.agent = 0  # ports, known when the head starts
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "PYTHONPATH"))},
            "PATH": f"{bin}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            # Its default, 15, starves it beside other work on two cores.
            "RAY_worker_niceness": "0",
            # A node is lost after five refused calls: 15 s with Ray's 3 s between them. A busy one has 10 s for each as ever.
            "RAY_health_check_period_ms": "500",
            "RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT": "120",
            **environment,
        }
        self.flags = nodes
        self.logs = self.temporary / "nodes"
        self.logs.mkdir()

    def __enter__(self) -> "LocalCluster":
        try:
            self._start([0])
            self._start(range(1, len(self.flags)))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for number in reversed(range(len(self.flags))):
            self.kill(number)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def restore(self) -> None:
        """Start the nodes anew that were killed."""
        self._start([n for n in range(len(self.flags)) if not family(self.mark(n))])

    @property
    def url(self) -> str:
        """Where jobs are submitted."""
        return f"http://127.0.0.1:{self.dashboard}"

    def _start(self, numbers: Iterable[int]) -> None:
        """Start these nodes at once. Ray gives one up after 30 s, too soon on a busy machine."""
        waiting = {number: self._launch(number) for number in numbers}
        deadline = time.monotonic() + _START_S
        while waiting:
            for number, starting in tuple(waiting.items()):
                if starting.poll() == 0:
                    del waiting[number]
                elif starting.poll() is not None:
                    self.kill(number)
                    waiting[number] = self._launch(number)
            assert time.monotonic() < deadline, [self.said(number) for number in waiting]
            time.sleep(0.1)

    def _launch(self, number: int) -> subprocess.Popen:
        gcs, dashboard, agent, metrics, client = free_ports(5)
        if number == 0:
            # Anew at every start: what was free may be taken by then.
            self.gcs, self.dashboard, self.agent = gcs, dashboard, agent
        flags = [
            "--node-ip-address=127.0.0.1",
            f"--dashboard-agent-listen-port={agent}",
            f"--metrics-export-port={metrics}",
            "--min-worker-port=0",
            "--max-worker-port=0",
            "--object-store-memory=80000000",
            "--disable-usage-stats",
            # As on machines of their own: a node that unpacks a job's code replaces what is there.
            f"--temp-dir={tempfile.mkdtemp(prefix=f'{number}-', dir=self.temporary)}",
        ]
        if number == 0:
            flags += [
                "--head",
                f"--port={self.gcs}",
                f"--ray-client-server-port={client}",
                "--dashboard-host=127.0.0.1",
                f"--dashboard-port={self.dashboard}",
            ]
        else:
            flags += [f"--address=127.0.0.1:{self.gcs}"]
        with (self.logs / f"{number}.txt").open("w") as log:
            return subprocess.Popen(
                [self.bin / "ray", "start", *flags, *self.flags[number]],
                env=self.environment | {_NODE: self.mark(number)}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_for_agent(self) -> None:
        """The head's agent starts jobs. Ray refuses them where it is not there 10 s after it was asked for one."""
        deadline = time.monotonic() + _START_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.agent)):
                return
            assert time.monotonic() < deadline, "no agent on the head"
            time.sleep(0.1)

    def said(self, number: int) -> str:
        """What `ray start` of a node printed."""
        return (self.logs / f"{number}.txt").read_text()

    def working(self, number: int, title: str) -> list[int]:
        """Processes of a node whose title says that they are in such a task."""
        return [p for p in family(self.mark(number)) if title_of(p).startswith(title)]

    def kill(self, number: int) -> None:
        """kill -9 of a whole node, all at once: each process is stopped before the first is killed."""
        processes = family(self.mark(number))
        for number_of_signal in (signal.SIGSTOP, signal.SIGKILL):
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(process, number_of_signal)

    def mark(self, number: int) -> str:
        """What the processes of a node have in their environment."""
        return f"{self.temporary.name}-{number}"

    def join(self, *command: str | Path, **environment: str) -> subprocess.Popen:
        """A driver that joins the cluster itself, by `--address`."""
        return subprocess.Popen(
            [sys.executable, *command, "--address", f"127.0.0.1:{self.gcs}"],
            cwd=ROOT, env=self.environment | {"PYTHONPATH": str(ROOT)} | environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def submit(
        self,
        *command: str,
        output: int | IO[str] = subprocess.PIPE,
        **environment: str,
    ) -> subprocess.Popen:
        """`ray job submit` of a command in this checkout; its output ends with the job's."""
        self.wait_for_agent()
        return subprocess.Popen(
            [
                self.bin / "ray", "job", "submit", "--address", self.url, "--working-dir", ".",
                "--runtime-env", "cluster/runtime_env.yaml", "--", *command,
            ],
            cwd=ROOT, env=self.environment | environment, text=True,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def family(mark: str) -> list[int]:
    """Processes that were started with the mark of a node in their environment, and all under them.

    A worker that has set its title may have lost its environment, but its raylet has not.
    """
    parents: dict[int, list[int]] = {}
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(stat[1]), []).append(int(folder.name))
            if f"{_NODE}={mark}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    for process in found:
        found += [child for child in parents.get(process, []) if child not in found]
    return found


def title_of(process: int) -> str:
    """Its command line, where Ray shows the task that it is in."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().rstrip("\0")
    return ""
