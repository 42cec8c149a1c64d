"""The values of a whole set of which clips are missing: `raysed score --clips`, `--reference`."""

from dataclasses import replace
from typing import Any

from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.missing_clips import controlled_estimate, whole_set_estimate
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.score.ground_truth import ScoredSet
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.systems import (
    System,
    count,
    differences,
    interval_fields,
    read_for,
)

ESTIMATE = ("value", "low", "high", "se")
CONTROLLED = (*ESTIMATE, "reference_left", "reference_whole", "slope", "correlation")


def whole_set(
    request: ScoreRequest, scored: ScoredSet, system: System
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the estimates of every metric on the whole set, None where no clip is missing, and warnings.

    With a reference system: the controlled estimates too, and the differences on the same clips.
    """
    if scored.kept_N.all():
        return None, ()
    n_clips, draws = len(scored.kept_N), {"draws": request.draws, "seed": request.seed}
    statistics = replace(system.statistics, groups_N=None)
    found: dict[str, Any] = {
        "clips": n_clips,
        "left": len(scored.reference.filenames),
        "estimate": {
            name: interval_fields(
                whole_set_estimate(METRICS[name], statistics, n_clips, **draws), ESTIMATE
            )
            if system.has(name)
            else None
            for name in request.metrics
        },
        "controlled": None,
        "same_clips": None,
    }
    if request.reference is None:
        return found, ()
    beside, warnings = _beside_reference(scored, request, system, statistics)
    return found | beside, warnings


def _beside_reference(
    scored: ScoredSet, request: ScoreRequest, system: System, statistics: Statistics
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the controlled estimates and the differences on the same clips, and warnings. The reference system has
    predictions of the whole set.
    """
    assert request.reference is not None
    predictions = read_for(request, request.reference, scored.whole)
    whole = count(request, scored.whole, predictions)
    left = some_clips(whole, scored.kept_N, scored.reference.key)
    left = replace(left, groups_N=scored.groups_N)
    timed = request.durations is not None
    same_clips, warnings = differences(
        request, system, System(request.reference, predictions, left, timed)
    )
    draws = {"draws": request.draws, "seed": request.seed}
    controlled = {
        name: None
        if same_clips.get(name) is None
        else interval_fields(
            controlled_estimate(METRICS[name], *_alike(statistics, whole), scored.kept_N, **draws),
            CONTROLLED,
        )
        for name in request.metrics
    }
    return {"controlled": controlled, "same_clips": same_clips}, warnings


def _alike(left: Statistics, whole: Statistics) -> tuple[Statistics, Statistics]:
    """Return both without operating points where these differ, which F1 does not need."""
    if left.thresholds == whole.thresholds:
        return left, whole
    return left.without_psds(), whole.without_psds()
