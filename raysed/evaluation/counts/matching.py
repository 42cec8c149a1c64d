"""The largest one-to-one matching of detections and events within collars, clip by clip.

It follows sed_eval 0.2.1 (Mesaros et al. 2016, DOI 10.3390/app6060162): times are compared as they are, so a
collar that is met exactly may be missed by a rounding error. sed_scores_eval 0.0.4 rounds to 6 decimals first.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays, check_arrays


def event_matches(
    reference: Arrays,
    detections: Arrays,
    n_classes: int,
    t_collar_s: float,
    percentage_of_length: float,
) -> np.ndarray:
    """Return int32 (N, K): the number of detections with a partner, by clip and class."""
    hit_E = event_hits(reference, detections, t_collar_s, percentage_of_length, n_classes)
    start_N, label_E = detections[0], detections[1]
    n_clips = start_N.size - 1
    clip_E = np.repeat(np.arange(n_clips), np.diff(start_N))
    cell_E = (clip_E * n_classes + label_E)[hit_E]
    return (
        np.bincount(cell_E, minlength=n_clips * n_classes)
        .reshape(n_clips, n_classes)
        .astype(np.int32)
    )


def event_hits(
    reference: Arrays,
    detections: Arrays,
    t_collar_s: float,
    percentage_of_length: float,
    n_classes: int | None = None,
) -> np.ndarray:
    """Return bool (E,): the detections that have a partner in the matching.

    Raises ValueError for arrays that do not fit each other, for times or collars that are no numbers, and, with
    `n_classes`, for labels of other classes.
    """
    n_clips = len(detections[0]) - 1
    if reference[0].ndim != 1 or detections[0].ndim != 1:
        raise ValueError("starts of events are not (clips + 1,)")
    check_arrays("reference events", reference, n_clips, n_classes)
    check_arrays("detections", detections, n_clips, n_classes)
    if not (t_collar_s >= 0 and percentage_of_length >= 0):
        raise ValueError(
            f"collars of {t_collar_s} s and {percentage_of_length} of the length: expected at least 0"
        )
    return _event_hits(reference, detections, float(t_collar_s), float(percentage_of_length))


@njit(cache=True, nogil=True)
def _event_hits(
    reference: Arrays, detections: Arrays, t_collar_s: float, percentage_of_length: float
) -> np.ndarray:
    """Return bool (E,): true for detections that have a partner in that matching."""
    gt_start_N, gt_label_E, gt_onset_E, gt_offset_E = reference
    start_N, label_E, onset_E, offset_E = detections
    hit_E = np.zeros(label_E.size, np.bool_)
    for n in range(start_N.size - 1):
        first, last = gt_start_N[n], gt_start_N[n + 1]
        near_DG = np.zeros((start_N[n + 1] - start_N[n], last - first), np.bool_)
        for d in range(near_DG.shape[0]):
            i = start_N[n] + d
            for g in range(near_DG.shape[1]):
                j = first + g
                offset_collar_s = max(
                    t_collar_s, percentage_of_length * (gt_offset_E[j] - gt_onset_E[j])
                )
                near_DG[d, g] = (
                    label_E[i] == gt_label_E[j]
                    and abs(gt_onset_E[j] - onset_E[i]) <= t_collar_s
                    and abs(gt_offset_E[j] - offset_E[i]) <= offset_collar_s
                )
        partner_G = np.full(near_DG.shape[1], -1)
        for d in range(near_DG.shape[0]):
            seen_G = np.zeros(near_DG.shape[1], np.bool_)
            # Once found, a partner may change but is never lost.
            hit_E[start_N[n] + d] = augment(d, near_DG, partner_G, seen_G)
    return hit_E


@njit(cache=True, nogil=True)
def augment(d: int, near_DG: np.ndarray, partner_G: np.ndarray, seen_G: np.ndarray) -> bool:
    """Find a partner for detection d, moving earlier partners where that helps (Kuhn)."""
    for g in range(near_DG.shape[1]):
        if near_DG[d, g] and not seen_G[g]:
            seen_G[g] = True
            if partner_G[g] < 0 or augment(partner_G[g], near_DG, partner_G, seen_G):
                partner_G[g] = d
                return True
    return False
