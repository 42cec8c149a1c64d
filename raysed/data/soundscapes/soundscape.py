"""Synthetic soundscapes: Scaper instantiates the specification, and its audio is rendered in memory.

This is the only module that uses scaper. Each soundscape is a pure function of the set's
seed, its split and the raw index. A 10 s soundscape of about three events costs 4 ms of one core without
pitch shift and 9 ms with it (docs/profile.md).
"""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import soundfile

from raysed.data.clip import Clip, Event
from raysed.data.labels import clean_events, max_polyphony, weak_labels
from raysed.data.soundscapes.context import (
    SoundscapeContext,
    random_state,
    row_of,
    soundscape_count,
    soundscape_name,
    source_info,
)
from raysed.data.soundscapes.cooccurrence import Cooccurrence
from raysed.data.soundscapes.placement import place, split_label
from raysed.data.soundscapes.rendering import render_stems
from raysed.data.soundscapes.reverb import Room, Stem, choose_room, reverberate
from raysed.data.soundscapes.sox_effects import convert, sox_reverb, without_a_shell
from raysed.storage.places import is_url

# scaper 1.6.5 reads np.Inf, which numpy 2 removed; no newer scaper exists.
np.Inf = np.inf  # pyrefly: ignore[missing-attribute]

with without_a_shell():
    import scaper
    from scaper.core import EventSpec
    from scaper.scaper_exceptions import ScaperError

# Scaper asks for the header of a source at every event; the context has it already.
_soundfile = SimpleNamespace(info=source_info, read=soundfile.read, write=soundfile.write)
scaper.core.soundfile = _soundfile  # pyrefly: ignore[bad-assignment]

__all__ = [
    "SoundscapeContext",
    "make_soundscape",
    "soundscape_count",
    "soundscape_name",
    "specify",
]


def make_soundscape(context: SoundscapeContext, index: int) -> Clip | None:
    """Make the soundscape with raw index `index`; None where the polyphony filter drops it.

    Raises ValueError naming the source file that cannot be used.
    """
    data_set = context.data_set
    background, *foreground = specification = specify(context, index)
    raw = tuple(
        Event(e.event_time, e.event_time + e.event_duration, split_label(e.label)[0])
        for e in foreground
    )
    if max_polyphony(raw) > data_set.max_polyphony:
        return None
    events = clean_events(
        raw,
        context.duration_s,
        min_event_s=data_set.min_event_s,
        merge_gap_s=data_set.merge_gap_s,
        merge_onsets_s=data_set.merge_onsets_s,
    )
    background_T, stems = render_stems(
        background,
        foreground,
        sample_rate_hz=context.sample_rate_hz,
        duration_s=context.duration_s,
        ref_db=data_set.ref_db,
        convert=convert,
    )
    room = (
        choose_room(context.rooms, data_set.seed, data_set.split, index) if context.rooms else None
    )
    return Clip(
        filename=soundscape_name(context, index),
        waveform_T=_mix(context, background_T, stems, room).astype(np.float32),
        duration_s=context.duration_s,
        events=events,
        weak_labels=weak_labels(events),
        source=_source(context, specification, room),
        is_lower_rate=min(source_info(e.source_file).samplerate for e in specification)
        < context.sample_rate_hz,
    )


