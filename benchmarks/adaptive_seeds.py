"""Seeds that grow where questions are open, beside fixed numbers of seeds: errors, answers and trainings.

The looks are those of raysed.evaluation.intervals.looks; a fixed design (listed seeds) has the same standard errors
and max-T at its one number of seeds. Beside it stands what was done before variances were pooled: each difference by its own.
"""

import json
import time
from typing import Annotated, Any

import numpy as np
import typer
from scipy.special import fdtrc, ndtr, ndtri, stdtrit

from benchmarks.common import RESULTS, document
from benchmarks.simulated_ablations import (
    CLIP_SE,
    LOOKS,
    Design,
    Scenario,
    one_baseline,
    published_design,
)
from raysed.evaluation.intervals.looks import HOPELESS, critical_values
from raysed.evaluation.intervals.power import critical_value
from raysed.evaluation.intervals.seed_noise import (
    UNSTABLE,
    UNSTABLE_BASELINE,
    ClipNoise,
    Noise,
    SystemSeeds,
    noise_of,
)

STORED = RESULTS / "adaptive_seeds.json"

SCENARIOS = [
    Scenario("equal", 0.013, 0.0),
    Scenario("equal", 0.013, 0.5),
    Scenario("equal", 0.026, 0.0),
    Scenario("equal", 0.026, 0.3),
    Scenario("equal", 0.026, 0.5),
    Scenario("equal", 0.013, 0.0, unstable=3.0),
    Scenario("equal", 0.013, 0.0, unstable=5.0),
    Scenario("equal", 0.026, 0.0, unstable=3.0),
    Scenario("equal", 0.026, 0.0, unstable=2.0, of_baseline=True),
    Scenario("equal", 0.026, 0.0, unstable=3.0, of_baseline=True),
    Scenario("half equal", 0.013, 0.3),
    Scenario("published", 0.013, 0.0),
    Scenario("published", 0.013, 0.5),
    Scenario("published", 0.026, 0.3),
]


ONE_BASELINE = {
    2: [
        Scenario("equal", 0.026, 0.0),
        Scenario("equal", 0.026, 0.0, unstable=3.0, of_baseline=True),
        Scenario("equal", 0.026, 0.0, unstable=5.0, of_baseline=True),
    ],
    3: [
        Scenario("equal", 0.026, 0.0, unstable=3.0, of_baseline=True),
        Scenario("equal", 0.026, 0.0, unstable=5.0, of_baseline=True),
    ],
    5: [
        Scenario("equal", 0.013, 0.0),
        Scenario("equal", 0.026, 0.0),
        Scenario("equal", 0.026, 0.5),
        Scenario("equal", 0.026, 0.0, unstable=3.0),
        Scenario("equal", 0.013, 0.0, unstable=3.0, of_baseline=True),
        Scenario("equal", 0.026, 0.0, unstable=2.0, of_baseline=True),
        Scenario("equal", 0.026, 0.0, unstable=3.0, of_baseline=True),
        Scenario("equal", 0.026, 0.0, unstable=5.0, of_baseline=True),
    ],
    10: [
        Scenario("equal", 0.026, 0.0),
        Scenario("equal", 0.026, 0.0, unstable=2.0, of_baseline=True),
        Scenario("equal", 0.026, 0.0, unstable=3.0, of_baseline=True),
    ],
}
"""By the number of systems, all but the first of which are compared with the first."""


