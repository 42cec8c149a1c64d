"""The part of frame scores that is kept where they stay in their files: for each class, the clips that matter to a PSDS.

These are the clips with events of the class, and those whose scores reach its floor: at lower thresholds there are more
false alarms than the area has room for. Of 17,000 clips and 407 classes that is about a tenth.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.score_floors import count_rises, floors, levels_of
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import NO_SCORE, FrameScores
from raysed.evaluation.detections.postprocess import median_filter
from raysed.evaluation.detections.score_files import ScoreFiles
from raysed.evaluation.detections.score_parts import over_parts

_HOUR_S = 3600.0
_FEW = 1024
"""Clips whose scores tell about where the floors are."""
MARGIN = 1.5
"""The floors that the few clips suggest are those of so many times the false alarms."""


class Cells(NamedTuple):
    """The scores of one class and running median in the clips that are kept."""

    clip_C: np.ndarray
    score_CT: np.ndarray
    floor: float


class Packed(NamedTuple):
    """The cells of a part of the clips, class by class: which frames reach the floor (a bit each), and their scores."""

    start_K1: np.ndarray
    clip_C: np.ndarray
    n_frames: int
    bits_CT: np.ndarray
    start_C1: np.ndarray
    score_X: np.ndarray

    @classmethod
    def of(
        cls, label_C: np.ndarray, clip_C: np.ndarray, scores: FrameScores, floor_K: np.ndarray
    ) -> "Packed":
        """Pack the scores of clips and classes, in order of these."""
        score_CT = scores.scores_NTK[clip_C, :, label_C]
        kept_CT = score_CT >= floor_K[label_C][:, None]
        return cls(
            np.searchsorted(label_C, np.arange(len(floor_K) + 1)),
            clip_C,
            score_CT.shape[1],
            np.packbits(kept_CT, axis=1),
            np.append(0, np.cumsum(kept_CT.sum(axis=1))),
            score_CT[kept_CT],
        )

    def scores(self, own: slice) -> np.ndarray:
        """Return the scores (C, T) of some of the cells, NO_SCORE below the floor."""
        kept_CT = np.unpackbits(self.bits_CT[own], axis=1, count=self.n_frames).astype(bool)
        score_CT = np.full(kept_CT.shape, NO_SCORE)
        score_CT[kept_CT] = self.score_X[self.start_C1[own.start] : self.start_C1[own.stop]]
        return score_CT


class KeptCells:
    """The cells of every class and running median, and the edges of all frames."""

    def __init__(self, parts: list[tuple], floor_VK: np.ndarray, n_clips: int) -> None:
        self._parts, self._floor_VK = parts, floor_VK
        self._n_frames = max((edges.shape[1] - 1 for _, edges, _ in parts), default=0)
        self.edges_NT1 = np.empty((n_clips, self._n_frames + 1))
        for first, edges_NT1, _ in parts:
            rows = slice(first, first + len(edges_NT1))
            self.edges_NT1[rows] = edges_NT1[:, -1:]
            self.edges_NT1[rows, : edges_NT1.shape[1]] = edges_NT1

    @property
    def floor_VK(self) -> np.ndarray:
        """The floors of each running median and class."""
        return self._floor_VK

    def of(self, variant: int, label: int) -> Cells:
        """Return the cells of one class and running median."""
        clips, scores = [], []
        for first, _, by_variant in self._parts:
            packed = by_variant[variant]
            own = slice(packed.start_K1[label], packed.start_K1[label + 1])
            clips.append(first + packed.clip_C[own])
            padded_CT = np.full((len(clips[-1]), self._n_frames), NO_SCORE)
            padded_CT[:, : packed.n_frames] = packed.scores(own)
            scores.append(padded_CT)
        clip_C = np.concatenate(clips).astype(np.int64)
        return Cells(clip_C, np.concatenate(scores), float(self._floor_VK[variant, label]))


class Keeping:
    """The reading of all files for what matters where no rate above `per_hour` false alarms an hour does.

    Floors that a few clips suggest are used, while all are counted. Whoever reads the files for reasons of his own may show
    their parts to it, and no second reading is needed.
    """

    def __init__(
        self, reference: Reference, scores: ScoreFiles, frames_V: Sequence[int], per_hour: float
    ) -> None:
        self._reference, self._scores, self._frames_V = reference, scores, frames_V
        self._need = per_hour * float(np.nansum(reference.durations_s)) / _HOUR_S
        self._present_NK = reference.events.presence(scores.n_clips, scores.n_classes)
        self._lock = threading.Lock()
        self._level_V, self._floor_VK = self._suggested()
        self._begin()

    def _suggested(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the levels between which rises are counted, and floors, by a few clips."""
        n_clips = self._scores.n_clips
        some = slice(None, None, -(-n_clips // _FEW))
        few, (truth, durations_s) = self._scores.part(some), _truth_of(self._reference, some)
        share = few.n_clips / n_clips
        level_V, floor_V = [], []
        for frames in self._frames_V:
            own = filtered(few, frames)
            level_V.append(levels_of(own, self._need, n_clips))
            risen_3KQ = count_rises(truth, own, durations_s, level_V[-1]) / share
            floor_V.append(floors(risen_3KQ, level_V[-1], MARGIN * self._need))
        return level_V, np.stack(floor_V)

    def _begin(self) -> None:
        self._parts: list[tuple] = []
        self._risen_V = [
            np.zeros((3, len(level), level.shape[1] + 1), np.int64) for level in self._level_V
        ]

    def look(self, clips: slice, part: FrameScores) -> None:
        """Keep what matters of a part of the clips."""
        truth, durations_s = _truth_of(self._reference, clips)
        found = []
        for v, frames in enumerate(self._frames_V):
            some, floor_K = filtered(part, frames), self._floor_VK[v]
            risen_3KQ = count_rises(truth, some, durations_s, self._level_V[v])
            with self._lock:
                self._risen_V[v] += risen_3KQ
            reached_NK = some.scores_NTK.max(axis=1) >= floor_K
            label_C, clip_C = np.nonzero((reached_NK | self._present_NK[clips]).T)
            found.append(Packed.of(label_C, clip_C, some, floor_K))
        with self._lock:
            self._parts.append((clips.start, part.edges_NT1, found))

    def cells(self) -> KeptCells:
        """Return the cells. Files that no one has shown are read, and all once more where clips have fewer false alarms below
        a floor than the few suggested.
        """
        while True:
            if not self._parts:
                over_parts(self._scores, self.look, "scores that matter")
            pairs = zip(self._risen_V, self._level_V, strict=True)
            highest_VK = np.stack([floors(*pair, self._need) for pair in pairs])
            if (self._floor_VK <= highest_VK).all():
                parts = sorted(self._parts, key=lambda part: part[0])
                return KeptCells(parts, highest_VK, self._scores.n_clips)
            self._floor_VK = np.minimum(self._floor_VK, highest_VK)
            self._begin()


def _truth_of(reference: Reference, clips: slice) -> tuple[Arrays, np.ndarray]:
    """Return the events and durations of some clips, as the kernels take them."""
    kept_N = np.zeros(len(reference.filenames), bool)
    kept_N[clips] = True
    events = reference.events.positive().of_clips(kept_N)
    durations_s = np.asarray(reference.durations_s, np.float64)[kept_N]
    return arrays_of(events, int(kept_N.sum())), durations_s


def filtered(scores: FrameScores, frames: int) -> FrameScores:
    """Return the running median over an odd number of frames."""
    if frames <= 1:
        return scores
    return FrameScores(median_filter(scores.scores_NTK, frames), scores.edges_NT1)
