"""Events by two thresholds: a region above the low one is an event where it reaches the high one."""

import numpy as np

from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import regions


def hysteresis(scores: FrameScores, high: float, low: float) -> Events:
    """Return the contiguous regions of score >= low that hold a score >= high.

    Both are compared in the scores' own precision. Raises ValueError where low is above high.
    """
    if not low <= high:
        raise ValueError(f"low threshold {low} is above the high one, {high}")
    precision = scores.scores_NTK.dtype.type
    clip_E, label_E, first_E, stop_E = regions(scores.scores_NTK, float(precision(low)))
    peaks = regions(scores.scores_NTK, float(precision(high)))[:3]
    order_E = np.argsort(_places(scores, clip_E, label_E, first_E))
    # Every peak lies in the last region of its clip and class that begins no later.
    begins_E = _places(scores, clip_E, label_E, first_E)[order_E]
    holder_P = np.searchsorted(begins_E, _places(scores, *peaks), side="right") - 1
    kept_E = np.zeros(len(clip_E), dtype=bool)
    kept_E[order_E[holder_P]] = True
    events = Events(
        clip_E, label_E, scores.edges_NT1[clip_E, first_E], scores.edges_NT1[clip_E, stop_E]
    )
    return events.take(kept_E).positive()


def _places(
    scores: FrameScores, clip_E: np.ndarray, label_E: np.ndarray, frame_E: np.ndarray
) -> np.ndarray:
    """Return each frame's place on one axis on which clips and classes lie apart."""
    _, n_frames, n_classes = scores.scores_NTK.shape
    return (clip_E.astype(np.int64) * n_classes + label_E) * (n_frames + 1) + frame_E
