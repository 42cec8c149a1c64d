"""One table of exit codes: the process, status.json, docs/commands.md and the help say the same."""

import json
import re
import sys

import numpy as np
import pytest
import torch
from ray.exceptions import OutOfMemoryError, RayTaskError
from ray.tune import TuneError
from typer.testing import CliRunner

from raysed.cli import commands, entry
from raysed.config.fault import ConfigError
from raysed.exit_codes import (
    DONE,
    HOLES,
    INTERRUPTED,
    MEANINGS,
    OUR_FAULT,
    REFUSED,
    StoppedError,
    ending,
    is_out_of_memory,
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
    (RecursionError("ours"), HOLES, "stopped"),
    (OSError(24, "Too many open files"), HOLES, "stopped"),
    (OSError(30, "Read-only file system", "d"), REFUSED, "refused"),
    (OSError(36, "File name too long", "d"), REFUSED, "refused"),
    (OSError(98, "Address already in use"), REFUSED, "refused"),
    (ModuleNotFoundError("No module named 'onnx'"), REFUSED, "refused"),
    (StoppedError("Ray stopped the build"), HOLES, "stopped"),
    (StoppedError("s/shard-0", PermissionError(13, "denied", "d")), REFUSED, "refused"),
    (StoppedError("s/shard-0", KeyError("ours")), HOLES, "stopped"),
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


def test_the_documents_and_the_help_show_the_table():
    page = (ROOT / "docs/commands.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)
    assert {int(code): means for code, means in rows} == MEANINGS
    shown = " ".join(CliRunner().invoke(commands.app, ["--help"], color=False).output.split())
    for code, means in MEANINGS.items():
        assert f"{code} {means}" in shown


def test_the_advice_is_to_mend_what_only_the_user_can() -> None:
    for error, said in (
        (OSError(28, "No space left on device"), "Make room there"),
        (OSError(122, "Disk quota exceeded"), "Make room there"),
        (OSError(24, "Too many open files"), "ulimit -n"),
        (MemoryError(), "fewer processes"),
        (StoppedError("the build", MemoryError()), "fewer processes"),
        (ImportError("libsox.so.3"), "make setup"),
    ):
        assert said in (ending(error).advice or ""), error
    # A stop that another try may mend is told so; a refusal is not.
    assert "the same command goes on" in (ending(TimeoutError()).advice or "")
    assert ending(PermissionError(13, "denied", "d")).advice is None
    assert ending(StoppedError("s", KeyError("ours"))) is OUR_FAULT


def test_memory_that_ran_out_by_whoever_says_it() -> None:
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**50)
    with pytest.raises(RuntimeError) as torchs:
        torch.empty(2**50)
    rays = OutOfMemoryError("Task was killed due to the node running low on memory")
    for error in (numpys.value, torchs.value, rays, torch.OutOfMemoryError(), OSError(12, "")):
        assert is_out_of_memory(error), error
        assert ending(error).head == "stopped: memory ran out"
    assert not is_out_of_memory(RuntimeError("shape"))
