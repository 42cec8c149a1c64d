"""The benchmark's simulated sets are what it says: real clips, drawn and dealt."""

import numpy as np
import pytest

from benchmarks.many_classes import (
    GROUPS,
    RULES,
    Case,
    covered,
    normal,
    pool_of,
    set_weights,
)
from benchmarks.real_systems import Pool
from benchmarks.statistics_simulation import cells, coverage, family, paired, proportion, seeds
from benchmarks.threshold_simulation import by_strata, simulated
from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.stacked import stack
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.intervals.bootstrap import clip_weights
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.oracles import random_case


@pytest.fixture(scope="module")
def systems() -> list[Statistics]:
    case = random_case(0, n_clips=20)
    return [collect(case.reference, case.points[t], case.points) for t in list(case.points)[:3]]


@pytest.mark.parametrize("name", ["event_f1", "psds", "psds_2020"])
def test_a_drawn_set_has_the_value_of_its_weights(systems: list[Statistics], name: str) -> None:
    pool = Pool.of(systems, PAPER)
    clip_I = np.random.default_rng(0).integers(20, size=20)
    drawn = pool.draw("key", clip_I, np.full(20, 2))
    weights_BN = np.bincount(clip_I, minlength=20)[None]
    # The mean of the classes' curves is a running sum, whose last bits depend on what comes first.
    expected = pytest.approx(METRICS[name](systems[2], weights_BN), rel=1e-12)
    assert METRICS[name](drawn, None) == expected


def test_systems_are_dealt_clip_by_clip(systems: list[Statistics]) -> None:
    pool = Pool.of(systems[:2], PAPER)
    system_I = np.arange(20) % 2
    drawn = pool.draw("key", np.arange(20), system_I)
    weights_BN = np.concatenate((1 - system_I, system_I))[None]
    for name in ("event_f1", "psds"):
        expected = METRICS[name](stack(*systems[:2]), weights_BN)
        assert METRICS[name](drawn, None) == expected


def test_parts_count_what_they_say(systems: list[Statistics]) -> None:
    pool = Pool.of(systems, None)
    found = coverage("event_f1", pool, 60, 200)
    assert found["truth"] == METRICS["event_f1"](systems[0], None)[0]
    assert 70 < found["bca"]["percent"] <= 100
    assert found["paper"]["mean_width"] < 0.7 * found["bca"]["mean_width"]
    assert seeds("event_f1", pool, 5, 200, 3)["sets"] == 5
    of_pair = paired("event_f1", pool, 20, 100, 12)
    assert of_pair["symmetric"]["sets"] == 20 and of_pair["symmetric"]["percent"] > 60
    assert of_pair["symmetric"] != of_pair["bca"]
    equal = cells("event_f1", pool, 4, 200, 4)
    assert equal["max_t"]["sets"] == 4 and equal["max_t"]["percent"] <= 25
    wide = Pool.of([systems[s % 3] for s in range(21)], None)
    errors = family("event_f1", wide, 10, 200)
    assert errors["max_t"]["percent"] <= errors["any_of_20_uncorrected"]["percent"]


def test_a_proportion_has_its_monte_carlo_error() -> None:
    found = proportion([True] * 3 + [False], 95)
    assert found == {"percent": 75.0, "monte_carlo_se": 21.65, "nominal": 95, "sets": 4}


def test_values_and_differences_are_of_the_same_sets(systems: list[Statistics]) -> None:
    found = simulated(["psds"], systems[:2], 4, 2, 60)
    n_clips = systems[0].n_clips
    for i, (value, difference) in enumerate(
        zip(found["coverage"]["psds"].values, found["paired"]["psds"].values, strict=True)
    ):
        clip_I = np.random.default_rng([8, 4 + i]).integers(n_clips, size=n_clips)
        weights_1N = np.bincount(clip_I, minlength=n_clips)[None]
        ours, theirs = (METRICS["psds"](each, weights_1N)[0] for each in systems[:2])
        assert (value, difference) == pytest.approx((ours, ours - theirs), abs=1e-12)
    for (low, high), value in zip(
        found["paired"]["psds"].ends, found["paired"]["psds"].values, strict=True
    ):
        assert (low + high) / 2 == pytest.approx(value)


def test_luck_with_the_sets_is_taken_off() -> None:
    """Intervals hold the truth unless the value is among the highest 2.5 %; twice as many of these sets are such."""
    value_I = np.append(np.arange(190) / 190, [2.0] * 10)
    found = by_strata(value_I < 1, value_I, np.append(np.arange(195) / 195, [2.0] * 5))
    assert found == {"percent": 97.5, "monte_carlo_se": 0.0}
    with pytest.raises(ValueError, match="too few"):
        by_strata(value_I[:50] < 1, value_I[:50], value_I)


def test_draws_of_many_classes_are_those_of_the_drawn_set() -> None:
    """A clip that was drawn twice is one of twice the weight: written out, the set has the same draws."""
    case = Case(classes=4, clips=20, pool=15)
    pool = pool_of(case)
    kept_N, all_BJ = set_weights(case, 3, 30)
    clip_I = np.random.default_rng([11, 3]).integers(15, size=20)
    written_BN = np.zeros((31 + GROUPS, 15), np.int16)
    np.add.at(written_BN[0], clip_I, 1)
    for b, drawn_I in enumerate(clip_weights("many classes 3", 20, 30, 0)):
        np.add.at(written_BN[1 + b], clip_I, drawn_I)
    written_BN[31:] = written_BN[0]
    written_BN[31 + np.arange(20), clip_I] -= 1  # of more groups than clips each has one, or none
    for name in ("psds1", "psds_all"):
        expected_B = METRICS[name](pool, written_BN)
        found_B = METRICS[name](some_clips(pool, kept_N), all_BJ)
        np.testing.assert_allclose(found_B, expected_B, atol=1e-12)


def test_both_truths_are_looked_for_in_each_interval() -> None:
    """95 % of the draws lie from .025 to .975: moved, they reach from .425 to 1 about .9, and from 0 to .875 about .4."""
    left_G = np.full(GROUPS, 0.5)
    found_IB = np.stack([np.concatenate(([v], np.linspace(0, 1, 101), left_G)) for v in (0.9, 0.4)])
    found = covered(found_IB, 0.2, np.array([0.5, 0.9]))
    assert (found["pool"], found["mean of sets"]) == (0.2, 0.7)
    moved = found["moved"]
    assert moved["pool"]["percent"] == 50.0 and moved["pool"]["truth_below"] == 50.0
    assert moved["mean of sets"]["percent"] == 100.0
    assert {rule: found[rule]["holds its value"] for rule in RULES} == dict.fromkeys(RULES, 100.0)
    assert found["as users get"]["mean of sets"]["percent"] == 100.0
    assert found["z0"] == [
        pytest.approx(0.5, abs=0.1),
        pytest.approx(-0.25, abs=0.02),
        pytest.approx(1.27, abs=0.02),
    ]


def test_of_a_normal_bias_moved_draws_hold_the_mean_of_sets_and_bca_the_truth() -> None:
    found = normal(0.8, 40, 4000)
    assert found["z0"][0] == pytest.approx(0.8, abs=0.02)
    assert found["bias over sd"] == pytest.approx(-0.8, abs=0.02)
    assert found["bca"]["pool"]["percent"] >= 85
    assert found["moved"]["mean of sets"]["percent"] >= 85
    far = normal(3.0, 40, 400)
    assert far["bca"]["holds its value"] == 0 and far["as users get"] == far["moved"]
    assert far["moved"]["pool"]["percent"] < 50 < far["moved"]["mean of sets"]["percent"]
