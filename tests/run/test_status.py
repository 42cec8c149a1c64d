"""What status.json says while a run goes on and after it."""

import json
import os
import signal
import time
from unittest.mock import MagicMock

import pytest

from raysed.run.status import RunStatus
from raysed.storage.folder import Folder
from raysed.tune import run_space as run_module


def stored(run):
    return json.loads(run.read("status.json"))


@pytest.fixture
def run(tmp_path):
    return Folder(str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 130),
        (ValueError("no such key"), "refused", 2),
        (OSError("disk"), "stopped", 3),
        (RuntimeError("Ray is gone"), "stopped", 3),
        (KeyError("ours"), "stopped", 3),
    ],
)
def test_how_it_ended(run, error, state, code):
    with pytest.raises(type(error)), RunStatus(run) as status:
        status.update("running")
        raise error
    assert (stored(run)["state"], stored(run)["exit_code"]) == (state, code)
    assert stored(run)["reason"] == f"{type(error).__name__}: {error}"


def test_a_refusal_before_work_leaves_the_status_of_the_finished_run(run):
    with RunStatus(run) as status:
        status.update("done", exit_code=0)
    before = stored(run)
    with pytest.raises(ValueError, match="another space"), RunStatus(run):
        raise ValueError("another space")
    assert stored(run) == before


def test_a_refusal_before_work_in_a_new_folder_is_told(run):
    with pytest.raises(ValueError, match="wrong"), RunStatus(run):
        raise ValueError("wrong")
    assert (stored(run)["state"], stored(run)["exit_code"]) == ("refused", 2)


def test_a_batch_systems_sigterm_interrupts(run, monkeypatch):
    monkeypatch.setattr(run_module, "start_ray", MagicMock())
    monkeypatch.setattr(run_module, "settle_precision", lambda resolved, run: resolved)
    monkeypatch.setattr(run_module, "prepare", lambda *about, **more: MagicMock(faults=[]))
    monkeypatch.setattr(run_module, "_run", lambda *about: os.kill(os.getpid(), signal.SIGTERM))
    before, said = signal.getsignal(signal.SIGTERM), []
    with pytest.raises(KeyboardInterrupt):
        run_module.run_space(
            MagicMock(), MagicMock(read_bytes=bytes), run, address=None, say=said.append
        )
    assert (stored(run)["state"], stored(run)["exit_code"]) == ("interrupted", 130)
    assert said == ["interrupted: the same command goes on from here"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_heartbeat_moves_while_nothing_else_does(run):
    with RunStatus(run, every_s=0.05) as status:
        status.update("building data sets")
        status.note(progress=0.5)
        first = stored(run)["heartbeat"]
        deadline = time.monotonic() + 100
        while stored(run)["heartbeat"] == first:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert stored(run)["progress"] == 0.5
        assert stored(run)["state"] == "building data sets"
        status.update("done", exit_code=0)
    last = stored(run)
    time.sleep(0.2)
    assert stored(run) == last


def test_what_an_issue_reader_needs_is_there(run):
    with RunStatus(run):
        content = stored(run)
    assert {"state", "exit_code", "heartbeat", "driver", "versions", "commit"} <= content.keys()
    assert {"raysed", "torch", "ray"} <= content["versions"].keys()


def test_a_storage_that_takes_no_status_stops_nothing(run, monkeypatch):
    with RunStatus(run) as status:
        with monkeypatch.context() as patch:

            def fail(self, name, content):
                raise OSError("No space left on device")

            patch.setattr(Folder, "write", fail)
            status.update("running")
        status.update("done", exit_code=0)
    assert stored(run)["status_error"] == "No space left on device"
    assert stored(run)["exit_code"] == 0
