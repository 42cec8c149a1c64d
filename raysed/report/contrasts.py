"""Paired differences of cells: each with its own interval, and simultaneous ones over the family.

A family is what the space asks on one evaluation set in one metric: its contrasts and the comparisons
of its claims. All simultaneous intervals of a family hold together with 95 % (max-T on shared draws).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.evaluation.intervals.answers import over_seeds, possible
from raysed.evaluation.intervals.significance import (
    FEW_SEEDS,
    SeedEstimate,
    max_t,
    mean_difference,
)
from raysed.report.results import Measured
from raysed.run.run_plan import RunPlan

SAME_TRAINING, SAME_COUNTS = "same training", "same counts"

CellPair = tuple[str, str]
"""A pair (cell, against): the metric of the first minus that of the second."""


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
    compared = {pair: _compared(plan, measured, pair, evaluation, metric) for pair in planned}
    finished = {pair: found for pair, found in compared.items() if found}
    if not finished:
        return []
    # A pair that is listed twice, or both ways round, does not change the largest |t| of a draw.
    together_C3 = max_t(
        np.array([found.value for found, _ in finished.values()]),
        np.stack([found.values_B for found, _ in finished.values()]),
    )
    counts = {
        "family": distinct(plan, list(finished)),
        "family_planned": distinct(plan, planned),
    }
    return [
        _contrast_value(
            found, together_3, row | counts | {"evaluation": evaluation, "metric": metric}
        )
        for (found, row), together_3 in zip(finished.values(), together_C3, strict=True)
    ]


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
    found: SeedEstimate, together_3: np.ndarray, row: dict[str, Any]
) -> ContrastValue:
    """Return a difference with its own interval and, of `together_3`, its simultaneous one and its p."""
    low, high = possible(found.low, found.high)
    together_low, together_high = possible(*map(float, together_3[:2]))
    seeds_low, seeds_high = possible(*over_seeds(row["seed_differences"]))
    return ContrastValue(
        difference=found.value,
        low=low,
        high=high,
        simultaneous_low=together_low,
        simultaneous_high=together_high,
        p=float(together_3[2]),
        seeds_low=seeds_low,
        seeds_high=seeds_high,
        **row,
    )


def _compared(
    plan: RunPlan, measured: Measured, pair: CellPair, evaluation: str, metric: str
) -> tuple[SeedEstimate, dict[str, Any]] | None:
    """Return the difference of a pair over the seeds that both have, and what it is made of; None without
    any.
    """
    ours, theirs = (measured.by_seed(cell, evaluation, metric) for cell in pair)
    seeds = tuple(seed for seed in ours if seed in theirs)
    if not seeds:
        return None
    a, b = ([measured.drawn(of[seed], metric) for seed in seeds] for of in (ours, theirs))
    return mean_difference(a, b, seeds_fixed=len(seeds) <= FEW_SEEDS), {
        "cell": pair[0],
        "against": pair[1],
        "seeds": seeds,
        "about": about_of(plan, len(seeds)),
        "seed_differences": tuple(x.value - y.value for x, y in zip(a, b, strict=True)),
        "trials": tuple(of[seed].trial for of in (ours, theirs) for seed in seeds),
    }


def pair_value(
    plan: RunPlan, measured: Measured, pair: CellPair, evaluation: str, metric: str
) -> ContrastValue | None:
    """Return the difference of any pair, as a family of its own; None where they have no seed in common."""
    found = _compared(plan, measured, pair, evaluation, metric)
    if found is None:
        return None
    estimate, row = found
    alone_13 = max_t(np.array([estimate.value]), estimate.values_B[None])
    about = {"evaluation": evaluation, "metric": metric, "family": 1, "family_planned": 1}
    return _contrast_value(estimate, alone_13[0], row | about)


def distinct(plan: RunPlan, pairs: list[CellPair]) -> int:
    """Count the distinct differences among the pairs, since cells of several tables may be one system."""
    system = {cell.id: cell.system for cell in plan.cells}
    return len({frozenset((system[cell], system[against])) for cell, against in pairs})
