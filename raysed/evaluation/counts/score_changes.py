"""Intersection counts at every score that occurs: their changes, clip by clip and class by class.

Lowering the threshold over one clip's scores of one class lengthens, joins and adds runs of frames. Where the class has
no event in the clip no run can be accepted, so that its false alarms and cross-triggers follow from the runs that a
frame changes; elsewhere each score's runs are counted anew. Both give what `intersection_deltas` gives with an
operating point at every score.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays, check_arrays
from raysed.evaluation.counts.intersections import (
    CT,
    FP,
    Criteria,
    check_criteria,
    count_clip,
    grown,
    is_heard,
    kahan,
    reached,
)
from raysed.evaluation.detections.frame_scores import FrameScores

FIRST = 2**30
"""Added to the frame of an entry from which on a clip has a false alarm more at every lower threshold: here the first one of a
clip without events."""

Runs = tuple[np.ndarray, np.ndarray, np.ndarray]
"""active_T1, start_T, end_T: where frame t is on, the run that ends at t begins at start[t], and so on."""


def score_deltas(
    reference: Arrays,
    scores: FrameScores,
    durations_s: np.ndarray,
    criteria: Criteria,
    floor_K: np.ndarray | None = None,
) -> np.ndarray:
    """Return the changes of the counts of `intersection_deltas`, each class at thresholds of its own.

    Returns int32 (E, 4): column, clip, frame whose score is the threshold (plus FIRST), change from the next
    higher threshold of the same clip and class. Scores below `floor_K` (by class) are left out. Raises ValueError
    for arrays that do not fit each other.
    """
    n_clips, _, n_classes = scores.scores_NTK.shape
    check_criteria(criteria)
    check_arrays("reference events", reference, n_clips, n_classes, positive=True)
    if durations_s.shape != (n_clips,):
        raise ValueError(f"scores of {n_clips} clips, durations {durations_s.shape}")
    if floor_K is None:
        floor_K = np.full(n_classes, -np.inf)
    if floor_K.shape != (n_classes,):
        raise ValueError(f"floors {floor_K.shape} for {n_classes} classes")
    found = scores.scores_NTK
    if found.dtype == np.float16:  # which numba does not compare
        found = found.astype(np.float32)
    rules = (criteria, floor_K.astype(np.float64))
    return _score_deltas(reference, (found, scores.edges_NT1), durations_s, rules)


@njit(cache=True, nogil=True)
def _score_deltas(
    reference: Arrays,
    scores: tuple[np.ndarray, np.ndarray],
    durations_s: np.ndarray,
    rules: tuple[Criteria, np.ndarray],
) -> np.ndarray:
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    scores_NTK, edges_NT1 = scores
    criteria, floor_K = rules
    n_clips, n_frames, n_classes = scores_NTK.shape
    out = np.empty((1024, 4), np.int32)
    n_out = 0
    now_C, before_C = np.zeros((2, n_classes * (n_classes + 2)), np.int32)
    frame_T = np.empty(n_frames, np.int64)
    fallen_T = np.empty(n_frames)
    for n in range(n_clips):
        gt = slice(gt_start_N[n], gt_start_N[n + 1])
        gts = (gt_label_E[gt], gt_onset_E[gt], gt_offset_E[gt])
        labels_L = np.unique(gts[0])
        for k in range(n_classes):
            n_given = 0
            for t in range(n_frames):
                score = scores_NTK[n, t, k]
                if score >= floor_K[k] and score > -np.inf:
                    frame_T[n_given], fallen_T[n_given] = t, -score
                    n_given += 1
            if n_given == 0:
                continue
            order_T = frame_T[:n_given][np.argsort(fallen_T[:n_given])]
            place = (scores_NTK[n, :, k], edges_NT1[n], durations_s[n], (n, k, n_classes))
            if (labels_L == k).any():
                counts = (now_C, before_C)
                out, n_out = with_events(order_T, place, (gts, counts), criteria, out, n_out)
            else:
                out, n_out = without_events(order_T, place, (gts, labels_L), criteria, out, n_out)
    return out[:n_out]


@njit(cache=True, nogil=True)
def with_events(
    order_T: np.ndarray,
    place: tuple,
    around: tuple[Arrays, tuple[np.ndarray, np.ndarray]],
    criteria: Criteria,
    out: np.ndarray,
    n_out: int,
) -> tuple[np.ndarray, int]:
    """Append the changes of a class that has events in the clip: at each score, its runs are counted anew."""
    score_T, edge_T1, duration_s, (n, k, n_classes) = place
    runs = no_runs(score_T.size)
    gts, (now_C, before_C) = around  # all zero, here and at the end
    used_now_C, used_before_C = np.empty((2, 2 * (gts[0].size + 2) + 2), np.int64)
    onset_T, offset_T = np.empty((2, score_T.size))
    n_before = 0
    for rank in range(order_T.size):
        frame = order_T[rank]
        switch_on(runs, frame)
        if rank + 1 < order_T.size and score_T[order_T[rank + 1]] == score_T[frame]:
            continue
        n_runs = listed_runs(runs, edge_T1, onset_T, offset_T)
        label_T = np.full(n_runs, k, np.int32)
        found = (label_T, onset_T[:n_runs], offset_T[:n_runs])
        n_now = count_clip(gts, found, duration_s, criteria, (now_C, used_now_C, n_classes))
        if n_out + n_now + n_before > out.shape[0]:
            out = grown(out, n_out, n_now + n_before)
        for used_C in (used_now_C[:n_now], used_before_C[:n_before]):
            for column in used_C:
                change = now_C[column] - before_C[column]
                if change != 0:
                    out[n_out, 0], out[n_out, 1], out[n_out, 2] = column, n, frame
                    out[n_out, 3] = change
                    n_out += 1
                    before_C[column] = now_C[column]
        for u in range(n_now):
            now_C[used_now_C[u]] = 0
        used_now_C, used_before_C, n_before = used_before_C, used_now_C, n_now
    for u in range(n_before):
        before_C[used_before_C[u]] = 0
    return out, n_out


@njit(cache=True, nogil=True)
def without_events(
    order_T: np.ndarray,
    place: tuple,
    around: tuple[Arrays, np.ndarray],
    criteria: Criteria,
    out: np.ndarray,
    n_out: int,
) -> tuple[np.ndarray, int]:
    """Append the changes of a class without events in the clip: each run is a false alarm."""
    score_T, edge_T1, duration_s, (n, k, n_classes) = place
    gts, labels_L = around
    active_T1, start_T, end_T = runs = no_runs(score_T.size)
    change_S = np.zeros(labels_L.size + 1, np.int32)  # of false alarms, then of cross-triggers
    overlap_2L = np.empty((2, labels_L.size))
    fresh = True
    for rank in range(order_T.size):
        frame = order_T[rank]
        if frame > 0 and active_T1[frame - 1]:
            span = (edge_T1[start_T[frame - 1]], edge_T1[frame])
            _judge(span, duration_s, (gts, labels_L, overlap_2L), criteria, (change_S, -1))
        if active_T1[frame + 1]:
            span = (edge_T1[frame + 1], edge_T1[end_T[frame + 1] + 1])
            _judge(span, duration_s, (gts, labels_L, overlap_2L), criteria, (change_S, -1))
        first, last = switch_on(runs, frame)
        span = (edge_T1[first], edge_T1[last + 1])
        _judge(span, duration_s, (gts, labels_L, overlap_2L), criteria, (change_S, 1))
        if rank + 1 < order_T.size and score_T[order_T[rank + 1]] == score_T[frame]:
            continue
        if n_out + change_S.size > out.shape[0]:
            out = grown(out, n_out, change_S.size)
        begins = fresh and change_S[0] > 0
        fresh = fresh and not begins
        marked = frame + FIRST * begins
        n_out = _emit_slots(change_S, (k * (n_classes + 2), n, frame, marked), labels_L, out, n_out)
    return out, n_out


@njit(cache=True, nogil=True)
def _emit_slots(
    change_S: np.ndarray,
    place: tuple[int, int, int, int],
    labels_L: np.ndarray,
    out: np.ndarray,
    n_out: int,
) -> int:
    """Append the changes that are not zero, and set them to zero."""
    column, n, frame, marked = place
    for s in range(change_S.size):
        if change_S[s] == 0:
            continue
        out[n_out, 0] = column + (FP if s == 0 else CT + labels_L[s - 1])
        out[n_out, 1], out[n_out, 2] = n, marked if s == 0 else frame
        out[n_out, 3] = change_S[s]
        n_out += 1
        change_S[s] = 0
    return n_out


@njit(cache=True, nogil=True)
def _judge(
    span: tuple[float, float],
    duration_s: float,
    around: tuple,
    criteria: Criteria,
    tally: tuple[np.ndarray, int],
) -> None:
    """Add (or take away) what one run that is not accepted counts for."""
    onset, offset = span
    (gt_label_G, gt_onset_G, gt_offset_G), labels_L, overlap_2L = around
    change_S, sign = tally
    cttc, rule = criteria[2], criteria[3]
    length_s = offset - onset
    if not length_s > 0:
        return
    if is_heard(onset, offset, duration_s, rule):
        change_S[0] += sign
    if np.isnan(cttc):
        return
    overlap_2L[:] = 0.0
    place = 0
    for g in range(gt_label_G.size):
        if onset < gt_offset_G[g] and gt_onset_G[g] < offset:
            while labels_L[place] != gt_label_G[g]:
                place = place + 1 if place + 1 < labels_L.size else 0
            overlap_s = min(offset, gt_offset_G[g]) - max(onset, gt_onset_G[g])
            share = overlap_s / length_s if rule == 0.0 else overlap_s
            kahan(overlap_2L[0], overlap_2L[1], place, share)
    for s in range(labels_L.size):
        if reached(overlap_2L[0, s], cttc, length_s, rule):
            change_S[s + 1] += sign


@njit(cache=True, nogil=True)
def no_runs(n_frames: int) -> Runs:
    """Return frames of which none is on."""
    return (
        np.zeros(n_frames + 1, np.bool_),
        np.empty(n_frames, np.int64),
        np.empty(n_frames, np.int64),
    )


@njit(cache=True, nogil=True)
def switch_on(runs: Runs, frame: int) -> tuple[int, int]:
    """Switch a frame on; return the first and last frame of the run that it is then in."""
    active_T1, start_T, end_T = runs
    active_T1[frame] = True
    first = start_T[frame - 1] if frame > 0 and active_T1[frame - 1] else frame
    last = end_T[frame + 1] if active_T1[frame + 1] else frame
    start_T[last], end_T[first] = first, last
    return first, last


@njit(cache=True, nogil=True)
def listed_runs(runs: Runs, edge_T1: np.ndarray, onset_T: np.ndarray, offset_T: np.ndarray) -> int:
    """Fill in the runs that have a length, in order; return how many."""
    active_T1, _, end_T = runs
    n_runs, t = 0, 0
    while t < active_T1.size - 1:
        if not active_T1[t]:
            t += 1
            continue
        last = end_T[t]
        if edge_T1[last + 1] > edge_T1[t]:
            onset_T[n_runs], offset_T[n_runs] = edge_T1[t], edge_T1[last + 1]
            n_runs += 1
        t = last + 1
    return n_runs
