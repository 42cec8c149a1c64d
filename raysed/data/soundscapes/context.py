"""The sources of the soundscapes of one synthetic set, and the label that each raw index belongs to.

Indexing lists folders and reads a few headers (0.2 s for DESED's soundbank); nothing is decoded.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from raysed.config.data_job import DataJob, Roots, SyntheticSet
from raysed.data.containers.audio_file import AudioInfo, audio_info
from raysed.data.soundscapes.cooccurrence import (
    Cooccurrence,
    check_labels,
    read_cooccurrences,
    substitute_missing,
)
from raysed.data.soundscapes.placement import split_label
from raysed.data.soundscapes.reverb import Room, list_rooms
from raysed.data.soundscapes.soundbank import Soundbank, index_soundbank, soundbank_classes
from raysed.storage.local_copies import local_copy
from raysed.storage.places import is_file, is_folder, joined


@dataclass(frozen=True)
class SoundscapeContext:
    """Everything besides its index that a soundscape is made from; small and picklable."""

    data_set: SyntheticSet
    duration_s: float
    sample_rate_hz: int
    soundbank: Soundbank
    cooccurrences: tuple[Cooccurrence, ...]
    rooms: tuple[Room, ...]
    warnings: tuple[str, ...]
    """Warnings about the sources, once per set."""

    @classmethod
    def from_job(cls, job: DataJob, name: str) -> "SoundscapeContext":
        """Index the sources of the synthetic set `name`. Raises ValueError naming what is missing or
        impossible.
        """
        data_set = job.sets[name]
        roots = job.roots
        assert isinstance(data_set, SyntheticSet), name
        assert roots.soundbank is not None and roots.cooccurrences is not None
        # The soundbank's split takes no seed of the set: train and x-valid sets must agree on it.
        soundbank = index_soundbank(
            roots.soundbank, data_set.split, xvalid_list=roots.soundbank_validation
        )
        rows, warnings = _cooccurrences(job, data_set.split, soundbank)
        return cls(
            data_set=data_set,
            duration_s=job.features.duration_s,
            sample_rate_hz=job.features.sample_rate_hz,
            soundbank=soundbank,
            cooccurrences=rows,
            rooms=list_rooms(roots.rir, data_set.split)
            if data_set.reverb == "rir" and roots.rir
            else (),
            warnings=warnings + _short_continuous(soundbank, job.features.duration_s),
        )


def cooccurrence_path(roots: Roots, split: str) -> str:
    """Return the co-occurrence file of a split; x-valid uses the train file if it has none of its own."""
    assert roots.cooccurrences is not None
    path = roots.cooccurrences
    if not is_folder(path):
        return path
    own = joined(path, f"event_occurences_{'validation' if split == 'xvalid' else split}.json")
    if split == "xvalid" and not is_file(own):
        return joined(path, "event_occurences_train.json")
    return own


def _cooccurrences(
    job: DataJob, split: str, soundbank: Soundbank
) -> tuple[tuple[Cooccurrence, ...], tuple[str, ...]]:
    path = cooccurrence_path(job.roots, split)
    rows, warnings = read_cooccurrences(path), ()
    folders = set(soundbank.foreground)
    if split == "xvalid":
        rows, warnings = substitute_missing(rows, folders)
    assert job.roots.soundbank is not None
    check_labels(path, rows, folders, set(job.classes or soundbank_classes(job.roots.soundbank)))
    return rows, warnings


def _short_continuous(soundbank: Soundbank, duration_s: float) -> tuple[str, ...]:
    short = [
        path
        for folder, paths in soundbank.foreground.items()
        if split_label(folder)[1] == "_nOn_nOff"
        for path in paths
        if source_info(path).duration < duration_s
    ]
    return tuple(
        f"{path}: has neither onset nor offset but is shorter than the "
        f"{duration_s:g} s soundscape: it starts at 0 and stops early"
        for path in short
    )


def _label_counts(context: SoundscapeContext) -> list[int]:
    return [round(context.data_set.count * row.proba) for row in context.cooccurrences]


def soundscape_count(context: SoundscapeContext) -> int:
    """Return the number of soundscapes of all parts before the polyphony filter; raw indices run from 0 up to it."""
    return sum(_label_counts(context))


HELD_OUT = 0.1
"""The share of the soundscapes that a set's part `xvalid` holds."""


def soundscape_indices(context: SoundscapeContext) -> Sequence[int]:
    """Return the raw indices of the set's soundscapes, in order: all of them, or those of its part."""
    data_set = context.data_set
    return _part(soundscape_count(context), data_set.part, data_set.split_seed)


@functools.lru_cache(maxsize=64)
def _part(count: int, part: str, split_seed: int) -> Sequence[int]:
    if part == "all":
        return range(count)
    random = np.random.default_rng([split_seed, count])
    held_out = set(random.permutation(count)[: round(HELD_OUT * count)].tolist())
    return tuple(index for index in range(count) if (index in held_out) == (part == "xvalid"))


def soundscape_name(context: SoundscapeContext, index: int) -> str:
    """Return the file name of the soundscape with this raw index."""
    return f"{context.data_set.split}-{index:06d}.wav"


def row_of(context: SoundscapeContext, index: int) -> Cooccurrence:
    """Return the label that the soundscape with this raw index is made around."""
    ends = list(accumulate(_label_counts(context)))
    assert 0 <= index < ends[-1], (index, ends[-1])
    return context.cooccurrences[next(row for row, end in enumerate(ends) if index < end)]


def random_state(context: SoundscapeContext, index: int, purpose: str) -> np.random.RandomState:
    """Return the random generator for one purpose in one soundscape, in the form that Scaper takes."""
    key = [context.data_set.seed, index, *f"{context.data_set.split}/{purpose}".encode()]
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(key)))


@functools.lru_cache(maxsize=8192)
def source_info(path: str) -> AudioInfo:
    """Read the header of a soundbank file, by path or URL. Raises ValueError if it cannot be read, holds nothing or
    ends early.
    """
    with local_copy(path) as local:
        return audio_info(local)
