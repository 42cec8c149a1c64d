from dataclasses import replace

import numpy as np
import pytest

from raysed.report.learning import above_always_on, chosen_cell, count_lines, learning_checks
from raysed.report.report import write_report
from raysed.report.results import Measured, read_results, results_frame
from raysed.run.run_plan import RunPlan
from tests.report.made_up import write_trial


def test_the_chosen_cell_is_the_best_on_xvalid_not_on_validation(run):
    results = read_results(run, RunPlan.require(run))
    assert chosen_cell(results) == "good"
    checks = learning_checks(results, 500)
    assert [check.baseline for check in checks] == ["always_on", "permuted"]
    assert all(
        check.learnt and check.lead == pytest.approx(check.f1 - check.baseline_f1)
        for check in checks
    )


def test_nothing_learnt_is_said(run):
    for seed in (0, 1):
        write_trial(run, "g", 0, seed, xvalid_f1=0.7)
    report = write_report(run)
    assert not report.learnt
    assert "NOT SHOWN" in "\n".join(report.lines)


def test_trainings_above_the_always_on_detector_are_counted(claimed):
    for seed in (0, 1):
        write_trial(claimed, "p", 0, seed)
    plan = RunPlan.require(claimed)
    results = read_results(claimed, plan)
    checks = above_always_on(results, 200)
    # A training counts once a set, seen from its first cell.
    assert [(check.evaluation, check.cell) for check in checks] == [
        ("val", "good"),
        ("eval", "good"),
        ("val", "fair"),
        ("eval", "fair"),
        ("val", "poor"),
    ]
    frame = results_frame(Measured(results, 200), ("event_f1",)).query(
        "cell == 'fair' and set == 'val'"
    )
    assert checks[2].f1 == pytest.approx(100 * frame.event_f1.mean())  # not fair-wet's
    lines = count_lines(checks, plan)
    assert lines[0] == "val: 2 of 3 trainings above the always-on detector"
    assert lines[1].startswith("  poor, val: event F1 0.0 %") and "NOT SHOWN" in lines[1]
    assert lines[2:] == ["eval: 2 of 2 trainings above the always-on detector"]


def test_unfinished_trainings_are_counted_apart(claimed, tmp_path):
    for seed in (0, 1):
        (tmp_path / "claimed" / "trials" / f"f-seed{seed}" / "result.json").unlink()
    plan = RunPlan.require(claimed)
    lines = count_lines(above_always_on(read_results(claimed, plan), 200), plan)
    assert lines[0] == "val: 2 of 3 trainings above the always-on detector, 1 not finished"


def test_one_group_of_clips_shows_no_learning(run):
    """All clips of one recording: its lead had an interval without width, far above zero."""
    results = [
        replace(
            r,
            statistics=replace(r.statistics, groups_N=np.zeros(40)),
            baselines={k: replace(of, groups_N=np.zeros(40)) for k, of in r.baselines.items()},
        )
        for r in read_results(run, RunPlan.require(run))
    ]
    for check in learning_checks(results, 200):
        assert (check.low, check.high) == (-100, 100) and not check.learnt
