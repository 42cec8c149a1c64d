"""Curves through every score that occurs, in weighted resamples: the kernels behind metrics over all thresholds.

A class's entries are read in falling order of score, RESAMPLE_TILE resamples at a time. Between two changes of its hits
only the lowest rate counts, so each pair of (rate, hits) is offered to the class's curve once: it is kept where no other
has as many hits at no higher rate. Reading ends where every resample is past the right end of the area for good, since
each clip with a first false alarm (`SURE`) keeps at least one.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.scored_changes import FLUSH, LOOK, SURE
from raysed.evaluation.metrics.psds_kernels import RESAMPLE_TILE, PsdsRules, class_totals

CHECK_EVERY = 16
"""First false alarms between two looks whether reading can end."""
SMALL_VARIANCE = 1e-3
"""Below this the variance over classes is summed anew: the running sums would lose its digits."""

Curves = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""rate_TX, hits_TX, size_KT, start_K1: the curve of class k in resample t is the first size[k, t] points from start[k]."""


@njit(cache=True, nogil=True)
def threshold_areas(
    weights_BN: np.ndarray,
    changes: Arrays,
    per_clip: Arrays,
    rules: PsdsRules,
    out_BK: np.ndarray,
    out_B: np.ndarray,
) -> int:
    """Fill in the PSDS (B,) and each class's own area (B, K) of each resample; return how many resamples need scores
    below the changes' floors.
    """
    n_clips, n_classes = per_clip[0].shape
    present_KT = np.empty((n_classes, RESAMPLE_TILE), np.bool_)
    weights_NT = np.zeros((n_clips, RESAMPLE_TILE), np.int32)
    curves = no_curves(changes, n_classes)
    heap = (np.empty(n_classes), np.empty(n_classes, np.int64), np.empty(n_classes, np.int64))
    n_short = 0
    for first in range(0, weights_BN.shape[0], RESAMPLE_TILE):
        n_filled = min(RESAMPLE_TILE, weights_BN.shape[0] - first)
        for t in range(n_filled):
            for n in range(n_clips):
                weights_NT[n, t] = weights_BN[first + t, n]
        totals = class_totals(weights_NT, per_clip, rules, present_KT)
        for k in range(n_classes):
            n_short += trace(k, weights_NT, changes, (totals, rules, n_filled), curves)
        for t in range(n_filled):
            for k in range(n_classes):
                out_BK[first + t, k] = np.nan
                if present_KT[k, t]:
                    own = class_area(curves, k, t, rules[2])
                    out_BK[first + t, k] = own / totals[0][k, t] / rules[2]
            out_B[first + t] = mean_area(
                curves, (present_KT[:, t], totals[0][:, t]), t, (rules[1], rules[2]), heap
            )
    return n_short


@njit(cache=True, nogil=True)
def no_curves(changes: Arrays, n_classes: int) -> Curves:
    """Return room for the curves of all classes in a tile of resamples."""
    n_variants, start_G, _, _, _, mark_E, _ = changes
    start_K1 = np.zeros(n_classes + 1, np.int64)
    for k in range(n_classes):
        n_points = n_variants[
            0
        ]  # after the last change of hits each post-processing has another point
        for e in range(start_G[k * n_variants[0]], start_G[(k + 1) * n_variants[0]]):
            n_points += (mark_E[e] & FLUSH) > 0
        start_K1[k + 1] = start_K1[k] + n_points
    shape = (RESAMPLE_TILE, start_K1[n_classes])
    size_KT = np.zeros((n_classes, RESAMPLE_TILE), np.int64)
    return np.empty(shape), np.empty(shape, np.int32), size_KT, start_K1


