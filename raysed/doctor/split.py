"""The seed of a split by which as many classes as possible sound in each part."""

from collections.abc import Sequence

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.annotated import TENTHS, list_annotated, tenth_of
from raysed.storage.url import masked
from raysed.text import counted

SEEDS = 200
_MOST = 5_000
"""Recordings above which a part of a tenth hardly lacks a class, and names are many to hash."""


def covering_seed(data_set: AnnotatedSet, parts: Sequence[str]) -> tuple[int, int]:
    """Return the first of some seeds by which the parts lack the fewest classes together, and how many they lack; of all
    others a seed that leaves no part empty.

    The split stays a matter of names alone; labels only choose among the seeds, and no result does. Raises ValueError
    where each seed leaves a part empty.
    """
    listing = list_annotated(data_set)
    if len(listing) > _MOST:
        return 0, 0
    names = [recording.filename for recording in listing]
    heard = [recording.classes for recording in listing]
    every = set().union(*heard)

    def lacking(seed: int) -> tuple[int, int]:
        """Return the number of empty parts, and of classes that parts lack."""
        tenths = [tenth_of(name, seed) for name in names]
        found = [
            [h for h, tenth in zip(heard, tenths, strict=True) if tenth in TENTHS[p]] for p in parts
        ]
        missing = sum(len(every - set().union(*each)) for each in found)
        return sum(not each for each in found), missing

    best, fewest = 0, lacking(0)
    for seed in range(1, SEEDS):
        if not any(fewest):
            break
        if (count := lacking(seed)) < fewest:
            best, fewest = seed, count
    if fewest[0]:
        raise ValueError(
            f"{masked(data_set.labels or data_set.audio)}: {counted(len(names), 'recording')} cannot be parted into"
            f" {', '.join(parts)}: each seed leaves one empty; label more recordings"
        )
    return best, fewest[1]
