"""Intersection counts behind PSDS, clip by clip: hits, false alarms and cross-triggers.

Matching never crosses clips, so counts are per clip and whatever is computed later is a weighted sum over clips.

They follow psds_eval 0.5.3 (Bilen et al. 2020, DOI 10.1109/ICASSP40776.2020.9052995), rounding included: each
overlap is divided before the sum, which runs in onset order with Kahan's compensation (pandas' groupby does),
and overlaps are strict. A share that is met exactly may be missed by a rounding error there. sed_scores_eval
0.0.4 compares seconds, both sides rounded to 6 decimals, and counts false alarms after the end of the clip too;
`count_clip` follows either, as `criteria` say.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays, check_arrays

Criteria = tuple[float, float, float, float]
"""dtc, gtc, cttc (NaN: no cross-triggers), and the rule: EXACT or sed_scores_eval's ROUNDED."""
EXACT, ROUNDED = 0.0, 1e6
"""psds_eval's shares as they are; sed_scores_eval's seconds in whole units of 1 / ROUNDED."""

TP, FP, CT = 0, 1, 2
"""Slots: column = class * (K + 2) + slot; cross-triggers with class j have the slot CT + j."""


def intersection_deltas(
    reference: Arrays,
    points: Arrays,
    durations_s: np.ndarray,
    n_classes: int,
    criteria: Criteria,
) -> np.ndarray:
    """Return the changes of the TP, FP and cross-trigger counts from one operating point to the next.

    `points` holds the detections of M operating points one after the other, with start (M, N + 1).
    Events must have positive length. Returns int32 (E, 4): column, clip, operating point, change. The
    first point's counts are changes from zero. Raises ValueError for arrays that do not fit each other.
    """
    n_clips = len(durations_s)
    check_criteria(criteria)
    check_arrays("reference events", reference, n_clips, n_classes, positive=True)
    if points[0].ndim != 2 or reference[0].ndim != 1:
        raise ValueError(f"starts {points[0].shape} are not (points, {n_clips} clips + 1)")
    check_arrays("detections", points, n_clips, n_classes, positive=True)
    return _intersection_deltas(reference, points, durations_s, n_classes, criteria)


def check_criteria(criteria: Criteria) -> None:
    """Raise ValueError unless the criteria are shares and the rule is one of the two."""
    *shares, cttc, rule = criteria
    given = [share for share in (*shares, cttc) if not np.isnan(share)]
    if len(criteria) != 4 or not all(0 <= share <= 1 for share in given) or np.isnan(shares).any():
        raise ValueError(f"criteria {criteria[:3]} are not shares in [0, 1]")
    if rule not in (EXACT, ROUNDED):
        raise ValueError(f"rule {rule} is neither EXACT nor ROUNDED")


@njit(cache=True, nogil=True)
def _intersection_deltas(
    reference: Arrays,
    points: Arrays,
    durations_s: np.ndarray,
    n_classes: int,
    criteria: Criteria,
) -> np.ndarray:
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    start_MN, label_E, onset_E, offset_E = points
    now_C = np.zeros(n_classes * (n_classes + 2), np.int32)
    before_C = np.zeros_like(now_C)
    used_now_C = np.empty(now_C.size, np.int64)
    used_before_C = np.empty(now_C.size, np.int64)
    out = np.empty((1024, 4), np.int32)
    n_out = 0
    for n in range(start_MN.shape[1] - 1):
        gt = slice(gt_start_N[n], gt_start_N[n + 1])
        gts = (gt_label_E[gt], gt_onset_E[gt], gt_offset_E[gt])
        n_before = 0
        for m in range(start_MN.shape[0]):
            if m > 0 and _unchanged(points, m, n):
                continue
            of_point = slice(start_MN[m, n], start_MN[m, n + 1])
            detections = (label_E[of_point], onset_E[of_point], offset_E[of_point])
            n_now = count_clip(
                gts, detections, durations_s[n], criteria, (now_C, used_now_C, n_classes)
            )
            if n_out + n_now + n_before > out.shape[0]:
                out = grown(out, n_out, n_now + n_before)
            for used_C in (used_now_C[:n_now], used_before_C[:n_before]):
                n_out = emit(used_C, now_C, before_C, (n, m), out, n_out)
            for u in range(n_now):
                now_C[used_now_C[u]] = 0
            used_now_C, used_before_C, n_before = used_before_C, used_now_C, n_now
        for u in range(n_before):
            before_C[used_before_C[u]] = 0
    return out[:n_out]


@njit(cache=True, nogil=True)
def grown(out: np.ndarray, n_out: int, n_more: int) -> np.ndarray:
    """Return a copy of the first rows with room for more."""
    grown = np.empty((2 * out.shape[0] + n_more, 4), np.int32)
    for row in range(n_out):
        for i in range(4):
            grown[row, i] = out[row, i]
    return grown


@njit(cache=True, nogil=True)
def emit(
    used_C: np.ndarray,
    now_C: np.ndarray,
    before_C: np.ndarray,
    place: tuple[int, int],
    out: np.ndarray,
    n_out: int,
) -> int:
    """Append the changes of the used columns to `out`; `before_C` then equals `now_C` there."""
    for column in used_C:
        change = now_C[column] - before_C[column]
        if change != 0:
            out[n_out, 0], out[n_out, 1], out[n_out, 2] = column, place[0], place[1]
            out[n_out, 3] = change
            n_out += 1
            before_C[column] = now_C[column]
    return n_out


