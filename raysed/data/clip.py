"""A clip on its way from a source to a shard: its audio, its labels and its origin."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Event:
    """A sound event: onset and offset in seconds from the clip's start."""

    onset: float
    offset: float
    event_label: str


@dataclass(frozen=True)
class SoftEvent(Event):
    """A class's value over a span of time, from 0 to 1: how sure the annotators are that it sounds."""

    confidence: float


@dataclass(frozen=True)
class Clip:
    """One clip before feature extraction: a recording, or a window of a long one.

    A window's events are in seconds from the recording's start; the first window holds those of the whole recording,
    the others those that reach into them. Its `duration_s` is the recording's.
    `events` is None where the clip has no strong labels, `weak_labels` is None where it has none at all
    (unlabelled); an empty tuple means "labelled, and nothing there". Strongly labelled clips carry both.
    """

    filename: str
    waveform_T: np.ndarray
    """float32, mono, at the job's sample rate."""
    duration_s: float
    """Duration of the recording itself, before padding or truncation."""
    events: tuple[Event, ...] | None
    weak_labels: tuple[str, ...] | None
    source: str
    """JSON text: the file it was read from, of a window also its first sample (`start`); or the soundscape's
    specification."""
    is_lower_rate: bool = False
    """True where audio in it is at a lower rate than the job's; no part of what is stored."""


@dataclass(frozen=True)
class Rejected:
    """A clip that could not be made: it goes to the quarantine list with its reason."""

    filename: str
    reason: str
