"""The two stages of a shard, without Ray: the waveforms of its clips, and its file of mels."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.config.data_job import Features, SyntheticSet
from raysed.data.build.annotated_source import AnnotatedPart
from raysed.data.build.dataset_plan import DatasetPlan, Shard
from raysed.data.build.soundscape_files import write_exports
from raysed.data.build.source import ClipSource, SyntheticSource
from raysed.data.clip import Clip, Rejected
from raysed.data.encoders.clip_rows import embed_clips
from raysed.data.encoders.frame_encoder import FrameEncoder
from raysed.data.encoders.opening import FoundEncoder, open_encoder
from raysed.data.features.embeddings import stored_embedding
from raysed.data.features.mel import mel_amplitude, prepared
from raysed.data.features.shards import ShardEntry, encode_shard, sha256, stored_mel, versions
from raysed.storage.folder import Folder

MelFunction = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


@dataclass(frozen=True)
class ShardClips:
    """The outcome of the raw clips of a shard."""

    clips: tuple[Clip, ...]
    rejected: tuple[Rejected, ...]
    dropped: int


@dataclass(frozen=True)
class Target:
    """The folder of a shard and the metadata of its file; small, since it is sent with each shard."""

    url: str
    shard: Shard
    subset: str
    metadata: dict[str, Any]
    exported: SyntheticSet | None
    """The set's configuration where it asks for files of its soundscapes, else None."""
    encoder: FoundEncoder | None = None


def target(plan: DatasetPlan, shard: Shard) -> Target:
    """Return the target of a shard of a plan."""
    metadata = {
        "id": plan.id,
        "job": plan.job,
        "features": plan.features.model_dump(mode="json"),
        "classes": plan.classes,
        "mel": plan.mel,
        "versions": versions(),
    }
    source, exported = plan.source, None
    if isinstance(source, SyntheticSource) and source.context.data_set.export:
        exported = source.context.data_set
    return Target(plan.url, shard, source.subset, metadata, exported, plan.encoder)


def make_clips(source: ClipSource | AnnotatedPart, shard: Shard) -> ShardClips:
    """Make the clips of a shard; a clip that cannot be made is rejected with its reason."""
    clips: list[Clip] = []
    rejected: list[Rejected] = []
    dropped = 0
    for index in range(shard.start, shard.stop):
        try:
            made = source.make(index)
        except ValueError as error:
            rejected.append(Rejected(source.filename(index), source.reason(error)))
            continue
        dropped += not made
        clips += made
    return ShardClips(tuple(clips), tuple(rejected), dropped)


def noticed(clips: Sequence[Clip]) -> Counter[str]:
    """Count the clips that a person should know of, though they are made: at a `lower_rate`, and with an `unheard` event,
    which begins after its clip has ended.
    """
    return Counter(
        lower_rate=sum(clip.is_lower_rate for clip in clips),
        unheard=sum(any(e.onset >= c.duration_s for e in c.events or ()) for c in clips),
    )


class ShardWriter:
    """Writes shards; holds what is costly to build (a DALI pipeline, encoders).

    `device_id` is the GPU that DALI and encoders use, None the CPU; `batch` the most clips of a shard.
    """

    def __init__(self, mel: str, features: Features, *, batch: int, device_id: int | None) -> None:
        self._features = features
        self._mels = _mel_function(mel, features, batch, device_id)
        self._device = "cpu" if device_id is None else "cuda"
        self._encoders: dict[str, FrameEncoder] = {}

    def write(self, target: Target, made: ShardClips) -> ShardEntry:
        """Extract, encode and write one shard; returns its line of the manifest."""
        rejected = {clip.filename: clip for clip in made.rejected}
        clips = [
            clip for clip in made.clips if self._passes(clip, prepared, clip.waveform_T, rejected)
        ]
        mels = self._mels([clip.waveform_T for clip in clips])
        rows = [
            (clip, mel_TF)
            for clip, mel_TF in zip(clips, mels, strict=True)
            if self._passes(clip, stored_mel, mel_TF, rejected)
        ]
        embeddings = self._embeddings(target.encoder, rows, rejected)
        # Of a recording all windows are there, or none.
        kept = [n for n, (clip, _) in enumerate(rows) if clip.filename not in rejected]
        rows, embeddings = [rows[n] for n in kept], [embeddings[n] for n in kept if embeddings]
        if target.exported is not None:
            written = [clip for clip, _ in rows]
            write_exports(Folder(target.url), written, target.exported, self._features)
        content = encode_shard(rows, target.subset, self._features, target.metadata, embeddings)
        Folder(target.url).write(target.shard.name, content)
        return ShardEntry(
            name=target.shard.name,
            start=target.shard.start,
            stop=target.shard.stop,
            rows=len(rows),
            sha256=sha256(content),
            dropped=made.dropped,
            quarantined=tuple((r.filename, r.reason) for r in rejected.values()),
        )

    def _embeddings(
        self,
        found: FoundEncoder | None,
        rows: Sequence[tuple[Clip, np.ndarray]],
        rejected: dict[str, Rejected],
    ) -> list[np.ndarray]:
        """Return the encoder's rows of each clip; a clip that has none is added to the rejected."""
        if found is None or not rows:
            return []
        facts, encoder = found.facts, self._encoder(found)
        embeddings = embed_or_reason(encoder, [clip for clip, _ in rows], self._features)
        for n, (clip, _) in enumerate(rows):
            made = embeddings[n]
            try:
                if isinstance(made, ValueError):
                    raise made
                stored_embedding(made, facts, self._features)
            except ValueError as error:
                rejected.setdefault(clip.filename, Rejected(clip.filename, str(error)))
        return embeddings  # type: ignore[return-value]  # the rejected are left out

    def _encoder(self, found: FoundEncoder) -> FrameEncoder:
        key = f"{found.facts.sha256} {found.facts.layers}"
        if key not in self._encoders:
            self._encoders[key] = open_encoder(found, self._device)
        return self._encoders[key]

    def _passes(
        self,
        clip: Clip,
        check: Callable[[np.ndarray, Features], np.ndarray],
        array: np.ndarray,
        rejected: dict[str, Rejected],
    ) -> bool:
        """Tell whether `check` accepts the clip's array; if not, the clip is added to the rejected, by its name."""
        try:
            check(array, self._features)
        except ValueError as error:
            rejected.setdefault(clip.filename, Rejected(clip.filename, str(error)))
            return False
        return True


def embed_or_reason(
    encoder: FrameEncoder, clips: Sequence[Clip], features: Features
) -> list[np.ndarray | ValueError]:
    """Return the encoder's rows of each clip, or why it has none: one bad clip costs no other."""
    try:
        return [*embed_clips(encoder, [clip.waveform_T for clip in clips], features)]
    except ValueError as error:
        if len(clips) == 1:
            return [error]
    return [embed_or_reason(encoder, [clip], features)[0] for clip in clips]


def _mel_function(mel: str, features: Features, batch: int, device_id: int | None) -> MelFunction:
    if mel == "dali":
        # DALI is not installed everywhere.
        from raysed.data.features.mel_dali import DaliMel

        return DaliMel(features, device_id=device_id, batch=batch)
    return lambda waveforms: [mel_amplitude(waveform_T, features) for waveform_T in waveforms]
