"""The gain of a tuned post-processing over a trial's own, judged on another set than it was tuned on.

Nothing is trained; 110 clips and ten classes take some seconds.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from raysed.config.trial import PostProcessing
from raysed.evaluation.counts.statistics import PUBLISHED, Parameters
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import median_filter
from raysed.evaluation.intervals.significance import Difference, paired_difference
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.postprocessing.comparison import JudgedSet, chosen_of
from raysed.evaluation.postprocessing.methods import METHODS, Setting
from raysed.evaluation.postprocessing.setting_search import (
    Choice,
    OwnSettings,
    SettingSearch,
    cross_fit,
)
from raysed.training.scores import Scores, as_frame_scores


@dataclass(frozen=True)
class Gain:
    """A way of tuning on the evaluation set: its value and its gain over the trial's own post-processing."""

    name: str
    value: float
    """The metric that was tuned for, a fraction."""
    f1: float
    """Event-based macro-F1."""
    per_class_K: np.ndarray
    gain: Difference | None
    """The gain of `value`; None for the trial's own. A fit to the same clips has no honest interval either."""


def judged_set(scores: Scores, reference: Reference) -> JudgedSet:
    """Return a trial's scores of a set with its ground truth."""
    return JudgedSet(reference, partial(frames_of, scores))


def frames_of(scores: Scores, median_window: int) -> FrameScores:
    """Return a trial's scores after a running median, each window of a long recording filtered alone, as in
    training's metrics.
    """
    scores_NUK = scores.scores_NUK
    filtered_NUK = median_filter(scores_NUK, median_window).astype(scores_NUK.dtype)
    return as_frame_scores(scores, filtered_NUK)


def own_settings(postprocessing: PostProcessing) -> OwnSettings:
    """Return the trial's own settings as a search takes them."""
    return OwnSettings(postprocessing.threshold, postprocessing.median_window)


def tune(
    xvalid: JudgedSet,
    evaluation: JudgedSet,
    own: OwnSettings,
    method: str = "class_median",
    goal: str = "event_f1",
    *,
    draws: int = 10_000,
) -> tuple[dict[str, tuple[Setting, float]], list[Gain]]:
    """Return what x-valid chooses for each class, and four systems on the evaluation set: the trial's own, tuned on
    x-valid, cross-fitted, and fitted to these same clips (optimistic).
    """
    searched = SettingSearch.of(METHODS[method], *evaluation, own)
    alone = SettingSearch.of(METHODS["median"], *evaluation, own)
    choice = _on_all(SettingSearch.of(METHODS[method], *xvalid, own), goal)
    parameters = Parameters(psds=()) if goal == "event_f1" else PUBLISHED
    systems = {
        "the trial's own": alone.statistics(_on_all(alone, goal), parameters),
        "tuned on x-valid": searched.statistics(choice, parameters),
        "cross-fitted": searched.statistics(cross_fit(searched, goal), parameters),
        "fitted to these clips": searched.statistics(_on_all(searched, goal), parameters),
    }
    baseline, gains = systems["the trial's own"], []
    for name, statistics in systems.items():
        f1_B, per_class_BK = event_f1(statistics)
        gain = None
        if name in ("tuned on x-valid", "cross-fitted"):
            gain = paired_difference(
                METRICS[goal], statistics, baseline, draws=draws, permutations=draws
            )
        value = float(METRICS[goal](statistics)[0])
        gains.append(Gain(name, value, float(f1_B[0]), per_class_BK[0], gain))
    return chosen_of(searched, choice), gains


def _on_all(search: SettingSearch, goal: str) -> Choice:
    return search.choose(goal, [np.ones(len(search.reference.filenames), bool)])[0]
