"""Segments of a clip with the highest score in each: what segment-based curves over all thresholds are made of.

They follow sed_scores_eval 0.0.4: a segment has the highest score of the frames that it touches, 0 where no frame does,
times are rounded to 6 decimals, and a segment in which an event of the class sounds is a positive one.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays, check_arrays
from raysed.evaluation.detections.frame_scores import FrameScores

NEGATIVE, POSITIVE = 0, 1


def segment_deltas(
    reference: Arrays, scores: FrameScores, durations_s: np.ndarray, segment_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return one entry a segment and class, int32 (E, 4) of column, clip, 0, 1, and its score (E,).

    The column is class * (K + 2) + NEGATIVE or POSITIVE. Raises ValueError for arrays that do not fit each other
    and for unknown durations.
    """
    n_clips, _, n_classes = scores.scores_NTK.shape
    check_arrays("reference events", reference, n_clips, n_classes)
    if durations_s.shape != (n_clips,) or not np.isfinite(durations_s).all():
        raise ValueError("segments need the duration of each clip, in finite seconds")
    if not 0 < segment_s < np.inf:
        raise ValueError(f"segments of {segment_s} s: expected a positive length")
    found = scores.scores_NTK
    if found.dtype == np.float16:
        found = found.astype(np.float32)
    n_segments_N = np.ceil(durations_s / segment_s).astype(np.int64)
    bounds_S1 = np.round(np.arange(n_segments_N.max(initial=0) + 1) * segment_s, 6)
    edges_NT1 = np.round(scores.edges_NT1, 6)
    return _segment_deltas(reference, (found, edges_NT1), n_segments_N, bounds_S1)


@njit(cache=True, nogil=True)
def _segment_deltas(
    reference: Arrays,
    scores: tuple[np.ndarray, np.ndarray],
    n_segments_N: np.ndarray,
    bounds_S1: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    scores_NTK, edges_NT1 = scores
    n_clips, n_frames, n_classes = scores_NTK.shape
    n_entries = n_segments_N.sum() * n_classes
    entry_E4 = np.empty((n_entries, 4), np.int32)
    score_E = np.empty(n_entries, scores_NTK.dtype)
    e = 0
    for n in range(n_clips):
        n_used = n_frames  # without the frames of no length at the end of a shorter clip
        while n_used > 0 and not edges_NT1[n, n_used] > edges_NT1[n, n_used - 1]:
            n_used -= 1
        for s in range(n_segments_N[n]):
            begin, end = bounds_S1[s], bounds_S1[s + 1]
            first = max(np.searchsorted(edges_NT1[n], begin, side="right") - 1, 0)
            stop = min(np.searchsorted(edges_NT1[n], end, side="left"), n_used)
            for k in range(n_classes):
                highest = scores_NTK[n, first, k] if stop > first else 0.0
                for t in range(first + 1, stop):
                    highest = max(highest, scores_NTK[n, t, k])
                entry_E4[e, 0], entry_E4[e, 1] = k * (n_classes + 2) + NEGATIVE, n
                entry_E4[e, 2], entry_E4[e, 3] = 0, 1
                score_E[e] = highest
                e += 1
            for g in range(gt_start_N[n], gt_start_N[n + 1]):
                if begin < gt_offset_E[g] and end > gt_onset_E[g]:
                    k = gt_label_E[g]
                    entry_E4[e - n_classes + k, 0] = k * (n_classes + 2) + POSITIVE
    return entry_E4, score_E
