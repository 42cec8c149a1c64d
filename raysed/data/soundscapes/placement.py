"""The placement of a soundbank's event in a soundscape (Turpault & Serizel 2020; rules of the DESED
generator).

A soundbank folder is named by a class and by what its recordings lack: `_nOn` has no onset, `_nOff` no
offset, `_nOn_nOff` neither. Such sounds must be cut so that the missing edge falls outside the soundscape.
"""

import re
from typing import NamedTuple

import numpy as np

SUFFIXES = ("", "_nOn", "_nOff", "_nOn_nOff")

# At least this much of every event is inside the clip; the same 0.25 s as the shortest label.
MIN_EVENT_S = 0.25

# Scaper fades over 10 ms and cannot render less.
_FADE_S = 0.01

_FOLDER = re.compile(r"(?P<label>.+?)(?P<suffix>(?:_nOn)?(?:_nOff)?)$")
_LIKE_A_SUFFIX = re.compile(r"_n_?o(n|f)", re.IGNORECASE)


class Placement(NamedTuple):
    """The stretch of the source that is heard, and its time in the soundscape, in seconds."""

    source_time: float
    event_time: float
    event_duration: float


def split_label(folder: str) -> tuple[str, str]:
    """Split a foreground folder's name into class and suffix, `Frying_nOff` → `("Frying", "_nOff")`.

    Raises ValueError for a folder that looks suffixed but has none of the four suffixes.
    """
    match = _FOLDER.fullmatch(folder)
    if match is None or _LIKE_A_SUFFIX.search(match["label"]):
        known = ", ".join(SUFFIXES[1:])
        raise ValueError(f"foreground folder {folder!r} has an unknown suffix; known are {known}")
    return match["label"], match["suffix"]


def place(
    suffix: str, source_s: float, duration_s: float, random: np.random.RandomState
) -> Placement:
    """Draw the placement of a source of `source_s` seconds in a soundscape of `duration_s`."""
    if suffix == "_nOn_nOff":
        start = random.uniform(0, max(source_s - duration_s, 0))
        return Placement(start, 0.0, min(source_s, duration_s))
    if suffix == "_nOn":
        start = random.uniform(0, max(source_s - MIN_EVENT_S, 0))
        return Placement(start, 0.0, min(source_s - start, duration_s))
    if suffix == "_nOff":
        # A source shorter than MIN_EVENT_S can only end with the clip if it starts later than the
        # rule's bound.
        earliest = max(0.0, duration_s - source_s)
        onset = random.uniform(earliest, max(earliest, duration_s - MIN_EVENT_S))
        return Placement(0.0, onset, duration_s - onset)
    assert suffix == "", suffix
    if source_s <= duration_s:
        onset = random.uniform(0, duration_s - MIN_EVENT_S)
        return Placement(0.0, onset, min(source_s, duration_s - onset))
    return _place_long(source_s, duration_s, random)


def _place_long(source_s: float, duration_s: float, random: np.random.RandomState) -> Placement:
    """Place a source longer than the clip: its onset, its middle or its offset is heard."""
    if source_s // duration_s > 2:
        part = random.choice(["onset", "middle", "offset"], p=[0.375, 0.25, 0.375])
    else:
        part = random.choice(["onset", "offset"])
    if part == "onset":
        onset = random.uniform(0, duration_s - MIN_EVENT_S)
        return Placement(0.0, onset, duration_s - onset)
    if part == "offset":
        heard_s = max(random.uniform(0, duration_s - MIN_EVENT_S), _FADE_S)
        return Placement(source_s - heard_s, 0.0, heard_s)
    start = random.uniform(duration_s, source_s - duration_s)
    return Placement(start, 0.0, duration_s)
