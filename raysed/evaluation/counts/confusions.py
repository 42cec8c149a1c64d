"""The classes that are taken for others: false alarms of one class that lie in events of another, as every trial stores them.

A cross-trigger (Bilen et al. 2020, section 3.2) is a false alarm of a class of which at least 30 % lies in events of another.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.intersections import FP, TP
from raysed.evaluation.counts.statistics import Statistics


@dataclass(frozen=True)
class Confusions:
    """Sums over the clips of a set, at one operating point."""

    threshold: float
    """The stored operating point that is nearest to the threshold of the detections."""
    events_K: np.ndarray
    """Annotated events, as int like all counts."""
    found_K: np.ndarray
    """Events of which at least half is found."""
    false_K: np.ndarray
    """False alarms: detections of which less than half lies in events of their class."""
    taken_KK: np.ndarray
    """[j, k]: the false alarms of class k that lie in events of class j; one that lies in events of two classes counts for
    both."""

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """Count them. Statistics need operating points with the paper's criteria."""
        thresholds = np.asarray(statistics.thresholds)
        point = int(np.abs(thresholds - statistics.parameters.threshold).argmin())
        n_classes = len(statistics.classes)
        column_E, _, point_E, change_E = statistics.psds[PAPER].entries().T
        counted_KS = np.zeros((n_classes, n_classes + 2), np.int64)
        at_E = point_E <= point
        # A view: a column is class * (K + 2) + slot.
        np.add.at(counted_KS.reshape(-1), column_E[at_E], change_E[at_E])
        return cls(
            threshold=float(thresholds[point]),
            events_K=statistics.n_gt_NK.sum(axis=0),
            found_K=counted_KS[:, TP],
            false_K=counted_KS[:, FP],
            taken_KK=counted_KS[:, 2:].T,
        )
