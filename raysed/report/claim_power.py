"""The claims that a run can settle, before its trainings: from its own finished trials, else from stated priors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.config.table import Claim
from raysed.evaluation.intervals.bootstrap import jackknife, jackknife_se
from raysed.evaluation.intervals.power import (
    POWER,
    Asked,
    Spread,
    chances,
    critical_value,
    half_width,
    resolvable,
    seeds_needed,
    seeds_to_agree,
)
from raysed.report.contrasts import CellPair, family
from raysed.report.published import SIGNIFICANCE, margin_of, published_difference
from raysed.report.results import Result
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan

PRIOR_CLIPS = 1168
PRIORS = {"event_f1": (0.0124, 0.013), "psds": (0.0131, 0.008)}
"""Standard error of a paired difference on VAL's 1168 clips, between real systems; and standard deviation of one system
over seeds: the baseline of DCASE 2023, which has the same kind of network, prints F1 41.2 +- 1.3 % and PSDS1 .347 +- .008."""
PRIOR_SOURCE = (
    "priors: paired standard errors of real systems on VAL's 1168 clips (F1 0.0124, PSDS 0.0131), scaled by the number of"
    " clips; seeds of the DCASE 2023 baseline (F1 0.013, PSDS 0.008)"
)
_PILOT_SEEDS = 3
"""So many seeds of each system are read for the clips' part of the variance."""

Pairs = Mapping[CellPair, Spread]


LeftOut = Callable[[Result, str], tuple[float, np.ndarray]]
"""(result, metric) -> its value, and its value without each clip (J,)."""


def left_out_values(result: Result, metric: str) -> tuple[float, np.ndarray]:
    """Return a metric of a result, and without each clip: some 30 ms for PSDS on 1168 clips."""
    of, statistics = TABLE_METRICS[metric], result.statistics
    return float(of(statistics, None)[0]), jackknife(of, statistics)


@dataclass(frozen=True)
class Family:
    """The differences on one evaluation set in one metric, with how much each varies."""

    spreads: Pairs
    critical: float
    source: str


def claim_powers(
    plan: RunPlan,
    clips: Mapping[str, int],
    results: list[Result],
    left_out: LeftOut = left_out_values,
) -> list[dict[str, Any]]:
    """Return for each claim of the plan what it can settle, as JSON; differences are fractions.

    `clips` holds the clips of each evaluation set as far as they are known, `results` what is stored of the run.
    `left_out` gives the value of a result without each clip, where it is already there.
    """
    families: dict[tuple[str, str], Family | None] = {}

    def family_of(evaluation: str, metric: str) -> Family | None:
        key = (evaluation, metric)
        if key not in families:
            families[key] = _family(
                plan, (evaluation, metric), clips.get(evaluation), results, left_out
            )
        return families[key]

    return [_claim_power(plan, claim, family_of) for claim in plan.claims]


def _family(
    plan: RunPlan,
    measure: tuple[str, str],
    clips: int | None,
    results: list[Result],
    left_out: LeftOut,
) -> Family | None:
    """Return the family of an evaluation set and metric, None where nothing is known of how much it varies."""
    evaluation, metric = measure
    pairs = family(plan, evaluation, metric)
    here = [r for r in results if r.evaluation == evaluation and r.has(metric)]
    spreads, source = stored_spreads(pairs, here, metric, left_out), "stored statistics of this run"
    if not spreads:
        if metric not in PRIORS:
            return None
        spreads, source = _priors(plan, pairs, metric, clips or PRIOR_CLIPS), PRIOR_SOURCE
    return Family(spreads, critical_value(_design(plan, pairs)), source)


def _priors(
    plan: RunPlan, pairs: list[CellPair], metric: str, clips: int
) -> dict[CellPair, Spread]:
    """Return how much each difference varies on so many clips; systems from elsewhere have no seeds to vary by."""
    trained = {pair: sum(not plan.cell(cell).predictions for cell in pair) for pair in pairs}
    return {pair: prior_spread(metric, clips, count) for pair, count in trained.items()}


def prior_spread(metric: str, clips: int, trained: int = 2) -> Spread:
    """Return how much a difference varies on so many clips, of which so many sides are trained."""
    clip_se, seed_sd = PRIORS[metric]
    return Spread(clip_se * float(np.sqrt(PRIOR_CLIPS / clips)), float(np.sqrt(trained)) * seed_sd)


def stored_spreads(
    pairs: list[CellPair],
    results: list[Result],
    metric: str,
    left_out: LeftOut = left_out_values,
) -> dict[CellPair, Spread]:
    """Return how much each difference varies, from finished trials: clips from each pair's own, seeds pooled over all
    pairs, since a few seeds of one pair say little. Pairs without trials have the others' median; empty without any.
    """
    cells: dict[str, dict[int, Result]] = {}
    for result in results:
        cells.setdefault(result.cell, {})[result.seed] = result
    systems: dict[tuple[str, ...], tuple[float, np.ndarray]] = {}

    def measured(result: Result) -> tuple[float, np.ndarray]:
        if result.system not in systems:
            systems[result.system] = left_out(result, metric)
        return systems[result.system]

    there: dict[CellPair, tuple[np.ndarray, np.ndarray]] = {}
    for pair in pairs:
        ours, theirs = (cells.get(cell, {}) for cell in pair)
        seeds = [seed for seed in ours if seed in theirs][:_PILOT_SEEDS]
        both = [(measured(ours[seed]), measured(theirs[seed])) for seed in seeds]
        if both:
            there[pair] = (
                np.array([a[0] - b[0] for a, b in both]),
                np.stack([a[1] - b[1] for a, b in both]),
            )
    if not there:
        return {}
    known = 2 * PRIORS[metric][1] ** 2 if metric in PRIORS else 0.0
    found = dict(zip(there, spread_of(list(there.values()), known), strict=True))
    middle = Spread(
        *(
            float(np.sqrt(np.median([getattr(spread, part) ** 2 for spread in found.values()])))
            for part in ("clip_se", "seed_sd", "cross_sd")
        )
    )
    return {pair: found.get(pair, middle) for pair in pairs}


