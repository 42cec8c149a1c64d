import io

import numpy as np
import pandas as pd
import pytest

from raysed.data.folder import Folder
from raysed.evaluation.baselines import always_on, permuted_clips
from raysed.evaluation.events import Events, Reference
from raysed.evaluation.statistics import Parameters, Statistics, collect
from raysed.report.learning import chosen_cell, event_only, learning_checks
from raysed.report.report import write_report
from raysed.report.results import read_plan, read_results
from raysed.report.tables import (
    CellValue,
    ContrastValue,
    aligned,
    cell_values,
    contrast_values,
    outcome,
    render,
)
from raysed.training.files import write_json

CLIPS, CLASSES = 40, ("Cat", "Dog")


def reference():
    rng = np.random.default_rng(0)
    onset = rng.uniform(0, 7, CLIPS).round(2)
    events = Events.sort(np.arange(CLIPS), rng.integers(0, 2, CLIPS), onset, onset + 2)
    names = tuple(f"clip{i:02d}.wav" for i in range(CLIPS))
    return Reference(names, np.full(CLIPS, 10.0), CLASSES, events)


def system(truth, hits, seed):
    """Finds the events of `hits` random clips exactly, the others one second late."""
    late = np.ones(CLIPS)
    late[np.random.default_rng(seed).permutation(CLIPS)[:hits]] = 0
    events = truth.events
    return Events.sort(events.clip_E, events.label_E, events.onset_E + late, events.offset_E + late)


def put(folder, name, statistics):
    buffer = io.BytesIO()
    statistics.save(buffer)
    folder.write(name, buffer.getvalue())


def write_trial(run, name, hits, seed, xvalid_f1):
    truth = reference()
    found = system(truth, hits, seed)
    trial = run.child(f"trials/{name}-seed{seed}")
    stem = "statistics/val.dry"
    put(trial, f"{stem}.npz", collect(truth, found, {0.25: found, 0.75: found}))
    plain = Parameters(psds=())
    put(trial, f"{stem}.always_on.npz", collect(truth, always_on(truth), None, parameters=plain))
    moved = permuted_clips(found, CLIPS, seed=0)
    put(trial, f"{stem}.permuted.npz", collect(truth, moved, None, parameters=plain))
    write_json(
        trial,
        "result.json",
        {
            "selected": {"dry": {"epoch": 3, "xvalid_f1": xvalid_f1}},
            "train_seconds": 1.0,
            "loss_first": 2.0,
            "loss_last": 1.0,
        },
    )


@pytest.fixture
def run(tmp_path):
    folder = Folder(str(tmp_path / "run"))
    config = {"data": {"evaluation": ["val"]}}
    cell = {"table": "1", "xvalid": "dry", "evaluation": ["val"], "published": {}}
    write_json(
        folder,
        "plan.json",
        {
            "space": "made up",
            "seeds": [0, 1],
            "trials": 4,
            "datasets": [{"name": "val", "id": "a", "url": "/data/val-a", "clips": 40}],
            "bootstrap_draws": 500,
            "cells": [
                {"id": "good", "column": "good", "training": "g", **cell,
                 "published": {"val": {"event_f1": 0.3414, "psds": None}}},
                {"id": "poor", "column": "poor", "training": "p", **cell},
            ],
            "contrasts": [{"cell": "poor", "against": "good"}],
            "trainings": [{"id": "g", "config": config}, {"id": "p", "config": config}],
        },
    )  # fmt: skip
    for seed in (0, 1):
        write_trial(folder, "g", 30, seed, xvalid_f1=0.7)
        write_trial(folder, "p", 10, seed, xvalid_f1=0.3)
    return folder


def test_cells_hold_the_stored_values(run):
    plan = read_plan(run)
    results = read_results(run, plan)
    cells = {(c.cell, c.metric): c for c in cell_values(plan, results)}
    good = cells["good", "event_f1"]
    assert good.published == pytest.approx(34.14)
    assert good.value == pytest.approx(np.mean(good.seeds))
    assert good.low < good.value < good.high
    hits = [30 / 40 * 100] * 2  # micro; macro differs by the classes' shares
    assert good.seeds == pytest.approx(hits, abs=6)
    assert cells["poor", "event_f1"].published is None


def test_a_changed_statistic_changes_its_cell(run):
    plan = read_plan(run)
    before = {(c.cell, c.metric): c.value for c in cell_values(plan, read_results(run, plan))}
    name = "statistics/val.dry.npz"
    trial = run.child("trials/p-seed1")
    statistics = Statistics.load(io.BytesIO(trial.read(name)))
    statistics.event.tp_NK[0] += statistics.event.tp_NK[0] == 0
    put(trial, name, statistics)
    after = {(c.cell, c.metric): c.value for c in cell_values(plan, read_results(run, plan))}
    assert {key for key in before if before[key] != after[key]} == {("poor", "event_f1")}


