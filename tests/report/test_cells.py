import io

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals import interval_ends
from raysed.evaluation.intervals.significance import drawn, mean_value, seed_interval
from raysed.report.cells import cell_values
from raysed.report.results import Measured, read_results
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan
from raysed.run.trial_state import read_standings
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, plan_of, put, write_trial


def cells_of(run):
    plan = RunPlan.require(run)
    measured = Measured(read_results(run, plan), plan.bootstrap_draws)
    values = cell_values(plan, measured, read_standings(run, plan))
    return {(c.cell, c.evaluation, c.metric): c for c in values}


def test_cells_hold_the_stored_values(run):
    cells = cells_of(run)
    good = cells["good", "val", "event_f1"]
    assert good.published == 0.3414
    assert None not in good.seed_values
    assert good.value == pytest.approx(np.mean([value or 0.0 for value in good.seed_values]))
    assert good.low < good.value < good.high
    assert good.seed_values == pytest.approx(
        [30 / 40] * 2, abs=0.06
    )  # micro; macro differs a little
    assert cells["poor", "val", "event_f1"].published is None
    assert cells["good", "val", "psds"].published is None


def test_the_interval_of_few_seeds_is_over_clips(run):
    results = [r for r in read_results(run, RunPlan.require(run)) if r.cell == "poor"]
    by_seed = [drawn(TABLE_METRICS["psds"], r.statistics, draws=500) for r in results]
    expected = mean_value(by_seed, seeds_fixed=True)
    poor = cells_of(run)["poor", "val", "psds"]
    assert (poor.value, poor.low, poor.high) == (expected.value, expected.low, expected.high)
    assert expected.high - expected.low < mean_value(by_seed).high - mean_value(by_seed).low
    assert poor.as_row()["about"] == "other clips, these seeds given"


def test_the_interval_of_more_seeds_is_over_seeds_and_clips(tmp_path):
    run = Folder(str(tmp_path / "run"))
    write_json(run, "plan.json", plan_of([cell("poor", "p")], seeds=range(4)))
    for seed in range(4):
        write_trial(run, "p", 10, seed)
    statistics = [r.statistics for r in read_results(run, RunPlan.require(run))]
    expected = seed_interval(TABLE_METRICS["psds"], statistics, draws=500)
    poor = cells_of(run)["poor", "val", "psds"]
    assert (poor.value, poor.low, poor.high) == (
        expected.value,
        max(expected.low, 0),
        expected.high,
    )
    assert poor.as_row()["about"] == "other clips and other seeds"


def test_an_interval_of_moved_draws_is_about_sets_of_this_size(run, monkeypatch):
    usual = cells_of(run)["poor", "val", "psds"]
    monkeypatch.setattr(interval_ends, "is_far", lambda *_: True)
    moved = cells_of(run)["poor", "val", "psds"]
    assert moved.about == "other sets of as many clips, these seeds given"
    assert moved.value == usual.value and (moved.low, moved.high) != (usual.low, usual.high)


def test_a_changed_statistic_changes_its_cells_and_no_others(claimed):
    before = {key: cell.value for key, cell in cells_of(claimed).items()}
    trial, name = claimed.child("trials/f-seed1"), "statistics/eval.dry.npz"
    statistics = Statistics.load(io.BytesIO(trial.read(name)))
    statistics.event.tp_NK[0] += statistics.event.tp_NK[0] == 0
    put(trial, name, statistics)
    after = {key: cell.value for key, cell in cells_of(claimed).items()}
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {("fair", "eval", "event_f1"), ("fair-2", "eval", "event_f1")}


def test_every_number_is_traceable(claimed):
    row = cells_of(claimed)["fair-wet", "eval", "psds"].as_row()
    assert (row["training"], row["xvalid"]) == ("f", "wet")
    for trial, value in zip(row["trials"], row["seed_values"], strict=True):
        content = claimed.child(f"trials/{trial}").read("statistics/eval.wet.npz")
        statistics = Statistics.load(io.BytesIO(content))
        assert TABLE_METRICS["psds"](statistics, None)[0] == value


def test_a_missing_seed_leaves_the_others(run, tmp_path):
    (tmp_path / "run" / "trials" / "p-seed0" / "result.json").unlink()
    poor = cells_of(run)["poor", "val", "event_f1"]
    assert poor.seeds == 1
    assert poor.seed_values[0] is None and poor.value == poor.seed_values[1]
    (tmp_path / "run" / "trials" / "p-seed1" / "result.json").unlink()
    poor = cells_of(run)["poor", "val", "event_f1"]
    assert (poor.seeds, poor.value, poor.low, poor.high) == (0, None, None, None)
    assert [trial.state for trial in poor.trials] == ["not started"] * 2


def test_seeds_widen_no_interval_past_a_fraction(tmp_path):
    run = Folder(str(tmp_path / "run"))
    write_json(run, "plan.json", plan_of([cell("apart", "x")], seeds=range(4)))
    for seed, hits in ((0, 2), (1, 38), (2, 1), (3, 39)):
        write_trial(run, "x", hits, seed)
    apart = cells_of(run)["apart", "val", "event_f1"]
    assert (apart.low, apart.high) == (0.0, 1.0)
