"""The check that something was learnt: trained systems against two baselines that have learnt nothing."""

from dataclasses import dataclass

import numpy as np

from raysed.evaluation.intervals.significance import seed_difference
from raysed.report.results import BASELINES, Result
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan


@dataclass(frozen=True)
class LearningCheck:
    """A cell's event F1 on one set, in points, and its lead over one baseline."""

    cell: str
    evaluation: str
    f1: float
    baseline: str
    baseline_f1: float
    lead: float
    low: float
    high: float

    @property
    def learnt(self) -> bool:
        """Tell whether the whole interval of the lead is above zero."""
        return self.low > 0

    def __str__(self) -> str:
        verdict = "learnt" if self.learnt else "NOT SHOWN"
        return (
            f"{self.cell}, {self.evaluation}: event F1 {self.f1:.1f} %, {BASELINES[self.baseline]}:"
            f" {self.baseline_f1:.1f} %; lead {self.lead:+.1f} [{self.low:+.1f}, {self.high:+.1f}]: {verdict}"
        )


def chosen_cell(results: list[Result]) -> str:
    """Return the cell with the best mean x-valid F1 over its seeds (the first of equals)."""
    means = {
        cell: np.mean([r.xvalid_f1 for r in results if r.cell == cell])
        for cell in dict.fromkeys(r.cell for r in results)
    }
    return max(means, key=lambda cell: means[cell])


def learning_checks(results: list[Result], draws: int) -> list[LearningCheck]:
    """Compare the chosen cell with both baselines on every evaluation set."""
    chosen = [r for r in results if r.cell == chosen_cell(results)] if results else []
    return [
        _check([r for r in chosen if r.evaluation == evaluation], baseline, draws)
        for evaluation in dict.fromkeys(r.evaluation for r in chosen)
        for baseline in BASELINES
    ]


def above_always_on(results: list[Result], draws: int) -> list[LearningCheck]:
    """Compare every finished training with the always-on detector on every evaluation set, by the first cell
    that has the training there.
    """
    first: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        seeds = first.setdefault((result.evaluation, result.training), [])
        if not seeds or seeds[0].cell == result.cell:
            seeds.append(result)
    return [_check(seeds, "always_on", draws) for seeds in first.values()]


def count_lines(checks: list[LearningCheck], plan: RunPlan) -> list[str]:
    """Return a line for each evaluation set: how many trainings are above the always-on detector, and which
    are not.
    """
    lines = []
    for evaluation in dict.fromkeys(check.evaluation for check in checks):
        here = [check for check in checks if check.evaluation == evaluation]
        cells = [cell for cell in plan.cells if not cell.predictions]
        planned = {cell.training for cell in cells if evaluation in cell.evaluation}
        waiting = len(planned) - len(here)
        lines.append(
            f"{evaluation}: {sum(check.learnt for check in here)} of {len(planned)} trainings above the"
            " always-on detector" + (f", {waiting} not finished" if waiting else "")
        )
        lines += [f"  {check}" for check in here if not check.learnt]
    return lines


def _check(by_seed: list[Result], baseline: str, draws: int) -> LearningCheck:
    """Return the paired difference over clips alone, for these trained models with their seeds fixed."""
    metric = TABLE_METRICS["event_f1"]
    ours = [result.statistics.without_psds() for result in by_seed]  # as the baselines are
    theirs = [result.baselines[baseline] for result in by_seed]
    found = seed_difference(metric, ours, theirs, draws=draws, seeds_fixed=True)
    f1, baseline_f1 = (
        float(np.mean([metric(statistics, None)[0] for statistics in systems]))
        for systems in (ours, theirs)
    )
    return LearningCheck(
        cell=by_seed[0].cell,
        evaluation=by_seed[0].evaluation,
        f1=100 * f1,
        baseline=baseline,
        baseline_f1=100 * baseline_f1,
        lead=100 * found.value,
        low=100 * found.low,
        high=100 * found.high,
    )
