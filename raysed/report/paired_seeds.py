"""Two cells over the seeds that both have, and the noise of all differences on one evaluation set in one metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from raysed.evaluation.intervals.seed_noise import (
    NORMAL_95,
    OF_ONE_CLIP,
    ClipNoise,
    Noise,
    SystemSeeds,
    clip_noise,
    design,
    noise_of,
    students,
)
from raysed.evaluation.intervals.significance import FEW_SEEDS, Drawn, max_t, mean_difference
from raysed.report.results import Measured
from raysed.run.run_plan import RunPlan

CellPair = tuple[str, str]
"""A pair (cell, against): the metric of the first minus that of the second."""
Measure = tuple[str, str]
"""An evaluation set and a metric."""


@dataclass(frozen=True)
class PairedSeeds:
    """The systems of a pair of cells, seed by seed."""

    pair: CellPair
    seeds: tuple[int, ...]
    a: tuple[Drawn, ...]
    b: tuple[Drawn, ...]
    trials: tuple[str, ...]
    """The trials of the first cell, then of the other, seed by seed."""

    @property
    def value_S(self) -> np.ndarray:
        """The difference of every seed."""
        return np.array([x.value - y.value for x, y in zip(self.a, self.b, strict=True)])

    @property
    def is_of_one(self) -> bool:
        """Tell whether the set is one clip, or one group of clips."""
        return len(self.a[0].left_out_J) < 2

    @cached_property
    def clips(self) -> ClipNoise:
        """Its noise by the clips."""
        if self.is_of_one:
            return OF_ONE_CLIP
        value_SB = [x.values_B - y.values_B for x, y in zip(self.a, self.b, strict=True)]
        return clip_noise(np.stack(value_SB))


def paired_seeds(measured: Measured, pair: CellPair, measure: Measure) -> PairedSeeds | None:
    """Return a pair over the seeds that both cells have, None without any."""
    ours, theirs = (measured.by_seed(cell, *measure) for cell in pair)
    seeds = tuple(seed for seed in ours if seed in theirs)
    if not seeds:
        return None
    a, b = (tuple(measured.drawn(of[s], measure[1]) for s in seeds) for of in (ours, theirs))
    trials = tuple(of[seed].trial for of in (ours, theirs) for seed in seeds)
    return PairedSeeds(pair, seeds, a, b, trials)


def family_noise(
    plan: RunPlan, measured: Measured, measure: Measure, found: Sequence[PairedSeeds]
) -> tuple[Noise, list[tuple[int, int]]]:
    """Return the noise of differences, and the places of their systems; seeds are pooled over all cells that have results.

    Raises ValueError where no system has two seeds.
    """
    system = {cell.id: cell.system for cell in plan.cells}
    systems: dict[tuple[str, ...], SystemSeeds] = {}
    for cell in plan.cells:
        results = measured.by_seed(cell.id, *measure)
        if results and cell.system not in systems:
            values = {seed: measured.drawn(r, measure[1]).value for seed, r in results.items()}
            systems[cell.system] = SystemSeeds("" if cell.predictions else cell.training, values)
    places = {name: place for place, name in enumerate(systems)}
    pairs = [(places[system[p.pair[0]]], places[system[p.pair[1]]]) for p in found]
    return noise_of(list(systems.values()), pairs, [p.clips for p in found]), pairs


def family_intervals(
    found: Sequence[PairedSeeds], known: tuple[Noise, list[tuple[int, int]]] | None
) -> np.ndarray:
    """Return C differences as one family: float64 (C, 6) of value, low and high alone, low and high together, and p.

    Those on few seeds (FEW_SEEDS) are about other clips, their seeds given; `known` is the noise of the others, from
    `family_noise`. A pair that is listed twice, or both ways round, does not change the largest |t| of a draw.
    """
    over_clips = [mean_difference(each.a, each.b, seeds_fixed=True) for each in found]
    value_C = np.array([each.value for each in over_clips])
    draws_CB = np.stack([each.values_B for each in over_clips])
    alone_C2 = np.array([[each.low, each.high] for each in over_clips])
    if known is None:
        together_C3 = max_t(value_C, draws_CB)
    else:
        seeds_C = np.array([len(each.seeds) for each in found])
        given_C = np.array([each.clips.given_se(len(each.seeds)) for each in found])
        noise = _few_given(known[0], seeds_C <= FEW_SEEDS, given_C)
        se_C, freedom_C = noise.se_C(seeds_C), noise.all_freedom_C(seeds_C)
        half_C = students(NORMAL_95, freedom_C) * se_C
        both_C2 = np.stack((value_C - half_C, value_C + half_C), axis=1)
        alone_C2 = np.where((seeds_C > FEW_SEEDS)[:, None], both_C2, alone_C2)
        part_C = np.ones_like(given_C)
        # What these seeds do to single clips is a part of what seeds do, and stands there.
        np.divide(noise.clip_se_C, given_C, out=part_C, where=given_C > 0)
        deviation_CB = part_C[:, None] * (draws_CB - value_C[:, None])
        deviation_CB += _seed_draws(noise.seed_sd_C / np.sqrt(seeds_C), known[1], len(draws_CB[0]))
        draws_CB = value_C[:, None] + deviation_CB
        together_C3 = max_t(value_C, draws_CB, se_C=se_C, freedom_C=freedom_C)
    found_C6 = np.column_stack((value_C, alone_C2, together_C3))
    if found[0].is_of_one:  # of a system and itself it is known that they are equal
        apart_C = [any(x is not y for x, y in zip(p.a, p.b, strict=True)) for p in found]
        found_C6[:, 1:] = np.outer(apart_C, (-1.0, 1.0, -1.0, 1.0, 1.0))
        found_C6[:, 5] = 1.0
    return found_C6


def _few_given(noise: Noise, few_C: np.ndarray, given_C: np.ndarray) -> Noise:
    """Return the noise of a family where few seeds are taken as given: of these, other clips alone."""
    return Noise(
        np.where(few_C, given_C, noise.clip_se_C),
        np.where(few_C, 0.0, noise.seed_sd_C),
        noise.freedom_C,
    )


def _seed_draws(se_C: np.ndarray, pairs: list[tuple[int, int]], draws: int) -> np.ndarray:
    """Return what other seeds do to the differences (C, B): normal, each system on its own."""
    rows_CG = design(pairs)
    normal_GB = np.random.default_rng(0).standard_normal((rows_CG.shape[1], draws))
    return se_C[:, None] * (rows_CG @ normal_GB)
