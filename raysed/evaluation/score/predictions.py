"""Reading of anyone's predictions: a TSV, a folder of operating points, or a folder of frame scores."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from raysed.evaluation.counts.large_scores import LargeScores
from raysed.evaluation.detections.event_table import (
    COLUMNS,
    read_events_tsv,
    refuse_rows,
)
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FRAME, score_files
from raysed.evaluation.detections.score_files import AnyScores, ScoreFiles, open_score_folder
from raysed.evaluation.score import remarks
from raysed.evaluation.score.decoding import AS_DCASE_UTIL, Decoding, decode_folder
from raysed.evaluation.score.label_map import mapped_scores
from raysed.pulse import Pulse, silent
from raysed.storage.clip_name import match_clips
from raysed.storage.tab_separated import read_header, shown

_THRESHOLD = re.compile(r"(?:.*_th_)?(-?\d*\.?\d+(?:e[-+]?\d+)?)")


@dataclass(frozen=True)
class Predictions:
    """The predictions of one system for a set."""

    detections: Events
    """The detections at `threshold`."""
    threshold: float | None
    """The threshold of the detections; None where it is unknown, as for a single TSV."""
    points: dict[float, Events] | None
    """The detections at the operating points of PSDS; None for a single TSV."""
    scores: AnyScores | None
    """The frame scores; None unless they were given."""
    warnings: tuple[str, ...]
    large: LargeScores | None = None
    """The counts of frame scores that stay in their files."""


@dataclass(frozen=True)
class _Reading:
    """One table of events, read for a set."""

    events: Events
    """Detections of the set's classes."""
    foreign: Counter[str]
    """Detections of other classes."""
    clip_of: dict[str, str]
    """Clips of the set by the table's names for them."""
    unused: tuple[str, ...]


@dataclass(frozen=True)
class ClipSet:
    """The clips that predictions are read for."""

    reference: Reference
    others: tuple[str, ...] = ()
    """Clips of the same set that are not scored, because their recordings are missing: they are passed over."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The names that predictions have for classes of the set, and those of the set."""
    pulse: Pulse = field(default_factory=silent)
    """It is told how far the reading is."""
    chosen: bool = False
    """True where the user named the classes that are scored, so that others may have events, too."""

    @property
    def known(self) -> tuple[str, ...]:
        """Every clip that predictions may name."""
        return (*self.reference.filenames, *self.others)


def read_predictions(path: Path, clips: ClipSet, decoding: Decoding = AS_DCASE_UTIL) -> Predictions:
    """Read the predictions at `path`. Raises ValueError, naming file and line, for whatever does not fit the set."""
    reference, threshold = clips.reference, decoding.threshold
    if not path.is_dir():
        return _one_table(path, clips, threshold)
    scores = score_files(path)
    files = [file for file in scores.values() if file.parent == path]
    first = next(iter(files), next(iter(scores.values()), None))
    if first is not None:
        columns = read_header(first)
        if len(columns) == 1:
            raise ValueError(
                f"{first}, line 1: the only column is {shown(columns[0])}: expected tab-separated columns, of events"
                f" ({', '.join(COLUMNS)}) or of frame scores (onset, offset and one a class)"
            )
        if {*FRAME} < {*columns} and not {"filename", "event_label"} & {*columns}:
            if clips.names:
                return _renamed_scores(path, clips, columns, decoding)
            foreign = sorted({*columns} - {*FRAME} - {*reference.classes})
            found = open_score_folder(path, reference, foreign, clips.others, pulse=clips.pulse)
            return _frame_scores(path, found, foreign, decoding, clips)
    if not files:
        held = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
        there = f"; it holds {held[0]} and {len(held) - 1} more" if held else ""
        raise ValueError(f"{path}: no .tsv file in this folder{there}")
    return _operating_points(files, clips, threshold)


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


def _one_table(path: Path, clips: ClipSet, threshold: float | None) -> Predictions:
    reading = _read(path, clips)
    warnings = reading.unused + _remarks(path, clips, [reading])
    warnings += remarks.false_alarms(path, reading.foreign, threshold, chosen=clips.chosen)
    if len(reading.events) == 0:
        warnings += (f"{path}: no detections of the classes that are scored",)
    warnings += (f"{path}: one operating point, so there is no PSDS",)
    return Predictions(reading.events, threshold, None, None, warnings)


