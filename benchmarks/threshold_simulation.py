"""Simulation of the coverage of intervals over all thresholds, and their cost beside that of 50 operating points.

A simulated set is 1168 clips drawn with replacement; the truth is the value on the whole set. A clip that was drawn
twice is one clip of twice the weight, so that nothing is counted again: a resample of a simulated set is a vector of
weights of the whole set's clips. 300 sets take about ten minutes on one core.
"""

import json
import time
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.real_systems import read_real, read_real_scores
from benchmarks.statistics_simulation import proportion
from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.intervals.bootstrap import bca, clip_weights
from raysed.evaluation.metrics.registry import METRICS

STORED = RESULTS / "threshold_statistics.json"
COVERED = ("psds_all", "psds1_all", "psds2_all", "best_event_f1", "segment_mpauc")


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


def simulated(
    names: list[str], ours: Statistics, theirs: Statistics | None, sets: int, draws: int
) -> dict[str, Any]:
    """Simulate how often the BCa interval of a value, or of a difference, holds the truth."""
    n_clips = ours.n_clips

    def values(name: str, weights_BN: np.ndarray | None) -> np.ndarray:
        found_B = METRICS[name](ours, weights_BN)
        return found_B if theirs is None else found_B - METRICS[name](theirs, weights_BN)

    truth = {name: float(values(name, None)[0]) for name in names}
    ends: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for i in range(sets):
        clip_I = np.random.default_rng([8, i]).integers(n_clips, size=n_clips)
        weight_BI = clip_weights(f"all thresholds {i}", n_clips, draws, 0)
        weights_BN = np.zeros((draws, n_clips), np.int32)
        np.add.at(weights_BN.T, clip_I, weight_BI.T)
        once_N = np.bincount(clip_I, minlength=n_clips)
        drawn_J = np.flatnonzero(once_N)
        left_JN = once_N - np.eye(n_clips, dtype=np.int32)[drawn_J]
        for name in names:
            value = float(values(name, once_N[None])[0])
            left_J = np.repeat(values(name, left_JN), once_N[drawn_J])
            ends[name].append(bca(values(name, weights_BN), value, left_J, 0.95))
    return {
        name: proportion(((low <= truth[name] <= high) for low, high in pairs), 95)
        | {
            "truth": truth[name],
            "truth_below": round(float(100 * np.mean([truth[name] < low for low, _ in pairs])), 2),
            "truth_above": round(float(100 * np.mean([truth[name] > h for _, h in pairs])), 2),
            "mean_width": round(float(np.mean([high - low for low, high in pairs])), 5),
        }
        for name, pairs in ends.items()
    }


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
    sets: int = 300,
    draws: int = 1000,
    paired_sets: int = 150,
    metrics: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(COVERED),
    store: Annotated[bool, typer.Option("--store")] = False,
) -> None:
    """Simulate, measure and print; `--store` keeps the result."""
    ours, theirs = systems()
    names = metrics.split(",")
    found = document("threshold_statistics", [], cost=cost(ours), draws=draws)
    for part, other, count in (("coverage", None, sets), ("paired", theirs, paired_sets)):
        found[part] = {}
        for name in names:
            found[part] |= simulated([name], ours, other, count, draws)
            print(part, name, json.dumps(found[part][name]), flush=True)
            if store:
                STORED.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    typer.run(main)
