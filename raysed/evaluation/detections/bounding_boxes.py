"""Sound event bounding boxes: events whose extent does not depend on the threshold, each with a confidence.

Ebbers, Germain, Wichern and Le Roux, Interspeech 2024, arXiv:2406.04212, written from its description. A step
filter compares the mean score of the half window after a moment with that of the half before. Its local maxima
are onsets, its local minima offsets. Neighbours are merged where the score between them hardly drops below the
higher of their peaks. A box's confidence is its mean score.

The scores are constant within a frame and 0 outside of the clip. So the filter's output is a broken line whose
slope between two corners is a sum of three scores: whether it rises is exact, and no sampling is chosen.
1168 clips of 156 frames and ten classes (390,000 candidates) take 0.24 s on one core.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import FrameScores

SAME_MOMENT_S = 1e-9
"""Corners nearer than this are one."""
CONFIDENCE_FLOOR_S = 1e-6
"""Added to a box's length where its confidence is its mean score, as the published boxes have it."""
RATIO_FLOOR = 1e-3
"""Added to both scores of a ratio, as the published boxes have it: a ratio of two low scores says little."""


class BoxSettings(NamedTuple):
    """The three numbers of change detection."""

    step_filter_s: float = 0.48
    """The length of the step filter, both halves."""
    merge_abs: float = 0.15
    """Two neighbours are merged where the drop between them is smaller than this, and the ratio small, too."""
    merge_rel: float = 2.0
    """The ratio of the higher peak to the lowest score between them that two neighbours must stay below."""

    def check(self) -> None:
        """Raise ValueError for numbers that mean nothing."""
        if not (self.step_filter_s > 0 and np.isfinite(self.step_filter_s)):
            raise ValueError(
                f"step filter of {self.step_filter_s} s, expected a positive number of seconds"
            )
        if not self.merge_abs >= 0:
            raise ValueError(f"absolute merge threshold {self.merge_abs}, expected 0 or more")
        if not self.merge_rel >= 1:
            raise ValueError(
                f"relative merge threshold {self.merge_rel}, expected 1 or more: it is a ratio of "
                "the higher score to the lower one"
            )


PUBLISHED_BOXES = BoxSettings()


@dataclass(frozen=True)
class Boxes:
    """E boxes, sorted by (clip, onset)."""

    events: Events
    confidence_E: np.ndarray
    """float64: the mean score of each box."""

    def __len__(self) -> int:
        """E."""
        return len(self.events)

    @classmethod
    def sort(cls, columns: tuple[np.ndarray, ...]) -> "Boxes":
        """Make boxes from clip, label, onset, offset and confidence in any order."""
        order_E = np.lexsort((columns[2], columns[0]))
        clip_E, label_E, onset_E, offset_E, confidence_E = (column[order_E] for column in columns)
        events = Events(clip_E.astype(np.int32), label_E.astype(np.int32), onset_E, offset_E)
        return cls(events, confidence_E)

    def take(self, keep_E: np.ndarray) -> "Boxes":
        """Return the boxes where `keep_E` (bool) is true."""
        return Boxes(self.events.take(keep_E), self.confidence_E[keep_E])

    def above(self, threshold_K: np.ndarray) -> Events:
        """Return the boxes of each class whose confidence is at least the class's threshold (K,)."""
        return self.events.take(self.confidence_E >= threshold_K[self.events.label_E])


