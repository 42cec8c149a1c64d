"""Differences over seeds that cells have in common: the noise that all trainings share, and few seeds beside many."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.report.contrasts import contrast_values, pair_value
from raysed.report.paired_seeds import family_noise, paired_seeds
from raysed.report.results import Measured, read_results
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, changed_plan, plan_of, write_trial

F1 = ("val", "event_f1")


def measured_run(folder, hits):
    """Plan and results of trainings a, b and c, which find so many events with each seed; a and c less b are asked for."""
    run = Folder(str(folder))
    asked = [("a", "b"), ("c", "b")]
    cells = [cell(name, name) for name in "abc"]
    write_json(run, "plan.json", plan_of(cells, seeds=range(4), contrasts=asked))
    for name, by_seed in hits.items():
        for seed, count in enumerate(by_seed):
            write_trial(run, name, count, seed)
    plan = changed_plan(run)
    measured = Measured(read_results(run, plan), plan.bootstrap_draws)
    values = {c.cell: c for c in contrast_values(plan, measured) if c.metric == "event_f1"}
    return plan, measured, values


def test_many_seeds_have_the_noise_that_all_trainings_share(tmp_path):
    hits = {"a": (30, 33, 28, 31), "b": (20, 23, 18, 21), "c": (10, 13, 11, 14)}
    plan, measured, found = measured_run(tmp_path, hits)
    a, c = found["a"], found["c"]
    assert a.about == c.about == "other clips and other seeds"
    pairs = [paired_seeds(measured, pair, F1) for pair in (("a", "b"), ("c", "b"))]
    noise, _ = family_noise(plan, measured, F1, pairs)
    variances = [np.var([v.value for v in pairs[n].a], ddof=1) for n in (0, 1)]
    of_b = np.var([v.value for v in pairs[0].b], ddof=1)
    pooled = 2 * np.mean([*variances, of_b])
    assert noise.seed_sd_C**2 == pytest.approx(
        [max(pooled, np.mean([p.clips.cross_sd**2 for p in pairs]))] * 2
    )
    assert noise.freedom_C == pytest.approx([9, 9])
    for place, value in enumerate((a, c)):
        # Its own interval is Student's; that of the family is wider, and both lie around the difference.
        half = noise.half_C(4, 1.959964)[place]
        assert (value.low, value.high) == pytest.approx(
            (value.difference - half, value.difference + half)
        )
        assert value.simultaneous_low < value.low and value.simultaneous_high > value.high
        assert value.p < 0.05
    # Alone, a pair has the noise that it has among the others.
    alone = pair_value(plan, measured, ("a", "b"), "val", "event_f1")
    assert (alone.low, alone.high) == (a.low, a.high)
    assert a.simultaneous_low < alone.simultaneous_low


def test_a_pair_on_few_seeds_is_over_clips_beside_others_on_many(tmp_path):
    hits = {"a": (30, 34, 26, 31), "b": (20, 20, 21, 19), "c": (11, 16)}
    _, measured, found = measured_run(tmp_path, hits)
    c = found["c"]
    assert c.about == "other clips, these seeds given" and c.seeds == (0, 1)
    assert found["a"].about == "other clips and other seeds"
    given = paired_seeds(measured, ("c", "b"), F1).clips.given_se(2)
    assert 1.9 * given < (c.simultaneous_high - c.simultaneous_low) / 2 < 2.8 * given


@pytest.mark.parametrize("seeds", [1, 4])
def test_one_group_of_clips_decides_nothing(tmp_path, seeds):
    """All 40 clips of one recording: as if it were known by itself that a finds more anywhere."""
    plan, measured, _ = measured_run(tmp_path, {"a": (36,) * seeds, "b": (4,) * seeds})
    results = [
        replace(r, statistics=replace(r.statistics, groups_N=np.zeros(40, int)))
        for r in measured.results
    ]
    grouped = Measured(results, plan.bootstrap_draws)
    before, after = (pair_value(plan, m, ("a", "b"), *F1) for m in (measured, grouped))
    assert before.outcome == "higher" and after.difference == before.difference
    assert (after.outcome, after.p) == ("undecided", 1)
    assert (after.simultaneous_low, after.simultaneous_high) == (after.low, after.high) == (-1, 1)
    assert paired_seeds(grouped, ("a", "b"), F1).clips.shared_se == 1
    itself = pair_value(plan, grouped, ("a", "a"), *F1)
    assert itself.tie == "same training" and (itself.low, itself.high) == (0, 0)
