"""Rules on how long a recording may be: which is cut, which is windowed, and which cannot be served."""

from raysed.config.data_job import Features

TOLERATED = 1 / 8
"""The share by which a clip of DESED may pass the set's duration: it is cut there, as in the published system.
DESED's evaluation set has one clip of 11 s."""
LONGEST_S = 3 * 3600
"""A data set's longest recording: its windows are made as one piece of work, of some 6 GB at 16 kHz."""


WHOLE_CLIP_S = 1e9
"""Stands for a clip's end in events that last as long as their clip, before its length is known."""


def is_long(duration_s: float, features: Features, tolerated: float = TOLERATED) -> bool:
    """Tell whether a recording is longer than a clip, so that windows of it are stored."""
    return duration_s > (1 + tolerated) * features.duration_s


def length_fault(duration_s: float, features: Features, *, clip_labels_only: bool) -> str | None:
    """Return why a recording of this length cannot be served, in words that follow its name; None where it can."""
    if not is_long(duration_s, features):
        return None
    if clip_labels_only:
        return (
            f"lasts {duration_s:.1f} s and its labels are of the whole clip: they do not say which of its windows of"
            f" {features.duration_s:g} s hold the sound; set features.duration_s to the longest clip's seconds, or cut it"
        )
    if duration_s > LONGEST_S:
        return (
            f"lasts {duration_s / 3600:.1f} h, longer than the {LONGEST_S // 3600} h that a data set takes; cut it into"
            " parts (`raysed predict` takes any length)"
        )
    return None


def unheard_from_s(duration_s: float, features: Features) -> float:
    """Return the second from which on a clip that is stored as one row was cut; infinity where it was not."""
    return features.duration_s if duration_s > features.duration_s else float("inf")
