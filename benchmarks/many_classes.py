"""Simulation of intervals on made-up sets of many classes, where the draws of a bootstrap lie to one side of the value.

A system on a large pool of clips is made up, with classes that it knows better or worse. A simulated set is some clips drawn
from the pool with replacement, so that both things that an interval can be about are known: the value on the whole
pool, which is that of infinitely many clips, and the mean value of sets of this size. As in `threshold_simulation` nothing
is counted again for a set: its resamples are weights of the pool's clips. 300 sets take from half a minute (10 classes) to five
(407) on one core.

With 0 classes there are no sets: values and their draws are normal numbers of one spread, and both have the same bias. That tells what
the rules do with a bias of any size where nothing else is wrong.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.score_set import CLIP_S, made_events, names_of
from benchmarks.statistics_simulation import held
from benchmarks.threshold_simulation import GROUPS, by_strata
from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.intervals.bootstrap import clip_weights
from raysed.evaluation.intervals.interval_ends import bca, bias_z, ends_of, moved
from raysed.evaluation.intervals.significance import symmetric
from raysed.evaluation.metrics.registry import METRICS

STORED = RESULTS / "many_classes.json"
FRAMES = 50
BIASES = (0.0, 0.5, 0.75, 0.98, 1.25, 1.5, 1.75, 1.96, 3.0)
MANY = 1000
"""Sets without draws, whose mean value is that of sets of this size."""
Rule = Callable[[np.ndarray, float, np.ndarray], tuple[float, float]]
RULES: dict[str, Rule] = {
    "bca": lambda values_B, value, left_G: bca(values_B, value, left_G, 0.95),
    "moved": lambda values_B, value, left_G: moved(values_B, value, 0.95),
    "moved twice": lambda values_B, value, left_G: corrected(values_B, value),
    "symmetric": lambda values_B, value, left_G: symmetric(values_B, value, 0.95),
    "as users get": lambda values_B, value, left_G: ends_of(values_B, value, left_G, 0.95)[:2],
}
"""From draws (B,), the value and the values without each group (G,) to the ends of a 95 % interval."""


def corrected(values_B: np.ndarray, value: float) -> tuple[float, float]:
    """Return the quantiles of the draws about the value less the bias that they show: for the value of infinitely many clips."""
    middle = float(np.median(values_B))
    low, high = moved(values_B, value, 0.95)
    return low + value - middle, high + value - middle


@dataclass(frozen=True)
class Case:
    """Sets of one size from one pool."""

    classes: int
    clips: int
    spread: float = 2.0
    """The standard deviation between classes of how far their events' scores rise, in logits."""
    pool: int = 2000


def pool_of(case: Case, seed: int = 0) -> Statistics:
    """Return the counts of a made-up system on the pool, at 50 operating points and at every score."""
    found = made_events(case.pool, case.classes, seed)
    clip_E, label_E, onset_E, offset_E = (np.array(column) for column in zip(*found, strict=True))
    reference = Reference(
        tuple(names_of(case.pool, "clip")),
        np.full(case.pool, CLIP_S),
        tuple(names_of(case.classes, "class")),
        Events.sort(clip_E, label_E, onset_E, offset_E),
    )
    edges_NT1 = np.tile(np.linspace(0, CLIP_S, FRAMES + 1), (case.pool, 1))
    scores = FrameScores(_scores(reference.events, case, seed), edges_NT1)
    points = {point: scores.decode(point) for point in THRESHOLDS}
    counted = collect(reference, scores.decode(0.5), points)
    return replace(counted, scored=Scored.of(reference, scores))


def _scores(events: Events, case: Case, seed: int) -> np.ndarray:
    """Return scores (N, T, K): they rise where events are, and in one clip of a hundred somewhere else."""
    rng = np.random.default_rng([seed, 2])
    skill_K = rng.normal(7.0, case.spread, case.classes)
    middle_T = (np.arange(FRAMES) + 0.5) * CLIP_S / FRAMES
    start_N = events.starts(case.pool)
    scores_NTK = np.empty((case.pool, FRAMES, case.classes), np.float32)
    for n in range(case.pool):
        logit_TK = np.cumsum(rng.normal(0, 0.1, (FRAMES, case.classes)), axis=0)
        logit_TK += rng.normal(-7.0, 1.2, case.classes)
        for k in np.flatnonzero(rng.random(case.classes) < 0.01):
            first = rng.integers(FRAMES)
            logit_TK[first : first + rng.integers(2, 15), k] += rng.uniform(2, 8)
        for e in range(start_N[n], start_N[n + 1]):
            onset = events.onset_E[e] + rng.normal(0, 0.1)
            offset = events.offset_E[e] + rng.normal(0, 0.2)
            inside_T = (onset <= middle_T) & (middle_T < offset)
            k = events.label_E[e]
            logit_TK[inside_T, k] += rng.normal(skill_K[k], 3.0)
        scores_NTK[n] = 1 / (1 + np.exp(-logit_TK))
    return scores_NTK


