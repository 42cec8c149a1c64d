"""The hits and detections of every clip and class at many thresholds, by the intersection of events.

N clips, K classes, T thresholds, B draws of clips.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from raysed.evaluation.counts.clip_counts import (
    PAPER,
    Deltas,
    PsdsCriteria,
    intersection_points,
    tally,
)
from raysed.evaluation.counts.intersections import FP, TP
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.detections.events import Events, Reference


@dataclass(frozen=True)
class PointCounts:
    """Hits, detections and annotated events, as int32; hits and false alarms are those of psds_eval's F score."""

    thresholds: tuple[float, ...]
    tp_TNK: np.ndarray
    n_sys_TNK: np.ndarray
    n_ref_NK: np.ndarray

    @classmethod
    def of_statistics(cls, statistics: Statistics, criteria: PsdsCriteria = PAPER) -> Self:
        """Return the counts at the operating points that a trial stores."""
        deltas = statistics.psds[criteria]
        return cls._dense(deltas, statistics.thresholds, statistics.n_gt_NK)

    @classmethod
    def of_events(
        cls,
        reference: Reference,
        decode: Callable[[float], Events],
        thresholds: Sequence[float],
    ) -> Self:
        """Return the counts of what is decoded at each threshold, ascending."""
        shape = len(reference.filenames), len(reference.classes)
        found = [decode(threshold) for threshold in thresholds]
        deltas = intersection_points(reference, found, PAPER._replace(cttc=None))
        return cls._dense(deltas, thresholds, tally(reference.events.positive(), *shape))

    @classmethod
    def _dense(cls, deltas: Deltas, thresholds: Sequence[float], n_ref_NK: np.ndarray) -> Self:
        n_clips, n_classes = n_ref_NK.shape
        column_E, clip_E, point_E, change_E = deltas.entries().T
        class_E, slot_E = np.divmod(column_E, n_classes + 2)
        counts = np.zeros((2, len(thresholds), n_clips, n_classes), np.int32)
        for place, slot in enumerate((TP, FP)):
            at = slot_E == slot
            np.add.at(counts[place], (point_E[at], clip_E[at], class_E[at]), change_E[at])
        tp_TNK, fp_TNK = counts.cumsum(axis=1, dtype=np.int32)
        return cls(tuple(thresholds), tp_TNK, tp_TNK + fp_TNK, n_ref_NK)

    def rates(self, weights_BN: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return precision and recall (B, T, K) of weighted clips; NaN without detections, or without events."""
        tp_BTK, n_sys_BTK = (_weighted(each, weights_BN) for each in (self.tp_TNK, self.n_sys_TNK))
        n_ref_B1K = _weighted(self.n_ref_NK[None], weights_BN)
        return share(tp_BTK, n_sys_BTK), share(tp_BTK, np.broadcast_to(n_ref_B1K, tp_BTK.shape))


def _weighted(count_TNK: np.ndarray, weights_BN: np.ndarray) -> np.ndarray:
    """Return sums over weighted clips, float64 (B, T, K)."""
    return np.einsum(
        "bn,tnk->btk", weights_BN.astype(np.float64), count_TNK.astype(np.float64), optimize=True
    )


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole; NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
