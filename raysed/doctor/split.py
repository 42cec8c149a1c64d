"""The seed of a split by which as many classes as possible sound in each part."""

from collections.abc import Sequence

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.annotated import TENTHS, list_annotated, tenth_of

SEEDS = 200
_MOST = 5_000
"""Recordings above which a part of a tenth hardly lacks a class, and names are many to hash."""


def covering_seed(data_set: AnnotatedSet, parts: Sequence[str]) -> tuple[int, int]:
    """Return the first of some seeds by which the parts lack the fewest classes together, and how many they lack.

    The split stays a matter of names alone; labels only choose among the seeds, and no result does.
    """
    rows = list_annotated(data_set).rows
    if len(rows) > _MOST:
        return 0, 0
    names = rows["filename"].to_pylist()
    if data_set.type == "weak":
        heard = [set(labels) for labels in rows["weak_labels"].to_pylist()]
    else:
        heard = [{e["event_label"] for e in events} for events in rows["events"].to_pylist()]
    every = set().union(*heard)

    def lacking(seed: int) -> int:
        tenths = [tenth_of(name, seed) for name in names]
        found = [
            set().union(*(h for h, tenth in zip(heard, tenths, strict=True) if tenth in TENTHS[p]))
            for p in parts
        ]
        return sum(len(every - each) for each in found)

    best, fewest = 0, lacking(0)
    for seed in range(1, SEEDS):
        if not fewest:
            break
        if (count := lacking(seed)) < fewest:
            best, fewest = seed, count
    return best, fewest
