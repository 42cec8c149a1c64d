"""The clips that labels mean by their names."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from raysed.storage.clip_name import clip_name, match_clips

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

_MILLISECONDS = 1000.0
_AT_ONCE = 20_000
_hash = hash

GivenNames = Sequence[str] | pa.Array | pa.ChunkedArray


class ClipIndex:
    """The clips of a set, found by the names that labels give them; 12 bytes a clip beside their names."""

    def __init__(self, clips: pa.Array) -> None:
        self._clips = clips
        hash_C = _hashes(clips)
        order_C = np.argsort(hash_C, kind="stable")
        self._hashes, self._order = hash_C[order_C], order_C.astype(np.int32)
        self._others: dict[str, int] = {}

    def find(self, names: pa.Array) -> np.ndarray:
        """Return the index of the clip that is spelt like each name, and -1 - n for the n-th other name since the start,
        which `settled` looks for.
        """
        found_N = self._spelt(names)
        left = np.flatnonzero(found_N < 0)
        for n, name in zip(left, names.take(pa.array(left)).to_pylist(), strict=True):
            found_N[n] = -1 - self._others.setdefault(name, len(self._others))
        return found_N

    def settled(self, found_N: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Return what was found with the clips that the other names mean, -1 where none or several, and the sorted names
        without one.
        """
        if not self._others:
            return found_N, []
        meant = _by_meaning(list(self._others), self._clips.to_pylist())
        clip_M = np.array([meant.get(name, -1) for name in self._others], found_N.dtype)
        settled_N, left = found_N.copy(), found_N < 0
        settled_N[left] = clip_M[-1 - found_N[left]]
        return settled_N, sorted(name for name in self._others if name not in meant)

    def _spelt(self, names: pa.Array) -> np.ndarray:
        if not len(self._clips):
            return np.full(len(names), -1)
        place_N = np.searchsorted(self._hashes, _hashes(names)).clip(max=len(self._clips) - 1)
        index_N = self._order[place_N]
        # Two names may share a hash: such a one is looked for by `settled`, too.
        same = _pc.equal(self._clips.take(pa.array(index_N)), names)
        return np.where(_pc.fill_null(same, False).to_numpy(zero_copy_only=False), index_N, -1)


def _hashes(names: pa.Array) -> np.ndarray:
    parts = (names.slice(at, _AT_ONCE).to_pylist() for at in range(0, len(names), _AT_ONCE))
    return np.fromiter((_hash(name) for part in parts for name in part), np.int64, len(names))


def indices_of(names: GivenNames, clips: GivenNames) -> np.ndarray:
    """Return for each name of the labels the index of the clip that it means, -1 where none or several."""
    index = ClipIndex(_texts(clips))
    return index.settled(index.find(_texts(names)))[0]


def _by_meaning(names: Sequence[str], clips: Sequence[str]) -> dict[str, int]:
    """Return the index of the clip that each of these names, none of which is spelt like one, means; not of those that mean
    none or several.

    By another suffix, none or a folder before it, then by the last part alone where one recording has it, then as
    AudioSet's segment ids (`b0RFKhbpFJA_30000` is `Yb0RFKhbpFJA_30.000_40.000.wav`).
    """
    meant = match_clips(names, clips)
    last = {name: clip_name(name).rpartition("/")[2] for name in names if name not in meant}
    if any("/" in name for name in last):
        by_last = match_clips(last.values(), clips)
        count = Counter(by_last.get(part) for part in last.values())
        meant |= {
            n: clip for n, part in last.items() if (clip := by_last.get(part)) and count[clip] == 1
        }
    if len(meant) < len(names):
        starts = _segment_starts(clips)
        meant |= {n: starts[n] for n in names if n not in meant and n in starts}
    place = {clip: n for n, clip in enumerate(clips)}
    return {name: place[clip] for name, clip in meant.items()}


def _texts(values: GivenNames) -> pa.Array:
    """Return texts as one Arrow array: a million of Python's own take some 100 MB."""
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    return values if isinstance(values, pa.Array) else pa.array(values, pa.string())


def _segment_starts(clips: Sequence[str]) -> dict[str, str]:
    """Return the clip of each `<YouTube id>_<start in ms>`, for clips called `[Y]<id>_<start s>_<stop s>`."""
    starts = {}
    for clip in clips:
        parts = clip_name(PurePosixPath(clip).name).rsplit("_", 2)
        try:
            start = round(float(parts[-2]) * _MILLISECONDS)
        except (ValueError, IndexError):
            continue
        video = parts[0].removeprefix("Y") if len(parts[0]) == 12 else parts[0]
        starts[f"{video}_{start}"] = clip
    return starts
