"""The field's own packages, asked for the same values: `raysed score --engine`.

They are no dependency of raysed: `pip install 'raysed[reference]'` has the versions that the tests compare with.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pandas as pd

from raysed.evaluation.counts.statistics import PUBLISHED
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.score_files import AnyScores
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.score.ground_truth import ScoredSet
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.systems import System, known
from raysed.package_version import version_of

AGREED = 1e-9
"""Largest difference of values that are the same, up to the order of sums."""
_Values = dict[str, tuple[float, float, str]]
"""Metric -> ours, the package's, and a remark on a difference of definition (or nothing)."""


def confirm(request: ScoreRequest, scored: ScoredSet, system: System) -> dict[str, Any]:
    """Return the values of the package that is asked for beside ours; `agrees` where all are the same.

    Where a package defines a metric otherwise, a remark says so and the value is not judged. Raises ValueError where
    the package is not installed, cannot score what is given, or refuses it.
    """
    assert request.engine is not None
    values = _ENGINES[request.engine](_module(request.engine), request, scored.reference, system)
    asked = {
        name: found
        for name, found in values.items()
        if {name, name.removesuffix("_all")} & {*request.metrics}
    }
    rows = {
        name: {
            "ours": known(ours),
            "package": known(theirs),
            "difference": known(abs(ours - theirs)),
            "remark": remark,
        }
        for name, (ours, theirs, remark) in asked.items()
    }
    judged = [row["difference"] for row in rows.values() if not row["remark"]]
    return {
        "name": request.engine,
        "version": version_of(request.engine),
        "metrics": rows,
        "agrees": all(difference is not None and difference <= AGREED for difference in judged),
    }


def _module(engine: str) -> Any:
    try:
        return import_module(engine)
    except ImportError as error:
        raise ValueError(
            f"--engine {engine}: the package is not installed ({error}): pip install 'raysed[reference]'"
        ) from error


