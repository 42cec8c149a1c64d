"""Small finished data sets, written without Ray or audio."""

from pathlib import Path

import numpy as np

from raysed.config.data_job import Features
from raysed.data.clip import Clip, Event, Rejected
from raysed.data.folder import Folder
from raysed.data.shards import (
    FORMAT_VERSION,
    Manifest,
    ShardEntry,
    encode_shard,
    sha256,
    shard_name,
    write_lists,
    write_manifest,
)

CLASSES = ("Cat", "Dog")
FEATURES = Features(duration_s=0.5, n_mels=8, hop=400)
SHARD_CLIPS = 3


def clips_of(subset: str, seed: int = 0) -> list[tuple[Clip, np.ndarray]]:
    """Five clips and their mels: Cat, Dog, nothing, Cat, Dog; the second is half as long as the
    others.
    """
    random = np.random.default_rng(seed)
    rows = []
    for n, labels in enumerate([("Cat",), ("Dog",), (), ("Cat",), ("Dog",)]):
        events = tuple(Event(0.1, 0.4, label) for label in labels)
        clip = Clip(
            filename=f"clip{n}.wav",
            waveform_T=(np.arange(1600 * (n + 1)) % 97 / 512).astype(np.float32),
            duration_s=0.25 if n == 1 else 0.5,
            events=events if subset == "synthetic" else None,
            weak_labels=None if subset == "unlabelled" else labels,
            source="{}",
        )
        frames = FEATURES.n_frames // 2 if n == 1 else FEATURES.n_frames
        rows.append((clip, random.uniform(0, 5, (frames, FEATURES.n_mels)).astype(np.float32)))
    return rows


def write_set(
    path: Path, subset: str = "synthetic", *, seed: int = 0, features: Features = FEATURES
) -> str:
    """Write `clips_of(subset)` as a finished data set of two shards; returns its folder."""
    folder, rows, shards = Folder(str(path)), clips_of(subset, seed), []
    for number, start in enumerate(range(0, len(rows), SHARD_CLIPS)):
        part = rows[start : start + SHARD_CLIPS]
        content = encode_shard(part, subset, features, {"id": "a"})
        folder.write(shard_name(number), content)
        shards.append(
            ShardEntry(
                name=shard_name(number),
                start=start,
                stop=start + len(part),
                rows=len(part),
                sha256=sha256(content),
                dropped=0,
                quarantined=(),
            )
        )
    write_lists(folder, [Rejected("bad.wav", "holds no samples")], ["gone.wav"])
    manifest = Manifest(
        format=FORMAT_VERSION,
        id="a",
        name=path.name,
        job={},
        features=features,
        classes=CLASSES,
        mel="torchaudio",
        complete=True,
        clips=len(rows),
        dropped=0,
        quarantined=1,
        missing=1,
        versions={},
        shards=tuple(shards),
    )
    write_manifest(folder, manifest)
    return folder.url
