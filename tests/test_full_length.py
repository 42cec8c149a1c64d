"""The proof at full length: its state in few files, its curve, its time limit, and all of it on a tiny space."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from benchmarks import full_length, full_length_data
from benchmarks.full_length import leaves_zero, lines, outcome, tune_until
from benchmarks.full_length_data import CPU_LOSSES, first_losses, pack, unpack
from benchmarks.full_length_state import INDEX, bring_back, restore
from benchmarks.gpu_parts import SHARES, model_for, small_sets
from benchmarks.train_step import trial_of
from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.config.space import read_space
from raysed.config.trial import Model, Schedule
from raysed.data.build.dataset_plan import plan
from raysed.data.build.job import build
from raysed.storage.folder import Folder
from tests.data.recorded_tree import build_alone, weak_job, write_tree
from tests.old_run.old import copy_old_run
from tests.paths import ROOT
from tests.tune import runs
from tests.tune.tiny import write_space


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


KEPT = {
    "plan.json": b"{}",
    "trials/a-seed0/progress.jsonl": b'{"epoch": 0}\n',
    "trials/a-seed0/checkpoints/last.pt": b"state",
    "trials/a-seed0/checkpoints/best-x.pt": b"best",
    "trials/b-seed0/result.json": b"{}",
    "trials/b-seed0/scores/val.arrow": b"scores",
}


def test_a_run_is_restored_from_what_was_brought_back(tmp_path):
    run, out = tmp_path / "runs" / "run", tmp_path / "out"
    write(run, KEPT | {"trials/b-seed0/checkpoints/last.pt": b"over"})
    write(run, {"driver.lock": b"", "status.json": b"{}", "trials/a-seed0/tensorboard/e": b"e"})
    write(run, {"trials/a-seed0/.progress.part": b"half"})
    assert bring_back(run, out) == []
    assert {path.name for path in out.iterdir()} == {INDEX, "state-1-00.part"}
    assert not restore(out, run), "what is there is the newer one"
    shutil.rmtree(run)
    assert restore(out, run)
    assert contents(run) == KEPT
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_the_checkpoints_of_a_finished_trial_are_not_kept(tmp_path):
    run, out = tmp_path / "run", tmp_path / "out"
    bring_back(run, out)
    assert not out.exists() and not restore(out, run), "nothing has begun"
    write(run, KEPT)
    bring_back(run, out)
    write(run, {"trials/a-seed0/result.json": b"{}"})
    bring_back(run, out)
    assert {path.name for path in out.iterdir()} == {INDEX, "state-2-00.part"}
    shutil.rmtree(run)
    assert restore(out, run)
    assert contents(run).keys() == {name for name in KEPT if "checkpoints" not in name} | {
        "trials/a-seed0/result.json"
    }


def test_the_state_is_bounded_and_the_furthest_trials_are_kept(tmp_path):
    run, out = tmp_path / "run", tmp_path / "out"
    write(run, {"plan.json": b"{}"})
    for name, epochs in (("a", 1), ("b", 3), ("c", 2)):
        trial = {"progress.jsonl": b'{"epoch": 0}\n' * epochs, "checkpoints/last.pt": bytes(100)}
        write(run, {f"trials/{name}-seed0/{n}": content for n, content in trial.items()})
    size = 2 + 6 * len(b'{"epoch": 0}\n')
    assert bring_back(run, out, size + 200) == ["a-seed0"]
    assert sum(path.stat().st_size for path in out.glob("*.part")) == size + 200
    shutil.rmtree(run)
    restore(out, run)
    assert {path.parent.parent.name for path in run.rglob("last.pt")} == {"b-seed0", "c-seed0"}


def test_the_step_at_which_f1_leaves_zero():
    epochs = [{"step": 15 * n, "xvalid_f1": {"x": f1}} for n, f1 in enumerate((0, 0, 0.01, 0), 1)]
    assert leaves_zero(epochs) == 45
    assert leaves_zero(epochs[:2]) is None
    assert leaves_zero([]) is None


def test_a_command_is_asked_to_end_when_its_time_is_over(tmp_path):
    looked = []
    asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert tune_until(asleep, 0.1, lambda: looked.append(1)) is None
    assert looked, "its last state is brought back"
    assert tune_until([sys.executable, "-c", "raise SystemExit(3)"], 600, lambda: None) == 3


def test_first_losses_are_those_of_whole_epochs_without_draws(monkeypatch):
    monkeypatch.setattr(full_length_data, "CHECKED_STEPS", 3)
    schedule = Schedule(epochs=2, steps_per_epoch=2)
    noisy = trial_of(SHARES, model=model_for("cpu", dropout=0.5), schedule=schedule)
    quiet = trial_of(SHARES, model=model_for("cpu", dropout=0.0), schedule=schedule)
    found_L5 = first_losses(noisy, small_sets(), "cpu")
    assert found_L5.shape == (3, 5)
    assert torch.equal(first_losses(quiet, small_sets(), "cpu"), found_L5)


def test_the_spaces_are_the_published_model_and_schedule(monkeypatch):
    monkeypatch.chdir(ROOT)
    resolved = read_space("tune_spaces/mini_desed_full_length.yaml")
    assert [training.trial.teacher.snr_db for training in resolved.trainings] == [30.0, None, 0.0]
    assert {training.trial.model for training in resolved.trainings} == {Model()}
    assert {training.trial.schedule for training in resolved.trainings} == {Schedule()}
    # An epoch of 15 steps: 200 epochs of 236 steps, 50 of them ramp, to the nearest epoch.
    (schedule,) = {
        training.trial.schedule
        for training in read_space("tune_spaces/mini_desed_published_steps.yaml").trainings
    }
    assert schedule.epochs == -(-200 * 236 // 15)
    assert schedule.ramp_epochs == -(-50 * 236 // 15)
    job = read_config("data_jobs/mini_desed_full_length.yaml", DataJob)
    assert job.sets.keys() >= {"train_pitch_dry", "xvalid_pitch_dry", "weak", "unlabelled", "val"}


def test_what_a_finished_run_shows(tmp_path):
    run = Folder(str(copy_old_run(tmp_path) / "runs" / "finished"))
    found = outcome(run)
    assert [curve["at_step"] for curve in found["curves"]] == [list(range(4, 49, 4))] * 4
    assert all(curve["finished"] and curve["steps_per_s"] > 0 for curve in found["curves"])
    assert {check["baseline"] for check in found["learning"]} == {"always_on", "permuted"}
    assert found["contrasts"] and found["claims"]
    losses = {"cpu": [1.5, 1.25], "gpu": [1.5, 1.26], "relative_error_10_steps": 1e-6}
    said = list(lines(found | {"first_losses": losses | {"relative_error": 0.008}}))
    assert "4 of 4 trials are finished" in said
    assert said[-1] == (
        "on the GPU: 1.5, 1.26; largest relative difference 1e-06 in 10 steps, 0.008 in all"
    )


def test_data_sets_travel_in_parts_without_the_sound_of_recordings(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    monkeypatch.chdir(write_tree(here / "dataset").parent)
    job = weak_job(here / "dataset", "data")
    built = build_alone(job)
    write(here / "data", {CPU_LOSSES: b"{}"})
    write(here / "dataset" / "Cat_nOn_nOff", {"long.flac": b"sound"})
    parts = pack(job, {"weak": built.url}, tmp_path / "parts")
    assert sum(path.stat().st_size for path in parts) < 100_000, "a second of sound has 32,000"
    there.mkdir()
    monkeypatch.chdir(there)
    assert unpack(tmp_path / "parts") > 0 and unpack(tmp_path / "parts") == 0
    # Planned from names, sizes and tables, the set is the same one, and whole.
    (planned,) = plan(weak_job("data/recordings", "data"))
    assert (planned.id, planned.state) == (built.id, "present")
    assert contents(there / "data" / f"weak-{built.id}") == contents(Path(built.url))
    assert (there / "data" / CPU_LOSSES).read_bytes() == b"{}"
    assert (there / "data/recordings/Cat_nOn_nOff/long.flac").read_bytes() == b"sound"


@pytest.mark.ray
@pytest.mark.slow
def test_a_tiny_space_from_data_to_what_it_shows(ray_session, tree, tmp_path, monkeypatch):
    space, out = write_space(tree, "full_length", seeds=[0]), tmp_path / "out"

    # The session's Ray builds and trains; `raysed data` and `raysed tune` would start two more.
    def build_here(resolved):
        return {name: result.url for name, result in build(resolved.job).items()}

    def tune_here(command, seconds, each_minute):
        assert command[1:] == ["-m", "raysed.tune", str(space), "--run", str(tree / "full_length")]
        code, _ = runs.run(space)
        each_minute()
        return code

    monkeypatch.setattr(full_length, "build", build_here)
    monkeypatch.setattr(full_length, "tune_until", tune_here)
    monkeypatch.setattr(full_length_data, "CHECKED_STEPS", 3)
    app = typer.Typer()
    app.command()(full_length.main)
    done = CliRunner().invoke(app, ["--out", str(out), "--space", str(space)])
    assert done.exit_code == 0, done.output
    found = json.loads((out / "full_length.json").read_text())
    assert [curve["at_step"] for curve in found["curves"]] == [[2, 4], [2, 4]]
    assert len(found["first_losses"]["cpu"]) == 3
    assert "2 of 2 trials are finished" in done.output
    # All that a report reads has come back.
    run = tree / "full_length"
    shutil.rmtree(run)
    assert restore(out, run)
    assert outcome(Folder(str(run)))["curves"] == found["curves"]