def spread_of(differences: list[tuple[np.ndarray, np.ndarray]], known: float = 0.0) -> list[Spread]:
    """Return how much each difference varies, from its values over seeds (S,) and without each clip (S, J).

    `known` is the variance between seeds that is taken where no difference has two of them.
    """
    of_clips, between = [], []
    for value_S, left_SJ in differences:
        of_mean = jackknife_se(left_SJ.mean(axis=0)) ** 2
        of_one = float(np.mean([jackknife_se(left_J) ** 2 for left_J in left_SJ]))
        seeds = len(value_S)
        # Clips move single seeds more than their mean: what the seeds do not share falls with their number.
        alone = max(0.0, (of_one - of_mean) * seeds / max(seeds - 1, 1))
        of_clips.append((max(of_one - alone, 0.0), alone))
        if seeds > 1:
            between.append(float(value_S.var(ddof=1)))
    of_seeds = float(np.mean(between)) if between else known
    return [
        Spread(*(float(np.sqrt(part)) for part in (shared, of_seeds, alone)))
        for shared, alone in of_clips
    ]


def _design(plan: RunPlan, pairs: list[CellPair]) -> np.ndarray:
    """Return the differences as rows of +1 and -1 over the distinct systems behind the cells (C, S)."""
    system = {cell.id: cell.system for cell in plan.cells}
    places = {name: place for place, name in enumerate(dict.fromkeys(system.values()))}
    rows_CS = np.zeros((len(pairs), len(places)))
    for row, (cell, against) in zip(rows_CS, pairs, strict=True):
        row[places[system[cell]]] += 1
        row[places[system[against]]] -= 1
    return rows_CS


def _claim_power(
    plan: RunPlan, claim: Claim, family_of: Callable[[str, str], Family | None]
) -> dict[str, Any]:
    seeds = plan.most_seeds
    rows, sources = [], []
    for asked in claim.comparisons:
        for evaluation in claim.evaluations:
            for metric in claim.metrics:
                found = family_of(evaluation, metric)
                pair = (asked.cell, asked.against)
                if found is None or pair not in found.spreads:
                    continue
                sources.append(found.source)
                known = published_difference(plan, pair, evaluation, metric)
                about = {"cell": pair[0], "against": pair[1], "expect": asked.expect}
                about |= {"evaluation": evaluation, "metric": metric, "published": known}
                stated = SIGNIFICANCE.get(evaluation, {}).get(metric)
                margin = margin_of(asked.expect, metric, known, stated)
                truth = None if known is None else Asked(asked.expect, margin, known)
                agree = seeds_to_agree(found.spreads[pair], TABLE_METRICS[metric].margin)
                settled = comparison_power(found.spreads[pair], seeds, found.critical, truth)
                rows.append(about | settled | {"seeds_to_agree": agree})
    return {
        "id": claim.id,
        "state": power_state(rows),
        "seeds": seeds,
        "seeds_needed": _all_seeds(rows),
        "seeds_to_agree": _most(row["seeds_to_agree"] for row in rows),
        "resolves": {
            metric: max(row["resolves"] for row in rows if row["metric"] == metric)
            for metric in dict.fromkeys(row["metric"] for row in rows)
        },
        "source": "; ".join(dict.fromkeys(sources)),
        "comparisons": rows,
    }


def comparison_power(
    spread: Spread, seeds: int, critical: float, truth: Asked | None
) -> dict[str, Any]:
    """Return what can be told of one comparison; of the answers nothing where no truth is assumed."""
    found: dict[str, Any] = {
        "half_width": half_width(spread, seeds, critical),
        "resolves": resolvable(spread, seeds, critical),
        "chance_yes": None,
        "chance_no": None,
        "seeds_needed": None,
    }
    if truth is not None:
        answers = chances(truth, spread, seeds, critical)
        found |= {"chance_yes": answers["yes"], "chance_no": answers["no"]}
        found["seeds_needed"] = seeds_needed(truth, spread, critical)
    return found


def power_state(rows: list[dict[str, Any]]) -> str:
    """Return decidable, open (with more seeds), never or unknown, if the published values are the truth.

    A claim is decided where all its comparisons come out yes, or where one comes out no.
    """
    known = [row for row in rows if row["chance_yes"] is not None]
    if any(row["chance_no"] >= POWER for row in known):
        return "decidable"
    if any(row["seeds_needed"] is None for row in known):
        return "never"
    if not known or len(known) < len(rows):
        return "unknown"
    return "decidable" if min(row["chance_yes"] for row in known) >= POWER else "open"


def _all_seeds(rows: list[dict[str, Any]]) -> int | None:
    """Return the seeds with which every comparison is decided; None where one never is."""
    return _most(row["seeds_needed"] for row in rows)


def _most(counts: Any) -> int | None:
    found = list(counts)
    return None if not found or None in found else max(found)
