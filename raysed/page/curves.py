"""The PSD-ROC of a cell with a bootstrap band over clips, on a fixed axis of false-positive rates.

200 draws of 1168 clips, 10 classes and 50 operating points take about 0.1 s a trial.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.bootstrap import clip_draws
from raysed.evaluation.metrics.psds import DEFINITIONS, kernel_arguments
from raysed.evaluation.metrics.psds_kernels import RESAMPLE_TILE, rates

BAND_DRAWS = 200
LEVEL = 0.95
POINTS = 101
"""Number of points from 0 to `max_efpr`, both included."""


@dataclass(frozen=True)
class RocBand:
    """The mean curve of a cell's seeds, and the band in which it may lie for other clips of the same kind."""

    efpr_X: np.ndarray
    """Effective false positives per hour."""
    etpr_X: np.ndarray
    """Effective true-positive ratio."""
    low_X: np.ndarray
    high_X: np.ndarray


def roc_band(seeds: Sequence[Statistics], definition: str, draws: int = BAND_DRAWS) -> RocBand:
    """Return the pointwise band of the mean over seeds; every seed sees the same draws of clips, so that the
    band says nothing about other seeds. Seeds must have been scored on the same set.
    """
    first = seeds[0]
    weights_BN = clip_draws(first, draws, 0)
    alone_1N = np.ones((1, first.n_clips), np.int16)
    efpr_X = np.linspace(0.0, DEFINITIONS[definition].max_efpr, POINTS)
    height_1X = np.mean([heights(s, alone_1N, definition, efpr_X) for s in seeds], axis=0)
    heights_BX = np.mean([heights(s, weights_BN, definition, efpr_X) for s in seeds], axis=0)
    low_X, high_X = np.nanquantile(heights_BX, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    return RocBand(efpr_X, height_1X[0], low_X, high_X)


def heights(
    statistics: Statistics, weights_BN: np.ndarray, definition: str, efpr_X: np.ndarray
) -> np.ndarray:
    """Return the height of the curve at each rate in each weighted resample: float64 (B, X), NaN where no
    class has ground truth.
    """
    arguments = kernel_arguments(statistics, DEFINITIONS[definition])
    parts = [
        _tile_heights(weights_BN[first : first + RESAMPLE_TILE], arguments, efpr_X)
        for first in range(0, len(weights_BN), RESAMPLE_TILE)
    ]
    return np.concatenate(parts)


def _tile_heights(weights_BN: np.ndarray, arguments: tuple, efpr_X: np.ndarray) -> np.ndarray:
    """Return the heights for at most RESAMPLE_TILE resamples."""
    columns, per_clip, rules, n_points = arguments
    n_classes = per_clip[0].shape[1]
    weights_NT = np.zeros((weights_BN.shape[1], RESAMPLE_TILE), np.int32)
    weights_NT[:, : len(weights_BN)] = weights_BN.T
    tpr_KMT, efpr_KMT = np.zeros((2, n_classes, n_points, RESAMPLE_TILE))
    present_KT = np.zeros((n_classes, RESAMPLE_TILE), np.bool_)
    rates(weights_NT, columns, per_clip, rules, (tpr_KMT, efpr_KMT[None], present_KT))
    # Each operating point lifts the curve from the first rate on that it does not exceed.
    place_KMT = np.searchsorted(efpr_X, efpr_KMT)
    best_KXT = np.zeros((n_classes, len(efpr_X) + 1, RESAMPLE_TILE))
    class_K11, draw_T = np.arange(n_classes)[:, None, None], np.arange(RESAMPLE_TILE)
    np.maximum.at(best_KXT, (class_K11, place_KMT, draw_T), tpr_KMT)
    best_KXT = np.maximum.accumulate(best_KXT[:, :-1], axis=1)
    present_K1T = present_KT[:, None, :]
    n_present_T = present_KT.sum(axis=0)
    total_XT = np.where(present_K1T, best_KXT, 0.0).sum(axis=0)
    mean_XT = np.divide(
        total_XT, n_present_T, out=np.full(total_XT.shape, np.nan), where=n_present_T > 0
    )
    alpha_st = rules[0][1]
    if alpha_st:
        squares_XT = np.where(present_K1T, (best_KXT - mean_XT) ** 2, 0.0).sum(axis=0)
        spread_XT = np.sqrt(squares_XT / np.maximum(n_present_T, 1))
        mean_XT = np.maximum(mean_XT - alpha_st * spread_XT, 0.0)
    return mean_XT.T[: len(weights_BN)]
