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

from benchmarks.common import RESULTS, document
from raysed.config.fault import Fault
from raysed.config.space import read_space
from raysed.evaluation.intervals.looks import (
    HOPELESS,
    AtLook,
    Relation,
    both,
    chance,
    critical_values,
    noise_of,
    still_moves_C,
)
from raysed.evaluation.intervals.power import Spread, critical_value, half_width
from raysed.report.contrasts import family
from raysed.run.run_plan import RunPlan

LOOKS = (3, 6, 10)
CLIP_SE = 0.0124
"""Standard error of a difference by VAL's clips, between real systems (raysed.report.claim_power.PRIORS)."""
STORED = RESULTS / "adaptive_seeds.json"
HIGHER = Relation("higher", 0.0)


@dataclass(frozen=True)
class Design:
    """The differences of an ablation."""

    pairs: tuple[tuple[int, int], ...]
    truth_G: np.ndarray
    """The published values of its systems."""

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


def ablation(
    random: np.random.Generator, truth_G: np.ndarray, seed_sd: float, unlike: float
) -> np.ndarray:
    """Return the values of all systems over all seeds, (G, S); `unlike` is the spread of the log of their seeds' sd."""
    clips_G = CLIP_SE / np.sqrt(2) * random.standard_normal(len(truth_G))
    sd_G = seed_sd * np.exp(unlike * random.standard_normal(len(truth_G)) - unlike**2)
    seeds_GS = sd_G[:, None] * random.standard_normal((len(truth_G), LOOKS[-1]))
    return (truth_G + clips_G)[:, None] + seeds_GS


