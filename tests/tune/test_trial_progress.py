"""What people see of a run: rows, lines, the table, and what is said of a failed trial."""

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console

from raysed.run.folders import TrialFolder
from raysed.run.status import RunStatus
from raysed.run.trial_state import DIED, OVER, failure_lines, state_of
from raysed.storage.folder import Folder, ReadDeniedError
from raysed.tune import trial_progress as progress_module
from raysed.tune.live_table import table_of
from raysed.tune.trial_progress import TrialProgress

EPOCHS = 4


class Plan:
    """What these modules look at in a TrialPlan."""

    def __init__(self, run, name):
        self.name, self.label = name, f"cell {name}"
        self.out = TrialFolder(run.child(f"trials/{name}"))
        schedule = SimpleNamespace(epochs=EPOCHS)
        self.training = SimpleNamespace(trial=SimpleNamespace(schedule=schedule))

    @property
    def is_over(self):
        return state_of(self.out) in OVER


def tuned(name):
    return SimpleNamespace(config={"job": {"name": name}}, get_pickled_error=lambda: None)


def metrics(epoch, f1):
    return {
        "epoch": epoch,
        "loss": 0.5,
        "xvalid_f1": {"dry": f1, "rir": f1 / 2},
        "clips_per_s": 60.0,
    }


@pytest.fixture
def clock_s(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def made(tmp_path, clock_s):
    run = Folder(str(tmp_path))
    plans = [Plan(run, name) for name in "abcde"]
    plans[0].out.folder.write("result.json", b"{}")
    lines = [json.dumps(metrics(epoch, 0.25)) for epoch in range(EPOCHS)]
    plans[0].out.folder.write("progress.jsonl", "\n".join(lines).encode())
    plans[1].out.folder.write("progress.jsonl", lines[0].encode())
    said = []
    status = RunStatus(run)
    status.content = {"state": "running"}
    return plans, TrialProgress(status, plans, said.append), said


def told(progress, name, **result):
    progress.on_trial_result(0, [], tuned(name), result)


def shown(progress, lines):
    console = Console(file=io.StringIO(), width=110)
    console.print(table_of(progress, lines))
    return console.file.getvalue()


def test_rows_start_from_the_folders(made):
    _, progress, _ = made
    assert progress.counts() == {"finished": 1, "unfinished": 1, "not started": 3}
    assert [row.epochs_done for row in progress.rows.values()] == [4, 1, 0, 0, 0]


def test_a_line_per_epoch_and_the_time_that_is_left(made, clock_s):
    _, progress, said = made
    progress.on_trial_start(0, [], tuned("b"))
    clock_s[0] += 10
    told(progress, "b", **metrics(1, 0.5))
    # 14 of 20 epochs are left at 10 s each.
    assert said == [
        "cell b                   epoch   2/4  loss 0.5000  x-valid F1 dry 0.500, rir 0.250"
        "  60 clips/s  | 1/5 trials, 30%, 2m20s left"
    ]
    assert progress.rows["b"].left_s == 20.0
    told(progress, "b", **metrics(2, 0.25))
    assert progress.rows["b"].best == {"dry": 0.5, "rir": 0.25}
    assert progress.status.content["progress"] == 0.35
    assert progress.status.content["trials"] == {"finished": 1, "running": 1, "not started": 3}


def test_the_first_minute_is_no_measure_of_the_rest(made, clock_s):
    """60 s pass before the first epoch of 6 s: 14 epochs are left, and three processes are still to start."""
    _, progress, _ = made
    progress.on_trial_start(0, [], tuned("b"))
    clock_s[0] += 60
    told(progress, "b", **metrics(1, 0.5), train_s=5.0, xvalid_s=1.0)
    assert progress._left_s() == pytest.approx(14 * 6 + 3 * 54)
    progress.on_trial_start(0, [], tuned("c"))
    assert progress._left_s() == pytest.approx((14 * 6 + 2 * 54) / 2)  # two at a time
    clock_s[0] += 8
    told(progress, "b", **metrics(2, 0.5), train_s=7.0, xvalid_s=1.0)
    assert progress._left_s() == pytest.approx((13 * 8 + 2 * 54) / 2)


def test_nothing_is_foretold_before_an_epoch_is_over(made):
    assert made[1].overall() == "1/5 trials, 25%, ? left"


def test_the_table_shows_every_state(made, clock_s):
    plans, progress, _ = made
    for name in "bcd":
        progress.on_trial_start(0, [], tuned(name))
    clock_s[0] += 5
    told(progress, "b", **metrics(1, 0.5))
    told(progress, "c", failed="DivergedError: loss is not finite")
    progress.on_trial_complete(0, [], tuned("c"))
    told(progress, "d", **metrics(0, 0.125))
    progress.on_trial_complete(0, [], tuned("d"))
    text = shown(progress, 10)
    lines = [line.split() for line in text.splitlines()]
    assert lines[1] == [
        "cell",
        "b",
        "running",
        "2/4",
        "dry",
        "0.500",
        "rir",
        "0.250",
        "60",
        "0m10s",
    ]
    assert lines[2][:4] == ["cell", "c", "failed", "0/4"]
    assert lines[3][:4] == ["cell", "d", "stopped", "1/4"]
    assert lines[4][:4] == ["cell", "e", "not", "started"]
    assert lines[5][:4] == ["cell", "a", "finished", "4/4"]
    assert "1 running, 1 failed, 1 stopped, 1 not started, 1 finished" in text
    assert json.loads(plans[3].out.folder.read("stopped.json")) == {"epochs": 1}


def test_a_trial_that_had_nothing_to_choose_an_epoch_by_is_told(made):
    plans, progress, said = made
    progress.on_trial_start(0, [], tuned("e"))
    for epoch in range(EPOCHS):
        told(progress, "e", **metrics(epoch, 0.0) | {"xvalid_f1": {"dry": 0.0, "rir": 0.25}})
    plans[4].out.folder.write("result.json", b"{}")
    progress.on_trial_complete(0, [], tuned("e"))
    assert said[-1] == (
        "cell e                   not trained: x-valid F1 was 0 after every epoch (dry)"
    )


def test_a_process_that_died_is_told(made):
    plans, progress, said = made
    progress.on_trial_start(0, [], tuned("b"))
    progress.on_trial_recover(0, [], tuned("b"))
    assert "its process died; another one goes on from epoch 1" in said[-1]
    progress.on_trial_error(0, [], tuned("b"))
    assert progress.rows["b"].state == "failed"
    assert failure_lines(plans[1].out, plans[1].label)[0].endswith(DIED)


def test_a_storage_that_fails_one_trial_does_not_end_the_run(made, monkeypatch):
    plans, progress, said = made

    def fail(self, name, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(Folder, "write", fail)
    progress.on_trial_error(0, [], tuned("b"))
    assert progress.rows["b"].state == "failed"
    assert said[-1] == "warning: No space left on device"
    assert failure_lines(plans[1].out, plans[1].label)[0].endswith(
        "see above; its folder says nothing"
    )


def test_nor_does_one_that_denies_reading(made, monkeypatch):
    _, progress, said = made

    def deny(self, name):
        raise ReadDeniedError("reading is denied")

    monkeypatch.setattr(Folder, "read", deny)
    progress.on_trial_error(0, [], tuned("b"))
    assert progress.rows["b"].state == "failed"
    assert said[-1] == "warning: reading is denied"
