"""Weights, intervals and jackknife against definitions, scipy, and by hand."""

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.intervals import bootstrap
from raysed.evaluation.intervals.bootstrap import (
    class_intervals,
    clip_weights,
    interval,
    jackknife,
    jackknife_se,
    subsample_weights,
)
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS
from tests.evaluation.oracles import random_case


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    case = random_case(0, n_clips=60)
    return collect(case.reference, case.points[0.5], case.points)


def test_weights_are_draws_with_replacement() -> None:
    weights_BN = clip_weights("key", 50, 4000, 0)
    assert (weights_BN.shape, weights_BN.dtype) == ((4000, 50), np.uint8)
    assert (weights_BN.sum(axis=1) == 50).all()
    assert weights_BN.mean(axis=0) == pytest.approx(1, abs=0.08)  # five standard errors
    assert weights_BN.var() == pytest.approx(1 - 1 / 50, rel=0.02)
    correlation = np.corrcoef(weights_BN[:, 0], weights_BN[:, 1])[0, 1]
    assert abs(correlation + 1 / 49) < 5 / np.sqrt(4000)


def test_weights_are_a_function_of_key_seed_and_draw() -> None:
    weights_BN = clip_weights("key", 20, 600, 3)
    np.testing.assert_array_equal(weights_BN[:300], clip_weights("key", 20, 300, 3))
    assert (weights_BN[:256] != weights_BN[256:512]).any()
    for other in (clip_weights("key", 20, 600, 4), clip_weights("yek", 20, 600, 3)):
        assert (weights_BN != other).any()
    # The stream is fixed for ever: stored intervals must be reproducible.
    expected = [[1, 1, 0, 0, 2, 0, 3, 1], [1, 2, 2, 0, 1, 0, 0, 2]]
    np.testing.assert_array_equal(clip_weights("key", 8, 2, 0), expected)
    with pytest.raises(ValueError, match="read-only"):
        weights_BN[0, 0] = 1


def test_groups_are_drawn_whole() -> None:
    groups_N = np.array(["x", "y", "x", "z", "z", "z"])
    weights_BN = clip_weights("key", 6, 500, 0, groups_N)
    for group in "xyz":
        members = weights_BN[:, groups_N == group]
        assert (members == members[:, :1]).all()
    per_group = weights_BN[:, [0, 1, 3]]
    assert (per_group.sum(axis=1) == 3).all()
    assert per_group.max() == 3
    with pytest.raises(ValueError, match="groups"):
        clip_weights("key", 5, 10, 0, groups_N)


def test_subsamples_hold_their_share_once() -> None:
    weights_BN = subsample_weights("key", 50, 200, 0)
    assert set(np.unique(weights_BN)) == {0, 1}
    assert (weights_BN.sum(axis=1) == 40).all()
    assert weights_BN.mean(axis=0) == pytest.approx(0.8, abs=0.15)


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    sample = np.random.default_rng(0).normal(size=30)
    left_out_J = np.array([np.delete(sample, i).mean() for i in range(30)])
    assert jackknife_se(left_out_J) == pytest.approx(sample.std(ddof=1) / np.sqrt(30), rel=1e-12)


def test_jackknife_leaves_out_each_clip_or_group(statistics: Statistics) -> None:
    metric = METRICS["event_f1"]
    weights_BN = 1 - np.eye(60, dtype=np.int16)
    np.testing.assert_array_equal(jackknife(metric, statistics), metric(statistics, weights_BN))
    groups_N = np.arange(60) // 20
    by_group = 1 - np.repeat(np.eye(3, dtype=np.int16), 20, axis=1)
    np.testing.assert_array_equal(
        jackknife(metric, statistics, groups_N), metric(statistics, by_group)
    )


@pytest.mark.parametrize("name", COUNT_METRICS)
def test_interval_is_consistent(statistics: Statistics, name: str) -> None:
    metric = METRICS[name]
    result = interval(metric, statistics, draws=2000)
    assert result.value == metric(statistics, None)[0]
    assert result == interval(metric, statistics, draws=2000)
    if result.se > 0:
        assert result.low < result.value < result.high
        # PSDS is a step function of so few clips: there the two errors are only alike
        tolerance = 0.6 if name.startswith("psds") else 0.15
        assert result.se == pytest.approx(result.jackknife_se, rel=tolerance)
    narrow = interval(metric, statistics, draws=2000, level=0.5)
    assert result.low <= narrow.low <= narrow.high <= result.high
    assert result.method == "bca"


