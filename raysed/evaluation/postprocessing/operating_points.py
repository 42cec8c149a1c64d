"""The threshold of each class for a wanted precision or recall, and what it keeps on clips that did not choose it.

Counted by intersections of at least a half (PAPER's criteria), as in the intersection-based F1: what a person who
uses a detector calls right. N clips, K classes, T thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from raysed.evaluation.counts.point_counts import PointCounts, share
from raysed.evaluation.counts.statistics import Parameters, Statistics
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.intervals.bootstrap import DRAWS, class_intervals, group_numbers
from raysed.evaluation.metrics.event_f1 import weighted
from raysed.evaluation.metrics.registry import Values
from raysed.evaluation.postprocessing.methods import FrameSource, MedianSettings, decoders
from raysed.evaluation.postprocessing.setting_search import (
    FOLDS,
    Choice,
    OwnSettings,
    SettingSearch,
    folds_for,
)

_TAIL = 0.025
"""Of a 95 % interval, on each side."""
CHOICE_OF_THRESHOLDS = tuple(point / 100 for point in range(1, 100))


class WantedRate(NamedTuple):
    """The precision or recall that a detector is to keep in each class."""

    rate: Literal["precision", "recall"]
    value: float

    def check(self) -> None:
        """Raise ValueError for a value that is no share."""
        if not 0 < self.value <= 1:
            raise ValueError(f"--{self.rate} {self.value:g}: expected a share above 0, up to 1")


class Rate(NamedTuple):
    """A precision or recall with its 95 % interval over clips, or groups of these; NaN where nothing is defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold of one class, and what it keeps."""

    label: str
    threshold: float
    """The choice of all clips that it was tuned on."""
    reached: bool
    """False where no threshold reaches what is wanted on these clips: then it is the nearest."""
    precision: Rate
    recall: Rate
    """`precision` and `recall` are of clips that did not choose the threshold."""

    def kept(self, wanted: WantedRate) -> str:
        """Return whether the interval is above what is wanted: yes, no or open."""
        found: Rate = getattr(self, wanted.rate)
        if found.low >= wanted.value:
            return "yes"
        return "no" if found.high < wanted.value else "open"


@dataclass(frozen=True)
class ThresholdSearch:
    """Scores of a set at every threshold, after the trial's own median."""

    search: SettingSearch
    counts: PointCounts

    @classmethod
    def of(cls, reference: Reference, scores: FrameSource, own: OwnSettings) -> "ThresholdSearch":
        """Return the search on a set's ground truth and scores."""
        settings = (MedianSettings(own.median_window),)
        search = SettingSearch(reference, scores, settings, CHOICE_OF_THRESHOLDS, own.threshold)
        (decode,) = decoders(scores, settings)
        return cls(search, PointCounts.of_events(reference, decode, CHOICE_OF_THRESHOLDS))

    def choose(self, wanted: WantedRate, kept_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the place of each class's threshold (K,), and whether it reaches what is wanted, on the kept clips.

        Of those that reach it the one with the most of the other rate; where none does, the one that comes nearest.
        A class without events there keeps the middle threshold.
        """
        precision_TK, recall_TK = (each[0] for each in self.counts.rates(kept_N[None]))
        first_TK, other_TK = precision_TK, recall_TK
        if wanted.rate == "recall":
            first_TK, other_TK = recall_TK, precision_TK
        first_TK, other_TK = np.nan_to_num(first_TK, nan=-1.0), np.nan_to_num(other_TK, nan=-1.0)
        reached_TK = first_TK >= wanted.value
        reached_K = reached_TK.any(axis=0)
        # Of equals the higher rate that is wanted, then the highest threshold.
        value_TK = np.where(reached_TK, 2 + other_TK + 1e-6 * first_TK, first_TK + 1e-6 * other_TK)
        place_K = len(value_TK) - 1 - value_TK[::-1].argmax(axis=0)
        without_K = ~self.counts.n_ref_NK[kept_N].any(axis=0)
        return np.where(without_K, len(value_TK) // 2, place_K), reached_K & ~without_K

    def on_other_clips(self, wanted: WantedRate) -> Statistics:
        """Return the counts of each fifth of the clips at the thresholds that the other four choose."""
        fold_N = folds_for(self.search.reference)
        places = [self.choose(wanted, fold_N != fold)[0] for fold in range(FOLDS)]
        return self.at(np.stack(places)[fold_N])

    def at(self, place: np.ndarray) -> Statistics:
        """Return the counts at thresholds (K,) or (N, K)."""
        return self.search.statistics(Choice(np.zeros_like(place), place), Parameters(psds=()))


def operating_points(
    tuned_on: ThresholdSearch | None,
    judged: ThresholdSearch,
    wanted: WantedRate,
    *,
    draws: int = DRAWS,
) -> list[OperatingPoint]:
    """Return the point of every class: chosen on another set and judged on this one, or cross-fitted on this one.

    Raises ValueError for a value that is no share, and for too few clips to cross-fit.
    """
    wanted.check()
    source = tuned_on or judged
    every_N = np.ones(len(source.search.reference.filenames), bool)
    place_K, reached_K = source.choose(wanted, every_N)
    counted = judged.at(place_K) if tuned_on else judged.on_other_clips(wanted)
    counts = counted.intersection
    precision_K = _rates(_precision, counted, counts.n_sys_NK, draws)
    recall_K = _rates(_recall, counted, counts.n_ref_NK, draws)
    return [
        OperatingPoint(label, CHOICE_OF_THRESHOLDS[place], bool(reached), precision, recall)
        for label, place, reached, precision, recall in zip(
            judged.search.reference.classes, place_K, reached_K, precision_K, recall_K, strict=True
        )
    ]


def _rates(rate: Values, counted: Statistics, whole_NK: np.ndarray, draws: int) -> Sequence[Rate]:
    """Return the rate of each class with its interval.

    Where all are right, or none, no draw of clips says otherwise; then the other end is Clopper and Pearson's (1934) of
    as many trials as there are clips (or groups of these) with anything to count.
    """
    group_N = group_numbers(counted)
    found_K5 = class_intervals(rate, counted, draws=draws)
    rates = []
    for (value, low, high, *_), whole_N in zip(found_K5.tolist(), whole_NK.T, strict=True):
        end = _TAIL ** (1 / max(len(np.unique(group_N[whole_N > 0])), 1))
        if value == 1.0:
            low = min(low, end)
        elif value == 0.0:
            high = max(high, 1 - end)
        rates.append(Rate(value, low, high))
    return rates


def _precision(statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
    counts = statistics.intersection
    return share(weighted(counts.tp_NK, weights_BN), weighted(counts.n_sys_NK, weights_BN))


def _recall(statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
    counts = statistics.intersection
    return share(weighted(counts.tp_NK, weights_BN), weighted(counts.n_ref_NK, weights_BN))
