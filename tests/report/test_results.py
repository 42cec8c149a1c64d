import io

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.intervals.bootstrap import interval
from raysed.report.report import write_report
from raysed.report.results import Measured, read_results, results_frame
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan
from raysed.run.trial_state import read_standings
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import put, reference, system


def measured_of(run):
    plan = RunPlan.require(run)
    return Measured(read_results(run, plan), plan.bootstrap_draws)


def test_a_row_holds_the_interval_of_its_own_system(run):
    measured = measured_of(run)
    frame = results_frame(measured, ("event_f1", "psds"))
    assert list(frame.trial) == ["g-seed0", "g-seed1", "p-seed0", "p-seed1"]
    for row, result in zip(frame.itertuples(), measured.results, strict=True):
        expected = interval(TABLE_METRICS["event_f1"], result.statistics, draws=500)
        assert row.event_f1 == expected.value
        assert (row.event_f1_low, row.event_f1_high) == (expected.low, expected.high)
        assert (row.selected_epoch, row.train_seconds) == (3, 1.0)


def test_cells_of_one_system_are_drawn_once(claimed, monkeypatch):
    measured = measured_of(claimed)
    fair, again, wet = (measured.by_seed(c, "val")[0] for c in ("fair", "fair-2", "fair-wet"))
    assert fair.system == again.system != wet.system
    assert fair.statistics is again.statistics
    first = measured.drawn(fair, "psds")
    monkeypatch.setitem(TABLE_METRICS, "psds", None)
    assert measured.drawn(again, "psds") is first
    assert len(measured_of(claimed).results) == 2 * 9


def test_not_a_run(tmp_path):
    with pytest.raises(ValueError, match=r"holds no plan\.json"):
        write_report(Folder(str(tmp_path)))


def test_missing_statistics_are_named(run, tmp_path):
    (tmp_path / "run" / "trials" / "g-seed0" / "statistics" / "val.dry.npz").unlink()
    with pytest.raises(ValueError, match=r"g-seed0/statistics/val\.dry\.npz is missing"):
        write_report(run)


@pytest.mark.parametrize("length", [0, 100, 2000])
def test_broken_statistics_are_named(run, tmp_path, length):
    path = tmp_path / "run" / "trials" / "p-seed1" / "statistics" / "val.dry.npz"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"p-seed1/statistics/val\.dry\.npz cannot be read"):
        write_report(run)


def test_trials_of_another_set_are_refused_by_name(run):
    other = reference(seed=7)
    found = system(other, 10, 0)
    statistics = collect(other, found, {0.25: found, 0.75: found})
    put(run.child("trials/p-seed1"), "statistics/val.dry.npz", statistics)
    with pytest.raises(ValueError, match=r"val: trial g-seed0 .* trial p-seed1 .* different sets"):
        write_report(run)


def test_states_of_trials(run, tmp_path):
    for name, file in (("g-seed1", "failed"), ("p-seed0", "progress"), ("p-seed1", "nothing")):
        trial = run.child(f"trials/{name}")
        (tmp_path / "run" / "trials" / name / "result.json").unlink()
        if file == "failed":
            trial.write("progress.jsonl", b'{"epoch": 0}\n')
            write_json(trial, "failed.json", {"reason": "DivergedError: loss is not finite"})
        if file == "progress":
            trial.write("progress.jsonl", b'{"epoch": 0}\n{"epoch": 1}\n')
    write_json(run.child("trials/g-seed0"), "failed.json", {"reason": "an earlier attempt"})
    found = read_standings(run, RunPlan.require(run))
    assert {name: (trial.state, trial.brief) for name, trial in found.items()} == {
        "g-seed0": ("finished", "finished"),
        "g-seed1": ("failed", "failed"),
        "p-seed0": ("unfinished", "epoch 2"),
        "p-seed1": ("not started", "-"),
    }
    assert found["p-seed0"].note == "epoch 2/9"
    assert found["g-seed1"].note == "DivergedError: loss is not finite"
    write_json(run.child("trials/p-seed0"), "stopped.json", {"epochs": 2})
    assert read_standings(run, RunPlan.require(run))["p-seed0"].state == "stopped"


def test_statistics_survive_the_folder(run):
    statistics = measured_of(run).results[0].statistics
    buffer = io.BytesIO()
    statistics.save(buffer)
    assert buffer.getvalue() == run.child("trials/g-seed0").read("statistics/val.dry.npz")
    assert np.isfinite(statistics.durations_s).all()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 cut",
        npz(other=np.arange(3)),
        npz(header=np.frombuffer(b"[]", np.uint8)),
        npz(header=np.frombuffer(b'{"format": 9}', np.uint8)),
        npz(header=np.frombuffer(b"{", np.uint8)),
    ],
)
def test_damaged_or_edited_statistics_are_named_with_what_to_do(run, content):
    run.write("trials/p-seed1/statistics/val.dry.npz", content)
    message = r"p-seed1/statistics/val\.dry\.npz cannot be read .* remove the result\.json"
    with pytest.raises(ValueError, match=message):
        write_report(run)
