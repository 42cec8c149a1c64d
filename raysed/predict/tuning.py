"""Thresholds and median windows for each class, chosen after training by event-based F1.

Nothing is trained. Since a class's event-based F1 depends on its own events only, each class is tuned
alone, on per-clip counts of every pair of a threshold and a window. 110 clips and ten classes, 25
thresholds and 8 windows take some seconds. N clips, K classes, P pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from raysed.config.trial import PostProcessing
from raysed.evaluation.counts.clip_counts import Counts, event_counts
from raysed.evaluation.counts.statistics import PUBLISHED, Parameters, Statistics, collect
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.intervals.significance import Difference, paired_difference
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.training.scores import Scores, found_events

TUNED_THRESHOLDS = tuple(point / 100 for point in range(4, 100, 4))
WINDOWS = (1, 3, 5, 7, 11, 15, 21, 31)
FOLDS = 5

ThresholdWindow = tuple[float, int]
"""Threshold and median window."""


@dataclass(frozen=True)
class PairCounts:
    """Event counts of every pair on one set; `pairs[0]` is the trial's own."""

    reference: Reference
    pairs: tuple[ThresholdWindow, ...]
    tp_PNK: np.ndarray
    n_sys_PNK: np.ndarray
    n_ref_NK: np.ndarray

    def choose(self, rows: np.ndarray) -> np.ndarray:
        """Return int (K,): the pair with the best F1 on these clips for each class.

        Of equals the one nearest to the trial's own wins; a class without reference events keeps the trial's
        own.
        """
        tp_PK = self.tp_PNK[:, rows].sum(axis=1, dtype=np.int64)
        n_sys_PK = self.n_sys_PNK[:, rows].sum(axis=1, dtype=np.int64)
        n_ref_K = self.n_ref_NK[rows].sum(axis=0, dtype=np.int64)
        f1_PK = 2 * tp_PK / np.maximum(n_sys_PK + n_ref_K, 1)
        return np.where(n_ref_K > 0, np.argmax(f1_PK, axis=0), 0)

    def statistics(self, chosen_NK: np.ndarray) -> Statistics:
        """Return the counts of a system that decodes clip n, class k with pair `chosen_NK[n, k]`."""
        index = chosen_NK[None]
        counts = Counts(
            np.take_along_axis(self.tp_PNK, index, axis=0)[0].astype(np.int32),
            np.take_along_axis(self.n_sys_PNK, index, axis=0)[0].astype(np.int32),
            self.n_ref_NK,
        )
        no_events = self.reference.events.take(np.zeros(len(self.reference.events), bool))
        empty = collect(self.reference, no_events, parameters=Parameters(psds=()))
        return replace(empty, event=counts)


@dataclass(frozen=True)
class Gain:
    """A way of tuning on the evaluation set: its macro-F1 and its gain over the trial's own post-processing."""

    name: str
    f1: float
    per_class_K: np.ndarray
    gain: Difference | None
    """The gain; None for the trial's own. A fit to the same clips has no honest interval either."""


def count_pairs(
    scores: Scores,
    reference: Reference,
    own: PostProcessing,
    *,
    thresholds: Sequence[float] = TUNED_THRESHOLDS,
    windows: Sequence[int] = WINDOWS,
) -> PairCounts:
    """Decode and match with every pair, the trial's own first and the others by their distance to it."""
    order = sorted(
        {(t, w) for t in thresholds for w in windows} | {(own.threshold, own.median_window)},
        key=lambda pair: (abs(pair[0] - own.threshold), abs(pair[1] - own.median_window)),
    )
    found: dict[ThresholdWindow, Counts] = {}
    for window in sorted({window for _, window in order}):
        thresholds = [threshold for threshold, other in order if other == window]
        points = found_events(scores, thresholds, window)
        for threshold, events in points.items():
            found[threshold, window] = event_counts(
                reference, events, PUBLISHED.t_collar_s, PUBLISHED.percentage_of_length
            )
    return PairCounts(
        reference,
        tuple(order),
        np.stack([found[pair].tp_NK for pair in order]).astype(np.int16),
        np.stack([found[pair].n_sys_NK for pair in order]).astype(np.int16),
        found[order[0]].n_ref_NK,
    )


def cross_fitted(counts: PairCounts, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """Return int (N, K): each clip's pairs, chosen on the clips of the other folds."""
    n_clips, n_classes = counts.n_ref_NK.shape
    if n_clips < folds:
        raise ValueError(f"{n_clips} clips cannot be split into {folds} folds")
    fold_N = np.random.default_rng(seed).permutation(n_clips) % folds
    chosen_NK = np.empty((n_clips, n_classes), np.int64)
    for fold in range(folds):
        chosen_NK[fold_N == fold] = counts.choose(np.flatnonzero(fold_N != fold))
    return chosen_NK


def compare(counts: PairCounts, xvalid_K: np.ndarray, *, draws: int = 10_000) -> list[Gain]:
    """Compare four settings: the trial's own, tuned on x-valid, cross-fitted, and fitted to these same clips
    (optimistic).
    """
    n_clips = len(counts.reference.filenames)
    systems = {
        "the trial's own": np.zeros((n_clips, len(xvalid_K)), np.int64),
        "tuned on x-valid": np.tile(xvalid_K, (n_clips, 1)),
        "cross-fitted": cross_fitted(counts),
        "fitted to these clips": np.tile(counts.choose(np.arange(n_clips)), (n_clips, 1)),
    }
    counted = {name: counts.statistics(chosen_NK) for name, chosen_NK in systems.items()}
    own = counted["the trial's own"]
    gains = []
    for name, statistics in counted.items():
        f1_B, per_class_BK = event_f1(statistics)
        honest = name in ("tuned on x-valid", "cross-fitted")
        gain = (
            paired_difference(_macro, statistics, own, draws=draws, permutations=draws)
            if honest
            else None
        )
        gains.append(Gain(name, float(f1_B[0]), per_class_BK[0], gain))
    return gains


def _macro(statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
    return event_f1(statistics, weights_BN)[0]
