"""Processes that have torch and the package from the start: forked from a server that has loaded them once.

A fresh Python takes 4 CPU seconds for these imports, more than a test's work. `multiprocessing` starts the server with the first process.
"""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

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


def _run(errors: Path, work: Callable[..., None], *arguments: object) -> None:
    with errors.open("wb") as file:
        os.dup2(file.fileno(), 2)
    work(*arguments)
