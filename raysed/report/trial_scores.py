"""The frame scores of a run's trials, for metrics over all thresholds; other metrics need only the stored counts."""

from dataclasses import replace
from functools import cache
from itertools import groupby
from operator import itemgetter

import numpy as np

from raysed.data.features.shards import decode_shard, read_manifest, read_shard
from raysed.data.features.store import event_of
from raysed.data.labels import hard
from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import median_filter
from raysed.evaluation.metrics.registry import METRICS
from raysed.report.results import Result
from raysed.run.folders import TrialFolder, postprocessing_file, scores_file
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json
from raysed.training.scores import as_frame_scores
from raysed.training.scoring import decode_scores, heard_until_s

Truth = dict[str, list[tuple[str, float, float]]]
"""Class, onset and offset of the events of each recording that could be heard; of soft labels, of those that count."""


def with_scores(run: Folder, plan: RunPlan, results: list[Result]) -> list[Result]:
    """Return the results with the counts of their scores, where the plan names a metric that needs these.

    A system from elsewhere has none. Of other post-processings than the training's own those have some that only smooth, each
    class alike in every clip: `raw`, and `class_median` tuned on x-valid. Two thresholds, boxes and cross-fitted choices
    leave no score to compare with a threshold. Raises ValueError naming the trials without scores, and the data set where
    its labels are gone or others.
    """
    asked = [name for name in plan.all_metrics if METRICS[name].needs == "scores"]
    if not asked:
        return results
    urls = {about.name: about.url for about in plan.datasets}
    own = [result for result in results if result.about and _smooths(result.postprocessing)]
    without = sorted({r.trial for r in own if _content(run, r) is None})
    if without:
        there = len({r.trial for r in own}) - len(without)
        raise ValueError(
            f"{run.url}: {', '.join(asked)} need the frame scores of every trial; {there} trials have them, these do"
            f" not: {', '.join(without)}. Leave the metrics out of the plan, or remove the result.json of these"
            " trials and run again"
        )

    @cache
    def truth_of(evaluation: str) -> Truth:
        return read_truth(urls.get(evaluation), evaluation)

    counted: dict[tuple[str, ...], Scored] = {}
    for result in own:
        if result.system not in counted:
            reference = reference_for(result.statistics, truth_of(result.evaluation), result)
            counted[result.system] = Scored.of(reference, frame_scores(run, plan, result))
    return [
        replace(r, statistics=replace(r.statistics, scored=counted[r.system]))
        if r.system in counted
        else r
        for r in results
    ]


def _content(run: Folder, result: Result) -> bytes | None:
    trial = TrialFolder.of(run, result.training, result.seed)
    return trial.folder.read(scores_file(result.evaluation, result.xvalid))


def _smooths(postprocessing: str) -> bool:
    """Tell whether a post-processing, by its name, is a running median before one threshold in all clips."""
    tuned = postprocessing.startswith("class_median-") and postprocessing.endswith("-xvalid")
    return tuned or postprocessing in ("", "raw")


def frame_scores(run: Folder, plan: RunPlan, result: Result) -> FrameScores:
    """Return the scores that are compared with thresholds: smoothed by the training's own running median, or by that of
    the cell's post-processing.
    """
    content = _content(run, result)
    assert content is not None
    scores = decode_scores(content, f"{result.trial}/{result.evaluation}")
    if tuple(scores.filenames[n] for n in scores.recordings) != result.statistics.filenames:
        raise ValueError(f"{result.trial}: its scores and its counts are of different clips")
    window_K = _windows(run, plan, result, scores.classes)
    filtered = median_filter(scores.scores_NUK, 1)
    for window in set(window_K) - {1}:
        of_window = [k for k, each in enumerate(window_K) if each == window]
        filtered[..., of_window] = median_filter(scores.scores_NUK[..., of_window], window)
    return as_frame_scores(scores, filtered)


def _windows(run: Folder, plan: RunPlan, result: Result, classes: tuple[str, ...]) -> list[int]:
    """Return the window of each class, in output frames."""
    if result.postprocessing == "raw":
        return [1] * len(classes)
    if not result.postprocessing:
        return [plan.training(result.training).config["postprocessing"]["median_window"]] * len(
            classes
        )
    trial = TrialFolder.of(run, result.training, result.seed).folder
    name = postprocessing_file(result.evaluation, result.xvalid, result.postprocessing)
    chosen = (read_json(trial, name) or {}).get("median_window", {})
    if missing := [label for label in classes if label not in chosen]:
        raise ValueError(
            f"{trial.url}/{name}: median_window lacks {', '.join(missing)}; remove the file and run again"
        )
    return [int(chosen[label]) for label in classes]


def read_truth(url: str | None, name: str) -> Truth:
    """Read the labels of a data set. Raises ValueError where it is gone."""
    if url is None:
        raise ValueError(f"the run's plan does not say where the data set {name} is")
    manifest = read_manifest(Folder(url))
    if manifest is None:
        raise ValueError(
            f"{url}: the data set {name} is not where the run left it, and metrics over all thresholds need its labels"
        )
    found: Truth = {}
    for entry in manifest.shards:
        content = read_shard(Folder(url), entry)
        rows = decode_shard(content, ["filename", "duration_s", "events"]).to_pylist()
        for filename, group in groupby(rows, itemgetter("filename")):
            first, *others = group
            heard_s = heard_until_s(first["duration_s"], 1 + len(others), manifest.features)
            events = hard(event_of(event) for event in first["events"] or ())
            found[filename] = [
                (e.event_label, e.onset, e.offset) for e in events if e.onset < heard_s
            ]
    return found


def reference_for(statistics: Statistics, truth: Truth, result: Result) -> Reference:
    """Return the ground truth of counts. Raises ValueError where the labels are not those that were counted."""
    rows = [
        (n, statistics.classes.index(label), onset, offset)
        for n, filename in enumerate(statistics.filenames)
        for label, onset, offset in truth.get(filename, ())
        if label in statistics.classes
    ]
    events = Events.sort(*(np.array(rows, dtype=np.float64).reshape(-1, 4).T))
    reference = Reference(statistics.filenames, statistics.durations_s, statistics.classes, events)
    if reference.key != statistics.key:
        raise ValueError(
            f"{result.evaluation}: the labels of the data set are not those that trial {result.trial} was scored on"
        )
    return reference
