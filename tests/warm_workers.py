"""Ray's workers forked from a process that has imported torch and the package once: a fresh one takes 2 CPU seconds more.

Ray starts each worker as a command, in which `tests/warm/sitecustomize.py` asks the server here for a fork. The fork is Ray's
own code with that command's environment, folder, files and niceness. Ray is imported there and not before, as it
reads its settings from the environment then.
"""

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.paths import ROOT
from tests.warm.sitecustomize import SERVER

_FOLDER = ROOT / "tests" / "warm"
_START_S = 240
_LOOK_S = 2.0
"""Seconds between looks for the process that started the server."""


@contextmanager
def warm_workers() -> Iterator[None]:
    """Within, each Ray that inherits this process's environment has such workers, descendants of this process."""
    with tempfile.TemporaryDirectory(prefix="rw-", dir="/tmp") as folder:
        address = Path(folder, "server")
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, address], cwd=ROOT, start_new_session=True
        )
        try:
            deadline = time.monotonic() + _START_S
            while not address.exists():
                assert server.poll() is None and time.monotonic() < deadline, "no server of workers"
                time.sleep(0.05)
            path = [str(_FOLDER), str(ROOT), os.environ.get("PYTHONPATH", "")]
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(SERVER, str(address))
                patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
                yield
        finally:
            server.kill()
            server.wait()


def _serve(address: str) -> None:
    import_module("tests.loaded")
    assert "ray" not in sys.modules, "its settings would be those of this process"
    gc.freeze()
    # Whoever ends is nobody's business here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    parent, listening = os.getppid(), socket.socket(socket.AF_UNIX)
    listening.bind(f"{address}.new")
    listening.listen(64)
    Path(f"{address}.new").rename(address)
    while os.getppid() == parent:
        listening.settimeout(_LOOK_S)
        try:
            asking, _ = listening.accept()
        except TimeoutError:
            continue
        asking.settimeout(None)
        request, files = _read(asking)
        if not os.fork():
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            Thread(target=_end_with, args=(asking,), daemon=True).start()
            _become(request, files)
        asking.close()
        for file in files:
            os.close(file)


def _read(asking: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return what the worker is to be, and its standard files."""
    size, files, _, _ = socket.recv_fds(asking, 8, 3)
    with asking.makefile("rb") as content:
        return json.loads(content.read(int.from_bytes(size, "big"))), files


def _end_with(asking: socket.socket) -> None:
    asking.recv(1)
    os._exit(1)


def _become(request: dict[str, Any], files: list[int]) -> None:
    """Be the worker, and end as it does. Ray ends a worker's process group, which must be no one else's."""
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    os.setpriority(os.PRIO_PROCESS, 0, request["niceness"])
    sys.argv = request["arguments"]
    sys.path[:] = [str(Path(sys.argv[0]).parent), *request["path"]]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _serve(sys.argv[1])
