"""Counts of what one system gets right and wrong in each clip, as integers."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from raysed.evaluation.counts.intersections import EXACT, FP, TP, intersection_deltas
from raysed.evaluation.counts.matching import event_matches
from raysed.evaluation.detections.events import Events, Reference


class PsdsCriteria(NamedTuple):
    """Tolerances of the intersection criterion (Bilen et al. 2020, section 3)."""

    dtc: float
    """Smallest share of a detection inside events of its class."""
    gtc: float
    """Smallest share of an event covered by accepted detections."""
    cttc: float | None
    """Smallest share of a rejected detection inside events of another class; None: cross-triggers are not
    counted."""

    def numbers(self) -> tuple[float, float, float]:
        """Return the three as the kernels take them, with NaN for no cross-triggers."""
        return self.dtc, self.gtc, np.nan if self.cttc is None else self.cttc


PAPER = PsdsCriteria(0.5, 0.5, 0.3)
PSDS1 = PsdsCriteria(0.7, 0.7, None)
PSDS2 = PsdsCriteria(0.1, 0.1, 0.3)


@dataclass(frozen=True)
class Counts:
    """Counts as int32 (N, K) each: an F1 is 2 tp / (n_sys + n_ref)."""

    tp_NK: np.ndarray
    n_sys_NK: np.ndarray
    n_ref_NK: np.ndarray


@dataclass(frozen=True)
class Deltas:
    """TP, FP and cross-trigger counts as changes between adjacent operating points.

    Sorted by column, clip, point. Column c has the entries start_C[c] to start_C[c + 1] and counts
    column_C[c] = class * (K + 2) + slot, with slot 0 true positives, 1 false positives, 2 + j
    cross-triggers with class j.
    """

    column_C: np.ndarray
    start_C: np.ndarray
    clip_E: np.ndarray
    point_E: np.ndarray
    change_E: np.ndarray

    @classmethod
    def sort(cls, entry_E4: np.ndarray) -> Self:
        """Make the changes from rows of (column, clip, point, change) in any order."""
        order_E = np.lexsort((entry_E4[:, 2], entry_E4[:, 1], entry_E4[:, 0]))
        return cls.of_sorted(entry_E4[order_E])

    @classmethod
    def of_sorted(cls, entry_E4: np.ndarray) -> Self:
        """Make the changes from rows in order of column, clip, point."""
        column_C, start_C = np.unique(entry_E4[:, 0], return_index=True)
        starts = np.append(start_C, len(entry_E4)).astype(np.int64)
        clip_E, point_E, change_E = (np.ascontiguousarray(entry_E4[:, i]) for i in (1, 2, 3))
        return cls(column_C.astype(np.int32), starts, clip_E, point_E, change_E)

    def entries(self) -> np.ndarray:
        """Return the rows as int32 (E, 4): column, clip, point, change."""
        column_E = np.repeat(self.column_C, np.diff(self.start_C))
        return np.stack((column_E, self.clip_E, self.point_E, self.change_E), axis=1)


def event_counts(
    reference: Reference, detections: Events, t_collar_s: float, percentage_of_length: float
) -> Counts:
    """Count onset and offset matches within the collars (sed_eval's event-based metric)."""
    shape = len(reference.filenames), len(reference.classes)
    truth = reference.events
    matched_NK = event_matches(
        arrays_of(truth, shape[0]),
        arrays_of(detections, shape[0]),
        shape[1],
        t_collar_s,
        percentage_of_length,
    )
    return Counts(matched_NK, tally(detections, *shape), tally(truth, *shape))


def intersection_points(
    reference: Reference, points: list[Events], criteria: PsdsCriteria
) -> Deltas:
    """Count intersections at successive operating points; events of zero length are left out."""
    n_clips = len(reference.filenames)
    points = [events.positive() for events in points]
    before_M = np.cumsum([0] + [len(events) for events in points[:-1]])
    start_MN = np.stack(
        [events.starts(n_clips) + before for events, before in zip(points, before_M, strict=True)]
    )
    fields = ("label_E", "onset_E", "offset_E")
    arrays = tuple(
        np.concatenate([getattr(events, field) for events in points]) for field in fields
    )
    truth = arrays_of(reference.events.positive(), n_clips)
    tolerances = (*criteria.numbers(), EXACT)
    durations_s = np.asarray(reference.durations_s, dtype=np.float64)
    return Deltas.sort(
        intersection_deltas(
            truth, (start_MN, *arrays), durations_s, len(reference.classes), tolerances
        )
    )


def intersection_counts(reference: Reference, detections: Events, criteria: PsdsCriteria) -> Counts:
    """Count intersections at one operating point; n_sys is tp + fp, as in psds_eval's F score."""
    n_clips, n_classes = len(reference.filenames), len(reference.classes)
    entry_E4 = intersection_points(reference, [detections], criteria._replace(cttc=None)).entries()
    counts = np.zeros((2, n_clips, n_classes), np.int32)
    for slot in (TP, FP):
        column_E, clip_E, _, change_E = entry_E4[entry_E4[:, 0] % (n_classes + 2) == slot].T
        counts[slot, clip_E, column_E // (n_classes + 2)] = change_E
    return Counts(
        counts[TP], counts[TP] + counts[FP], tally(reference.events.positive(), n_clips, n_classes)
    )


def segment_counts(reference: Reference, detections: Events, segment_s: float) -> Counts:
    """Count the segments of `segment_s` in which a class is active (sed_eval's segment-based metric).

    Segments that begin after the end of the clip do not count, as with sed_eval's
    `evaluated_length_seconds`; where the duration is unknown, all do.
    """
    n_classes, truth = len(reference.classes), reference.events
    n_segments_N = np.ceil(np.nan_to_num(reference.durations_s, nan=np.inf) / segment_s)
    n_ref_NK = _active_segments(truth, n_segments_N, n_classes, segment_s)
    n_sys_NK = _active_segments(detections, n_segments_N, n_classes, segment_s)
    fields = ("clip_E", "label_E", "onset_E", "offset_E")
    both = (np.concatenate((getattr(truth, field), getattr(detections, field))) for field in fields)
    either_NK = _active_segments(Events.sort(*both), n_segments_N, n_classes, segment_s)
    return Counts(n_ref_NK + n_sys_NK - either_NK, n_sys_NK, n_ref_NK)


def _active_segments(
    events: Events, n_segments_N: np.ndarray, n_classes: int, segment_s: float
) -> np.ndarray:
    """Return int32 (N, n_classes): the segments of each clip touched by at least one event."""
    last_E = np.minimum(np.ceil(events.offset_E / segment_s), n_segments_N[events.clip_E])
    first_E, stop_E = np.floor(events.onset_E / segment_s).astype(np.int64), last_E.astype(np.int64)
    cell_E = events.clip_E.astype(np.int64) * n_classes + events.label_E
    order_E = np.lexsort((first_E, cell_E))
    cell_E, first_E, stop_E = cell_E[order_E], first_E[order_E], stop_E[order_E]
    width = int(np.maximum(first_E, stop_E).max(initial=0)) + 1
    first_E, stop_E = first_E + cell_E * width, stop_E + cell_E * width  # on one axis, cells apart
    covered_E = np.maximum.accumulate(np.append(0, stop_E))[:-1]
    new_E = np.maximum(stop_E - np.maximum(first_E, covered_E), 0)
    active = np.bincount(cell_E, weights=new_E, minlength=len(n_segments_N) * n_classes)
    return active.reshape(-1, n_classes).astype(np.int32)


def tag_counts(present_NK: np.ndarray, found_NK: np.ndarray) -> Counts:
    """Count clip-level labels, for sets without strong labels."""
    pair = np.asarray(present_NK, dtype=bool), np.asarray(found_NK, dtype=bool)
    return Counts(
        *(array_NK.astype(np.int32) for array_NK in (pair[0] & pair[1], pair[1], pair[0]))
    )


def arrays_of(events: Events, n_clips: int) -> tuple[np.ndarray, ...]:
    """Return the events as the kernels of `matching` take them."""
    return events.starts(n_clips), events.label_E, events.onset_E, events.offset_E


def tally(events: Events, n_clips: int, n_classes: int) -> np.ndarray:
    """Return the number of events as int32 (n_clips, n_classes)."""
    cell_E = events.clip_E.astype(np.int64) * n_classes + events.label_E
    return (
        np.bincount(cell_E, minlength=n_clips * n_classes)
        .reshape(n_clips, n_classes)
        .astype(np.int32)
    )


def seconds(events: Events, n_clips: int, n_classes: int) -> np.ndarray:
    """Return the seconds of the events as float64 (n_clips, n_classes), each event in full."""
    cell_E = events.clip_E.astype(np.int64) * n_classes + events.label_E
    seconds = np.bincount(
        cell_E, weights=events.offset_E - events.onset_E, minlength=n_clips * n_classes
    )
    return seconds.astype(np.float64).reshape(n_clips, n_classes)  # no events: bincount gives ints
