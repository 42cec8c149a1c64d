"""Systems that are scored: their predictions become counts, and two of them are compared clip by clip."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.intervals.bootstrap import (
    class_ends,
    class_intervals,
    interval,
    interval_of,
    resampled,
)
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.psds import DEFINITIONS, psds_over
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS, NamedMetric, Values
from raysed.evaluation.metrics.threshold_free import first_counted, pair_psds_all
from raysed.evaluation.score import remarks
from raysed.evaluation.score.decoding import Decoding
from raysed.evaluation.score.ground_truth import ScoredSet
from raysed.evaluation.score.label_map import read_label_map
from raysed.evaluation.score.predictions import ClipSet, Predictions, read_predictions
from raysed.evaluation.score.request import ScoreRequest
from raysed.freed_memory import return_freed

Known = dict[str, Any]
"""Numbers of an estimate for JSON, None for what is not known, and `method` where an interval is not BCa's."""
Estimate = tuple[Known | None, list[Known]]
"""A metric with its interval, and its classes with theirs."""
PER_CLASS = ("event_f1", "intersection_f1", "segment_f1")
"""The metrics of counts whose classes are listed; those of scores all are."""
ENDS = ("value", "low", "high", "se")
ALL_THRESHOLDS = ("psds", "psds_2020", "psds1", "psds2")
"""The metrics of operating points that are shown over all thresholds beside them."""
PAIRS: dict[tuple[str, str], Values] = {
    ("psds", "psds_2020"): psds_over,
    ("psds_all", "psds_2020_all"): pair_psds_all,
}
"""Metrics that differ in a divisor alone, and what computes both (B, 2)."""


@dataclass(frozen=True)
class System:
    """One system on the clips that are scored."""

    path: Path
    predictions: Predictions
    statistics: Statistics

    timed: bool
    """True where the durations of the clips are known."""

    def has(self, metric: str) -> bool:
        """Tell whether the metric can be computed: without operating points and durations there is no PSDS."""
        if METRICS[metric].needs == "scores":
            known_s = self.timed or not METRICS[metric].needs_durations
            return self.statistics.scored is not None and known_s
        return bool(self.statistics.psds) or metric not in DEFINITIONS


def read_system(request: ScoreRequest, path: Path, scored: ScoredSet) -> System:
    """Read predictions for the clips that are scored, and count."""
    found = read_for(request, path, scored.reference, scored.missing)
    _refuse_without_scores(path, request.metrics, found)
    edges = remarks.met_exactly(path, scored.reference, found.detections)
    late = remarks.after_the_end(path, scored.reference, found.detections)
    found = replace(found, warnings=found.warnings + edges + late)
    statistics = replace(count(request, scored.reference, found), groups_N=scored.groups_N)
    if request.engine is None:  # nobody needs them again, and of a large set they are much
        found = replace(found, points=None)
    return_freed()  # draws take much, and counting may have taken more
    return System(path, found, statistics, request.durations is not None)


def _refuse_without_scores(path: Path, metrics: Iterable[str], found: Predictions) -> None:
    asked = [name for name in metrics if METRICS[name].needs == "scores"]
    if asked and found.scores is None:
        raise ValueError(
            f"{path}: {', '.join(asked)} {'needs' if len(asked) == 1 else 'need'} the score of every frame: "
            "give a folder with one file of scores a clip (columns onset, offset and a class each), or name "
            f"metrics of operating points ({', '.join(COUNT_METRICS)})"
        )


def read_for(
    request: ScoreRequest, path: Path, reference: Reference, others: Iterable[str] = ()
) -> Predictions:
    """Read predictions for these clips; those of the clips `others` are passed over."""
    names = read_label_map(request.label_map) if request.label_map else {}
    clips = ClipSet(reference, tuple(others), names, request.pulse, bool(request.classes))
    request.pulse.now(f"reading {path.name}")
    of_scores = all(METRICS[name].needs == "scores" for name in request.metrics)
    needed = not of_scores or request.engine in ("sed_eval", "psds_eval")
    decoding = Decoding(
        request.threshold, request.at_threshold == "event", needed, _counted_first(request)
    )
    return read_predictions(path, clips, decoding)


def _counted_first(request: ScoreRequest) -> tuple[tuple[float, ...], float] | None:
    """Return what the first PSDS over all thresholds needs of scores that stay in their files; None where none is asked for."""
    names = request.metrics
    if names == COUNT_METRICS:
        names = tuple(f"{name}_all" for name in ALL_THRESHOLDS)
    of_files = [METRICS[name] for name in names if METRICS[name].by == "threshold_free.psds_all"]
    return first_counted(of_files[0]) if of_files and request.durations is not None else None


def count(request: ScoreRequest, reference: Reference, found: Predictions) -> Statistics:
    """Return the counts of predictions; without durations there are none for PSDS."""
    points = None if request.durations is None else found.points
    request.pulse.now("counting at the operating points")
    counted = collect(reference, found.detections, points)
    scored = None if found.scores is None else Scored.of(reference, found.scores, found.large)
    return replace(counted, scored=scored)


