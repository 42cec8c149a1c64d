"""Seeds that grow where questions are open, beside fixed numbers of seeds: errors, answers and trainings.

Simulated ablations have the design of `tune_spaces/ablation.yaml`: its contrasts and its claims' comparisons of event F1
on VAL, two-sided. A system's value is its truth, its deviation by the clips (the same at every look) and one of each
seed. The looks are those of raysed.evaluation.intervals.looks; a fixed design has the same standard errors and max-T at
its one number of seeds.
"""

import json
import time
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer
from scipy.special import ndtr, ndtri, stdtrit

from benchmarks.common import RESULTS, document
from raysed.config.fault import Fault
from raysed.config.space import read_space
from raysed.evaluation.intervals.looks import HOPELESS, Noise, critical_values
from raysed.evaluation.intervals.power import critical_value
from raysed.report.contrasts import family
from raysed.run.run_plan import RunPlan

LOOKS = (3, 6, 10)
CLIP_SE = 0.0124
"""Standard error of a difference by VAL's clips, between real systems (raysed.report.claim_power.PRIORS)."""
STORED = RESULTS / "adaptive_seeds.json"


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


@dataclass(frozen=True)
class Scenario:
    """The truth of N ablations and what their seeds do."""

    truth: str
    """All systems equal; as published; or as published with half of them equal to the first."""
    seed_sd: float
    unlike: float
    """The spread of the logarithm of the systems' standard deviations between seeds."""

    def truths(self, random: np.random.Generator, design: Design, ablations: int) -> np.ndarray:
        """Return the true values of all systems, (N, G)."""
        truth_NG = np.tile(design.truth_G, (ablations, 1))
        if self.truth == "equal":
            truth_NG[:] = 0.0
        if self.truth == "half equal":
            order_NG = random.permuted(np.tile(np.arange(design.systems), (ablations, 1)), axis=1)
            truth_NG[order_NG < design.systems // 2] = design.truth_G[0]
        return truth_NG

    def values(self, random: np.random.Generator, truth_NG: np.ndarray) -> np.ndarray:
        """Return the values of all systems over all seeds, (N, G, S)."""
        clips_NG = CLIP_SE / np.sqrt(2) * random.standard_normal(truth_NG.shape)
        unlike_NG = self.unlike * random.standard_normal(truth_NG.shape)
        sd_NG = self.seed_sd * np.exp(unlike_NG - self.unlike**2)
        seeds_NGS = random.standard_normal((*truth_NG.shape, LOOKS[-1]))
        return (truth_NG + clips_NG)[..., None] + sd_NG[..., None] * seeds_NGS


SCENARIOS = [
    Scenario("equal", 0.013, 0.0),
    Scenario("equal", 0.013, 0.5),
    Scenario("equal", 0.026, 0.3),
    Scenario("half equal", 0.013, 0.3),
    Scenario("published", 0.013, 0.0),
    Scenario("published", 0.013, 0.5),
    Scenario("published", 0.026, 0.3),
]


def noise(
    design: Design, value_NGS: np.ndarray, seeds_NG: np.ndarray, seeds: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `noise_of` does for every ablation: variance between seeds of each difference (N, C), the pooled one
    of a difference (N, 1), and its degrees of freedom (N, 1).
    """
    there_NGS = np.arange(value_NGS.shape[2]) < seeds_NG[..., None]
    mean_NG = (value_NGS * there_NGS).sum(axis=2) / seeds_NG
    squares_NG = (there_NGS * (value_NGS - mean_NG[..., None]) ** 2).sum(axis=2)
    freedom_N1 = (seeds_NG - 1).sum(axis=1, keepdims=True)
    pooled_N1 = 2 * squares_NG.sum(axis=1, keepdims=True) / freedom_N1
    first_NCS = np.einsum("cg,ngs->ncs", design.matrix, value_NGS[:, :, :seeds])
    return np.maximum(first_NCS.var(axis=2, ddof=1), pooled_N1), pooled_N1, freedom_N1


def half_width_of(
    variance_NC: np.ndarray, freedom_N1: np.ndarray, seeds: int, critical_N1: Any
) -> np.ndarray:
    """Return the half-widths of the intervals after so many seeds, as `Noise.half_C`."""
    of_seeds_NC = variance_NC / seeds
    freedom_NC = freedom_N1 * ((CLIP_SE**2 + of_seeds_NC) / of_seeds_NC) ** 2
    return stdtrit(freedom_NC, ndtr(critical_N1)) * np.sqrt(CLIP_SE**2 + of_seeds_NC)


class Criticals:
    """Critical values of every look by the ratio of seeds to clips, between those of some ratios."""

    def __init__(self, design: Design) -> None:
        self.ratios = np.geomspace(0.2, 8.0, 12)
        count = len(design.pairs)
        self.found = np.array(
            [
                critical_values(
                    Noise(np.full(count, CLIP_SE), np.full(count, CLIP_SE * ratio), 1),
                    design.pairs,
                    LOOKS,
                )
                for ratio in self.ratios
            ]
        )

    def of(self, look: int, pooled_N1: np.ndarray) -> np.ndarray:
        """Return the critical values of a look, (N, 1)."""
        return np.interp(np.sqrt(pooled_N1) / CLIP_SE, self.ratios, self.found[:, look])


def grown(
    design: Design, value_NGS: np.ndarray, criticals: Criticals
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sign that is found for each difference (N, C; 0: none), and the seeds of each system (N, G)."""
    touches_CG = np.abs(design.matrix)
    shape = (len(value_NGS), len(design.pairs))
    low_NC, high_NC = np.full(shape, -np.inf), np.full(shape, np.inf)
    open_NC, seeds_NG = np.ones(shape, bool), np.full(value_NGS.shape[:2], LOOKS[0])
    for look, seeds in enumerate(LOOKS):
        seeds_NG = np.where(open_NC @ touches_CG > 0, seeds, seeds_NG)
        variance_NC, pooled_N1, freedom_N1 = noise(design, value_NGS, seeds_NG, seeds)
        half_NC = half_width_of(variance_NC, freedom_N1, seeds, criticals.of(look, pooled_N1))
        value_NC = value_NGS[:, :, :seeds].mean(axis=2) @ design.matrix.T
        new_low, new_high = (
            np.maximum(low_NC, value_NC - half_NC),
            np.minimum(high_NC, value_NC + half_NC),
        )
        kept_NC = open_NC & (new_low <= new_high)
        low_NC, high_NC = np.where(kept_NC, new_low, low_NC), np.where(kept_NC, new_high, high_NC)
        last_NC = half_width_of(variance_NC, freedom_N1, LOOKS[-1], criticals.of(-1, pooled_N1))
        moves_NC = np.sqrt(variance_NC * max(1 / seeds - 1 / LOOKS[-1], 1e-12))
        chance_NC = ndtr((-last_NC - value_NC) / moves_NC) + ndtr((value_NC - last_NC) / moves_NC)
        open_NC &= (low_NC <= 0) & (high_NC >= 0) & (chance_NC >= HOPELESS)
    return (low_NC > 0) * 1 - (high_NC < 0) * 1, seeds_NG


def fixed(design: Design, value_NGS: np.ndarray, seeds: int, critical: float) -> np.ndarray:
    """Return the signs that so many listed seeds find, with the same standard errors."""
    seeds_NG = np.full(value_NGS.shape[:2], seeds)
    variance_NC, _, freedom_N1 = noise(design, value_NGS, seeds_NG, seeds)
    value_NC = value_NGS[:, :, :seeds].mean(axis=2) @ design.matrix.T
    half_NC = half_width_of(variance_NC, freedom_N1, seeds, critical)
    return np.sign(value_NC) * (np.abs(value_NC) > half_NC)


def fixed_as_reported(
    design: Design, value_NGS: np.ndarray, seeds: int, critical: float
) -> np.ndarray:
    """Return the signs that the report finds where seeds are listed: each difference by its own variance."""
    own_NCS = np.einsum("cg,ngs->ncs", design.matrix, value_NGS[:, :, :seeds])
    value_NC, of_seeds_NC = own_NCS.mean(axis=2), own_NCS.var(axis=2, ddof=1) / seeds
    freedom_NC = (seeds - 1) * ((CLIP_SE**2 + of_seeds_NC) / of_seeds_NC) ** 2
    half_NC = (
        critical * np.sqrt(CLIP_SE**2 + of_seeds_NC) * stdtrit(freedom_NC, 0.975) / ndtri(0.975)
    )
    return np.sign(value_NC) * (np.abs(value_NC) > half_NC)


def judged(signs_NC: np.ndarray, true_NC: np.ndarray) -> tuple[float, float]:
    """Return the share of ablations with any wrong answer, and the right answers of one ablation."""
    given_NC = signs_NC != 0
    wrong_N = (given_NC & (signs_NC != true_NC)).any(axis=1)
    return float(wrong_N.mean()), float((given_NC & (signs_NC == true_NC)).sum(axis=1).mean())


def simulate(
    design: Design, scenario: Scenario, ablations: int, criticals: Criticals
) -> dict[str, Any]:
    """Return errors, answers and seeds of both ways over many ablations."""
    random = np.random.default_rng(18)
    truth_NG = scenario.truths(random, design, ablations)
    true_NC = np.sign(np.round(truth_NG @ design.matrix.T, 9))
    value_NGS = scenario.values(random, truth_NG)
    signs_NC, seeds_NG = grown(design, value_NGS, criticals)
    error, answers = judged(signs_NC, true_NC)
    used_N = seeds_NG.mean(axis=1)
    critical = critical_value(design.matrix)
    ways = {}
    for name, way in (("fixed", fixed), ("fixed_as_reported", fixed_as_reported)):
        found = {
            s: judged(way(design, value_NGS, s, critical), true_NC)
            for s in range(LOOKS[0], LOOKS[-1] + 1)
        }
        compared = beside(
            answers, float(np.median(used_N)), {s: right for s, (_, right) in found.items()}
        )
        ways[name] = compared | {"error": {s: wrong for s, (wrong, _) in found.items()}}
    return vars(scenario) | {
        "ablations": ablations,
        "family_wise_error": error,
        "standard_error": float(np.sqrt(error * (1 - error) / ablations)),
        "answers": answers,
        "seeds_median": float(np.median(used_N)),
        "seeds_quartiles": [float(q) for q in np.quantile(used_N, (0.25, 0.75))],
        **ways,
    }


def beside(answers: float, median_seeds: float, fixed_answers: dict[int, float]) -> dict[str, Any]:
    """Return the fixed number of seeds that gives as many answers, and how many fewer seeds growing ones take."""
    equal = None
    if max(fixed_answers.values()) > 0:
        equal = float(np.interp(answers, list(fixed_answers.values()), list(fixed_answers)))
    return {
        "answers": fixed_answers,
        "seeds_of_equal_power": equal,
        "fewer": None if equal is None else 1 - median_seeds / equal,
    }


def main(
    ablations: Annotated[int, typer.Option(min=10)] = 2000,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Simulate every scenario; print and keep what was found so far after each."""
    started, design = time.process_time(), published_design()
    criticals = Criticals(design)
    found: list[dict[str, Any]] = []
    for scenario in SCENARIOS:
        found.append(simulate(design, scenario, ablations, criticals))
        print(json.dumps(found[-1]), flush=True)
        content = document(
            "adaptive_seeds",
            [],
            looks=LOOKS,
            clip_se=CLIP_SE,
            systems=design.systems,
            differences=len(design.pairs),
            scenarios=found,
            cpu_s=time.process_time() - started,
        )
        if store:
            STORED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
