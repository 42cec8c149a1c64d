"""A finished data set of noise, full-size, for benchmarks that read features from disk."""

import numpy as np

from raysed.config.data_job import Features
from raysed.data.clip import Clip, Event
from raysed.data.folder import Folder
from raysed.data.shards import (
    FORMAT_VERSION,
    Manifest,
    ShardEntry,
    encode_shard,
    sha256,
    shard_name,
    write_manifest,
)

CLASSES = tuple(f"class{k}" for k in range(10))


def write_set(folder: Folder, clips: int) -> str:
    """A finished data set of full-size features of noise; returns its folder."""
    features, random, shards = Features(), np.random.default_rng(clips), []
    for number, start in enumerate(range(0, clips, 64)):
        rows = []
        for n in range(start, min(start + 64, clips)):
            events = (Event(1.0, 3.0, CLASSES[n % 10]), Event(4.0, 9.0, CLASSES[n % 7]))
            labels = tuple(dict.fromkeys(event.event_label for event in events))
            silence = np.zeros(1, np.float32)
            clip = Clip(f"{n:05d}.wav", silence, 10.0, events, labels, "{}")
            mel = random.uniform(0, 5, (features.n_frames, features.n_mels)).astype(np.float32)
            rows.append((clip, mel))
        content = encode_shard(rows, "synthetic", features, {})
        folder.write(shard_name(number), content)
        shards.append(
            ShardEntry(
                name=shard_name(number),
                start=start,
                stop=start + len(rows),
                rows=len(rows),
                sha256=sha256(content),
                dropped=0,
                quarantined=(),
            )
        )
    manifest = Manifest(
        format=FORMAT_VERSION,
        id=f"noise{clips}",
        name=f"noise{clips}",
        job={},
        features=features,
        classes=CLASSES,
        mel="torchaudio",
        complete=True,
        clips=clips,
        dropped=0,
        quarantined=0,
        missing=0,
        versions={},
        shards=tuple(shards),
    )
    write_manifest(folder, manifest)
    return folder.url
