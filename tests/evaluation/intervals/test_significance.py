"""Paired tests: exact small cases, and size under the null."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.events import Events
from raysed.evaluation.intervals.bootstrap import clip_weights, interval
from raysed.evaluation.intervals.significance import (
    drawn,
    max_t,
    mean_difference,
    mean_value,
    paired_difference,
    permutation_p,
    seed_difference,
    seed_interval,
    symmetric,
)
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.oracles import random_case

F1 = METRICS["event_f1"]


@pytest.fixture(scope="module")
def systems() -> list[Statistics]:
    """Six systems on one set, from many detections to few, each with its own PSDS points."""
    case = random_case(0, n_clips=40, n_points=6)
    thresholds = list(case.points)
    return [
        collect(case.reference, case.points[t], {u: case.points[max(t, u)] for u in thresholds})
        for t in thresholds
    ]


def test_a_system_does_not_differ_from_itself(systems: list[Statistics]) -> None:
    result = paired_difference(F1, systems[0], systems[0], draws=500, permutations=200)
    assert (result.difference, result.low, result.high, result.p, result.se) == (0, 0, 0, 1, 0)


@pytest.mark.parametrize("name", ["event_f1", "psds", "psds2"])
def test_difference_is_paired_and_antisymmetric(systems: list[Statistics], name: str) -> None:
    metric = METRICS[name]
    a, b = systems[1], systems[5]
    there = paired_difference(metric, a, b, draws=1000, permutations=500)
    back = paired_difference(metric, b, a, draws=1000, permutations=500)
    assert there.difference == metric(a, None)[0] - metric(b, None)[0]
    assert there.p == back.p
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-9)
    weights_BN = clip_weights(a.key, a.n_clips, 1000, 0)
    assert there.se == pytest.approx((metric(a, weights_BN) - metric(b, weights_BN)).std(ddof=1))
    assert there.low < there.difference < there.high


@pytest.mark.parametrize("name", ["event_f1", "psds1"])
def test_a_paired_interval_is_that_of_a_family_of_one(systems: list[Statistics], name: str) -> None:
    """BCa would move it by what the draws lie off the difference, which is noise (docs/statistics.md)."""
    metric, (a, b) = METRICS[name], (systems[1], systems[5])
    weights_BN = clip_weights(a.key, a.n_clips, 1000, 0)
    draws_1B = (metric(a, weights_BN) - metric(b, weights_BN))[None]
    alone = paired_difference(metric, a, b, draws=1000, permutations=10)
    over_seeds = seed_difference(metric, [a] * 3, [b] * 3, draws=1000, seeds_fixed=True)
    ((low, high, _),) = max_t(np.array([alone.difference]), draws_1B)
    for found in (alone, over_seeds):
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_a_symmetric_interval_by_hand() -> None:
    """Deviations from 1 are 0 (9 times), 1 and 4: 90 % of the draws are at most 1 away, wherever the others lie."""
    values_B = np.array([1.0] * 9 + [0.0, 5.0, np.nan])
    assert symmetric(values_B, 1.0, 0.9) == pytest.approx((0.0, 2.0))
    assert np.isnan(symmetric(np.array([np.nan]), 1.0, 0.95)).all()


def test_permutation_p_equals_full_enumeration() -> None:
    case = random_case(5, n_clips=8)
    a, b = (collect(case.reference, case.points[t]) for t in (0.275, 0.95))
    observed = abs(F1(a, None)[0] - F1(b, None)[0])
    larger = 0
    for swap in product((False, True), repeat=8):
        swap_N1 = np.array(swap)[:, None]
        mixed = [
            replace(
                x,
                event=replace(
                    x.event,
                    tp_NK=np.where(swap_N1, y.event.tp_NK, x.event.tp_NK),
                    n_sys_NK=np.where(swap_N1, y.event.n_sys_NK, x.event.n_sys_NK),
                ),
            )
            for x, y in ((a, b), (b, a))
        ]
        larger += abs(F1(mixed[0], None)[0] - F1(mixed[1], None)[0]) >= observed - 1e-12
    exact = larger / 2**8
    p = permutation_p(F1, a, b, permutations=4000)
    assert p == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 4000) + 1e-3)


def test_p_of_equal_systems_is_uniform() -> None:
    """Two halves of one mixture of systems, drawn clip by clip, differ by chance alone."""
    case = random_case(6, n_clips=30)
    low, high = case.points[0.05], case.points[0.95]
    rng = np.random.default_rng(0)
    p = []
    for _ in range(120):
        first_N = rng.random(30) < 0.5
        pair = []
        for of_low_N in (first_N, ~first_N):
            parts = [low.take(of_low_N[low.clip_E]), high.take(~of_low_N[high.clip_E])]
            merged = Events.sort(
                *(np.concatenate(c) for c in zip(*(vars(q).values() for q in parts), strict=True))
            )
            pair.append(collect(case.reference, merged))
        p.append(permutation_p(F1, *pair, permutations=199))
    assert np.mean(p) == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / 120))
    assert np.mean(np.array(p) <= 0.1) <= 0.1 + 4 * np.sqrt(0.09 / 120)


def test_seeds_add_their_variance(systems: list[Statistics]) -> None:
    a, b = systems[:3], systems[3:]
    result = seed_difference(F1, a, b, draws=4000)
    values_S = [F1(x, None)[0] - F1(y, None)[0] for x, y in zip(a, b, strict=True)]
    assert result.value == pytest.approx(np.mean(values_S))
    assert result.seed_se == pytest.approx(np.std(values_S, ddof=1) / np.sqrt(3))
    assert result.seeds == 3
    assert result.se**2 == pytest.approx(result.clip_se**2 + result.seed_se**2, rel=0.35)
    assert result.se > result.clip_se
    assert result.low < result.value < result.high


def test_seed_interval_of_one_system_is_its_own_difference_to_nothing(
    systems: list[Statistics],
) -> None:
    result = seed_interval(F1, systems[:3], draws=2000)
    values_S = [F1(statistics, None)[0] for statistics in systems[:3]]
    assert result.value == pytest.approx(np.mean(values_S))
    assert result.seed_se == pytest.approx(np.std(values_S, ddof=1) / np.sqrt(3))
    assert result.low < result.value < result.high
    weights_BN = clip_weights(systems[0].key, systems[0].n_clips, 2000, 0)
    mean_B = np.mean([F1(statistics, weights_BN) for statistics in systems[:3]], axis=0)
    assert result.clip_se == pytest.approx(mean_B.std(ddof=1))
    with pytest.raises(ValueError, match="at least one seed"):
        seed_interval(F1, [])


@pytest.mark.parametrize("n_seeds", [2, 5])
def test_variance_between_seeds_is_not_underestimated(n_seeds: int) -> None:
    """Clips that do not matter leave the seeds' own standard error, s / sqrt(S)."""
    case = random_case(0)
    by_seed = [collect(case.reference, case.points[0.5]) for _ in range(n_seeds)]
    value_of = {id(statistics): 0.1 * s**2 for s, statistics in enumerate(by_seed)}

    def metric(statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
        return np.full(1 if weights_BN is None else len(weights_BN), value_of[id(statistics)])

    result = seed_interval(metric, by_seed, draws=20_000)
    expected = np.std(list(value_of.values()), ddof=1) / np.sqrt(n_seeds)
    assert result.clip_se == pytest.approx(0, abs=1e-12)
    assert result.se == pytest.approx(expected, rel=0.03)
    assert result.seed_se == pytest.approx(expected)


def test_one_seed_says_nothing_about_seeds(systems: list[Statistics]) -> None:
    result = seed_difference(F1, systems[:1], systems[4:5], draws=1000)
    assert np.isnan(result.seed_se)
    assert (
        result.se
        == result.clip_se
        == paired_difference(F1, systems[0], systems[4], draws=1000, permutations=10).se
    )
    with pytest.raises(ValueError, match="same seeds"):
        seed_difference(F1, systems[:2], systems[:1])


@pytest.mark.parametrize("name", ["event_f1", "psds"])
def test_one_seed_has_the_interval_over_clips(systems: list[Statistics], name: str) -> None:
    metric, (a, b) = METRICS[name], (systems[0], systems[4])
    alone, one = interval(metric, a, draws=1000), seed_interval(metric, [a], draws=1000)
    assert (one.low, one.high) == (alone.low, alone.high)
    paired = paired_difference(metric, a, b, draws=1000, permutations=10)
    one = seed_difference(metric, [a], [b], draws=1000)
    assert (one.low, one.high) == (paired.low, paired.high)


def test_max_t_of_one_contrast_is_its_symmetric_interval() -> None:
    draws_CB = np.random.default_rng(0).normal(0.3, 0.1, (1, 20_000))
    ((low, high, p),) = max_t(np.array([0.3]), draws_CB)
    assert (low, high) == pytest.approx((0.3 - 0.196, 0.3 + 0.196), abs=0.005)
    assert p == pytest.approx(0.0027, abs=0.002)


def test_max_t_is_students_where_standard_errors_are_known_by_few_degrees_of_freedom() -> None:
    draws_CB = np.random.default_rng(0).normal(0.3, 0.1, (1, 200_000))
    known = {"se_C": np.array([0.1]), "freedom_C": np.array([4.0])}
    ((low, high, p),) = max_t(np.array([0.3]), draws_CB, **known)
    assert (low, high) == pytest.approx((0.3 - 0.2776, 0.3 + 0.2776), abs=0.003)
    assert p == pytest.approx(0.0399, abs=0.002)  # of t = 3 with 4 degrees of freedom
    ((low, high, _),) = max_t(np.array([0.3]), draws_CB, se_C=np.array([0.1]))
    assert (low, high) == pytest.approx((0.3 - 0.196, 0.3 + 0.196), abs=0.002)


def test_max_t_holds_all_intervals_together_and_uses_their_correlation() -> None:
    rng = np.random.default_rng(1)
    truth_C = np.zeros(10)
    misses = {"independent": 0, "equal": 0}
    for _ in range(400):
        for name, noise_CB in (
            ("independent", rng.normal(size=(10, 1001))),
            ("equal", np.repeat(rng.normal(size=(1, 1001)), 10, axis=0)),
        ):
            estimate_C = truth_C + noise_CB[:, 0]
            result_C3 = max_t(estimate_C, estimate_C[:, None] + noise_CB[:, 1:])
            missed = ((result_C3[:, 0] > 0) | (result_C3[:, 1] < 0)).any()
            assert (
                missed == (result_C3[:, 2] <= 0.05 + 1e-3).any()
                or abs(result_C3[:, 2].min() - 0.05) < 0.003
            )
            misses[name] += int(missed)
    for count in misses.values():
        assert count / 400 == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))
    half = (result_C3[:, 1] - result_C3[:, 0]) / 2
    assert half == pytest.approx(1.96, abs=0.25)  # ten equal contrasts cost no more than one