def noise(
    design: Design, value_NGS: np.ndarray, seeds_NG: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `noise_of` does for every ablation: variance between seeds of each difference (N, C), the pooled one
    of a difference (N, 1), and the degrees of freedom of each (N, C).
    """
    touches_GC = np.abs(design.matrix).T
    there_NGS = np.arange(value_NGS.shape[2]) < seeds_NG[..., None]
    mean_NG = (value_NGS * there_NGS).sum(axis=2) / seeds_NG
    squares_NG = (there_NGS * (value_NGS - mean_NG[..., None]) ** 2).sum(axis=2)
    mine_NG = seeds_NG - 1
    freedom_N1 = mine_NG.sum(axis=1, keepdims=True)
    pooled_N1 = squares_NG.sum(axis=1, keepdims=True) / freedom_N1
    others_NG = freedom_N1 - mine_NG
    ratio_NG = (squares_NG / mine_NG) * others_NG / (freedom_N1 * pooled_N1 - squares_NG)
    level_G = np.where(touches_GC.mean(axis=1) > 0.5, UNSTABLE_BASELINE, UNSTABLE)
    own_NG = fdtrc(mine_NG, others_NG, ratio_NG) < level_G
    own_NC = (own_NG * squares_NG / mine_NG) @ touches_GC
    pooled_NC = pooled_N1 * (~own_NG @ touches_GC)
    parts_NC = (own_NG * squares_NG**2 / mine_NG**3) @ touches_GC
    freedom_NC = (own_NC + pooled_NC) ** 2 / (parts_NC + pooled_NC**2 / freedom_N1)
    return own_NC + pooled_NC, 2 * pooled_N1, freedom_NC


def check_noise(design: Design, value_NGS: np.ndarray) -> None:
    """Assert that `noise` is what the report computes, on some ablations."""
    seeds_NG = np.full(value_NGS.shape[:2], LOOKS[1])
    variance_NC, _, freedom_NC = noise(design, value_NGS, seeds_NG)
    for ablation in range(5):
        systems = [
            SystemSeeds(str(g), dict(enumerate(value_S[: LOOKS[1]])))
            for g, value_S in enumerate(value_NGS[ablation])
        ]
        found = noise_of(systems, design.pairs, [ClipNoise(CLIP_SE, 0.0)] * len(design.pairs))
        np.testing.assert_allclose(found.seed_sd_C**2, variance_NC[ablation], rtol=1e-9)
        np.testing.assert_allclose(found.freedom_C, freedom_NC[ablation], rtol=1e-9)


def half_width_of(
    variance_NC: np.ndarray, freedom_NC: np.ndarray, seeds: int, critical_N1: Any
) -> np.ndarray:
    """Return the half-widths of the intervals after so many seeds, as `Noise.half_C`."""
    of_seeds_NC = variance_NC / seeds
    all_NC = freedom_NC * ((CLIP_SE**2 + of_seeds_NC) / of_seeds_NC) ** 2
    return stdtrit(all_NC, ndtr(critical_N1)) * np.sqrt(CLIP_SE**2 + of_seeds_NC)


class Criticals:
    """Critical values of every look by the ratio of seeds to clips, between those of some ratios."""

    def __init__(self, design: Design) -> None:
        self.ratios = np.geomspace(0.2, 8.0, 12)
        count = len(design.pairs)
        self.found = np.array(
            [
                critical_values(
                    Noise(*(np.full(count, x) for x in (CLIP_SE, CLIP_SE * ratio, 1.0))),
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
        variance_NC, pooled_N1, freedom_NC = noise(design, value_NGS, seeds_NG)
        half_NC = half_width_of(variance_NC, freedom_NC, seeds, criticals.of(look, pooled_N1))
        value_NC = value_NGS[:, :, :seeds].mean(axis=2) @ design.matrix.T
        new_low, new_high = (
            np.maximum(low_NC, value_NC - half_NC),
            np.minimum(high_NC, value_NC + half_NC),
        )
        kept_NC = open_NC & (new_low <= new_high)
        low_NC, high_NC = np.where(kept_NC, new_low, low_NC), np.where(kept_NC, new_high, high_NC)
        later_NC = freedom_NC * (LOOKS[-1] - 1) / (seeds - 1)
        last_NC = half_width_of(variance_NC, later_NC, LOOKS[-1], criticals.of(-1, pooled_N1))
        moves_NC = np.sqrt(variance_NC * max(1 / seeds - 1 / LOOKS[-1], 1e-12))
        chance_NC = ndtr((-last_NC - value_NC) / moves_NC) + ndtr((value_NC - last_NC) / moves_NC)
        open_NC &= (low_NC <= 0) & (high_NC >= 0) & (chance_NC >= HOPELESS)
    return (low_NC > 0) * 1 - (high_NC < 0) * 1, seeds_NG


def fixed(design: Design, value_NGS: np.ndarray, seeds: int, critical: float) -> np.ndarray:
    """Return the signs that the report finds with so many listed seeds."""
    seeds_NG = np.full(value_NGS.shape[:2], seeds)
    variance_NC, _, freedom_NC = noise(design, value_NGS, seeds_NG)
    value_NC = value_NGS[:, :, :seeds].mean(axis=2) @ design.matrix.T
    half_NC = half_width_of(variance_NC, freedom_NC, seeds, critical)
    return np.sign(value_NC) * (np.abs(value_NC) > half_NC)


def fixed_own(design: Design, value_NGS: np.ndarray, seeds: int, critical: float) -> np.ndarray:
    """Return the signs that listed seeds found before variances were pooled: each difference by its own."""
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
    value_NGS = scenario.values(random, design, truth_NG)
    check_noise(design, value_NGS)
    signs_NC, seeds_NG = grown(design, value_NGS, criticals)
    error, answers = judged(signs_NC, true_NC)
    used_N = seeds_NG.mean(axis=1)
    critical = critical_value(design.matrix)
    ways = {}
    for name, way in (("fixed", fixed), ("fixed_own", fixed_own)):
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
    ablations: Annotated[int, typer.Option(min=10)] = 8000,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Simulate every scenario; print and keep what was found so far after each."""
    started, design = time.process_time(), published_design()
    criticals = Criticals(design)
    found: list[dict[str, Any]] = []
    asked = [(design, criticals, each) for each in SCENARIOS]
    for systems, scenarios in ONE_BASELINE.items():
        few = one_baseline(systems)
        few_criticals = Criticals(few)
        asked += [(few, few_criticals, each) for each in scenarios]
    for of, its_criticals, scenario in asked:
        found.append(simulate(of, scenario, ablations, its_criticals) | {"systems": of.systems})
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
