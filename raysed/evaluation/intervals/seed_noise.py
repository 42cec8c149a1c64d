"""The noise that clips and seeds bring into differences, from a few seeds of many trainings.

The mean difference of two systems over S seeds has the variance C + V / S: C is what the clips do to all seeds alike, V the
variance between seeds on these clips, in which what a seed does to single clips is held. A pair's own V is known badly from
S - 1 degrees of freedom, and an error of 5 % made with it is rather one of 7 to 16 %. Trainings of one study vary alike: their
variances are pooled, and one that varies more than the others by Fisher's test keeps its own, with its own degrees of freedom.
The test's level is 5 %, and 25 % for a baseline, which is in most of the differences: what is wrong about it is wrong in all of
them at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import fdtrc, ndtr, ndtri, stdtr, stdtrit

NORMAL_95 = 1.959963984540054
"""The normal critical value of a single 95 % interval."""
UNSTABLE = 0.05
"""A training whose variance between seeds would be as much above the others' by chance in fewer cases is unstable."""
UNSTABLE_BASELINE = 0.25
"""The same of a training that is in more than half of the differences."""


@dataclass(frozen=True)
class SystemSeeds:
    """The values of one system over its seeds, fractions."""

    training: str
    """Systems of one training share its luck; empty for a system from elsewhere, which has no seeds."""
    by_seed: Mapping[int, float]


@dataclass(frozen=True)
class ClipNoise:
    """The noise of a difference by its clips, fractions."""

    shared_se: float
    """Standard error that stays whatever the number of seeds."""
    cross_sd: float
    """The part of a single seed's standard error that other seeds do not share: it falls with their number."""

    def given_se(self, seeds: int) -> float:
        """Return the standard error of the mean over S seeds for other clips, these seeds given."""
        return float(np.hypot(self.shared_se, self.cross_sd / np.sqrt(seeds)))


OF_ONE_CLIP = ClipNoise(1.0, 0.0)
"""Of a single clip, or group of clips: it says nothing of others, and two metrics differ by 1 at most."""


def clip_noise(value_SB: np.ndarray) -> ClipNoise:
    """Return what the clips do, from a difference's values of every seed in the same draws of clips (S, B).

    Clips move single seeds more than their mean. Draws in which the metric is undefined (NaN) are left out.
    """
    seeds = len(value_SB)
    known_SB = value_SB[:, ~np.isnan(value_SB).any(axis=0)]
    if known_SB.shape[1] < 2:
        return ClipNoise(0.0, 0.0)
    of_mean = float(known_SB.mean(axis=0).var(ddof=1))
    of_one = float(known_SB.var(axis=1, ddof=1).mean())
    alone = max(of_one - of_mean, 0.0) * seeds / max(seeds - 1, 1)
    alone = min(alone, of_mean * seeds)  # seeds that clips move apart share nothing
    return ClipNoise(float(np.sqrt(max(of_mean - alone / seeds, 0.0))), float(np.sqrt(alone)))


@dataclass(frozen=True)
class SeedVariances:
    """The variances between seeds of the trainings on an evaluation set in one metric."""

    own: Mapping[str, float]
    """By training, of those with two seeds or more."""
    degrees: Mapping[str, int]
    """Their degrees of freedom."""
    baselines: frozenset[str]
    """The trainings that are in more than half of the differences."""

    @classmethod
    def of(
        cls, systems: Sequence[SystemSeeds], pairs: Sequence[tuple[int, int]]
    ) -> "SeedVariances":
        """Return those of these systems, of several of one training the mean; `pairs` are the places of the compared ones."""
        found: dict[str, list[float]] = {}
        degrees: dict[str, int] = {}
        for system in systems:
            if system.training and len(system.by_seed) > 1:
                found.setdefault(system.training, []).append(_variance(system.by_seed.values()))
                degrees[system.training] = len(system.by_seed) - 1
        own = {name: float(np.mean(each)) for name, each in found.items()}
        return cls(own, degrees, _baselines(systems, pairs))

    @property
    def total(self) -> int:
        """The degrees of freedom of all together."""
        return sum(self.degrees.values())

    @cached_property
    def pooled(self) -> float:
        """The variance of all trainings together, which there must be."""
        return sum(self.degrees[name] * each for name, each in self.own.items()) / self.total

    def is_unstable(self, training: str) -> bool:
        """Tell whether a training's seeds vary more than the others' do."""
        mine, others = self.degrees.get(training, 0), self.total - self.degrees.get(training, 0)
        if not mine or not others:
            return False
        rest = max(self.total * self.pooled - mine * self.own[training], 0.0) / others
        if rest <= 0:
            return self.own[training] > 0
        level = UNSTABLE_BASELINE if training in self.baselines else UNSTABLE
        return bool(fdtrc(mine, others, self.own[training] / rest) < level)

    def of_pair(self, a: SystemSeeds, b: SystemSeeds) -> tuple[float, float]:
        """Return the variance of a difference between seeds, and its degrees of freedom.

        Systems of one training are paired by its seeds, so that their difference has its own variance.
        """
        if a.training and a.training == b.training:
            both = [a.by_seed[seed] - b.by_seed[seed] for seed in a.by_seed if seed in b.by_seed]
            return (_variance(both), len(both) - 1.0) if len(both) > 1 else (0.0, 1.0)
        sides = [each.training for each in (a, b) if each.training]
        own = [name for name in sides if self.is_unstable(name)]
        pooled = (len(sides) - len(own)) * self.pooled
        if not own:
            return pooled, float(self.total)
        variance = pooled + sum(self.own[name] for name in own)
        parts = sum(self.own[name] ** 2 / self.degrees[name] for name in own)
        return variance, variance**2 / (pooled**2 / self.total + parts)  # Satterthwaite


