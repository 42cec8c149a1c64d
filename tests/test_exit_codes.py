"""One table of exit codes: the process, status.json, the README and the help say the same."""

import json
import re
import sys

import pytest
from ray.exceptions import RayTaskError
from ray.tune import TuneError
from typer.testing import CliRunner

from raysed.cli import commands, entry
from raysed.config.fault import ConfigError
from raysed.exit_codes import (
    DONE,
    HOLES,
    INTERRUPTED,
    MEANINGS,
    REFUSED,
    ending,
)
from raysed.run.lock import RunBusyError
from raysed.run.status import RunStatus
from raysed.storage.folder import Folder
from tests.paths import ROOT


class WrappedError(RuntimeError):
    """An interrupt within a class body, as Python 3.11 raises it."""

    __cause__ = KeyboardInterrupt()


ERRORS = [
    (KeyboardInterrupt(), INTERRUPTED, "interrupted"),
    (WrappedError(), INTERRUPTED, "interrupted"),
    (ValueError("no such key"), REFUSED, "refused"),
    (ConfigError(["a.yaml:1: x"]), REFUSED, "refused"),
    (RunBusyError("another driver"), REFUSED, "refused"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), REFUSED, "refused"),
    (FileNotFoundError(2, "No such file or directory", "d.tsv"), REFUSED, "refused"),
    (FileExistsError(17, "File exists", "d"), REFUSED, "refused"),
    (IsADirectoryError(21, "Is a directory", "d"), REFUSED, "refused"),
    (NotADirectoryError(20, "Not a directory", "d"), REFUSED, "refused"),
    (PermissionError(13, "Permission denied", "d"), REFUSED, "refused"),
    (OSError(28, "No space left on device"), HOLES, "stopped"),
    (ConnectionResetError(104, "Connection reset by peer"), HOLES, "stopped"),
    (TimeoutError("no answer"), HOLES, "stopped"),
    (RuntimeError("Ray stopped the run"), HOLES, "stopped"),
    (TuneError("a trial"), HOLES, "stopped"),
    (RayTaskError("f", "traceback", ValueError("in a task")), HOLES, "stopped"),
    (KeyError("snr"), HOLES, "stopped"),
    (AssertionError("shape"), HOLES, "stopped"),
    (MemoryError(), HOLES, "stopped"),
    (TypeError("ours"), HOLES, "stopped"),
]


@pytest.mark.parametrize(("error", "code", "state"), ERRORS, ids=lambda v: type(v).__name__)
def test_the_process_and_the_status_of_a_run_end_the_same(
    tmp_path, monkeypatch, error, code, state
):
    run = Folder(str(tmp_path / "run"))

    def fail(*_, **__):
        with RunStatus(run) as status:
            status.update("running")
            raise error

    monkeypatch.setattr(commands, "_report", fail)
    monkeypatch.setattr(sys, "argv", ["raysed", "report", "runs/x"])
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    status = json.loads(run.read("status.json"))
    assert (stopped.value.code, status["exit_code"], status["state"]) == (code, code, state)
    assert status["reason"] == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(2, "gone", "d.tsv")])
def test_every_refusal_before_work_leaves_the_status_of_a_finished_run(tmp_path, error):
    run = Folder(str(tmp_path / "run"))
    with RunStatus(run) as status:
        status.update("done", exit_code=DONE)
    before = run.read("status.json")
    with pytest.raises(type(error)), RunStatus(run):
        raise error
    assert run.read("status.json") == before


def test_every_ending_has_a_code_that_is_explained():
    assert {ending(error).code for error, _, _ in ERRORS} <= MEANINGS.keys()


def test_the_readme_and_the_help_show_the_table():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {int(code): means for code, means in rows} == MEANINGS
    shown = " ".join(CliRunner().invoke(commands.app, ["--help"], color=False).output.split())
    for code, means in MEANINGS.items():
        assert f"{code} {means}" in shown
