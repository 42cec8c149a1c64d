"""`raysed.soundscape`: one soundscape of a sound bank, as `raysed data` makes it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from raysed.config.data_job import DataJob
from raysed.config.reader import validate
from raysed.data.soundscapes.context import SoundscapeContext, soundscape_count
from raysed.data.soundscapes.cooccurrence import Cooccurrence
from raysed.data.soundscapes.soundbank import index_soundbank

_OTHERS = 3
"""The most other events in a soundscape of a bank without co-occurrences."""


@dataclass(frozen=True)
class Soundscape:
    """A soundscape with its labels and its specification."""

    filename: str
    waveform: np.ndarray
    """float32 (T,)."""
    sample_rate: int
    """Hz."""
    events: pd.DataFrame
    """One row an event: onset, offset (seconds), event_label."""
    specification: dict[str, Any]
    """The events as Scaper instantiated them: source files, times, levels, pitch."""


def one_soundscape(
    bank: str | Path, seed: int = 0, index: int = 0, **settings: Any
) -> Soundscape | None:
    """Return the soundscape of a seed and an index; None where the polyphony filter drops it. Needs `raysed[data]`.

    `bank` holds audio/train/soundbank/{foreground,background}/<Class>/*.wav, as DESED does. `settings` are keys of a
    synthetic set (count, split, snr_db, pitch_shift_semitones, max_polyphony, ...), and duration_s, sample_rate_hz,
    and `cooccurrences`, the path of that file: by default the bank's own, or every class as often as the others where it has
    none. With a job's settings it is, to the bit, the soundscape of the job. Raises ValueError naming what is wrong.
    """
    context = _context(Path(bank).expanduser(), seed, dict(settings))
    count = soundscape_count(context)
    if not 0 <= index < count:
        raise ValueError(f"index {index}: this set has the soundscapes 0 to {count - 1} (count)")
    # Needs the extra `data`.
    from raysed.data.soundscapes.soundscape import make_soundscape

    made = make_soundscape(context, index)
    if made is None:
        return None
    rows = [(event.onset, event.offset, event.event_label) for event in made.events or ()]
    return Soundscape(
        made.filename,
        made.waveform_T,
        context.sample_rate_hz,
        pd.DataFrame(rows, columns=pd.Index(["onset", "offset", "event_label"])),
        json.loads(made.source),
    )


def _context(bank: Path, seed: int, settings: dict[str, Any]) -> SoundscapeContext:
    """Return the sources and settings of the set that the soundscape is of."""
    features = {
        key: settings.pop(key) for key in ("duration_s", "sample_rate_hz") if key in settings
    }
    split = settings.setdefault("split", "train")
    given = settings.pop("cooccurrences", bank / "metadata" / "event_occurences")
    roots = {"soundbank": str(bank), "cooccurrences": str(given)}
    content = {
        "name": "soundscape",
        "out": "none",
        "roots": roots,
        "features": features,
        "sets": {"soundscape": {"kind": "synthetic", "count": 1000, "seed": seed} | settings},
    }
    job = validate(content, DataJob, source="soundscape")
    if Path(given).exists():
        return SoundscapeContext.from_job(job, "soundscape")
    data_set, found = job.sets["soundscape"], index_soundbank(bank, split)
    assert data_set.kind == "synthetic"
    return SoundscapeContext(
        data_set=data_set,
        duration_s=job.features.duration_s,
        sample_rate_hz=job.features.sample_rate_hz,
        soundbank=found,
        cooccurrences=_alike(tuple(found.foreground)),
        rooms=(),
        warnings=(),
    )


def _alike(labels: Sequence[str]) -> tuple[Cooccurrence, ...]:
    """Return co-occurrences in which no label is more frequent than another."""
    shares = (1 / len(labels),) * len(labels)
    return tuple(Cooccurrence(label, shares[0], _OTHERS, tuple(labels), shares) for label in labels)
