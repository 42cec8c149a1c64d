"""Tuned post-processings: the honest value beside what tuning on the very clips that are judged would have claimed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.report.markdown import aligned
from raysed.report.results import Measured, Result
from raysed.report.table_metrics import TABLE_METRICS, number, signed
from raysed.run.run_plan import PlannedCell, RunPlan


@dataclass(frozen=True)
class Optimism:
    """One metric of one cell with tuned post-processing on one set, the mean over its finished seeds, fractions."""

    cell: str
    evaluation: str
    metric: str
    method: str
    tuned_for: str
    tuned_on: str
    """xvalid, or evaluation: cross-fitted."""
    value: float
    claimed: float
    """Its value, had it been tuned on these very clips: no result."""
    seeds: int

    @property
    def optimism(self) -> float:
        """Return what that would have added."""
        return self.claimed - self.value

    @property
    def how(self) -> str:
        """Return the way of tuning, for people."""
        return "on x-valid" if self.tuned_on == "xvalid" else "cross-fitted"

    def as_row(self) -> dict[str, Any]:
        """Return a row for CSV or JSON."""
        return vars(self) | {"optimism": self.optimism}


def optimism_of(plan: RunPlan, measured: Measured) -> list[Optimism]:
    """Return every cell whose post-processing is tuned, on each of its sets, in each metric that counts give."""
    found = []
    for cell in plan.cells:
        if cell.postprocessing is None or not cell.postprocessing.is_tuned:
            continue
        for evaluation in cell.evaluation:
            for metric in plan.all_metrics:
                if TABLE_METRICS[metric].needs == "scores":
                    continue
                here = list(measured.by_seed(cell.id, evaluation, metric).values())
                if here:
                    found.append(_optimism(cell, evaluation, metric, here))
    return found


def _optimism(cell: PlannedCell, evaluation: str, metric: str, results: list[Result]) -> Optimism:
    measure, asked = TABLE_METRICS[metric], cell.postprocessing
    assert asked is not None
    return Optimism(
        cell=cell.id,
        evaluation=evaluation,
        metric=metric,
        method=asked.method,
        tuned_for=asked.tuned_for,
        tuned_on=asked.tuned_on,
        value=float(np.mean([measure(result.statistics, None)[0] for result in results])),
        claimed=float(np.mean([measure(result.fitted, None)[0] for result in results])),
        seeds=len(results),
    )


def optimism_lines(found: list[Optimism]) -> list[str]:
    """Return a Markdown table and what its columns mean; no lines where nothing is tuned."""
    if not found:
        return []
    heads = ["cell", "set", "metric", "method", "for", "tuned", "value", "tuned on the set", "more"]
    rows = [
        [
            each.cell,
            each.evaluation,
            TABLE_METRICS[each.metric].column,
            each.method,
            TABLE_METRICS[each.tuned_for].column.removesuffix(" %"),
            each.how,
            number(each.value, each.metric),
            number(each.claimed, each.metric),
            signed(each.optimism, each.metric),
        ]
        for each in found
    ]
    return [
        "Post-processing that is tuned class by class",
        "",
        *aligned([heads, *rows]),
        "",
        "`tuned on the set` is what tuning on the very clips that are judged would have claimed: not a result. Cross-fitted:"
        " each fifth of the clips decoded by what the other four choose.",
        "",
    ]