def grown(design: Design, value_GS: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sign that is found for each difference (0: none), and the seeds of each system."""
    count = len(design.pairs)
    interval = [(-np.inf, np.inf)] * count
    open_C, seeds_G = np.ones(count, bool), np.full(len(value_GS), LOOKS[0])
    passed: list[float] = []
    for look, seeds in enumerate(LOOKS):
        for place in np.flatnonzero(open_C):
            seeds_G[list(design.pairs[place])] = seeds
        noise = noise_of(
            [v[:s] for v, s in zip(value_GS, seeds_G, strict=True)],
            design.pairs,
            np.full(count, CLIP_SE),
        )
        critical_L = critical_values(noise, design.pairs, LOOKS, passed)
        passed.append(float(critical_L[look]))
        half_C = noise.half_C(seeds, passed[-1])
        last_C = noise.half_C(LOOKS[-1], float(critical_L[-1]))
        moves_C = still_moves_C(noise, seeds, LOOKS[-1])
        for place in np.flatnonzero(open_C):
            a, b = design.pairs[place]
            value = float((value_GS[a, :seeds] - value_GS[b, :seeds]).mean())
            ends = (value - half_C[place], value + half_C[place])
            interval[place] = both(interval[place], ends)
            low, high = interval[place]
            at = AtLook(value, interval[place], float(last_C[place]), float(moves_C[place]))
            open_C[place] = low <= 0 <= high and chance(HIGHER, at) >= HOPELESS
        if not open_C.any():
            break
    signs = np.array([(low > 0) * 1 - (high < 0) * 1 for low, high in interval])
    return signs, seeds_G


def fixed(design: Design, value_GS: np.ndarray, seeds: int, critical: float) -> np.ndarray:
    """Return the sign that a fixed number of seeds finds for each difference."""
    value_GS = value_GS[:, :seeds]
    noise = noise_of(list(value_GS), design.pairs, np.full(len(design.pairs), CLIP_SE))
    value_C = design.matrix @ value_GS.mean(axis=1)
    return np.sign(value_C) * (np.abs(value_C) > noise.half_C(seeds, critical))


def fixed_as_reported(
    design: Design, value_GS: np.ndarray, seeds: int, critical: float
) -> np.ndarray:
    """Return the sign that the report finds for each difference where so many seeds are listed: its own variance."""
    own_CS = design.matrix @ value_GS[:, :seeds]
    found = zip(own_CS.mean(axis=1), own_CS.std(axis=1, ddof=1), strict=True)
    return np.array(
        [
            np.sign(v) * (abs(v) > half_width(Spread(CLIP_SE, sd), seeds, critical))
            for v, sd in found
        ]
    )


def simulate(design: Design, scenario: dict[str, Any], ablations: int) -> dict[str, Any]:
    """Return errors, answers and seeds of both ways over many ablations."""
    random = np.random.default_rng(18)
    critical = critical_value(design.matrix)
    counts = range(LOOKS[0], LOOKS[-1] + 1)
    wrong, right, used = [], [], []
    ways = {"fixed": fixed, "fixed as reported": fixed_as_reported}
    wrong_of = {(way, seeds): [] for way in ways for seeds in counts}
    right_of = {(way, seeds): [] for way in ways for seeds in counts}
    for _ in range(ablations):
        truth_G = truth_of(random, design, scenario["truth"])
        true_C = np.sign(np.round(design.matrix @ truth_G, 9))
        value_GS = ablation(random, truth_G, scenario["seed_sd"], scenario["unlike"])
        signs_C, seeds_G = grown(design, value_GS)
        wrong.append(bool(((signs_C != 0) & (signs_C != true_C)).any()))
        right.append(int(((signs_C != 0) & (signs_C == true_C)).sum()))
        used.append(float(seeds_G.mean()))
        for way, seeds in wrong_of:
            signs_C = ways[way](design, value_GS, seeds, critical)
            wrong_of[way, seeds].append(bool(((signs_C != 0) & (signs_C != true_C)).any()))
            right_of[way, seeds].append(int(((signs_C != 0) & (signs_C == true_C)).sum()))
    error = float(np.mean(wrong))
    return scenario | {
        "ablations": ablations,
        "family_wise_error": error,
        "standard_error": float(np.sqrt(error * (1 - error) / ablations)),
        "answers": float(np.mean(right)),
        "seeds_median": float(np.median(used)),
        "seeds_quartiles": [float(q) for q in np.quantile(used, (0.25, 0.75))],
        **{
            way: beside(
                float(np.mean(right)),
                float(np.median(used)),
                {s: float(np.mean(right_of[way, s])) for s in counts},
            )
            | {"error": {s: float(np.mean(wrong_of[way, s])) for s in counts}}
            for way in ways
        },
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


def truth_of(random: np.random.Generator, design: Design, kind: str) -> np.ndarray:
    """Return the truth of the systems: all equal, as published, or as published with half of them equal to the first."""
    if kind == "equal":
        return np.zeros_like(design.truth_G)
    truth_G = design.truth_G.copy()
    if kind == "half equal":
        truth_G[random.permutation(len(truth_G))[: len(truth_G) // 2]] = truth_G[0]
    return truth_G


SCENARIOS = [
    {"truth": "equal", "seed_sd": 0.013, "unlike": 0.0},
    {"truth": "published", "seed_sd": 0.013, "unlike": 0.0},
    {"truth": "half equal", "seed_sd": 0.013, "unlike": 0.3},
    {"truth": "equal", "seed_sd": 0.026, "unlike": 0.3},
    {"truth": "published", "seed_sd": 0.026, "unlike": 0.3},
]


def main(
    ablations: Annotated[int, typer.Option(min=10)] = 2000,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Simulate every scenario; print and keep what was found so far after each."""
    started, design = time.process_time(), published_design()
    found: list[dict[str, Any]] = []
    for scenario in SCENARIOS:
        found.append(simulate(design, scenario, ablations))
        print(json.dumps(found[-1]), flush=True)
        content = document(
            "adaptive_seeds",
            [],
            looks=LOOKS,
            clip_se=CLIP_SE,
            systems=len(design.truth_G),
            differences=len(design.pairs),
            scenarios=found,
            cpu_s=time.process_time() - started,
        )
        if store:
            STORED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
