"""A system's frame scores on a set, counted at every score that occurs: each kind of count once, when it is asked for."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from raysed.evaluation.counts.clip_counts import PsdsCriteria, arrays_of
from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.intersections import ROUNDED
from raysed.evaluation.counts.match_changes import match_deltas
from raysed.evaluation.counts.score_changes import FIRST, score_deltas
from raysed.evaluation.counts.scored_changes import ScoredChanges
from raysed.evaluation.counts.segment_changes import segment_deltas
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import median_filter

CLIPS_AT_ONCE = 64


class Part(NamedTuple):
    """Some clips of a set."""

    truth: Arrays
    scores: FrameScores
    durations_s: np.ndarray


Entries = tuple[np.ndarray, np.ndarray | None]
"""Changes (E, 4), and their scores (E,) unless these are those of their frames."""


class Intersections(NamedTuple):
    """Intersection counts as PSDS needs them."""

    criteria: PsdsCriteria
    rule: float = ROUNDED
    windows_s: tuple[float, ...] = (0.0,)
    """The lengths of the running medians whose results are counted side by side; 0 is none."""

    def of(self, reference: Reference, scores: FrameScores) -> ScoredChanges:
        """Count scores."""
        criteria = (*self.criteria.numbers(), self.rule)

        def count(part: Part) -> Entries:
            return score_deltas(part.truth, part.scores, part.durations_s, criteria), None

        truth = reference.events.positive()
        parts = [
            _in_parts(truth, reference, median_scores(scores, window_s), count)
            for window_s in self.windows_s
        ]
        variant_E = np.repeat(np.arange(len(parts)), [len(entry_E4) for entry_E4, _ in parts])
        return ScoredChanges.of(
            np.concatenate([entry_E4 for entry_E4, _ in parts]),
            np.concatenate([score_E for _, score_E in parts]),
            len(reference.classes),
            variant_E=variant_E,
            n_variants=len(parts),
        )


class EventMatches(NamedTuple):
    """Detections with a partner within the collars, as the event F1 needs them."""

    t_collar_s: float
    percentage_of_length: float

    def of(self, reference: Reference, scores: FrameScores) -> ScoredChanges:
        """Count scores."""

        def count(part: Part) -> Entries:
            return match_deltas(part.truth, part.scores, *self), None

        entry_E4, score_E = _in_parts(reference.events, reference, scores, count)
        return ScoredChanges.of(entry_E4, score_E, len(reference.classes))


class Segments(NamedTuple):
    """Segments with an event (slot 1) and without (slot 0), each at the highest score in it."""

    segment_s: float

    def of(self, reference: Reference, scores: FrameScores) -> ScoredChanges:
        """Count scores."""

        def count(part: Part) -> Entries:
            return segment_deltas(part.truth, part.scores, part.durations_s, self.segment_s)

        entry_E4, score_E = _in_parts(reference.events, reference, scores, count)
        return ScoredChanges.of(entry_E4, score_E, len(reference.classes))


Kind = Intersections | EventMatches | Segments


class Scored:
    """The counts of frame scores, or of two systems' clips one after the other."""

    def __init__(self, make: Callable[[Kind], ScoredChanges], n_clips: int, n_classes: int) -> None:
        self._make, self._n_clips, self._n_classes = make, n_clips, n_classes
        self._made: dict[Kind, ScoredChanges] = {}

    @classmethod
    def of(cls, reference: Reference, scores: FrameScores) -> "Scored":
        """Make the counts of scores whose clips and classes are those of the reference."""
        expected = (len(reference.filenames), len(reference.classes))
        if (scores.scores_NTK.shape[0], scores.scores_NTK.shape[2]) != expected:
            raise ValueError(
                f"scores {scores.scores_NTK.shape} are not of (clips, classes) {expected}"
            )
        return cls(lambda kind: kind.of(reference, scores), *expected)

    def changes(self, kind: Kind) -> ScoredChanges:
        """Return the changes of one kind of count."""
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def beside(self, other: "Scored") -> "Scored":
        """Return the counts of this system's clips, then of the other's."""
        n_clips, n_classes = self._n_clips, self._n_classes

        def both(kind: Kind) -> ScoredChanges:
            return self.changes(kind).beside(other.changes(kind), n_clips, n_classes)

        return Scored(both, n_clips + other._n_clips, n_classes)

    def some(self, kept_N: np.ndarray) -> "Scored":
        """Return the counts of the clips where `kept_N` (bool) is true."""

        def left(kind: Kind) -> ScoredChanges:
            return self.changes(kind).some(kept_N, self._n_classes)

        return Scored(left, int(kept_N.sum()), self._n_classes)


def median_scores(scores: FrameScores, window_s: float) -> FrameScores:
    """Return the running median over the odd number of frames that is nearest to `window_s` seconds."""
    length_NT = np.diff(scores.edges_NT1, axis=1)
    frame_s = float(np.median(length_NT[length_NT > 0])) if (length_NT > 0).any() else 1.0
    frames = 2 * round((window_s / frame_s - 1) / 2) + 1
    if frames <= 1:
        return scores
    return replace(scores, scores_NTK=median_filter(scores.scores_NTK, frames))


def _in_parts(
    events: Events,
    reference: Reference,
    scores: FrameScores,
    count: Callable[[Part], Entries],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes (E, 4) and their scores (E,), some clips at a time and on every core."""
    n_clips, width = len(reference.filenames), len(reference.classes) + 2
    start_N, *arrays = arrays_of(events, n_clips)
    durations_s = np.asarray(reference.durations_s, np.float64)

    def counted(first: int) -> tuple[np.ndarray, np.ndarray]:
        clips = slice(first, min(first + CLIPS_AT_ONCE, n_clips))
        own = slice(start_N[clips.start], start_N[clips.stop])
        truth = (start_N[clips.start : clips.stop + 1] - own.start, *(each[own] for each in arrays))
        some = FrameScores(scores.scores_NTK[clips], scores.edges_NT1[clips])
        entry_E4, score_E = count(Part(truth, some, durations_s[clips]))
        if score_E is None:
            frame_E, owner_E = entry_E4[:, 2] % FIRST, entry_E4[:, 0] // width
            score_E = some.scores_NTK[entry_E4[:, 1], frame_E, owner_E]
        entry_E4[:, 1] += clips.start
        return entry_E4, score_E

    firsts = range(0, n_clips, CLIPS_AT_ONCE)
    with ThreadPoolExecutor(threads_for(len(firsts))) as pool:
        entries, found = zip(*pool.map(counted, firsts), strict=True)
    return np.concatenate(entries), np.concatenate(found)


def threads_for(parts: int) -> int:
    """Return the number of threads that this many parts of work are worth.

    numba.get_num_threads() would start numba's own pool, and from then on numba refuses to compile in a process whose
    NUMBA_NUM_THREADS has been changed.
    """
    cores = len(os.sched_getaffinity(0))
    return max(1, min(int(os.environ.get("NUMBA_NUM_THREADS", cores)), parts))
