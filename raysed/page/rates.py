"""Precision and recall of every class over the threshold, with a bootstrap band over clips.

200 draws of 1168 clips, 10 classes and 25 thresholds take about 0.2 s a trial. B draws, T thresholds, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.point_counts import PointCounts
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.bootstrap import clip_draws
from raysed.page.curves import BAND_DRAWS, LEVEL

STEP = 2
"""Every second of the stored thresholds is drawn."""


@dataclass(frozen=True)
class RateBand:
    """A rate over the threshold, the mean over a cell's seeds, and its pointwise band over clips; NaN where undefined."""

    value_TK: np.ndarray
    low_TK: np.ndarray
    high_TK: np.ndarray


def has_rates(statistics: Statistics) -> bool:
    """Tell whether intersections at the operating points are counted."""
    return PAPER in statistics.psds


def rate_bands(
    seeds: Sequence[Statistics], draws: int = BAND_DRAWS
) -> tuple[tuple[float, ...], RateBand, RateBand]:
    """Return the thresholds, and precision and recall by intersections of at least a half.

    Every seed sees the same draws of clips. Seeds must have been scored on the same set.
    """
    first = seeds[0]
    weights_BN = clip_draws(first, draws, 0)
    alone_1N = np.ones((1, first.n_clips), np.int16)
    every_BN = np.concatenate((alone_1N, weights_BN))
    found = []
    for statistics in seeds:
        counts = PointCounts.of_statistics(statistics)
        thinned = PointCounts(
            counts.thresholds[::STEP],
            counts.tp_TNK[::STEP],
            counts.n_sys_TNK[::STEP],
            counts.n_ref_NK,
        )
        found.append(thinned.rates(every_BN))
    precision_BTK, recall_BTK = (_mean([pair[place] for pair in found]) for place in (0, 1))
    return first.thresholds[::STEP], _band(precision_BTK), _band(recall_BTK)


def _mean(rates: list[np.ndarray]) -> np.ndarray:
    """Return the mean over seeds of those that are defined; NaN where none is."""
    stacked = np.stack(rates)
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    n_known = known.sum(axis=0)
    return np.divide(total, n_known, out=np.full(total.shape, np.nan), where=n_known > 0)


def _band(rate_BTK: np.ndarray) -> RateBand:
    """Return the first row with the quantiles of the others; NaN where a rate is not defined on the set itself."""
    value_TK, drawn_BTK = rate_BTK[0], rate_BTK[1:]
    known_TK = ~np.isnan(value_TK)
    low_TK, high_TK = np.full((2, *value_TK.shape), np.nan)
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    if known_TK.any():
        # A draw without any detection has no precision; where the set has one, some draws have.
        low_TK[known_TK], high_TK[known_TK] = np.nanquantile(drawn_BTK[:, known_TK], tails, axis=0)
    return RateBand(value_TK, low_TK, high_TK)
