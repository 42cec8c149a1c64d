"""The reading of a listed recording: one clip of it, or the windows of one that is longer than a clip."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from raysed.config.data_job import Features
from raysed.data.audio import read_audio
from raysed.data.clip import Clip
from raysed.data.containers.audio_file import open_audio
from raysed.data.labels import hard, weak_labels, within
from raysed.data.lengths import TOLERATED, WHOLE_CLIP_S, is_long, length_fault
from raysed.data.recorded.audio_rows import ROW_MARK, embedded_bytes
from raysed.data.recorded.desed import RecordedEntry
from raysed.data.stream import Heard, blocks
from raysed.data.windows import Grid, trained_windows, windows
from raysed.storage.files import read_bytes
from raysed.storage.places import joined
from raysed.storage.url import masked


def read_recorded(
    root: str | Path, entry: RecordedEntry, features: Features, tolerated: float = TOLERATED
) -> tuple[Clip, ...]:
    """Read and resample one recording: a clip, or windows of `features.duration_s`.

    Raises ValueError if it cannot be read, or its length cannot be served.
    """
    place, content = opened(str(root), entry.path)
    shown = Path(place) if content is None else masked(place)
    waveform_T, duration_s = read_audio(
        shown, features.sample_rate_hz, features.duration_s, content
    )
    entry = _to_the_end(entry, duration_s)
    weak_only = entry.events is None and entry.weak_labels is not None
    if fault := length_fault(duration_s, features, clip_labels_only=weak_only):
        raise ValueError(f"{shown}: {fault}")
    if is_long(duration_s, features, tolerated) and not weak_only:
        if content is not None:
            content.seek(0)
        try:
            return _windows(place if content is None else content, entry, features)
        except ValueError as error:
            raise ValueError(f"{shown}: {error}") from error
    return (
        Clip(
            filename=entry.filename,
            waveform_T=waveform_T,
            duration_s=duration_s,
            events=entry.events,
            weak_labels=entry.weak_labels,
            source=json.dumps({"file": entry.path}),
            is_lower_rate=_rate_hz(shown if content is None else content) < features.sample_rate_hz,
        ),
    )


def _rate_hz(source: str | Path | BinaryIO) -> int:
    """Return the rate of a recording that has just been read."""
    if not isinstance(source, str | Path):
        source.seek(0)
    try:
        return soundfile.info(source).samplerate
    except soundfile.LibsndfileError:  # ffmpeg read it
        with open_audio(source) as file:
            return file.sound.samplerate


def _to_the_end(entry: RecordedEntry, duration_s: float) -> RecordedEntry:
    """Let events that last as long as their clip end with it."""
    if not any(event.offset == WHOLE_CLIP_S for event in entry.events or ()):
        return entry
    ended = (
        replace(event, offset=duration_s) if event.offset == WHOLE_CLIP_S else event
        for event in entry.events or ()
    )
    return replace(entry, events=tuple(ended))


def opened(root: str, path: str) -> tuple[str, BinaryIO | None]:
    """Return the place of a recording, and its content where it is no file of this machine.

    Raises ValueError where a storage does not give it, RuntimeError where it fails again and again.
    """
    place = path if "://" in path else joined(root, path)
    try:
        if ROW_MARK in path:
            return place, io.BytesIO(embedded_bytes(place))
        return place, io.BytesIO(read_bytes(place)) if "://" in place else None
    except OSError as error:
        # No fault of the recording: it must not be quarantined for it.
        raise RuntimeError(f"{masked(place)}: cannot be read now ({error})") from error


def _windows(source: str | BinaryIO, entry: RecordedEntry, features: Features) -> tuple[Clip, ...]:
    """Return the windows that prediction would make of a recording; of one without labels those that training hears."""
    grid, heard = Grid.of_windows(features), Heard()
    cut = list(windows(blocks(source, grid.rate_hz, heard), grid))
    if entry.events is None:
        trained_W = trained_windows(np.array([start for start, _ in cut]), grid)
        cut = [window for window, trained in zip(cut, trained_W, strict=True) if trained]
    clips = []
    for number, (start, waveform_T) in enumerate(cut):
        span_s = start / grid.rate_hz, (start + grid.window) / grid.rate_hz
        here = None if entry.events is None else within(entry.events, *span_s)
        clips.append(
            Clip(
                filename=entry.filename,
                waveform_T=waveform_T,
                duration_s=heard.duration_s,
                events=here if number else entry.events,
                weak_labels=None if here is None else weak_labels(hard(here)),
                source=json.dumps({"file": entry.path, "start": start}),
                is_lower_rate=heard.rate_hz < grid.rate_hz,
            )
        )
    return tuple(clips)