def test_max_t_with_an_exact_tie() -> None:
    draws_CB = np.vstack((np.zeros(1000), np.random.default_rng(0).normal(1.0, 0.1, 1000)))
    result_C3 = max_t(np.array([0.0, 1.0]), draws_CB)
    np.testing.assert_array_equal(result_C3[0], [0.0, 0.0, 1.0])
    assert result_C3[1, 2] < 0.01


@pytest.mark.parametrize("name", ["event_f1", "psds_2020"])
def test_what_was_drawn_before_gives_the_same_intervals(
    systems: list[Statistics], name: str
) -> None:
    metric = METRICS[name]
    of = [drawn(metric, statistics, draws=300) for statistics in systems]
    for fixed in (False, True):
        expected = seed_difference(metric, systems[:2], systems[4:], draws=300, seeds_fixed=fixed)
        found = mean_difference(of[:2], of[4:], seeds_fixed=fixed)
        assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
        np.testing.assert_array_equal(found.values_B, expected.values_B)
    expected, found = seed_interval(metric, systems[:3], draws=300), mean_value(of[:3])
    assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
    assert found.value == np.mean([metric(s, None)[0] for s in systems[:3]])


def test_what_was_drawn_on_another_set_is_refused(systems: list[Statistics]) -> None:
    here = drawn(F1, systems[0], draws=10)
    there = drawn(F1, replace(systems[0], key="another"), draws=10)
    with pytest.raises(ValueError, match="different sets"):
        mean_difference([here], [there])
    with pytest.raises(ValueError, match="different sets"):
        mean_value([here, there])
    with pytest.raises(ValueError, match="the same seeds"):
        mean_difference([here], [])


def test_max_t_leaves_out_draws_in_which_a_contrast_is_undefined() -> None:
    draws_CB = np.random.default_rng(0).normal(0.3, 0.1, (2, 1000))
    holes_CB = np.concatenate((draws_CB, [[np.nan] * 5, [9.0] * 5]), axis=1)
    difference_C = np.array([0.3, 0.3])
    np.testing.assert_array_equal(max_t(difference_C, holes_CB), max_t(difference_C, draws_CB))