@njit(cache=True, nogil=True)
def _unchanged(points: Arrays, m: int, n: int) -> bool:
    """Tell whether clip n has the same detections at operating points m - 1 and m."""
    start_MN, label_E, onset_E, offset_E = points
    first, before = start_MN[m, n], start_MN[m - 1, n]
    n_events = start_MN[m, n + 1] - first
    if start_MN[m - 1, n + 1] - before != n_events:
        return False
    for e in range(n_events):
        if (
            label_E[first + e] != label_E[before + e]
            or onset_E[first + e] != onset_E[before + e]
            or offset_E[first + e] != offset_E[before + e]
        ):
            return False
    return True


@njit(cache=True, nogil=True)
def count_clip(
    gts: Arrays,
    detections: Arrays,
    duration_s: float,
    criteria: Criteria,
    tally: tuple[np.ndarray, np.ndarray, int],
) -> int:
    """Count one clip at one operating point into `tally`; return the number of columns that are not zero."""
    gt_label_G, gt_onset_G, gt_offset_G = gts
    label_D, onset_D, offset_D = detections
    dtc, gtc, cttc, rule = criteria
    n_classes = tally[2]
    width = n_classes + 2
    precision_K, carry_K = np.zeros(n_classes), np.empty(n_classes)
    coverage_G = np.zeros((2, gt_label_G.size))
    n_used = 0
    for d in range(label_D.size):
        length_s = offset_D[d] - onset_D[d]
        inside((onset_D[d], offset_D[d]), gts, rule, precision_K, carry_K)
        own = label_D[d]
        if reached(precision_K[own], dtc, length_s, rule):
            cover(own, (onset_D[d], offset_D[d]), gts, rule, coverage_G)
            continue
        if is_heard(onset_D[d], offset_D[d], duration_s, rule):
            n_used = _bump(tally, n_used, own * width + FP)
        for other in gt_label_G:  # of hundreds of classes a clip has a few
            if other != own and reached(precision_K[other], cttc, length_s, rule):
                n_used = _bump(tally, n_used, own * width + CT + other)
            precision_K[other] = 0.0  # so that each class counts once
    for g in range(gt_label_G.size):
        if reached(coverage_G[0, g], gtc, gt_offset_G[g] - gt_onset_G[g], rule):
            n_used = _bump(tally, n_used, gt_label_G[g] * width + TP)
    return n_used


@njit(cache=True, nogil=True)
def reached(overlap: float, criterion: float, length_s: float, rule: float) -> bool:
    """Return whether an overlap (a share, or seconds where these are rounded) fulfils a criterion."""
    if rule == EXACT:
        return overlap > 0 and overlap >= criterion
    return overlap > 0 and np.rint(overlap * rule) >= np.rint(criterion * length_s * rule)


@njit(cache=True, nogil=True)
def is_heard(onset: float, offset: float, duration_s: float, rule: float) -> bool:
    """Return whether a false alarm counts; in a clip of unknown duration none does."""
    if rule == EXACT:
        return onset < duration_s and offset > 0
    return not np.isnan(duration_s)


@njit(cache=True, nogil=True)
def inside(
    span: tuple[float, float],
    gts: Arrays,
    rule: float,
    precision_K: np.ndarray,
    carry_K: np.ndarray,
) -> None:
    """Fill in the share (or seconds) of one detection that lies in the events of each class; those of classes without events
    stay as they are.
    """
    gt_label_G, gt_onset_G, gt_offset_G = gts
    onset, offset = span
    whole = offset - onset if rule == EXACT else 1.0
    for label in gt_label_G:
        precision_K[label] = carry_K[label] = 0.0
    for g in range(gt_label_G.size):
        if onset < gt_offset_G[g] and gt_onset_G[g] < offset:
            overlap_s = min(offset, gt_offset_G[g]) - max(onset, gt_onset_G[g])
            kahan(precision_K, carry_K, gt_label_G[g], overlap_s / whole)


@njit(cache=True, nogil=True)
def cover(
    label: int, span: tuple[float, float], gts: Arrays, rule: float, coverage_G: np.ndarray
) -> None:
    """Add the share (or seconds) of each event of the class that one accepted detection covers."""
    gt_label_G, gt_onset_G, gt_offset_G = gts
    onset, offset = span
    for g in range(gt_label_G.size):
        if gt_label_G[g] == label and onset < gt_offset_G[g] and gt_onset_G[g] < offset:
            overlap_s = min(offset, gt_offset_G[g]) - max(onset, gt_onset_G[g])
            whole = gt_offset_G[g] - gt_onset_G[g] if rule == EXACT else 1.0
            kahan(coverage_G[0], coverage_G[1], g, overlap_s / whole)


@njit(cache=True, nogil=True)
def kahan(sums: np.ndarray, carries: np.ndarray, i: int, value: float) -> None:
    """Add a value to sum i with Kahan's compensation."""
    corrected = value - carries[i]
    total = sums[i] + corrected
    carries[i] = (total - sums[i]) - corrected
    sums[i] = total


@njit(cache=True, nogil=True)
def _bump(tally: tuple[np.ndarray, np.ndarray, int], n_used: int, column: int) -> int:
    counts_C, used_C, _ = tally
    if counts_C[column] == 0:
        used_C[n_used] = column
        n_used += 1
    counts_C[column] += 1
    return n_used
