"""Simulation of the coverage of intervals over all thresholds, and their cost beside that of 50 operating points.

A simulated set is 1168 clips drawn with replacement; the truth is the value on the whole set. A clip that was drawn
twice is one clip of twice the weight, so that nothing is counted again: a resample of a simulated set is a vector of
weights of the whole set's clips. 750 sets take about 15 minutes on one core.
"""

import json
import time
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.real_systems import read_real, read_real_scores
from benchmarks.statistics_simulation import held
from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.intervals.bootstrap import clip_weights
from raysed.evaluation.intervals.interval_ends import ends_of
from raysed.evaluation.intervals.significance import symmetric
from raysed.evaluation.metrics.registry import METRICS

STORED = RESULTS / "threshold_statistics.json"
COVERED = ("psds_all", "psds1_all", "psds2_all", "psds", "psds1", "psds2", "event_f1")
MANY = 12_000
GROUPS = 73
"""The random groups that are left out in turn for the acceleration, whose standard error is .41 / 73 at most."""
STRATA = (0.025, 0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.975)
"""The shares of many sets' values at which strata meet."""


def systems() -> list[Statistics]:
    """Return two systems: real operating points with scores between them, and the same with a third of the clips'
    scores lowered.
    """
    reference, scores = read_real_scores()
    _, default, points = read_real()
    rng = np.random.default_rng(7)
    factor_NK = np.where(rng.random((len(reference.filenames), 1, 10)) < 1 / 3, 0.6, 1.0)
    lowered = scores.scores_NTK * factor_NK.astype(np.float32)
    made = []
    for found in (scores, FrameScores(lowered, scores.edges_NT1)):
        at = {point: found.decode(point) for point in points}
        counted = collect(reference, found.decode(0.5) if made else default, at)
        made.append(replace(counted, scored=Scored.of(reference, found)))
    return made


@dataclass
class Ends:
    """The estimates and the interval ends of one value, or one difference, on every simulated set."""

    values: list[float] = field(default_factory=list)
    ends: list[tuple[float, float]] = field(default_factory=list)

    def add(self, value: float, ends: tuple[float, float]) -> None:
        """Add a set."""
        self.values.append(value)
        self.ends.append(ends)

    def coverage(self, truth: float, of_many_M: np.ndarray) -> dict[str, Any]:
        """Return how often the ends held the truth; `of_many_M` are the values of many other sets."""
        low_I, high_I = np.array(self.ends).T
        value_I, held_I = np.array(self.values), (low_I <= truth) & (truth <= high_I)
        low, high = np.quantile(of_many_M, (0.025, 0.975))
        usual = float(np.mean((low <= value_I) & (value_I <= high)))
        return held(self.ends, truth) | {
            "by_strata": by_strata(held_I, value_I, of_many_M),
            "values_within_their_own_95_percent": round(100 * usual, 2),
            "truth": truth,
        }


def by_strata(held_I: np.ndarray, value_I: np.ndarray, of_many_M: np.ndarray) -> dict[str, float]:
    """Return the coverage with each stratum of values weighed by its share of many sets, and its standard error.

    Whether an interval holds the truth depends most on how far off the value is, and how often that happens is known
    well from many sets without draws: so luck with the sets is taken off (post-stratification).
    """
    edges = np.quantile(of_many_M, STRATA)
    stratum_I, stratum_M = np.searchsorted(edges, value_I), np.searchsorted(edges, of_many_M)
    percent = variance = 0.0
    for stratum in range(len(edges) + 1):
        own_I, share = held_I[stratum_I == stratum], np.mean(stratum_M == stratum)
        if not own_I.size:
            raise ValueError(f"{len(value_I)} sets are too few: no value is in stratum {stratum}")
        percent += 100 * share * own_I.mean()
        variance += share**2 * own_I.mean() * (1 - own_I.mean()) / own_I.size
    return {
        "percent": round(float(percent), 2),
        "monte_carlo_se": round(100 * float(variance**0.5), 2),
    }