def set_weights(case: Case, number: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which clips of the pool are in a simulated set, bool (N,), and the weights of these J clips: the set itself, its
    draws, and the set without each random group, int16 (1 + draws + GROUPS, J).
    """
    clip_I = np.random.default_rng([11, number]).integers(case.pool, size=case.clips)
    once_N = np.bincount(clip_I, minlength=case.pool)
    place_I, once_J = (np.cumsum(once_N > 0) - 1)[clip_I], once_N[once_N > 0]
    all_BJ = np.zeros((1 + draws + GROUPS, len(once_J)), np.int16)
    drawn_BI = clip_weights(f"many classes {number}", case.clips, draws, 0)
    np.add.at(all_BJ[1 : 1 + draws].T, place_I, drawn_BI.T)
    all_BJ[0], all_BJ[1 + draws :] = once_J, once_J
    # Which clips are drawn is random, so that every 73rd of them are a random group.
    np.subtract.at(all_BJ[1 + draws :], (np.arange(case.clips) % GROUPS, place_I), 1)
    return once_N > 0, all_BJ


def simulated(
    case: Case, names: list[str], first: int, sets: int, draws: int
) -> dict[str, dict[str, Any]]:
    """Return for each metric what is known of its sets, and the coverage of both truths by each rule."""
    pool = pool_of(case)
    drawn = {name: [] for name in names}
    for number in range(first, first + sets):
        kept_N, all_BJ = set_weights(case, number, draws)
        some = some_clips(pool, kept_N)
        for name in names:
            drawn[name].append(METRICS[name](some, all_BJ))
    rng = np.random.default_rng(9)
    many_MN = rng.multinomial(case.clips, np.full(case.pool, 1 / case.pool), size=MANY)
    return {
        name: covered(
            np.array(drawn[name]), METRICS[name](pool, None)[0], METRICS[name](pool, many_MN)
        )
        for name in names
    }


def normal(bias: float, sets: int, draws: int) -> dict[str, Any]:
    """Return the coverage where values and draws are normal and lie `bias` standard deviations below the truth and the value."""
    rng = np.random.default_rng([12, round(100 * bias)])
    value_I = rng.standard_normal(sets) - bias
    found_IB = np.full((sets, 1 + draws + GROUPS), value_I[:, None])
    found_IB[:, 1 : 1 + draws] += rng.standard_normal((sets, draws)) - bias
    return covered(found_IB, 0.0, rng.standard_normal(100 * MANY) - bias)


def covered(found_IB: np.ndarray, whole: float, many_M: np.ndarray) -> dict[str, Any]:
    """Return how often each rule's interval holds the value on the pool, the mean of many sets and its own value: of the value of
    I sets, their draws, and their values without each group.
    """
    value_I, values_IB, left_IG = found_IB[:, 0], found_IB[:, 1:-GROUPS], found_IB[:, -GROUPS:]
    sd = float(many_M.std(ddof=1))
    z0_I = np.array([bias_z(*pair) for pair in zip(values_IB, value_I, strict=True)])
    result: dict[str, Any] = {
        "pool": float(whole),
        "mean of sets": float(many_M.mean()),
        "sd": round(sd, 5),
        "bias over sd": round(float(many_M.mean() - whole) / sd, 2),
        "z0": [round(float(z), 2) for z in (z0_I.mean(), z0_I.min(), z0_I.max())],
        "sd of draws over sd": round(float(values_IB.std(axis=1, ddof=1).mean() / sd), 3),
    }
    for name, rule in RULES.items():
        ends = [rule(*each) for each in zip(values_IB, value_I, left_IG, strict=True)]
        low_I, high_I = np.array(ends).T
        about = defaultdict(dict)
        for truth, at in (("pool", float(whole)), ("mean of sets", float(many_M.mean()))):
            about[truth] = held(ends, at)
            if len(ends) >= 300:
                about[truth]["by_strata"] = by_strata(
                    (low_I <= at) & (at <= high_I), value_I, many_M
                )
        result[name] = about | {
            "width over sd": round(float((high_I - low_I).mean() / sd), 2),
            "holds its value": round(
                100 * float(np.mean((low_I <= value_I) & (value_I <= high_I))), 1
            ),
        }
    return result


def main(
    classes: int,
    clips: Annotated[int, typer.Argument(help="Of each simulated set.")] = 0,
    metrics: Annotated[str, typer.Option(help="Comma-separated.")] = "psds1,event_f1",
    sets: Annotated[int, typer.Option(min=2)] = 300,
    draws: Annotated[int, typer.Option(min=100)] = 400,
    first: Annotated[int, typer.Option(help="The number of the first set.")] = 1000,
    store: Annotated[bool, typer.Option("--store")] = False,
) -> None:
    """Simulate one number of classes and clips and print; `--store` keeps the result beside those of others."""
    if classes == 0:
        rows = {f"normal, bias {bias:.2f}": normal(bias, sets, draws) for bias in BIASES}
        keep(rows, store)
        return
    found = simulated(Case(classes, clips), metrics.split(","), first, sets, draws)
    rows = {
        f"{classes} classes, {clips} clips, {draws} draws, {name}": each
        for name, each in found.items()
    }
    keep(rows, store)


def keep(rows: dict[str, Any], store: bool) -> None:
    """Print what was simulated, and put it beside what is stored."""
    for label, each in rows.items():
        print(label, json.dumps(each), flush=True)
    if store:
        before = json.loads(STORED.read_text())["simulations"] if STORED.exists() else {}
        content = document("many_classes", [], simulations=dict(sorted((before | rows).items())))
        STORED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
