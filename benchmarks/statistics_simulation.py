"""Simulation, on real predictions, of the coverage of intervals and the level of tests.

A simulated set is 1168 clips drawn with replacement from the 1168 real ones; the truth is the value
on the real set. Everything else is the code that users run. Parts: coverage of one system's
intervals; of a paired difference, also on 110 and 30 clips; over seeds and clips; family-wise error of 20 contrasts that are
all null (in every clip, 21 systems are dealt to the 21 names at random). 2000 sets take about an
hour on one core.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.real_systems import Pool, perturbed_systems, read_real
from raysed.evaluation.counts.clip_counts import PsdsCriteria
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.intervals.bootstrap import clip_weights, interval, jackknife
from raysed.evaluation.intervals.interval_ends import bca
from raysed.evaluation.intervals.seed_noise import SystemSeeds, noise_of
from raysed.evaluation.intervals.significance import (
    Drawn,
    Values,
    drawn,
    max_t,
    permutation_p,
    seed_interval,
    symmetric,
)
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.registry import METRICS
from raysed.report.paired_seeds import PairedSeeds, family_intervals

COVERED = ("event_f1", "psds", "psds_2020", "psds1", "psds2")
PARTS = ("coverage", "paired", "paired110", "paired30", "seeds3", "seeds5", "family", "cells5")
CONTRASTS = 20
CELLS = 5
"""Cells whose seeds are drawn from one pool, so that all their differences are null."""
STORED = RESULTS / "metrics_statistics.json"


def criteria_of(name: str) -> PsdsCriteria | None:
    """Return the PSDS criteria that a metric needs."""
    return DEFINITIONS[name].criteria if name in DEFINITIONS else None


def proportion(hits: Iterable[float], nominal: float) -> dict[str, float]:
    """Return a share in per cent with its Monte Carlo standard error."""
    hit_I = np.array(list(hits), dtype=float)
    share = hit_I.mean()
    se = np.sqrt(share * (1 - share) / hit_I.size)
    return {
        "percent": round(float(100 * share), 2),
        "monte_carlo_se": round(float(100 * se), 2),
        "nominal": nominal,
        "sets": hit_I.size,
    }


def coverage(name: str, pool: Pool, sets: int, draws: int) -> dict[str, Any]:
    """Simulate how often BCa, percentile and the published recipe's interval hold the truth."""
    metric, truth = METRICS[name], float(METRICS[name](pool.systems[0], None)[0])
    ends = defaultdict(list)
    bias = []
    for i in range(sets):
        rng = np.random.default_rng([1, i])
        n_clips = pool.systems[0].n_clips
        drawn = pool.draw(
            f"coverage {i}", rng.integers(n_clips, size=n_clips), np.zeros(n_clips, int)
        )
        value = float(metric(drawn, None)[0])
        values_B = metric(drawn, clip_weights(drawn.key, n_clips, draws, 0))
        ends["bca"].append(bca(values_B, value, jackknife(metric, drawn), 0.95))
        ends["percentile"].append(bca(values_B, value, None, 0.95))
        if i % 4 == 0:  # 200 draws and a jackknife of its own
            paper = interval(metric, drawn, method="paper")
            ends["paper"].append((paper.low, paper.high))
        bias.append(value - truth)
    found = {
        method: held(pairs, truth, 90 if method == "paper" else 95)
        for method, pairs in ends.items()
    }
    return {"truth": truth, "bias": round(float(np.mean(bias)), 5), **found}


def paired(name: str, pool: Pool, sets: int, draws: int, n_clips: int) -> dict[str, Any]:
    """Simulate the coverage of a difference's symmetric interval, which users get, and of BCa; systems 0 and 1 differ."""
    metric = METRICS[name]
    truth = float(metric(pool.systems[0], None)[0] - metric(pool.systems[1], None)[0])
    ends = defaultdict(list)
    for i in range(sets):
        clip_I = np.random.default_rng([2, i]).integers(pool.systems[0].n_clips, size=n_clips)
        a, b = (
            drawn(metric, pool.draw(f"paired {i}", clip_I, np.full(n_clips, s)), draws=draws)
            for s in (0, 1)
        )
        both = a.values_B - b.values_B, a.value - b.value
        ends["symmetric"].append(symmetric(*both, 0.95))
        ends["bca"].append(bca(*both, a.left_out_J - b.left_out_J, 0.95))
    return {"truth": truth} | {method: held(pairs, truth) for method, pairs in ends.items()}


