"""Counts of frame scores that stay in their files, class by class, for PSDS over all thresholds.

The set's own value takes every score. What is drawn from the set takes LEVELS scores of each class, to which the others are
rounded down: of 17,000 clips and 407 classes all scores would be 80 million changes of counts, and are 8 million so.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from raysed.evaluation.counts.cell_changes import cell_deltas
from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.event_arrays import check_arrays
from raysed.evaluation.counts.kept_cells import Cells, KeptCells, keep_cells
from raysed.evaluation.counts.score_changes import FIRST
from raysed.evaluation.counts.scored_changes import ScoredChanges
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.score_files import ScoreFiles
from raysed.evaluation.detections.score_parts import threads_for

LEVELS = 200
_T = TypeVar("_T")


class LargeScores:
    """The counts of one system's score files: they are read once for all criteria."""

    def __init__(self, reference: Reference, scores: ScoreFiles) -> None:
        self._scores, self._reference = scores, reference
        self._truth = arrays_of(reference.events.positive(), scores.n_clips)
        self._durations_s = np.asarray(reference.durations_s, np.float64)
        check_arrays(
            "reference events", self._truth, scores.n_clips, scores.n_classes, positive=True
        )
        self._kept: dict[tuple, KeptCells] = {}

    def changes(self, kind: Any) -> ScoredChanges:
        """Return the changes of an intersection kind, at rounded scores."""
        kept, n_variants = self._cells(kind), len(kind.windows_s)

        def count(label: int) -> list[tuple[np.ndarray, np.ndarray]]:
            present_N = self._present(label)
            cells = (kept.of(variant, label) for variant in range(n_variants))
            return [self._count(rounded(each, present_N), label, kept, kind) for each in cells]

        found = self._by_class(count, "counting at rounded scores")
        entries = [each for by_variant in found for each in by_variant]
        variant_I = np.tile(np.arange(n_variants), len(found))
        return ScoredChanges.of(
            np.concatenate([entry_E4 for entry_E4, _ in entries]),
            np.concatenate([score_E for _, score_E in entries]),
            self._scores.n_classes,
            variant_E=np.repeat(variant_I, [len(score_E) for _, score_E in entries]),
            n_variants=n_variants,
            floor_G=kept.floor_VK.T.ravel(),
        )

    def of_classes(
        self, kind: Any, work: Callable[[int, list[tuple[np.ndarray, np.ndarray]]], _T]
    ) -> list[_T]:
        """Return what the work makes of each class's changes (E, 4) and their scores (E,), for each running median."""
        kept = self._cells(kind)

        def one(label: int) -> _T:
            cells = (kept.of(variant, label) for variant in range(len(kind.windows_s)))
            return work(label, [self._count(each, label, kept, kind) for each in cells])

        return self._by_class(one, "counting at every score")

    def _cells(self, kind: Any) -> KeptCells:
        key = (kind.windows_s, kind.per_hour)
        if key not in self._kept:
            frame_s = self._scores.frame_s
            frames_V = [odd_frames(frame_s, window_s) for window_s in kind.windows_s]
            self._kept.clear()  # one set of cells is a gigabyte
            self._kept[key] = keep_cells(self._reference, self._scores, frames_V, kind.per_hour)
        return self._kept[key]

    def _count(
        self, cells: Cells, label: int, kept: KeptCells, kind: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        rules = ((*kind.criteria.numbers(), kind.rule), cells.floor, self._scores.n_classes)
        about = (cells.clip_C, cells.score_CT, kept.edges_NT1)
        entry_E4 = cell_deltas(self._truth, about, label, self._durations_s, rules)
        cell_E = np.searchsorted(cells.clip_C, entry_E4[:, 1])
        return entry_E4, cells.score_CT[cell_E, entry_E4[:, 2] % FIRST]

    def _present(self, label: int) -> np.ndarray:
        _, label_E, *_ = self._truth
        clip_E = np.repeat(np.arange(self._scores.n_clips), np.diff(self._truth[0]))
        present_N = np.zeros(self._scores.n_clips, bool)
        present_N[clip_E[label_E == label]] = True
        return present_N

    def _by_class(self, work: Callable[[int], _T], what: str) -> list[_T]:
        labels = range(self._scores.n_classes)
        self._scores.pulse.now(what)
        with ThreadPoolExecutor(threads_for(len(labels))) as pool:
            return list(pool.map(work, labels))


def rounded(cells: Cells, present_N: np.ndarray) -> Cells:
    """Return the cells with their scores rounded down to LEVELS of them, half of these among the highest scores of clips
    without events of the class, where false alarms begin, and half among the scores of clips with events.
    """
    with_C = present_N[cells.clip_C]
    highest_C = cells.score_CT[~with_C].max(axis=1, initial=-np.inf)
    among = (highest_C, cells.score_CT[with_C].ravel())
    low = cells.floor if cells.floor > -np.inf else cells.score_CT.min(initial=np.inf)
    levels = [np.array([low])]
    for score_X in among:
        kept_X = np.sort(score_X[(score_X >= cells.floor) & (score_X > -np.inf)])
        if kept_X.size:
            levels.append(kept_X[np.linspace(0, kept_X.size - 1, LEVELS // 2).astype(np.int64)])
    level_Q = np.unique(np.concatenate(levels))
    place_CT = np.searchsorted(level_Q, cells.score_CT, side="right") - 1
    return cells._replace(score_CT=np.where(place_CT >= 0, level_Q[place_CT], -np.inf))


def odd_frames(frame_s: float, window_s: float) -> int:
    """Return the odd number of frames that is nearest to a length."""
    return 2 * round((window_s / frame_s - 1) / 2) + 1
