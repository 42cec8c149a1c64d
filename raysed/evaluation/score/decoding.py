"""The detections of a folder of frame scores: at the threshold of the F1 scores, and at the operating points of PSDS."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from raysed.evaluation.counts.large_scores import LargeScores
from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import NO_SCORE, FrameScores
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.detections.score_files import AnyScores, ScoreFiles
from raysed.evaluation.detections.score_parts import over_parts


class Decoding(NamedTuple):
    """The way from scores to detections."""

    threshold: float | None
    """The threshold of the F1 scores; None: 0.5."""
    at_threshold: bool
    """True where a frame whose score equals a threshold belongs to an event."""
    needed: bool = True
    """False where no metric needs the detections: then scores that stay in their files are not read for them."""
    ahead: tuple[tuple[float, ...], float] | None = None
    """The running medians and the false alarms an hour of the first PSDS over all thresholds (LargeScores.ahead): what it needs
    of scores that stay in their files is kept when detections are decoded."""


AS_DCASE_UTIL = Decoding(threshold=None, at_threshold=True)


@dataclass(frozen=True)
class Decoded:
    """Detections of frame scores."""

    threshold: float
    detections: Events
    points: dict[float, Events]
    """The detections at the operating points."""
    scores: AnyScores
    """The scores of the set's classes."""
    foreign: Counter[str]
    """The number of detections of each other class."""
    span_N2: np.ndarray
    """The first and last edge of each clip's frames, seconds; (0, 2) where they were not read."""
    warnings: tuple[str, ...]


def decode_folder(
    folder: Path,
    scores: AnyScores,
    foreign: Sequence[str],
    decoding: Decoding,
    large: LargeScores | None = None,
) -> Decoded:
    """Decode scores of the set's classes, then of the `foreign` ones, whose detections are only counted. What `large` will need
    of score files is kept on the way.
    """
    chosen = 0.5 if decoding.threshold is None else decoding.threshold
    n_classes = scores.n_classes - len(foreign)
    own, warnings = scores.classes(slice(n_classes)), ()
    if isinstance(scores, ScoreFiles) and not decoding.needed:
        nothing = Events.sort([], [], [], [])
        return Decoded(chosen, nothing, {}, own, Counter(), np.zeros((0, 2)), ())

    keep = large.ahead(*decoding.ahead) if large is not None and decoding.ahead else None

    def look(clips: slice, part: FrameScores) -> tuple:
        of_set, others = part.classes(slice(n_classes)), part.classes(slice(n_classes, None))
        at = decoding.at_threshold
        alarm_E = others.decode(chosen, at_threshold=at).label_E
        found = decode_many(of_set, (*THRESHOLDS, chosen), clips.start, at_threshold=at)
        highest_NK = of_set.scores_NTK.max(axis=1)
        if keep is not None:
            keep(clips, of_set)
        return found, alarm_E, highest_NK, of_set.in_unit_interval, part.edges_NT1[:, [0, -1]]

    columns = zip(*over_parts(scores, look, "detections"), strict=True)
    found, alarms, highest, inside, spans = columns
    thresholds, points = THRESHOLDS, [each[:-1] for each in found]
    if not all(inside):
        thresholds = value_points(np.concatenate(highest))

        def look_again(clips: slice, part: FrameScores) -> list[Events]:
            return decode_many(part, thresholds, clips.start, at_threshold=decoding.at_threshold)

        points = over_parts(own, look_again, "operating points")
        hint = " (--threshold)" if decoding.threshold is None else ""
        warnings = (
            f"{folder}: scores outside [0, 1]: F1 at {chosen} of the values as they are{hint}; PSDS from "
            f"{len(thresholds)} thresholds between {thresholds[0]:g} and {thresholds[-1]:g}, taken from them",
        )
    labels = Counter(foreign[k] for k in np.concatenate(alarms).tolist())
    at_points = dict(zip(thresholds, map(_joined, zip(*points, strict=True)), strict=True))
    detections, span_N2 = _joined(each[-1] for each in found), np.concatenate(spans)
    return Decoded(chosen, detections, at_points, own, labels, span_N2, warnings)


def decode_many(
    scores: FrameScores, thresholds: Iterable[float], first: int, *, at_threshold: bool
) -> list[Events]:
    """Return what `scores.decode` finds at each threshold, in clips that are numbered from `first` on.

    Only clips and classes with a score that high are looked at.
    """
    highest_NK = scores.scores_NTK.max(axis=1)
    found = []
    for threshold in thresholds:
        clip_C, label_C = np.nonzero(highest_NK >= scores.scores_NTK.dtype.type(threshold))
        cells_CT1 = scores.scores_NTK[clip_C, :, label_C][:, :, None]
        cells = FrameScores(cells_CT1, scores.edges_NT1[clip_C])
        events = cells.decode(threshold, at_threshold=at_threshold)
        cell_E = events.clip_E
        found.append(
            Events.sort(first + clip_C[cell_E], label_C[cell_E], events.onset_E, events.offset_E)
        )
    return found


def value_points(highest_NK: np.ndarray) -> tuple[float, ...]:
    """Return at most as many operating points as `THRESHOLDS` has, for scores on any scale, ascending.

    They are quantiles of the highest score of each clip and class, so that a monotone change of the scale finds
    the same events at them.
    """
    given = np.unique(highest_NK[highest_NK > NO_SCORE])
    shares = (np.arange(len(THRESHOLDS)) + 0.5) / len(THRESHOLDS)
    return tuple(np.unique(np.quantile(given, shares, method="inverted_cdf")).tolist())


def _joined(parts: Iterable[Events]) -> Events:
    fields = zip(*(vars(events).values() for events in parts), strict=True)
    return Events(*map(np.concatenate, fields))
