"""The work of `raysed score`: it reads files and returns every metric with its interval, as one plain
dictionary.

About 4 s for 1168 clips, 50 operating points and 10,000 draws, twice that with `versus`.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.event_table import (
    read_durations_tsv,
    read_events_tsv,
    refuse_soft_labels,
)
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.overlaps import merged, overlapping
from raysed.evaluation.intervals.bootstrap import class_intervals, interval
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS, NamedMetric, metric_names
from raysed.evaluation.metrics.threshold_free import threshold_free_psds
from raysed.evaluation.score.predictions import Predictions, read_predictions
from raysed.evaluation.score.remarks import other_spelling, unused_columns
from raysed.storage.clip_name import match_clips

UNKNOWN_S = 1e6
"""Stands for a duration that was not given: every detection counts, and there is no PSDS."""

PER_CLASS = ("event_f1", "intersection_f1", "segment_f1")
"""The metrics whose classes are listed."""


@dataclass(frozen=True)
class ScoreRequest:
    """A request to score predictions."""

    predictions: Path
    ground_truth: Path
    durations: Path | None = None
    versus: Path | None = None
    overlaps: str = "refuse"
    """The treatment of overlapping ground truth of one class: refuse, merge or keep."""
    threshold: float | None = None
    at_threshold: Literal["event", "none"] = "event"
    """A score of a score file that equals the threshold: an event, or none."""
    draws: int = 10_000
    seed: int = 0
    metrics: tuple[str, ...] = COUNT_METRICS

    def __post_init__(self) -> None:
        """Refuse unknown metrics and ways to treat overlaps, and thresholds that are no number."""
        metric_names(self.metrics)
        if self.overlaps not in ("refuse", "merge", "keep"):
            raise ValueError(f"--overlaps {self.overlaps}: expected refuse, merge or keep")
        if self.threshold is not None and not np.isfinite(self.threshold):
            raise ValueError(f"--threshold {self.threshold} is not a number")


def score(request: ScoreRequest) -> dict[str, Any]:
    """Return every metric as {"value", "low", "high", "se"} (fractions; None where undefined).

    Raises ValueError, naming file and line, for input that cannot be scored.
    """
    reference, warnings = read_reference(request)
    system = _read(request, request.predictions, reference)
    warnings += system.warnings
    statistics = _collect(request, reference, system)
    found: dict[str, Any] = {
        "clips": len(reference.filenames),
        "classes": list(reference.classes),
        "draws": request.draws,
        "seed": request.seed,
    }
    lost = 0
    for name in request.metrics:
        if name in DEFINITIONS and not statistics.psds:
            found[name] = None
            continue
        value = interval(METRICS[name], statistics, draws=request.draws, seed=request.seed)
        lost = max(lost, value.lost)
        fields = ("value", "low", "high", "se", "jackknife_se")
        found[name] = {field: _known(getattr(value, field)) for field in fields}
    found["threshold"] = system.threshold
    if "event_f1" in found:
        found["event_f1"]["threshold"] = system.threshold
    found["per_class"] = _per_class(request, statistics, reference)
    found["all_thresholds"] = _all_thresholds(request, reference, system)
    if lost:
        warnings += (
            f"in {lost} of {request.draws} draws a class lost all its events and was left out",
        )
    found["versus"] = None
    if request.versus is not None:
        found["versus"], more = _versus(request, reference, system, statistics)
        warnings += more
    found["warnings"] = list(warnings)
    return found


def read_reference(request: ScoreRequest) -> tuple[Reference, tuple[str, ...]]:
    """Read the clips of the ground truth and the durations; return them with the warnings about them."""
    path = request.ground_truth
    table = read_events_tsv(path)
    refuse_soft_labels(table)
    classes = sorted(set(table["event_label"].dropna()))
    if not classes:
        raise ValueError(f"{path}: no events, so nothing can be scored")
    warnings = unused_columns(table)
    if request.durations is None:
        durations_s = dict.fromkeys(table["filename"], UNKNOWN_S)
        warnings += ("no durations (--durations), so there is no PSDS",)
    else:
        durations_s, more = _durations(request.durations, table)
        warnings += more
    reference = Reference.from_frame(table, durations_s, classes)
    events, more = _without_overlaps(request, reference, table)
    repaired = Reference(reference.filenames, reference.durations_s, reference.classes, events)
    return repaired, warnings + more


def _durations(path: Path, table: pd.DataFrame) -> tuple[dict[str, float], tuple[str, ...]]:
    """Read the seconds of each clip, called as the ground truth calls it, and remarks about the names."""
    given_s = read_durations_tsv(path)
    clip_of = match_clips(given_s, table["filename"])
    durations_s = {clip_of.get(name, name): seconds for name, seconds in given_s.items()}
    unknown = table.loc[~table["filename"].isin(list(durations_s))]
    if len(unknown):
        raise ValueError(
            f"{table.attrs['path']}, line {unknown.index[0]}: clip {unknown['filename'].iloc[0]} has no "
            f"duration in {path} ({unknown['filename'].nunique()} such clips)"
        )
    return durations_s, other_spelling(path, clip_of)


def _read(request: ScoreRequest, path: Path, reference: Reference) -> Predictions:
    return read_predictions(
        path, reference, request.threshold, at_threshold=request.at_threshold == "event"
    )


def _without_overlaps(
    request: ScoreRequest, reference: Reference, table: pd.DataFrame
) -> tuple[Events, tuple[str, ...]]:
    events = reference.events
    overlap_E = overlapping(events)
    if not overlap_E.any():
        return events, ()
    first = int(np.argmax(overlap_E))
    clip, label = events.clip_E[first], events.label_E[first]
    row = (
        (table["filename"] == reference.filenames[clip])
        & (table["event_label"] == reference.classes[label])
        & (table["onset"] == events.onset_E[first])
        & (table["offset"] == events.offset_E[first])
    )
    count, clips = int(overlap_E.sum()), len(set(events.clip_E[overlap_E]))
    place = (
        f"{request.ground_truth}, line {table.index[row][-1]}: {reference.classes[label]} of clip "
        f"{reference.filenames[clip]} overlaps an earlier event of its class "
        f"({count} such events in {clips} clips)"
    )
    if request.overlaps == "refuse":
        raise ValueError(f"{place}; use --overlaps merge or --overlaps keep")
    if request.overlaps == "merge":
        return merged(events), (f"{place}: merged",)
    return events, (f"{place}: kept, each counts",)


def _collect(request: ScoreRequest, reference: Reference, system: Predictions) -> Statistics:
    points = None if request.durations is None else system.points
    return collect(reference, system.detections, points)


def _per_class(
    request: ScoreRequest, statistics: Statistics, reference: Reference
) -> dict[str, dict[str, Any]]:
    tables = {
        name: class_intervals(
            partial(_classwise, METRICS[name]),
            statistics,
            draws=request.draws,
            seed=request.seed,
        )
        for name in PER_CLASS
        if name in request.metrics
    }
    n_events_K = statistics.event.n_ref_NK.sum(axis=0)
    return {
        label: {"events": int(n_events_K[k])}
        | {
            name: dict(zip(("value", "low", "high", "se"), map(_known, table_K4[k]), strict=True))
            for name, table_K4 in tables.items()
        }
        for k, label in enumerate(reference.classes)
    }


def _classwise(
    metric: NamedMetric, statistics: Statistics, weights_BN: np.ndarray | None
) -> np.ndarray:
    found_BK = metric.per_class(statistics, weights_BN)
    assert found_BK is not None
    return found_BK


def _all_thresholds(
    request: ScoreRequest, reference: Reference, system: Predictions
) -> dict[str, float | None] | None:
    if system.scores is None or request.durations is None:
        return None
    return {
        name: _known(threshold_free_psds(reference, system.scores, definition))
        for name, definition in DEFINITIONS.items()
    }


def _versus(
    request: ScoreRequest, reference: Reference, system: Predictions, statistics: Statistics
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the paired differences: the predictions minus those of `versus`."""
    assert request.versus is not None
    other = _read(request, request.versus, reference)
    counted = _collect(request, reference, other)
    warnings = other.warnings
    if system.threshold != other.threshold:
        warnings += (
            f"F1 compares operating points {system.threshold} and {other.threshold} "
            "(None: a single TSV does not say)",
        )
    if statistics.thresholds != counted.thresholds:
        warnings += ("the systems have different operating points, so PSDS is not compared",)
        statistics, counted = statistics.without_psds(), counted.without_psds()
    found: dict[str, Any] = {}
    for name in request.metrics:
        found[name] = None
        if name in DEFINITIONS and not statistics.psds:
            continue
        difference = paired_difference(
            METRICS[name],
            statistics,
            counted,
            draws=request.draws,
            permutations=request.draws,
            seed=request.seed,
        )
        fields = ("difference", "low", "high", "p", "se")
        found[name] = {field: _known(getattr(difference, field)) for field in fields}
    return found, warnings


def _known(value: float) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return None if np.isnan(value) else float(value)
