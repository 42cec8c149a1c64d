"""Clips as their data set holds them: labels, log-mel and audio, for the few that a page shows.

Shards are read one at a time and checked against their manifest: about 3 ms a clip of the set.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from raysed.config.data_job import Features
from raysed.data.audio import read_audio
from raysed.data.features.shards import (
    Manifest,
    annotated_by,
    decode_shard,
    read_manifest,
    read_shard,
)
from raysed.data.features.store import event_of
from raysed.data.labels import hard
from raysed.page.media import audio_clip, mel_picture
from raysed.storage.folder import Folder


def stored_clips(
    url: str | None, wanted: set[str], root: Path | None
) -> tuple[dict[str, dict[str, Any]], str | None]:
    """Return reference events, picture and audio of clips in a data set, and why they are missing (or None)."""
    if url is None:
        return {}, "the run's plan does not say where the data set is"
    folder, found = Folder(url), {}
    try:
        manifest = read_manifest(folder)
        if manifest is None:
            return {}, "the data set is not where the run left it"
        for entry in manifest.shards:
            table = decode_shard(read_shard(folder, entry))
            names = table["filename"].to_pylist()
            for row in [n for n, name in enumerate(names) if name in wanted]:
                if names[row] in found:  # the picture is of a long recording's first window
                    continue
                clip = {key: table[key][row] for key in table.column_names}
                found[names[row]] = stored_clip(clip, manifest, root)
    except (ValueError, OSError) as error:
        reason = str(error).replace(f"{folder.url}/", "")
        return found, f"the data set cannot be read ({reason})"
    return found, None


def stored_clip(row: dict[str, Any], manifest: Manifest, root: Path | None) -> dict[str, Any]:
    """Return one row of a shard as the page needs it."""
    features = manifest.features
    frames = row["frames"].as_py()
    shape = (features.n_frames, features.n_mels)
    mel_TF = row["mel"].values.to_numpy(zero_copy_only=False).reshape(shape)
    annotates = annotated_by(manifest)
    classes = [c for c in manifest.classes if annotates is None or c in annotates]
    events = hard(event_of(stored) for stored in row["events"].as_py() or ())
    return {
        "events": [
            [classes.index(e.event_label), e.onset, e.offset]
            for e in events
            if e.event_label in classes
        ],
        "span_s": frames * features.hop / features.sample_rate_hz,
        "band_hz": [round(features.low_hz), round(features.high_hz)],
        "picture": mel_picture(mel_TF, frames, features),
        "audio": _audio(row, features, root),
    }


def _audio(row: dict[str, Any], features: Features, root: Path | None) -> str | None:
    """Return the audio from the stored waveform, else from the recording where that lies inside the data's
    root.
    """
    if "waveform" in row and row["waveform"].is_valid:
        waveform_T = row["waveform"].values.to_numpy(zero_copy_only=False)
        return audio_clip(waveform_T.astype(np.float32), features.sample_rate_hz)
    path = recording(root, row["source"].as_py())
    if path is None:
        return None
    try:
        waveform_T, _ = read_audio(path, features.sample_rate_hz, features.duration_s)
    except ValueError:
        return None  # the recording has gone bad since; the features are still good
    return audio_clip(waveform_T, features.sample_rate_hz)


def recording(root: Path | None, source: str | None) -> Path | None:
    """Return the file that a clip was read from, if it is there and inside the root."""
    name = json.loads(source or "{}").get("file")
    if root is None or not isinstance(name, str):
        return None
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None
