"""Curves of rising rates and hits, one for each class and resample: points are offered to them, and the area under their mean
over the classes is taken.

A curve holds the points that no other dominates, and is a staircase between them.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays

SMALL_VARIANCE = 1e-3
"""Below this the variance over classes is summed anew: the running sums would lose its digits."""

Curves = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""rate_TX, hits_TX, size_KT, start_K1: the curve of class k in resample t is the first size[k, t] points from start[k].
With several divisors of cross-triggers, the resamples stand there once for each."""


@njit(cache=True, nogil=True)
def offer_all(
    curves: Curves, k: int, points: tuple[np.ndarray, np.ndarray], n_filled: int, end: float
) -> None:
    """Put a point on the curve of each resample: the lowest rate since the last change of hits (D, T), and the hits (T,).
    Curves rise in rate and hits; a point past the end, or one that another dominates, is left out.

    The arrays are taken out of their tuple once for all resamples: counting their references costs more than the rest.
    """
    lowest_DT, hits_T = points
    rate_TX, hits_TX, size_KT, start_K1 = curves
    first = start_K1[k]
    for d in range(lowest_DT.shape[0]):
        for t in range(n_filled):
            rate, hits, lane = lowest_DT[d, t], hits_T[t], d * hits_T.size + t
            if hits <= 0 or rate > end:
                continue
            size = size_KT[k, lane]
            place = first + size  # the first point with a higher rate
            while place > first and rate_TX[lane, place - 1] > rate:
                place -= 1
            if place > first and hits_TX[lane, place - 1] >= hits:
                continue
            begin = place - 1 if place > first and rate_TX[lane, place - 1] == rate else place
            stop = place  # points that the new one dominates
            while stop < first + size and hits_TX[lane, stop] <= hits:
                stop += 1
            moved = stop - begin - 1
            if moved < 0:
                for x in range(first + size, begin, -1):
                    rate_TX[lane, x] = rate_TX[lane, x - 1]
                    hits_TX[lane, x] = hits_TX[lane, x - 1]
            elif moved > 0:
                for x in range(stop, first + size):
                    rate_TX[lane, x - moved] = rate_TX[lane, x]
                    hits_TX[lane, x - moved] = hits_TX[lane, x]
            rate_TX[lane, begin], hits_TX[lane, begin] = rate, hits
            size_KT[k, lane] = size - moved


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
    area, n_present = 0.0, np.count_nonzero(present_K)
    if n_present == 0:
        return np.nan
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
            if x + 1 < curves[3][k] + curves[2][k, t]:
                _sink(next_H, class_H, size, (rate_X[x + 1], k))
            else:
                size -= 1
                _sink(next_H, class_H, size, (next_H[size], class_H[size]))
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
def _sink(next_H: np.ndarray, class_H: np.ndarray, size: int, entry: tuple[float, int]) -> None:
    """Put an entry in the place of the lowest one."""
    rate, place = entry[0], 0
    while 2 * place + 1 < size:
        below = 2 * place + 1
        if below + 1 < size and next_H[below + 1] < next_H[below]:
            below += 1
        if next_H[below] >= rate:
            break
        next_H[place], class_H[place] = next_H[below], class_H[below]
        place = below
    next_H[place], class_H[place] = entry
