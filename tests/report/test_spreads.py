"""What is known of differences before the report: pooled, of an unstable training, of one training and of none."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.evaluation.intervals.seed_noise import OF_ONE_CLIP, ClipNoise, SystemSeeds, noise_of
from raysed.report.results import read_results
from raysed.report.spreads import prior_spread, spreads_of, stored_spreads
from tests.report.made_up import changed_plan

CLIPS = ClipNoise(0.01, 0.0)


def system(training, *values):
    return SystemSeeds(training, dict(enumerate(values)))


CALM = {f"t{n}": system(f"t{n}", 0.5, 0.51, 0.49) for n in range(8)}


def test_every_training_adds_what_it_will_know():
    spread = spreads_of(CALM, {("t1", "t0"): CLIPS})["t1", "t0"]
    assert (spread.trainings, spread.seed_sd) == (8, pytest.approx(0.01 * 2**0.5))
    assert spread.noise(5).freedom_C == 8 * 4


def test_of_an_unstable_training_less_will_be_known():
    systems = CALM | {"wild": system("wild", 0.2, 0.6, 0.4)}
    pairs = {("wild", "t0"): CLIPS, ("t1", "t0"): CLIPS}
    wild, calm = spreads_of(systems, pairs).values()
    assert calm.trainings == 9
    own, pooled = 0.04, (0.04 + 8 * 0.0001) / 9
    freedom = (own + pooled) ** 2 / (own**2 / 2 + pooled**2 / 18)
    assert wild.trainings == pytest.approx(freedom / 2)
    # With as many seeds as now it is what the report finds now.
    now = noise_of(list(systems.values()), [(8, 0)], [CLIPS])
    assert wild.noise(3).freedom_C == pytest.approx(now.freedom_C)
    assert wild.noise(3).seed_sd_C == pytest.approx(now.seed_sd_C)


def test_cells_of_one_training_have_its_seeds_alone():
    systems = {"a": CALM["t0"], "b": system("t0", 0.5, 0.6, 0.4), "c": CALM["t1"]}
    spread = spreads_of(systems, {("a", "b"): CLIPS})["a", "b"]
    assert spread.trainings == 1
    assert spread.seed_sd == pytest.approx(np.std([0.0, 0.09, -0.09], ddof=1))


def test_single_seeds_have_the_variance_that_is_stated():
    systems = {"a": system("a", 0.4), "b": system("b", 0.5), "out": system("", 0.6)}
    found = spreads_of(systems, {("a", "b"): CLIPS, ("a", "out"): CLIPS}, known=0.01)
    assert [each.seed_sd for each in found.values()] == pytest.approx([0.02**0.5, 0.1])
    assert {each.trainings for each in found.values()} == {2}


def test_one_group_tells_nothing_apart(run):
    """Of one recording all draws are the same; a plan told finer differences apart with it than with all clips."""
    plan = changed_plan(run)
    results = read_results(run, plan)
    pair = [("poor", "good")]
    of_clips = stored_spreads(pair, results, "event_f1")[pair[0]]
    of_one = [replace(r, statistics=replace(r.statistics, groups_N=np.zeros(40))) for r in results]
    assert stored_spreads(pair, of_one, "event_f1")[pair[0]].clips == OF_ONE_CLIP
    assert 0 < of_clips.clips.given_se(2) < 0.2
    assert prior_spread("event_f1", 1).clips == OF_ONE_CLIP