def simulated(
    names: list[str], pair: list[Statistics], first: int, sets: int, draws: int
) -> dict[str, dict[str, Ends]]:
    """Return the interval of each value of the first system, and of its difference to the second, on sets from number
    `first` on. The ends are those that users get.
    """
    found = {part: {name: Ends() for name in names} for part in ("coverage", "paired")}
    n_clips = pair[0].n_clips
    for i in range(first, first + sets):
        clip_I = np.random.default_rng([8, i]).integers(n_clips, size=n_clips)
        once_N = np.bincount(clip_I, minlength=n_clips)
        place_I, once_J = (np.cumsum(once_N > 0) - 1)[clip_I], once_N[once_N > 0]
        weights_BJ = np.zeros((draws, len(once_J)), np.int32)
        np.add.at(weights_BJ.T, place_I, clip_weights(f"all thresholds {i}", n_clips, draws, 0).T)
        # Which clips are drawn is random, so that each group of neighbours is a random one.
        left_GJ = np.tile(once_J, (GROUPS, 1))
        np.subtract.at(left_GJ, (np.arange(n_clips) % GROUPS, place_I), 1)
        all_BJ = np.concatenate((once_J[None], weights_BJ, left_GJ))
        drawn = [some_clips(statistics, once_N > 0) for statistics in pair]
        for name in names:
            ours_B, theirs_B = (METRICS[name](each, all_BJ) for each in drawn)
            value, values_B, left_G = np.split(ours_B, (1, 1 + draws))
            found["coverage"][name].add(value[0], ends_of(values_B, value[0], left_G, 0.95)[:2])
            value, values_B, _ = np.split(ours_B - theirs_B, (1, 1 + draws))
            found["paired"][name].add(value[0], symmetric(values_B, value[0], 0.95))
    return found


def of_many(names: list[str], pair: list[Statistics]) -> dict[str, np.ndarray]:
    """Return both systems' values of `MANY` other sets: (2, M) by metric."""
    n_clips = pair[0].n_clips
    rng = np.random.default_rng(9)
    weights_MN = rng.multinomial(n_clips, np.full(n_clips, 1 / n_clips), size=MANY)
    return {name: np.stack([METRICS[name](each, weights_MN) for each in pair]) for name in names}


def cost(statistics: Statistics, pairs: int = 5, draws: int = 512) -> dict[str, Any]:
    """Measure CPU microseconds a resample over all thresholds and at 50 operating points, one after the other."""
    weights_BN = clip_weights(statistics.key, statistics.n_clips, draws, 0)
    found = {}
    for name in ("psds", "psds1", "psds2"):
        taken_P2 = []
        for _ in range(pairs + 1):
            taken = []
            for each in (name, f"{name}_all"):
                began = time.process_time()
                METRICS[each](statistics, weights_BN)
                taken.append((time.process_time() - began) / draws * 1e6)
            taken_P2.append(taken)
        few, every = np.array(taken_P2[1:]).T
        found[name] = {
            "points_us": round(float(np.median(few)), 1),
            "all_us": round(float(np.median(every)), 1),
            "ratio": round(float(np.median(every / few)), 2),
            "ratios": [round(float(ratio), 2) for ratio in sorted(every / few)],
        }
    return found


def main(
    sets: int = 750,
    draws: int = 400,
    first: Annotated[int, typer.Option(help="The number of the first set.")] = 0,
    metrics: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(COVERED),
    store: Annotated[bool, typer.Option("--store")] = False,
) -> None:
    """Simulate, measure and print; `--store` keeps the result."""
    pair, names = systems(), metrics.split(",")
    content = document("threshold_statistics", [], cost=cost(pair[0]), draws=draws, first_set=first)
    many = of_many(names, pair)
    found = simulated(names, pair, first, sets, draws)
    for part in found:
        content[part] = {}
        for name in names:
            ours, theirs = (float(METRICS[name](each, None)[0]) for each in pair)
            truth, of_many_M = ours, many[name][0]
            if part == "paired":
                truth, of_many_M = ours - theirs, of_many_M - many[name][1]
            content[part][name] = found[part][name].coverage(truth, of_many_M)
            print(part, name, json.dumps(content[part][name]), flush=True)
    if store:
        STORED.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content))


if __name__ == "__main__":
    typer.run(main)
