"""Small finished data sets, written without Ray or audio."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from raysed.config.data_job import Features
from raysed.data.clip import Clip, Event, Rejected
from raysed.data.features.shards import (
    FORMAT_VERSION,
    Manifest,
    ShardEntry,
    encode_shard,
    sha256,
    shard_name,
    write_lists,
    write_manifest,
)
from raysed.storage.folder import Folder

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
    """Write `clips_of(subset)` as a finished data set of two shards, beside a rejected and a missing clip."""
    return write_rows(
        Folder(str(path)),
        clips_of(subset, seed),
        features,
        CLASSES,
        subset=subset,
        shard_clips=SHARD_CLIPS,
        rejected=[Rejected("bad.wav", "holds no samples")],
        missing=["gone.wav"],
    )


def write_rows(
    folder: Folder,
    rows: Iterable[tuple[Clip, np.ndarray]],
    features: Features,
    classes: Sequence[str],
    *,
    subset: str = "synthetic",
    shard_clips: int = 64,
    rejected: Sequence[Rejected] = (),
    missing: Sequence[str] = (),
) -> str:
    """Clips and their mels as a finished data set, named like its folder; returns the folder's URL."""
    name, left, shards = Path(folder.url).name, iter(rows), []
    while part := list(islice(left, shard_clips)):
        start = shards[-1].stop if shards else 0
        content = encode_shard(part, subset, features, {"id": name})
        shards.append(
            ShardEntry(
                name=shard_name(len(shards)),
                start=start,
                stop=start + len(part),
                rows=len(part),
                sha256=sha256(content),
                dropped=0,
                quarantined=(),
            )
        )
        folder.write(shards[-1].name, content)
    write_lists(folder, rejected, missing)
    manifest = Manifest(
        format=FORMAT_VERSION,
        id=name,
        name=name,
        job={},
        features=features,
        classes=tuple(classes),
        mel="torchaudio",
        complete=True,
        clips=sum(shard.rows for shard in shards),
        dropped=0,
        quarantined=len(rejected),
        missing=len(missing),
        versions={},
        shards=tuple(shards),
    )
    write_manifest(folder, manifest)
    return folder.url
