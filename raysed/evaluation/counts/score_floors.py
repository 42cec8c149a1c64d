"""The scores below which a set has too many false alarms for the area under a curve: floors for `score_deltas`.

A clip without events of a class has a false alarm for each run of frames at or above the threshold. So the false alarms of
a class at a threshold are, over these clips, the rises from below the threshold to it or above: a sum over pairs of
frames, which needs no sorting and no clip twice. Counts of whole sets of clips only grow where more clips are seen.
"""

import numpy as np
from numba import njit

from raysed.evaluation.counts.event_arrays import Arrays, check_arrays
from raysed.evaluation.detections.frame_scores import FrameScores

SIGMAS, RUNS = 10.0, 5.0
"""Standard deviations by which the false alarms of a set exceed those that its draws need, of clips with so many runs."""
COARSE = 128
"""Levels among the scores that a few clips have further below than is likely to be needed."""


def drawn_need(need: float, runs: float = RUNS) -> float:
    """Return the false alarms of a set of which all draws of its clips have `need`."""
    return need + SIGMAS * float(np.sqrt(runs * need))


def levels_of(scores: FrameScores, need: float, n_clips: int) -> np.ndarray:
    """Return levels for each class, falling, float64 (K, Q), from a few of `n_clips` clips of which all together have
    about `need` false alarms where it matters: close together there, coarse below.
    """
    lasting_NT = np.diff(scores.edges_NT1, axis=1) > 0
    share = scores.n_clips / n_clips
    fine = int(min(max(4 * need * share, 2 * COARSE), 32 * COARSE))
    sure = int(1.3 * drawn_need(need, 1.0) * share) + COARSE
    level_KQ = np.empty((scores.n_classes, fine + COARSE))
    for k in range(scores.n_classes):
        score_NT = np.where(lasting_NT, scores.scores_NTK[..., k], -np.inf).astype(np.float64)
        first_N, later_NT = score_NT[:, 0], score_NT[:, 1:][score_NT[:, 1:] > score_NT[:, :-1]]
        own_X = -np.sort(-np.append(first_N[first_N > -np.inf], later_NT))
        if (
            sure < scores.n_clips
        ):  # lower scores need no levels: enough clips have a false alarm there
            own_X = own_X[own_X >= -np.partition(-score_NT.max(axis=1), sure)[sure]]
        last = max(own_X.size - 1, 0)
        place_Q = np.minimum(np.arange(fine), last)
        below_Q = np.linspace(min(fine, last), last, COARSE).astype(np.int64)
        level_KQ[k] = own_X[np.append(place_Q, below_Q)] if own_X.size else -np.inf
    return level_KQ


def count_rises(
    reference: Arrays, scores: FrameScores, durations_s: np.ndarray, level_KQ: np.ndarray
) -> np.ndarray:
    """Count rises of the scores of clips without events of a class, between levels: int64 (3, K, Q + 1).

    First the scores that are risen to, at which there is one more run; then those that are risen from, at which there is
    one less; then the highest score of each clip, below which it has a run. Bin q holds scores from level q on and below
    level q - 1, the last one those below all levels. Clips of unknown duration have no false alarms. Raises ValueError
    for arrays that do not fit each other.
    """
    n_classes, n_levels = level_KQ.shape
    check_arrays("reference events", reference, scores.n_clips, n_classes)
    if scores.n_classes != n_classes or durations_s.shape != (scores.n_clips,):
        raise ValueError(
            f"scores {scores.scores_NTK.shape}, levels {level_KQ.shape}, durations {durations_s.shape}"
        )
    counts_3KQ = np.zeros((3, n_classes, n_levels + 1), np.int64)
    found = scores.scores_NTK
    if found.dtype == np.float16:  # which numba does not compare
        found = found.astype(np.float32)
    _count_rises(reference, (found, scores.edges_NT1), durations_s, level_KQ, counts_3KQ)
    return counts_3KQ


