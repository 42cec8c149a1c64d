"""What is judged of a trial draws the groups of its run."""

from types import SimpleNamespace

import numpy as np
import pytest

from raysed.evaluation.detections.events import Events, Reference
from raysed.predict.trial_groups import groups_hash, with_groups_of_run
from raysed.storage.folder import Folder

NAMES = ("a.wav", "b.wav", "c.wav")


def reference() -> Reference:
    nothing = np.empty(0)
    events = Events(nothing.astype(int), nothing.astype(int), nothing, nothing)
    return Reference(NAMES, np.ones(3), ("Cat",), events)


def found(tmp_path, monkeypatch, groups, trial="run/trials/t-seed0", named="mine.tsv"):
    plan = SimpleNamespace(groups=named)
    monkeypatch.setattr("raysed.predict.trial_groups.RunPlan.read", lambda run: plan)
    if groups is not None:
        (tmp_path / "run").mkdir()
        rows = "".join(f"{name}\t{group}\n" for name, group in groups)
        (tmp_path / "run/groups.tsv").write_text(f"filename\tgroup\n{rows}")
    said: list[str] = []
    made = with_groups_of_run(Folder(str(tmp_path / trial)), reference(), said.append)
    assert made.key == reference().key
    return made.groups_N, said


def test_the_groups_of_the_run(tmp_path, monkeypatch):
    groups_N, said = found(tmp_path, monkeypatch, zip(NAMES, "yxy", strict=True))
    assert groups_N is not None and groups_N.tolist() == [1, 0, 1]
    assert said == [f"intervals draw 2 groups of 3 clips ({tmp_path}/run/groups.tsv)"]


def test_clips_that_are_their_own_groups_are_drawn_as_clips(tmp_path, monkeypatch):
    assert found(tmp_path, monkeypatch, zip(NAMES, "xyz", strict=True)) == (None, [])


@pytest.mark.parametrize("groups", [None, [("a.wav", "x")]])
def test_groups_that_are_gone_or_of_other_clips_are_said(tmp_path, monkeypatch, groups):
    groups_N, (said,) = found(tmp_path, monkeypatch, groups)
    assert groups_N is None and said.startswith("note: intervals draw clips, although the run")


def test_runs_without_groups_and_trials_without_a_run(tmp_path, monkeypatch):
    assert found(tmp_path, monkeypatch, None, named=None) == (None, [])
    assert found(tmp_path, monkeypatch, None, trial="copied/t-seed0") == (None, [])


def test_their_hash_is_that_of_the_file(tmp_path, monkeypatch):
    trial = Folder(str(tmp_path / "run/trials/t-seed0"))
    assert groups_hash(trial) == ""
    found(tmp_path, monkeypatch, zip(NAMES, "yxy", strict=True))
    first = groups_hash(trial)
    assert len(first) == 64
    (tmp_path / "run/groups.tsv").write_text("filename\tgroup\n")
    assert groups_hash(trial) != first
