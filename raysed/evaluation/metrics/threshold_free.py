"""PSDS over all thresholds at once, from frame scores; 50 operating points approximate it.

Each class's counts change only at the scores that occur, so its whole curve comes from the changes
at each distinct score of each clip (Ebbers et al. 2022, DOI 10.1109/ICASSP43922.2022.9747556). A
single value, without interval: about 2 s for 1168 clips x 157 frames x 10 classes. Shares that are met
exactly are judged as sed_scores_eval 0.0.4 does (`ROUNDED`), so that its values and these are one.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.clip_counts import arrays_of, seconds, tally
from raysed.evaluation.counts.event_arrays import Arrays, check_arrays
from raysed.evaluation.counts.intersections import (
    FP,
    ROUNDED,
    TP,
    Criteria,
    check_criteria,
    count_clip,
    emit,
    grown,
)
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.psds import DEFINITIONS, Definition, area, roc_through
from raysed.evaluation.metrics.psds_kernels import HOUR_S


def threshold_free_psds(
    reference: Reference,
    scores: FrameScores,
    definition: Definition = DEFINITIONS["psds"],
    rule: float = ROUNDED,
) -> float:
    """Return the PSDS whose operating points are all the scores that occur; NaN where nothing is defined.

    `rule` EXACT judges shares as psds_eval does.
    """
    n_clips, n_classes = len(reference.filenames), len(reference.classes)
    truth = reference.events.positive()
    n_gt_K = tally(truth, n_clips, n_classes).sum(axis=0)
    gt_s_K = seconds(truth, n_clips, n_classes).sum(axis=0)
    set_s = np.nansum(reference.durations_s)
    if not n_gt_K.any() or not set_s > 0:
        return float("nan")
    entry_E4 = score_deltas(
        arrays_of(truth, n_clips),
        scores,
        np.asarray(reference.durations_s, np.float64),
        (*definition.criteria.numbers(), rule),
    )
    owner_E, slot_E = np.divmod(entry_E4[:, 0], n_classes + 2)
    cost_S = _slot_costs(definition, n_gt_K, gt_s_K, set_s)
    points = []
    for k in np.flatnonzero(n_gt_K):
        clip_E, frame_E, change_E = entry_E4[owner_E == k, 1:].T
        score_E = scores.scores_NTK[clip_E, frame_E, k]
        efpr_P, hits_P = _points(score_E, slot_E[owner_E == k], change_E, cost_S)
        points.append((efpr_P, hits_P / n_gt_K[k]))
    return area(roc_through(points, definition))


def _slot_costs(
    definition: Definition, n_gt_K: np.ndarray, gt_s_K: np.ndarray, set_s: float
) -> np.ndarray:
    """Return what one count of each slot (hit, false alarm, cross-trigger on each class) adds to eFPR, per
    hour.
    """
    cost_K = HOUR_S / np.where(n_gt_K > 0, gt_s_K, np.inf)
    n_others = np.count_nonzero(n_gt_K) - (definition.over == "K-1")
    cost_K = cost_K * (definition.alpha_ct / n_others if n_others > 0 else 0.0)
    return np.concatenate(([0.0, HOUR_S / set_s], cost_K))


def _points(
    score_E: np.ndarray, slot_E: np.ndarray, change_E: np.ndarray, cost_S: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return eFPR and hits (P,) of one class at each of its P distinct scores, in falling order."""
    falling_E = np.argsort(-score_E, kind="stable")
    last_E = np.append(np.diff(score_E[falling_E]) != 0, True)[: len(score_E)]

    def count_P(slot: int) -> np.ndarray:
        return np.where(slot_E == slot, change_E, 0)[falling_E].cumsum()[last_E]

    efpr_P = np.zeros(np.count_nonzero(last_E))
    for slot in range(FP, len(cost_S)):
        efpr_P += count_P(slot) * cost_S[slot]
    return efpr_P, count_P(TP)


