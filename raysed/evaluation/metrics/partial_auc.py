"""The mean partial area under segment-based ROC curves, up to a false-positive rate of 0.1 (DCASE 2024, task 4).

Values equal sed_scores_eval 0.0.4's `segment_based.auroc` with `max_fpr`: staircases, divided by `max_fpr`. A class
without a positive or without a negative segment has no curve and is left out of the mean.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.scored import Segments
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.metrics.event_f1 import mean_over_classes
from raysed.evaluation.metrics.psds import checked_weights, in_parts
from raysed.evaluation.metrics.psds_kernels import RESAMPLE_TILE
from raysed.evaluation.metrics.threshold_free import kernel_changes, scored

MAX_FPR = 0.1


def segment_mpauc(
    statistics: Statistics, weights_BN: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the partial area, mean (B,) and of each class (B, K), fractions; see the module."""
    kind = Segments(statistics.parameters.segment_s)
    arrays = kernel_changes(scored(statistics).changes(kind))
    weights_BN = checked_weights(statistics, weights_BN)
    area_BK = np.empty((len(weights_BN), len(statistics.classes)))
    in_parts(weights_BN, lambda part_BN, part: _partial_areas(part_BN, arrays, area_BK[part]))
    return mean_over_classes(area_BK), area_BK


@njit(cache=True, nogil=True)
def _partial_areas(weights_BN: np.ndarray, changes: Arrays, area_BK: np.ndarray) -> None:
    """Fill in the areas. Where scores are equal negatives stand first: the curve rises after its step to the right."""
    _, start_K1, clip_E, slot_E, _, _, _ = changes
    weights_NT = np.zeros((weights_BN.shape[1], RESAMPLE_TILE), np.int32)
    total_2T = np.zeros((2, RESAMPLE_TILE), np.int64)
    hits_T, false_T = np.zeros((2, RESAMPLE_TILE), np.int64)
    end_T, area_T = np.zeros((2, RESAMPLE_TILE))
    for first in range(0, weights_BN.shape[0], RESAMPLE_TILE):
        n_filled = min(RESAMPLE_TILE, weights_BN.shape[0] - first)
        for t in range(n_filled):
            for n in range(weights_NT.shape[0]):
                weights_NT[n, t] = weights_BN[first + t, n]
        for k in range(area_BK.shape[1]):
            total_2T[:], hits_T[:], false_T[:], area_T[:] = 0, 0, 0, 0.0
            for e in range(start_K1[k], start_K1[k + 1]):
                total_2T[slot_E[e]] += weights_NT[clip_E[e]]
            end_T[:] = MAX_FPR * total_2T[0]
            for e in range(start_K1[k], start_K1[k + 1]):
                weight_T = weights_NT[clip_E[e]]
                if slot_E[e] == 1:
                    hits_T += weight_T
                    continue
                for t in range(weight_T.size):
                    reached = min(float(false_T[t] + weight_T[t]), end_T[t])
                    area_T[t] += hits_T[t] * max(reached - false_T[t], 0.0)
                    false_T[t] += weight_T[t]
            for t in range(n_filled):
                area_BK[first + t, k] = np.nan
                if total_2T[0, t] > 0 and total_2T[1, t] > 0:
                    # Past the last negative the curve is flat; that is beyond any max_fpr below 1.
                    area_BK[first + t, k] = area_T[t] / total_2T[1, t] / end_T[t]
