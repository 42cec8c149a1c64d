"""Simulation, on real predictions, of what `raysed score --clips` says of a whole set of which clips are missing.

242 of the 1168 validation clips (20.7 %) are deleted, at random, in 11 blocks of 22 neighbours by id, or in one block,
and the whole set's value is estimated from the rest: how often do the intervals hold it, and how much smaller is the
error with a reference system on all clips? The systems are the DCASE 2020 baseline and copies that lose 15 % or 40 %
of its clip x class cells and move 30 % of the others. Of the DCASE 2023 baseline with BEATs, 12 clips are public: all
66 ways to delete 2 of them. About 25 minutes on one core.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from itertools import combinations
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.real_systems import perturbed_systems, read_beats, read_real
from benchmarks.statistics_simulation import proportion
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.intervals.bootstrap import clip_weights, jackknife
from raysed.evaluation.intervals.interval_ends import ends_of
from raysed.evaluation.intervals.missing_clips import controlled_estimate, whole_set_estimate
from raysed.evaluation.metrics.registry import METRICS

STORED = RESULTS / "missing_clips.json"
METRICS_HERE = ("event_f1", "intersection_f1", "segment_f1", "psds", "psds1", "psds2")
MISSING, BLOCK = 242, 22
COPIES = {"copy 15 %": 0.15, "copy 40 %": 0.40}
PAIRS = (("real", "copy 15 %"), ("copy 15 %", "real"), ("copy 40 %", "real"))
"""The system that is scored, and the reference system on all clips."""


def at_random(n_clips: int, rng: np.random.Generator) -> np.ndarray:
    """Return which clips are left after a deletion at random."""
    kept_N = np.ones(n_clips, bool)
    kept_N[rng.choice(n_clips, MISSING, replace=False)] = False
    return kept_N


def in_blocks(n_clips: int, rng: np.random.Generator) -> np.ndarray:
    """Return which clips are left after blocks of neighbours are deleted; clips are sorted by their ids."""
    kept_N = np.ones(n_clips, bool)
    for block in rng.choice(n_clips // BLOCK, MISSING // BLOCK, replace=False):
        kept_N[block * BLOCK : (block + 1) * BLOCK] = False
    return kept_N


def in_one_block(n_clips: int, rng: np.random.Generator) -> np.ndarray:
    """Return which clips are left after one run of neighbours is deleted, the last clip's being the first."""
    kept_N = np.ones(n_clips, bool)
    kept_N[(rng.integers(n_clips) + np.arange(MISSING)) % n_clips] = False
    return kept_N


DELETIONS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "random": at_random,
    "blocks": in_blocks,
    "one block": in_one_block,
}


@cache
def systems() -> dict[str, Statistics]:
    """Return the real system on all clips, and its copies."""
    reference, default, points = read_real()
    copies = zip(COPIES, perturbed_systems(len(COPIES), list(COPIES.values())), strict=True)
    return {"real": collect(reference, default, points), **dict(copies)}


def beats() -> Statistics:
    """Return the counts of the DCASE 2023 baseline with BEATs on its 12 public clips."""
    return collect(*read_beats())


def simulate(name: str, how: str, pair: tuple[str, str], sets: int, draws: int) -> dict[str, Any]:
    """Simulate deletions of one kind for one metric, one system and one reference system; the interval without a
    reference is made for the real system only.
    """
    metric, (ours, reference) = METRICS[name], (systems()[each] for each in pair)
    truth = float(metric(ours, None)[0])
    plain, found = [], []
    for i in range(sets):
        kept_N = DELETIONS[how](ours.n_clips, np.random.default_rng([7, i]))
        left = some_clips(ours, kept_N)
        if pair[0] == "real":
            plain.append(whole_set_estimate(metric, left, ours.n_clips, draws=draws))
        found.append(controlled_estimate(metric, left, reference, kept_N, draws=draws))
    lost_I = np.array([each.reference_left - each.reference_whole for each in found])
    on_left_I = np.array(
        [each.value + each.slope * x for each, x in zip(found, lost_I, strict=True)]
    )
    controlled = summary(found, truth)
    return {
        "truth": truth,
        **({"plain": summary(plain, truth)} if plain else {}),
        "plain_rmse": round(rmse(on_left_I, truth), 6),
        "controlled": controlled,
        "correlation": round(float(np.mean([each.correlation for each in found])), 3),
        "slope": round(float(np.mean([each.slope for each in found])), 3),
        "error_ratio": round(controlled["rmse"] / rmse(on_left_I, truth), 3),
        "error_ratio_slope_1": round(rmse(on_left_I - lost_I, truth) / rmse(on_left_I, truth), 3),
    }


