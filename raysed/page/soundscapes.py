"""A few of the generated soundscapes that a run was trained on: labels, log-mel, and audio where it was kept or can be made again.

Kept is a waveform in the shards, or a wav that the set exports. Else the job makes the soundscape again, where its sound bank lies
as it did; audio is shown only if the specification is, to the letter, the stored one.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import soundfile

from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.data.features.shards import Manifest, decode_shard, read_manifest, read_shard
from raysed.page.clips import trim_media
from raysed.page.media import audio_clip
from raysed.page.stored import stored_clip
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder

SHOWN, MOST_SETS = 4, 3
"""The first soundscapes of a set, of so many sets."""
BUDGET_BYTES = 1_000_000
"""Bytes of all pictures and audio together."""

Maker = Callable[[str, str], np.ndarray | None]
"""File name and stored specification of a soundscape -> its waveform (T,), or None where it cannot be made as it was."""


def soundscapes_of(plan: RunPlan) -> list[dict[str, Any]]:
    """Return one entry for each synthetic set that the run's trainings name, as far as it is still there."""
    urls = {about.name: about.url for about in plan.datasets}
    budget, entries = BUDGET_BYTES, []
    for name in list(dict.fromkeys(_trained_on(plan)))[:MOST_SETS]:
        entry = _entry(name, urls.get(name), plan.job_file)
        if entry is not None:
            budget = trim_media(entry["clips"], budget)
            entries.append(entry)
    return entries


def _trained_on(plan: RunPlan) -> Iterator[str]:
    for training in plan.trainings:
        if name := training.config.get("data", {}).get("synthetic"):
            yield name


def _entry(name: str, url: str | None, job_file: str | None) -> dict[str, Any] | None:
    """Return the soundscapes of a set; None for recordings, and for a set that cannot be read."""
    if url is None:
        return None
    folder = Folder(url)
    try:
        manifest = read_manifest(folder)
        if manifest is None or manifest.job.get("set", {}).get("kind") != "synthetic":
            return None
        table = decode_shard(read_shard(folder, manifest.shards[0])).slice(0, SHOWN)
    except (ValueError, OSError, IndexError):
        return None
    make = _maker(job_file, name)
    rows = ({key: table[key][n] for key in table.column_names} for n in range(len(table)))
    clips = [_clip(row, manifest, folder, make) for row in rows]
    return {"set": name, "classes": list(manifest.classes), "total": manifest.clips, "clips": clips}


def _clip(row: dict[str, Any], manifest: Manifest, folder: Folder, make: Maker) -> dict[str, Any]:
    filename, rate_hz = row["filename"].as_py(), manifest.features.sample_rate_hz
    clip = {"filename": filename, **stored_clip(row, manifest, None)}
    if clip["audio"] is None:
        waveform_T = _exported(folder, filename)
        if waveform_T is None:
            waveform_T = make(filename, row["source"].as_py() or "")
        clip["audio"] = None if waveform_T is None else audio_clip(waveform_T, rate_hz)
    return clip


def _exported(folder: Folder, filename: str) -> np.ndarray | None:
    content = folder.child("wav").read(filename)
    return None if content is None else soundfile.read(io.BytesIO(content), dtype="float32")[0]


def _maker(job_file: str | None, name: str) -> Maker:
    """Return what makes soundscapes of a set again; of a job or a bank that is gone, nothing comes of it."""
    try:
        if job_file is None:
            return _nothing
        job = read_config(job_file, DataJob)
        # Both belong to the extra `data`, and take seconds to import.
        from raysed.data.soundscapes.context import SoundscapeContext
        from raysed.data.soundscapes.soundscape import make_soundscape

        context = SoundscapeContext.from_job(job, name)
    except (ValueError, OSError, KeyError, AssertionError, ModuleNotFoundError):
        return _nothing

    def make(filename: str, source: str) -> np.ndarray | None:
        try:
            made = make_soundscape(context, int(PurePosixPath(filename).stem.rsplit("-", 1)[1]))
        except (ValueError, OSError, IndexError, AssertionError):
            return None
        same = made is not None and json.loads(made.source) == json.loads(source)
        return made.waveform_T if made is not None and same else None

    return make


def _nothing(filename: str, source: str) -> None:
    return None
