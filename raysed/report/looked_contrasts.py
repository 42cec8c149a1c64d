"""The differences of a run whose seeds grow, as its looks left them: between looks nothing new is judged."""

import math

from raysed.evaluation.intervals.answers import over_seeds, possible
from raysed.report.contrasts import ContrastValue, about_both, contrast_values, distinct, family
from raysed.report.results import Measured
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import LookedDifference, LookedFamily, SeedLooks, read_looks
from raysed.storage.folder import Folder


def judged_contrasts(run: Folder, plan: RunPlan, measured: Measured) -> list[ContrastValue]:
    """Return the differences of a run: those of its last look where seeds grow, else those of its results."""
    if not plan.looks:
        return contrast_values(plan, measured)
    return looked_contrasts(plan, measured, read_looks(run, plan.looks))


def looked_contrasts(plan: RunPlan, measured: Measured, looks: SeedLooks) -> list[ContrastValue]:
    """Return every contrast and comparison of the last look, each with the seeds that it was looked at with."""
    return [
        _contrast(plan, measured, of, each)
        for look in looks.done[-1:]
        for of in look.families
        for each in of.differences
    ]


def _contrast(
    plan: RunPlan, measured: Measured, of: LookedFamily, each: LookedDifference
) -> ContrastValue:
    """Return a difference with the interval that all looks share; there is no p value of several looks."""
    seeds = each.seed_numbers or plan.seeds[: each.seeds]
    pair = (measured.by_seed(cell, of.evaluation, of.metric) for cell in (each.cell, each.against))
    ours, theirs = ([by_seed[seed] for seed in seeds] for by_seed in pair)
    by_seed = tuple(
        measured.drawn(a, of.metric).value - measured.drawn(b, of.metric).value
        for a, b in zip(ours, theirs, strict=True)
    )
    seeds_low, seeds_high = possible(*over_seeds(by_seed))
    pairs = [(d.cell, d.against) for d in of.differences]
    return ContrastValue(
        cell=each.cell,
        against=each.against,
        evaluation=of.evaluation,
        metric=of.metric,
        difference=each.difference,
        low=each.alone_low,
        high=each.alone_high,
        simultaneous_low=each.low,
        simultaneous_high=each.high,
        p=math.nan,
        seeds=seeds,
        seed_differences=by_seed,
        trials=tuple(result.trial for result in (*ours, *theirs)),
        about=about_both(plan),
        seeds_low=seeds_low,
        seeds_high=seeds_high,
        family=distinct(plan, pairs),
        family_planned=distinct(plan, family(plan, of.evaluation, of.metric)),
    )
