"""Events as the compiled kernels take them, and what is refused before these see it.

A kernel reads where an index points, so starts and labels are checked here, once and in vectors: a wrong one is a
ValueError, never a crash.
"""

import numpy as np

Arrays = tuple[np.ndarray, ...]
"""start (N + 1,), label_E, onset_E, offset_E: the events of clip n are start[n] to start[n + 1]."""


def check_arrays(
    name: str, events: Arrays, n_clips: int, n_classes: int | None, *, positive: bool = False
) -> None:
    """Raise ValueError unless starts, labels and times fit each other.

    Starts may be (M, N + 1), for M sets of events one after the other. `n_classes` None takes any label;
    `positive` refuses events without length.
    """
    if len(events) != 4:
        raise ValueError(f"{name}: {len(events)} arrays, expected start, label, onset and offset")
    start_MN, label_E, onset_E, offset_E = events
    sizes = {label_E.shape, onset_E.shape, offset_E.shape}
    if len(sizes) != 1 or label_E.ndim != 1:
        raise ValueError(f"{name}: labels, onsets and offsets have the shapes {sorted(sizes)}")
    if start_MN.dtype.kind not in "iu" or label_E.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: starts are {start_MN.dtype}, labels {label_E.dtype}, expected integers"
        )
    _check_starts(name, start_MN, n_clips, label_E.size)
    if not label_E.size:
        return
    if label_E.min() < 0 or (n_classes is not None and label_E.max() >= n_classes):
        raise ValueError(
            f"{name}: labels from {label_E.min()} to {label_E.max()}, expected 0 to {n_classes} - 1"
        )
    if not (np.isfinite(onset_E).all() and np.isfinite(offset_E).all()):
        raise ValueError(f"{name}: an onset or offset is not finite")
    if positive and not (offset_E > onset_E).all():
        raise ValueError(f"{name}: an event has no positive length")


def _check_starts(name: str, start_MN: np.ndarray, n_clips: int, n_events: int) -> None:
    if start_MN.shape[-1:] != (n_clips + 1,):
        raise ValueError(f"{name}: starts {start_MN.shape}, expected (…, {n_clips} clips + 1)")
    if not start_MN.size:
        return
    if start_MN.min() < 0 or start_MN.max() > n_events or (np.diff(start_MN) < 0).any():
        raise ValueError(f"{name}: starts do not rise from 0 to {n_events} events")
