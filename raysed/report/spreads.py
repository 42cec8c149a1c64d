"""The spread of differences of cells over clips and seeds: from finished trials, else from stated priors."""

from collections.abc import Callable, Mapping

import numpy as np

from raysed.evaluation.intervals.bootstrap import clip_draws, group_numbers
from raysed.evaluation.intervals.power import Spread
from raysed.evaluation.intervals.seed_noise import (
    OF_ONE_CLIP,
    ClipNoise,
    SeedVariances,
    SystemSeeds,
    clip_noise,
    noise_of,
)
from raysed.report.paired_seeds import CellPair
from raysed.report.results import Result
from raysed.report.table_metrics import TABLE_METRICS

PRIOR_CLIPS = 1168
PRIORS = {"event_f1": (0.0124, 0.013), "psds": (0.0131, 0.008)}
"""Standard error of a paired difference on VAL's 1168 clips, between real systems; and standard deviation of one system
over seeds: the baseline of DCASE 2023, which has the same kind of network, prints F1 41.2 +- 1.3 % and PSDS1 .347 +- .008."""
PRIOR_SOURCE = (
    "priors: paired standard errors of real systems on VAL's 1168 clips (F1 0.0124, PSDS 0.0131), scaled by the number of"
    " clips (or groups); seeds of the DCASE 2023 baseline (F1 0.013, PSDS 0.008)"
)
_PILOT_SEEDS = 3
"""So many seeds of each system are read for the clips' part of the variance."""
_PILOT_DRAWS = 1000
"""A standard deviation of so many draws is known to 2 %."""

Draws = Callable[[Result, str], np.ndarray]
"""(result, metric) -> its value in draws of clips (B,), the same for every result on a set."""


def first_draws(result: Result, metric: str) -> np.ndarray:
    """Return a metric of a result in the first of the draws that the report takes: some 20 ms for PSDS on 1168 clips."""
    return TABLE_METRICS[metric](
        result.statistics, clip_draws(result.statistics, _PILOT_DRAWS, seed=0)
    )


def prior_spread(metric: str, clips: int, trained: int = 2, trainings: int = 2) -> Spread:
    """Return how much a difference varies on so many clips (or groups), of which so many sides are trained, in so many
    trainings.
    """
    clip_se, seed_sd = PRIORS[metric]
    noise = ClipNoise(clip_se * float(np.sqrt(PRIOR_CLIPS / clips)), 0.0)
    noise = noise if clips > 1 else OF_ONE_CLIP
    return Spread(noise, float(np.sqrt(trained)) * seed_sd, max(trainings, 1))


def stored_spreads(
    pairs: list[CellPair],
    results: list[Result],
    metric: str,
    draws: Draws = first_draws,
) -> dict[CellPair, Spread]:
    """Return how much each difference varies, from finished trials: clips from each pair's own, seeds as the report pools
    them. Pairs without trials have the others' median; empty without any.
    """
    cells: dict[str, dict[int, Result]] = {}
    for result in results:
        cells.setdefault(result.cell, {})[result.seed] = result
    of_system: dict[tuple[str, ...], np.ndarray] = {}

    def drawn(result: Result) -> np.ndarray:
        if result.system not in of_system:
            of_system[result.system] = draws(result, metric)
        return of_system[result.system]

    there: dict[CellPair, ClipNoise] = {}
    for pair in pairs:
        ours, theirs = (cells.get(cell, {}) for cell in pair)
        seeds = [seed for seed in ours if seed in theirs][:_PILOT_SEEDS]
        if seeds and not group_numbers(ours[seeds[0]].statistics).any():
            there[pair] = OF_ONE_CLIP
        elif seeds:
            value_SB = [drawn(ours[seed]) - drawn(theirs[seed]) for seed in seeds]
            there[pair] = clip_noise(np.stack(value_SB))
    if not there:
        return {}
    systems = {cell: _seeds_of(by_seed, metric) for cell, by_seed in cells.items()}
    known = PRIORS[metric][1] ** 2 if metric in PRIORS else 0.0
    found = spreads_of(systems, there, known)
    return {pair: found.get(pair) or _middle(list(found.values())) for pair in pairs}


def _seeds_of(by_seed: dict[int, Result], metric: str) -> SystemSeeds:
    """Return a cell's values over its seeds."""
    first = next(iter(by_seed.values()))
    value = TABLE_METRICS[metric]
    values = {seed: float(value(r.statistics, None)[0]) for seed, r in by_seed.items()}
    return SystemSeeds(first.training if first.about else "", values)


def spreads_of(
    systems: Mapping[str, SystemSeeds], pairs: Mapping[CellPair, ClipNoise], known: float = 0.0
) -> dict[CellPair, Spread]:
    """Return how much each difference varies, from values of cells over their seeds and from what the clips do.

    `known` is the variance of one system between seeds that is taken where none has two.
    """
    # Cells of several tables may be one system.
    keys = {cell: (each.training, *each.by_seed.items()) for cell, each in systems.items()}
    distinct = {keys[cell]: each for cell, each in systems.items()}
    places = {key: place for place, key in enumerate(distinct)}
    at = [(places[keys[cell]], places[keys[against]]) for cell, against in pairs]
    between = _between_seeds(list(distinct.values()), at, list(pairs.values()), known)
    return {
        pair: Spread(noise, *seeds)
        for (pair, noise), seeds in zip(pairs.items(), between, strict=True)
    }


def _between_seeds(
    systems: list[SystemSeeds], pairs: list[tuple[int, int]], clips: list[ClipNoise], known: float
) -> list[tuple[float, float]]:
    """Return of each pair the standard deviation between seeds, and in how many trainings it is known."""
    trainings = len({each.training for each in systems} - {""})
    alike = [systems[a].training == systems[b].training for a, b in pairs]
    degrees = SeedVariances.of(systems, pairs).total
    if degrees:
        noise = noise_of(systems, pairs, clips)
        sds, shares = noise.seed_sd_C.tolist(), (noise.freedom_C / degrees).tolist()
    else:
        sides = [sum(bool(systems[g].training) for g in pair) for pair in pairs]
        sds, shares = [float(np.sqrt(known * each)) for each in sides], [1.0] * len(pairs)
    return [
        (sd, 1.0 if same else share * trainings)
        for sd, same, share in zip(sds, alike, shares, strict=True)
    ]


def _middle(spreads: list[Spread]) -> Spread:
    """Return what a difference of which nothing is known has: the others' median."""

    def root_median(parts: list[float]) -> float:
        return float(np.sqrt(np.median(np.square(parts))))

    noise = ClipNoise(
        root_median([each.clips.shared_se for each in spreads]),
        root_median([each.clips.cross_sd for each in spreads]),
    )
    seed_sd = root_median([each.seed_sd for each in spreads])
    return Spread(noise, seed_sd, max(each.trainings for each in spreads))
