"""Counts at thresholds: worked out by hand, and equal to counting each threshold alone."""

import numpy as np

from raysed.evaluation.counts.clip_counts import PAPER, intersection_counts
from raysed.evaluation.counts.point_counts import PointCounts
from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.postprocessing.methods import MedianSettings, decoders
from tests.evaluation.postprocessing.test_setting_search import case

POINTS = (0.1, 0.25, 0.5, 0.95)


def test_each_threshold_is_as_counted_alone() -> None:
    reference, scores = case(12)
    (decode,) = decoders(scores, (MedianSettings(1),))
    found = PointCounts.of_events(reference, decode, POINTS)
    for t, threshold in enumerate(POINTS):
        alone = intersection_counts(reference, decode(threshold), PAPER)
        np.testing.assert_array_equal(found.tp_TNK[t], alone.tp_NK)
        np.testing.assert_array_equal(found.n_sys_TNK[t], alone.n_sys_NK)
        np.testing.assert_array_equal(found.n_ref_NK, alone.n_ref_NK)
    stored = collect(reference, decode(0.5), {t: decode(t) for t in POINTS})
    again = PointCounts.of_statistics(stored)
    np.testing.assert_array_equal(again.tp_TNK, found.tp_TNK)
    np.testing.assert_array_equal(again.n_sys_TNK, found.n_sys_TNK)


def test_rates_by_hand() -> None:
    """Two clips: a hit and a false alarm, then a miss; at the second threshold only the hit is left."""
    tp_TNK = np.array([[[1], [0]], [[1], [0]], [[0], [0]]], np.int32)
    n_sys_TNK = np.array([[[2], [0]], [[1], [0]], [[0], [0]]], np.int32)
    counts = PointCounts((0.1, 0.5, 0.9), tp_TNK, n_sys_TNK, np.array([[1], [1]], np.int32))
    precision_BTK, recall_BTK = counts.rates(np.array([[1, 1], [1, 0], [0, 2]]))
    np.testing.assert_array_equal(precision_BTK[0, :, 0], [0.5, 1.0, np.nan])
    np.testing.assert_array_equal(recall_BTK[:, :, 0], [[0.5, 0.5, 0], [1, 1, 0], [0, 0, 0]])
    assert np.isnan(precision_BTK[2]).all()