@njit(cache=True, nogil=True)
def trace(k: int, weights_NT: np.ndarray, changes: Arrays, about: tuple, curves: Curves) -> int:
    """Draw the curve of one class in each resample of the tile; return how many resamples are not whole."""
    n_variants, floor_G = changes[0][0], changes[6]
    (_, _, per_hour_T, _), rules, n_filled = about
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
    """Offer one post-processing's points to the curve of a class; return whether all resamples are past its end for
    good, and the false alarms of each at the lowest score that was read.
    """
    (_, start_G, clip_E, slot_E, change_E, mark_E, _), about = known
    (_, per_gt_hour_KT, per_hour_T, per_other_T), (alpha_ct, _, max_efpr, _, _), n_filled = about
    width = weights_NT.shape[1]
    fp_T, sure_T, hits_T = np.zeros((3, width), np.int32)
    crossed_T, lowest_T = np.zeros(width), np.full(width, np.inf)
    n_sure, past = 0, False
    for e in range(start_G[group], start_G[group + 1]):
        mark, slot, change = mark_E[e], slot_E[e], change_E[e]
        weight_T = weights_NT[clip_E[e]]
        if mark & FLUSH:
            for t in range(n_filled):
                offer(curves, k, t, (lowest_T[t], hits_T[t], max_efpr))
            lowest_T[:] = np.inf
        if slot == 0:
            for t in range(width):
                hits_T[t] += change * weight_T[t]
        elif slot == 1:
            for t in range(width):
                fp_T[t] += change * weight_T[t]
        elif alpha_ct > 0:
            cost_T = per_gt_hour_KT[slot - 2]
            for t in range(width):
                crossed_T[t] += change * weight_T[t] * cost_T[t]
        if mark & LOOK:
            for t in range(width):
                rate = fp_T[t] * per_hour_T[t] + crossed_T[t] * per_other_T[t]
                lowest_T[t] = min(lowest_T[t], rate)
        if mark & SURE:
            for t in range(width):
                sure_T[t] += weight_T[t]
            n_sure += 1
            if n_sure % CHECK_EVERY == 0 and _all_past(sure_T, per_hour_T, max_efpr, n_filled):
                past = True
                break
    for t in range(n_filled):
        offer(curves, k, t, (lowest_T[t], hits_T[t], max_efpr))
    return past, fp_T


@njit(cache=True, nogil=True)
def _all_past(sure_T: np.ndarray, per_hour_T: np.ndarray, end: float, n_filled: int) -> bool:
    n_past = 0
    for t in range(n_filled):
        n_past += sure_T[t] * per_hour_T[t] > end
    return n_past == n_filled


@njit(cache=True, nogil=True)
def offer(curves: Curves, k: int, t: int, point: tuple[float, int, float]) -> None:
    """Put a point on a curve of rising rates and hits, unless it is past the end or another one dominates it."""
    rate, hits, end = point
    if hits <= 0 or rate > end:
        return
    first, size = curves[3][k], curves[2][k, t]
    rate_X, hits_X = curves[0][t], curves[1][t]
    place = first + size  # the first point with a higher rate
    while place > first and rate_X[place - 1] > rate:
        place -= 1
    if place > first and hits_X[place - 1] >= hits:
        return
    begin = place - 1 if place > first and rate_X[place - 1] == rate else place
    stop = place  # points that the new one dominates
    while stop < first + size and hits_X[stop] <= hits:
        stop += 1
    moved = stop - begin - 1
    if moved < 0:
        for x in range(first + size, begin, -1):
            rate_X[x], hits_X[x] = rate_X[x - 1], hits_X[x - 1]
    elif moved > 0:
        for x in range(stop, first + size):
            rate_X[x - moved], hits_X[x - moved] = rate_X[x], hits_X[x]
    rate_X[begin], hits_X[begin] = rate, hits
    curves[2][k, t] = size - moved


@njit(cache=True, nogil=True)
def class_area(curves: Curves, k: int, t: int, end: float) -> float:
    """Return the area under one curve, in hits times rate."""
    rate_X, hits_X, first, size = curves[0][t], curves[1][t], curves[3][k], curves[2][k, t]
    total = 0.0
    for x in range(first, first + size):
        after = rate_X[x + 1] if x + 1 < first + size else end
        total += (after - rate_X[x]) * hits_X[x]
    return total