def specify(context: SoundscapeContext, index: int) -> list[EventSpec]:
    """Return Scaper's instantiated events, the background first.

    Pitch has a generator of its own, so that switching it on or off changes nothing else. Raises
    ValueError naming the source file that cannot be used.
    """
    bank, shift = context.soundbank, context.data_set.pitch_shift_semitones
    random = random_state(context, index, "events")
    pitch = random_state(context, index, "pitch") if shift else None
    scape = _scaper(context.duration_s, bank.foreground_root, bank.background_root)
    scape.set_random_state(random)
    try:
        # All are drawn before the first is instantiated: both draw from `random`.
        events = [_background_event(context, random)]
        for label in _draw_labels(row_of(context, index), random):
            events.append(_foreground_event(context, label, random, pitch))
        return [
            # The warnings switched off say that constants were fitted to the source's length, by
            # less than a sample.
            scape._instantiate_event(
                event,
                isbackground=event.role == "background",
                used_labels=[],
                used_source_files=[],
                disable_instantiation_warnings=True,
            )
            for event in events
        ]
    except (ScaperError, soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{soundscape_name(context, index)}: {error}") from error


def _background_event(context: SoundscapeContext, random: np.random.RandomState) -> EventSpec:
    """Make the event as Scaper's add_background does, without its checks of values that are drawn here."""
    paths = context.soundbank.backgrounds
    source = paths[random.randint(len(paths))]
    source_s = source_info(source).duration
    start = min(random.uniform() * source_s, max(source_s - context.duration_s, 0.0))
    return EventSpec(
        label=("const", Path(source).parent.name),
        source_file=("const", source),
        source_time=("const", start),
        event_time=("const", 0),
        event_duration=("const", context.duration_s),
        snr=("const", 0),
        role="background",
        pitch_shift=None,
        time_stretch=None,
    )


def _foreground_event(
    context: SoundscapeContext,
    label: str,
    random: np.random.RandomState,
    pitch: np.random.RandomState | None,
) -> EventSpec:
    """Make the event as Scaper's add_event does, without its checks of values that are drawn here."""
    paths = context.soundbank.foreground[label]
    source = paths[random.randint(len(paths))]
    source_s = source_info(source).duration
    where = place(split_label(label)[1], source_s, context.duration_s, random)
    # Scaper would redraw a value that is out of range for ever.
    assert min(where) >= 0 and where.event_duration > 0, (source, where)
    shift = context.data_set.pitch_shift_semitones
    return EventSpec(
        label=("const", label),
        source_file=("const", source),
        source_time=("const", where.source_time),
        event_time=("const", where.event_time),
        event_duration=("const", where.event_duration),
        snr=("uniform", *context.data_set.snr_db),
        role="foreground",
        pitch_shift=("const", pitch.uniform(-shift, shift)) if pitch else None,
        time_stretch=None,
    )


def _draw_labels(row: Cooccurrence, random: np.random.RandomState) -> list[str]:
    """Draw the labels: the soundscape's own label, then those that co-occur."""
    others = max(0, int(random.randint(-1, row.max_events))) if row.max_events else 0
    probas = np.array(row.probas) / sum(row.probas)
    return [row.label, *(str(label) for label in random.choice(row.classes, others, p=probas))]


@functools.lru_cache(maxsize=4)
def _scaper(duration_s: float, foreground_root: str, background_root: str) -> scaper.Scaper:
    """Return the one Scaper of this process and soundbank; it lists both, which may be any folders: events name files."""
    roots = ("/" if is_url(root) else root for root in (foreground_root, background_root))
    return scaper.Scaper(duration_s, *roots)


def _mix(
    context: SoundscapeContext, background_T: np.ndarray, stems: Sequence[Stem], room: Room | None
) -> np.ndarray:
    """Return the sum of background and events; a dry mixture is made in `background_T`."""
    if room is not None:
        return reverberate(background_T, stems, room, context.sample_rate_hz)
    mix_T = background_T
    for stem in stems:
        mix_T[stem.start : stem.start + len(stem.waveform_T)] += stem.waveform_T
    return sox_reverb(mix_T, context.sample_rate_hz) if context.data_set.reverb == "sox" else mix_T


def _source(
    context: SoundscapeContext, specification: Sequence[EventSpec], room: Room | None
) -> str:
    """Return the specification as JSON, with file names but without the folders of this machine."""
    events = [{**e._asdict(), "source_file": Path(e.source_file).name} for e in specification]
    rir = (
        Path(room.background).relative_to(Path(context.rooms[0].background).parents[1])
        if room
        else None
    )
    return json.dumps(
        {"scaper": scaper.__version__, "events": events, "room": str(rir) if rir else None}
    )