@njit(cache=True, nogil=True)
def _count_rises(
    reference: Arrays,
    scores: tuple[np.ndarray, np.ndarray],
    durations_s: np.ndarray,
    level_KQ: np.ndarray,
    counts_3KQ: np.ndarray,
) -> None:
    gt_start_N, gt_label_E = reference[0], reference[1]
    scores_NTK, edges_NT1 = scores
    n_clips, n_frames, n_classes = scores_NTK.shape
    to_KQ, from_KQ, highest_KQ = counts_3KQ
    last = level_KQ.shape[1]
    counted_K = np.empty(n_classes, np.bool_)
    before_K, highest_K = np.empty((2, n_classes))
    highest_bin_K = np.empty(n_classes, np.int64)
    # Most scores are below all levels. Each class's row of levels and of counts is a page of its own: they wait for the rest.
    lowest_K = level_KQ[:, last - 1].copy()
    low_2K = np.zeros((2, n_classes), np.int64)
    for n in range(n_clips):
        if np.isnan(durations_s[n]):
            continue
        counted_K[:] = True
        for e in range(gt_start_N[n], gt_start_N[n + 1]):
            counted_K[gt_label_E[e]] = False
        before_K[:], highest_K[:] = -np.inf, -np.inf
        for t in range(n_frames):
            if not edges_NT1[n, t + 1] > edges_NT1[n, t]:
                continue
            for k in range(n_classes):
                score, before = scores_NTK[n, t, k], before_K[k]
                before_K[k] = score
                if not (score > before and counted_K[k]):
                    continue
                if score < lowest_K[k]:
                    low_2K[0, k] += 1
                    low_2K[1, k] += before > -np.inf
                    if score > highest_K[k]:
                        highest_K[k], highest_bin_K[k] = score, last
                    continue
                if before > -np.inf:
                    from_KQ[k, _bin(level_KQ[k], before, last)] += 1
                q = _bin(level_KQ[k], score, last)
                to_KQ[k, q] += 1
                if score > highest_K[k]:
                    highest_K[k], highest_bin_K[k] = score, q
        for k in range(n_classes):
            if highest_K[k] > -np.inf:
                highest_KQ[k, highest_bin_K[k]] += 1
    to_KQ[:, last] += low_2K[0]
    from_KQ[:, last] += low_2K[1]


@njit(cache=True, nogil=True)
def _bin(level_Q: np.ndarray, score: float, last: int) -> int:
    """Return how many levels are above the score."""
    if score < level_Q[last - 1]:
        return last
    low, high = 0, last
    if last > COARSE and level_Q[last - COARSE] > score:
        low = last - COARSE + 1  # where most scores are
    while low < high:
        middle = (low + high) // 2
        if level_Q[middle] > score:
            low = middle + 1
        else:
            high = middle
    return low


def floors(counts_3KQ: np.ndarray, level_KQ: np.ndarray, need: float) -> np.ndarray:
    """Return for each class the highest level below which every threshold has so many false alarms, or so many clips with
    one, that draws of clips have `need` of them: float64 (K,), -inf where there is none.
    """
    to_KQ, from_KQ, highest_KQ = counts_3KQ
    fewest_KQ = (
        np.cumsum(to_KQ - from_KQ, axis=1) - to_KQ
    )  # before the bin, less all that it may lose
    sure_KQ = np.cumsum(highest_KQ, axis=1) - highest_KQ
    short_KQ = (fewest_KQ < drawn_need(need)) & (sure_KQ < drawn_need(need, 1.0))
    last_K = short_KQ.shape[1] - 1 - np.argmax(short_KQ[:, ::-1], axis=1)
    level_KQ1 = np.concatenate((level_KQ, np.full((len(level_KQ), 1), -np.inf)), axis=1)
    return np.where(short_KQ.any(axis=1), level_KQ1[np.arange(len(level_KQ)), last_K], -np.inf)
