"""Areas under weighted PSD-ROC curves: the kernels behind `psds`.

Counts (sparse changes between operating points) times weights, RESAMPLE_TILE resamples at a time, then per class the
rising corners of the curve. Sums of counts are int32 and exact; only rates are floating point. Loops over a
tile take its width from an array: LLVM unrolls a loop of constant length before it tries to vectorise it, and
then cannot (3 times slower).
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.matching import Arrays
from raysed.evaluation.metrics.mean_curves import mean_area, offer_all

PsdsRules = tuple[float, float, float, float, float]
"""alpha_ct, alpha_st, max_efpr, 1 for K - 1 or 0 for K, evaluated seconds or NaN."""

RESAMPLE_TILE = 32
"""Resamples that share one pass over the counts."""
HOUR_S = 3600.0


@njit(cache=True, nogil=True)
def areas(
    weights_BN: np.ndarray,
    columns: Arrays,
    per_clip: Arrays,
    rules: tuple[PsdsRules, np.ndarray],
    n_points: int,
    out_DB: np.ndarray,
) -> None:
    """Fill in the PSDS of each resample, RESAMPLE_TILE of them per pass over the counts, for each divisor `others_D`."""
    (_, alpha_st, max_efpr, _, _), others_D = rules
    n_clips, n_classes = per_clip[0].shape
    tpr_KMT = np.empty((n_classes, n_points, RESAMPLE_TILE))
    efpr_DKMT = np.empty((others_D.size, n_classes, n_points, RESAMPLE_TILE))
    present_KT = np.empty((n_classes, RESAMPLE_TILE), np.bool_)
    weights_NT = np.zeros((n_clips, RESAMPLE_TILE), np.int16)
    n_lanes, start_K1 = others_D.size * RESAMPLE_TILE, np.arange(n_classes + 1) * n_points
    ratio_TX = np.empty((n_lanes, n_classes * n_points))
    size_KT = np.empty((n_classes, n_lanes), np.int64)
    curves = (np.empty_like(ratio_TX), ratio_TX, size_KT, start_K1)
    heap = (np.empty(n_classes), np.empty(n_classes, np.int64), np.empty(n_classes, np.int64))
    one_K = np.ones(n_classes)  # curves hold ratios of hits to events already
    for first in range(0, weights_BN.shape[0], RESAMPLE_TILE):
        n_filled = min(RESAMPLE_TILE, weights_BN.shape[0] - first)
        for t in range(n_filled):
            for n in range(n_clips):
                weights_NT[n, t] = weights_BN[first + t, n]
        rates(weights_NT, columns, per_clip, rules, (tpr_KMT, efpr_DKMT, present_KT))
        size_KT[:] = 0
        for k in range(n_classes):
            for m in range(n_points - 1, -1, -1):  # rates rise as the threshold falls
                points = (efpr_DKMT[:, k, m], tpr_KMT[k, m])
                offer_all(curves, k, points, n_filled, max_efpr)
        for d in range(others_D.size):
            for t in range(n_filled):
                classes, lane = (present_KT[:, t], one_K), d * RESAMPLE_TILE + t
                out_DB[d, first + t] = mean_area(curves, classes, lane, (alpha_st, max_efpr), heap)


@njit(cache=True, nogil=True)
def rates(
    weights_NT: np.ndarray,
    columns: Arrays,
    per_clip: Arrays,
    rules: tuple[PsdsRules, np.ndarray],
    out: Arrays,
) -> None:
    """Fill in TP ratios (K, M, T), effective FP rates (D, K, M, T), and which classes have ground truth (K, T)."""
    column_C, start_C, clip_E, point_E, change_E = columns
    tpr_KMT, efpr_DKMT, present_KT = out
    about, others_D = rules
    n_classes, n_points, width = tpr_KMT.shape
    n_gt_KT, per_gt_hour_KT, per_hour_T, _ = class_totals(weights_NT, per_clip, about, present_KT)
    per_other_DT = per_other(present_KT, about[0], others_D)
    tpr_KMT[:] = 0.0
    efpr_DKMT[:] = 0.0
    counts_MT = np.empty((n_points, width), np.int32)
    alike_M = np.zeros(n_points, np.int32)
    alike_N = _alike(weights_NT)
    one_T = np.ones(width)
    for c in range(column_C.size):
        k, slot = divmod(column_C[c], n_classes + 2)
        if slot >= 2 and about[0] == 0.0:
            continue
        first_m, stop_m = n_points, 0  # the points at which the column may have counts
        for e in range(start_C[c], start_C[c + 1]):
            first_m, stop_m = min(first_m, point_E[e]), max(stop_m, point_E[e] + 1)
        counts_MT[first_m:stop_m] = 0
        alike_M[first_m:stop_m] = 0
        for e in range(start_C[c], start_C[c + 1]):
            n, m, change = clip_E[e], point_E[e], change_E[e]
            if alike_N[n]:
                alike_M[m] += change * weights_NT[n, 0]
                continue
            # Rows are not taken out of their arrays here: counting their references costs more than the sum does.
            for t in range(width):
                counts_MT[m, t] += change * weights_NT[n, t]
        for m in range(first_m, stop_m):
            if alike_M[m] != 0:
                counts_MT[m] += alike_M[m]
        for m in range(first_m + 1, stop_m):
            for t in range(width):
                counts_MT[m, t] += counts_MT[m - 1, t]
        if stop_m > 0 and counts_MT[stop_m - 1].any():  # which go on to the last point
            for m in range(stop_m, n_points):
                counts_MT[m] = counts_MT[m - 1]
            stop_m = n_points
        used_MT = counts_MT[first_m:stop_m]
        if slot == 0:
            _divide(used_MT, n_gt_KT[k], tpr_KMT[k, first_m:stop_m])
            continue
        for d in range(others_D.size):
            out_MT = efpr_DKMT[d, k, first_m:stop_m]
            if slot == 1:
                _add(used_MT, per_hour_T, one_T, out_MT)
            else:
                _add(used_MT, per_gt_hour_KT[slot - 2], per_other_DT[d], out_MT)


@njit(cache=True, nogil=True)
def per_other(present_KT: np.ndarray, alpha_ct: float, others_D: np.ndarray) -> np.ndarray:
    """Return alpha_ct / number of averaged classes, for each divisor (D, T)."""
    out_DT = np.zeros((others_D.size, present_KT.shape[1]))
    for t in range(present_KT.shape[1]):
        n_present = 0
        for k in range(present_KT.shape[0]):
            n_present += present_KT[k, t]
        for d in range(others_D.size):
            if n_present > others_D[d]:
                out_DT[d, t] = alpha_ct / (n_present - others_D[d])
    return out_DT


@njit(cache=True, nogil=True)
def _alike(weights_NT: np.ndarray) -> np.ndarray:
    """Return whether a clip has one weight in the whole tile, as most have where one after the other is left out."""
    alike_N = np.ones(weights_NT.shape[0], np.bool_)
    for n in range(alike_N.size):
        for t in range(weights_NT.shape[1]):
            if weights_NT[n, t] != weights_NT[n, 0]:
                alike_N[n] = False
                break
    return alike_N


@njit(cache=True, nogil=True)
def _divide(counts_MT: np.ndarray, by_T: np.ndarray, out_MT: np.ndarray) -> None:
    """Write counts over `by_T`."""
    for m in range(counts_MT.shape[0]):
        for t in range(counts_MT.shape[1]):
            out_MT[m, t] = counts_MT[m, t] / by_T[t]


@njit(cache=True, nogil=True)
def _add(counts_MT: np.ndarray, a_T: np.ndarray, b_T: np.ndarray, out_MT: np.ndarray) -> None:
    """Add counts times `a_T` times `b_T`, in this order, which decides the last digit."""
    for m in range(counts_MT.shape[0]):
        for t in range(counts_MT.shape[1]):
            out_MT[m, t] += counts_MT[m, t] * a_T[t] * b_T[t]


@njit(cache=True, nogil=True)
def class_totals(
    weights_NT: np.ndarray, per_clip: Arrays, rules: PsdsRules, present_KT: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return the events, 1 / hours of events, 1 / hours of audio, alpha_ct / number of averaged classes."""
    n_gt_NK, gt_s_NK, seconds_N = per_clip
    alpha_ct, others, evaluated_s = rules[0], rules[3], rules[4]
    (n_clips, n_classes), width = n_gt_NK.shape, weights_NT.shape[1]
    n_gt_KT = np.zeros((n_classes, width))
    gt_s_KT = np.zeros((n_classes, width))
    seconds_T = np.zeros(width)
    for n in range(n_clips):
        for t in range(width):
            seconds_T[t] += weights_NT[n, t] * seconds_N[n]
        for k in range(n_classes):
            if n_gt_NK[n, k] > 0:
                for t in range(width):
                    n_gt_KT[k, t] += weights_NT[n, t] * n_gt_NK[n, k]
                    gt_s_KT[k, t] += weights_NT[n, t] * gt_s_NK[n, k]
    per_other_T = np.zeros(width)
    for t in range(width):
        if not np.isnan(evaluated_s):
            seconds_T[t] = evaluated_s
        n_present = 0
        for k in range(n_classes):
            present_KT[k, t] = n_gt_KT[k, t] > 0 and seconds_T[t] > 0
            n_present += present_KT[k, t]
            n_gt_KT[k, t] = max(
                n_gt_KT[k, t], 1.0
            )  # a class that is absent has no counts to divide
            gt_s_KT[k, t] = HOUR_S / gt_s_KT[k, t] if present_KT[k, t] else 0.0
        seconds_T[t] = HOUR_S / seconds_T[t] if seconds_T[t] > 0 else 0.0
        if n_present > others:
            per_other_T[t] = alpha_ct / (n_present - others)
    return n_gt_KT, gt_s_KT, seconds_T, per_other_T


@njit(cache=True, nogil=True)
def count_lost(
    weights_BN: np.ndarray, clip_C: np.ndarray, start_K1: np.ndarray, lost_B: np.ndarray
) -> None:
    """Count for each resample the classes of which no clip was drawn; a few clips of a class nearly always suffice."""
    for b in range(lost_B.size):
        for k in range(start_K1.size - 1):
            found = start_K1[k] == start_K1[k + 1]
            for c in range(start_K1[k], start_K1[k + 1]):
                if weights_BN[b, clip_C[c]] != 0:
                    found = True
                    break
            lost_B[b] += not found
