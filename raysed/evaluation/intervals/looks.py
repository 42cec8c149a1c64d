"""Looks at a run whose seeds grow: critical values that share one error, and what more seeds may still decide.

The differences of a family are looked at after S_1 < S_2 < S_3 seeds, on the same clips. The mean over S seeds has the
variance clips + between / S, and of two looks the covariance is the later one's variance: independent increments, so that
the theory of group-sequential tests applies. The error is spent by Kim & DeMets (1987, DOI 10.1093/biomet/74.1.149), in
the sense of Lan & DeMets (1983, DOI 10.1093/biomet/70.3.659): 0.05 (S / S_last)^1.5 up to a look, whatever was seen. The
critical values come from joint draws of all differences at all looks (max-T), so that all intervals of all looks hold
together with 95 % (repeated confidence intervals, Jennison & Turnbull 1989, DOI 10.1111/j.2517-6161.1989.tb01433.x).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from raysed.evaluation.intervals.answers import holds
from raysed.evaluation.intervals.seed_noise import Noise, design

ERROR = 0.05
HOPELESS = 0.1
"""Below this probability of an answer at the last look, no further seed is spent on a question."""
_POWER = 1.5
_DRAWS = 20_000
_PLACES = ndtri((np.arange(99) + 0.5) / 99)


def spent(looks: Sequence[int]) -> np.ndarray:
    """Return the error that may be made up to each look, looks as numbers of seeds: (L,), at last ERROR."""
    return ERROR * (np.array(looks) / looks[-1]) ** _POWER


def critical_values(
    noise: Noise,
    pairs: Sequence[tuple[int, int]],
    looks: Sequence[int],
    passed: Sequence[float] = (),
) -> np.ndarray:
    """Return the normal critical value of every look: (L,), the `passed` ones of earlier looks as they were.

    Each spends what may be spent up to its look less what the looks before have spent, over draws of all differences at
    all looks: systems vary on their own, so that differences from one baseline are correlated; the clips stay the same.
    """
    rows_CG = design(pairs)
    error_L = spent(looks)
    if not rows_CG.any():
        return np.concatenate((passed, ndtri(1 - error_L[len(passed) :] / 2)))
    clips_BC, seeds_LBC = (x @ rows_CG.T for x in _draws(rows_CG.shape[1], tuple(looks)))
    alive_B = np.ones(_DRAWS, bool)
    found: list[float] = []
    for look, seeds in enumerate(looks):
        largest_B = _largest(noise, seeds, clips_BC, seeds_LBC[look])
        if look < len(passed):
            found.append(passed[look])
        else:
            spare = round(error_L[look] * _DRAWS) - int((~alive_B).sum())
            left = np.sort(largest_B[alive_B])
            found.append(float(left[-1 - min(max(spare, 0), left.size - 1)]))
        alive_B &= largest_B <= found[-1]
    return np.array(found)


def _largest(noise: Noise, seeds: int, clips_BC: np.ndarray, seeds_BC: np.ndarray) -> np.ndarray:
    """Return the largest |t| of every draw, from unit deviations by the clips and by the mean over these seeds: (B,)."""
    se_C = noise.se_C(seeds)
    known_C = np.where(se_C > 0, se_C, np.inf)
    t_BC = clips_BC * (noise.clip_se_C / known_C) + seeds_BC * (noise.seed_sd_C / known_C)
    return np.abs(t_BC).max(axis=1)


@lru_cache(maxsize=4)
def _draws(systems: int, looks: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of the clips' deviations of every system (B, G), and of the means over its seeds at every look
    (L, B, G), of which each holds the seeds of the one before; in units of one seed.
    """
    random = np.random.default_rng(0)
    clips_BG = random.standard_normal((_DRAWS, systems))
    sums_LBG = np.zeros((len(looks), _DRAWS, systems))
    for look, more in enumerate(np.diff(looks, prepend=0)):
        sums_LBG[look] = np.sqrt(more) * random.standard_normal(clips_BG.shape)
    means_LBG = np.cumsum(sums_LBG, axis=0) / np.array(looks)[:, None, None]
    for drawn in (clips_BG, means_LBG):
        drawn.setflags(write=False)
    return clips_BG, means_LBG


@dataclass(frozen=True)
class Relation:
    """A question to a difference: the relation that is claimed, and the margin that does not count."""

    expect: str
    margin: float


@dataclass(frozen=True)
class AtLook:
    """One difference at a look: its value and interval, and what its last interval may be."""

    value: float
    interval: tuple[float, float]
    """The interval that all looks so far leave."""
    last_half: float
    """Half-width at the last look, with the noise as it is known now."""
    still_moves: float
    """Standard deviation of the value at the last look, seen from here."""


def still_moves_C(noise: Noise, seeds: int, last: int) -> np.ndarray:
    """Return the standard deviation of the means over `last` seeds, seen from after `seeds`: (C,)."""
    return noise.seed_sd_C * np.sqrt(max(1 / seeds - 1 / last, 0.0))


def last_half_C(noise: Noise, seeds: int, last: int, critical: float) -> np.ndarray:
    """Return the half-widths that the last look will have, as the noise is known after `seeds`: (C,).

    The seeds to come, of all trainings, will know the variance between seeds better.
    """
    later = replace(noise, freedom_C=noise.freedom_C * (last - 1) / (seeds - 1))
    return later.half_C(last, critical)


def both(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return what two intervals leave that hold together; the first where they have nothing in common."""
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else one


def chance(asked: Relation, standing: AtLook) -> float:
    """Return the probability that the last look answers a question that is open now (predictive power, no prior)."""
    values = standing.value + standing.still_moves * _PLACES
    half = standing.last_half
    answers = [
        holds(*both(standing.interval, (value - half, value + half)), asked.expect, asked.margin)
        for value in values
    ]
    return 1 - answers.count("open") / len(answers)
