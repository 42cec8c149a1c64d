"""Reading of anyone's predictions: a TSV, a folder of operating points, or a folder of frame scores."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from raysed.evaluation.detections.events import Events, Reference, read_events_tsv
from raysed.evaluation.detections.frame_scores import FrameScores, read_score_folder
from raysed.evaluation.detections.overlaps import overlapping
from raysed.evaluation.detections.postprocess import THRESHOLDS

_THRESHOLD = re.compile(r"(?:.*_th_)?(\d*\.?\d+)")


@dataclass(frozen=True)
class Predictions:
    """The predictions of one system for a set."""

    detections: Events
    """The detections at `threshold`."""
    threshold: float | None
    """The threshold of the detections; None where it is unknown, as for a single TSV."""
    points: dict[float, Events] | None
    """The detections at the operating points of PSDS; None for a single TSV."""
    scores: FrameScores | None
    """The frame scores; None unless they were given."""
    warnings: tuple[str, ...]


def read_predictions(path: Path, reference: Reference, threshold: float | None) -> Predictions:
    """Read the predictions at `path`; `threshold` asks for other detections than those at 0.5.

    Raises ValueError, naming file and line, for whatever does not fit the reference.
    """
    if not path.is_dir():
        return _one_table(path, reference, threshold)
    files = sorted(path.glob("*.tsv"))
    if not files:
        raise ValueError(f"{path}: no .tsv file in this folder")
    header = files[0].read_text().split("\n", 1)[0].rstrip("\r").split("\t")
    if {"onset", "offset"} < set(header) and not {"filename", "event_label"} & set(header):
        return _frame_scores(path, reference, threshold)
    return _operating_points(files, reference, threshold)


def threshold_of(path: Path) -> float:
    """Return the threshold that a file name tells: 0.010.tsv, predictions_th_0.01.tsv."""
    found = _THRESHOLD.fullmatch(path.stem)
    if found is None:
        raise ValueError(
            f"{path}: no threshold in the name; expected 0.010.tsv or predictions_th_0.01.tsv "
            "(or a folder of sed_scores_eval score files)"
        )
    return float(found[1])


def nearest(thresholds: Iterable[float], wanted: float) -> float:
    """Return the threshold nearest to `wanted`, the lower of two that are equally near."""
    return min(sorted(thresholds), key=lambda threshold: round(abs(threshold - wanted), 9))


def _one_table(path: Path, reference: Reference, threshold: float | None) -> Predictions:
    detections = _read(path, reference)
    warnings = _doubts(path, detections)
    if len(detections) == 0:
        warnings += (f"{path}: no detections",)
    warnings += (f"{path}: one operating point, so there is no PSDS",)
    return Predictions(detections, threshold, None, None, warnings)


def _operating_points(
    files: list[Path], reference: Reference, threshold: float | None
) -> Predictions:
    places: dict[float, Path] = {}
    for path in files:
        point = threshold_of(path)
        if point in places:
            raise ValueError(f"{path}: threshold {point} again, as in {places[point].name}")
        places[point] = path
    points = {point: _read(path, reference) for point, path in sorted(places.items())}
    chosen = nearest(points, 0.5 if threshold is None else threshold)
    folder = files[0].parent
    warnings = _doubts(folder, *points.values())
    if threshold is not None and chosen != threshold:
        warnings += (f"{folder}: no operating point at {threshold}; {chosen} is used for F1",)
    if not any(len(events) for events in points.values()):
        warnings += (f"{folder}: no detections at any operating point",)
    if len(points) < 10:
        warnings += (f"{folder}: PSDS from {len(points)} operating points is too low",)
    return Predictions(points[chosen], chosen, points, None, warnings)


def _frame_scores(folder: Path, reference: Reference, threshold: float | None) -> Predictions:
    scores = read_score_folder(folder, reference)
    chosen = 0.5 if threshold is None else threshold
    points = {point: scores.decode(point) for point in THRESHOLDS}
    return Predictions(scores.decode(chosen), chosen, points, scores, ())


def _read(path: Path, reference: Reference) -> Events:
    return Events.from_frame(read_events_tsv(path), reference.filenames, reference.classes)


def _doubts(path: Path, *points: Events) -> tuple[str, ...]:
    count = sum(int(overlapping(events).sum()) for events in points)
    if count == 0:
        return ()
    return (
        f"{path}: {count} detections overlap another one of their class and clip; "
        "they are counted as they are (psds_eval refuses them)",
    )