@njit(cache=True, nogil=True)
def mean_area(
    curves: Curves, classes: Arrays, t: int, shape: tuple[float, float], heap: Arrays
) -> float:
    """Return the area under the mean of the curves minus `alpha_st` standard deviations, floored at 0, as a share."""
    present_K, n_gt_K = classes
    alpha_st, end = shape
    n_present = np.count_nonzero(present_K)
    if n_present == 0:
        return np.nan
    area = 0.0
    if alpha_st == 0.0:
        for k in range(present_K.size):
            if present_K[k]:
                area += class_area(curves, k, t, end) / n_gt_K[k]
        return area / n_present / end
    return _spread_area(curves, (present_K, n_gt_K, n_present), t, shape, heap)


@njit(cache=True, nogil=True)
def _spread_area(
    curves: Curves, classes: tuple, t: int, shape: tuple[float, float], heap: Arrays
) -> float:
    """Merge the steps of all classes in rising order of rate."""
    present_K, n_gt_K, n_present = classes
    alpha_st, end = shape
    rate_X, hits_X = curves[0][t], curves[1][t]
    next_H, class_H, next_K = heap
    area, size = 0.0, 0
    for k in range(present_K.size):
        next_K[k] = curves[3][k]
        if present_K[k] and curves[2][k, t] > 0:
            size = _push(next_H, class_H, size, (rate_X[next_K[k]], k))
    total, squares, reached, height = 0.0, 0.0, 0.0, 0.0
    while size > 0:
        rate = next_H[0]
        area += (rate - reached) * height
        while size > 0 and next_H[0] == rate:
            k = class_H[0]
            x = next_K[k]
            before = hits_X[x - 1] / n_gt_K[k] if x > curves[3][k] else 0.0
            now = hits_X[x] / n_gt_K[k]
            total += now - before
            squares += now * now - before * before
            next_K[k] = x + 1
            size = _pop(next_H, class_H, size)
            if x + 1 < curves[3][k] + curves[2][k, t]:
                size = _push(next_H, class_H, size, (rate_X[x + 1], k))
        mean = total / n_present
        variance = squares / n_present - mean * mean
        if variance < SMALL_VARIANCE:
            mean, variance = _moments(hits_X, (present_K, n_gt_K), (next_K, curves[3]))
        height = max(mean - alpha_st * np.sqrt(variance), 0.0)
        reached = rate
    return (area + (end - reached) * height) / end


@njit(cache=True, nogil=True)
def _moments(hits_X: np.ndarray, classes: Arrays, places: Arrays) -> tuple[float, float]:
    """Return mean and variance over the classes of the ratios that their curves have reached."""
    present_K, n_gt_K = classes
    next_K, start_K1 = places
    total, n_present = 0.0, 0
    for k in range(present_K.size):
        if present_K[k]:
            n_present += 1
            total += hits_X[next_K[k] - 1] / n_gt_K[k] if next_K[k] > start_K1[k] else 0.0
    mean, squares = total / n_present, 0.0
    for k in range(present_K.size):
        if present_K[k]:
            ratio = hits_X[next_K[k] - 1] / n_gt_K[k] if next_K[k] > start_K1[k] else 0.0
            squares += (ratio - mean) ** 2
    return mean, squares / n_present


@njit(cache=True, nogil=True)
def _push(next_H: np.ndarray, class_H: np.ndarray, size: int, entry: tuple[float, int]) -> int:
    place = size
    while place > 0 and next_H[(place - 1) // 2] > entry[0]:
        above = (place - 1) // 2
        next_H[place], class_H[place] = next_H[above], class_H[above]
        place = above
    next_H[place], class_H[place] = entry
    return size + 1


@njit(cache=True, nogil=True)
def _pop(next_H: np.ndarray, class_H: np.ndarray, size: int) -> int:
    """Take the lowest entry away."""
    size -= 1
    rate, label = next_H[size], class_H[size]
    place = 0
    while 2 * place + 1 < size:
        below = 2 * place + 1
        if below + 1 < size and next_H[below + 1] < next_H[below]:
            below += 1
        if next_H[below] >= rate:
            break
        next_H[place], class_H[place] = next_H[below], class_H[below]
        place = below
    next_H[place], class_H[place] = rate, label
    return size
