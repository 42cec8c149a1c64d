"""Curves of rising rates and hits, and the area under the mean of several."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.metrics.mean_curves import Curves, class_area, mean_area, offer_all
from raysed.evaluation.metrics.psds import DEFINITIONS, area, roc_through


def no_curves(sizes: list[int], lanes: int) -> Curves:
    shape = (lanes, sum(sizes))
    size_KT = np.zeros((len(sizes), lanes), np.int64)
    return np.empty(shape), np.empty(shape, np.int32), size_KT, np.append(0, np.cumsum(sizes))


points = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 8)), max_size=25)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(found=points)
def test_a_curve_keeps_the_best_hits_at_no_higher_rate(found: list[tuple[int, int]]) -> None:
    """Against the running maximum over sorted points, points past the end included."""
    curves = no_curves([len(found)], 1)
    for rate, hits in found:
        offer_all(curves, 0, (np.array([[float(rate)]]), np.array([hits], np.int32)), 1, 10.0)
    rates = np.array([rate for rate, _ in found], float)
    hits = np.array([hits for _, hits in found], float)
    expected = area(roc_through([(rates, hits)], DEFINITIONS["psds1"])) if found else 0.0
    # `area` is a mean height over 0 to 100; from 10 on it is flat.
    height = max((hits for rate, hits in found if rate <= 10), default=0)
    beyond = max((hits for _, hits in found), default=0)
    late = sum(max((h for r, h in found if r <= at), default=0) for at in (10, 11)) + 88 * beyond
    assert class_area(curves, 0, 0, 10.0) == pytest.approx(100 * expected - late, abs=1e-9)
    assert curves[2][0, 0] == 0 or curves[1][0, curves[2][0, 0] - 1] == height


def drawn(curves: list[list[tuple[float, int]]], end: float) -> Curves:
    """Curves through points (rate, hits) of one resample."""
    found = no_curves([len(curve) for curve in curves], 1)
    for k, curve in enumerate(curves):
        for rate, hits in curve:
            offer_all(found, k, (np.array([[rate]]), np.array([hits], np.int32)), 1, end)
    return found


def mean(curves: Curves, n_gt: list[float], alpha_st: float, end: float) -> float:
    n_gt_K, count = np.array(n_gt), len(n_gt)
    heap = (np.empty(count), np.empty(count, np.int64), np.empty(count, np.int64))
    return mean_area(curves, (n_gt_K > 0, np.maximum(n_gt_K, 1)), 0, (alpha_st, end), heap)


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([(0, 2), (30, 5), (80, 9)], [(0, 2), (30, 5), (80, 9)]),
        # Beyond the axis, and no better than a cheaper point: neither is a corner.
        ([(20, 5), (50, 4), (101, 9)], [(20, 5)]),
        # Of points at one rate the highest counts.
        ([(10, 6), (10, 3), (10, 7)], [(10, 7)]),
        # At the end of the axis itself.
        ([(100, 7)], [(100, 7)]),
        ([(5, 0)], []),
    ],
)
def test_corners_by_hand(points: list[tuple[float, int]], found: list) -> None:
    rate_TX, hits_TX, size_KT, _ = drawn([points], 100.0)
    count = size_KT[0, 0]
    assert list(zip(rate_TX[0, :count], hits_TX[0, :count], strict=True)) == found


def test_areas_by_hand() -> None:
    """Of 100 per hour: 0.5 from 20 on and 1.0 from 60 on; and 0.25 from 0 on; a third class is absent."""
    two = drawn([[(20, 2), (60, 4)], [(0, 1)], []], 100.0)
    assert mean(two, [4, 4, 0], 0.0, 100.0) == pytest.approx(((20 + 40) + 25) / 2 / 100)
    # Mean and deviation of (0, .25), (.5, .25), (1, .25): .125 and .125, .375 and .125, .625 and .375.
    assert mean(two, [4, 4, 0], 1.0, 100.0) == pytest.approx(0.2)
    assert mean(two, [4, 0, 0], 1.0, 100.0) == pytest.approx(mean(two, [4, 0, 0], 0.0, 100.0))
    assert np.isnan(mean(two, [0, 0, 0], 1.0, 100.0))


def plain_mean(curves: Curves, n_gt: list[float], alpha_st: float, end: float) -> float:
    """The same with every class looked at anew at every rate."""
    rate_TX, hits_TX, size_KT, start_K1 = curves
    steps = []
    for k, events in enumerate(n_gt):
        own = slice(start_K1[k], start_K1[k] + size_KT[k, 0])
        steps.append((rate_TX[0, own], hits_TX[0, own] / events))
    rate_X = np.unique(np.concatenate([[0.0, end], *(rate for rate, _ in steps)]))
    ratio_KX = np.stack(
        [np.append(0.0, r)[np.searchsorted(rate, rate_X, side="right")] for rate, r in steps]
    )
    height_X = np.maximum(ratio_KX.mean(axis=0) - alpha_st * ratio_KX.std(axis=0), 0.0)
    return float((np.diff(rate_X) * height_X[:-1]).sum() / end)


rising = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=5)


@given(found=st.lists(rising, min_size=1, max_size=12), alpha_st=st.sampled_from([0.0, 0.5, 1.0]))
def test_the_mean_is_its_definition(found: list, alpha_st: float) -> None:
    """Many classes, so that the heap has several levels; running sums lose at most the last digits."""
    curves, n_gt = drawn([[(float(r), h) for r, h in c] for c in found], 20.0), [20.0] * len(found)
    expected = plain_mean(curves, n_gt, alpha_st, 20.0)
    assert mean(curves, n_gt, alpha_st, 20.0) == pytest.approx(expected, abs=1e-12)