@dataclass(frozen=True)
class Candidates:
    """Boxes before merging, by (clip, class, onset); they depend on the step filter alone."""

    clip_E: np.ndarray
    """int32."""
    label_E: np.ndarray
    """int32."""
    onset_E: np.ndarray
    """float64, seconds."""
    offset_E: np.ndarray
    """float64, seconds."""
    before_E: np.ndarray
    """float64: the integral of the class's score from the clip's start to the onset, in seconds."""
    until_E: np.ndarray
    """float64: that integral at the offset."""
    peak_E: np.ndarray
    """float64: the highest score of a frame that the box touches."""
    valley_E: np.ndarray
    """float64: the lowest score of a frame between this box and the next of its clip and class; -inf after the
    last."""

    def merged(self, settings: BoxSettings) -> Boxes:
        """Return the boxes after merging neighbours; every pair is judged before any is merged."""
        settings.check()
        next_peak_E = np.append(self.peak_E[1:], -np.inf)[: len(self.peak_E)]
        higher_E = np.maximum(self.peak_E, next_peak_E)
        with np.errstate(invalid="ignore"):
            small_E = higher_E - self.valley_E < settings.merge_abs
            ratio_E = (higher_E + RATIO_FLOOR) / (self.valley_E + RATIO_FLOOR)
        joined_E = small_E & (ratio_E < settings.merge_rel) & (self.valley_E > -np.inf)
        first_E = np.append(True, ~joined_E[:-1])[: len(joined_E)]
        last_E = ~joined_E
        length_E = self.offset_E[last_E] - self.onset_E[first_E]
        mean_E = (self.until_E[last_E] - self.before_E[first_E]) / (length_E + CONFIDENCE_FLOOR_S)
        return Boxes.sort(
            (
                self.clip_E[first_E],
                self.label_E[first_E],
                self.onset_E[first_E],
                self.offset_E[last_E],
                mean_E,
            )
        )


def bounding_boxes(scores: FrameScores, settings: BoxSettings = PUBLISHED_BOXES) -> Boxes:
    """Return the boxes of every clip and class. Raises ValueError for scores outside [0, 1] or -inf."""
    settings.check()
    return box_candidates(scores, settings.step_filter_s).merged(settings)


def box_candidates(scores: FrameScores, step_filter_s: float) -> Candidates:
    """Return the boxes that a step filter finds, before merging.

    Raises ValueError for a filter without length, and for scores that are no probabilities.
    """
    BoxSettings(step_filter_s).check()
    n_clips, n_frames, n_classes = scores.scores_NTK.shape
    if n_clips and n_frames and n_classes:
        _refuse_other_scales(scores)
    scores_NTK = np.ascontiguousarray(scores.scores_NTK, dtype=np.float64)
    found_E8 = _candidates(scores_NTK, np.asarray(scores.edges_NT1, np.float64), step_filter_s / 2)
    clip_E, label_E = (found_E8[:, column].astype(np.int32) for column in (0, 1))
    return Candidates(clip_E, label_E, *(np.ascontiguousarray(column) for column in found_E8.T[2:]))


def _refuse_other_scales(scores: FrameScores) -> None:
    """Raise ValueError where a frame of some length has a score that is no probability."""
    real_NT = np.diff(scores.edges_NT1) > 0
    given_NTK = scores.scores_NTK
    wrong_NT = real_NT & ~((given_NTK >= 0) & (given_NTK <= 1)).all(axis=2)
    if wrong_NT.any():
        clip, frame = np.argwhere(wrong_NT)[0].tolist()
        raise ValueError(
            f"clip {clip}, frame {frame}: bounding boxes are made of scores from 0 to 1, given "
            f"{given_NTK[clip, frame].min():g} to {given_NTK[clip, frame].max():g}; logits need a "
            "sigmoid first, and -inf stands in files that hold boxes already"
        )


@njit(cache=True, nogil=True)
def _candidates(scores_NTK: np.ndarray, edges_NT1: np.ndarray, half_s: float) -> np.ndarray:
    """Return float64 (E, 8): clip, class and the other columns of `Candidates`."""
    n_clips, n_frames, n_classes = scores_NTK.shape
    out = np.empty((1024, 8))
    n_out = 0
    corner_J = np.empty(3 * n_frames + 4)
    frame_J3 = np.empty((3 * n_frames + 4, 3), np.int64)
    for n in range(n_clips):
        n_spans = _spans(edges_NT1[n], half_s, corner_J, frame_J3)
        for k in range(n_classes):
            if n_out + n_spans + 1 > out.shape[0]:
                larger = np.empty((2 * out.shape[0] + n_spans, 8))
                larger[:n_out] = out[:n_out]
                out = larger
            n_found = _boxes_of(scores_NTK[n, :, k], corner_J[: n_spans + 1], frame_J3, out[n_out:])
            out[n_out : n_out + n_found, 0] = n
            out[n_out : n_out + n_found, 1] = k
            n_out += n_found
    return out[:n_out]