def _by_sed_eval(
    package: Any, request: ScoreRequest, reference: Reference, system: System
) -> _Values:
    """Return event and segment F1, clip by clip as DESED's baseline calls sed_eval."""
    labels = list(reference.classes)
    with_events_K = system.statistics.event.n_ref_NK.any(axis=0)
    event = package.sound_event.EventBasedMetrics(
        labels,
        t_collar=PUBLISHED.t_collar_s,
        percentage_of_length=PUBLISHED.percentage_of_length,
        empty_system_output_handling="zero_score",
    )
    segment = package.sound_event.SegmentBasedMetrics(labels, time_resolution=PUBLISHED.segment_s)
    tables = [
        _by_clip(which, reference) for which in (reference.events, system.predictions.detections)
    ]
    for name, duration_s in zip(reference.filenames, reference.durations_s, strict=True):
        rows = [table.get(name) or [{"filename": name}] for table in tables]
        event.evaluate(*rows)
        length = {"evaluated_length_seconds": duration_s} if request.durations else {}
        segment.evaluate(*rows, **length)
    silent_K = (system.statistics.segment.n_sys_NK.sum(axis=0) == 0) & with_events_K
    remark = "sed_eval leaves out a class that is never detected, here it scores 0"
    found: _Values = {}
    for name, metric, note in (
        ("event_f1", event, ""),
        ("segment_f1", segment, remark if silent_K.any() else ""),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # means of nothing
            average = metric.results_class_wise_average_metrics()
        found[name] = (_ours(name, system), float(average["f_measure"]["f_measure"]), note)
    return found


def _by_psds_eval(
    package: Any, request: ScoreRequest, reference: Reference, system: System
) -> _Values:
    """Return intersection F1, and PSDS where there are operating points."""
    if request.durations is None:
        raise ValueError("--engine psds_eval needs --durations: its ground truth has metadata")
    metadata = pd.DataFrame({"filename": reference.filenames, "duration": reference.durations_s})
    about = (package, _table(reference.events, reference), metadata)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _psds_eval_values(about, reference, system)
    except package.psds.PSDSEvalError as error:
        raise ValueError(f"--engine psds_eval: the package refuses this input: {error}") from error


def _psds_eval_values(
    about: tuple[Any, pd.DataFrame, pd.DataFrame], reference: Reference, system: System
) -> _Values:
    judge = _judge(*about, PUBLISHED.intersection)
    f1, _ = judge.compute_macro_f_score(_table(system.predictions.detections, reference))
    no_hit = (system.statistics.intersection.tp_NK.sum(axis=0) == 0).any()
    remark = "psds_eval leaves out a class without a hit, here it scores 0" if no_hit else ""
    found: _Values = {"intersection_f1": (_ours("intersection_f1", system), float(f1), remark)}
    points = system.predictions.points or {}
    for name in ("psds", "psds1", "psds2") if points and system.has("psds") else ():
        definition = DEFINITIONS[name]
        judge = _judge(*about, definition.criteria)
        for events in points.values():
            judge.add_operating_point(_table(events, reference))
        value = judge.psds(definition.alpha_ct, definition.alpha_st, definition.max_efpr).value
        found[name] = (_ours(name, system), float(value), "")
    return found


def _judge(package: Any, truth: pd.DataFrame, metadata: pd.DataFrame, criteria: Any) -> Any:
    return package.PSDSEval(
        dtc_threshold=criteria.dtc,
        gtc_threshold=criteria.gtc,
        cttc_threshold=0.3 if criteria.cttc is None else criteria.cttc,
        ground_truth=truth,
        metadata=metadata,
    )


def _by_sed_scores_eval(
    package: Any, request: ScoreRequest, reference: Reference, system: System
) -> _Values:
    """Return PSDS over all thresholds."""
    scores = system.predictions.scores
    if scores is None or request.durations is None:
        raise ValueError(
            "--engine sed_scores_eval needs score files (a folder with one TSV of scores for each clip) and"
            " --durations; operating points and TSVs of events are for sed_eval and psds_eval"
        )
    events = _by_clip(reference.events, reference)
    truth = {
        name: [(row["onset"], row["offset"], row["event_label"]) for row in events.get(name, [])]
        for name in reference.filenames
    }
    frames = _score_frames(scores, reference)
    seconds = dict(zip(reference.filenames, reference.durations_s.tolist(), strict=True))
    found: _Values = {}
    for name in ("psds", "psds1", "psds2"):
        about = DEFINITIONS[name]
        try:
            value, *_ = package.intersection_based.psds(
                scores=frames,
                ground_truth=truth,
                audio_durations=seconds,
                dtc_threshold=about.criteria.dtc,
                gtc_threshold=about.criteria.gtc,
                cttc_threshold=about.criteria.cttc,
                alpha_ct=about.alpha_ct,
                alpha_st=about.alpha_st,
                max_efpr=about.max_efpr,
                num_jobs=1,
            )
        except (AssertionError, ValueError) as error:
            raise ValueError(
                f"--engine sed_scores_eval: the package refuses this input: {error}"
            ) from error
        found[f"{name}_all"] = (_ours(f"{name}_all", system), float(value), "")
    return found


def _score_frames(scores: AnyScores, reference: Reference) -> dict[str, pd.DataFrame]:
    """Return the scores of each clip as sed_scores_eval takes them."""
    frames: dict[str, pd.DataFrame] = {}
    for n, name in enumerate(reference.filenames):
        clip = scores.part(slice(n, n + 1))
        frame = pd.DataFrame(clip.scores_NTK[0], columns=list(reference.classes))
        frame.insert(0, "onset", clip.edges_NT1[0, :-1])
        frame.insert(1, "offset", clip.edges_NT1[0, 1:])
        frames[name] = frame[frame["offset"] > frame["onset"]].reset_index(drop=True)
    return frames


_ENGINES: dict[str, Callable[[Any, ScoreRequest, Reference, System], _Values]] = {
    "sed_eval": _by_sed_eval,
    "psds_eval": _by_psds_eval,
    "sed_scores_eval": _by_sed_scores_eval,
}


def _ours(name: str, system: System) -> float:
    return float(METRICS[name](system.statistics, None)[0])


def _table(events: Events, reference: Reference) -> pd.DataFrame:
    """Return events in DESED's columns, with the right types also where there are none."""
    types = {"filename": object, "onset": float, "offset": float, "event_label": object}
    return events.to_frame(reference.filenames, reference.classes).astype(types)


def _by_clip(events: Events, reference: Reference) -> dict[str, list[dict[str, Any]]]:
    table = _table(events, reference)
    return {str(name): rows.to_dict("records") for name, rows in table.groupby("filename")}
