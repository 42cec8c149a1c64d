"""Counts of frame scores that stay in their files, class by class, for PSDS over all thresholds.

The set's own value takes every score. What is drawn from the set takes LEVELS scores of each class, to which the others are
rounded down: of 17,000 clips and 407 classes all scores would be 80 million changes of counts, and are 8 million so.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from raysed.evaluation.counts.cell_changes import cell_deltas, merged_deltas
from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.event_arrays import check_arrays
from raysed.evaluation.counts.kept_cells import Cells, Keeping, KeptCells
from raysed.evaluation.counts.score_changes import FIRST
from raysed.evaluation.counts.scored_changes import ScoredChanges
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.score_files import ScoreFiles
from raysed.evaluation.detections.score_parts import threads_for

LEVELS = 200
_T = TypeVar("_T")


class LargeScores:
    """The counts of one system's score files: they are read once for all criteria, and each class is counted once for
    both its curve at every score and its changes at rounded scores.
    """

    def __init__(self, reference: Reference, scores: ScoreFiles) -> None:
        self._scores, self._reference = scores, reference
        self._truth = arrays_of(reference.events.positive(), scores.n_clips)
        self._clip_E = np.repeat(np.arange(scores.n_clips), np.diff(self._truth[0]))
        self._durations_s = np.asarray(reference.durations_s, np.float64)
        check_arrays(
            "reference events", self._truth, scores.n_clips, scores.n_classes, positive=True
        )
        self._keeping: dict[tuple, Keeping] = {}
        self._kept: dict[tuple, KeptCells] = {}
        self._rounded: dict[Any, ScoredChanges] = {}

    def ahead(
        self, windows_s: tuple[float, ...], per_hour: float
    ) -> Callable[[slice, FrameScores], None]:
        """Return what is to see every part of the files while they are read for other reasons: kinds with these running
        medians and false alarms an hour then need no reading of their own.
        """
        keeping = self._keeping[windows_s, per_hour] = self._new(windows_s, per_hour)
        return keeping.look

    def changes(self, kind: Any) -> ScoredChanges:
        """Return the changes of an intersection kind, at rounded scores."""
        if kind not in self._rounded:
            self.of_classes(kind, lambda label, by_variant: None)
        return self._rounded.pop(kind)

    def of_classes(
        self, kind: Any, work: Callable[[int, list[tuple[np.ndarray, np.ndarray]]], _T]
    ) -> list[_T]:
        """Return what the work makes of each class's changes (E, 4) and their scores (E,), for each running median. The
        changes at rounded scores are made by the way.
        """
        self._rounded.clear()  # one kind is half a gigabyte
        kept, n_variants = self._cells(kind), len(kind.windows_s)

        def one(label: int) -> tuple[_T, ScoredChanges]:
            cells_V = [kept.of(variant, label) for variant in range(n_variants)]
            found_V = [self._count(cells, label, kept, kind) for cells in cells_V]
            present_N = self._present(label)
            rounded_V = [
                at_levels(*found, levels(cells, present_N), self._scores.n_classes)
                for found, cells in zip(found_V, cells_V, strict=True)
            ]
            return work(label, found_V), self._in_order(rounded_V)

        found = self._by_class(one)
        results, parts = [result for result, _ in found], [part for _, part in found]
        found.clear()
        self._rounded[kind] = ScoredChanges.joined(parts, kept.floor_VK.T.ravel())
        return results

    def _in_order(self, by_variant: list[tuple[np.ndarray, np.ndarray]]) -> ScoredChanges:
        sizes_V = [len(score_E) for _, score_E in by_variant]
        return ScoredChanges.of(
            np.concatenate([entry_E4 for entry_E4, _ in by_variant]),
            np.concatenate([score_E for _, score_E in by_variant]),
            self._scores.n_classes,
            variant_E=np.repeat(np.arange(len(by_variant)), sizes_V),
            n_variants=len(by_variant),
        )

    def _new(self, windows_s: tuple[float, ...], per_hour: float) -> Keeping:
        frames_V = [odd_frames(self._scores.frame_s, window_s) for window_s in windows_s]
        return Keeping(self._reference, self._scores, frames_V, per_hour)

    def _cells(self, kind: Any) -> KeptCells:
        key = (kind.windows_s, kind.per_hour)
        if key not in self._kept:
            self._kept.clear()  # one set of cells is half a gigabyte
            self._kept[key] = (self._keeping.pop(key, None) or self._new(*key)).cells()
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
        present_N = np.zeros(self._scores.n_clips, bool)
        present_N[self._clip_E[self._truth[1] == label]] = True
        return present_N

    def _by_class(self, work: Callable[[int], _T]) -> list[_T]:
        labels = range(self._scores.n_classes)
        before = self._scores.pulse.now("counting at every score")
        with ThreadPoolExecutor(threads_for(len(labels))) as pool:
            found = list(pool.map(work, labels))
        self._scores.pulse.now(before)
        return found


def levels(cells: Cells, present_N: np.ndarray) -> np.ndarray:
    """Return LEVELS of the scores of one class, ascending, to which the others are rounded down: half of these among the
    highest scores of clips without events of the class, where false alarms begin, and half among the scores of clips with
    events.
    """
    with_C = present_N[cells.clip_C]
    highest_C = cells.score_CT[~with_C].max(axis=1, initial=-np.inf)
    among = (highest_C, cells.score_CT[with_C].ravel())
    low = cells.floor if cells.floor > -np.inf else cells.score_CT.min(initial=np.inf)
    found = [np.array([low])]
    for score_X in among:
        kept_X = np.sort(score_X[(score_X >= cells.floor) & (score_X > -np.inf)])
        if kept_X.size:
            found.append(kept_X[np.linspace(0, kept_X.size - 1, LEVELS // 2).astype(np.int64)])
    return np.unique(np.concatenate(found))


def at_levels(
    entry_E4: np.ndarray, score_E: np.ndarray, level_Q: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes of one class's counts, and their scores, where scores are rounded down to levels; entries come clip
    by clip, by falling score.
    """
    place_E = np.searchsorted(level_Q, score_E, side="right") - 1
    found_E4, place_E = merged_deltas(entry_E4, place_E, n_classes)
    return found_E4, level_Q[place_E] if place_E.size else score_E[:0]


def odd_frames(frame_s: float, window_s: float) -> int:
    """Return the odd number of frames that is nearest to a length."""
    return 2 * round((window_s / frame_s - 1) / 2) + 1
