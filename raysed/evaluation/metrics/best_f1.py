"""The best F1 over thresholds, each class at its own: what a system could reach, not what it reaches.

The threshold is chosen on the clips that it is judged on, in each resample anew. Matches and segments follow
sed_scores_eval 0.0.4's `best_fscore`. A class without events has no score and is left out of the mean.
"""

from typing import Literal

import numpy as np
from numba import njit

from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.scored import EventMatches, Intersections, Segments
from raysed.evaluation.counts.scored_changes import FLUSH, LOOK
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.metrics.event_f1 import mean_over_classes, weighted
from raysed.evaluation.metrics.psds import checked_weights, in_parts
from raysed.evaluation.metrics.psds_kernels import RESAMPLE_TILE
from raysed.evaluation.metrics.threshold_free import kernel_changes, scored


def best_f1(
    statistics: Statistics,
    weights_BN: np.ndarray | None = None,
    *,
    matching: Literal["event", "intersection", "segment"] = "event",
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best F1, macro (B,) and of each class (B, K), fractions; see the module."""
    rules = statistics.parameters
    if matching == "segment":
        return _best_of_segments(statistics, checked_weights(statistics, weights_BN))
    if matching == "event":
        kind = EventMatches(rules.t_collar_s, rules.percentage_of_length)
        n_ref_NK = statistics.event.n_ref_NK
    else:
        kind = Intersections(PAPER._replace(cttc=None))
        n_ref_NK = statistics.n_gt_NK
    arrays = kernel_changes(scored(statistics).changes(kind))
    weights_BN = checked_weights(statistics, weights_BN)
    n_ref_BK = weighted(n_ref_NK, weights_BN)
    best_BK = np.empty(n_ref_BK.shape)
    in_parts(
        weights_BN, lambda part_BN, part: _best(part_BN, arrays, n_ref_BK[part], best_BK[part])
    )
    return mean_over_classes(best_BK), best_BK


def _best_of_segments(
    statistics: Statistics, weights_BN: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best segment-based F1, macro and of each class; a segment's score is the highest in it."""
    changes = scored(statistics).changes(Segments(statistics.parameters.segment_s))
    best_BK = np.empty((len(weights_BN), len(statistics.classes)))
    entries = (changes.start_G, changes.clip_E, changes.slot_E, changes.score_E.astype(np.float64))
    in_parts(weights_BN, lambda part_BN, part: _best_segments(part_BN, entries, best_BK[part]))
    return mean_over_classes(best_BK), best_BK


@njit(cache=True, nogil=True)
def _best_segments(weights_BN: np.ndarray, entries: Arrays, best_BK: np.ndarray) -> None:
    """Fill in the best F1 of each resample and class, NaN where no segment has an event."""
    start_K1, clip_E, slot_E, score_E = entries
    n_draws, n_classes = best_BK.shape
    for b in range(n_draws):
        weight_N = weights_BN[b]
        for k in range(n_classes):
            n_ref = 0
            for e in range(start_K1[k], start_K1[k + 1]):
                n_ref += slot_E[e] * weight_N[clip_E[e]]
            found, hits, best = 0, 0, 0.0
            for e in range(start_K1[k], start_K1[k + 1]):
                if score_E[e] == -np.inf:
                    break  # which no threshold finds
                found += weight_N[clip_E[e]]
                hits += slot_E[e] * weight_N[clip_E[e]]
                last = e + 1 == start_K1[k + 1] or score_E[e + 1] != score_E[e]
                if last and hits > 0:
                    best = max(best, 2 * hits / (found + n_ref))
            best_BK[b, k] = best if n_ref > 0 else np.nan


@njit(cache=True, nogil=True)
def _best(
    weights_BN: np.ndarray, changes: Arrays, n_ref_BK: np.ndarray, best_BK: np.ndarray
) -> None:
    """Fill in the best F1 of each resample and class, NaN where there are no events."""
    _, start_K1, clip_E, slot_E, change_E, mark_E, _ = changes
    weights_NT = np.zeros((weights_BN.shape[1], RESAMPLE_TILE), np.int32)
    hits_T, false_T, lowest_T = np.zeros((3, RESAMPLE_TILE), np.int64)
    n_ref_T, best_T = np.zeros((2, RESAMPLE_TILE))
    for first in range(0, weights_BN.shape[0], RESAMPLE_TILE):
        n_filled = min(RESAMPLE_TILE, weights_BN.shape[0] - first)
        for t in range(n_filled):
            for n in range(weights_NT.shape[0]):
                weights_NT[n, t] = weights_BN[first + t, n]
        for k in range(best_BK.shape[1]):
            hits_T[:], false_T[:], lowest_T[:], best_T[:] = 0, 0, 2**40, 0.0
            for t in range(n_filled):
                n_ref_T[t] = n_ref_BK[first + t, k]
            for e in range(start_K1[k], start_K1[k + 1]):
                weight_T, mark = weights_NT[clip_E[e]], mark_E[e]
                if mark & FLUSH:
                    _take(hits_T, lowest_T, n_ref_T, best_T)
                    lowest_T[:] = 2**40
                count_T = hits_T if slot_E[e] == 0 else false_T
                for t in range(weight_T.size):
                    count_T[t] += change_E[e] * weight_T[t]
                if mark & LOOK:
                    for t in range(weight_T.size):
                        lowest_T[t] = min(lowest_T[t], false_T[t])
            _take(hits_T, lowest_T, n_ref_T, best_T)
            for t in range(n_filled):
                best_BK[first + t, k] = best_T[t] if n_ref_T[t] > 0 else np.nan


@njit(cache=True, nogil=True)
def _take(
    hits_T: np.ndarray, lowest_T: np.ndarray, n_ref_T: np.ndarray, best_T: np.ndarray
) -> None:
    for t in range(hits_T.size):
        if hits_T[t] > 0:
            f1 = 2 * hits_T[t] / (hits_T[t] + lowest_T[t] + n_ref_T[t])
            best_T[t] = max(best_T[t], f1)
