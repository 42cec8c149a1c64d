"""F1 scores from sufficient statistics.

Convention (sed_eval with `empty_system_output_handling="zero_score"`, as DESED's baselines call it): a class
with reference events and no system output scores 0; a class without reference events has no score (NaN) and
is left out of the macro average, whatever the system detects. The same holds in a resample that loses a
class.
"""

import numpy as np

from raysed.evaluation.counts.clip_counts import Counts
from raysed.evaluation.counts.statistics import Statistics

EXACT_FLOAT32 = 2**24
"""Integers up to this are exact in float32, whose matrix product is twice as fast."""

BLOCK = 256
"""Resamples whose weights are floating-point numbers at a time."""


def event_f1(
    statistics: Statistics, weights_BN: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the event-based F1 at the default threshold: macro (B,) and per class (B, K), fractions.

    `weights_BN` (integers) holds how often each clip was drawn in each of B resamples; None is the set
    itself, B = 1.
    """
    return macro_f1(statistics.event, weights_BN)


def intersection_f1(
    statistics: Statistics, weights_BN: np.ndarray | None = None, *, missed: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the intersection-based F1 at the default threshold: macro (B,) and per class (B, K), fractions.

    A class of which nothing is found scores `missed`. psds_eval's `compute_macro_f_score` makes it NaN (0/0),
    so that a system that fails on a whole class gets a higher macro average; `missed=np.nan` reproduces this.
    """
    macro_B, per_class_BK = macro_f1(statistics.intersection, weights_BN)
    if missed == 0.0:
        return macro_B, per_class_BK
    per_class_BK = np.where(per_class_BK == 0.0, missed, per_class_BK)
    return mean_over_classes(per_class_BK), per_class_BK


def segment_f1(
    statistics: Statistics, weights_BN: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the segment-based F1 at the default threshold: macro (B,) and per class (B, K), fractions.

    sed_eval has no "zero_score" here: it leaves out a class that the system never detects. That would reward
    silence, so such a class scores 0 here, as everywhere else.
    """
    return macro_f1(statistics.segment, weights_BN)


def tagging_f1(
    statistics: Statistics, weights_BN: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the clip-level (weak) F1: macro (B,) and per class (B, K), fractions."""
    return macro_f1(statistics.tagging, weights_BN)


def macro_f1(counts: Counts, weights_BN: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the macro (B,) and per-class (B, K) F1 of weighted counts."""
    all_NC = np.concatenate((counts.tp_NK, counts.n_sys_NK, counts.n_ref_NK), axis=1)
    tp_BK, n_sys_BK, n_ref_BK = np.split(weighted(all_NC, weights_BN), 3, axis=1)
    total_BK = n_sys_BK + n_ref_BK
    per_class_BK = np.full(tp_BK.shape, np.nan)
    np.divide(2 * tp_BK, total_BK, out=per_class_BK, where=n_ref_BK > 0)
    return mean_over_classes(per_class_BK), per_class_BK


def weighted(count_NK: np.ndarray, weights_BN: np.ndarray | None) -> np.ndarray:
    """Return exact weighted sums over clips of integer counts: float64 (B, K)."""
    if weights_BN is None:
        return count_NK.sum(axis=0, dtype=np.int64)[None].astype(np.float64)
    largest = int(count_NK.sum(axis=0, dtype=np.int64).max(initial=0)) * int(
        weights_BN.max(initial=0)
    )
    precision = np.float32 if largest < EXACT_FLOAT32 else np.float64
    exact_NK = count_NK.astype(precision)
    out_BK = np.empty((len(weights_BN), count_NK.shape[1]))
    for first in range(0, len(weights_BN), BLOCK):
        block = slice(first, first + BLOCK)
        out_BK[block] = weights_BN[block].astype(precision) @ exact_NK
    return out_BK


def mean_over_classes(per_class_BK: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that have a score; NaN where none has."""
    scored_BK = ~np.isnan(per_class_BK)
    total_B = np.where(scored_BK, per_class_BK, 0.0).sum(axis=1)
    return np.divide(
        total_B,
        scored_BK.sum(axis=1),
        out=np.full(len(total_B), np.nan),
        where=scored_BK.any(axis=1),
    )