@njit(cache=True, nogil=True)
def _spans(edge_T1: np.ndarray, half_s: float, corner_J: np.ndarray, frame_J3: np.ndarray) -> int:
    """Fill in the corners of the filter's output, and the frames half a filter before, at and after each span
    between two corners (-1: outside of the clip); returns the number of spans.
    """
    n_frames = edge_T1.size - 1
    while n_frames > 0 and edge_T1[n_frames] <= edge_T1[n_frames - 1]:
        n_frames -= 1  # a shorter clip ends in frames of no length
    end = edge_T1[n_frames]
    next_3 = np.zeros(3, np.int64)  # the next edge of the three, not yet passed
    shift_3 = np.array([half_s, 0.0, -half_s])
    now = edge_T1[0]
    n_spans = 0
    while now < end - SAME_MOMENT_S:
        following = end
        for j in range(3):
            while next_3[j] <= n_frames and edge_T1[next_3[j]] + shift_3[j] <= now + SAME_MOMENT_S:
                next_3[j] += 1
            if next_3[j] <= n_frames:
                following = min(following, edge_T1[next_3[j]] + shift_3[j])
        corner_J[n_spans] = now
        for j in range(3):
            frame_J3[n_spans, j] = next_3[j] - 1 if next_3[j] <= n_frames else -1
        n_spans += 1
        now = following
        for t in range(max(next_3[1] - 1, 0), min(next_3[1] + 1, n_frames + 1)):
            if abs(edge_T1[t] - now) <= SAME_MOMENT_S:
                now = edge_T1[t]  # the frame's own edge, without the rounding of the shift
    corner_J[n_spans] = end
    return n_spans


@njit(cache=True, nogil=True)
def _boxes_of(
    score_T: np.ndarray, corner_J: np.ndarray, frame_J3: np.ndarray, out: np.ndarray
) -> int:
    """Fill in columns 2 to 7 of the boxes of one clip and class; returns how many there are.

    An onset is the first moment of a flat top, an offset the last moment of a flat bottom. So what is flat after
    a rise belongs to the box that may begin there, and to the gap before it if the rise goes on.
    """
    n_boxes = 0
    rising = True
    integral, top, before, highest, lowest = 0.0, 0, 0.0, -np.inf, np.inf  # since the last rise
    peak, valley = -np.inf, np.inf
    for j in range(corner_J.size - 1):
        score = score_T[frame_J3[j, 1]]
        slope = -2.0 * score
        for side in (0, 2):
            if frame_J3[j, side] >= 0:
                slope += score_T[frame_J3[j, side]]
        if slope < 0 and rising:
            rising, peak = False, highest
            if n_boxes:
                out[n_boxes - 1, 7] = valley
            out[n_boxes, 2], out[n_boxes, 4] = corner_J[top], before
        elif slope > 0 and not rising:
            rising, valley, highest, lowest = True, np.inf, -np.inf, np.inf
            out[n_boxes, 3], out[n_boxes, 5] = corner_J[j], integral
            out[n_boxes, 6], out[n_boxes, 7] = peak, -np.inf
            n_boxes += 1
        integral += score * (corner_J[j + 1] - corner_J[j])
        peak, highest, lowest = max(peak, score), max(highest, score), min(lowest, score)
        if slope > 0:
            valley = min(valley, lowest)
            top, before, highest, lowest = j + 1, integral, -np.inf, np.inf
    if not rising:
        out[n_boxes, 3], out[n_boxes, 5] = corner_J[-1], integral
        out[n_boxes, 6], out[n_boxes, 7] = peak, -np.inf
        n_boxes += 1
    return n_boxes