def test_contrast_is_paired_and_settles(run):
    plan = read_plan(run)
    found = {c.metric: c for c in contrast_values(plan, read_results(run, plan))}
    f1 = found["event_f1"]
    assert f1.difference == pytest.approx(np.mean(f1.seeds))
    assert f1.high < 0
    assert f1.outcome == "lower"


def test_each_set_shows_its_own_contrast():
    def value(name, evaluation):
        return CellValue("1", name, name, evaluation, "event_f1", 50.0, 40.0, 60.0, (50.0,), None)

    def contrast(evaluation, difference):
        bounds = (difference - 1, difference + 1)
        seeds = (difference,)
        return ContrastValue("a", "b", evaluation, "event_f1", difference, *bounds, seeds, "x")

    cells = [value(name, evaluation) for name in "ab" for evaluation in ("VAL", "EVAL")]
    lines = render(cells, [contrast("VAL", -5.0), contrast("EVAL", 7.0)])["1"]
    text = "\n".join(lines)
    val, evaluation = text.split("Table 1, EVAL")
    assert "-5.0" in val and "+7.0" not in val
    assert "+7.0" in evaluation and "-5.0" not in evaluation


@pytest.mark.parametrize(
    ("low", "high", "each", "expected"),
    [
        (0.1, 0.3, [0.2, 0.2], "higher"),
        (-0.3, -0.1, [-0.2, -0.2], "lower"),
        (-0.1, 0.3, [0.2, 0.2], "undecided"),
        (0.1, 0.3, [0.5, -0.1], "undecided"),
        (0.0, 0.3, [0.1, 0.1], "undecided"),
    ],
)
def test_outcome(low, high, each, expected):
    assert outcome(low, high, np.array(each)) == expected


def test_report_of_a_whole_run(run, tmp_path):
    report = write_report(run)
    text = "\n".join(report.lines)
    assert report.learnt
    assert "good: 2.000 -> 1.000" in text
    assert "34.1" in text
    assert text.count("learnt") == 2
    frame = pd.read_parquet(tmp_path / "run" / "results.parquet")
    assert len(frame) == 4
    assert ((frame.event_f1_low <= frame.event_f1) & (frame.event_f1 <= frame.event_f1_high)).all()
    csv = pd.read_csv(tmp_path / "run" / "tables" / "1.csv")
    assert set(csv.cell) == {"good", "poor"}
    assert set(pd.read_csv(tmp_path / "run" / "tables" / "contrasts.csv").outcome) <= {
        "higher",
        "lower",
        "undecided",
    }


def test_half_a_run_shows_its_holes(run, tmp_path):
    for seed in (0, 1):
        (tmp_path / "run" / "trials" / f"p-seed{seed}" / "result.json").unlink()
    text = "\n".join(write_report(run).lines)
    assert "2 of 4 trials are finished" in text
    assert "poor" not in text


def test_one_seed_is_said(run):
    said = "One seed: the intervals are over clips; nothing is known about other seeds."
    assert said not in write_report(run).lines
    write_json(run, "plan.json", {**read_plan(run), "seeds": [0], "trials": 2})
    assert said in write_report(run).lines


def test_a_run_without_results(run, tmp_path):
    for path in (tmp_path / "run").rglob("result.json"):
        path.unlink()
    report = write_report(run)
    assert not report.learnt
    assert "none of 4 trials is finished yet" in report.lines[0]


def test_not_a_run(tmp_path):
    with pytest.raises(ValueError, match=r"holds no plan\.json"):
        write_report(Folder(str(tmp_path)))


def test_missing_statistics_are_named(run, tmp_path):
    (tmp_path / "run" / "trials" / "g-seed0" / "statistics" / "val.dry.npz").unlink()
    with pytest.raises(ValueError, match=r"g-seed0/statistics/val\.dry\.npz is missing"):
        write_report(run)


def test_the_chosen_cell_is_the_best_on_xvalid_not_on_validation(run):
    plan = read_plan(run)
    results = read_results(run, plan)
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


def test_event_only_keeps_the_event_counts(run):
    plan = read_plan(run)
    statistics = read_results(run, plan)[0].statistics
    assert np.array_equal(event_only(statistics).event.tp_NK, statistics.event.tp_NK)
    assert event_only(statistics).psds == {}


def test_tables_are_aligned_markdown(run):
    plan = read_plan(run)
    results = read_results(run, plan)
    lines = render(cell_values(plan, results), contrast_values(plan, results))["1"]
    table = [line for line in lines if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    assert set(table[1]) == {"|", "-"}
    assert aligned([["a", "bb"], ["ccc", "d"]]) == ["| a   | bb |", "|-----|----|", "| ccc | d  |"]
