"""Curves through every score that occurs, in weighted resamples: the kernels behind metrics over all thresholds.

A class's entries are read in falling order of score, RESAMPLE_TILE resamples at a time. Between two changes of its hits
only the lowest rate counts, so each pair of (rate, hits) is offered to the class's curve once: it is kept where no other
has as many hits at no higher rate. Reading ends where every resample is past the right end of the area for good, since
a clip keeps each false alarm that is `SURE`.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.scored_changes import FLUSH, LOOK, SURE
from raysed.evaluation.metrics.mean_curves import Curves, class_area, mean_area, offer_all
from raysed.evaluation.metrics.psds_kernels import RESAMPLE_TILE, PsdsRules, class_totals, per_other

CHECK_EVERY = 16
"""Sure false alarms between two looks whether reading can end."""


@njit(cache=True, nogil=True)
def threshold_areas(
    weights_BN: np.ndarray,
    changes: Arrays,
    per_clip: Arrays,
    rules: tuple[PsdsRules, np.ndarray],
    out_DBK: np.ndarray,
    out_DB: np.ndarray,
) -> int:
    """Fill in the PSDS (D, B) and each class's own area (D, B, K) of each resample, for each divisor `others_D`; return how
    many resamples need scores below the changes' floors.
    """
    about, others_D = rules
    n_clips, n_classes = per_clip[0].shape
    present_KT = np.empty((n_classes, RESAMPLE_TILE), np.bool_)
    weights_NT = np.zeros((n_clips, RESAMPLE_TILE), np.int16)
    curves = no_curves(changes, n_classes, others_D.size * RESAMPLE_TILE)
    heap = (np.empty(n_classes), np.empty(n_classes, np.int64), np.empty(n_classes, np.int64))
    n_short = 0
    for first in range(0, weights_BN.shape[0], RESAMPLE_TILE):
        n_filled = min(RESAMPLE_TILE, weights_BN.shape[0] - first)
        for t in range(n_filled):
            for n in range(n_clips):
                weights_NT[n, t] = weights_BN[first + t, n]
        totals = class_totals(weights_NT, per_clip, about, present_KT)
        n_gt_KT, costs = totals[0], (*totals[1:3], per_other(present_KT, about[0], others_D))
        for k in range(n_classes):
            n_short += trace(k, weights_NT, changes, (costs, about, n_filled), curves)
        for d in range(others_D.size):
            for t in range(n_filled):
                lane = d * RESAMPLE_TILE + t
                for k in range(n_classes):
                    own = class_area(curves, k, lane, about[2]) / n_gt_KT[k, t] / about[2]
                    out_DBK[d, first + t, k] = own if present_KT[k, t] else np.nan
                classes = (present_KT[:, t], n_gt_KT[:, t])
                out_DB[d, first + t] = mean_area(curves, classes, lane, (about[1], about[2]), heap)
    return n_short


@njit(cache=True, nogil=True)
def no_curves(changes: Arrays, n_classes: int, n_lanes: int) -> Curves:
    """Return room for the curves of all classes in so many resamples."""
    n_variants, start_G, _, _, _, mark_E, _ = changes
    start_K1 = np.zeros(n_classes + 1, np.int64)
    for k in range(n_classes):
        first, stop = start_G[k * n_variants[0]], start_G[(k + 1) * n_variants[0]]
        # After the last change of hits each post-processing has another point.
        n_points = n_variants[0] + np.count_nonzero(mark_E[first:stop] & FLUSH)
        start_K1[k + 1] = start_K1[k] + n_points
    shape = (n_lanes, start_K1[n_classes])
    size_KT = np.zeros((n_classes, n_lanes), np.int64)
    return np.empty(shape), np.empty(shape, np.int32), size_KT, start_K1


@njit(cache=True, nogil=True)
def trace(k: int, weights_NT: np.ndarray, changes: Arrays, about: tuple, curves: Curves) -> int:
    """Draw the curves of one class in each resample of the tile; return how many resamples are not whole."""
    n_variants, floor_G = changes[0][0], changes[6]
    (_, per_hour_T, _), rules, n_filled = about
    curves[2][k, :] = 0
    n_short = 0
    for v in range(n_variants):
        group = k * n_variants + v
        past, fp_T = _trace_one(k, group, weights_NT, (changes, about), curves)
        if floor_G[group] > -np.inf and not past:
            for t in range(n_filled):
                n_short += not fp_T[t] * per_hour_T[t] > rules[2]
    return n_short


@njit(cache=True, nogil=True)
def _trace_one(
    k: int, group: int, weights_NT: np.ndarray, known: tuple, curves: Curves
) -> tuple[bool, np.ndarray]:
    """Offer one post-processing's points to the curves of a class; return whether all resamples are past its end for
    good, and the false alarms of each at the lowest score that was read.

    Rows are not taken out of their arrays here: counting their references costs more than the sums do.
    """
    (_, start_G, clip_E, slot_E, change_E, mark_E, _), about = known
    (per_gt_hour_KT, per_hour_T, per_other_DT), (alpha_ct, _, max_efpr, _, _), n_filled = about
    width = weights_NT.shape[1]
    fp_T, sure_T, hits_T = np.zeros((3, width), np.int32)
    crossed_T, lowest_DT = np.zeros(width), np.full(per_other_DT.shape, np.inf)
    n_sure, past = 0, False
    for e in range(start_G[group], start_G[group + 1]):
        mark, slot, change, n = mark_E[e], slot_E[e], change_E[e], clip_E[e]
        if mark & FLUSH:
            offer_all(curves, k, (lowest_DT, hits_T), n_filled, max_efpr)
            lowest_DT[:] = np.inf
        if slot == 0:
            for t in range(width):
                hits_T[t] += change * weights_NT[n, t]
        elif slot == 1:
            for t in range(width):
                fp_T[t] += change * weights_NT[n, t]
        elif alpha_ct > 0:
            factor = np.float64(change)  # whole numbers, in float64 faster than in int64
            for t in range(width):
                crossed_T[t] += factor * weights_NT[n, t] * per_gt_hour_KT[slot - 2, t]
        if mark & LOOK:
            for d in range(lowest_DT.shape[0]):
                for t in range(width):
                    rate = fp_T[t] * per_hour_T[t] + crossed_T[t] * per_other_DT[d, t]
                    least = lowest_DT[d, t]  # min() knows NaN, and is not vectorised
                    lowest_DT[d, t] = rate if rate < least else least
        if mark & SURE:
            for t in range(width):
                sure_T[t] += weights_NT[n, t]
            n_sure += 1
            if n_sure % CHECK_EVERY == 0 and _all_past(sure_T, per_hour_T, max_efpr, n_filled):
                past = True
                break
    offer_all(curves, k, (lowest_DT, hits_T), n_filled, max_efpr)
    return past, fp_T


@njit(cache=True, nogil=True)
def _all_past(sure_T: np.ndarray, per_hour_T: np.ndarray, end: float, n_filled: int) -> bool:
    n_past = 0
    for t in range(n_filled):
        n_past += sure_T[t] * per_hour_T[t] > end
    return n_past == n_filled
