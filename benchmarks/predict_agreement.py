"""Recordings of real clips end to end, and a check that prediction finds the clips' own events in them.

The rule (docs/predict.md): an event of a clip alone that touches no joint of two clips is an event of the
recording, to the sample, or lies inside one that a window over a joint detects; every other event of the
recording lies at a joint, or is the rest of a clip's event that lies at one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from raysed.data.stream import Heard, blocks
from raysed.data.windows import Grid
from raysed.predict.detector import Detector
from raysed.predict.recordings import predict
from raysed.predict.settings import events
from raysed.predict.sources import Recording, find_sources

Event = tuple[int, int, str]
"""An event: onset and offset in samples, label."""
THRESHOLDS = (0.5, 0.3, 0.2)
SHORT_S = 0.4
"""Shorter events that begin at a joint are mostly false events that networks detect at the edge of a window.
"""


@dataclass(frozen=True)
class Agreement:
    """Numbers of events of recordings and of their clips alone."""

    alone: int
    """Events of the clips alone."""
    apart: int
    """Events of `alone` that touch no joint."""
    equal: int
    """Events of `apart` that are events of the recording to the sample."""
    covered: int
    """Further events of `apart` that lie inside an event of the recording at a joint."""
    other: int
    """The other events of `apart`: 0 by the rule."""
    left: int
    """Events of the recording that touch no joint and are the rest of a clip's event that touches one."""
    new: int
    """Other events of the recording that touch no joint: 0 by the rule."""
    in_recording: int
    short_alone: int
    """Events of the clips alone that begin at a joint and last less than SHORT_S."""
    short_in_recording: int


def compare(
    recording: Iterable[Event], alone: Iterable[Event], grid: Grid, clips: int
) -> Agreement:
    """Compare the events of a recording of `clips` clips with those of the clips, moved to their place in it."""
    joints = range(grid.window, clips * grid.window, grid.window)
    found, placed = set(recording), set(alone)
    # The last frame lies at the joint, though it may end before.
    rest = max(0, grid.window - grid.frames * grid.frame)

    def touches(event: Event) -> bool:
        return any(event[0] <= joint <= event[1] + rest for joint in joints)

    def short(event: Event) -> bool:
        return event[0] in joints and event[1] - event[0] < SHORT_S * grid.rate_hz

    def inside(event: Event, wider: Iterable[Event]) -> bool:
        return any(w[0] <= event[0] and event[1] <= w[1] and w[2] == event[2] for w in wider)

    at_joint = {event for event in placed if touches(event)}
    across = {event for event in found if touches(event)}
    apart, changed = placed - at_joint, placed - at_joint - found
    others = found - across - apart
    covered = sum(inside(event, across) for event in changed)
    left = sum(inside(event, at_joint) for event in others)
    return Agreement(
        alone=len(placed),
        apart=len(apart),
        equal=len(apart & found),
        covered=covered,
        other=len(changed) - covered,
        left=left,
        new=len(others) - left,
        in_recording=len(found),
        short_alone=sum(map(short, placed)),
        short_in_recording=sum(map(short, found)),
    )


def read_clips(folder: str, grid: Grid) -> list[np.ndarray]:
    """Read the clips of a folder, each cut or padded to a window. Raises ValueError where there are fewer
    than two.
    """
    clips = []
    for source in find_sources([folder]).sources:
        wave_T = np.concatenate(list(blocks(source.url, grid.rate_hz, Heard())))[: grid.window]
        clips.append(np.pad(wave_T, (0, grid.window - len(wave_T))))
    if len(clips) < 2:
        raise ValueError(f"{folder}: holds {len(clips)} clips, expected at least two")
    return clips


def draw(clips: int, count: int, seed: int) -> list[int]:
    """Draw `count` numbers of clips in random order; no clip is repeated before all have come."""
    random = np.random.default_rng(seed)
    rounds = [random.permutation(clips) for _ in range(-(-count // clips))]
    return np.concatenate(rounds)[:count].tolist()


def write_recording(path: Path, clips: Iterable[np.ndarray], grid: Grid) -> Recording:
    """Write clips end to end as 16-bit FLAC, one at a time."""
    with soundfile.SoundFile(path, "w", grid.rate_hz, 1, "PCM_16", format="FLAC") as file:
        for wave_T in clips:
            file.write(np.clip(wave_T, -1, 1))
    return Recording(path.name, str(path))


def agreement(
    detector: Detector, clips: Sequence[np.ndarray], count: int, recordings: int, folder: Path
) -> list[dict[str, Any]]:
    """Return for each threshold the sums over `recordings` recordings of `count` clips, each in its own
    random order.
    """
    found: dict[float, list[Agreement]] = {threshold: [] for threshold in THRESHOLDS}
    grid = detector.grid
    sources = [
        write_recording(folder / f"clip{n}.flac", [wave_T], grid) for n, wave_T in enumerate(clips)
    ]
    alone = _events(detector, sources)
    for seed in range(recordings):
        order = draw(len(clips), count, seed)
        path = folder / f"recording{seed}.flac"
        (whole,) = _events(detector, [write_recording(path, (clips[n] for n in order), grid)])
        for threshold in THRESHOLDS:
            placed = [
                (onset + place * grid.window, offset + place * grid.window, label)
                for place, n in enumerate(order)
                for onset, offset, label in alone[n][threshold]
            ]
            found[threshold].append(compare(whole[threshold], placed, grid, count))
    return [{"threshold": t, **summed(ones)} for t, ones in found.items()]


def summed(ones: Sequence[Agreement]) -> dict[str, Any]:
    """Return the sums, and the least and greatest share, over recordings, of events apart from joints that
    are equal.
    """
    names = asdict(ones[0])
    shares = [one.equal / one.apart for one in ones if one.apart]
    return {
        "n": len(ones),
        **{name: sum(getattr(one, name) for one in ones) for name in names},
        "equal_share_min": round(min(shares), 3) if shares else None,
        "equal_share_max": round(max(shares), 3) if shares else None,
    }


def _events(detector: Detector, sources: Sequence[Recording]) -> list[dict[float, list[Event]]]:
    """Return the events of each recording at each threshold."""
    made = []
    for prediction in predict(detector, sources):
        scores = prediction.scores
        assert scores is not None, prediction.reason
        of_threshold = {}
        for threshold in THRESHOLDS:
            settings = detector.settings.with_thresholds((str(threshold),))
            of_threshold[threshold] = [
                (round(onset * detector.grid.rate_hz), round(offset * detector.grid.rate_hz), label)
                for onset, offset, label in events(scores.scores_TK, scores.edge_T1, settings)
            ]
        made.append(of_threshold)
    return made
