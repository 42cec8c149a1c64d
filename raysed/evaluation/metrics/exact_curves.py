"""Curves of a whole set through every score that occurs, drawn class by class: for scores too large for memory.

The curves of resamples are those of `threshold_kernels`; here every clip has the weight 1, so that a class's changes are
forgotten as soon as its curve is drawn.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.intersections import CT, FP, TP
from raysed.evaluation.counts.scored import Intersections, Scored
from raysed.evaluation.metrics.mean_curves import mean_area
from raysed.evaluation.metrics.psds_kernels import PsdsRules, class_totals, per_other

_Entries = list[tuple[np.ndarray, np.ndarray]]


def exact_areas(
    counts: Scored,
    kind: Intersections,
    per_clip: Arrays,
    rules: tuple[PsdsRules, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the area under the mean curve (D, 1), and under each class's own (D, 1, K), as shares, for each divisor
    `others_D`.
    """
    about, others_D = rules
    n_classes, end = per_clip[0].shape[1], about[2]
    present_K1 = np.empty((n_classes, 1), np.bool_)
    weights_N1 = np.ones((len(per_clip[0]), 1), np.int16)
    n_gt_K1, per_gt_hour_K1, per_hour_1, _ = class_totals(weights_N1, per_clip, about, present_K1)
    per_other_D = per_other(present_K1, about[0], others_D)[:, 0]
    n_gt_K, present_K = n_gt_K1[:, 0], present_K1[:, 0]

    def draw(label: int, by_variant: _Entries) -> list[np.ndarray]:
        found = [_points(*each, per_gt_hour_K1[:, 0], about[0] > 0) for each in by_variant]
        fp_X, crossed_X, hits_X = np.concatenate(found, axis=1)
        rate_DX = fp_X * per_hour_1 + crossed_X * per_other_D[:, None]
        return [_staircase(np.stack((rate_X, hits_X)), end) for rate_X in rate_DX]

    by_divisor = zip(*counts.of_classes(kind, draw), strict=True)
    found = [_mean_of(curves, (present_K, n_gt_K), about) for curves in by_divisor]
    values, areas = zip(*found, strict=True)
    return np.array(values)[:, None], np.array(areas)[:, None]


def _mean_of(
    curves: Sequence[np.ndarray], classes: Arrays, rules: PsdsRules
) -> tuple[float, np.ndarray]:
    """Return the area under the mean of the classes' curves, and under each of them (K,)."""
    present_K, n_gt_K = classes
    size_K1 = np.array([[curve.shape[1]] for curve in curves])
    start_K1 = np.append(0, np.cumsum(size_K1))
    rate_X, hits_X = np.concatenate(curves, axis=1)
    arrays = (rate_X[None], hits_X[None].astype(np.int32), size_K1, start_K1)
    n_classes = len(curves)
    heap = (np.empty(n_classes), np.empty(n_classes, np.int64), np.empty(n_classes, np.int64))
    value = mean_area(arrays, classes, 0, (rules[1], rules[2]), heap)
    areas_K = np.array([_area(curve, rules[2]) for curve in curves]) / n_gt_K / rules[2]
    return value, np.where(present_K, areas_K, np.nan)


def _points(
    entry_E4: np.ndarray, score_E: np.ndarray, per_gt_hour_K: np.ndarray, crossed: bool
) -> np.ndarray:
    """Return false alarms, cross-triggers (each by its class's factor) and hits of one class and running median at each
    score, falling: float64 (3, X).
    """
    order_E = np.argsort(-score_E, kind="stable")
    out_3E = np.empty((3, len(order_E)))
    n_scores = _fill_points(entry_E4, score_E, order_E, (per_gt_hour_K, crossed), out_3E)
    return out_3E[:, :n_scores]


@njit(cache=True, nogil=True)
def _fill_points(
    entry_E4: np.ndarray,
    score_E: np.ndarray,
    order_E: np.ndarray,
    costs: tuple[np.ndarray, bool],
    out_3E: np.ndarray,
) -> int:
    """Fill in the points; return how many there are. Cross-triggers are summed with Neumaier's compensation."""
    per_gt_hour_K, crossed = costs
    n_slots = per_gt_hour_K.size + 2
    fp, hits, total, lost, n_scores = 0, 0, 0.0, 0.0, 0
    for place in range(order_E.size):
        e = order_E[place]
        slot, change = entry_E4[e, 0] % n_slots, entry_E4[e, 3]
        if slot == TP:
            hits += change
        elif slot == FP:
            fp += change
        elif crossed:
            more = change * per_gt_hour_K[slot - CT]
            now = total + more
            lost += (total - now) + more if abs(total) >= abs(more) else (more - now) + total
            total = now
        if place + 1 == order_E.size or score_E[order_E[place + 1]] != score_E[e]:
            out_3E[0, n_scores], out_3E[1, n_scores] = fp, total + lost
            out_3E[2, n_scores] = hits
            n_scores += 1
    return n_scores


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