def differences(
    request: ScoreRequest, system: System, other: System
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the paired differences, the first system minus the other, and warnings."""
    warnings = other.predictions.warnings
    ours, theirs = system.statistics, other.statistics
    if system.predictions.threshold != other.predictions.threshold:
        warnings += (
            f"F1 compares operating points {system.predictions.threshold} and {other.predictions.threshold} "
            "(None: a single TSV does not say)",
        )
    if ours.thresholds != theirs.thresholds:
        warnings += ("the systems have different operating points, so PSDS is not compared",)
        ours, theirs = ours.without_psds(), theirs.without_psds()
    found: dict[str, Any] = {}
    for name in compared(request, system, other):
        found[name] = None
        if name in DEFINITIONS and not ours.psds:
            continue
        if not (system.has(name) and other.has(name)):
            continue
        request.pulse.now(f"{name}: {request.draws} draws and exchanges of both systems")
        difference = paired_difference(
            METRICS[name],
            ours,
            theirs,
            draws=request.draws,
            permutations=request.draws,
            seed=request.seed,
        )
        if not np.isnan(difference.difference):
            found[name] = fields_of(difference, ("difference", "low", "high", "p", "se"))
    return found, warnings


def compared(request: ScoreRequest, system: System, other: System) -> tuple[str, ...]:
    """Return the metrics in which two systems are compared: the asked ones, and unless some were named, those over all
    thresholds where both have scores.
    """
    names = request.metrics
    if names == COUNT_METRICS:
        more = (f"{name}_all" for name in ALL_THRESHOLDS)
        names += tuple(name for name in more if system.has(name) and other.has(name))
    return names


def estimate(request: ScoreRequest, name: str, system: System) -> Estimate:
    """Return a metric with its interval, None where operating points or durations are missing, and the values of its
    classes, none where they are not listed.
    """
    listed, metric = name in classes_of(request, system), METRICS[name]
    if not listed or request.method == "paper" or metric.by_class:
        whole = value_of(request, name, system, (*ENDS, "jackknife_se"))
        return whole, class_values(request, name, system.statistics) if listed else []
    request.pulse.now(f"{name}: {request.draws} draws")
    drawn = {"draws": request.draws, "seed": request.seed}
    found = resampled(metric.with_classes, system.statistics, **drawn)
    value = interval_of(found.column(0), system.statistics, seed=request.seed)
    classes = _class_rows(class_ends(found.column(slice(1, None))))
    return interval_fields(value, (*ENDS, "jackknife_se")), classes


def psds_together(request: ScoreRequest, system: System) -> dict[str, Estimate]:
    """Return both PSDS of the paper, which differ in a divisor alone, from one reading of the counts where both are asked
    for; those over all thresholds likewise.
    """
    made: dict[str, Estimate] = {}
    for names in PAIRS:
        if {*names} <= {*request.metrics}:
            made |= {
                name: (value, _listed_classes(request, name, system))
                for name, value in pair_of(request, names, system, (*ENDS, "jackknife_se")).items()
            }
    return made


def pair_of(
    request: ScoreRequest, names: tuple[str, str], system: System, fields: Iterable[str]
) -> dict[str, Known | None]:
    """Return both metrics of one of PAIRS with their intervals, as `value_of` does; none where it has to do it."""
    if request.method == "paper" or not system.has(names[0]):
        return {}
    request.pulse.now(f"{' and '.join(names)}: {request.draws} draws")
    drawn = {"draws": request.draws, "seed": request.seed}
    found = resampled(PAIRS[names], system.statistics, **drawn)
    intervals = (
        interval_of(found.column(place), system.statistics, seed=request.seed) for place in (0, 1)
    )
    return {
        name: interval_fields(each, fields) for name, each in zip(names, intervals, strict=True)
    }


def _listed_classes(request: ScoreRequest, name: str, system: System) -> list[Known]:
    listed = name in classes_of(request, system)
    return class_values(request, name, system.statistics) if listed else []


def value_of(
    request: ScoreRequest, name: str, system: System, fields: Iterable[str]
) -> Known | None:
    """Return a metric with its interval, None where operating points or durations are missing."""
    if not system.has(name):
        return None
    request.pulse.now(f"{name}: {request.draws} draws")
    drawn = {"draws": request.draws, "seed": request.seed}
    found = interval(METRICS[name], system.statistics, method=request.method, **drawn)
    return interval_fields(found, fields)


def class_values(request: ScoreRequest, metric: str, statistics: Statistics) -> list[Known]:
    """Return the value of each class with its interval."""
    return _class_rows(
        class_intervals(
            partial(_classwise, METRICS[metric]), statistics, draws=request.draws, seed=request.seed
        )
    )


def _class_rows(table_K5: np.ndarray) -> list[Known]:
    return [
        dict(zip(ENDS, map(known, row[:4]), strict=True))
        | method_of("moved" if row[4] == 1 else "bca")
        for row in table_K5
    ]


def classes_of(request: ScoreRequest, system: System) -> tuple[str, ...]:
    """Return the metrics of a system whose classes are listed: unless metrics were named, the F1 scores only."""
    named = request.metrics != COUNT_METRICS
    return tuple(
        name
        for name in request.metrics
        if (
            name in PER_CLASS
            or METRICS[name].needs == "scores"
            or (named and METRICS[name].by_class)
        )
        and system.has(name)
    )


def _classwise(
    metric: NamedMetric, statistics: Statistics, weights_BN: np.ndarray | None
) -> np.ndarray:
    found_BK = metric.per_class(statistics, weights_BN)
    assert found_BK is not None
    return found_BK


def fields_of(value: Any, names: Iterable[str]) -> Known:
    """Return some fields of an estimate for JSON."""
    return {name: known(getattr(value, name)) for name in names}


def interval_fields(value: Any, names: Iterable[str]) -> Known:
    """Return some fields of an estimate that has a `method`, and the method where it is not what was asked for."""
    return fields_of(value, names) | method_of(value.method)


def method_of(rule: str) -> dict[str, str]:
    """Return the rule of an interval for JSON, which only names those that are not asked for but taken."""
    return {"method": rule} if rule in ("moved", "symmetric") else {}


def known(value: float) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return None if np.isnan(value) else float(value)
