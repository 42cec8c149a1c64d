"""Processes that have torch and the package from the start: forked from a server that has loaded them once.

A fresh Python takes 4 CPU seconds for these imports, more than a test's work. `multiprocessing` starts the server with the first process.
"""

import atexit
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.paths import ROOT

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.loaded", "tests.training.ddp_worker"])


def fork_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that `multiprocessing` would spawn are forked from the server, too."""
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: CONTEXT)


class Forked:
    """A process that runs `work(*arguments)`, what it writes to stderr in the file `errors`."""

    def __init__(self, errors: Path, work: Callable[..., None], *arguments: object) -> None:
        self._errors = errors
        self._process = CONTEXT.Process(target=_run, args=(errors, work, *arguments), daemon=True)
        self._process.start()

    def poll(self) -> int | None:
        """Its exit code, the negative number of the signal that ended it, or None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()

    def finish(self) -> tuple[int, str]:
        """Wait for its end; exit code and what it wrote to stderr."""
        self._process.join(500)
        code = self._process.exitcode
        assert code is not None, "it does not end"
        return code, self._errors.read_text()


class ForkedCommand(Forked):
    """A process that does what `python -c CODE ARGUMENT` does, in a session of its own; as a `subprocess.Popen` is used.

    `environment` is all of its own. Neither Ray nor what imports it is loaded before, so that they read this one.
    """

    def __init__(self, code: str, argument: str, environment: dict[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="command-")
        errors = Path(self._folder.name, "errors")
        super().__init__(errors, _command, code, argument, environment)
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def send_signal(self, number: int) -> None:
        assert self.pid is not None
        os.kill(self.pid, number)

    def wait(self) -> None:
        self.finish()

    def communicate(self, timeout: float) -> tuple[None, str]:
        """Wait for its end; what it wrote to stderr."""
        self._process.join(timeout)
        assert self.poll() is not None, "it does not end"
        return None, self.errors()

    def errors(self) -> str:
        """What it has written to stderr until now."""
        return self._errors.read_text()


def _command(code: str, argument: str, environment: dict[str, str]) -> None:
    assert "ray" not in sys.modules, "it would have Ray's settings of another process"
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # In the background of a script Ctrl-C is ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The server's own is that of the test that started it.
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["-c", argument]
    try:
        exec(code, {"__name__": "__main__"})
    finally:
        # Processes of multiprocessing end without.
        atexit._run_exitfuncs()


def _run(errors: Path, work: Callable[..., None], *arguments: object) -> None:
    with errors.open("wb") as file:
        os.dup2(file.fileno(), 2)
    work(*arguments)
