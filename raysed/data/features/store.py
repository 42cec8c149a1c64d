"""The store that training reads: a data set as one memory-mapped Arrow file per node.

Opening converts the shards once (1 to 1.4 ms of CPU a clip, under a lock) and maps the file afterwards
(well under a second, hardly any private memory); a batch of 24 mels is a copy of 4 MB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts
from raysed.data.clip import Event, SoftEvent
from raysed.data.features.embeddings import embedding_views, encoder_in
from raysed.data.features.shards import (
    MANIFEST,
    Manifest,
    annotated_by,
    cut_recordings,
    decode_shard,
    first_samples,
    read_manifest,
    read_shard,
    sha256,
)
from raysed.data.windows import Grid, trained_windows
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cached


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
    encoder: EncoderFacts | None = None
    """The encoder whose rows are stored; None where none are."""
    encoder_file: str | None = None
    """The place of the encoder's file, for a training that tunes the encoder; None otherwise."""
    embeddings: tuple[np.ndarray, ...] | None = None
    """N read-only views (R, E) of the map, float16, zero after each clip's own rows; None where none are stored."""
    starts: np.ndarray | None = None
    """(N,) int64: the first sample of each row in its recording, where rows are windows of long recordings; else None.
    The rows of a recording follow each other, and its first one has the events of the whole recording."""

    def __len__(self) -> int:
        return len(self.filenames)

    def mel(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the linear amplitude mel_BTF of these clips, a copy in the dtype of storage."""
        return np.stack([self.mels[n] for n in indices])

    def embedding(self, indices: Sequence[int] | np.ndarray) -> np.ndarray | None:
        """Return the encoder's rows (B, R, E) of these clips, a copy in float16; None where none are stored."""
        stored = self.embeddings
        return None if stored is None else np.stack([stored[n] for n in indices])

    annotates: tuple[str, ...] | None = None
    """The classes whose every event the set labels; None: all. The others are masked."""

    @property
    def annotated_K(self) -> np.ndarray:
        """Return bool (K,): true for the classes that the set labels."""
        return np.array([self.annotates is None or c in self.annotates for c in self.classes])

    @property
    def scored_classes(self) -> tuple[str, ...]:
        """Return the classes that can be scored against the set: those that it labels."""
        return tuple(np.array(self.classes, object)[self.annotated_K])

    @property
    def recordings(self) -> np.ndarray:
        """Return (R,): the first row of every recording."""
        if self.starts is None:
            return np.arange(len(self))
        names = np.array(self.filenames)
        return np.flatnonzero(np.append(True, names[1:] != names[:-1]))

    @property
    def trained_rows(self) -> np.ndarray:
        """Return the rows that training draws from: all, of a long recording the windows that lie end to end."""
        if self.starts is None:
            return np.arange(len(self))
        grid = Grid.of_windows(self.features)
        starts = np.split(self.starts, self.recordings[1:])
        return np.flatnonzero(np.concatenate([trained_windows(each, grid) for each in starts]))

    def start_s(self, n: int) -> float:
        """Return the second of its recording at which row n begins."""
        return 0.0 if self.starts is None else self.starts[n] / self.features.sample_rate_hz

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
        """Return the frame labels (N, n_frames // pooling, K) uint8, float32 of soft ones; None where there are none."""
        if any(events is None for events in self.events):
            return None
        shape = (self.features.n_frames // pooling, len(self.classes))
        soft = any(isinstance(event, SoftEvent) for events in self.events for event in events or ())
        strong_NTK = np.zeros((len(self), *shape), np.float32 if soft else np.uint8)
        for n, events in enumerate(self.events):
            moved = events or ()
            if start_s := self.start_s(n):
                moved = [
                    replace(e, onset=e.onset - start_s, offset=e.offset - start_s) for e in moved
                ]
            strong_NTK[n] = strong_labels(moved, self.classes, self.features, pooling)
        return strong_NTK


def strong_labels(
    events: Sequence[Event], classes: Sequence[str], features: Features, pooling: int
) -> np.ndarray:
    """Return the frame labels (n_frames // pooling, K) of events in seconds: uint8, or float32 of soft ones.

    Onset and offset frames are floor(floor(t·rate/hop)/pooling), half-open: an event within one
    output frame leaves no label (Turpault & Serizel 2020, published code). What lies before or past
    the clip is cut.
    """
    soft = any(isinstance(event, SoftEvent) for event in events)
    strong_TK = np.zeros(
        (features.n_frames // pooling, len(classes)), np.float32 if soft else np.uint8
    )
    for event in events:
        onset, offset = (
            max(math.floor(time_s * features.sample_rate_hz / features.hop), 0) // pooling
            for time_s in (event.onset, event.offset)
        )
        label_T = strong_TK[onset:offset, list(classes).index(event.event_label)]
        np.maximum(label_T, getattr(event, "confidence", 1), out=label_T, casting="unsafe")
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
            f"{folder.url}: unfinished: it is being built, or its build has ended early; run the job again"
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
    if cut := cut_recordings(table.select(["filename", "duration_s", "source"]), features):
        raise ValueError(
            f"data set {manifest.name} ({manifest.id}) holds the beginning alone of {len(cut)} recordings longer than"
            f" {features.duration_s:g} s, such as {cut[0]}; run its job again: `raysed data` builds their windows"
        )
    # Views keep the map alive after `source` is closed.
    mels = [
        mel_TF
        for chunk in table["mel"].chunks
        for mel_TF in chunk.flatten().to_numpy(zero_copy_only=True).reshape(shape)
    ]
    labels = table.select(["filename", "events", "weak_labels"]).to_pydict()
    encoder = encoder_in({"job": manifest.job})
    return FeatureSet(
        name=manifest.name,
        id=manifest.id,
        classes=manifest.classes,
        features=features,
        filenames=tuple(labels["filename"]),
        durations_s=table["duration_s"].to_numpy(),
        frames=table["frames"].to_numpy(),
        events=tuple(
            None if events is None else tuple(event_of(event) for event in events)
            for events in labels["events"]
        ),
        weak_labels=tuple(None if weak is None else tuple(weak) for weak in labels["weak_labels"]),
        mels=tuple(mels),
        waveforms=_waveforms(table) if features.waveforms else None,
        encoder=encoder,
        embeddings=None if encoder is None else tuple(embedding_views(table, encoder, features)),
        starts=_starts(table),
        annotates=annotated_by(manifest),
    )


def event_of(stored: dict[str, Any]) -> Event:
    """Return an event as a shard holds it; with a confidence it is a soft one."""
    return SoftEvent(**stored) if "confidence" in stored else Event(**stored)


def _starts(table: pa.Table) -> np.ndarray | None:
    """Return the first sample of every row, or None where no recording has several rows."""
    names = table["filename"].to_numpy()
    again = np.flatnonzero(names[1:] == names[:-1])
    if not len(again):
        return None
    rows = np.union1d(again, again + 1)
    starts = np.zeros(len(table), np.int64)
    starts[rows] = [start or 0 for start in first_samples(table.select(["source"]).take(rows))]
    return starts


def _waveforms(table: pa.Table) -> tuple[np.ndarray, ...]:
    """Return views of the clips' samples."""
    found: list[np.ndarray] = []
    for chunk in table["waveform"].chunks:
        samples = chunk.values.to_numpy(zero_copy_only=True)
        found += [samples[start:stop] for start, stop in pairwise(chunk.offsets.to_numpy())]
    return tuple(found)
