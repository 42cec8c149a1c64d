"""Training with masks against training without, where one of two sets never labels a class that sounds in it.

The made-up data of tests/training/test_masks.py: 48 clips that label Cat and Dog, and 72 that label Dog alone, though Cat
sounds in each. Every seed draws training clips and training anew; the 80 test clips are the same for all. The answer is
the event F1 of Cat, paired over clips and seeds, and beside it the lead of masked training over its own predictions with
clip names permuted: every clip has one Cat of like length and place, so F1 is far above 0 for who has learnt no clip.
The seeds are others than those that the size of the toy was tried on. `python -m benchmarks.masked_training [--store]`.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.common import document, publish
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.significance import paired_difference, seed_difference
from raysed.evaluation.metrics.event_f1 import event_f1
from tests.training.test_masks import CLASSES, permuted, toy, trained

SEEDS = range(10, 15)
DRAWS = 10_000
AGAINST = ("unmasked", "permuted")


def f1_of(k: int) -> Callable[[Statistics, np.ndarray | None], np.ndarray]:
    """Return the event F1 of class k as a metric of statistics."""

    def value(statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
        return event_f1(statistics, weights_BN)[1][:, k]

    return value


def systems(folder: Path, seed: int) -> dict[str, Statistics]:
    """Train with and without masks on the same clips with the same seed; also the masked one's permuted predictions."""
    second = toy("second", 72, 100 * seed + 2, hidden=("Cat",))
    masked = trained(folder, f"masked{seed}", replace(second, annotates=("Dog",)), seed)
    unmasked = trained(folder, f"unmasked{seed}", second, seed)
    return {"masked": masked, "unmasked": unmasked, "permuted": permuted(folder, f"masked{seed}")}


def row_of(seed: int, of_seed: dict[str, Statistics]) -> dict:
    """Return F1 of all systems and the differences from the masked one over clips, for each class."""
    row: dict = {"seed": seed}
    for k, label in enumerate(CLASSES):
        row[label] = {name: float(f1_of(k)(one, None)[0]) for name, one in of_seed.items()}
        for other in AGAINST:
            pair = (of_seed["masked"], of_seed[other])
            difference = paired_difference(f1_of(k), *pair, draws=1000, permutations=1000)
            row[label][f"less_{other}"] = asdict(difference)
    return row


def over_all(runs: list[dict[str, Statistics]]) -> dict:
    """Return the mean differences over the seeds, with intervals over clips and seeds."""
    found: dict = {}
    for k, label in enumerate(CLASSES):
        for other in AGAINST:
            a, b = ([of_seed[name] for of_seed in runs] for name in ("masked", other))
            mean = seed_difference(f1_of(k), a, b, draws=DRAWS)
            kept = {"difference": mean.value, "low": mean.low, "high": mean.high}
            found.setdefault(label, {})[f"less_{other}"] = kept
    return found


def main() -> None:
    """Train all pairs, print a line for each, and keep the differences."""
    started, runs, rows = time.process_time(), [], []
    with tempfile.TemporaryDirectory(prefix="raysed-masks-") as folder:
        for seed in SEEDS:
            runs.append(systems(Path(folder), seed))
            rows.append(row_of(seed, runs[-1]))
            print(rows[-1], flush=True)
    content = document(
        "masked_training",
        [],
        seeds=rows,
        over_clips_and_seeds=over_all(runs),
        cpu_s=time.process_time() - started,
        about="event F1 as fractions; differences are masked minus the other, 95 % intervals",
    )
    publish(content, "--store" in sys.argv)


if __name__ == "__main__":
    main()