def held(
    ends: Sequence[tuple[float, float]], truth: float, nominal: float = 95
) -> dict[str, float]:
    """Return how often intervals held the truth, on which side they missed it, and how wide they were."""
    low_I, high_I = np.array(ends).T
    return proportion((low_I <= truth) & (truth <= high_I), nominal) | {
        "truth_below": round(float(100 * np.mean(truth < low_I)), 2),
        "truth_above": round(float(100 * np.mean(truth > high_I)), 2),
        "mean_width": round(float(np.mean(high_I - low_I)), 5),
    }


def seeds(name: str, pool: Pool, sets: int, draws: int, n_seeds: int) -> dict[str, Any]:
    """Simulate the coverage over seeds and clips; a trained seed is a draw from the pool's systems."""
    metric = METRICS[name]
    value_S = np.array([metric(statistics, None)[0] for statistics in pool.systems])
    truth, n_clips = float(value_S.mean()), pool.systems[0].n_clips
    covered = []
    for i in range(sets):
        rng = np.random.default_rng([3, i])
        clip_I = rng.integers(n_clips, size=n_clips)
        chosen = rng.integers(len(pool.systems), size=n_seeds)
        drawn = [pool.draw(f"seeds {i}", clip_I, np.full(n_clips, s)) for s in chosen]
        found = seed_interval(metric, drawn, draws=draws)
        covered.append(found.low <= truth <= found.high)
    return {"truth": truth, "seed_sd": round(float(value_S.std()), 5), **proportion(covered, 95)}


def family(name: str, pool: Pool, sets: int, draws: int) -> dict[str, Any]:
    """Simulate false positives of 20 null contrasts against one baseline: family-wise and one by one."""
    metric, n_clips, n_systems = METRICS[name], pool.systems[0].n_clips, CONTRASTS + 1
    errors = defaultdict(list)
    for i in range(sets):
        rng = np.random.default_rng([4, i])
        clip_I = rng.integers(n_clips, size=n_clips)
        dealt_IS = rng.permuted(np.tile(np.arange(n_systems), (n_clips, 1)), axis=1)
        drawn = [pool.draw(f"family {i}", clip_I, dealt_IS[:, s]) for s in range(n_systems)]
        weights_BN = clip_weights(drawn[0].key, n_clips, draws, 0)
        value_S = np.array([metric(statistics, None)[0] for statistics in drawn])
        value_SB = np.stack([metric(statistics, weights_BN) for statistics in drawn])
        difference_C, draws_CB = value_S[1:] - value_S[0], value_SB[1:] - value_SB[0]
        low_C, high_C, p_C = max_t(difference_C, draws_CB).T
        errors["max_t"].append(((low_C > 0) | (high_C < 0)).any())
        errors["max_t_p"].append((p_C <= 0.05).any())
        low_C, high_C = np.quantile(draws_CB, (0.025, 0.975), axis=1)
        alone_C = (low_C > 0) | (high_C < 0)
        errors["any_of_20_uncorrected"].append(alone_C.any())
        errors["one_uncorrected"].append(alone_C[0])
        if name == "event_f1":
            p = permutation_p(metric, drawn[0], drawn[1], permutations=199)
            errors["permutation_p"].append(p <= 0.05)
    return {test: proportion(hits, 5) for test, hits in errors.items()}


