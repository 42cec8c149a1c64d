"""The claims that a run can settle, before its trainings: from its own finished trials, else from stated priors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.config.table import Claim
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
from raysed.report.contrasts import family
from raysed.report.paired_seeds import CellPair
from raysed.report.published import SIGNIFICANCE, margin_of, published_difference
from raysed.report.results import Result
from raysed.report.spreads import (
    PRIOR_CLIPS,
    PRIOR_SOURCE,
    PRIORS,
    Draws,
    first_draws,
    prior_spread,
    stored_spreads,
)
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan

Pairs = Mapping[CellPair, Spread]


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
    draws: Draws = first_draws,
) -> list[dict[str, Any]]:
    """Return for each claim of the plan what it can settle, as JSON; differences are fractions.

    `clips` holds the number of clips (or groups) of each evaluation set as far as it is known, `results` what is stored of the run.
    `draws` gives the value of a result in draws of clips, where they are already there.
    """
    families: dict[tuple[str, str], Family | None] = {}

    def family_of(evaluation: str, metric: str) -> Family | None:
        key = (evaluation, metric)
        if key not in families:
            families[key] = _family(
                plan, (evaluation, metric), clips.get(evaluation), results, draws
            )
        return families[key]

    return [_claim_power(plan, claim, family_of) for claim in plan.claims]


def _family(
    plan: RunPlan,
    measure: tuple[str, str],
    clips: int | None,
    results: list[Result],
    draws: Draws,
) -> Family | None:
    """Return the family of an evaluation set and metric, None where nothing is known of how much it varies."""
    evaluation, metric = measure
    pairs = family(plan, evaluation, metric)
    here = [r for r in results if r.evaluation == evaluation and r.has(metric)]
    spreads, source = stored_spreads(pairs, here, metric, draws), "stored statistics of this run"
    if not spreads:
        if metric not in PRIORS:
            return None
        spreads, source = _priors(plan, pairs, metric, clips or PRIOR_CLIPS), PRIOR_SOURCE
    return Family(spreads, critical_value(_design(plan, pairs)), source)


def _priors(
    plan: RunPlan, pairs: list[CellPair], metric: str, clips: int
) -> dict[CellPair, Spread]:
    """Return how much each difference varies on so many clips; systems from elsewhere have no seeds to vary by."""
    cells = {cell.id: cell for cell in plan.cells}
    trained = {pair: sum(not cells[cell].predictions for cell in pair) for pair in pairs}
    there = [cells[cell] for pair in pairs for cell in pair]
    trainings = len({cell.training for cell in there if not cell.predictions})
    return {pair: prior_spread(metric, clips, count, trainings) for pair, count in trained.items()}


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
