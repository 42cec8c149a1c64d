"""The results of a run with the groups that its space gives the clips: intervals and tests then draw groups."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.score.clip_list import groups_to_draw
from raysed.report.results import Result, read_results
from raysed.run.folders import GROUPS
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder


def read_grouped(run: Folder, plan: RunPlan) -> list[Result]:
    """Read every finished cell, seed and evaluation set, with the groups of the plan.

    Raises ValueError as `read_results` does, and where the run's copy of the groups is gone or lacks clips.
    """
    results = read_results(run, plan)
    if plan.groups is None or not results:
        return results
    if run.read(GROUPS) is None:
        raise ValueError(
            f"{run.url}/{GROUPS} is missing, although the plan names groups ({plan.groups}): raysed tune with the"
            " space writes it again"
        )
    return with_groups(results, f"{run.url}/{GROUPS}")


def with_groups(results: list[Result], path: str | Path) -> list[Result]:
    """Return the results with the groups of a TSV. Where every clip is a group of its own, clips are drawn as without."""
    of_set: dict[str, np.ndarray | None] = {}
    grouped: dict[int, Statistics] = {}

    def group(evaluation: str, statistics: Statistics) -> Statistics:
        if evaluation not in of_set:
            of_set[evaluation] = groups_to_draw(path, statistics.filenames)
        # Cells share what is stored once, and what is drawn of it.
        return grouped.setdefault(id(statistics), replace(statistics, groups_N=of_set[evaluation]))

    return [
        replace(
            result,
            statistics=group(result.evaluation, result.statistics),
            baselines={k: group(result.evaluation, of) for k, of in result.baselines.items()},
            fitted=result.fitted and group(result.evaluation, result.fitted),
        )
        for result in results
    ]
