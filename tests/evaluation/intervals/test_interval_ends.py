"""Ends of intervals against scipy, by hand, and where nearly all draws lie to one side of the value."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.many_classes import GROUPS, Case, pool_of, set_weights
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.intervals.interval_ends import bca, bias_z, ends_of, is_far, moved
from raysed.evaluation.metrics.registry import METRICS


def test_bca_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    sample = rng.exponential(size=40)

    def statistic(data: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.log(data.var(axis=axis))

    expected = scipy.stats.bootstrap(
        (sample,), statistic, n_resamples=4000, method="BCa", rng=np.random.default_rng(1)
    )
    left_out_J = np.array([statistic(np.delete(sample, i)) for i in range(40)])
    low, high = bca(expected.bootstrap_distribution, statistic(sample), left_out_J, 0.95)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval), abs=1e-10)


def test_percentile_interval_is_quantiles_and_nan_draws_are_left_out() -> None:
    values_B = np.append(np.arange(101.0), np.nan)
    assert bca(values_B, 50.0, None, 0.9) == pytest.approx((5.0, 95.0))
    assert bca(np.ones(50), 1.0, np.ones(4), 0.95) == (1.0, 1.0)
    assert np.isnan(bca(np.array([np.nan]), 1.0, None, 0.95)).all()


LEFT_J = np.array([0.1, 0.2, 0.3, 0.35])
"""Values without each clip, whose skew gives an acceleration."""


def test_draws_are_moved_to_the_value_by_hand() -> None:
    """Draws 0, .01 ... 1: their middle is .5, and 95 % of them lie from .025 to .975."""
    values_B = np.linspace(0, 1, 101)
    assert moved(values_B * 0.1, 0.2, 0.95) == pytest.approx((0.1525, 0.2475))
    assert moved(np.append(values_B * 0.1, np.nan), 0.2, 0.9) == pytest.approx((0.155, 0.245))
    # 0 and 1 end what is possible, unless the draws go beyond.
    assert moved(values_B * 0.1, 0.99, 0.95) == pytest.approx((0.9425, 1.0))
    assert moved(values_B * 0.1, 0.01, 0.95) == pytest.approx((0.0, 0.0575))
    assert moved(values_B * 10, 0.5, 0.95) == pytest.approx((-4.25, 5.25))
    assert moved(values_B - 2, -1.4, 0.95) == pytest.approx((-1.875, -0.925))


def test_bca_is_left_where_it_would_move_by_half_its_half_width() -> None:
    """The limit at 95 % is .98 standard errors: 83.65 % of the draws to one side."""
    values_B = np.arange(10_000) / 10_000
    for value, far in ((0.8363, False), (0.8367, True), (0.1637, False), (0.1633, True)):
        assert is_far(values_B, value, 0.95) is far
        found = ends_of(values_B, value, LEFT_J, 0.95)
        assert found.rule == ("moved" if far else "bca")
    assert bias_z(values_B, 0.84134) == pytest.approx(1.0, abs=0.001)
    # An interval of 50 % is narrower, and BCa leaves its value sooner.
    assert is_far(values_B, 0.64, 0.5) and not is_far(values_B, 0.62, 0.5)


def test_the_known_fault_is_gone() -> None:
    """All draws below the value: BCa is of no width, and does not hold it."""
    values_B = np.random.default_rng(0).normal(0.6580, 0.0009, 2000)
    low, high = bca(values_B, 0.6640, LEFT_J, 0.95)
    assert high - low < 1e-6 and high < 0.6640
    low, high, rule = ends_of(values_B, 0.6640, LEFT_J, 0.95)
    assert rule == "moved"
    assert (low, high) == pytest.approx((0.6640 - 0.00176, 0.6640 + 0.00176), abs=1e-4)


@given(
    st.lists(st.floats(0, 1), min_size=20, max_size=60),
    st.floats(0, 1),
    st.sampled_from([0.5, 0.9, 0.95]),
)
def test_an_interval_holds_its_value_and_bca_stays_where_it_is_kept(
    draws: list[float], value: float, level: float
) -> None:
    values_B = np.array(draws)
    low, high, rule = ends_of(values_B, value, LEFT_J, level)
    if rule == "bca":
        assert (low, high) == bca(values_B, value, LEFT_J, level)
    else:
        assert low <= value <= high
        assert high - low <= np.ptp(values_B) + 1e-12


def test_draws_that_differ_by_rounding_alone_stay_where_they_are() -> None:
    values_B = 1 - np.array([1e-15, 2e-15, 3e-15])
    assert ends_of(values_B, 1.0, LEFT_J, 0.95) == (*bca(values_B, 1.0, LEFT_J, 0.95), "bca")
    assert ends_of(np.array([np.nan]), 1.0, LEFT_J, 0.95).rule == "bca"
    assert not is_far(np.array([0.1, 0.2, 0.3]), np.nan, 0.95)


def test_many_classes_of_few_events_have_intervals_that_hold_their_values() -> None:
    """40 classes on 120 clips: PSDS1 takes off the spread between classes, which draws make larger; event F1 hardly is biased."""
    case = Case(classes=40, clips=120, pool=200)
    kept_N, all_BJ = set_weights(case, 0, 200)
    some = some_clips(pool_of(case), kept_N)
    rules = {}
    for name in ("psds1", "event_f1"):
        value, *values_B = METRICS[name](some, all_BJ[:201])
        left_G = METRICS[name](some, all_BJ[-GROUPS:])
        low, high, rules[name] = ends_of(np.array(values_B), value, left_G, 0.95)
        assert low < value < high
    assert rules == {"psds1": "moved", "event_f1": "bca"}


def test_one_clip_says_nothing_of_others() -> None:
    """All draws of a single clip are that clip; an interval without width would claim to know all."""
    same_B = np.full(100, 0.5)
    assert ends_of(same_B, 0.5, np.array([np.nan]), 0.95)[:2] == (0.0, 1.0)
    assert ends_of(same_B, 0.5, np.array([0.5, 0.5]), 0.95)[:2] == (0.5, 0.5)
