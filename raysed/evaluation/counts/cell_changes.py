"""Intersection counts of one class at every score that occurs, in some of the clips of a set."""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.intersections import FP, Criteria
from raysed.evaluation.counts.score_changes import FIRST, with_events, without_events


@njit(cache=True, nogil=True)
def cell_deltas(
    reference: Arrays,
    cells: tuple[np.ndarray, np.ndarray, np.ndarray],
    label: int,
    durations_s: np.ndarray,
    rules: tuple[Criteria, float, int],
) -> np.ndarray:
    """Return the changes of one class, `label`, of some clips: `clip_C` with its scores (C, T), and the edges of all.

    `rules`: the criteria, the floor of the scores and how many classes there are.
    """
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    clip_C, score_CT, edges_NT1 = cells
    criteria, floor, n_classes = rules
    out = np.empty((1024, 4), np.int32)
    n_out = 0
    now_C, before_C = np.zeros((2, n_classes * (n_classes + 2)), np.int32)
    frame_T, fallen_T = np.empty(score_CT.shape[1], np.int64), np.empty(score_CT.shape[1])
    for c in range(clip_C.size):
        n = clip_C[c]
        gt = slice(gt_start_N[n], gt_start_N[n + 1])
        gts = (gt_label_E[gt], gt_onset_E[gt], gt_offset_E[gt])
        labels_L = np.unique(gts[0])
        n_given = 0
        for t in range(score_CT.shape[1]):
            if score_CT[c, t] >= floor and score_CT[c, t] > -np.inf:
                frame_T[n_given], fallen_T[n_given] = t, -score_CT[c, t]
                n_given += 1
        if n_given == 0:
            continue
        order_T = frame_T[:n_given][np.argsort(fallen_T[:n_given])]
        place = (score_CT[c], edges_NT1[n], durations_s[n], (n, label, n_classes))
        if (labels_L == label).any():
            counts = (now_C, before_C)
            out, n_out = with_events(order_T, place, (gts, counts), criteria, out, n_out)
        else:
            out, n_out = without_events(order_T, place, (gts, labels_L), criteria, out, n_out)
    return out[:n_out]


@njit(cache=True, nogil=True)
def merged_deltas(
    entry_E4: np.ndarray, place_E: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes of one class between the levels whose numbers are `place_E`, and the number of each. The entries of
    a clip stand one after the other, by falling level. Where frames stood there is FIRST or 0.
    """
    n_slots = n_classes + 2
    change_S, used_S = np.zeros(n_slots, np.int32), np.empty(n_slots, np.int64)
    is_used_S = np.zeros(n_slots, np.bool_)
    out_E4, level_E = np.empty_like(entry_E4), np.empty_like(place_E)
    first, n_out, n_used = 0, 0, 0
    for e in range(place_E.size):
        slot = entry_E4[e, 0] % n_slots
        if not is_used_S[slot]:
            is_used_S[slot] = True
            used_S[n_used] = slot
            n_used += 1
        change_S[slot] += entry_E4[e, 3]
        same_clip = e + 1 < place_E.size and entry_E4[e + 1, 1] == entry_E4[e, 1]
        if same_clip and place_E[e + 1] == place_E[e]:
            continue
        for u in range(n_used):
            slot = used_S[u]
            if change_S[slot] != 0:
                out_E4[n_out, 0] = entry_E4[e, 0] - entry_E4[e, 0] % n_slots + slot
                out_E4[n_out, 1], out_E4[n_out, 2] = entry_E4[e, 1], 0
                out_E4[n_out, 3] = change_S[slot]
                level_E[n_out] = place_E[e]
                n_out += 1
            change_S[slot], is_used_S[slot] = 0, False
        n_used = 0
        if not same_clip:
            _mark_sure(out_E4[first:n_out], n_slots)
            first = n_out
    return out_E4[:n_out], level_E[:n_out]


@njit(cache=True, nogil=True)
def _mark_sure(entry_E4: np.ndarray, n_slots: int) -> None:
    """Mark the changes of one clip from which on it has a false alarm more at every lower level than it surely had before."""
    now = 0
    for e in range(len(entry_E4)):
        now += entry_E4[e, 3] if entry_E4[e, 0] % n_slots == FP else 0
    fewest = now  # at this level and all lower ones
    for e in range(len(entry_E4) - 1, -1, -1):
        if entry_E4[e, 0] % n_slots != FP:
            continue
        now -= entry_E4[e, 3]
        if now < fewest:
            entry_E4[e, 2] = FIRST
            fewest = now
