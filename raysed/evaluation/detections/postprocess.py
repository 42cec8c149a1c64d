"""The way from frame scores to events: threshold, median filter, contiguous regions, seconds.

The median filter acts on the binary map, but the median of an odd window commutes with a threshold:
filtering the scores once and comparing them with any number of thresholds gives the same regions.
50 thresholds over 1168 clips x 157 frames x 10 classes take about 0.2 s on one core.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from raysed.evaluation.detections.events import Events

THRESHOLDS = tuple(point / 100 for point in range(1, 100, 2))
"""The 50 operating points of PSDS: .01, .03 ... .99."""


def decode(
    scores_NTK: np.ndarray,
    threshold: float,
    *,
    median_window: int,
    frame_s: float,
    durations_s: np.ndarray,
) -> Events:
    """Return the events where the median-filtered map of score >= threshold is on; see `decode_points`."""
    points = decode_points(
        scores_NTK,
        (threshold,),
        median_window=median_window,
        frame_s=frame_s,
        durations_s=durations_s,
    )
    return points[threshold]


def decode_points(
    scores_NTK: np.ndarray,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    median_window: int,
    frame_s: float,
    durations_s: np.ndarray,
) -> dict[float, Events]:
    """Return the events at each threshold, for scores of N clips x T frames x K classes.

    Scores are compared in their own precision (float16, float32 or float64), as numpy does.
    `median_window` is an odd number of frames (1: none), the map mirrored at its edges; a frame
    lasts `frame_s` seconds; offsets are cut at the clip's duration (N,), and what begins after it
    is dropped.
    """
    check_window(median_window)
    if scores_NTK.ndim != 3 or len(durations_s) != len(scores_NTK):
        raise ValueError(
            f"scores {scores_NTK.shape} are not (clips, frames, classes) for "
            f"{len(durations_s)} durations"
        )
    if not np.isfinite(scores_NTK).all():
        raise ValueError(
            f"scores of clip {np.argwhere(~np.isfinite(scores_NTK))[0, 0]} are not finite"
        )
    precision = scores_NTK.dtype.type
    filtered_NTK = median_filter(scores_NTK, median_window)
    points = {}
    for threshold in thresholds:
        clip_E, label_E, onset_E, offset_E = regions(filtered_NTK, float(precision(threshold)))
        onset_s_E = onset_E * frame_s
        offset_s_E = np.minimum(offset_E * frame_s, np.asarray(durations_s, np.float64)[clip_E])
        points[threshold] = Events(clip_E, label_E, onset_s_E, offset_s_E).take(
            offset_s_E > onset_s_E
        )
    return points


def median_filter(scores_NTK: np.ndarray, window: int) -> np.ndarray:
    """Return the running median over time, with an odd window and edges mirrored (d c b a | a b c d | d c b
    a) as scipy.ndimage does.

    Returns float32 (float64 for float64 scores). Raises ValueError for a window that is not a positive odd
    number, for scores that are not (clips, frames, classes), and for NaN, which has no place in an order.
    """
    check_window(window)
    check_scores(scores_NTK)
    precision = np.float64 if scores_NTK.dtype == np.float64 else np.float32
    scores_NTK = np.ascontiguousarray(scores_NTK, dtype=precision)
    if window == 1 or scores_NTK.size == 0:
        return scores_NTK
    half = window // 2
    n_frames = scores_NTK.shape[1]
    position_P = np.arange(-half, n_frames + half) % (2 * n_frames)
    mirrored_P = np.where(position_P < n_frames, position_P, 2 * n_frames - 1 - position_P)
    return _running_median(scores_NTK, mirrored_P, window)


@njit(cache=True, nogil=True)
def _running_median(scores_NTK: np.ndarray, frame_P: np.ndarray, window: int) -> np.ndarray:
    """Return the median of each window of the frames in `frame_P`, from a sorted window that slides."""
    n_clips, n_frames, n_classes = scores_NTK.shape
    out_NTK = np.empty_like(scores_NTK)
    ordered_W = np.empty(window, scores_NTK.dtype)
    for n in range(n_clips):
        for k in range(n_classes):
            for filled in range(window):
                _insert(ordered_W, filled, scores_NTK[n, frame_P[filled], k])
            out_NTK[n, 0, k] = ordered_W[window // 2]
            for t in range(1, n_frames):
                gone = scores_NTK[n, frame_P[t - 1], k]
                come = scores_NTK[n, frame_P[t + window - 1], k]
                if gone != come:
                    _remove(ordered_W, window, gone)
                    _insert(ordered_W, window - 1, come)
                out_NTK[n, t, k] = ordered_W[window // 2]
    return out_NTK


@njit(cache=True, nogil=True)
def _insert(ordered_W: np.ndarray, filled: int, value: float) -> None:
    place = filled
    while place > 0 and ordered_W[place - 1] > value:
        ordered_W[place] = ordered_W[place - 1]
        place -= 1
    ordered_W[place] = value


@njit(cache=True, nogil=True)
def _remove(ordered_W: np.ndarray, filled: int, value: float) -> None:
    place = 0
    while ordered_W[place] != value:
        place += 1
    for later in range(place, filled - 1):
        ordered_W[later] = ordered_W[later + 1]


def regions(scores_NTK: np.ndarray, threshold: float) -> tuple[np.ndarray, ...]:
    """Return the runs of score >= threshold by (clip, first): clip, class, first frame, frame after last.

    Raises ValueError for scores that are not (clips, frames, classes), and for NaN among scores or as threshold.
    """
    check_scores(scores_NTK, nan_too=False)
    if np.isnan(threshold):
        raise ValueError(f"threshold {threshold} is not a number")
    if scores_NTK.dtype == np.float16:  # which numba does not compare
        scores_NTK = scores_NTK.astype(np.float32)
    found = _regions(scores_NTK, threshold)
    if found[0] < 0:
        check_scores(scores_NTK)
    return found[1]


def check_window(window: int) -> None:
    """Raise ValueError unless the window of a running median has a middle."""
    if window < 1 or window % 2 == 0:
        raise ValueError(f"median_window {window} is not a positive odd number of frames")


def check_scores(scores_NTK: np.ndarray, *, nan_too: bool = True) -> None:
    """Raise ValueError unless scores are floating-point numbers of (clips, frames, classes)."""
    if scores_NTK.ndim != 3 or scores_NTK.dtype.kind != "f":
        raise ValueError(
            f"scores {scores_NTK.dtype} {scores_NTK.shape} are not floating-point numbers of "
            "(clips, frames, classes)"
        )
    if nan_too and np.isnan(scores_NTK).any():
        clip, frame, label = np.argwhere(np.isnan(scores_NTK))[0].tolist()
        raise ValueError(
            f"the score of clip {clip}, frame {frame}, class {label} is NaN, expected a number; "
            "weights or input that are not finite give such scores"
        )


@njit(cache=True, nogil=True)
def _regions(scores_NTK: np.ndarray, threshold: float) -> tuple[int, tuple[np.ndarray, ...]]:
    """Find the runs; the number of them, or -1 where a score is NaN, and their arrays."""
    n_clips, n_frames, n_classes = scores_NTK.shape
    n_events, n_nan = 0, 0
    for n in range(n_clips):
        for t in range(n_frames):
            for k in range(n_classes):
                on = scores_NTK[n, t, k] >= threshold
                n_nan += np.isnan(scores_NTK[n, t, k])
                # Not "< threshold": the runs counted here must be those filled in below, also with NaN.
                n_events += on and (t == 0 or not scores_NTK[n, t - 1, k] >= threshold)
    clip_E = np.empty(n_events, np.int32)
    label_E = np.empty(n_events, np.int32)
    onset_E = np.empty(n_events, np.int32)
    offset_E = np.full(n_events, n_frames, np.int32)
    open_K = np.full(n_classes, -1)
    event = 0
    for n in range(n_clips):
        open_K[:] = -1
        for t in range(n_frames):
            for k in range(n_classes):
                on = scores_NTK[n, t, k] >= threshold
                if on and open_K[k] < 0:
                    clip_E[event], label_E[event], onset_E[event] = n, k, t
                    open_K[k] = event
                    event += 1
                elif not on and open_K[k] >= 0:
                    offset_E[open_K[k]] = t
                    open_K[k] = -1
    return -1 if n_nan else n_events, (clip_E, label_E, onset_E, offset_E)
