"""Soundscapes as files for people and other tools: audio as wav, the specification as JAMS.

Written only where a set's `export` asks for it, before the shard that holds the same clips: 2 ms and
640 kB a clip for wav, 0.3 ms and 5 kB for JAMS.
"""

import io
import json
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

import numpy as np
from scipy.io import wavfile

from raysed.config.data_job import Features, SyntheticSet
from raysed.data.clip import Clip
from raysed.storage.folder import Folder

_JAMS_VERSION = "0.3.5"
# Scaper's fades, and SoX's default reverberance as Scaper writes it.
_FADE_S = 0.01
_SOX_REVERB = 0.5


def write_exports(
    folder: Folder, clips: Iterable[Clip], data_set: SyntheticSet, features: Features
) -> None:
    """Write the clips' files into `wav/` and `jams/` of a data set's folder, as the set asks."""
    for clip in clips:
        if "wav" in data_set.export:
            folder.child("wav").write(clip.filename, wav_bytes(clip.waveform_T, features))
        if "jams" in data_set.export:
            name = PurePath(clip.filename).with_suffix(".jams").name
            text = json.dumps(jams_of(clip, data_set, features), indent=1)
            folder.child("jams").write(name, text.encode())


def wav_bytes(waveform_T: np.ndarray, features: Features) -> bytes:
    """Return a wav file of float32 samples, bitwise those that the features were computed from."""
    # libsndfile would put the time of writing into a float wav.
    sink = io.BytesIO()
    wavfile.write(sink, features.sample_rate_hz, waveform_T.astype(np.float32))
    return sink.getvalue()


def jams_of(clip: Clip, data_set: SyntheticSet, features: Features) -> dict[str, Any]:
    """Return a JAMS document (Humphrey et al. 2014) with the annotation that Scaper writes.

    `scaper.generate_from_jams(file, fg_path=…, bg_path=…)` makes the dry soundscape again; the
    cleaned labels and the room are in its sandbox.
    """
    source = json.loads(clip.source)
    observations = [
        {
            "time": event["event_time"],
            "duration": event["event_duration"],
            "value": event
            | {"source_file": f"{event['role']}/{event['label']}/{event['source_file']}"},
            "confidence": 1.0,
        }
        for event in source["events"]
    ]
    annotation = {
        "namespace": "scaper",
        "annotation_metadata": {},
        "time": 0,
        "duration": clip.duration_s,
        "data": observations,
        "sandbox": {"scaper": _generation(clip, source, data_set, features)},
    }
    return {
        "annotations": [annotation],
        "file_metadata": {
            "title": clip.filename,
            "artist": "",
            "release": "",
            "duration": clip.duration_s,
            "identifiers": {},
            "jams_version": _JAMS_VERSION,
        },
        "sandbox": {
            "room": source["room"],
            "labels": [vars(event) for event in clip.events or ()],
        },
    }


def _generation(
    clip: Clip, source: dict[str, Any], data_set: SyntheticSet, features: Features
) -> dict[str, Any]:
    """Return the settings that Scaper needs besides the events to make the audio again."""
    return {
        "duration": clip.duration_s,
        "original_duration": clip.duration_s,
        "fg_path": "foreground",
        "bg_path": "background",
        "protected_labels": [],
        "sr": features.sample_rate_hz,
        "ref_db": data_set.ref_db,
        "n_channels": 1,
        "fade_in_len": _FADE_S,
        "fade_out_len": _FADE_S,
        "n_events": len(source["events"]) - 1,
        "reverb": _SOX_REVERB if data_set.reverb == "sox" else None,
        "scaper_version": source["scaper"],
    }
