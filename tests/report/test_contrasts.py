import numpy as np
import pytest

from raysed.evaluation.intervals.answers import over_seeds
from raysed.evaluation.intervals.significance import max_t, seed_difference
from raysed.report.contrasts import about_of, contrast_values, family
from raysed.report.results import Measured, read_results
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, changed_plan, plan_of, write_trial


def values_of(run, **changes):
    plan = changed_plan(run, **changes)
    measured = Measured(read_results(run, plan), plan.bootstrap_draws)
    found = contrast_values(plan, measured)
    return {(c.cell, c.against, c.evaluation, c.metric): c for c in found}


def pair(cell, against):
    return {"cell": cell, "against": against}


def test_contrast_is_paired_and_settles(run):
    f1 = values_of(run)["poor", "good", "val", "event_f1"]
    assert f1.difference == pytest.approx(np.mean(f1.seed_differences))
    assert f1.seeds == (0, 1)
    assert f1.trials == ("p-seed0", "p-seed1", "g-seed0", "g-seed1")
    assert f1.high < 0 and f1.simultaneous_high < 0
    assert f1.outcome == "lower"


def test_simultaneous_intervals_are_max_t_of_the_whole_family(claimed):
    plan = RunPlan.require(claimed)
    results = read_results(claimed, plan)
    found = values_of(claimed)
    pairs = family(plan, "val", "event_f1")
    assert len(pairs) == 6

    def seeds(cell):
        return [r.statistics for r in results if (r.cell, r.evaluation) == (cell, "val")]

    alone = [
        seed_difference(TABLE_METRICS["event_f1"], seeds(a), seeds(b), draws=500, seeds_fixed=True)
        for a, b in pairs
    ]
    together = max_t(np.array([e.value for e in alone]), np.stack([e.values_B for e in alone]))
    for (a, b), estimate, (low, high, p) in zip(pairs, alone, together, strict=True):
        value = found[a, b, "val", "event_f1"]
        assert (value.difference, value.low, value.high) == (
            estimate.value,
            estimate.low,
            estimate.high,
        )
        assert (value.simultaneous_low, value.simultaneous_high, value.p) == (low, high, p)


def test_the_family_is_contrasts_and_the_claims_of_this_set_and_metric(claimed):
    plan = RunPlan.require(claimed)
    contrasts = [("fair", "good"), ("poor", "fair-2"), ("fair-wet", "fair-2")]
    assert family(plan, "val", "event_f1") == [
        *contrasts,
        ("good", "fair"),
        ("poor", "good"),
        ("fair-wet", "good"),
    ]
    assert family(plan, "val", "psds") == [
        *contrasts,
        ("good", "fair"),
        ("fair-wet", "good"),
        ("poor", "fair"),
    ]
    # "poor" is not scored on eval, and no claim speaks of it.
    assert family(plan, "eval", "psds") == [("fair", "good"), ("fair-wet", "fair-2")]


def test_the_family_counts_distinct_differences(claimed):
    found = values_of(claimed)
    # fair - good and good - fair are one.
    assert {
        c.family for c in found.values() if (c.evaluation, c.metric) == ("val", "event_f1")
    } == {5}
    # So are poor - fair-2 and poor - fair: one system in two tables.
    assert {c.family for c in found.values() if (c.evaluation, c.metric) == ("val", "psds")} == {4}


def test_a_difference_asked_twice_costs_nothing(run):
    once = values_of(run)["poor", "good", "val", "psds"]
    twice = values_of(run, contrasts=[pair("poor", "good"), pair("good", "poor")])
    again, back = (twice[a, b, "val", "psds"] for a, b in (("poor", "good"), ("good", "poor")))
    assert again.simultaneous_high == pytest.approx(once.simultaneous_high)
    assert (again.low, again.high, again.p) == (once.low, once.high, once.p)
    assert back.family == 1
    assert back.simultaneous_low == pytest.approx(-once.simultaneous_high)


def test_more_differences_make_wider_simultaneous_intervals(claimed):
    def width(contrasts):
        value = values_of(claimed, contrasts=contrasts, claims=[])[
            "fair", "good", "val", "event_f1"
        ]
        return value.simultaneous_high - value.simultaneous_low, value.high - value.low

    one, alone = width([pair("fair", "good")])
    three, still = width([pair("fair", "good"), pair("poor", "fair"), pair("fair-wet", "good")])
    assert alone == still
    assert three > one


def test_only_common_seeds_enter(claimed, tmp_path):
    trials = tmp_path / "claimed" / "trials"
    (trials / "g-seed0" / "result.json").unlink()
    value = values_of(claimed)["fair", "good", "val", "event_f1"]
    assert value.seeds == (1,)
    assert value.trials == ("f-seed1", "g-seed1")
    (trials / "f-seed1" / "result.json").unlink()
    found = values_of(claimed)
    assert ("fair", "good", "val", "event_f1") not in found
    left = found["poor", "good", "val", "event_f1"]
    assert (left.family, left.family_planned) == (3, 5)


def test_every_interval_says_what_it_is_about(claimed):
    value = values_of(claimed)["fair", "good", "val", "event_f1"]
    assert value.about == "other clips, these seeds given"
    assert about_of(changed_plan(claimed), 4) == "other clips and other seeds"
    assert (value.seeds_low, value.seeds_high) == pytest.approx(over_seeds(value.seed_differences))
    assert value.as_row()["about"] == value.about


def test_no_difference_leaves_what_is_possible(tmp_path):
    run = Folder(str(tmp_path / "run"))
    cells = [cell("a", "x"), cell("b", "y"), cell("c", "z")]
    asked = [("a", "b"), ("a", "c"), ("b", "c")]
    write_json(run, "plan.json", plan_of(cells, seeds=range(4), contrasts=asked))
    for seed, hits in ((0, 0), (1, 40), (2, 0), (3, 40)):
        for training in "xz":
            write_trial(run, training, hits, seed)
        write_trial(run, "y", 40 - hits, seed)
    value = values_of(run)["a", "b", "val", "event_f1"]
    assert (value.simultaneous_low, value.simultaneous_high) == (-1.0, 1.0)
    assert (value.seeds_low, value.seeds_high) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("cells", "tie"),
    [
        (("fair", "fair-2"), "same training"),
        (("fair", "twin"), "same counts"),
        (("good", "fair"), ""),
    ],
)
def test_cells_that_are_one_are_told_apart_from_those_that_tie(claimed, cells, tie):
    plan = RunPlan.require(claimed).as_json()
    twin = cell("twin", "w", sets=("val", "eval"))
    for seed in (0, 1):
        write_trial(claimed, "w", 20, seed, sets=("val", "eval"))
    asked = [pair(*cells)]
    trainings = [*plan["trainings"], {"id": "w", "config": {}}]
    found = values_of(
        claimed, cells=[*plan["cells"], twin], contrasts=asked, claims=[], trainings=trainings
    )
    for metric in ("event_f1", "psds"):
        value = found[*cells, "val", metric]
        assert value.tie == tie and value.as_row()["tie"] == tie
        assert value.outcome == (tie or "higher")