def score_deltas(
    reference: Arrays, scores: FrameScores, durations_s: np.ndarray, criteria: Criteria
) -> np.ndarray:
    """Return the changes of the counts of `intersection_deltas`, each class at thresholds of its own.

    Returns int32 (E, 4): column, clip, frame whose score is the threshold, change from the next
    higher threshold of the same clip and class. Raises ValueError for arrays that do not fit each other.
    """
    n_clips, _, n_classes = scores.scores_NTK.shape
    check_criteria(criteria)
    check_arrays("reference events", reference, n_clips, n_classes, positive=True)
    if durations_s.shape != (n_clips,):
        raise ValueError(f"scores of {n_clips} clips, durations {durations_s.shape}")
    return _score_deltas(reference, (scores.scores_NTK, scores.edges_NT1), durations_s, criteria)


@njit(cache=True, nogil=True)
def _score_deltas(
    reference: Arrays,
    scores: tuple[np.ndarray, np.ndarray],
    durations_s: np.ndarray,
    criteria: Criteria,
) -> np.ndarray:
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    scores_NTK, edges_NT1 = scores
    n_clips, n_frames, n_classes = scores_NTK.shape
    now_C = np.zeros(n_classes * (n_classes + 2), np.int32)
    before_C = np.zeros_like(now_C)
    used_now_C, used_before_C = np.empty(now_C.size, np.int64), np.empty(now_C.size, np.int64)
    label_T = np.empty(n_frames, np.int32)
    onset_T, offset_T = np.empty(n_frames), np.empty(n_frames)
    out = np.empty((1024, 4), np.int32)
    n_out = 0
    for n in range(n_clips):
        gt = slice(gt_start_N[n], gt_start_N[n + 1])
        gts = (gt_label_E[gt], gt_onset_E[gt], gt_offset_E[gt])
        for k in range(n_classes):
            score_T = scores_NTK[n, :, k]
            falling_T = np.argsort(-score_T)
            label_T[:] = k
            n_before = 0
            for frame in falling_T[_last_of_equals(score_T, falling_T)]:
                n_events = _runs(score_T, score_T[frame], edges_NT1[n], onset_T, offset_T)
                detections = (label_T[:n_events], onset_T[:n_events], offset_T[:n_events])
                n_now = count_clip(
                    gts, detections, durations_s[n], criteria, (now_C, used_now_C, n_classes)
                )
                if n_out + n_now + n_before > out.shape[0]:
                    out = grown(out, n_out, n_now + n_before)
                for used_C in (used_now_C[:n_now], used_before_C[:n_before]):
                    n_out = emit(used_C, now_C, before_C, (n, frame), out, n_out)
                for u in range(n_now):
                    now_C[used_now_C[u]] = 0
                used_now_C, used_before_C, n_before = used_before_C, used_now_C, n_now
            for u in range(n_before):
                before_C[used_before_C[u]] = 0
    return out[:n_out]


@njit(cache=True, nogil=True)
def _last_of_equals(score_T: np.ndarray, falling_T: np.ndarray) -> np.ndarray:
    """Mark the ranks whose score is the last of equal ones, and not minus infinity."""
    last_T = np.empty(falling_T.size, np.bool_)
    for rank in range(falling_T.size):
        score = score_T[falling_T[rank]]
        end = rank + 1 == falling_T.size
        last_T[rank] = score != -np.inf and (end or score_T[falling_T[rank + 1]] != score)
    return last_T


@njit(cache=True, nogil=True)
def _runs(
    score_T: np.ndarray,
    threshold: float,
    edge_T1: np.ndarray,
    onset_T: np.ndarray,
    offset_T: np.ndarray,
) -> int:
    """Fill in the runs of score >= threshold that have a length; returns how many."""
    n_runs = 0
    first = -1
    for t in range(score_T.size + 1):
        on = t < score_T.size and score_T[t] >= threshold
        if on and first < 0:
            first = t
        elif not on and first >= 0:
            if edge_T1[t] > edge_T1[first]:
                onset_T[n_runs], offset_T[n_runs] = edge_T1[first], edge_T1[t]
                n_runs += 1
            first = -1
    return n_runs
