"""A system's frame scores on a set, counted at every score that occurs: each kind of count once, when it is asked for.

Scores that stay in their files are counted a few clips at a time, for PSDS class by class (`LargeScores`).
"""

import os
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from raysed.evaluation.counts.clip_counts import PsdsCriteria, arrays_of
from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.intersections import ROUNDED
from raysed.evaluation.counts.kept_cells import filtered
from raysed.evaluation.counts.large_scores import LargeScores, odd_frames
from raysed.evaluation.counts.match_changes import match_deltas
from raysed.evaluation.counts.score_changes import FIRST, score_deltas
from raysed.evaluation.counts.scored_changes import ScoredChanges
from raysed.evaluation.counts.segment_changes import segment_deltas
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.score_files import AnyScores, ScoreFiles
from raysed.evaluation.detections.score_parts import over_parts

ENTRY_BYTES = 100
"""Memory for each change of a count while all are put into order."""
_T = TypeVar("_T")


class Part(NamedTuple):
    """Some clips of a set."""

    first: int
    """The place of the first one in the set."""
    truth: Arrays
    scores: FrameScores
    durations_s: np.ndarray


Entries = tuple[np.ndarray, np.ndarray]
"""Changes (E, 4), and their scores (E,)."""


class Intersections(NamedTuple):
    """Intersection counts as PSDS needs them."""

    criteria: PsdsCriteria
    rule: float = ROUNDED
    windows_s: tuple[float, ...] = (0.0,)
    """The lengths of the running medians whose results are counted side by side; 0 is none."""
    per_hour: float = np.inf
    """Of scores that stay in their files, those that have more false alarms an hour, as all lower ones have, need not be
    counted."""

    def of(self, reference: Reference, scores: AnyScores) -> ScoredChanges:
        """Count scores."""
        frames_V = [odd_frames(scores.frame_s, window_s) for window_s in self.windows_s]
        criteria = (*self.criteria.numbers(), self.rule)

        def count(part: Part) -> list[Entries]:
            some_V = [filtered(part.scores, frames) for frames in frames_V]
            return [
                _with_scores(score_deltas(part.truth, some, part.durations_s, criteria), some)
                for some in some_V
            ]

        found = _in_parts(reference.events.positive(), reference, scores, count)
        return ScoredChanges.of(
            np.concatenate([entry_E4 for entry_E4, _ in found]),
            np.concatenate([score_E for _, score_E in found]),
            len(reference.classes),
            variant_E=np.repeat(np.arange(len(found)), [len(score_E) for _, score_E in found]),
            n_variants=len(found),
        )


class EventMatches(NamedTuple):
    """Detections with a partner within the collars, as the event F1 needs them."""

    t_collar_s: float
    percentage_of_length: float

    def of(self, reference: Reference, scores: AnyScores) -> ScoredChanges:
        """Count scores."""

        def count(part: Part) -> list[Entries]:
            return [_with_scores(match_deltas(part.truth, part.scores, *self), part.scores)]

        ((entry_E4, score_E),) = _in_parts(reference.events, reference, scores, count)
        return ScoredChanges.of(entry_E4, score_E, len(reference.classes))


class Segments(NamedTuple):
    """Segments with an event (slot 1) and without (slot 0), each at the highest score in it."""

    segment_s: float

    def of(self, reference: Reference, scores: AnyScores) -> ScoredChanges:
        """Count scores."""

        def count(part: Part) -> list[Entries]:
            return [segment_deltas(part.truth, part.scores, part.durations_s, self.segment_s)]

        ((entry_E4, score_E),) = _in_parts(reference.events, reference, scores, count)
        return ScoredChanges.of(entry_E4, score_E, len(reference.classes))


Kind = Intersections | EventMatches | Segments