def simulate_beats(name: str, draws: int) -> dict[str, Any]:
    """Simulate every deletion of 2 of 12 clips."""
    metric, ours = METRICS[name], beats()
    found = []
    for pair in combinations(range(ours.n_clips), 2):
        left = some_clips(ours, ~np.isin(np.arange(ours.n_clips), pair))
        found.append(whole_set_estimate(metric, left, ours.n_clips, draws=draws))
    truth = float(metric(ours, None)[0])
    return {"truth": truth, "plain": summary(found, truth)}


def summary(found: Any, truth: float) -> dict[str, Any]:
    """Return the coverage of these estimates' intervals, their width, and the error of their values."""
    value_I, low_I, high_I = np.array([(f.value, f.low, f.high) for f in found]).T
    return proportion((low_I <= truth) & (truth <= high_I), 95) | {
        "truth_below": round(float(100 * np.mean(truth < low_I)), 2),
        "truth_above": round(float(100 * np.mean(truth > high_I)), 2),
        "mean_width": round(float(np.mean(high_I - low_I)), 5),
        "rmse": round(rmse(value_I, truth), 6),
        "bias": round(float(np.mean(value_I - truth)), 6),
    }


def rmse(value_I: np.ndarray, truth: float) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((value_I - truth) ** 2)))


def ordinary(name: str, sets: int, draws: int) -> dict[str, Any]:
    """Simulate what the interval over clips, which is not meant for this, says of the whole set's value."""
    metric, ours = METRICS[name], systems()["real"]
    truth, hits = float(metric(ours, None)[0]), []
    for i in range(sets):
        left = some_clips(ours, at_random(ours.n_clips, np.random.default_rng([7, i])))
        values_B = metric(left, clip_weights(left.key, left.n_clips, draws, 0))
        low, high, _ = ends_of(
            values_B, float(metric(left, None)[0]), jackknife(metric, left), 0.95
        )
        hits.append(low <= truth <= high)
    return {"truth": truth, "over clips": proportion(hits, 95)}


def tasks(metrics: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield what is to be simulated: metric, deletion, system, reference."""
    for name in metrics:
        yield name, "beats"
        yield name, "ordinary"
        for how in ("random", "blocks"):
            yield from ((name, how, *pair) for pair in PAIRS)
        yield name, "one block", *PAIRS[0]


def work(task: tuple[str, ...], sets: int, draws: int) -> dict[str, Any]:
    """Simulate one task."""
    name, how, *pair = task
    if how == "beats":
        return simulate_beats(name, draws)
    if how == "ordinary":
        return ordinary(name, sets, draws)
    return simulate(name, how, (pair[0], pair[1]), sets, draws)


def main(
    metrics: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(METRICS_HERE),
    sets: Annotated[int, typer.Option(min=2)] = 500,
    draws: Annotated[int, typer.Option(min=100)] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    store: Annotated[
        bool,
        typer.Option(
            help="Keep the document in benchmarks/results, with the metrics that are there."
        ),
    ] = False,
) -> None:
    """Simulate; print a line for each task, then the document."""
    found: dict[str, Any] = {}
    with ProcessPoolExecutor(jobs) as processes:
        running = {
            processes.submit(work, task, sets, draws): task for task in tasks(metrics.split(","))
        }
        for done in as_completed(running):
            label = ", ".join(running[done])
            found[label] = done.result() | {"draws": draws}
            print(label, json.dumps(found[label]), flush=True)
    content = document("missing_clips", [], simulations=dict(sorted(found.items())))
    if store:
        kept = json.loads(STORED.read_text())["simulations"] if STORED.is_file() else {}
        content["simulations"] = dict(sorted((kept | found).items()))
        STORED.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content))


if __name__ == "__main__":
    typer.run(main)