def _baselines(systems: Sequence[SystemSeeds], pairs: Sequence[tuple[int, int]]) -> frozenset[str]:
    """Return the trainings that are in more than half of the distinct differences between trainings."""
    both = {frozenset((systems[a].training, systems[b].training)) for a, b in pairs}
    apart = [each for each in both if len(each) > 1]
    counted = Counter(name for each in apart for name in each)
    return frozenset(name for name, count in counted.items() if 2 * count > len(apart))


def _variance(values: Iterable[float]) -> float:
    return float(np.var(np.fromiter(values, float), ddof=1))


@dataclass(frozen=True)
class Noise:
    """The noise of the mean differences of a family, fractions."""

    clip_se_C: np.ndarray
    """Standard error of each from the clips, whatever the number of seeds."""
    seed_sd_C: np.ndarray
    """Standard deviation of each between seeds; 0 where its seeds are given."""
    freedom_C: np.ndarray
    """Degrees of freedom of the variance between seeds."""

    def se_C(self, seeds: int | np.ndarray) -> np.ndarray:
        """Return the standard error of each mean over so many seeds."""
        return np.hypot(self.clip_se_C, self.seed_sd_C / np.sqrt(seeds))

    def all_freedom_C(self, seeds: int | np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of each whole variance (Satterthwaite 1946, DOI 10.2307/3002019)."""
        of_seeds_C = self.seed_sd_C**2 / seeds
        share_C = np.full(len(of_seeds_C), np.inf)
        np.divide(self.clip_se_C**2 + of_seeds_C, of_seeds_C, out=share_C, where=of_seeds_C > 0)
        return self.freedom_C * share_C**2

    def half_C(self, seeds: int | np.ndarray, critical: float) -> np.ndarray:
        """Return the half-widths of the intervals after so many seeds, by a normal critical value."""
        return students(critical, self.all_freedom_C(seeds)) * self.se_C(seeds)


def students(critical: float, freedom_C: np.ndarray) -> np.ndarray:
    """Return Student's quantiles with the tail of a normal critical value."""
    known_C = np.isfinite(freedom_C)
    found_C = stdtrit(np.where(known_C, freedom_C, 1.0), ndtr(critical))
    return np.where(known_C, found_C, critical)


def as_normal(t_C: np.ndarray, freedom_C: np.ndarray) -> np.ndarray:
    """Return the normal values with the tails of Student's: the inverse of `students`."""
    known_C = np.isfinite(freedom_C) & np.isfinite(t_C)
    tail_C = stdtr(np.where(known_C, freedom_C, 1.0), -np.where(known_C, t_C, 0.0))
    return np.where(known_C, -ndtri(tail_C), t_C)


def noise_of(
    systems: Sequence[SystemSeeds],
    pairs: Sequence[tuple[int, int]],
    clips: Sequence[ClipNoise],
) -> Noise:
    """Return the noise of differences; `pairs` are the places of their two systems.

    What the seeds do to single clips is a part of what they do at all, and better known: less is not believed. Raises
    ValueError where no training has two seeds.
    """
    variances = SeedVariances.of(systems, pairs)
    if not variances.total:
        raise ValueError("no system has two seeds: nothing is known of how much they vary")
    found = [(0.0, 1.0) if a == b else variances.of_pair(systems[a], systems[b]) for a, b in pairs]
    sides_C = np.array([_sides(systems[a], systems[b]) for a, b in pairs])
    cross_C = np.array([each.cross_sd**2 for each in clips])
    apart_C = sides_C > 0
    if apart_C.any():
        # Of one pair on few clips it is known badly, too.
        cross_C[apart_C] = sides_C[apart_C] * (cross_C[apart_C] / sides_C[apart_C]).mean()
    variance_C = np.maximum([variance for variance, _ in found], cross_C)
    freedom_C = np.array([freedom for _, freedom in found])
    return Noise(np.array([c.shared_se for c in clips]), np.sqrt(variance_C), freedom_C)


def _sides(a: SystemSeeds, b: SystemSeeds) -> int:
    """Return the number of trainings that vary on their own in a difference; 0 for cells of one training."""
    return 0 if a.training == b.training else sum(bool(each.training) for each in (a, b))


def design(pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the differences as rows over the systems, of length 1; all 0 for a system and itself."""
    rows_CG = np.zeros((len(pairs), 1 + max((max(pair) for pair in pairs), default=0)))
    for row, (a, b) in zip(rows_CG, pairs, strict=True):
        if a != b:
            row[a], row[b] = np.sqrt(0.5), -np.sqrt(0.5)
    return rows_CG
