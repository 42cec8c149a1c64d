"""Has anything been learnt? The cell chosen on x-valid against two systems that know nothing."""

from dataclasses import dataclass, replace

import numpy as np

from raysed.evaluation.significance import seed_difference
from raysed.evaluation.statistics import Statistics
from raysed.report.results import BASELINES, METRICS, Result


@dataclass(frozen=True)
class LearningCheck:
    """The chosen cell's event F1 on one set, in points, and its lead over one baseline."""

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
        """Whether the whole interval of the lead is above zero."""
        return self.low > 0

    def __str__(self) -> str:
        verdict = "learnt" if self.learnt else "NOT SHOWN"
        return (
            f"{self.cell}, {self.evaluation}: event F1 {self.f1:.1f} %, {BASELINES[self.baseline]}:"
            f" {self.baseline_f1:.1f} %; lead {self.lead:+.1f} [{self.low:+.1f}, {self.high:+.1f}]: {verdict}"
        )


def chosen_cell(results: list[Result]) -> str:
    """The cell with the best mean x-valid F1 over its seeds (the first of equals)."""
    means = {
        cell: np.mean([r.xvalid_f1 for r in results if r.cell == cell])
        for cell in dict.fromkeys(r.cell for r in results)
    }
    return max(means, key=lambda cell: means[cell])


def event_only(statistics: Statistics) -> Statistics:
    """The same without PSDS counts, which the baselines do not have."""
    parameters = replace(statistics.parameters, psds=())
    return replace(statistics, parameters=parameters, psds={}, thresholds=())


def learning_checks(results: list[Result], draws: int) -> list[LearningCheck]:
    """Paired differences on every evaluation set, over clips: of these trained models, whatever the seeds."""
    cell, metric = chosen_cell(results), METRICS["event_f1"]
    checks = []
    for evaluation in dict.fromkeys(r.evaluation for r in results if r.cell == cell):
        trials = [r for r in results if (r.cell, r.evaluation) == (cell, evaluation)]
        ours = [event_only(r.statistics) for r in trials]
        for baseline in BASELINES:
            theirs = [r.baselines[baseline] for r in trials]
            found = seed_difference(metric, ours, theirs, draws=draws, seeds_fixed=True)
            f1, baseline_f1 = (
                float(np.mean([metric(s, None)[0] for s in statistics]))
                for statistics in (ours, theirs)
            )
            checks.append(
                LearningCheck(
                    cell=cell,
                    evaluation=evaluation,
                    f1=100 * f1,
                    baseline=baseline,
                    baseline_f1=100 * baseline_f1,
                    lead=100 * found.value,
                    low=100 * found.low,
                    high=100 * found.high,
                )
            )
    return checks