class Scored:
    """The counts of frame scores, or of two systems' clips one after the other."""

    def __init__(
        self,
        make: Callable[[Kind], ScoredChanges],
        n_clips: int,
        n_classes: int,
        large: LargeScores | None = None,
    ) -> None:
        self._make, self._n_clips, self._n_classes = make, n_clips, n_classes
        self._made: dict[Kind, ScoredChanges] = {}
        self.large = large
        """The counts of score files, where these are too large for memory."""
        self.known: dict[Hashable, Any] = {}
        """The results for all clips that are needed again and again."""

    @classmethod
    def of(
        cls, reference: Reference, scores: AnyScores, large: LargeScores | None = None
    ) -> "Scored":
        """Make the counts of scores whose clips and classes are those of the reference; `large` are those of score files, where
        something of them is known already.
        """
        expected = (len(reference.filenames), len(reference.classes))
        if (scores.n_clips, scores.n_classes) != expected:
            shape = (scores.n_clips, scores.n_classes)
            raise ValueError(f"scores of (clips, classes) {shape} are not of {expected}")
        if isinstance(scores, ScoreFiles):
            large = large or LargeScores(reference, scores)

        def make(kind: Kind) -> ScoredChanges:
            if large is not None and isinstance(kind, Intersections) and kind.per_hour < np.inf:
                return large.changes(kind)
            return kind.of(reference, scores)

        return cls(make, *expected, large)

    def changes(self, kind: Kind) -> ScoredChanges:
        """Return the changes of one kind of count."""
        if kind not in self._made:
            if self.large is not None:
                self._made.clear()  # one kind is half a gigabyte
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def of_classes(self, kind: Kind, work: Callable[[int, list[Entries]], _T]) -> list[_T]:
        """Return what the work makes of the changes of each class at every score, of score files too large for memory."""
        assert self.large is not None
        self._made.clear()  # one kind is half a gigabyte
        return self.large.of_classes(kind, work)

    def beside(self, other: "Scored") -> "Scored":
        """Return the counts of this system's clips, then of the other's."""
        n_clips, n_classes = self._n_clips, self._n_classes

        def both(kind: Kind) -> ScoredChanges:
            lower = kind
            if isinstance(kind, Intersections):  # where either has enough, a mixture has half of it
                lower = kind._replace(per_hour=2 * kind.per_hour)
            return self.changes(lower).beside(other.changes(lower), n_clips, n_classes)

        return Scored(both, n_clips + other._n_clips, n_classes)

    def some(self, kept_N: np.ndarray) -> "Scored":
        """Return the counts of the clips where `kept_N` (bool) is true."""

        def left(kind: Kind) -> ScoredChanges:
            return self.changes(kind).some(kept_N)

        return Scored(left, int(kept_N.sum()), self._n_classes)


def median_scores(scores: FrameScores, window_s: float) -> FrameScores:
    """Return the running median over the odd number of frames that is nearest to `window_s` seconds."""
    return filtered(scores, odd_frames(scores.frame_s, window_s))


def _with_scores(entry_E4: np.ndarray, scores: FrameScores) -> Entries:
    """Return changes with the scores of their frames."""
    frame_E, owner_E = entry_E4[:, 2] % FIRST, entry_E4[:, 0] // (scores.n_classes + 2)
    return entry_E4, scores.scores_NTK[entry_E4[:, 1], frame_E, owner_E]


def _in_parts(
    events: Events,
    reference: Reference,
    scores: AnyScores,
    count: Callable[[Part], list[Entries]],
) -> list[Entries]:
    """Return the changes (E, 4) and their scores (E,) of each thing that is counted."""

    def of_set(part: Part) -> list[Entries]:
        found = count(part)
        if isinstance(scores, ScoreFiles):
            n_entries = sum(len(score_E) for _, score_E in found)
            _refuse_too_many(n_entries / part.scores.n_clips * scores.n_clips)
        for entry_E4, _ in found:
            entry_E4[:, 1] += part.first
        return found

    columns = zip(*_each_part(events, reference, scores, of_set, "counts"), strict=True)
    split = (zip(*column, strict=True) for column in columns)
    return [(np.concatenate(entries), np.concatenate(levels)) for entries, levels in split]


def _refuse_too_many(n_entries: float) -> None:
    """Raise ValueError where so many changes need more memory than there is."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = n_entries * ENTRY_BYTES
    if needed > memory:
        raise ValueError(
            f"counts at every score of these score files would take about {needed / 1e9:.0f} GB of memory, and this "
            f"machine has {memory / 1e9:.0f}: score some of the classes at a time (--classes), whose values do not depend "
            "on each other, or name metrics of operating points or PSDS over all thresholds, which take less"
        )


def _each_part(
    events: Events,
    reference: Reference,
    scores: AnyScores,
    count: Callable[[Part], _T],
    what: str,
) -> list[_T]:
    """Return what is counted in each part of the clips."""
    start_N, *arrays = arrays_of(events, len(reference.filenames))
    durations_s = np.asarray(reference.durations_s, np.float64)

    def counted(clips: slice, some: FrameScores) -> _T:
        own = slice(start_N[clips.start], start_N[clips.stop])
        truth = (start_N[clips.start : clips.stop + 1] - own.start, *(each[own] for each in arrays))
        return count(Part(clips.start, truth, some, durations_s[clips]))

    return over_parts(scores, counted, what)
