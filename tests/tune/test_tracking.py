"""Trackers are made whole from the trials' folders, whatever happened to the process that wrote them."""

import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from raysed.storage.folder import Folder
from raysed.tune import tracking as tracking_module
from raysed.tune.tracking import Tracking
from tests.paths import ROOT
from tests.tune.tracked import (
    losses_in_mlflow,
    losses_in_wandb,
    made_up_trial,
    own_environment,
    write_epochs,
)


class Runs:
    """A tracker in memory; `broken` makes it fail."""

    broken = False
    kept: dict[str, list[float]]
    states: dict[str, str]

    def __init__(self, place, space):
        self.place, self.space = place, space

    def open(self, id, name, config):
        if Runs.broken:
            raise ConnectionError("no server")
        return Run(id)


class Run:
    def __init__(self, id):
        self.id = id
        Runs.states[id] = "RUNNING"
        self.epochs = len(Runs.kept.setdefault(id, []))

    def log(self, metrics):
        if Runs.broken:
            raise ConnectionError("lost")
        Runs.kept[self.id].append(metrics["loss"])
        self.epochs += 1

    def end(self, state):
        Runs.states[self.id] = state


@pytest.fixture
def track(tmp_path, monkeypatch):
    monkeypatch.setattr(Runs, "kept", {}, raising=False)
    monkeypatch.setattr(Runs, "states", {}, raising=False)
    monkeypatch.setattr(Runs, "broken", False)
    monkeypatch.setattr(tracking_module, "TRACKERS", {"wandb": Runs})
    said = []

    def made(*plans, trackers=("wandb",)):
        plans = [*plans]
        for plan in plans:
            plan.is_over = plan.out.finished
        space = SimpleNamespace(trackers=trackers, name="space")
        return Tracking(space, Folder(str(tmp_path)), plans, said.append)

    made.said = said
    return made


def told(tracking, plan, hook="on_trial_result"):
    trial = SimpleNamespace(config={"job": {"name": plan.name}})
    given = {"result": {}} if hook == "on_trial_result" else {}
    getattr(tracking, hook)(0, [], trial, **given)


def finish(plan):
    plan.out.write_result({})


def test_a_trial_that_ends_is_whole_and_not_opened_again(track, tmp_path):
    plan = made_up_trial(tmp_path)
    with track(plan) as tracking:
        write_epochs(plan, 1)
        told(tracking, plan)
        assert [*Runs.kept.values()] == [[1.0]]
        write_epochs(plan, 3)  # the last one may come with no report of its own
        finish(plan)
        told(tracking, plan, "on_trial_complete")
    assert [*Runs.kept.values()] == [[1.0, 0.5, 0.25]] and [*Runs.states.values()] == ["FINISHED"]
    Runs.broken = True  # it would be told
    with track(plan):
        pass
    assert track.said == []


def test_a_killed_run_goes_on_in_the_same_run_and_loses_nothing(track, tmp_path):
    plan = made_up_trial(tmp_path)
    write_epochs(plan, 1)
    told(track(plan), plan)  # and the driver is gone
    write_epochs(plan, 3)
    with track(plan) as tracking:
        told(tracking, plan)
    assert [*Runs.kept.values()] == [[1.0, 0.5, 0.25]] and [*Runs.states.values()] == ["KILLED"]
    finish(plan)
    with track(plan):
        pass
    assert [*Runs.states.values()] == ["FINISHED"]


def test_what_was_trained_without_a_tracker_is_written_later(track, tmp_path):
    plan = made_up_trial(tmp_path)
    write_epochs(plan, 2)
    finish(plan)
    with track(plan, trackers=()):
        pass
    assert not Runs.kept and plan.out.tracked() == {}
    with track(plan):
        pass
    assert [*Runs.kept.values()] == [[1.0, 0.5]]


def test_a_failed_trial_is_closed_as_one_and_opened_again(track, tmp_path):
    plan = made_up_trial(tmp_path)
    write_epochs(plan, 1)
    with track(plan) as tracking:
        plan.out.note_failure("diverged")
        told(tracking, plan, "on_trial_error")
        assert [*Runs.states.values()] == ["FAILED"]
    with track(plan) as tracking:
        told(tracking, plan)
        assert [*Runs.states.values()] == ["RUNNING"]
    assert len(Runs.kept) == 1


def test_a_tracker_that_fails_is_told_once_and_made_good(track, tmp_path):
    plan = made_up_trial(tmp_path)
    with track(plan) as tracking:
        for epochs in (1, 2, 3):
            write_epochs(plan, epochs)
            Runs.broken = epochs < 3
            told(tracking, plan)
    assert track.said == ["warning: wandb: ConnectionError: no server"]
    assert [*Runs.kept.values()] == [[1.0, 0.5, 0.25]]


KILLED = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from raysed.storage.folder import Folder
from raysed.tune.tracking import Tracking
from tests.tune.test_tracking import BOTH, told
from tests.tune.tracked import made_up_trial, write_epochs

plan = made_up_trial(Path(sys.argv[1]))
write_epochs(plan, 2)
tracking = Tracking(BOTH, Folder(sys.argv[1]), [plan], print)
told(tracking, plan)
os.kill(os.getpid(), signal.SIGKILL)
"""
BOTH = SimpleNamespace(trackers=("wandb", "mlflow"), name="space")


@pytest.mark.slow
def test_both_packages_offline(tmp_path, monkeypatch):
    """The packages themselves: a driver that was killed, then the same command."""
    pytest.importorskip("wandb")
    pytest.importorskip("mlflow")
    own_environment(monkeypatch)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, ""), killed.stderr
    plan, said = made_up_trial(tmp_path), []
    plan.is_over = False
    with Tracking(BOTH, Folder(str(tmp_path)), [plan], said.append) as tracking:
        write_epochs(plan, 3)
        finish(plan)
        told(tracking, plan, "on_trial_complete")
    points = [(0, 1.0), (1, 0.5), (2, 0.25)]
    assert said == []
    assert losses_in_wandb(tmp_path) == [points]
    assert losses_in_mlflow(tmp_path, "space") == {"all seed 0 FINISHED": points}
