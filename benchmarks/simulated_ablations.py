"""Simulated ablations: the differences that the paper asks for, what is true of them, and values over clips and seeds.

They have the design of `tune_spaces/ablation.yaml`: its contrasts and its claims' comparisons of event F1 on VAL, two-sided.
A system's value is its truth, its deviation by the clips (the same at every look) and one of each seed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.config.fault import Fault
from raysed.config.space import read_space
from raysed.report.contrasts import family
from raysed.run.run_plan import RunPlan

LOOKS = (3, 6, 10)
CLIP_SE = 0.0124
"""Standard error of a difference by VAL's clips, between real systems (raysed.report.spreads.PRIORS)."""


@dataclass(frozen=True)
class Design:
    """The differences of an ablation."""

    pairs: tuple[tuple[int, int], ...]
    truth_G: np.ndarray
    """The published values of its systems."""

    @property
    def systems(self) -> int:
        """The number of distinct systems."""
        return len(self.truth_G)

    @property
    def matrix(self) -> np.ndarray:
        """The differences as rows of +1 and -1."""
        rows_CG = np.zeros((len(self.pairs), len(self.truth_G)))
        for row, (a, b) in zip(rows_CG, self.pairs, strict=True):
            row[a] += 1
            row[b] -= 1
        return rows_CG

    @property
    def baseline(self) -> int:
        """The place of the system that is in most differences."""
        return int(np.abs(self.matrix).sum(axis=0).argmax())


def published_design() -> Design:
    """Return the distinct differences of event F1 on VAL that the paper's ablation asks for, and published values."""
    unset: list[Fault] = []
    plan = RunPlan.of(read_space("tune_spaces/ablation.yaml", unset=unset), (), 1)
    system = {cell.id: cell.system for cell in plan.cells}
    published = {c.id: c.published_value("val", "event_f1") for c in plan.cells}
    pairs: dict[frozenset[Any], tuple[str, str]] = {}
    for a, b in family(plan, "val", "event_f1"):
        if system[a] != system[b] and published[a] is not None and published[b] is not None:
            pairs.setdefault(frozenset((system[a], system[b])), (a, b))
    cells = {system[cell]: cell for pair in pairs.values() for cell in pair}
    places = {name: place for place, name in enumerate(cells)}
    return Design(
        tuple((places[system[a]], places[system[b]]) for a, b in pairs.values()),
        np.array([published[cell] for cell in cells.values()], float),
    )


def one_baseline(systems: int) -> Design:
    """Return the differences of so many systems from the first."""
    return Design(tuple((g, 0) for g in range(1, systems)), np.zeros(systems))


@dataclass(frozen=True)
class Scenario:
    """The truth of N ablations and what their seeds do."""

    truth: str
    """All systems equal; as published; or as published with half of them equal to the first."""
    seed_sd: float
    unlike: float
    """The spread of the logarithm of the systems' standard deviations between seeds."""
    unstable: float = 1.0
    """So many times the standard deviation of the others has one system, another one in each ablation."""
    of_baseline: bool = False
    """True where that is always the one in most differences."""

    def truths(self, random: np.random.Generator, design: Design, ablations: int) -> np.ndarray:
        """Return the true values of all systems, (N, G)."""
        truth_NG = np.tile(design.truth_G, (ablations, 1))
        if self.truth == "equal":
            truth_NG[:] = 0.0
        if self.truth == "half equal":
            order_NG = random.permuted(np.tile(np.arange(design.systems), (ablations, 1)), axis=1)
            truth_NG[order_NG < design.systems // 2] = design.truth_G[0]
        return truth_NG

    def values(
        self, random: np.random.Generator, design: Design, truth_NG: np.ndarray
    ) -> np.ndarray:
        """Return the values of all systems over all seeds, (N, G, S)."""
        clips_NG = CLIP_SE / np.sqrt(2) * random.standard_normal(truth_NG.shape)
        unlike_NG = self.unlike * random.standard_normal(truth_NG.shape)
        sd_NG = self.seed_sd * np.exp(unlike_NG - self.unlike**2)
        ablation_N = np.arange(len(sd_NG))
        one_N = design.baseline if self.of_baseline else ablation_N % sd_NG.shape[1]
        sd_NG[ablation_N, one_N] *= self.unstable
        seeds_NGS = random.standard_normal((*truth_NG.shape, LOOKS[-1]))
        return (truth_NG + clips_NG)[..., None] + sd_NG[..., None] * seeds_NGS
