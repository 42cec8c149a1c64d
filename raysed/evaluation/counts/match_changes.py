"""Matches within collars at every score that occurs: their changes, clip by clip and class by class.

Collars are compared as sed_scores_eval 0.0.4 does, rounded to 6 decimals, so that one that is met exactly holds; the
event F1 at one threshold follows sed_eval, which does not round.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays, check_arrays
from raysed.evaluation.counts.intersections import FP, ROUNDED, TP, grown
from raysed.evaluation.counts.matching import augment
from raysed.evaluation.counts.score_changes import (
    listed_runs,
    no_runs,
    switch_on,
    without_events,
)
from raysed.evaluation.detections.frame_scores import FrameScores


def match_deltas(
    reference: Arrays, scores: FrameScores, t_collar_s: float, percentage_of_length: float
) -> np.ndarray:
    """Return the changes of matched and unmatched detections as `score_deltas` does: int32 (E, 4).

    Raises ValueError for arrays that do not fit each other and for collars that are no numbers from 0 on.
    """
    n_clips, _, n_classes = scores.scores_NTK.shape
    check_arrays("reference events", reference, n_clips, n_classes)
    if not (0 <= t_collar_s < np.inf and 0 <= percentage_of_length < np.inf):
        raise ValueError(
            f"collars of {t_collar_s} s and {percentage_of_length} of the length: expected at least 0"
        )
    found = scores.scores_NTK
    if found.dtype == np.float16:  # which numba does not compare
        found = found.astype(np.float32)
    collars = (float(t_collar_s), float(percentage_of_length))
    return _match_deltas(reference, (found, scores.edges_NT1), collars)


@njit(cache=True, nogil=True)
def _match_deltas(
    reference: Arrays, scores: tuple[np.ndarray, np.ndarray], collars: tuple[float, float]
) -> np.ndarray:
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    scores_NTK, edges_NT1 = scores
    n_clips, n_frames, n_classes = scores_NTK.shape
    out = np.empty((1024, 4), np.int32)
    n_out = 0
    frame_T = np.empty(n_frames, np.int64)
    fallen_T = np.empty(n_frames)
    nothing = (gt_label_E[:0], gt_onset_E[:0], gt_offset_E[:0])
    around = (nothing, np.unique(gt_label_E[:0]))
    alone = (0.0, 0.0, np.nan, ROUNDED)
    for n in range(n_clips):
        gt = slice(gt_start_N[n], gt_start_N[n + 1])
        for k in range(n_classes):
            n_given = 0
            for t in range(n_frames):
                score = scores_NTK[n, t, k]
                if score > -np.inf:
                    frame_T[n_given], fallen_T[n_given] = t, -score
                    n_given += 1
            if n_given == 0:
                continue
            order_T = frame_T[:n_given][np.argsort(fallen_T[:n_given])]
            own_G = np.flatnonzero(gt_label_E[gt] == k)
            place = (scores_NTK[n, :, k], edges_NT1[n], 1.0, (n, k, n_classes))
            if own_G.size == 0:
                out, n_out = without_events(order_T, place, around, alone, out, n_out)
            else:
                gts = (gt_onset_E[gt][own_G], gt_offset_E[gt][own_G])
                out, n_out = _with_matches(order_T, place, gts, collars, out, n_out)
    return out[:n_out]


@njit(cache=True, nogil=True)
def _with_matches(
    order_T: np.ndarray,
    place: tuple,
    gts: tuple[np.ndarray, np.ndarray],
    collars: tuple[float, float],
    out: np.ndarray,
    n_out: int,
) -> tuple[np.ndarray, int]:
    """Append the changes of a class that has events in the clip."""
    score_T, edge_T1, _, (n, k, n_classes) = place
    runs = no_runs(score_T.size)
    onset_T, offset_T = np.empty((2, score_T.size))
    before_2 = np.zeros(2, np.int64)
    for rank in range(order_T.size):
        frame = order_T[rank]
        switch_on(runs, frame)
        if rank + 1 < order_T.size and score_T[order_T[rank + 1]] == score_T[frame]:
            continue
        n_runs = listed_runs(runs, edge_T1, onset_T, offset_T)
        hits = _matched(gts, (onset_T[:n_runs], offset_T[:n_runs]), collars)
        if n_out + 2 > out.shape[0]:
            out = grown(out, n_out, 2)
        for slot, count in ((TP, hits), (FP, n_runs - hits)):
            if count != before_2[slot]:
                out[n_out, 0], out[n_out, 1], out[n_out, 2] = k * (n_classes + 2) + slot, n, frame
                out[n_out, 3] = count - before_2[slot]
                n_out += 1
                before_2[slot] = count
    return out, n_out


@njit(cache=True, nogil=True)
def _matched(
    gts: tuple[np.ndarray, np.ndarray],
    found: tuple[np.ndarray, np.ndarray],
    collars: tuple[float, float],
) -> int:
    """Return the size of the largest matching of one class's events and detections in one clip."""
    (gt_onset_G, gt_offset_G), (onset_D, offset_D) = gts, found
    near_DG = np.zeros((onset_D.size, gt_onset_G.size), np.bool_)
    for d in range(onset_D.size):
        for g in range(gt_onset_G.size):
            collar_s = max(collars[0], collars[1] * (gt_offset_G[g] - gt_onset_G[g]))
            late_s = abs(onset_D[d] - gt_onset_G[g]) - collars[0]
            end_s = abs(offset_D[d] - gt_offset_G[g]) - collar_s
            near_DG[d, g] = np.rint(late_s * ROUNDED) <= 0 and np.rint(end_s * ROUNDED) <= 0
    partner_G = np.full(gt_onset_G.size, -1)
    hits = 0
    for d in range(onset_D.size):
        hits += augment(d, near_DG, partner_G, np.zeros(gt_onset_G.size, np.bool_))
    return hits
