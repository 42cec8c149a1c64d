"""Paired differences of cells: each with its own interval, and simultaneous ones over the family.

A family is what the space asks on one evaluation set in one metric: its contrasts and the comparisons
of its claims. All simultaneous intervals of a family hold together with 95 % (max-T on shared draws).
"""

from dataclasses import dataclass
from typing import Any

from raysed.evaluation.intervals.answers import over_seeds, possible
from raysed.evaluation.intervals.significance import FEW_SEEDS
from raysed.report.paired_seeds import (
    CellPair,
    Measure,
    PairedSeeds,
    family_intervals,
    family_noise,
    paired_seeds,
)
from raysed.report.results import Measured
from raysed.run.run_plan import RunPlan

SAME_TRAINING, SAME_COUNTS = "same training", "same counts"


@dataclass(frozen=True)
class ContrastValue:
    """The metric of `cell` minus that of `against`, the mean over the seeds that both have, as fractions."""

    cell: str
    against: str
    evaluation: str
    metric: str
    difference: float
    low: float
    high: float
    """`low` and `high` are the ends of the 95 % interval for this difference alone."""
    simultaneous_low: float
    simultaneous_high: float
    """The ends of the interval that holds, with 95 %, for all differences of the family together."""
    p: float
    """The p value, adjusted for the family."""
    seeds: tuple[int, ...]
    seed_differences: tuple[float, ...]
    trials: tuple[str, ...]
    """The trials of `cell`, then of `against`, seed by seed."""
    about: str
    """The subject of the intervals: other clips (or groups of them) and seeds, or these seeds given where there are few."""
    seeds_low: float
    seeds_high: float
    """The ends of the 95 % interval over seeds, these clips given; NaN for one seed."""
    family: int
    """Number of distinct differences of the family that are there so far."""
    family_planned: int

    @property
    def tie(self) -> str:
        """Return why there is nothing to judge: one training, or the same counts on every clip; else empty."""
        if any(self.seed_differences) or (self.simultaneous_low, self.simultaneous_high) != (0, 0):
            return ""
        half = len(self.trials) // 2
        return SAME_TRAINING if self.trials[:half] == self.trials[half:] else SAME_COUNTS

    @property
    def outcome(self) -> str:
        """Return what the simultaneous interval shows: higher, lower or undecided; or why it shows nothing."""
        if self.tie:
            return self.tie
        if self.simultaneous_low <= 0 <= self.simultaneous_high:
            return "undecided"
        return "higher" if self.simultaneous_low > 0 else "lower"

    def as_row(self) -> dict[str, Any]:
        """Return a row for CSV or JSON."""
        listed = {key: list(getattr(self, key)) for key in ("seeds", "seed_differences", "trials")}
        return vars(self) | listed | {"outcome": self.outcome, "tie": self.tie}


def contrast_values(plan: RunPlan, measured: Measured) -> list[ContrastValue]:
    """Return every contrast and comparison of which both cells have a seed in common, family by family."""
    return [
        value
        for evaluation in plan.evaluations
        for metric in plan.all_metrics
        for value in _family_values(plan, measured, evaluation, metric)
    ]


def family(plan: RunPlan, evaluation: str, metric: str) -> list[CellPair]:
    """Return the pairs that are compared on one evaluation set in one metric, finished or not."""
    asked = list(plan.contrasts)
    for claim in plan.claims:
        if evaluation in claim.evaluations and metric in claim.metrics:
            asked += claim.comparisons
    scored = {cell.id for cell in plan.cells if evaluation in cell.evaluation}
    pairs = dict.fromkeys((pair.cell, pair.against) for pair in asked)
    return [pair for pair in pairs if scored.issuperset(pair)]


def _family_values(
    plan: RunPlan, measured: Measured, evaluation: str, metric: str
) -> list[ContrastValue]:
    planned = family(plan, evaluation, metric)
    compared = (paired_seeds(measured, pair, (evaluation, metric)) for pair in planned)
    found = [each for each in compared if each]
    if not found:
        return []
    counts = {
        "family": distinct(plan, [each.pair for each in found]),
        "family_planned": distinct(plan, planned),
    }
    return _values(plan, measured, (evaluation, metric), found, counts)


def _values(
    plan: RunPlan,
    measured: Measured,
    measure: Measure,
    found: list[PairedSeeds],
    counts: dict[str, int],
) -> list[ContrastValue]:
    """Return differences as one family: each with its own interval and with that of all together."""
    known = None
    if any(len(each.seeds) > FEW_SEEDS for each in found):
        known = family_noise(plan, measured, measure, found)
    about = counts | dict(zip(("evaluation", "metric"), measure, strict=True))
    rows = zip(found, family_intervals(found, known), strict=True)
    return [_contrast_value(plan, each, row_6.tolist(), about) for each, row_6 in rows]


def about_both(plan: RunPlan) -> str:
    """Return what an interval over drawn seeds is about."""
    return f"other {plan.drawn} and other seeds"


def about_given(plan: RunPlan) -> str:
    """Return what an interval of given systems is about."""
    return f"other {plan.drawn}, these seeds given"


def about_of(plan: RunPlan, seeds: int) -> str:
    """Return what an interval of a mean over so many seeds is about."""
    return about_given(plan) if seeds <= FEW_SEEDS else about_both(plan)


def _contrast_value(
    plan: RunPlan, found: PairedSeeds, row_6: list[float], about: dict[str, Any]
) -> ContrastValue:
    """Return a difference with its intervals, a row of `family_intervals`."""
    low, high = possible(*row_6[1:3])
    together_low, together_high = possible(*row_6[3:5])
    seeds_low, seeds_high = possible(*over_seeds(found.value_S.tolist()))
    return ContrastValue(
        cell=found.pair[0],
        against=found.pair[1],
        difference=row_6[0],
        low=low,
        high=high,
        simultaneous_low=together_low,
        simultaneous_high=together_high,
        p=row_6[5],
        seeds=found.seeds,
        seed_differences=tuple(found.value_S.tolist()),
        trials=found.trials,
        about=about_of(plan, len(found.seeds)),
        seeds_low=seeds_low,
        seeds_high=seeds_high,
        **about,
    )


def pair_value(
    plan: RunPlan, measured: Measured, pair: CellPair, evaluation: str, metric: str
) -> ContrastValue | None:
    """Return the difference of any pair, as a family of its own; None where they have no seed in common."""
    measure = (evaluation, metric)
    found = paired_seeds(measured, pair, measure)
    if found is None:
        return None
    return _values(plan, measured, measure, [found], {"family": 1, "family_planned": 1})[0]


def distinct(plan: RunPlan, pairs: list[CellPair]) -> int:
    """Count the distinct differences among the pairs, since cells of several tables may be one system."""
    system = {cell.id: cell.system for cell in plan.cells}
    return len({frozenset((system[cell], system[against])) for cell, against in pairs})
