"""The store that training reads: a data set as one memory-mapped Arrow file per node.

Opening converts the shards once (1 to 1.4 ms of CPU a clip, under a lock) and maps the file afterwards
(well under a second, hardly any private memory); a batch of 24 mels is a copy of 4 MB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from raysed.config.data_job import Features
from raysed.data.clip import Event
from raysed.data.features.feature_cache import cached
from raysed.data.features.shards import (
    MANIFEST,
    Manifest,
    decode_shard,
    read_manifest,
    read_shard,
    sha256,
)
from raysed.storage.folder import Folder


@dataclass(frozen=True)
class FeatureSet:
    """N clips of a data set: features in a memory map, labels in memory."""

    name: str
    id: str
    classes: tuple[str, ...]
    features: Features
    filenames: tuple[str, ...]
    durations_s: np.ndarray
    """(N,) float64, of the recordings themselves."""
    frames: np.ndarray
    """(N,) int32: each clip's own frames; the rest of its mel is zero."""
    events: tuple[tuple[Event, ...] | None, ...]
    weak_labels: tuple[tuple[str, ...] | None, ...]
    mels: tuple[np.ndarray, ...]
    """N read-only views (T, F) of the memory map, linear amplitude in the dtype of storage."""
    waveforms: tuple[np.ndarray, ...] | None = None
    """N read-only views of the map, each clip's own samples, float16; None where none are stored."""

    def __len__(self) -> int:
        return len(self.filenames)

    def mel(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the linear amplitude mel_BTF of these clips, a copy in the dtype of storage."""
        return np.stack([self.mels[n] for n in indices])

    @property
    def weak_NK(self) -> np.ndarray | None:
        """Return the clip labels (N, K) uint8, or None where the set has none."""
        if any(labels is None for labels in self.weak_labels):
            return None
        weak_NK = np.zeros((len(self), len(self.classes)), np.uint8)
        column = {label: k for k, label in enumerate(self.classes)}
        for n, labels in enumerate(self.weak_labels):
            weak_NK[n, [column[label] for label in labels or ()]] = 1
        return weak_NK

    def strong_NTK(self, pooling: int) -> np.ndarray | None:
        """Return the frame labels (N, n_frames // pooling, K) uint8, or None where the set has none."""
        if any(events is None for events in self.events):
            return None
        shape = (self.features.n_frames // pooling, len(self.classes))
        strong_NTK = np.zeros((len(self), *shape), np.uint8)
        for n, events in enumerate(self.events):
            strong_NTK[n] = strong_labels(events or (), self.classes, self.features, pooling)
        return strong_NTK


def strong_labels(
    events: Sequence[Event], classes: Sequence[str], features: Features, pooling: int
) -> np.ndarray:
    """Return the frame labels (n_frames // pooling, K) uint8 of events in seconds.

    Onset and offset frames are floor(floor(t·rate/hop)/pooling), half-open: an event within one
    output frame leaves no label (Turpault & Serizel 2020, published code). What lies past the clip
    is cut.
    """
    strong_TK = np.zeros((features.n_frames // pooling, len(classes)), np.uint8)
    for event in events:
        onset, offset = (
            math.floor(time_s * features.sample_rate_hz / features.hop) // pooling
            for time_s in (event.onset, event.offset)
        )
        strong_TK[onset:offset, list(classes).index(event.event_label)] = 1
    return strong_TK


def open_dataset(url: str, cache_dir: str | Path) -> FeatureSet:
    """Map a finished data set, after converting it into `cache_dir` (a local folder) if that was not done
    before.

    Raises ValueError for a folder without manifest, an unfinished build, and absent or changed
    shards.
    """
    folder = Folder(url)
    manifest = read_manifest(folder)
    if manifest is None:
        raise ValueError(
            f"{folder.url}: holds no {MANIFEST}; build the data set with `python -m raysed.data`"
        )
    if not manifest.complete:
        raise ValueError(
            f"{folder.url}: unfinished, {len(manifest.shards)} shards so far; run the job again"
        )
    content = sha256("".join(shard.sha256 for shard in manifest.shards).encode())
    path = Path(cache_dir, f"{manifest.id}-{content[:12]}.arrow")
    return _map(cached(path, content, lambda file: _convert(folder, manifest, file)), manifest)


def _convert(folder: Folder, manifest: Manifest, file: IO[bytes]) -> None:
    """Write all shards as one uncompressed Arrow IPC file, one record batch a shard."""
    writer = None
    for entry in manifest.shards:
        table = decode_shard(read_shard(folder, entry))
        if writer is None:
            writer = pa.ipc.new_file(file.name, table.schema)
        for batch in table.combine_chunks().to_batches():
            writer.write_batch(batch)
    assert writer is not None, "a plan has at least one shard"
    writer.close()


def _map(path: Path, manifest: Manifest) -> FeatureSet:
    features = manifest.features
    shape = (-1, features.n_frames, features.n_mels)
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    # Views keep the map alive after `source` is closed.
    mels = [
        mel_TF
        for chunk in table["mel"].chunks
        for mel_TF in chunk.flatten().to_numpy(zero_copy_only=True).reshape(shape)
    ]
    labels = table.select(["filename", "events", "weak_labels"]).to_pydict()
    return FeatureSet(
        name=manifest.name,
        id=manifest.id,
        classes=manifest.classes,
        features=features,
        filenames=tuple(labels["filename"]),
        durations_s=table["duration_s"].to_numpy(),
        frames=table["frames"].to_numpy(),
        events=tuple(
            None if events is None else tuple(Event(**event) for event in events)
            for events in labels["events"]
        ),
        weak_labels=tuple(None if weak is None else tuple(weak) for weak in labels["weak_labels"]),
        mels=tuple(mels),
        waveforms=_waveforms(table) if features.waveforms else None,
    )


def _waveforms(table: pa.Table) -> tuple[np.ndarray, ...]:
    """Return views of the clips' samples."""
    found: list[np.ndarray] = []
    for chunk in table["waveform"].chunks:
        samples = chunk.values.to_numpy(zero_copy_only=True)
        found += [samples[start:stop] for start, stop in pairwise(chunk.offsets.to_numpy())]
    return tuple(found)
