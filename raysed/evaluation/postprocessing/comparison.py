"""The methods of post-processing beside each other, as columns of one table from one training.

A tuned method stands there as it was tuned on the x-valid set, and as cross-fitting on the evaluation set gives
it: each fifth decoded by what the other four choose. The optimism is what tuning on the very clips would have
claimed beyond that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.intervals.bootstrap import interval
from raysed.evaluation.intervals.significance import Difference, paired_difference
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.postprocessing.methods import METHODS, FrameSource, Setting
from raysed.evaluation.postprocessing.setting_search import (
    Choice,
    OwnSettings,
    SettingSearch,
    cross_fit,
)

AS_IT_IS, ON_XVALID, CROSS_FITTED = "as it is", "tuned on x-valid", "cross-fitted"
COMPARED = ("event_f1", "psds1", "psds2")


class JudgedSet(NamedTuple):
    """A set with its ground truth and the scores of one system."""

    reference: Reference
    scores: FrameSource


@dataclass(frozen=True)
class MetricValue:
    """One metric of one column: its interval over clips, and its paired difference to the trial's own."""

    value: float
    low: float
    high: float
    gain: Difference | None
    """None for the trial's own."""
    optimism: float | None
    """Fitted to these very clips less cross-fitted; None where nothing was cross-fitted."""


@dataclass(frozen=True)
class MethodColumn:
    """One method, tuned in one way."""

    method: str
    how: str
    statistics: Statistics
    values: dict[str, MetricValue]
    chosen: dict[str, tuple[Setting, float]]
    """Setting and threshold of each class; empty where they differ from clip to clip."""


def compare_methods(
    xvalid: JudgedSet | None,
    evaluation: JudgedSet,
    own: OwnSettings,
    goal: str,
    *,
    methods: Iterable[str] = tuple(METHODS),
    draws: int = 10_000,
) -> list[MethodColumn]:
    """Return the columns of the methods, the trial's own among them; without x-valid, cross-fitted ones only.

    Raises ValueError for unknown methods and goals.
    """
    unknown = sorted(set(methods) - set(METHODS))
    if unknown:
        raise ValueError(f"no method {', '.join(unknown)}; known are {', '.join(METHODS)}")
    alone = _search("median", evaluation, own)
    baseline = alone.statistics(_whole(alone, goal))
    return [
        _column(name, system, None if _is_own(name, own) else baseline, draws)
        for name in methods
        for system in _systems(name, xvalid, evaluation, own, goal)
    ]


class _System(NamedTuple):
    how: str
    statistics: Statistics
    chosen: dict[str, tuple[Setting, float]]
    fitted: Statistics | None


def _systems(
    name: str, xvalid: JudgedSet | None, evaluation: JudgedSet, own: OwnSettings, goal: str
) -> Iterator[_System]:
    search = _search(name, evaluation, own)
    if not METHODS[name].tuned:
        choice = _whole(search, goal)
        yield _System(AS_IT_IS, search.statistics(choice), chosen_of(search, choice), None)
        return
    if xvalid is not None:
        choice = _whole(_search(name, xvalid, own), goal)
        yield _System(ON_XVALID, search.statistics(choice), chosen_of(search, choice), None)
    fitted = search.statistics(_whole(search, goal))
    yield _System(CROSS_FITTED, search.statistics(cross_fit(search, goal)), {}, fitted)


def _search(name: str, scored: JudgedSet, own: OwnSettings) -> SettingSearch:
    return SettingSearch.of(METHODS[name], *scored, own)


def _whole(search: SettingSearch, goal: str) -> Choice:
    return search.choose(goal, [np.ones(len(search.reference.filenames), bool)])[0]


def chosen_of(search: SettingSearch, choice: Choice) -> dict[str, tuple[Setting, float]]:
    """Return the setting and the threshold of each class, by its name."""
    return {
        label: (search.settings[s], search.thresholds[t])
        for label, s, t in zip(
            search.reference.classes,
            choice.setting.tolist(),
            choice.threshold.tolist(),
            strict=True,
        )
    }


def _is_own(name: str, own: OwnSettings) -> bool:
    """Tell whether a method is what the others are compared with; without a filter that are the raw scores."""
    return name == "median" or (name == "raw" and own.median_window == 1)


def _column(name: str, system: _System, baseline: Statistics | None, draws: int) -> MethodColumn:
    values = {metric: _value(metric, system, baseline, draws) for metric in COMPARED}
    return MethodColumn(name, system.how, system.statistics, values, system.chosen)


def _value(metric: str, system: _System, baseline: Statistics | None, draws: int) -> MetricValue:
    measure = METRICS[metric]
    found = interval(measure, system.statistics, draws=draws)
    gain = None
    if baseline is not None:
        gain = paired_difference(
            measure, system.statistics, baseline, draws=draws, permutations=draws
        )
    optimism = None
    if system.fitted is not None:
        optimism = float(measure(system.fitted, None)[0]) - found.value
    return MetricValue(found.value, found.low, found.high, gain, optimism)
