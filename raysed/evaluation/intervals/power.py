"""The differences that so many clips and so many seeds can tell apart, before anything is trained.

A difference of two cells has the variance clips + between / S over S seeds: the clips stay the same whatever S is, so that
seeds help only down to what the clips leave. The half-widths are those of the intervals that the report will show
(raysed.evaluation.intervals.seed_noise), and the normal distribution stands for the difference that will be found.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from raysed.evaluation.intervals.answers import holds, possible
from raysed.evaluation.intervals.seed_noise import ClipNoise, Noise
from raysed.evaluation.intervals.significance import FEW_SEEDS

POWER = 0.8
"""The probability with which that is decided which can be decided."""
MOST_SEEDS = 100
"""No claim is said to need more seeds; with so many the seeds are no longer what limits it."""
_NORMAL_DRAWS = 20_000
_PLACES = ndtri((np.arange(99) + 0.5) / 99)
"""Quantiles of the normal distribution, which stand for the differences that may be found."""


@dataclass(frozen=True)
class Spread:
    """The variation of a difference of two cells, fractions."""

    clips: ClipNoise
    seed_sd: float
    """Standard deviation of the difference between seeds, these clips given; what a seed does to single clips included."""
    trainings: float = 1.0
    """So many degrees of freedom has the variance between seeds more with every seed after the first: the number of trainings
    that are pooled, fewer where one of the two is unstable."""

    def noise(self, seeds: int) -> Noise:
        """Return the noise that the report will find with so many seeds of every training."""
        freedom = self.trainings * (seeds - 1.0)
        parts = (self.clips.shared_se, self.seed_sd, freedom)
        return Noise(*(np.array([part]) for part in parts))

    def seed_se(self, seeds: int) -> float:
        """Return the standard error from S seeds."""
        return self.seed_sd / np.sqrt(seeds)

    def se(self, seeds: int) -> float:
        """Return the standard error of the mean over S seeds, from clips and seeds."""
        return float(self.noise(seeds).se_C(seeds)[0])


def critical_value(difference_CS: np.ndarray, level: float = 0.95) -> float:
    """Return the critical value of max-T for C differences of S systems, rows of +1 and -1, before there are draws.

    Systems vary alike and on their own, so that two differences from one baseline are correlated by a half.
    """
    rows_CS = difference_CS[np.abs(difference_CS).sum(axis=1) > 0]
    if not len(rows_CS):
        return float(ndtri((1 + level) / 2))
    normal_BS = np.random.default_rng(0).standard_normal((_NORMAL_DRAWS, rows_CS.shape[1]))
    t_BC = normal_BS @ rows_CS.T / np.linalg.norm(rows_CS, axis=1)
    return float(np.quantile(np.abs(t_BC).max(axis=1), level))


def half_width(spread: Spread, seeds: int, critical: float) -> float:
    """Return the half-width of the simultaneous interval that the report will show for so many seeds."""
    if seeds <= FEW_SEEDS:
        return critical * spread.clips.given_se(seeds)
    return float(spread.noise(seeds).half_C(seeds, critical)[0])


def resolvable(spread: Spread, seeds: int, critical: float) -> float:
    """Return the smallest difference that is told from none with probability POWER."""
    return float(half_width(spread, seeds, critical) + ndtri(POWER) * spread.se(seeds))


@dataclass(frozen=True)
class Asked:
    """A claimed relation, and the difference that is taken as the truth."""

    expect: str
    margin: float
    truth: float


def chances(asked: Asked, spread: Spread, seeds: int, critical: float) -> dict[str, float]:
    """Return the probabilities of the answers yes and no."""
    half = half_width(spread, seeds, critical)
    found = [
        holds(*possible(value - half, value + half), asked.expect, asked.margin)
        for value in np.clip(asked.truth + spread.se(seeds) * _PLACES, -1.0, 1.0)
    ]
    return {answer: found.count(answer) / len(found) for answer in ("yes", "no")}


def seeds_needed(asked: Asked, spread: Spread, critical: float) -> int | None:
    """Return the fewest seeds, more than FEW_SEEDS, with which the relation is decided with probability POWER; None
    where no number of seeds is enough.
    """
    counts = range(FEW_SEEDS + 1, MOST_SEEDS + 1)
    if max(chances(asked, spread, counts[-1], critical).values()) < POWER:
        return None
    low, high = 0, len(counts) - 1
    while low < high:  # more seeds never tell less
        middle = (low + high) // 2
        enough = max(chances(asked, spread, counts[middle], critical).values()) >= POWER
        low, high = (low, middle) if enough else (middle + 1, high)
    return counts[low]


def seeds_to_agree(spread: Spread, margin: float) -> int | None:
    """Return the fewest seeds with which equal numbers are found to agree: Student's interval over seeds has to fit into
    the margin. None where MOST_SEEDS are not enough.
    """
    for seeds in range(2, MOST_SEEDS + 1):
        if stdtrit(seeds - 1, 0.975) * spread.seed_se(seeds) <= margin:
            return seeds
    return None
