"""The work of `raysed postprocess`: tune a finished trial's post-processing on x-valid and judge it on
another set.

Scores are read from the trial's folder; those of the x-valid set, which training does not keep, are made
once and stored beside them. The result is a copy of the checkpoint, `tuned-<x-valid>.pt`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from raysed.data.features.store import FeatureSet, open_dataset
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.postprocessing.comparison import JudgedSet, MethodColumn, compare_methods
from raysed.evaluation.postprocessing.operating_points import (
    OperatingPoint,
    ThresholdSearch,
    WantedRate,
    operating_points,
)
from raysed.evaluation.postprocessing.setting_search import OwnSettings
from raysed.predict.detector import Checkpoint, read_checkpoint
from raysed.predict.settings import ClassPostProcessing
from raysed.predict.stored_scores import stored_scores
from raysed.predict.trial_groups import with_groups_of_run
from raysed.predict.tuning import Gain, judged_set, own_settings, tune
from raysed.run.folders import best_checkpoint, tuned_checkpoint
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor, save_checkpoint
from raysed.training.scoring import reference_of


@dataclass(frozen=True)
class Tuning:
    """A finished trial, the set to tune on and the set to judge on."""

    trial: Folder
    xvalid_url: str
    evaluation_url: str
    cache_dir: str
    method: str = "class_median"
    goal: str = "event_f1"


@dataclass(frozen=True)
class _Read:
    """The checkpoint, the sets and their scores that tuning starts from."""

    checkpoint: Checkpoint
    xvalid: FeatureSet
    evaluation: FeatureSet
    fitted: JudgedSet
    judged: JudgedSet

    @property
    def own(self) -> OwnSettings:
        return own_settings(self.checkpoint.predictor.trial.postprocessing)


def retune(
    tuning: Tuning, say: Callable[[str], None]
) -> tuple[str, list[Gain], ClassPostProcessing]:
    """Tune, compare, and write the tuned checkpoint; returns its path, the comparison, and what was chosen.

    Raises ValueError for sets that do not fit the checkpoint.
    """
    read = _read(tuning, say)
    chosen, gains = tune(read.fitted, read.judged, read.own, tuning.method, tuning.goal)
    settings = read.checkpoint.settings.with_chosen(chosen)
    name = tuned_checkpoint(read.xvalid.name)
    about = _about(read.xvalid, read.evaluation, gains) | {"tuned_for": tuning.goal}
    tuned = {**settings.as_json(), "tuned": about}
    trial, checkpoint = tuning.trial, read.checkpoint
    save_checkpoint(trial, name, checkpoint.tensors, {**checkpoint.about, "postprocessing": tuned})
    return f"{trial.url}/{name}", gains, settings


def compare_trial(tuning: Tuning, say: Callable[[str], None]) -> list[MethodColumn]:
    """Return all methods beside each other, for `tuning.goal`; nothing is written but missing scores."""
    read = _read(tuning, say)
    return compare_methods(read.fitted, read.judged, read.own, tuning.goal)


def point_trial(
    tuning: Tuning, wanted: WantedRate, say: Callable[[str], None]
) -> tuple[str, list[OperatingPoint], list[OperatingPoint]]:
    """Choose thresholds for a wanted precision or recall on x-valid, and write the tuned checkpoint.

    Returns its path, the points judged on the evaluation set, and those that this set gives itself, cross-fitted.
    Raises ValueError as `retune`.
    """
    wanted.check()
    read = _read(tuning, say)
    fitted, judged = (ThresholdSearch.of(*each, read.own) for each in (read.fitted, read.judged))
    points = operating_points(fitted, judged, wanted)
    settings = read.checkpoint.settings
    for point in points:
        settings = settings.with_value("threshold", point.label, point.threshold, "")
    about = {
        "tuned_on": {"name": read.xvalid.name, "id": read.xvalid.id},
        "judged_on": {"name": read.evaluation.name, "id": read.evaluation.id},
        "tuned_for": wanted._asdict(),
    }
    tuned = {**settings.as_json(), "tuned": about}
    name, checkpoint = tuned_checkpoint(read.xvalid.name), read.checkpoint
    about_checkpoint = {**checkpoint.about, "postprocessing": tuned}
    save_checkpoint(tuning.trial, name, checkpoint.tensors, about_checkpoint)
    return f"{tuning.trial.url}/{name}", points, operating_points(None, judged, wanted)


def _read(tuning: Tuning, say: Callable[[str], None]) -> _Read:
    urls = tuning.xvalid_url, tuning.evaluation_url
    xvalid, evaluation = (open_dataset(url, tuning.cache_dir) for url in urls)
    source = f"{tuning.trial.url}/{best_checkpoint(xvalid.name)}"
    checkpoint = read_checkpoint(source)
    predictor = checkpoint.predictor
    for used in (xvalid, evaluation):
        if (used.classes, used.features) != (predictor.classes, predictor.features):
            raise ValueError(f"{used.name}: other classes or features than {source}")
        if used.scored_classes != predictor.classes:
            raise ValueError(
                f"{used.name} annotates {', '.join(used.scored_classes)} only: thresholds of every class are tuned on a"
                " set that annotates all"
            )
    fitted, judged = (
        _judged(tuning.trial, used, xvalid.name, predictor, say) for used in (xvalid, evaluation)
    )
    grouped = with_groups_of_run(tuning.trial, judged.reference, say)
    judged = judged._replace(reference=grouped)
    return _Read(checkpoint, xvalid, evaluation, fitted, judged)


def comparison_lines(
    gains: list[Gain], settings: ClassPostProcessing, goal: str = "event_f1"
) -> list[str]:
    """Return the comparison in lines: the metric that was tuned for and its gain, then each class."""
    metric, lines = METRICS[goal], []
    what, unit = (metric.column.removesuffix(" %"), " %" if metric.scale == 100 else "")
    width = metric.digits + 4

    def text(value: float, sign: str = "") -> str:
        return f"{metric.scale * value:{sign}.{metric.digits}f}"

    for gain in gains:
        change = ""
        if gain.gain is not None:
            low, high = text(gain.gain.low, "+"), text(gain.gain.high, "+")
            change = f"  gain {text(gain.gain.difference, '+')} [{low}, {high}]"
        lines.append(f"{gain.name:<22} {what} {text(gain.value):>{width}}{unit}{change}")
    lines.append("the last one was fitted to the clips it is judged on: not a result")
    for k, label in enumerate(settings.classes):
        own, tuned = gains[0].per_class_K[k], gains[1].per_class_K[k]
        lines.append(
            f"  {label}: {settings.of_class(k)}; F1 {100 * own:.1f} -> {100 * tuned:.1f} %"
        )
    return lines


def as_object(path: str, gains: list[Gain], settings: ClassPostProcessing) -> dict[str, Any]:
    """Return the comparison for `--json`: fractions, None where there are no events or no interval."""
    return {
        "checkpoint": path,
        **settings.as_json(),
        "systems": [
            {
                "name": gain.name,
                "event_f1": _known(gain.f1),
                "per_class": {
                    label: _known(f1)
                    for label, f1 in zip(settings.classes, gain.per_class_K, strict=True)
                },
                "gain": None if gain.gain is None else asdict(gain.gain),
            }
            for gain in gains
        ],
    }


def _known(f1: float) -> float | None:
    return None if np.isnan(f1) else float(f1)


def _judged(
    trial: Folder, used: FeatureSet, xvalid: str, predictor: Predictor, say: Callable[[str], None]
) -> JudgedSet:
    scores = stored_scores(trial, used, xvalid, lambda: predictor, say)
    return judged_set(scores, reference_of(used))


def _about(xvalid: FeatureSet, evaluation: FeatureSet, gains: list[Gain]) -> dict[str, Any]:
    return {
        "tuned_on": {"name": xvalid.name, "id": xvalid.id},
        "judged_on": {"name": evaluation.name, "id": evaluation.id},
        "event_f1": {gain.name: gain.f1 for gain in gains},
        "gain": {gain.name: asdict(gain.gain) for gain in gains if gain.gain is not None},
    }