def test_class_intervals_are_those_of_each_class_alone(statistics: Statistics) -> None:
    def per_class(drawn: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
        return event_f1(drawn, weights_BN)[1]

    found_K5 = class_intervals(per_class, statistics, draws=500)
    for k, row in enumerate(found_K5):
        alone = interval(lambda s, w, k=k: per_class(s, w)[:, k], statistics, draws=500)
        expected = (alone.value, alone.low, alone.high, alone.se, float(alone.method == "moved"))
        assert tuple(row) == pytest.approx(expected)


def test_percentile_method_is_the_quantiles_of_the_draws(statistics: Statistics) -> None:
    metric = METRICS["intersection_f1"]
    values_B = metric(statistics, clip_weights(statistics.key, 60, 2000, 5))
    result = interval(metric, statistics, method="percentile", draws=2000, seed=5)
    assert (result.low, result.high) == pytest.approx(tuple(np.quantile(values_B, (0.025, 0.975))))
    assert result.bias == pytest.approx(values_B.mean() - result.value)


def test_groups_of_one_clip_change_nothing_but_the_draws(statistics: Statistics) -> None:
    metric = METRICS["intersection_f1"]
    alone = interval(metric, statistics, draws=4000)
    grouped = interval(metric, statistics, draws=4000, groups_N=np.arange(60))
    assert grouped.jackknife_se == alone.jackknife_se
    assert grouped.se == pytest.approx(alone.se, rel=0.06)
    assert grouped.se != alone.se


def test_paper_method_keeps_full_durations_and_says_its_bias(statistics: Statistics) -> None:
    paper = interval(METRICS["psds"], statistics, method="paper")
    true = interval(METRICS["psds"], statistics, draws=2000)
    assert (paper.draws, paper.method) == (200, "paper")
    assert paper.value == pytest.approx(true.value + paper.bias)
    assert paper.bias > 0  # 80 % of the false positives over 100 % of the time
    assert paper.high - paper.low < 0.7 * (true.high - true.low)
    assert paper.jackknife_se == true.jackknife_se


def test_lost_classes_are_counted() -> None:
    case = random_case(1, n_clips=8)
    statistics = collect(case.reference, case.points[0.5])
    weights_BN = clip_weights(case.reference.key, 8, 1000, 0)
    present_NK = case.reference.events.presence(8, 3)
    expected = ((weights_BN @ present_NK) == 0).any(axis=1).sum()
    assert interval(METRICS["event_f1"], statistics, draws=1000).lost == expected
    assert expected > 0


def test_of_many_clips_random_groups_are_left_out(
    statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 clips in 7 groups of 8 or 9: each clip is left out once, and equal sets have equal groups."""
    seen: list[np.ndarray] = []

    def metric(_: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
        assert weights_BN is not None
        seen.append(1 - weights_BN)
        return weights_BN.sum(axis=1).astype(np.float64)

    monkeypatch.setattr(bootstrap, "GROUPS", 7)
    monkeypatch.setattr(bootstrap, "MANY", 60)
    assert jackknife(metric, statistics).tolist() == [59.0] * 60
    monkeypatch.setattr(bootstrap, "MANY", 59)
    assert sorted(jackknife(metric, statistics).tolist()) == [51.0] * 4 + [52.0] * 3
    np.testing.assert_array_equal(seen[-1].sum(axis=0), 1)
    jackknife(metric, statistics)
    np.testing.assert_array_equal(seen[-1], seen[-2])
    ordered = np.repeat(np.arange(7), 9)[:60]
    assert (np.argmax(seen[-1], axis=0) != ordered).any()


def test_values_and_those_of_classes_are_drawn_at_once(statistics: Statistics) -> None:
    metric = METRICS["segment_f1"]
    found = bootstrap.resampled(metric.with_classes, statistics, draws=50)
    assert bootstrap.interval_of(found.column(0), statistics) == interval(
        metric, statistics, draws=50
    )
    expected_K5 = class_intervals(metric.per_class, statistics, draws=50)
    np.testing.assert_array_equal(bootstrap.class_ends(found.column(slice(1, None))), expected_K5)