def cells(name: str, pool: Pool, sets: int, draws: int, n_seeds: int) -> dict[str, Any]:
    """Simulate false positives of cells that are all equal against the first: each of their seeds is a draw from the pool's
    systems, and variances between seeds are pooled as the report pools them.
    """
    metric, n_clips = METRICS[name], pool.systems[0].n_clips
    pairs = [(g, 0) for g in range(1, CELLS)]
    errors = defaultdict(list)
    for i in range(sets):
        rng = np.random.default_rng([5, i])
        clip_I = rng.integers(n_clips, size=n_clips)
        chosen_GS = rng.integers(len(pool.systems), size=(CELLS, n_seeds))
        known = {
            s: _drawn_alone(metric, pool.draw(f"cells {i}", clip_I, np.full(n_clips, s)), draws)
            for s in np.unique(chosen_GS).tolist()
        }
        cells_G = [tuple(known[s] for s in row) for row in chosen_GS.tolist()]
        seeds = tuple(range(n_seeds))
        found = [PairedSeeds((str(a), str(b)), seeds, cells_G[a], cells_G[b], ()) for a, b in pairs]
        systems = [
            SystemSeeds(str(g), {s: x.value for s, x in enumerate(cells_G[g])})
            for g in range(CELLS)
        ]
        noise = noise_of(systems, pairs, [each.clips for each in found])
        row_C6 = family_intervals(found, (noise, pairs))
        together_C, alone_C = ((row_C6[:, i] > 0) | (row_C6[:, i + 1] < 0) for i in (3, 1))
        errors["max_t"].append(together_C.any())
        errors["max_t_p"].append((row_C6[:, 5] <= 0.05).any())
        errors["one_uncorrected"].append(alone_C[0])
    return {test: proportion(hits, 5) for test, hits in errors.items()}


def _drawn_alone(metric: Values, statistics: Statistics, draws: int) -> Drawn:
    """Return a system without its jackknife, which no interval over clips and seeds reads and which takes most of the time."""
    value = float(metric(statistics, None)[0])
    values_B = metric(statistics, clip_weights(statistics.key, statistics.n_clips, draws, 0))
    return Drawn(statistics, value, values_B, np.full(statistics.n_clips, value))


def simulate(part: str, name: str, sets: int, draws: int) -> dict[str, Any]:
    """Simulate one part for one metric."""
    if part == "coverage":
        reference, default, points = read_real()
        pool = Pool.of([collect(reference, default, points)], criteria_of(name))
        return coverage(name, pool, sets, draws)
    systems = perturbed_systems(CONTRASTS + 1, np.linspace(0.0, 0.25, CONTRASTS + 1).tolist())
    pool = Pool.of(systems, criteria_of(name))
    if part.startswith("seeds"):
        return seeds(name, pool, sets, draws, int(part.removeprefix("seeds")))
    if part.startswith("cells"):
        return cells(name, pool, sets, draws, int(part.removeprefix("cells")))
    if part.startswith("paired"):
        n_clips = int(part.removeprefix("paired") or pool.systems[0].n_clips)
        return paired(name, pool, sets, draws, n_clips)
    return family(name, pool, sets, draws)


def main(
    only: Annotated[str | None, typer.Option(help=f"One of {', '.join(PARTS)}.")] = None,
    metrics: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(COVERED),
    sets: Annotated[int, typer.Option(min=2)] = 2000,
    draws: Annotated[int, typer.Option(min=100)] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Simulate; every part for event F1 and PSDS, coverage for the other metrics too."""
    tasks = [
        (part, name)
        for part in PARTS
        for name in metrics.split(",")
        if only in (None, part)
        and (name in ("event_f1", "psds") or part.startswith(("coverage", "paired")))
    ]
    found: dict[str, Any] = {}
    with ProcessPoolExecutor(jobs) as processes:
        running = {processes.submit(simulate, *task, sets, draws): task for task in tasks}
        for done in as_completed(running):
            label = " ".join(running[done])
            found[label] = done.result() | {"draws": draws}
            print(label, json.dumps(found[label]), flush=True)
            if store:
                keep(found)
    print(json.dumps(document("statistics", [], simulations=found)))


def keep(found: dict[str, Any]) -> None:
    """Put these simulations into the stored document, beside those of other runs."""
    before = json.loads(STORED.read_text())["simulations"] if STORED.exists() else {}
    simulations = dict(sorted((before | found).items()))
    content = document("statistics", [], simulations=simulations)
    STORED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