def _operating_points(files: list[Path], clips: ClipSet, threshold: float | None) -> Predictions:
    places: dict[float, Path] = {}
    for path in files:
        point = threshold_of(path)
        if point in places:
            raise ValueError(f"{path}: threshold {point} again, as in {places[point].name}")
        places[point] = path
    readings = {point: _read(path, clips) for point, path in sorted(places.items())}
    points = {point: reading.events for point, reading in readings.items()}
    chosen = nearest(points, 0.5 if threshold is None else threshold)
    folder = files[0].parent
    warnings = readings[chosen].unused + _remarks(folder, clips, list(readings.values()))
    foreign = readings[chosen].foreign
    warnings += remarks.false_alarms(folder, foreign, chosen, chosen=clips.chosen)
    if threshold is not None and chosen != threshold:
        warnings += (f"{folder}: no operating point at {threshold}; {chosen} is used for F1",)
    if not any(len(events) for events in points.values()):
        warnings += (
            f"{folder}: no detections of the classes that are scored at any operating point",
        )
    if len(points) < 10:
        warnings += (f"{folder}: PSDS from {len(points)} operating points is too low",)
    return Predictions(points[chosen], chosen, points, None, warnings)


def _renamed_scores(
    folder: Path, clips: ClipSet, columns: Sequence[str], decoding: Decoding
) -> Predictions:
    """Read score files whose classes have other names than the set's."""
    reference, given = clips.reference, [name for name in columns if name not in FRAME]
    called = {clips.names.get(name, name) for name in given}
    foreign = sorted(called - {*reference.classes})
    nothing = Events.sort([], [], [], [])
    as_given = Reference(reference.filenames, reference.durations_s, tuple(given), nothing)
    read = open_score_folder(folder, as_given, (), clips.others, pulse=clips.pulse)
    found = mapped_scores(read, given, (*reference.classes, *foreign), clips.names)
    made = _frame_scores(folder, found, foreign, decoding, clips)
    if without := [label for label in reference.classes if label not in called]:
        line = f"{folder}: no scores of {', '.join(without)}: nothing of it is found"
        made = replace(made, warnings=(*made.warnings, line))
    return made


def _frame_scores(
    folder: Path, scores: AnyScores, foreign: list[str], decoding: Decoding, clips: ClipSet
) -> Predictions:
    """Decode scores, which are of the classes of the set, then of the foreign ones."""
    reference = clips.reference
    own, large = slice(len(reference.classes)), None
    if isinstance(scores, ScoreFiles):
        large = LargeScores(reference, scores.classes(own))
    found = decode_folder(folder, scores, foreign, decoding, large)
    said = found.warnings
    said += remarks.false_alarms(folder, found.foreign, found.threshold, chosen=clips.chosen)
    if len(found.span_N2):
        said += remarks.unlike_durations(folder, reference, found.span_N2)
    return Predictions(found.detections, found.threshold, found.points, found.scores, said, large)


def _read(path: Path, clips: ClipSet) -> _Reading:
    reference, table = clips.reference, read_events_tsv(path)
    clip_of = match_clips(table["filename"], clips.known)
    unused = remarks.unused_columns(table) + remarks.other_spelling(path, clip_of)
    if [*clip_of] != [*clip_of.values()]:
        table["filename"] = [clip_of.get(name, name) for name in table["filename"]]
    if clips.others:
        passed_R = table["filename"].isin(clips.others)
        unused += remarks.passed_over(path, table["filename"][passed_R], "row")
        table = table.loc[~passed_R]
        clip_of = {name: clip for name, clip in clip_of.items() if clip not in {*clips.others}}
    table["event_label"] = table["event_label"].replace(dict(clips.names))
    foreign_R = table["event_label"].notna() & ~table["event_label"].isin(reference.classes)
    foreign = Counter(table["event_label"][foreign_R].tolist())
    table.loc[foreign_R, ["onset", "offset", "event_label"]] = None
    unknown_R = ~table["filename"].isin(reference.filenames)
    if unknown_R.any():
        refuse_rows(table, unknown_R, _unknown(reference, table["filename"][unknown_R].iloc[0]))
    events = Events.from_frame(table, reference.filenames, reference.classes)
    return _Reading(events, foreign, clip_of, unused)


def _unknown(reference: Reference, name: str) -> str:
    """Return the complaint about a name that is no clip's, or one of two for a clip."""
    if clip := match_clips([name], reference.filenames).get(name):
        return f"is {clip}, which other rows call otherwise: give it one name"
    words = f"is not one of the {len(reference.filenames)} clips of the set"
    if (reference.durations_s >= remarks.UNKNOWN_S).all():
        words += (
            ", which are those of the ground truth: a clip without events needs a row there, its filename alone, or"
            " --durations with all clips"
        )
    return words


def _remarks(path: Path, clips: ClipSet, readings: list[_Reading]) -> tuple[str, ...]:
    named = {clip for reading in readings for clip in reading.clip_of.values()}
    filenames = clips.reference.filenames
    return remarks.without_rows(
        path, named, filenames, listed=bool(clips.others)
    ) + remarks.overlaps(path, *(reading.events for reading in readings))
