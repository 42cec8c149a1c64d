"""Curves of a whole set through every score that occurs, drawn class by class: for scores too large for memory.

The curves of resamples are those of `threshold_kernels`; here every clip has the weight 1, so that a class's changes are
forgotten as soon as its curve is drawn.
"""

import numpy as np

from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.large_scores import LargeScores
from raysed.evaluation.counts.scored import Intersections
from raysed.evaluation.metrics.psds_kernels import PsdsRules, class_totals
from raysed.evaluation.metrics.threshold_kernels import mean_area

_Entries = list[tuple[np.ndarray, np.ndarray]]


def exact_areas(
    large: LargeScores, kind: Intersections, per_clip: Arrays, rules: PsdsRules
) -> tuple[np.ndarray, np.ndarray]:
    """Return the area under the mean curve (1,), and under each class's own (1, K), as shares."""
    n_classes, end = per_clip[0].shape[1], rules[2]
    present_K1 = np.empty((n_classes, 1), np.bool_)
    weights_N1 = np.ones((len(per_clip[0]), 1), np.int32)
    totals = class_totals(weights_N1, per_clip, rules, present_K1)
    costs = tuple(total[..., 0] for total in totals[1:])

    def draw(label: int, by_variant: _Entries) -> np.ndarray:
        points = [_points(entries, n_classes, costs, rules) for entries in by_variant]
        return _staircase(np.concatenate(points, axis=1), end)

    curves = large.of_classes(kind, draw)
    size_K1 = np.array([[curve.shape[1]] for curve in curves])
    start_K1 = np.append(0, np.cumsum(size_K1))
    rate_X, hits_X = np.concatenate(curves, axis=1)
    arrays = (rate_X[None], hits_X[None].astype(np.int32), size_K1, start_K1)
    heap = (np.empty(n_classes), np.empty(n_classes, np.int64), np.empty(n_classes, np.int64))
    n_gt_K, present_K = totals[0][:, 0], present_K1[:, 0]
    value = mean_area(arrays, (present_K, n_gt_K), 0, (rules[1], end), heap)
    areas_K = np.array([_area(curve, end) for curve in curves]) / n_gt_K / end
    return np.array([value]), np.where(present_K, areas_K, np.nan)[None]


def _points(
    entries: tuple[np.ndarray, np.ndarray], n_classes: int, costs: Arrays, rules: PsdsRules
) -> np.ndarray:
    """Return the rates and hits at each score of one class and running median: float64 (2, X)."""
    entry_E4, score_E = entries
    per_gt_hour_K, per_hour, per_other = costs
    order_E = np.argsort(-score_E, kind="stable")
    slot_E, change_E = entry_E4[order_E, 0] % (n_classes + 2), entry_E4[order_E, 3]
    last_E = np.append(np.diff(score_E[order_E]) != 0, True)[: len(order_E)]
    hits_E = np.cumsum(np.where(slot_E == 0, change_E, 0))[last_E]
    rate_E = np.cumsum(np.where(slot_E == 1, change_E, 0))[last_E] * per_hour
    if rules[0] > 0:
        crossed_E = np.zeros(int(last_E.sum()))
        place_E = np.cumsum(last_E) - last_E
        for j in np.unique(slot_E[slot_E > 1]):
            of_j = slot_E == j
            count_X = np.bincount(place_E[of_j], change_E[of_j], len(crossed_E))
            crossed_E += np.cumsum(count_X) * per_gt_hour_K[j - 2]
        rate_E = rate_E + crossed_E * per_other
    return np.stack((rate_E, hits_E.astype(np.float64)))


def _staircase(point_2X: np.ndarray, end: float) -> np.ndarray:
    """Return the corners of the curve: rates that rise up to the end, and hits that rise."""
    rate_X, hits_X = point_2X[:, (point_2X[0] <= end) & (point_2X[1] > 0)]
    order_X = np.lexsort((-hits_X, rate_X))
    rate_X, hits_X = rate_X[order_X], hits_X[order_X]
    best_X = np.maximum.accumulate(np.append(0.0, hits_X))
    rises_X = hits_X > best_X[:-1]
    return np.stack((rate_X[rises_X], hits_X[rises_X]))


def _area(curve_2X: np.ndarray, end: float) -> float:
    """Return the area under one curve, in hits times rate."""
    rate_X, hits_X = curve_2X
    return float((np.diff(np.append(rate_X, end)) * hits_X).sum())
